//! The platform: making, suspending and opening schools, and the lists of them (TN-01, TN-05).

use futures::future::join_all;
use sqlx::PgPool;

use crate::{
    downloads::{ROWS, attrs, texts},
    harness::{Answer, Client, PASSWORD, TestApp},
};

const CAPE: &str = "select id::text from tenants where slug = 'cape-drive'";
const SCHOOL: [(&str, &str); 6] = [
    ("name", "Harbour Music"),
    ("slug", "harbour-music"),
    ("preset", "academy"),
    ("zone", "Europe/Lisbon"),
    ("owner_email", "Rosa@Harbour.test"),
    ("seats", "5"),
];

async fn platform(app: &TestApp) -> Client {
    app.login("super@lessonbook.test").await
}

/// The form of a new school with one field changed.
fn school<'a>(name: &str, value: &'a str) -> Vec<(&'static str, &'a str)> {
    SCHOOL.iter().map(|(field, text)| (*field, if *field == name { value } else { *text })).collect()
}

/// The token in a one-time link on a page or in an answer.
fn token(answer: &Answer) -> String {
    let (_, rest) = answer.body.split_once("http://localhost/reset/").expect("a link");
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

/// Sets a password by a one-time link.
async fn set_password(client: &Client, token: &str, password: &str) -> Answer {
    client.post("identity/set_password", &[("token", token), ("password", password)]).await
}

/// Suspends or activates a school.
async fn change(client: &Client, what: &str, school: &str, reason: &str) -> Answer {
    client.post(&format!("tenancy/{what}"), &[("tenant", school), ("reason", reason)]).await
}

/// How many rows of the whole database hold a text.
async fn rows_with(app: &TestApp, text: &str) -> i64 {
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    let mut found = 0;
    for table in tables {
        let sql =
            sqlx::AssertSqlSafe(format!("select count(*) from {table} t where strpos(t::text, $1) > 0"));
        found += sqlx::query_scalar::<_, i64>(sql).bind(text).fetch_one(&app.admin).await.unwrap();
    }
    found
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_new_school_comes_with_a_link_that_is_shown_once_and_works_once(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = platform(&app).await;
    let answer = client.submit("tenancy/create", "/admin/tenants/new", &SCHOOL).await.expect(303);
    // On its way to the next page it isn't in the database either.
    assert_eq!(rows_with(&app, "/reset/").await, 0);
    let page = client
        .get(answer.location())
        .await
        .expect(200)
        .shows("Harbour Music")
        .shows("role=\"status\"")
        .shows("rosa@harbour.test");
    let token = token(&page);
    assert_eq!(token.len(), 64);
    client.get(answer.location()).await.expect(200).hides(&token).hides("/reset/");
    client.get("/admin").await.hides(&token);
    assert_eq!(rows_with(&app, &token).await, 0);
    assert!(rows_with(&app, "rosa@harbour.test").await > 0);
    let saved = "select count(*) from tenants where slug = 'harbour-music' and name = 'Harbour Music' and preset = 'academy'
        and zone = 'Europe/Lisbon' and status = 'active' and max_seats = 5";
    assert_eq!(app.count(saved).await, 1);

    // Not before there is a password, and not with a weak one.
    let login = [("login", "rosa@harbour.test"), ("password", PASSWORD)];
    app.visitor().post("identity/login", &login).await.expect(401);
    let owner = app.visitor();
    owner.get(&format!("/reset/{token}")).await.expect(200).shows("Set your password");
    assert!(!set_password(&owner, &token, "password12").await.expect(422).field("password").is_empty());
    let fields = [("token", token.as_str()), ("password", "short")];
    let page = owner.submit("identity/set_password", &format!("/reset/{token}"), &fields).await;
    assert_eq!(page.location(), format!("/reset/{token}"));
    assert_eq!(app.count("select count(*) from sessions where data::text like '%short%'").await, 0);
    set_password(&owner, &token, PASSWORD).await.expect(200);
    for (token, password) in
        [(token.as_str(), PASSWORD), (token.as_str(), "velvet-ladder-ocean-9"), ("0f", PASSWORD)]
    {
        set_password(&owner, token, password).await.expect(409);
    }
    let owner = app.login("rosa@harbour.test").await;
    owner
        .get("/t/harbour-music")
        .await
        .expect(200)
        .shows("No students yet")
        .shows("Import people")
        .shows("No lessons today");
    for path in ["bookings", "instructors", "students", "services", "students/import"] {
        owner.get(&format!("/t/harbour-music/{path}")).await.expect(200);
    }
    app.visitor().get("/s/harbour-music").await.expect(200).shows("Harbour Music");
    owner.get("/t/cape-drive").await.expect(404);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_twenty_who_use_a_link_at_once_one_succeeds(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let answer = platform(&app).await.post("tenancy/create", &SCHOOL).await.expect(200);
    assert!(answer.json()["link"].as_str().unwrap().starts_with("http://localhost/reset/"));
    let token = token(&answer);
    let passwords: Vec<String> = (0..20).map(|n| format!("velvet-ladder-ocean-{n}")).collect();
    let visitor = app.visitor();
    let tries = passwords.iter().map(|password| set_password(&visitor, &token, password));
    let statuses: Vec<u16> = join_all(tries).await.iter().map(|answer| answer.status.as_u16()).collect();
    let won: Vec<usize> = (0..20).filter(|n| statuses[*n] == 200).collect();
    assert_eq!(won.len(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 19, "{statuses:?}");
    // Not all of them: who fails often has to wait.
    for (n, wanted) in [(won[0], 200), ((won[0] + 1) % 20, 401)] {
        let login = [("login", "rosa@harbour.test"), ("password", passwords[n].as_str())];
        app.visitor().post("identity/login", &login).await.expect(wanted);
    }
    // A link of three days ago is no longer one.
    let mut fields = school("slug", "second");
    fields[4].1 = "late@harbour.test";
    let late = self::token(&platform(&app).await.post("tenancy/create", &fields).await.expect(200));
    app.clock.set(app.now().checked_add(jiff::SignedDuration::from_hours(72)).unwrap());
    set_password(&visitor, &late, PASSWORD).await.expect(409);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_wrong_school_is_refused_field_by_field_and_nothing_is_saved(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = platform(&app).await;
    let all = "select (select count(*) from tenants) + (select count(*) from users) + (select count(*) from memberships) + (select count(*) from audit) + (select count(*) from one_time_links)";
    let before = app.count(all).await;
    let long = "x".repeat(101);
    for (name, values) in [
        ("name", "|  |a\nb"),
        ("slug", "|a|-ab|ab-|a--b|a b|ä-b|a/b|../admin|cape-drive| Cape-Drive |closed-clinic"),
        ("preset", "|spaceship|Salon"),
        ("zone", "|Mars/Olympus|Berlin|EST|+02:00|../etc/passwd"),
        ("owner_email", "|nope|a@b\r\nBcc: c@d.test|Rosa <rosa@harbour.test>"),
        ("seats", "|-1|many|1.5|10001|99999999999"),
    ] {
        for value in values.split('|').chain([long.as_str()]) {
            let answer = client.post("tenancy/create", &school(name, value)).await;
            assert_eq!(answer.status.as_u16(), 422, "{name}={value:?}: {}", answer.body);
            assert!(!answer.field(name).is_empty(), "{name}={value:?}: {}", answer.body);
            assert_eq!(app.count(all).await, before, "{name}={value:?}");
        }
    }
    let taken = client.post("tenancy/create", &school("slug", "cape-drive")).await;
    assert!(taken.field("slug").contains("Another school"));
    // All at once, and the page keeps what was typed.
    let bad: Vec<(&str, &str)> = SCHOOL.iter().map(|(name, _)| (*name, "?")).collect();
    let fields = client.post("tenancy/create", &bad).await.expect(422).json();
    for (name, _) in SCHOOL.iter().filter(|(name, _)| *name != "name") {
        assert!(fields["fields"][*name].is_string(), "{name}: {fields}");
    }
    let page = client
        .submit_and_follow("tenancy/create", "/admin/tenants/new", &school("zone", "Mars/Olympus"))
        .await
        .expect(200);
    assert_eq!(attrs(&page, "input[name=\"zone\"]", "value"), ["Mars/Olympus"]);
    assert_eq!(attrs(&page, "input[name=\"name\"]", "value"), ["Harbour Music"]);
    assert_eq!(attrs(&page, "select[name=\"preset\"] option[selected]", "value"), ["academy"]);
    assert_eq!(texts(&page, "#zone-error").len(), 1);
    assert_eq!(app.count(all).await, before);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_known_owner_keeps_their_account(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = platform(&app).await;
    let users = app.count("select count(*) from users").await;
    let mut fields = school("owner_email", " Owner@Cape-Drive.test ");
    fields.push(("owner_name", "Somebody Else"));
    let made = client.post("tenancy/create", &fields).await.expect(200).json();
    assert!(made["link"].is_null(), "{made}");
    assert_eq!(app.count("select count(*) from users").await, users);
    assert_eq!(
        app.text("select name from users where email = 'owner@cape-drive.test'").await,
        "Nandi Jacobs"
    );
    assert_eq!(app.count("select count(*) from one_time_links").await, 0);
    let owner = app.owner().await;
    owner.get("/t/harbour-music").await.expect(200);
    owner.get("/t/cape-drive").await.expect(200);
    owner.get("/").await.expect(200).shows("Harbour Music").shows("Cape Drive");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn suspending_shuts_everyone_out_at_once_and_activating_lets_them_in(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (client, cape) = (platform(&app).await, app.text(CAPE).await);
    let mut members = Vec::new();
    for who in ["owner", "staff", "thandi", "sipho"] {
        members.push(app.login(&format!("{who}@cape-drive.test")).await);
    }
    let visitor = app.visitor();
    let long = "x".repeat(1001);
    for reason in ["", "   ", "a\0b", long.as_str()] {
        assert!(!change(&client, "suspend", &cape, reason).await.expect(422).field("reason").is_empty());
    }
    client.post("tenancy/suspend", &[("tenant", cape.as_str())]).await.expect(422);
    change(&client, "activate", &cape, "Open").await.expect(409);
    visitor.get("/s/cape-drive").await.expect(200);

    let fields = [("tenant", cape.as_str()), ("reason", "Unpaid <b>")];
    let page = client.submit_and_follow("tenancy/suspend", &format!("/admin/tenants/{cape}"), &fields).await;
    page.expect(200)
        .shows("Cape Drive is suspended.")
        .shows("Unpaid &lt;b&gt;")
        .shows("Activate school")
        .hides("Suspend school");
    change(&client, "suspend", &cape, "Again").await.expect(409);
    for member in &members {
        for path in ["/t/cape-drive", "/t/cape-drive/bookings"] {
            member.get(path).await.expect(403).shows("This school is closed for now.").hides("Unpaid");
        }
        member.get("/t/cape-drive/bookings.csv").await.expect(403).hides("Sipho");
        let fields = [("tenant", "cape-drive"), ("pack", cape.as_str())];
        member.post("packs/use_lesson", &fields).await.expect(403);
        member.get("/account").await.expect(200);
        member.get("/s/cape-drive").await.expect(404);
    }
    for path in ["/s/cape-drive", "/s/cape-drive/book"] {
        visitor.get(path).await.expect(404).hides("Cape Drive");
    }
    app.login("owner@north-mentors.test").await.get("/t/cape-drive").await.expect(404);
    app.login("owner@north-mentors.test").await.get("/t/north-mentors").await.expect(200);
    app.owner().await.get("/t/cape-drive").await.expect(403);
    // The lists still know everything.
    client.get("/admin/users?q=sipho@").await.expect(200).shows("School suspended").shows("Member active");
    let members_before = app.count("select count(*) from memberships where status = 'active'").await;

    assert!(!change(&client, "activate", &cape, " ").await.expect(422).field("reason").is_empty());
    change(&client, "activate", &cape, "Paid").await.expect(200);
    change(&client, "activate", &cape, "Paid").await.expect(409);
    for member in &members {
        member.get("/t/cape-drive").await.expect(200);
    }
    visitor.get("/s/cape-drive").await.expect(200);
    assert_eq!(app.count("select count(*) from memberships where status = 'active'").await, members_before);
    assert_eq!(
        app.count("select count(*) from tenants where slug = 'cape-drive' and status_reason is null").await,
        1
    );
    change(&client, "suspend", &cape, "Race").await.expect(200);
    let answers = join_all((0..8).map(|_| change(&client, "activate", &cape, "Race"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 7);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_done_to_a_school_is_audited_in_a_chain(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = platform(&app).await;
    let school =
        client.post("tenancy/create", &SCHOOL).await.expect(200).json()["id"].as_str().unwrap().to_owned();
    for (what, reason) in [("suspend", "Unpaid"), ("activate", "Paid"), ("suspend", "Again")] {
        change(&client, what, &school, reason).await.expect(200);
    }
    type Row = (i64, String, String, Option<String>, Option<String>, Option<String>, Vec<u8>, Vec<u8>);
    let rows: Vec<Row> = sqlx::query_as(
        "select a.seq, concat_ws(' ', a.actor_role, a.action), u.email, a.before->>'status', coalesce(a.after->>'status', a.after->>'owner'), a.reason, a.prev_hash, a.hash
         from audit a join users u on u.id = a.actor_id
         where a.tenant_id = $1::uuid and a.entity_id = a.tenant_id and a.entity = 'tenant' order by a.seq",
    )
    .bind(&school)
    .fetch_all(&app.admin)
    .await
    .unwrap();
    let said: Vec<_> =
        rows.iter().map(|row| (row.3.as_deref(), row.4.as_deref(), row.5.as_deref())).collect();
    let (active, suspended) = (Some("active"), Some("suspended"));
    assert_eq!(said[0], (None, Some("rosa@harbour.test"), None));
    assert_eq!(
        said[1..],
        [
            (active, suspended, Some("Unpaid")),
            (suspended, active, Some("Paid")),
            (active, suspended, Some("Again"))
        ]
    );
    let mut last = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        let act = ["create", "suspend", "activate", "suspend"].map(|act| format!("super_admin tenant.{act}"));
        assert_eq!((row.0, &row.1, row.2.as_str()), (n as i64 + 1, &act[n], "super@lessonbook.test"));
        assert_eq!(row.6, last, "the chain breaks at {n}");
        assert_eq!(row.7.len(), 32);
        last.clone_from(&row.7);
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_platforms_lists_are_searched_sorted_and_paged(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = platform(&app).await;
    let overview = client.get("/admin").await.expect(200);
    assert_eq!(texts(&overview, ".figure-number")[..3], ["2", "1", "108"]);
    let (cape, clinic, north) = ("Cape Drive", "Closed Clinic", "North Mentors");
    let cases: [(&str, &[&str]); 11] = [
        ("", &[cape, clinic, north]),
        ("sort=name&dir=desc", &[north, clinic, cape]),
        ("sort=members&dir=desc", &[cape, north, clinic]),
        ("sort=members", &[clinic, north, cape]),
        ("sort=bookings&dir=desc", &[cape, north, clinic]),
        ("sort=created", &[cape, clinic, north]),
        ("q=DRIVE", &[cape]),
        ("q=closed-", &[clinic]),
        ("q=%25", &[]),
        ("status=suspended", &[clinic]),
        ("page_size=1&page=2", &[clinic]),
    ];
    for (query, names) in cases {
        assert_eq!(
            texts(&client.get(&format!("/admin/tenants?{query}")).await.expect(200), ROWS),
            names,
            "{query}"
        );
    }
    let email = "td[data-label=\"E-mail\"]";
    for (query, order) in [
        ("", "lower(name), id"),
        ("sort=email&dir=desc", "email desc"),
        ("sort=email", "email"),
        ("sort=name&dir=desc", "lower(name) desc, id"),
    ] {
        let sql = sqlx::AssertSqlSafe(format!("select email from users order by {order} limit 50"));
        let emails: Vec<String> = sqlx::query_scalar(sql).fetch_all(&app.admin).await.unwrap();
        assert_eq!(
            texts(&client.get(&format!("/admin/users?{query}")).await.expect(200), email),
            emails,
            "{query}"
        );
    }
    let last = client.get("/admin/users?page=3").await.expect(200);
    assert_eq!(
        (texts(&last, ".pager p"), texts(&last, ".filter-total")),
        (vec!["101–108 of 108".to_owned()], vec!["108 users".to_owned()])
    );
    let one = client
        .get("/admin/users?q=OWNER@closed")
        .await
        .expect(200)
        .shows("Ioana Pop")
        .shows("School suspended")
        .shows("Member active");
    assert_eq!(texts(&one, email), ["owner@closed-clinic.test"]);
    assert_eq!(texts(&client.get("/admin/users?page=9").await.expect(200), email), texts(&last, email));
    client.get("/admin/tenants/018f0000-0000-7000-8000-000000000000").await.expect(404);
    client.get("/admin/tenants/nonsense").await.expect(404);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_platform_is_for_those_who_run_it(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let cape = app.text(CAPE).await;
    let one = format!("/admin/tenants/{cape}");
    for who in ["owner", "staff", "thandi", "sipho"] {
        let client = app.login(&format!("{who}@cape-drive.test")).await;
        for path in ["", "/tenants", "/tenants/new", "/users", "/outbox", "/audit", "/docs"] {
            client.get(&format!("/admin{path}")).await.expect(403).hides("North Mentors");
        }
        client.get(&one).await.expect(403).hides("Cape Drive");
        client.post("tenancy/create", &SCHOOL).await.expect(403);
        for action in ["tenancy/suspend", "tenancy/activate", "tenancy/delete", "tenancy/restore"] {
            client.post(action, &[("tenant", cape.as_str()), ("reason", "Mine")]).await.expect(403);
        }
    }
    assert_eq!(
        app.count("select count(*) from audit where action <> 'auth.login'").await
            + app.count("select count(*) from tenants where slug = 'harbour-music'").await,
        0
    );
    // The rank is read at each request. The last one keeps it, so there is another.
    let client = platform(&app).await;
    sqlx::raw_sql(
        "insert into users (id, email, email_verified_at, name, super_admin, created_at, updated_at)
         values (gen_random_uuid(), 'second@lessonbook.test', now(), 'Second', true, now(), now());
         update users set super_admin = false where email = 'super@lessonbook.test'",
    )
    .execute(&app.admin)
    .await
    .unwrap();
    client.get("/admin").await.expect(403);
}
