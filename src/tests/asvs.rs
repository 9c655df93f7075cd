//! What OWASP's ASVS asks of pages and passwords and no other test looks at; `docs/ASVS.md` names them.

use app::access::Access;
use scraper::{Html, Selector};
use sqlx::PgPool;

use crate::{
    harness::{Answer, Client, PASSWORD, TestApp},
    limits::wait,
};

/// Pages whose address names no single thing.
fn pages(of: impl Fn(Access) -> bool) -> Vec<String> {
    let routes = app::pages::routes().into_iter().filter(|route| of(route.access));
    let paths = routes.map(|route| route.path.replace("{tenant}", "cape-drive"));
    paths.map(|path| path.replace("{token}", &"0f".repeat(32))).filter(|path| !path.contains('{')).collect()
}

async fn change(client: &Client, current: &str, new: &str) -> Answer {
    client.post("identity/change_password", &[("current", current), ("password", new)]).await
}

async fn login(app: &TestApp, password: &str) -> u16 {
    let fields = [("login", "sipho@cape-drive.test"), ("password", password)];
    app.visitor().post("identity/login", &fields).await.status.as_u16()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn every_page_behind_the_login_offers_to_log_out(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, platform) = (app.owner().await, app.login("super@lessonbook.test").await);
    let log_out = Selector::parse("form[action='/fn/identity/logout'] button[type=submit]").unwrap();
    let mut seen = 0;
    for (client, paths) in [
        (&owner, pages(|access| matches!(access, Access::Member(_) | Access::SignedIn))),
        (&platform, pages(|access| access == Access::Platform)),
    ] {
        for path in paths {
            let answer = client.get(&path).await;
            if answer.status.as_u16() == 200 {
                assert!(Html::parse_document(&answer.body).select(&log_out).next().is_some(), "{path}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 15, "{seen} pages");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn password_fields_are_masked_and_open_to_password_managers(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let clients = [app.visitor(), app.student().await];
    let input = Selector::parse("input").unwrap();
    let mut seen = 0;
    for path in pages(|access| matches!(access, Access::Anyone | Access::SignedIn)) {
        for client in &clients {
            let answer = client.get(&path).await;
            assert!(!answer.body.contains("onpaste"), "{path}");
            for field in Html::parse_document(&answer.body).select(&input) {
                let attr = |name: &str| field.value().attr(name).unwrap_or_default();
                if matches!(attr("name"), "password" | "current") {
                    assert_eq!(attr("type"), "password", "{path}");
                    assert!(attr("autocomplete").ends_with("-password"), "{path}");
                    assert!(attr("maxlength").parse::<u32>().unwrap_or(u32::MAX) >= 128, "{path}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 4, "{seen} fields");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_password_is_long_of_any_kind_and_taken_as_typed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.student().await;
    let long = format!("  Velvet Ключ 漢字 😀 & 100%+ {} ", "gravel TEAPOT ".repeat(6));
    assert!(long.chars().count() > 100);
    change(&client, PASSWORD, &long).await.expect(200);
    assert_eq!(login(&app, &long).await, 200);
    let cut: String = long.chars().take(64).collect();
    for other in [long.trim().to_owned(), long.to_lowercase(), cut] {
        assert_eq!(login(&app, &other).await, 401, "{other:?}");
        // Past the growing delay.
        wait(&app, 60).await;
    }
    assert_eq!(login(&app, &long).await, 200);
    // No kind of sign is asked for.
    change(&client, &long, "velvetladderocean").await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn passwords_that_are_tried_first_are_refused(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.student().await;
    for bad in [
        "password123",
        "1234567890",
        "qwertyuiop12",
        "iloveyou1234",
        "1q2w3e4r5t6y",
        "welcome12345",
        "aaaaaaaaaaaa",
        "lessonbook2027",
        "student2027!!",
        "DrivingLesson99",
        "sipho@cape-drive.test",
        "cape-drive-2027",
    ] {
        let answer = change(&client, PASSWORD, bad).await.expect(422);
        assert!(!answer.field("password").is_empty(), "{bad}");
    }
    assert_eq!(login(&app, PASSWORD).await, 200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_password_is_good_until_it_is_changed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    wait(&app, 10 * 365 * 86_400).await;
    assert_eq!(login(&app, PASSWORD).await, 200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn looking_at_a_page_signs_nobody_in(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let visitor = app.visitor();
    for path in pages(|access| matches!(access, Access::Anyone)) {
        visitor.get(&path).await;
    }
    visitor.get("/account").await.expect(303);
    assert_eq!(app.count("select count(*) from sessions where user_id is not null").await, 0);
}
