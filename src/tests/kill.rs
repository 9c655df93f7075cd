//! The program itself, killed: `kill -9` in the middle of bookings, and with a private Postgres.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::body::Body;
use domain::clock::Clock;
use http::{Method, Request, header};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use sqlx::{PgPool, postgres::PgConnectOptions};

use crate::harness::{BENCHMARK_TOKEN, MASTER, PASSWORD, TestApp};

/// The program itself, as it is installed.
pub(crate) struct Program {
    child: Child,
    pub(crate) base: String,
}

impl Program {
    /// Starts the program and waits until it says that it serves.
    #[expect(clippy::zombie_processes, reason = "when it doesn't start, the test ends")]
    pub(crate) fn start(env: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lessonbook"))
            .arg("serve")
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| name == "PATH" || name == "HOME"))
            .env("LESSONBOOK_ADDR", "127.0.0.1:0")
            .envs(env.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        while lines.read_line(&mut said).unwrap() > 0 {
            if let Some((_, rest)) = said.split_once("serves on ") {
                let base = rest.trim().to_owned();
                // Whatever it says later must not fill the pipe.
                std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
                return Self { child, base };
            }
        }
        panic!("the program did not start: {said}");
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn terminate(&mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The test's database as a program of its own reaches it: by a login of this name, and as owner.
pub(crate) async fn urls(app: &TestApp, login: &str) -> (String, String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("do $$ begin create role {login} login noinherit in role lessonbook_program, lessonbook_platform; exception when duplicate_object or unique_violation then null; end $$")))
        .execute(&app.admin)
        .await
        .unwrap();
    let options: PgConnectOptions = (*app.admin.connect_options()).clone();
    let socket =
        options.get_socket().map_or_else(|| options.get_host().to_owned(), |path| path.display().to_string());
    let database = options.get_database().unwrap();
    let url = |user: &str| format!("postgres://{user}@localhost/{database}?host={socket}");
    (url(login), url(options.get_username()))
}

pub(crate) type Http = Client<hyper_util::client::legacy::connect::HttpConnector, Body>;

pub(crate) async fn post(
    http: &Http,
    url: &str,
    cookie: &str,
    fields: &[(&str, &str)],
) -> Option<(u16, String, String)> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .header(header::COOKIE, cookie)
        // Everyone comes from one address here.
        .header("x-benchmark-token", BENCHMARK_TOKEN)
        .body(Body::from(serde_urlencoded::to_string(fields).unwrap()))
        .unwrap();
    let response = http.request(request).await.ok()?;
    let status = response.status().as_u16();
    let cookie = response.headers().get(header::SET_COOKIE).map_or("", |value| value.to_str().unwrap());
    let cookie = cookie.split(';').next().unwrap_or("").to_owned();
    let body = axum::body::to_bytes(Body::new(response.into_body()), usize::MAX).await.ok()?;
    Some((status, cookie, String::from_utf8_lossy(&body).into_owned()))
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn kill_9_leaves_no_half_booking(admin: PgPool) {
    let app = TestApp::demo_at(admin, &Clock::system().now().to_string()).await;
    let (login, owner) = urls(&app, "t_kill").await;
    let service = app.text("select s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive' and s.name = 'Driving lesson'").await;
    // Times that are free for each of the first students, a week ahead and more.
    let emails: Vec<String> = sqlx::query_scalar("select s.email from students s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive' order by s.id limit 8")
        .fetch_all(&app.admin)
        .await
        .unwrap();
    let times: Vec<String> = sqlx::query_scalar(
        "select to_char(d + m * interval '1 minute', 'YYYY-MM-DD\"T\"HH24:MI:SS') || '+02:00'
         from generate_series(current_date + 3, current_date + 40, interval '1 day') d, unnest(array[600, 720, 780, 900, 960]) m
         where extract(isodow from d) < 6 order by 1",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();

    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..4_usize {
        let mut program = Program::start(&[
            ("LESSONBOOK_MODE", "development"),
            ("LESSONBOOK_SECRET_KEY", MASTER),
            ("DATABASE_URL", &login),
            ("LESSONBOOK_OWNER_URL", &owner),
            ("LESSONBOOK_BENCHMARK_TOKEN", BENCHMARK_TOKEN),
        ]);
        let http: Http = Client::builder(TokioExecutor::new()).build_http();
        let enough = Arc::new(tokio::sync::Notify::new());
        let count = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = emails
            .iter()
            .enumerate()
            .map(|(who, email)| {
                let (http, base, service, email) =
                    (http.clone(), program.base.clone(), service.clone(), email.clone());
                let mine: Vec<String> = times.iter().skip(round * 40 + who).step_by(8).cloned().collect();
                let (enough, count) = (Arc::clone(&enough), Arc::clone(&count));
                tokio::spawn(async move {
                    let mut done = Vec::new();
                    let login = [("login", email.as_str()), ("password", PASSWORD)];
                    let Some((_, cookie, _)) =
                        post(&http, &format!("{base}/fn/identity/login"), "", &login).await
                    else {
                        return done;
                    };
                    for (n, at) in mine.iter().enumerate() {
                        let key = format!("{round}-{who}-{n}");
                        let fields = [
                            ("tenant", "cape-drive"),
                            ("service", service.as_str()),
                            ("instructor", "any"),
                            ("starts_at", at.as_str()),
                            ("pickup", "x"),
                            ("idempotency_key", key.as_str()),
                        ];
                        let Some((status, _, body)) =
                            post(&http, &format!("{base}/fn/booking/book"), &cookie, &fields).await
                        else {
                            break;
                        };
                        assert!(matches!(status, 200 | 409 | 422), "{status} {body}");
                        if status == 200 {
                            let json: serde_json::Value = serde_json::from_str(&body).unwrap();
                            done.push(json["id"].as_str().unwrap().to_owned());
                            // Killed while the others are somewhere in theirs.
                            if count.fetch_add(1, Ordering::Relaxed) == 5 + round * 3 {
                                enough.notify_one();
                            }
                        }
                    }
                    done
                })
            })
            .collect();
        enough.notified().await;
        program.kill();
        for task in tasks {
            acknowledged.extend(task.await.unwrap());
        }
    }
    // What the killed program had begun is rolled back as Postgres notices that it is gone.
    while app.count("select count(*) from pg_stat_activity where usename = 't_kill'").await > 0 {
        tokio::task::yield_now().await;
    }
    assert!(acknowledged.len() >= 20, "{}", acknowledged.len());
    let lost: i64 = sqlx::query_scalar("select count(*) from unnest($1::uuid[]) a(id) where not exists (select from bookings b where b.id = a.id)")
        .bind(acknowledged.iter().map(|id| id.parse::<uuid::Uuid>().unwrap()).collect::<Vec<_>>())
        .fetch_one(&app.admin)
        .await
        .unwrap();
    assert_eq!(lost, 0, "acknowledged bookings are gone");
    let half = app
        .count(
            "select count(*) from bookings b where b.created_by is not null and not (
                (select count(*) from claims c where c.booking_id = b.id and c.active) = 2
                and (select count(*) from outbox o where o.booking_id = b.id) = 2
                and (select count(*) from audit a where a.entity_id = b.id) = 1
                and (select count(*) from idempotency_keys k where k.booking_id = b.id) = 1
                and (select count(*) from credit_postings p where p.booking_id = b.id) = case when b.pack_id is null then 0 else 1 end)",
        )
        .await;
    assert_eq!(half, 0, "half bookings");
    let strays = app
        .count(
            "select (select count(*) from claims c where c.booking_id is not null and not exists (select from bookings b where b.id = c.booking_id))
                  + (select count(*) from audit a where a.entity = 'booking' and not exists (select from bookings b where b.id = a.entity_id))
                  + (select count(*) from packs p where p.lessons_used <> coalesce((select sum(case when to_account = 'used' then lessons when from_account = 'used' then -lessons else 0 end)
                                                     from credit_postings c where c.pack_id = p.id), 0))",
        )
        .await;
    assert_eq!(strays, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn production_refuses_the_demos_database(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (login, _) = urls(&app, "t_demo").await;
    // As `lessonbook migrate` does.
    sqlx::raw_sql("grant select on _sqlx_migrations to lessonbook_program")
        .execute(&app.admin)
        .await
        .unwrap();
    let refused = Command::new(env!("CARGO_BIN_EXE_lessonbook"))
        .arg("serve")
        .env_clear()
        .env("LESSONBOOK_ADDR", "127.0.0.1:0")
        .env("LESSONBOOK_SECRET_KEY", MASTER)
        .env("DATABASE_URL", login)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("the demo's accounts"), "{said}");
}

#[test]
fn a_private_postgres_survives_a_kill_and_stops_with_the_program() {
    let dir = std::env::temp_dir().join(format!("lessonbook-test-{}", std::process::id()));
    let data = dir.to_str().unwrap();
    let env = [("LESSONBOOK_MODE", "demo"), ("LESSONBOOK_DATA_DIR", data)];
    let mut first = Program::start(&env);
    assert!(is_up(&dir), "the server runs beside the program");
    first.kill();
    assert!(is_up(&dir), "it outlives a killed program");
    // The next start finds it, and the data.
    let mut second = Program::start(&env);
    second.terminate();
    assert!(!is_up(&dir), "it stops with the program");
    let mut third = Program::start(&env);
    third.terminate();
    std::fs::remove_dir_all(&dir).unwrap();
}

/// Whether a server runs in the data directory, by its own file.
fn is_up(dir: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(dir.join("postgres/postmaster.pid")) else {
        return false;
    };
    let pid = text.lines().next().unwrap_or("").to_owned();
    Path::new("/proc").join(pid).join("stat").exists()
}
