//! Encrypted fields in the real database: nothing in clear, older plaintext read and rewritten, keys rotated while the
//! program serves (PR-02).

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use domain::{
    Error,
    authz::TenantScope,
    db::Db,
    people::import,
    vault::{RotateReport, Vault, rotate},
};
use jiff::SignedDuration;
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::harness::{Client, MASTER, PASSWORD, TestApp};

const PHONE: &str = "+27821234567";
const OTHER_MASTER: &str = "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0";
/// Every column of sealed values.
const COLUMNS: [(&str, &str); 8] = [
    ("users", "phone"),
    ("instructors", "phone"),
    ("students", "phone"),
    ("totp", "secret"),
    ("profiles", "id_number"),
    ("tenant_mail", "password"),
    ("outbox", "secret"),
    ("bookings", "lesson_note"),
];

/// The tables that hold a text anywhere, be it as bytes.
async fn places(app: &TestApp, text: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut found = Vec::new();
    for table in tables {
        let sql = AssertSqlSafe(format!(
            "select exists (select from {table} t where strpos(t::text, $1) > 0 or strpos(t::text, $2) > 0)"
        ));
        if sqlx::query_scalar::<_, bool>(sql).bind(text).bind(&bytes).fetch_one(&app.admin).await.unwrap() {
            found.push(table);
        }
    }
    found
}

/// Rows and values of a sealed column.
async fn stored(app: &TestApp, table: &str, column: &str) -> Vec<(Uuid, String)> {
    let key = match table {
        "totp" | "profiles" => "user_id",
        "tenant_mail" => "tenant_id",
        _ => "id",
    };
    let sql = format!("select {key}, {column} from {table} where {column} is not null");
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&app.admin).await.unwrap()
}

/// How many phone numbers there are; they and all other sealed values are under `key` and to be opened.
async fn all_under(app: &TestApp, key: &str) -> usize {
    let prefix = format!("v1.{key}.");
    let mut count = 0;
    for (table, column) in COLUMNS {
        for (row, value) in stored(app, table, column).await {
            assert!(value.starts_with(&prefix), "{table}.{column}: {value}");
            app.db.vault().open(&format!("{table}.{column}"), row, &value).unwrap();
            count += usize::from(column == "phone");
        }
    }
    let lost = "select (select count(*) from users where phone is not null and phone_index is null)
                     + (select count(*) from students where phone is not null and phone_index is null)
                     + (select count(*) from instructors where phone is not null and phone_index is null)";
    assert_eq!(app.count(lost).await, 0);
    count
}

/// Imports so many students with phone numbers.
async fn import(app: &TestApp, count: usize, domain: &str) {
    let mut text = "kind,name,email,phone,city\n".to_owned();
    for n in 0..count {
        text.push_str(&format!("student,Student {n},s{n}@{domain},+2760{n:07},Paarl\n"));
    }
    let mut scope = TenantScope::operator(&app.db, "cape-drive", app.now()).await.unwrap();
    let report = import::import(&mut scope, text.as_bytes(), false).await.unwrap();
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    scope.commit().await.unwrap();
}

async fn rotate_now(app: &TestApp) -> RotateReport {
    rotate(&app.db, &app.clock, SignedDuration::ZERO).await.unwrap()
}

/// A client that has just proved who they are.
async fn proved(app: &TestApp, email: &str) -> Client {
    let client = app.login(email).await;
    client.post("identity/confirm", &[("password", PASSWORD)]).await.expect(200);
    client
}

async fn login_by_phone(app: &TestApp, phone: &str) -> u16 {
    let fields = [("login", phone), ("password", PASSWORD)];
    app.visitor().post("identity/login", &fields).await.status.as_u16()
}

/// A second program on the same database.
async fn other_program(app: &TestApp, master: &str, old: &[&str]) -> Db {
    let old: Vec<SecretString> = old.iter().map(|key| SecretString::from(*key)).collect();
    let vault = Vault::new(&SecretString::from(master), &old).unwrap();
    Db::connect((*app.admin.connect_options()).clone(), 2, vault).await.unwrap()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn nothing_secret_is_in_the_database_in_clear(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    import(&app, 3, "x.test").await;
    let thandi = proved(&app, "thandi@cape-drive.test").await;
    thandi.post("identity/update_phone", &[("phone", "+27 82 123 4567")]).await.expect(200);
    thandi
        .post("identity/save_profile", &[("id_number", "8001015009087"), ("city", "Paarl")])
        .await
        .expect(200);
    thandi.post("identity/totp_begin", &[]).await.expect(200);
    let owner = proved(&app, "owner@cape-drive.test").await;
    let server = [
        ("tenant", "cape-drive"),
        ("host", "mail.example.org"),
        ("port", "587"),
        ("security", "starttls"),
        ("username", "cape"),
        ("password", "velvet-ladder-ocean-9"),
        ("from_email", "school@example.org"),
    ];
    owner.post("tenancy/save_mail", &server).await.expect(200);
    let invite = [("tenant", "cape-drive"), ("email", "new@staff.test"), ("role", "staff")];
    owner.post("team/invite", &invite).await.expect(200);
    for action in ["identity/forgot", "identity/magic"] {
        app.visitor().post(action, &[("email", "sipho@cape-drive.test")]).await.expect(200);
    }

    // What was given, and what the program made up.
    let mut secrets = vec![
        PHONE.to_owned(),
        "27821234567".to_owned(),
        "82 123 4567".to_owned(),
        "+27600000001".to_owned(),
        "8001015009087".to_owned(),
        "velvet-ladder-ocean-9".to_owned(),
        owner.cookie("lessonbook").unwrap(),
    ];
    for (table, column) in [("totp", "secret"), ("outbox", "secret")] {
        let values = stored(&app, table, column).await;
        assert!(!values.is_empty(), "{table}.{column}");
        for (row, value) in values {
            let plain = app.db.vault().open(&format!("{table}.{column}"), row, &value).unwrap();
            assert!(value.starts_with("v1.") && plain.len() >= 16, "{table}.{column}");
            secrets.push(plain);
        }
    }
    for secret in &secrets {
        assert_eq!(places(&app, secret).await, Vec::<String>::new(), "{secret}");
    }
    // The search itself finds what is there.
    assert!(places(&app, "new@staff.test").await.contains(&"invites".to_owned()));
    // And those who may see it do.
    thandi.get("/account").await.expect(200).shows(PHONE);
    owner.get("/t/cape-drive/students?q=s1%40x.test").await.expect(200).shows("+27600000001");
    for (table, column) in
        [("users", "phone"), ("students", "phone"), ("profiles", "id_number"), ("tenant_mail", "password")]
    {
        assert!(!stored(&app, table, column).await.is_empty(), "{table}.{column}");
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn older_plaintext_is_read_and_found_and_rewritten(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    for (table, phone, email) in [
        ("users", PHONE, "sipho@cape-drive.test"),
        ("students", "+27825550001", "megan@cape-drive.test"),
        ("instructors", "+27825550002", "thandi@cape-drive.test"),
    ] {
        let sql = format!("update {table} set phone = $1, phone_index = null where email = $2");
        sqlx::query(AssertSqlSafe(sql)).bind(phone).bind(email).execute(&app.admin).await.unwrap();
    }
    let owner = app.owner().await;
    let thandi = app.text("select id::text from instructors where email = 'thandi@cape-drive.test'").await;
    let megan = app.text("select id::text from students where email = 'megan@cape-drive.test'").await;
    let shown = async || {
        for login in [PHONE, "+27 82 123 4567", "0027 82 123-4567"] {
            assert_eq!(login_by_phone(&app, login).await, 200, "{login}");
        }
        for query in ["%2B27825550001", "0027+82+555+0001"] {
            let page = owner.get(&format!("/t/cape-drive/students?q={query}")).await.expect(200);
            page.shows("megan@cape-drive.test").shows("+27825550001").hides("sipho@cape-drive.test");
            let file = owner.get(&format!("/t/cape-drive/students.csv?q={query}")).await.expect(200);
            file.shows("megan@cape-drive.test,+27825550001,").hides("sipho@cape-drive.test");
        }
        owner.get(&format!("/t/cape-drive/students/{megan}")).await.expect(200).shows("+27825550001");
        owner.get("/t/cape-drive/instructors?q=thandi").await.expect(200);
        owner.get(&format!("/t/cape-drive/instructors/{thandi}")).await.expect(200).shows("+27825550002");
        owner
            .get("/t/cape-drive/instructors.csv")
            .await
            .expect(200)
            .shows("thandi@cape-drive.test,+27825550002,");
    };
    shown().await;
    let report = rotate_now(&app).await;
    for column in ["users.phone", "students.phone", "instructors.phone"] {
        assert!(report.columns.contains(&(column.to_owned(), 1)), "{column}: {:?}", report.columns);
    }
    assert_eq!((report.failed.len(), report.rewrapped), (0, 0));
    assert_eq!(all_under(&app, &report.key).await, 3);
    for phone in [PHONE, "+27825550001", "+27825550002"] {
        assert!(places(&app, phone).await.is_empty(), "{phone}");
    }
    shown().await;
    // Half a number finds nobody: it can't be looked for.
    owner.get("/t/cape-drive/students?q=2782555").await.expect(200).hides("megan@cape-drive.test");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_value_in_another_row_is_refused_not_shown(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    import(&app, 2, "x.test").await;
    let owner = app.owner().await;
    owner.get("/t/cape-drive/students?q=s0%40x.test").await.expect(200).shows("+27600000000");
    sqlx::query("update students s set phone = o.phone from students o where s.email = 's0@x.test' and o.email = 's1@x.test'")
        .execute(&app.admin)
        .await
        .unwrap();
    owner.get("/t/cape-drive/students?q=s0%40x.test").await.expect(500).hides("+27600000001");
    // It is named, and hinders nothing else.
    let report = rotate_now(&app).await;
    assert_eq!(report.failed.len(), 1);
    assert!(report.failed[0].starts_with("students.phone of "), "{:?}", report.failed);
    assert!(report.columns.contains(&("students.phone".to_owned(), 1)), "{:?}", report.columns);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn keys_rotate_while_requests_are_served(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    import(&app, 1_200, "many.test").await;
    let sipho = proved(&app, "sipho@cape-drive.test").await;
    sipho.post("identity/update_phone", &[("phone", PHONE)]).await.expect(200);
    let owner = app.owner().await;
    let (done, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    let rotation = async {
        let report = rotate(&app.db, &app.clock, SignedDuration::from_millis(600)).await.unwrap();
        done.store(true, Ordering::Relaxed);
        report
    };
    let clock = async {
        // The key is known to all from the start, and written with once its time has come.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let later = app.now().checked_add(SignedDuration::from_secs(1)).unwrap();
        app.clock.set(later);
    };
    let requests = async {
        let mut turn = 0;
        while !done.load(Ordering::Relaxed) {
            turn += 1;
            import(&app, 3, &format!("turn{turn}.test")).await;
            owner.get("/t/cape-drive/students?q=%2B27600000001").await.expect(200).shows("+27600000001");
            assert_eq!(login_by_phone(&app, PHONE).await, 200);
            served.fetch_add(3, Ordering::Relaxed);
        }
        turn
    };
    let (report, (), turns) = tokio::join!(rotation, clock, requests);
    assert!(served.load(Ordering::Relaxed) > 3);
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    assert_eq!(all_under(&app, &report.key).await, 1_200 + 3 * turns + 1);
    assert_eq!(login_by_phone(&app, PHONE).await, 200);
    // And once more at the same moment: the newest key is the one that is written with.
    let next = rotate_now(&app).await;
    assert_ne!(next.key, report.key);
    import(&app, 1, "last.test").await;
    assert_eq!(all_under(&app, &next.key).await, 1_200 + 3 * turns + 2);
    assert_eq!(login_by_phone(&app, PHONE).await, 200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_rotation_that_dies_is_begun_again_and_two_never_meet(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    import(&app, 2_500, "many.test").await;
    let first = tokio::spawn({
        let app = app.clone();
        async move { rotate_now(&app).await }
    });
    tokio::time::sleep(Duration::from_millis(40)).await;
    first.abort();
    // Whatever it had done: all can still be read.
    app.owner().await.get("/t/cape-drive/students?q=%2B27600000001").await.expect(200).shows("+27600000001");
    let mut report = Err(Error::NotFound);
    for _ in 0..100 {
        report = rotate(&app.db, &app.clock, SignedDuration::ZERO).await;
        if !matches!(report, Err(Error::Conflict(_))) {
            break;
        }
        // The database hasn't noticed yet that the first one is gone.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(all_under(&app, &report.unwrap().key).await, 2_500);

    let lead = SignedDuration::from_millis(200);
    let (one, other) = tokio::join!(rotate(&app.db, &app.clock, lead), rotate(&app.db, &app.clock, lead));
    let refused =
        [&one, &other].into_iter().filter(|report| matches!(report, Err(Error::Conflict(_)))).count();
    assert_eq!(refused, 1);
    assert_eq!(all_under(&app, &one.or(other).unwrap().key).await, 2_500);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_wrong_master_key_is_refused_and_a_new_one_takes_over(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    import(&app, 2, "x.test").await;
    let wrong = other_program(&app, OTHER_MASTER, &[]).await;
    let error = wrong.vault().load(&wrong).await.unwrap_err().to_string();
    assert_eq!(error, "LESSONBOOK_SECRET_KEY isn't the key this database was encrypted with");
    // It made no keys of its own either.
    assert_eq!(app.count("select count(*) from encryption_keys").await, 2);

    let next = other_program(&app, OTHER_MASTER, &[MASTER]).await;
    next.vault().load(&next).await.unwrap();
    let report = rotate(&next, &app.clock, SignedDuration::ZERO).await.unwrap();
    assert_eq!(report.rewrapped, 2);
    wrong.vault().load(&wrong).await.unwrap();
    let error = app.db.vault().load(&app.db).await.unwrap_err().to_string();
    assert!(error.contains("LESSONBOOK_SECRET_KEY"), "{error}");
    for (row, value) in stored(&app, "students", "phone").await {
        assert!(wrong.vault().open("students.phone", row, &value).unwrap().starts_with("+2760"));
    }
    assert!(places(&app, OTHER_MASTER).await.is_empty() && places(&app, MASTER).await.is_empty());
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn programs_that_start_at_once_agree_on_the_keys_and_learn_new_ones(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    sqlx::query("delete from encryption_keys").execute(&app.admin).await.unwrap();
    let (one, other) = (other_program(&app, MASTER, &[]).await, other_program(&app, MASTER, &[]).await);
    let (first, second) = tokio::join!(one.vault().load(&one), other.vault().load(&other));
    first.unwrap();
    second.unwrap();
    assert_eq!(app.count("select count(*) from encryption_keys").await, 2);
    let row = Uuid::from_u128(1);
    let sealed = one.vault().seal("users.phone", row, PHONE, app.now()).unwrap();
    assert_eq!(other.vault().open("users.phone", row, &sealed).unwrap(), PHONE);
    assert_eq!(one.vault().blind("phone", PHONE).unwrap(), other.vault().blind("phone", PHONE).unwrap());

    rotate(&one, &app.clock, SignedDuration::ZERO).await.unwrap();
    let sealed =
        one.vault().seal("users.phone", row, PHONE, app.now() + SignedDuration::from_secs(1)).unwrap();
    assert!(other.vault().open("users.phone", row, &sealed).is_err());
    other.vault().load(&other).await.unwrap();
    assert_eq!(other.vault().open("users.phone", row, &sealed).unwrap(), PHONE);
}
