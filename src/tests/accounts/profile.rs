//! What one says of oneself (AC-07, PR-02), and what is there before anyone says anything.

use sqlx::PgPool;

use super::{member, rows_with, user};
use crate::{
    downloads::attrs,
    harness::{PASSWORD, TestApp},
};

const NUMBER: &str = "8001015009087";

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_id_number_is_seen_by_those_who_check_it(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let teacher = member(&app, "zintle@new.test", "instructor", "cape-drive").await;
    let fields = [
        ("id_number", NUMBER),
        ("address", "1 Long Street"),
        ("suburb", "Gardens"),
        ("city", "Cape Town"),
        ("province", "Western Cape"),
        ("pickup", "Station, Adderley Street"),
        ("pickup_lat", "-33.9221"),
        ("pickup_lon", "18.4231"),
    ];
    let page =
        teacher.submit_and_follow("identity/save_profile", "/account/profile", &fields).await.expect(200);
    let page = page.shows("Your profile is saved.");
    for (name, value) in fields {
        assert_eq!(attrs(&page, &format!("input[name=\"{name}\"]"), "value"), [value], "{name}");
    }
    assert_eq!(rows_with(&app, NUMBER).await, 0);

    let id = app.text("select id::text from instructors where email = 'zintle@new.test'").await;
    let path = format!("/t/cape-drive/instructors/{id}");
    for who in ["owner", "staff"] {
        app.login(&format!("{who}@cape-drive.test")).await.get(&path).await.expect(200).shows(NUMBER);
    }
    for (who, status) in [
        ("thandi@cape-drive.test", 404),
        ("sipho@cape-drive.test", 403),
        ("owner@north-mentors.test", 404),
        ("super@lessonbook.test", 404),
    ] {
        app.login(who).await.get(&path).await.expect(status).hides(NUMBER);
    }
    let platform = app.login("super@lessonbook.test").await;
    for path in [format!("/admin/users/{}", user(&app, "zintle@new.test").await), "/admin/audit".into()] {
        platform.get(&path).await.expect(200).hides(NUMBER);
    }
    app.visitor().get("/s/cape-drive").await.expect(200).hides(NUMBER);

    // Bad fields are all named, and what was saved stays.
    let long = "x".repeat(301);
    let bad = [("id_number", "1\r\n2"), ("address", long.as_str()), ("pickup_lat", "91"), ("pickup_lon", "")];
    let answer = teacher.post("identity/save_profile", &bad).await.expect(422);
    for name in ["id_number", "address", "pickup_lat"] {
        assert!(!answer.field(name).is_empty(), "{name}: {}", answer.body);
    }
    teacher.get("/account/profile").await.expect(200).shows(NUMBER);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn no_account_exists_without_the_demo(admin: PgPool) {
    for table in ["users", "tenants", "memberships", "sessions", "one_time_links", "invites"] {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        assert_eq!(sqlx::query_scalar::<_, i64>(sql).fetch_one(&admin).await.unwrap(), 0, "{table}");
    }
    // With it, each has the password that the login page shows, and nobody else is there.
    let app = TestApp::demo(admin).await;
    app.visitor().get("/login").await.expect(200).shows(PASSWORD);
    let strangers = "select count(*) from users where email not like '%@cape-drive.test' and email not like '%@north-mentors.test'
        and email not like '%@closed-clinic.test' and email <> 'super@lessonbook.test'";
    assert_eq!(app.count(strangers).await, 0);
}
