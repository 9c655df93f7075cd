//! A history of many at once against a program that is killed at random: what was acknowledged is there, and what must
//! always hold holds. Each operation is remembered with its answer, or with the fact that none came.

mod laws;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::clock::Clock;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use sqlx::PgPool;

use crate::{
    harness::{BENCHMARK_TOKEN, BUSY, MASTER, PASSWORD, TestApp},
    kill::{Http, Program, post, urls},
};

const CLIENTS: usize = 32;
/// Operations when the environment names no other number.
const OPERATIONS: usize = 20_000;
/// How often the program is killed and started again.
const KILLS: usize = 8;

/// What a client knows of a lesson of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Known {
    /// Stands, at this time if it was said.
    Stands(Option<String>),
    Cancelled,
    /// The last operation on it had no answer: it may have happened or not.
    Unsure,
}

/// What all clients were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) lessons: BTreeMap<String, Known>,
    /// By idempotency key, every lesson that was answered for it.
    pub(crate) keys: BTreeMap<String, Vec<String>>,
    /// By verb and status.
    pub(crate) counts: BTreeMap<String, usize>,
}

/// What stays the same for all.
struct World {
    base: RwLock<String>,
    told: Mutex<Told>,
    left: AtomicUsize,
    driving: String,
    theory: String,
    instructors: Vec<String>,
    theorist: String,
    times: Vec<String>,
}

struct Person {
    email: String,
    cookie: String,
    random: StdRng,
    http: Http,
    mine: Vec<String>,
    number: usize,
    keys: usize,
}

impl Person {
    /// Sends an operation; nothing when no answer came.
    async fn send(
        &mut self,
        world: &World,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Option<(u16, serde_json::Value)> {
        let base = world.base.read().unwrap().clone();
        let url = format!("{base}/fn/{action}");
        let answer =
            tokio::time::timeout(Duration::from_secs(30), post(&self.http, &url, &self.cookie, fields))
                .await
                .ok()
                .flatten();
        let word = answer.as_ref().map_or("none".to_owned(), |(status, _, _)| status.to_string());
        *world.told.lock().unwrap().counts.entry(format!("{action} {word}")).or_default() += 1;
        let (status, _, body) = answer?;
        assert!(matches!(status, 200 | 404 | 409 | 422 | 503), "{action} {fields:?}: {status} {body}");
        Some((status, serde_json::from_str(&body).unwrap_or_default()))
    }

    async fn log_in(&mut self, world: &World) {
        loop {
            let base = world.base.read().unwrap().clone();
            let login = [("login", self.email.as_str()), ("password", PASSWORD)];
            let url = format!("{base}/fn/identity/login");
            if let Some((200, cookie, _)) = post(&self.http, &url, "", &login).await {
                self.cookie = cookie;
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn act(&mut self, world: &World) {
        match self.random.random_range(0..100) {
            0..45 => self.book(world, false).await,
            45..60 => self.book(world, true).await,
            60..78 => self.cancel(world).await,
            78..93 => self.change(world).await,
            93..96 => self.wait(world).await,
            _ => self.take_offer(world).await,
        }
    }

    fn time(&mut self, world: &World) -> String {
        world.times.choose(&mut self.random).unwrap().clone()
    }

    async fn book(&mut self, world: &World, held: bool) {
        let at = self.time(world);
        let group = self.random.random_range(0..6) == 0;
        let (service, instructor) = if group {
            (&world.theory, world.theorist.clone())
        } else if self.random.random_range(0..2) == 0 {
            (&world.driving, "any".to_owned())
        } else {
            (&world.driving, world.instructors.choose(&mut self.random).unwrap().clone())
        };
        let mut hold = String::new();
        let what = [
            ("tenant", "cape-drive"),
            ("service", service.as_str()),
            ("instructor", &instructor),
            ("starts_at", &at),
        ];
        if held {
            match self.send(world, "booking/hold", &what).await {
                Some((200, json)) => hold = json["id"].as_str().unwrap_or_default().to_owned(),
                _ => return,
            }
        }
        self.keys += 1;
        let key = format!("{}-{}", self.number, self.keys);
        let mut fields = what.to_vec();
        fields.extend([
            ("pickup", "1 Long Street"),
            ("note", key.as_str()),
            ("idempotency_key", key.as_str()),
            ("hold", hold.as_str()),
        ]);
        // The same once more, now and then, and always when no answer came.
        for again in 0..3 {
            let answer = self.send(world, "booking/book", &fields).await;
            match answer {
                Some((200, json)) => {
                    let id = json["id"].as_str().unwrap().to_owned();
                    let mut told = world.told.lock().unwrap();
                    told.keys.entry(key.clone()).or_default().push(id.clone());
                    if told.lessons.insert(id.clone(), Known::Stands(Some(at.clone()))).is_none() {
                        self.mine.push(id);
                    }
                    drop(told);
                    if self.random.random_range(0..8) > 0 {
                        return;
                    }
                }
                Some(_) => return,
                None if again < 2 => self.log_in(world).await,
                None => {}
            }
        }
    }

    /// One of one's own lessons, and what is known of it meanwhile.
    fn pick(&mut self, world: &World) -> Option<String> {
        let id = self.mine.choose(&mut self.random)?.clone();
        (world.told.lock().unwrap().lessons[&id] != Known::Cancelled).then_some(id)
    }

    fn learn(&self, world: &World, id: &str, known: Known) {
        world.told.lock().unwrap().lessons.insert(id.to_owned(), known);
    }

    async fn cancel(&mut self, world: &World) {
        let Some(id) = self.pick(world) else { return };
        let fields = [("tenant", "cape-drive"), ("booking", id.as_str()), ("reason", "Random")];
        match self.send(world, "booking/cancel", &fields).await {
            Some((200, _)) => self.learn(world, &id, Known::Cancelled),
            // An earlier try without an answer may have done it.
            Some(_) => {}
            None => self.learn(world, &id, Known::Unsure),
        }
    }

    async fn change(&mut self, world: &World) {
        let Some(id) = self.pick(world) else { return };
        let at = self.time(world);
        let fields = [
            ("tenant", "cape-drive"),
            ("booking", id.as_str()),
            ("starts_at", at.as_str()),
            ("scope", "this"),
            ("reason", "Random"),
        ];
        match self.send(world, "booking/move", &fields).await {
            Some((200, _)) => self.learn(world, &id, Known::Stands(Some(at))),
            Some(_) => {}
            None => self.learn(world, &id, Known::Unsure),
        }
    }

    async fn wait(&mut self, world: &World) {
        let at = self.time(world);
        let fields = [
            ("tenant", "cape-drive"),
            ("service", world.driving.as_str()),
            ("instructor", "any"),
            ("date", &at[..10]),
            ("time", &at[11..16]),
            ("pickup", "1 Long Street"),
        ];
        self.send(world, "waiting/join", &fields).await;
    }

    /// Takes the first offer on one's list, twice.
    async fn take_offer(&mut self, world: &World) {
        let Some(hold) = self.offer(world).await else { return };
        let fields = [("tenant", "cape-drive"), ("hold", hold.as_str()), ("pickup", "1 Long Street")];
        for _ in 0..2 {
            if let Some((200, json)) = self.send(world, "waiting/accept", &fields).await {
                let id = json["id"].as_str().unwrap().to_owned();
                let mut told = world.told.lock().unwrap();
                assert!(
                    told.lessons.insert(id.clone(), Known::Stands(None)).is_none(),
                    "{hold} was taken twice"
                );
                self.mine.push(id);
            }
        }
    }

    async fn offer(&mut self, world: &World) -> Option<String> {
        let base = world.base.read().unwrap().clone();
        let request = http::Request::builder()
            .uri(format!("{base}/t/cape-drive/waiting"))
            .header("accept", "text/html")
            .header("cookie", &self.cookie)
            .header("x-benchmark-token", BENCHMARK_TOKEN)
            .body(axum::body::Body::empty())
            .unwrap();
        let response = self.http.request(request).await.ok()?;
        let body =
            axum::body::to_bytes(axum::body::Body::new(response.into_body()), usize::MAX).await.ok()?;
        let page = String::from_utf8_lossy(&body).into_owned();
        let rest = page.split("/t/cape-drive/offers/").nth(1)?;
        Some(rest.get(..36)?.to_owned())
    }
}

async fn run(world: Arc<World>, mut person: Person) {
    person.log_in(&world).await;
    while world.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        person.act(&world).await;
    }
}

async fn world(app: &TestApp, operations: usize) -> World {
    let names = async |sql: &'static str| -> Vec<String> {
        sqlx::query_scalar(sql).fetch_all(&app.admin).await.unwrap()
    };
    let service = async |name: &str| -> String {
        sqlx::query_scalar("select s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive' and s.name = $1")
            .bind(name)
            .fetch_one(&app.admin)
            .await
            .unwrap()
    };
    let instructors = names("select i.id::text from instructors i join tenants t on t.id = i.tenant_id where t.slug = 'cape-drive' and i.verification = 'verified' order by i.id limit 4").await;
    // Three weeks of half hours, on days when they teach: few enough that the clients are in each other's way.
    let times = names(
        "select to_char(d + m * interval '1 minute', 'YYYY-MM-DD\"T\"HH24:MI:SS') || '+02:00'
         from generate_series(current_date + 2, current_date + 22, interval '1 day') d, generate_series(540, 960, 30) m
         where extract(isodow from d) < 6 order by 1",
    )
    .await;
    World {
        base: RwLock::default(),
        told: Mutex::default(),
        left: AtomicUsize::new(operations),
        driving: service("Driving lesson").await,
        theory: service("Theory class").await,
        theorist: instructors[0].clone(),
        instructors,
        times,
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_was_acknowledged_is_there_and_nothing_overlaps(admin: PgPool) {
    let _busy = BUSY.lock().await;
    let operations =
        std::env::var("HISTORY_OPERATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(OPERATIONS);
    let app = TestApp::demo_at(admin, &Clock::system().now().to_string()).await;
    let (login, owner) = urls(&app, "t_history").await;
    // Moves as often as one likes, and no notice: what is tried shall mostly be possible.
    sqlx::query(
        "update services set notice_min = 0, horizon_days = 60, move_notice_min = 0, max_moves = null",
    )
    .execute(&app.admin)
    .await
    .unwrap();
    sqlx::query("update tenants set offer_min = 60").execute(&app.admin).await.unwrap();
    let world = Arc::new(world(&app, operations).await);
    let emails: Vec<String> = sqlx::query_scalar("select s.email from students s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive' order by s.id limit $1")
        .bind(CLIENTS as i64)
        .fetch_all(&app.admin)
        .await
        .unwrap();
    let start = || {
        Program::start(&[
            ("LESSONBOOK_MODE", "development"),
            ("LESSONBOOK_SECRET_KEY", MASTER),
            ("DATABASE_URL", &login),
            ("LESSONBOOK_OWNER_URL", &owner),
            ("LESSONBOOK_BENCHMARK_TOKEN", BENCHMARK_TOKEN),
        ])
    };
    let mut program = start();
    *world.base.write().unwrap() = program.base.clone();
    let http: Http = Client::builder(TokioExecutor::new()).build_http();
    let mut random = StdRng::seed_from_u64(4);
    let clients: Vec<_> = emails
        .into_iter()
        .enumerate()
        .map(|(number, email)| {
            let person = Person {
                email,
                cookie: String::new(),
                random: StdRng::seed_from_u64(random.random()),
                http: http.clone(),
                mine: Vec::new(),
                number,
                keys: 0,
            };
            tokio::spawn(run(Arc::clone(&world), person))
        })
        .collect();
    // Killed after random numbers of operations.
    let mut at: Vec<usize> = (0..KILLS).map(|_| random.random_range(operations / 20..operations)).collect();
    at.sort_unstable();
    while let Some(next) = at.pop() {
        while world.left.load(Ordering::Relaxed) > next {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        program.kill();
        program = start();
        *world.base.write().unwrap() = program.base.clone();
    }
    for client in clients {
        client.await.unwrap();
    }
    program.kill();
    // What the killed program had begun is rolled back as Postgres notices that it is gone.
    while app.count("select count(*) from pg_stat_activity where usename = 't_history'").await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = std::mem::take(&mut *world.told.lock().unwrap());
    eprintln!("{:#?}", told.counts);
    laws::hold(&app, &told).await;
}
