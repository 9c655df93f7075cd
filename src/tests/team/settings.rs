//! A school's settings (TN-10), and the rules that the platform shows (TN-05).

use domain::tenancy::transitions::flows;
use sqlx::PgPool;

use super::{OWNER, STAFF, school};
use crate::{
    accounts::{SIPHO, SUPER, THANDI, rows_with, totp::set_up},
    downloads::{attrs, texts},
    harness::{Answer, Client, TestApp},
};

/// Saves Cape Drive's settings as they are, but for some fields.
async fn save(client: &Client, changes: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("tenant", "cape-drive"),
        ("name", "Cape Drive"),
        ("zone", "Africa/Johannesburg"),
        ("locale", "en-ZA"),
        ("currency", "ZAR"),
        ("notice", "2"),
        ("cancel_notice", "24"),
        ("open_registration", "on"),
    ];
    fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    fields.extend_from_slice(changes);
    client.post("tenancy/save_settings", &fields).await
}

/// Heads, columns and navigation of a page, in lower case.
fn labels(page: &Answer) -> String {
    let found = texts(page, "h1, th[scope=\"col\"], .rail a, title, .filter-total");
    found.join("|").to_lowercase().replace("lessonbook", "")
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_schools_words_stand_on_its_pages(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let words = [("lesson", "ride"), ("student", "rider"), ("instructor", "guide")];
    save(&owner, &words).await.expect(200);
    let paths = ["", "/bookings", "/instructors", "/students", "/services"];
    for (client, paths) in
        [(&owner, &paths[..]), (&app.login(THANDI).await, &paths[..2]), (&app.student().await, &paths[..2])]
    {
        for path in paths {
            let page = client.get(&format!("/t/cape-drive{path}")).await.expect(200);
            let found = labels(&page);
            for word in ["lesson", "student", "instructor"] {
                assert!(!found.contains(word), "{word} at {path}: {found}");
            }
            assert!(found.contains("ride"), "{path}: {found}");
        }
    }
    let page = owner.get("/t/cape-drive/instructors").await.expect(200);
    assert_eq!(texts(&page, "h1"), ["Guides"]);
    app.visitor().get("/s/cape-drive").await.expect(200).shows("Guides").hides("Instructors");
    let page = owner.get("/t/cape-drive/settings").await.expect(200);
    assert_eq!(attrs(&page, "input[name=\"lesson\"]", "value"), ["ride"]);
    // The other school keeps its own.
    let other =
        app.login("owner@north-mentors.test").await.get("/t/north-mentors/students").await.expect(200);
    assert_eq!(texts(&other, "h1"), ["Mentees"]);

    // Without words of its own a school has those of its preset, which the platform sets.
    save(&owner, &[("lesson", ""), ("student", ""), ("instructor", "")]).await.expect(200);
    let cape = school(&app, "cape-drive").await;
    let salon = [
        ("tenant", cape.as_str()),
        ("name", "Cape Hair"),
        ("preset", "salon"),
        ("zone", "Africa/Johannesburg"),
        ("seats", "100"),
    ];
    app.login(SUPER).await.post("tenancy/update", &salon).await.expect(200);
    let page = owner.get("/t/cape-drive/students").await.expect(200).shows("Cape Hair");
    let nav = texts(&page, ".rail a").join("|");
    assert!(["Appointments", "Clients", "Stylists"].iter().all(|word| nav.contains(word)), "{nav}");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_schools_zone_is_the_clock_of_its_pages(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let path = "/t/cape-drive/bookings?from=2027-01-18&to=2027-01-22";
    let starts = async || {
        let page = owner.get(path).await.expect(200);
        let times = attrs(&page, "tbody time", "datetime");
        assert!(times.len() > 20, "{}", page.body);
        (times, texts(&page, ".foot p").join("|"))
    };
    let (before, foot) = starts().await;
    assert!(before.iter().all(|time| time.ends_with("+02:00")), "{before:?}");
    assert!(foot.contains("Johannesburg (Africa/Johannesburg)"), "{foot}");
    save(&owner, &[("zone", "America/New_York")]).await.expect(200);
    let (after, foot) = starts().await;
    assert!(after.iter().all(|time| time.ends_with("-05:00")), "{after:?}");
    assert!(foot.contains("New York (America/New_York)"), "{foot}");
    // The lessons keep their moment.
    let moment = |time: &String| time.parse::<domain::Instant>().unwrap();
    assert_eq!(before.iter().map(moment).min(), after.iter().map(moment).min());
    for zone in ["Mars/Olympus", "EST", "+02:00", "", "../etc/passwd"] {
        assert!(!save(&owner, &[("zone", zone)]).await.expect(422).field("zone").is_empty(), "{zone}");
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_schools_locale_is_how_its_pages_write_money(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    for (locale, price) in [
        ("en-ZA", "R 420.00"),
        ("de-DE", "420,00\u{a0}ZAR"),
        ("ro-RO", "420,00\u{a0}ZAR"),
        ("en-GB", "R 420.00"),
    ] {
        save(&owner, &[("locale", locale)]).await.expect(200);
        let public = app.visitor().get("/s/cape-drive").await.expect(200);
        assert!(texts(&public, ".price").contains(&price.to_owned()), "{locale}: {}", public.body);
        let inside = owner.get("/t/cape-drive/services").await.expect(200);
        assert!(texts(&inside, "td.num").contains(&price.to_owned()), "{locale}: {}", inside.body);
        // Words stay English.
        assert_eq!(attrs(&inside, "html", "lang"), ["en"]);
        let settings = owner.get("/t/cape-drive/settings").await.expect(200);
        assert_eq!(attrs(&settings, "select[name=\"locale\"] option[selected]", "value"), [locale]);
    }
}

/// WCAG's contrast of two colours `#rrggbb`.
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |hex: &str| {
        let part = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        let linear =
            |part: f64| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
        0.2126 * linear(part(1)) + 0.7152 * linear(part(3)) + 0.0722 * linear(part(5))
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_schools_colour_is_on_its_pages_and_can_be_read(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, student) = (app.owner().await, app.student().await);
    for (colour, kept) in [("#FFEE00", "#ffee00"), (" #101010 ", "#101010"), ("#8a1c4a", "#8a1c4a")] {
        save(&owner, &[("accent", colour)]).await.expect(200);
        assert_eq!(app.text("select accent from tenants where slug = 'cape-drive'").await, kept);
        for (client, path) in
            [(&owner, "/t/cape-drive"), (&student, "/t/cape-drive"), (&app.visitor(), "/s/cape-drive")]
        {
            let page = client.get(path).await.expect(200);
            let css = texts(&page, "head style").remove(0);
            let themes: Vec<&str> = css.split("--accent:").skip(1).collect();
            assert_eq!(themes.len(), 3, "{css}");
            // By light, then twice by dark: text on the accent, and the accent on the page.
            for (theme, under) in themes.iter().zip(["#ffffff", "#1c1e21", "#1c1e21"]) {
                let (_, on) = theme.split_once("--on-accent:").unwrap();
                assert!(contrast(&theme[..7], &on[..7]) >= 4.5, "{colour}: {theme}");
                assert!(contrast(&theme[..7], under) >= 4.5, "{colour}: {theme}");
            }
            // Let through by the page's own policy.
            let nonce = attrs(&page, "head style", "nonce").remove(0);
            let policy = page.headers.get("content-security-policy").unwrap().to_str().unwrap();
            let style = policy.split(';').find(|part| part.trim().starts_with("style-src")).unwrap();
            assert!(!nonce.is_empty() && style.contains(&format!("'nonce-{nonce}'")), "{style}");
        }
    }
    let other = app.login("owner@north-mentors.test").await.get("/t/north-mentors").await.expect(200);
    assert!(texts(&other, "head style").is_empty());
    for bad in ["red", "#fff", "#12345g", "#000000;}body{display:none", "url(//evil.test)", "</style>"] {
        assert!(!save(&owner, &[("accent", bad)]).await.expect(422).field("accent").is_empty(), "{bad}");
    }
    save(&owner, &[("accent", "")]).await.expect(200);
    assert!(texts(&owner.get("/t/cape-drive").await, "head style").is_empty());
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_mail_password_is_sealed_and_never_shown(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let secret = "hunter-orchard-88";
    let form = |port: &'static str, host: &'static str, password: &'static str| {
        [
            ("tenant", "cape-drive"),
            ("_key", "mail-"),
            ("host", host),
            ("port", port),
            ("security", "starttls"),
            ("username", "cape"),
            ("password", password),
            ("from_email", "desk@cape-drive.test"),
            ("from_name", "Cape Drive"),
        ]
    };
    let back = "/t/cape-drive/settings";
    let refused = form("0", "smtp.example.org", secret);
    let page = owner.submit_and_follow("tenancy/save_mail", back, &refused).await.expect(200).hides(secret);
    assert_eq!(texts(&page, "#mail-port-error").len(), 1);
    assert_eq!(attrs(&page, "#mail-host", "value"), ["smtp.example.org"]);
    assert_eq!(rows_with(&app, secret).await, 0);
    let right = form("587", "SMTP.example.org", secret);
    let page = owner.submit_and_follow("tenancy/save_mail", back, &right).await.expect(200);
    let page = page.shows("The mail server is saved.").hides(secret);
    assert!(attrs(&page, "input[name=\"password\"]", "value").iter().all(String::is_empty));
    assert_eq!(rows_with(&app, secret).await, 0);
    let kept = async || {
        let (tenant, password): (uuid::Uuid, String) =
            sqlx::query_as("select tenant_id, password from tenant_mail")
                .fetch_one(&app.admin)
                .await
                .unwrap();
        assert!(password.starts_with("v1."), "{password}");
        app.db.vault().open("tenant_mail.password", tenant, &password).unwrap()
    };
    assert_eq!(kept().await, secret);
    // An empty one keeps it, for this server alone.
    owner.post("tenancy/save_mail", &form("465", "smtp.example.org", "")).await.expect(200);
    assert_eq!(kept().await, secret);
    let elsewhere = owner.post("tenancy/save_mail", &form("587", "smtp.evil.test", "")).await.expect(422);
    assert!(!elsewhere.field("password").is_empty());
    owner.post("tenancy/save_mail", &form("587", "smtp.example.org", "another-orchard-99")).await.expect(200);
    assert_eq!(kept().await, "another-orchard-99");
    owner.get("/t/cape-drive/audit").await.expect(200).hides(secret).hides("another-orchard-99");
    assert_eq!(rows_with(&app, "another-orchard-99").await, 0);
    assert_eq!(app.count("select count(*) from audit where entity = 'mail_server'").await, 3);
    owner.post("tenancy/remove_mail", &[("tenant", "cape-drive")]).await.expect(200);
    owner.post("tenancy/remove_mail", &[("tenant", "cape-drive")]).await.expect(409);
    assert_eq!(app.count("select count(*) from tenant_mail").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn settings_are_the_owners_and_what_changed_is_recorded(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let mail = [
        ("tenant", "cape-drive"),
        ("host", "smtp.example.org"),
        ("port", "587"),
        ("security", "tls"),
        ("from_email", "a@b.test"),
    ];
    for (email, status) in
        [(STAFF, 403), (THANDI, 403), (SIPHO, 403), ("owner@north-mentors.test", 404), (SUPER, 404)]
    {
        let client = app.login(email).await;
        client.get("/t/cape-drive/settings").await.expect(status);
        save(&client, &[("name", "Mine now")]).await.expect(status);
        client.post("tenancy/save_mail", &mail).await.expect(status);
        for action in ["tenancy/remove_mail", "tenancy/test_mail"] {
            client.post(action, &[("tenant", "cape-drive")]).await.expect(status);
        }
    }
    let owner = app.login(OWNER).await;
    let bad = [
        ("name", ""),
        ("zone", "Mars/Olympus"),
        ("locale", "xx"),
        ("currency", "EURO"),
        ("lesson", "a\r\nb"),
        ("mon", "late"),
        ("accent", "red"),
        ("notice", "-1"),
        ("cancel_notice", "soon"),
    ];
    let answer = save(&owner, &bad).await.expect(422);
    for (name, _) in bad {
        assert!(!answer.field(name).is_empty(), "{name}: {}", answer.body);
    }
    // Who asks a second step of others has one first.
    assert!(!save(&owner, &[("require_code", "on")]).await.expect(422).field("require_code").is_empty());
    assert_eq!(app.count("select count(*) from audit where action = 'settings.edit'").await, 0);

    save(&owner, &[("mon", "09:00-12:00, 13:00-17:00"), ("currency", "eur"), ("open_registration", "")])
        .await
        .expect(200);
    let said = "select (before->>'currency') || (after->>'currency') || (after->>'open_registration') || (after ? 'name')::text
        from audit where action = 'settings.edit'";
    assert_eq!(app.text(said).await, "ZAREURfalsefalse");
    let public = app.visitor().get("/s/cape-drive").await.expect(200);
    public.shows("09:00–12:00, 13:00–17:00").hides("Belong to this school");
    let before = app.count("select count(*) from audit").await;
    save(&owner, &[("mon", "09:00-12:00, 13:00-17:00"), ("currency", "eur"), ("open_registration", "")])
        .await
        .expect(200);
    assert_eq!(app.count("select count(*) from audit").await, before, "nothing changed");
    set_up(&app, &owner).await;
    let fields = [("currency", "eur"), ("open_registration", ""), ("require_code", "on")];
    save(&owner, &fields).await.expect(200);
    app.login(STAFF).await.get("/t/cape-drive").await.expect(303);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_page_of_rules_draws_every_move_of_every_flow(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let page = app.login(SUPER).await.get("/admin/docs").await.expect(200);
    assert_eq!(flows().len(), 6);
    for flow in flows() {
        let id = format!("#flow-{}", flow.name.to_lowercase());
        assert_eq!(texts(&page, &format!("{id} h2")), [flow.name]);
        assert_eq!(attrs(&page, &format!(".docs-index a[href=\"{id}\"]"), "href").len(), 1, "{id}");
        // A row a state, a column a state, and in their cells the moves in the order of the rows.
        let rows = texts(&page, &format!("{id} tbody th"));
        let names: Vec<String> = rows.iter().map(|name| name.to_lowercase().replace(' ', "_")).collect();
        assert_eq!(names, flow.states, "{id}");
        assert_eq!(texts(&page, &format!("{id} thead th")).len(), flow.states.len() + 1);
        let cells = texts(&page, &format!("{id} tbody td"));
        let expected: Vec<&str> = flow
            .states
            .iter()
            .flat_map(|from| flow.states.iter().map(move |to| (*from, *to)))
            .map(|pair| {
                flow.moves.iter().find(|(from, to, _)| (*from, *to) == pair).map_or("", |(.., act)| *act)
            })
            .collect();
        assert_eq!(cells, expected, "{id}");
    }
    for email in [OWNER, SIPHO] {
        app.login(email).await.get("/admin/docs").await.expect(403);
    }
}
