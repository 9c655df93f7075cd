//! Queries a page (PF-01): at most three after session and BEGIN, whatever the size of what it shows.

use sqlx::PgPool;

use crate::harness::{QueryCount, TestApp};

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn every_page_and_download_takes_three_queries_at_most(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let one = async |sql: &'static str| app.text(sql).await;
    let booking = one("select id::text from bookings where status = 'confirmed' and student_id = (select id from students where email = 'sipho@cape-drive.test') order by starts_at limit 1").await;
    let instructor = one("select id::text from instructors where email = 'thandi@cape-drive.test'").await;
    let student = one("select id::text from students where email = 'sipho@cape-drive.test'").await;
    let service = one("select s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive' and s.name = 'Driving lesson'").await;
    let tenant = one("select id::text from tenants where slug = 'cape-drive'").await;
    let user = one("select id::text from users where email = 'owner@cape-drive.test'").await;
    let group = one("select g.id::text from group_lessons g join tenants t on t.id = g.tenant_id where t.slug = 'cape-drive' order by g.starts_at limit 1").await;
    let resource = one("select r.id::text from resources r join tenants t on t.id = r.tenant_id where t.slug = 'cape-drive' order by r.name limit 1").await;
    let clients = [
        ("visitor", app.visitor()),
        ("student", app.student().await),
        ("instructor", app.login("thandi@cape-drive.test").await),
        ("owner", app.owner().await),
        ("super_admin", app.login("super@lessonbook.test").await),
    ];
    let book = format!("/s/cape-drive/book?service={service}&instructor=any&date=2027-01-14");
    let at = format!(
        "/s/cape-drive/book?service={service}&instructor={instructor}&date=2027-01-15&at=2027-01-15T15:00:00%2B02:00"
    );
    let mut paths: Vec<String> = app::pages::routes().iter().map(|route| route.path.to_owned()).collect();
    paths.extend(lessonbook::http::csv::DOWNLOADS.iter().map(|download| download.path.to_owned()));
    paths.extend([
        book,
        at,
        "/t/{tenant}/instructors?q=a&city=Paarl&sort=last_lesson&dir=desc&page_size=100".into(),
        "/t/{tenant}/students?status=removed".into(),
        "/t/{tenant}/audit?q=a&actor=nandi&action=auth.login&from=2027-01-01&to=2027-12-31".into(),
        "/admin/audit?school=cape-drive".into(),
        "/admin/users?status=deleted".into(),
    ]);

    let count = QueryCount::start();
    let mut most = 0;
    for path in paths {
        let id = match path.as_str() {
            p if p.contains("/bookings/") => &booking,
            p if p.contains("/instructors/") => &instructor,
            p if p.contains("/students/") => &student,
            p if p.contains("/services/") => &service,
            p if p.contains("/groups/") => &group,
            p if p.contains("/resources/") => &resource,
            p if p.contains("/users/") => &user,
            _ => &tenant,
        };
        let path = path.replace("{tenant}", "cape-drive").replace("{id}", id).replace("{token}", "0f");
        for (name, client) in &clients {
            count.take();
            let answer = client.get(&path).await;
            let queries = count.take();
            assert!(!answer.status.is_server_error(), "{path}: {}", answer.body);
            assert!(queries <= 3, "{path} for {name}: {queries} queries");
            most = most.max(queries);
        }
    }
    assert!(most >= 2, "the counter counts nothing");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_longer_list_takes_no_more_queries(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, platform) = (app.owner().await, app.login("super@lessonbook.test").await);
    let school = ["instructors", "students", "bookings", "services", "team", "outbox", "audit"];
    let lists = school.map(|list| (&owner, format!("/t/cape-drive/{list}")));
    let of_platform =
        ["tenants", "users", "outbox", "audit"].map(|list| (&platform, format!("/admin/{list}")));
    let count = QueryCount::start();
    for (client, path) in lists.into_iter().chain(of_platform) {
        let mut counts = Vec::new();
        for size in ["1", "10", "100"] {
            count.take();
            client.get(&format!("{path}?page_size={size}")).await.expect(200);
            counts.push(count.take());
        }
        assert!(counts.iter().all(|n| *n == counts[0] && *n > 0), "{path}: {counts:?}");
    }
}
