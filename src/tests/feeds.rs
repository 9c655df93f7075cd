//! Calendar feeds (CA-01): what a calendar program reads by a secret address.

use axum::body::Body;
use http::{Request, header};
use sqlx::PgPool;

use crate::harness::{Answer, Client, TestApp};

/// The path of a new feed of a member.
async fn feed(client: &Client, tenant: &str) -> (String, String) {
    let answer = client.post("feeds/create", &[("tenant", tenant)]).await.expect(200);
    let json = answer.json();
    let link = json["link"].as_str().unwrap();
    let path = link.strip_prefix("http://localhost").unwrap().to_owned();
    (path, json["id"].as_str().unwrap().to_owned())
}

async fn read(app: &TestApp, path: &str, known: Option<&str>) -> Answer {
    let mut request = Request::builder().uri(path);
    if let Some(known) = known {
        request = request.header(header::IF_NONE_MATCH, known);
    }
    app.visitor().call(request.body(Body::empty()).unwrap()).await
}

fn events(answer: &Answer) -> usize {
    answer.body.matches("BEGIN:VEVENT").count()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_feed_shows_ones_own_and_says_when_nothing_is_new(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let student = app.student().await;
    let (path, _) = feed(&student, "cape-drive").await;
    assert!(path.starts_with("/ics/") && path.ends_with(".ics"));
    let first = read(&app, &path, None).await.expect(200);
    assert_eq!(first.headers[header::CONTENT_TYPE], "text/calendar; charset=utf-8");
    let own = app.count("select count(*) from bookings where student_id = (select id from students where email = 'sipho@cape-drive.test') and starts_at > '2026-12-13'").await;
    assert_eq!(events(&first) as i64, own);
    assert!(
        first.body.contains("SUMMARY:Driving lesson") && !first.body.contains("Lerato"),
        "{}",
        first.body
    );
    // The same again costs no body, also when compression has weakened the tag.
    let tag = first.headers[header::ETAG].to_str().unwrap().to_owned();
    let again = read(&app, &path, Some(&tag)).await.expect(304);
    assert!(again.body.is_empty());
    read(&app, &path, Some(&format!("W/{tag}"))).await.expect(304);
    // A change is a new tag, and a cancelled lesson stays in it as such.
    let booking = app.text("select id::text from bookings where status = 'confirmed' and starts_at > '2027-01-14' and student_id = (select id from students where email = 'sipho@cape-drive.test') order by starts_at limit 1").await;
    let fields = [("tenant", "cape-drive"), ("booking", booking.as_str()), ("reason", "Ill")];
    student.post("booking/cancel", &fields).await.expect(200);
    let changed = read(&app, &path, Some(&tag)).await.expect(200);
    assert!(changed.body.contains("STATUS:CANCELLED"));
    assert_eq!(events(&changed), events(&first));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_feed_ends_when_it_is_revoked_or_its_member_leaves(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (student, owner) = (app.student().await, app.owner().await);
    let (path, id) = feed(&student, "cape-drive").await;
    let (school, _) = feed(&owner, "cape-drive").await;
    read(&app, &path, None).await.expect(200);
    let all = read(&app, &school, None).await.expect(200);
    assert!(events(&all) > 100, "{}", events(&all));
    // Nobody else can revoke it.
    let fields = [("tenant", "cape-drive"), ("feed", id.as_str())];
    owner.post("feeds/revoke", &fields).await.expect(404);
    student.post("feeds/revoke", &fields).await.expect(200);
    read(&app, &path, None).await.expect(404);
    student.post("feeds/revoke", &fields).await.expect(404);
    // Who leaves takes no calendar along.
    let staff = app.login("staff@cape-drive.test").await;
    let (path, _) = feed(&staff, "cape-drive").await;
    read(&app, &path, None).await.expect(200);
    let user = app.text("select id::text from users where email = 'staff@cape-drive.test'").await;
    let fields = [("tenant", "cape-drive"), ("user", user.as_str()), ("reason", "Left")];
    owner.post("team/remove", &fields).await.expect(200);
    read(&app, &path, None).await.expect(404);
    // A closed school has none.
    sqlx::query("update tenants set status = 'suspended', status_reason = 'x' where slug = 'cape-drive'")
        .execute(&app.admin)
        .await
        .unwrap();
    read(&app, &school, None).await.expect(404);
    for wrong in ["/ics/0f.ics", "/ics/%00", "/ics/"] {
        read(&app, wrong, None).await.expect(404);
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_address_is_shown_once_and_there_are_five_at_most(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let student = app.student().await;
    let page = student
        .submit_and_follow("feeds/create", "/t/cape-drive/feeds", &[("tenant", "cape-drive")])
        .await
        .expect(200)
        .shows("/ics/");
    assert!(page.body.contains("Not read yet"));
    student.get("/t/cape-drive/feeds").await.expect(200).hides("/ics/");
    for _ in 0..4 {
        feed(&student, "cape-drive").await;
    }
    student.post("feeds/create", &[("tenant", "cape-drive")]).await.expect(409);
    // Nothing that reads a feed is in the database.
    let stored = app.text("select string_agg(row_to_json(f)::text, '') from feeds f").await;
    assert!(!stored.contains(".ics"));
}
