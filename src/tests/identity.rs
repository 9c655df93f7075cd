//! Signing in and out, one's account, and the headers around it.

use http::{Method, Request, StatusCode, header};
use sqlx::PgPool;

use crate::harness::{NOW, PASSWORD, TestApp};

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn every_failed_login_says_the_same(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let visitor = app.visitor();
    let mut answers = Vec::new();
    for (login, password) in [
        ("sipho@cape-drive.test", "wrong-password-1"),
        ("nobody@cape-drive.test", PASSWORD),
        ("not an address", PASSWORD),
        ("", ""),
        ("+27821234567", PASSWORD),
    ] {
        let answer =
            visitor.post("identity/login", &[("login", login), ("password", password)]).await.expect(401);
        answers.push(answer.json()["message"].as_str().unwrap().to_owned());
    }
    answers.dedup();
    assert_eq!(
        answers,
        ["E-mail, phone or password is not right, or the e-mail address isn't verified yet."]
    );
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_login_by_phone_or_by_email_in_any_case_works(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    sqlx::query("update users set phone = '+27821234567' where email = 'sipho@cape-drive.test'")
        .execute(&app.admin)
        .await
        .unwrap();
    for login in ["  SIPHO@cape-drive.test ", "+27 82 123 4567", "0027 82 123-4567"] {
        app.visitor().post("identity/login", &[("login", login), ("password", PASSWORD)]).await.expect(200);
    }
    // The same with a number as the program keeps it: encrypted, and found by its blind index.
    app.student().await.post("identity/update_phone", &[("phone", "+27 82 765 4321")]).await.expect(200);
    assert_eq!(app.count("select count(*) from users where phone like 'v1.%'").await, 1);
    for (login, status) in [("0027827654321", 200), ("+27 82 123 4567", 401)] {
        let fields = [("login", login), ("password", PASSWORD)];
        app.visitor().post("identity/login", &fields).await.expect(status);
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_form_keeps_the_address_but_not_the_password(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let page = app
        .visitor()
        .submit_and_follow(
            "identity/login",
            "/login",
            &[("login", "sipho@cape-drive.test"), ("password", "wrong-one-here")],
        )
        .await
        .expect(200)
        .shows("sipho@cape-drive.test")
        .shows("role=\"alert\"")
        .hides("wrong-one-here");
    assert!(page.body.contains("E-mail, phone or password is not right"));
    assert_eq!(app.count("select count(*) from sessions where data::text like '%wrong-one-here%'").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_login_leads_where_one_wanted_but_never_off_the_site(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let asked = app.visitor().get("/t/cape-drive/bookings?status=confirmed").await.expect(303);
    assert_eq!(asked.location(), "/login?next=%2Ft%2Fcape-drive%2Fbookings%3Fstatus%3Dconfirmed");
    let student = [("login", "sipho@cape-drive.test"), ("password", PASSWORD)];
    for (next, leads) in [
        ("/t/cape-drive/bookings", "/t/cape-drive/bookings"),
        ("//evil.test", "/t/cape-drive"),
        ("https://evil.test/", "/t/cape-drive"),
        ("", "/t/cape-drive"),
    ] {
        let fields = [student[0], student[1], ("next", next)];
        let answer = app.visitor().submit("identity/login", "/login", &fields).await.expect(303);
        assert_eq!(answer.location(), leads, "{next}");
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn only_the_hash_of_a_token_is_kept_and_a_login_makes_a_new_one(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.visitor();
    // A failed form gives a visitor a session; signing in must not keep its token (session fixation).
    client.submit("identity/login", "/login", &[("login", "x"), ("password", "y")]).await.expect(303);
    let before = client.cookie("lessonbook").unwrap();
    let answer =
        client.post("identity/login", &[("login", "sipho@cape-drive.test"), ("password", PASSWORD)]).await;
    let after = client.cookie("lessonbook").unwrap();
    assert_ne!(before, after);
    let cookie = answer.headers.get(header::SET_COOKIE).unwrap().to_str().unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"),
        "{cookie}"
    );
    let hash = domain::identity::sessions::hash_token(&after);
    let found: i64 =
        sqlx::query_scalar("select count(*) from sessions where token_hash = $1 and user_id is not null")
            .bind(&hash[..])
            .fetch_one(&app.admin)
            .await
            .unwrap();
    assert_eq!(found, 1);
    let plain: i64 =
        sqlx::query_scalar("select count(*) from sessions where data::text like '%' || $1 || '%'")
            .bind(&after)
            .fetch_one(&app.admin)
            .await
            .unwrap();
    assert_eq!(plain, 0);
    let old = app.visitor();
    old.set_cookie("lessonbook", &before);
    old.get("/account").await.expect(303);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_logout_ends_the_session_and_nothing_revives_it(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.student().await;
    let token = client.cookie("lessonbook").unwrap();
    client.get("/account").await.expect(200);
    client.post("identity/logout", &[]).await.expect(200);
    client.set_cookie("lessonbook", &token);
    client.get("/account").await.expect(303);
    // A request that was under way when the session ended saves afterwards.
    let hash = domain::identity::sessions::hash_token(&token);
    domain::identity::sessions::save(app.db.pool(), &hash, &serde_json::json!({ "who": "me" }))
        .await
        .unwrap();
    client.set_cookie("lessonbook", &token);
    client.get("/account").await.expect(303);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn sessions_end_by_rest_and_by_age(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let start: domain::Instant = NOW.parse().unwrap();
    let minutes = |n: i64| start.checked_add(jiff::SignedDuration::from_mins(n)).unwrap();
    let (owner, student) = (app.owner().await, app.student().await);
    app.clock.set(minutes(29));
    owner.get("/account").await.expect(200);
    app.clock.set(minutes(29 + 29));
    owner.get("/account").await.expect(200);
    app.clock.set(minutes(29 + 29 + 31));
    owner.get("/account").await.expect(303);
    student.get("/account").await.expect(200);
    // Used every day, a student's session still ends after 30 days.
    for day in 1..30 {
        app.clock.set(minutes(day * 1440));
        student.get("/account").await.expect(200);
    }
    app.clock.set(minutes(30 * 1440));
    student.get("/account").await.expect(303);

    app.clock.set(start);
    let admin = app.login("super@lessonbook.test").await;
    for hours in (0..12).map(|half| half * 25) {
        app.clock.set(minutes(hours));
        admin.get("/account").await.expect(200);
    }
    app.clock.set(minutes(12 * 60));
    admin.get("/account").await.expect(303);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn access_is_read_at_each_request(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.student().await;
    client.get("/t/cape-drive").await.expect(200);
    let set = async |sql: &'static str| sqlx::query(sql).execute(&app.admin).await.unwrap();
    set("update memberships set status = 'revoked' where user_id = (select id from users where email = 'sipho@cape-drive.test')").await;
    client.get("/t/cape-drive").await.expect(404);
    client.get("/account").await.expect(200);
    set("update memberships set status = 'active'").await;
    client.get("/t/cape-drive").await.expect(200);
    set("update users set status = 'disabled' where email = 'sipho@cape-drive.test'").await;
    client.get("/t/cape-drive").await.expect(404);
    client.get("/account").await.expect(303);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn changing_the_password_ends_every_other_session(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (here, there) = (app.student().await, app.student().await);
    let change = async |current: &str, new: &str| {
        here.post("identity/change_password", &[("current", current), ("password", new)]).await
    };
    assert!(
        change("not-the-current-one", "velvet-ladder-ocean-9")
            .await
            .expect(422)
            .field("current")
            .contains("not your current")
    );
    assert!(!change(PASSWORD, "short").await.expect(422).field("password").is_empty());
    assert!(!change(PASSWORD, "password1234").await.expect(422).field("password").is_empty());
    there.get("/account").await.expect(200);
    change(PASSWORD, "velvet-ladder-ocean-9").await.expect(200);
    here.get("/account").await.expect(200);
    there.get("/account").await.expect(303);
    app.visitor()
        .post("identity/login", &[("login", "sipho@cape-drive.test"), ("password", PASSWORD)])
        .await
        .expect(401);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_name_is_shown_as_typed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.student().await;
    for name in ["<script>alert(1)</script>", "محمد \u{202e}الأمين", "O'Neil \"Q\" & Sons", "Ngọc 😀"]
    {
        let page =
            client.submit_and_follow("identity/update_name", "/account", &[("name", name)]).await.expect(200);
        let escaped = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        assert!(
            page.body.contains(&escaped) || page.body.contains(&escaped.replace('"', "&quot;")),
            "{name}: {}",
            page.body
        );
        assert!(!page.body.contains("<script>alert"));
    }
    assert!(
        client
            .post("identity/update_name", &[("name", &"x".repeat(101))])
            .await
            .expect(422)
            .field("name")
            .contains("100")
    );
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_theme_is_kept_in_a_cookie(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.visitor();
    client.get("/").await.expect(200).shows("data-theme=\"system\"");
    client.submit("identity/theme", "/", &[("theme", "dark")]).await.expect(303);
    client.get("/").await.shows("data-theme=\"dark\"");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_form_from_another_site_is_refused(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.student().await;
    let post = |name: &'static str, value: &'static str| {
        Request::builder()
            .method(Method::POST)
            .uri("/fn/identity/update_name")
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(name, value)
            .body("name=Mallory".into())
            .unwrap()
    };
    client.call(post("sec-fetch-site", "cross-site")).await.expect(403);
    client.call(post("origin", "https://evil.test")).await.expect(403);
    client.call(post("sec-fetch-site", "same-origin")).await.expect(200);
    let mut wrong_kind = post("sec-fetch-site", "same-origin");
    wrong_kind.headers_mut().insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    client.call(wrong_kind).await.expect(422);
    // No address changes anything when it is only looked at.
    for (path, _) in app::actions::TABLE {
        let answer = client.get(path).await;
        assert!(
            answer.status == StatusCode::METHOD_NOT_ALLOWED || answer.status == StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn every_answer_carries_the_headers(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.student().await;
    for path in [
        "/",
        "/login",
        "/t/cape-drive",
        "/s/cape-drive",
        "/no/such/page",
        "/api/health",
        "/assets/none.css",
        "/t/cape-drive/bookings.csv",
    ] {
        let answer = client.get(path).await;
        let header =
            |name: &str| answer.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert!(!header("permissions-policy").is_empty() && !header("referrer-policy").is_empty(), "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        let policy = header("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'")
                && policy.contains("'nonce-")
                && !policy.contains("unsafe-inline"),
            "{policy}"
        );
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn over_https_the_cookie_and_the_browser_are_bound_to_it(admin: PgPool) {
    let app = TestApp::demo_behind(admin, NOW, 20, "https://lessons.test").await;
    let client = app.visitor();
    let fields = [("login", "sipho@cape-drive.test"), ("password", PASSWORD)];
    let answer = client.post("identity/login", &fields).await.expect(200);
    let cookie = answer.headers.get(header::SET_COOKIE).unwrap().to_str().unwrap();
    assert!(cookie.starts_with("__Host-lessonbook="), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let hsts = answer.headers.get(header::STRICT_TRANSPORT_SECURITY).unwrap();
    assert_eq!(hsts, "max-age=31536000; includeSubDomains; preload");
    client.get("/account").await.expect(200);
}
