//! Live pages (BK-17): a stream that says when something in the school has changed, to whom it may concern, and ends
//! when the program does.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use domain::ids::TenantId;
use futures::StreamExt;
use http::{Request, StatusCode, header};
use sqlx::PgPool;

use crate::harness::{Client, TestApp};

/// Longer than anything here takes, and short enough to fail by.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stream that has said that it is open.
struct Stream(BodyDataStream);

impl Stream {
    async fn open(client: &Client, path: &str) -> Self {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = client.respond(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        let mut stream = Self(response.into_body().into_data_stream());
        assert!(stream.next().await.unwrap().contains("event: ready"));
        stream
    }

    /// What it says next; nothing when it has ended.
    async fn next(&mut self) -> Option<String> {
        let bytes = tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap()?;
        Some(String::from_utf8(bytes.unwrap().to_vec()).unwrap())
    }

    async fn changed(&mut self) {
        loop {
            let event = self.next().await.unwrap();
            if event.contains("event: changed") {
                // Without data a browser would drop it.
                return assert!(event.contains("data: "), "{event}");
            }
        }
    }

    /// Whether it says nothing more than that it is alive for a while.
    async fn is_quiet(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(1_500), self.0.next()).await.is_err()
    }
}

/// Listens to the database. Has its connection when this returns: until then nothing would be heard.
async fn listen(app: &TestApp) -> tokio::task::JoinHandle<()> {
    let listening = tokio::spawn(app.changes.clone().listen(app.db.clone()));
    while app.count("select count(*) from pg_stat_activity where datname = current_database() and query ilike 'listen%'").await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    listening
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn who_looks_at_a_school_hears_that_it_changed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let listening = listen(&app).await;
    let (student, owner) = (app.student().await, app.owner().await);
    let north = app.login("kim@north-mentors.test").await;
    let mut public = Stream::open(&app.visitor(), "/s/cape-drive/live").await;
    let mut member = Stream::open(&student, "/t/cape-drive/live").await;
    let mut other = Stream::open(&north, "/t/north-mentors/live").await;
    let booking = app.text("select b.id::text from bookings b join tenants t on t.id = b.tenant_id where t.slug = 'cape-drive' and b.status = 'confirmed' and b.starts_at > '2027-01-12 07:30Z' order by b.starts_at limit 1").await;
    let fields = [("tenant", "cape-drive"), ("booking", booking.as_str()), ("reason", "Ill")];
    owner.post("booking/cancel", &fields).await.expect(200);
    public.changed().await;
    member.changed().await;
    // One transaction is told once, and other schools don't hear of it.
    assert!(public.is_quiet().await && other.is_quiet().await);
    listening.abort();
    assert!(listening.await.unwrap_err().is_cancelled());
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn streams_are_for_those_who_may_look_and_end_with_the_program(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    app.visitor().get("/t/cape-drive/live").await.expect(401);
    app.login("kim@north-mentors.test").await.get("/t/cape-drive/live").await.expect(404);
    app.visitor().get("/s/closed-clinic/live").await.expect(404);
    app.login("owner@closed-clinic.test").await.get("/t/closed-clinic/live").await.expect(403);
    let mut stream = Stream::open(&app.owner().await, "/t/cape-drive/live").await;
    app.stop.send(true).unwrap();
    assert_eq!(stream.next().await, None);
}

/// A page that renews itself takes no outcome away from the page that was asked for, and keeps no session alive.
#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_page_that_renews_itself_leaves_no_trace(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let renew = async || {
        let request = Request::builder()
            .uri("/t/cape-drive/services")
            .header(header::ACCEPT, "text/html")
            .header("x-lessonbook-refresh", "1")
            .body(Body::empty())
            .unwrap();
        owner.call(request).await
    };
    let service = app.text("select s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive' and s.name = 'Driving lesson'").await;
    let fields = [("tenant", "cape-drive"), ("service", service.as_str())];
    let to = owner.submit("services/archive", "/t/cape-drive/services", &fields).await.expect(303);
    renew().await.expect(200).hides("is archived");
    owner.get(to.location()).await.expect(200).shows("is archived");
    // 20 minutes of a page that renews itself, and 15 more without anyone: the 30 minutes of an owner are over.
    for minutes in [20, 15] {
        app.clock.set(app.now() + jiff::SignedDuration::from_mins(minutes));
        let answer = renew().await;
        assert_eq!(answer.status.as_u16(), if minutes == 20 { 200 } else { 303 });
    }
}

/// What times depend on is news as much as lessons are; what a job notes for itself isn't.
#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_times_depend_on_is_told_too(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let listening = listen(&app).await;
    let owner = app.owner().await;
    let school = app.text("select id::text from tenants where slug = 'cape-drive'").await;
    let mut watch = app.changes.watch(TenantId(school.parse().unwrap()));
    let id = async |sql: &'static str| app.text(sql).await;
    let instructor = id("select id::text from instructors where email like 'thandi@%'").await;
    let service = id("select id::text from services where name = 'Driving lesson'").await;
    let pack = id(
        "select p.id::text from packs p join students s on s.id = p.student_id and s.email like 'sipho@%'",
    )
    .await;
    let acts: [(&str, Vec<(&str, &str)>); 6] = [
        ("availability/block", vec![("instructor", &instructor), ("date", "2027-05-03")]),
        ("availability/set_hours", vec![("instructor", &instructor), ("mon", "09:00-17:00")]),
        (
            "availability/save_exception",
            vec![("instructor", &instructor), ("date", "2027-05-05"), ("hours", "09:00-12:00")],
        ),
        ("packs/add_lesson", vec![("pack", &pack)]),
        ("services/archive", vec![("service", &service)]),
        ("services/restore", vec![("service", &service)]),
    ];
    for (action, fields) in acts {
        let fields: Vec<_> = fields.into_iter().chain([("tenant", "cape-drive")]).collect();
        owner.post(action, &fields).await.expect(200);
        let told = tokio::time::timeout(PATIENCE, watch.changed()).await;
        assert!(matches!(told, Ok(true)), "{action}");
        watch.catch_up();
    }
    // One waits; then a job says that it has looked.
    for (sql, told) in [
        ("insert into waiting_list (tenant_id, id, service_id, student_id, from_at, to_at, created_at)
          select tenant_id, gen_random_uuid(), service_id, student_id, '2027-06-09', '2027-06-10', '2027-01-12'
          from bookings where tenant_id = (select id from tenants where slug = 'cape-drive') limit 1", true),
        ("update waiting_list set check_at = '2027-02-01'", false),
    ] {
        sqlx::query(sql).execute(&app.admin).await.unwrap();
        let heard = tokio::time::timeout(Duration::from_secs(if told { 20 } else { 1 }), watch.changed()).await;
        assert_eq!(heard.is_ok(), told, "{sql}");
    }
    listening.abort();
    assert!(listening.await.unwrap_err().is_cancelled());
}
