//! Who did what: read by those who may, and a chain that shows every row that was altered, removed or inserted
//! (AU-01 to AU-03).

use std::process::{Command, Output};

use domain::audit::verify::verify;
use sqlx::{Acquire, AssertSqlSafe, PgPool, postgres::PgConnectOptions};

use crate::harness::{Answer, Client, MASTER, TestApp};

const THANDI: &str = "select id::text from instructors where email = 'thandi@cape-drive.test'";
const CAPE: &str = "select id::text from tenants where slug = 'cape-drive'";

/// Sets an instructor's verification: a row in the school's chain.
async fn verified(client: &Client, instructor: &str, state: &str) {
    let fields = [("tenant", "cape-drive"), ("instructor", instructor), ("verification", state)];
    client.post("people/verify", &fields).await.expect(200);
}

/// The rows of a download, by the names in its first line.
fn cells(file: &Answer, column: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(file.body.as_bytes());
    let at = reader.headers().unwrap().iter().position(|name| name == column).unwrap();
    reader.records().map(|row| row.unwrap()[at].to_owned()).collect()
}

/// Six rows in each of two schools, past the program but not past the chain.
async fn six_rows_each(app: &TestApp) {
    sqlx::query(
        "insert into audit (tenant_id, seq, at, actor_role, action, entity, before, after, reason, prev_hash, hash)
         select t.id, 0, '2027-01-12T07:30:00Z'::timestamptz + n * interval '1 hour', 'owner', 'test.change', 'test',
                jsonb_build_object('n', n), jsonb_build_object('n', n + 1, 'list', jsonb_build_array(1.50, null, 'x')),
                'reason ' || n, '', ''
         from generate_series(1, 6) n, tenants t where t.slug in ('cape-drive', 'north-mentors') order by n, t.slug",
    )
    .execute(&app.admin)
    .await
    .unwrap();
}

async fn problems(app: &TestApp) -> Vec<String> {
    verify(&app.db, None).await.unwrap().problems.iter().map(ToString::to_string).collect()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_owner_reads_who_did_what_and_nobody_elses(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, staff) = (app.owner().await, app.login("staff@cape-drive.test").await);
    let north = app.login("owner@north-mentors.test").await;
    let platform = app.login("super@lessonbook.test").await;
    let thandi = app.text(THANDI).await;
    verified(&owner, &thandi, "pending").await;
    verified(&staff, &thandi, "verified").await;
    let cape = app.text(CAPE).await;
    for (what, reason) in [("suspend", "Unpaid since May"), ("activate", "Paid again")] {
        platform.post(&format!("tenancy/{what}"), &[("tenant", &cape), ("reason", reason)]).await.expect(200);
    }

    let page = owner.get("/t/cape-drive/audit").await.expect(200);
    page.shows("Nandi Jacobs")
        .shows("Craig Daniels")
        .shows("Unpaid since May")
        .shows("The platform")
        .hides("Sam Platform");
    let file = owner.get("/t/cape-drive/audit.csv").await.expect(200);
    assert_eq!(cells(&file, "seq"), ["4", "3", "2", "1"]);
    assert_eq!(cells(&file, "actor"), ["The platform", "The platform", "Craig Daniels", "Nandi Jacobs"]);
    assert_eq!(cells(&file, "actor_role"), ["super_admin", "super_admin", "staff", "owner"]);
    assert_eq!(cells(&file, "reason"), ["Paid again", "Unpaid since May", "", ""]);
    assert_eq!(cells(&file, "before")[2], r#"{"verification":"pending"}"#);
    assert_eq!(cells(&file, "after")[2], r#"{"verification":"verified"}"#);
    assert_eq!(cells(&file, "at")[0], "2027-01-12T09:30:00+02:00");
    assert_eq!(cells(&file, "ip")[0], "127.0.0.1");
    assert_eq!(cells(&file, "prev_hash")[..3], cells(&file, "hash")[1..]);

    // The filters, each for itself and together.
    let cases: [(&str, &[&str]); 11] = [
        ("actor=nandi", &["1"]),
        ("actor=STAFF%40cape-drive.test", &["2"]),
        ("action=instructors.verify", &["2", "1"]),
        ("entity=instructor&actor=craig", &["2"]),
        ("from=2027-01-12&to=2027-01-12", &["4", "3", "2", "1"]),
        ("from=2027-01-13", &[]),
        ("to=2027-01-11", &[]),
        ("from=nonsense&actor=%00&to=2027-13-01", &["4", "3", "2", "1"]),
        ("q=unpaid", &["3"]),
        ("q=%25", &[]),
        ("action=instructors.verif_", &[]),
    ];
    for (query, seqs) in cases {
        let file = owner.get(&format!("/t/cape-drive/audit.csv?{query}")).await.expect(200);
        assert_eq!(cells(&file, "seq"), seqs, "{query}");
        owner.get(&format!("/t/cape-drive/audit?{query}")).await.expect(200);
    }
    let file = owner.get(&format!("/t/cape-drive/audit.csv?q={thandi}")).await.expect(200);
    assert_eq!(cells(&file, "seq"), ["2", "1"]);

    // Staff isn't given it, students and instructors never are, another school's owner doesn't find it.
    for path in ["/t/cape-drive/audit", "/t/cape-drive/audit.csv"] {
        staff.get(path).await.expect(403).hides("Unpaid");
        app.student().await.get(path).await.expect(403).hides("Unpaid");
        north.get(path).await.expect(404).hides("Unpaid");
        platform.get(path).await.expect(404).hides("Unpaid");
    }
    let own = north.get("/t/north-mentors/audit.csv").await.expect(200).hides("Unpaid");
    assert_eq!(cells(&own, "seq"), Vec::<String>::new());
    owner.get("/admin/audit.csv").await.expect(403);
    app.visitor().get("/admin/audit.csv").await.expect(401);

    // The platform reads a school's chain with its people's names, and its own.
    let file = platform.get("/admin/audit.csv?school=cape-drive").await.expect(200);
    assert_eq!(cells(&file, "actor"), ["Sam Platform", "Sam Platform", "Craig Daniels", "Nandi Jacobs"]);
    platform.get("/admin/audit?school=cape-drive").await.expect(200).shows("Unpaid since May");
    platform.get("/admin/audit").await.expect(200).hides("Unpaid since May");
    platform.get("/admin/audit.csv?school=no-such-school").await.expect(404);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn rows_can_be_added_only_whatever_the_role(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    six_rows_each(&app).await;
    let mut conn = app.db.pool().acquire().await.unwrap();
    for role in ["lessonbook_program", "lessonbook_platform"] {
        for statement in [
            "update audit set reason = 'x'",
            "delete from audit",
            "truncate audit",
            "delete from audit_heads",
        ] {
            let mut tx = conn.begin().await.unwrap();
            let scope = format!("set local role {role}; select set_config('app.tenant_id', ({CAPE}), true)");
            sqlx::raw_sql(AssertSqlSafe(scope)).execute(&mut *tx).await.unwrap();
            let error = sqlx::query(statement).execute(&mut *tx).await.unwrap_err();
            let code =
                error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
            assert_eq!(code, "42501", "{role}: {statement}: {error}");
        }
    }
    // What is given for number and hashes isn't taken.
    let mut tx = conn.begin().await.unwrap();
    let forged = format!(
        "select set_config('app.tenant_id', ({CAPE}), true);
         insert into audit (tenant_id, seq, at, actor_role, action, entity, prev_hash, hash)
         values (current_tenant(), 3, now(), 'owner', 'forged', 'test', 'x', 'y')"
    );
    sqlx::raw_sql(AssertSqlSafe(forged)).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(app.count("select seq from audit where action = 'forged'").await, 7);
    assert_eq!(problems(&app).await, Vec::<String>::new());
}

/// What was done to the tables by their owner, and what must be said of it. `$cape` stands for the school's id.
const TAMPERED: [(&str, &[&str]); 18] = [
    ("update audit set reason = 'another' where tenant_id = $cape and seq = 3", &["cape-drive: row 3 was altered"]),
    ("update audit set after = after || '{\"n\": 9}' where tenant_id = $cape and seq = 6", &["cape-drive: row 6 was altered"]),
    ("update audit set at = at + interval '1 microsecond' where tenant_id = $cape and seq = 1", &["cape-drive: row 1 was altered"]),
    ("update audit set actor_id = tenant_id where tenant_id = $cape and seq in (2, 3, 5)", &["cape-drive: rows 2 to 3 were altered", "cape-drive: row 5 was altered"]),
    // With its hash made anew.
    ("update audit set reason = 'another' where tenant_id = $cape and seq = 4;
      update audit a set hash = audit_hash(a) where tenant_id = $cape and seq = 4", &["cape-drive: row 4 was altered"]),
    ("update audit set reason = 'another' where tenant_id = $cape and seq = 6;
      update audit a set hash = audit_hash(a) where tenant_id = $cape and seq = 6", &["cape-drive: row 6 was altered"]),
    ("update audit set prev_hash = '\\x00' where tenant_id = $cape and seq = 4", &["cape-drive: row 4 was altered"]),
    ("update audit_heads set hash = '\\x00' where tenant_id = $cape", &["cape-drive: row 6 was altered"]),
    ("delete from audit where tenant_id = $cape and seq = 3", &["cape-drive: row 3 was removed"]),
    ("delete from audit where tenant_id = $cape and seq = 6", &["cape-drive: row 6 was removed"]),
    ("delete from audit where tenant_id = $cape and seq in (1, 2, 5)", &["cape-drive: rows 1 to 2 were removed", "cape-drive: row 5 was removed"]),
    ("delete from audit where tenant_id = $cape", &["cape-drive: rows 1 to 6 were removed"]),
    ("delete from audit where tenant_id = $cape and seq = 3;
      update audit set seq = seq + 999 where tenant_id = $cape and seq > 3;
      update audit set seq = seq - 1000 where tenant_id = $cape and seq > 999", &["cape-drive: row 3 was removed"]),
    ("delete from audit_heads where tenant_id = $cape", &["cape-drive: the end of the chain after row 6 was removed"]),
    ("insert into audit select (a.x).* from (select jsonb_populate_record(a, '{\"seq\": 7}') as x from audit a where tenant_id = $cape and seq = 6) a",
     &["cape-drive: row 7 was inserted"]),
    ("insert into audit select (a.x).* from (select jsonb_populate_record(a, '{\"seq\": 7}') as x from audit a where tenant_id = $cape and seq = 6) a;
      update audit a set prev_hash = (select hash from audit_heads h where h.tenant_id = a.tenant_id) where tenant_id = $cape and seq = 7;
      update audit a set hash = audit_hash(a) where tenant_id = $cape and seq = 7", &["cape-drive: row 7 was inserted"]),
    // In the middle, and those after it numbered anew.
    ("update audit set seq = seq + 1000 where tenant_id = $cape and seq > 3;
      update audit set seq = seq - 999 where tenant_id = $cape and seq > 999;
      insert into audit select (a.x).* from (select jsonb_populate_record(a, '{\"seq\": 4, \"reason\": \"new\"}') as x from audit a where tenant_id = $cape and seq = 3) a;
      update audit a set prev_hash = (select b.hash from audit b where b.tenant_id = $cape and b.seq = 3) where tenant_id = $cape and seq = 4;
      update audit a set hash = audit_hash(a) where tenant_id = $cape and seq = 4", &["cape-drive: row 4 was inserted"]),
    // Into another school's chain.
    ("update audit set tenant_id = (select id from tenants where slug = 'north-mentors'), seq = 7 where tenant_id = $cape and seq = 6",
     &["cape-drive: row 6 was removed", "north-mentors: row 7 was inserted"]),
];

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn verifying_names_every_row_that_was_tampered_with(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    six_rows_each(&app).await;
    let whole = verify(&app.db, None).await.unwrap();
    assert_eq!(whole.problems, []);
    let found: Vec<(&str, i64, i64)> =
        whole.chains.iter().map(|chain| (chain.tenant.as_str(), chain.rows, chain.seq)).collect();
    assert_eq!(found, [("cape-drive", 6, 6), ("north-mentors", 6, 6)]);
    assert_ne!(whole.chains[0].head, whole.chains[1].head);
    let head = app.text("select encode(hash, 'hex') from audit_heads h join tenants t on t.id = h.tenant_id where t.slug = 'cape-drive'").await;
    assert_eq!(whole.chains[0].to_string(), format!("cape-drive: 6 rows, head {head}"));

    // As the tables' owner, past the trigger; everything is put back after each.
    sqlx::raw_sql("alter table audit disable trigger audit_chain; create table kept as select * from audit; create table kept_heads as select * from audit_heads")
        .execute(&app.admin)
        .await
        .unwrap();
    for (done, named) in TAMPERED {
        let sql = done.replace("$cape", &format!("({CAPE})::uuid"));
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&app.admin).await.unwrap();
        assert_eq!(problems(&app).await, named, "{done}");
        // The other school's chain, by itself, is whole, unless it was written to.
        let north = verify(&app.db, Some("north-mentors")).await.unwrap();
        assert_eq!(north.problems.is_empty(), !named.iter().any(|name| name.starts_with("north")), "{done}");
        assert_eq!(north.chains.len(), 1);
        sqlx::raw_sql("truncate audit, audit_heads; insert into audit select * from kept; insert into audit_heads select * from kept_heads")
            .execute(&app.admin)
            .await
            .unwrap();
    }
    assert_eq!(verify(&app.db, None).await.unwrap(), whole);
    assert!(matches!(verify(&app.db, Some("no-such-school")).await, Err(domain::Error::NotFound)));
    // A school where nothing was done yet.
    let empty = verify(&app.db, Some("closed-clinic")).await.unwrap();
    assert_eq!(
        (empty.chains[0].to_string().as_str(), empty.problems.len()),
        ("closed-clinic: 0 rows, head none", 0)
    );
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_long_chain_is_walked_in_batches_while_others_write(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    sqlx::query(
        "insert into audit (tenant_id, seq, at, actor_role, action, entity, prev_hash, hash)
         select t.id, 0, now(), 'owner', 'test.change', 'test', '', '' from generate_series(1, 4100), tenants t where t.slug = 'cape-drive'",
    )
    .execute(&app.admin)
    .await
    .unwrap();
    let (owner, thandi) = (app.owner().await, app.text(THANDI).await);
    let writes = async {
        for turn in 0..6 {
            verified(&owner, &thandi, if turn % 2 == 0 { "pending" } else { "verified" }).await;
        }
    };
    let (found, ()) = tokio::join!(problems(&app), writes);
    assert_eq!(found, Vec::<String>::new());
    // Around the edges of the batches.
    sqlx::raw_sql("alter table audit disable trigger audit_chain; delete from audit where seq in (2106, 2107); update audit set reason = 'x' where seq = 106")
        .execute(&app.admin)
        .await
        .unwrap();
    assert_eq!(
        problems(&app).await,
        ["cape-drive: row 106 was altered", "cape-drive: rows 2106 to 2107 were removed"]
    );
}

/// Runs the program's own command on the test's database.
async fn command(app: &TestApp, args: &[&str]) -> Output {
    sqlx::raw_sql("do $$ begin create role t_audit login noinherit in role lessonbook_program, lessonbook_platform; exception when duplicate_object or unique_violation then null; end $$")
        .execute(&app.admin)
        .await
        .unwrap();
    let options: PgConnectOptions = (*app.admin.connect_options()).clone();
    let socket =
        options.get_socket().map_or_else(|| options.get_host().to_owned(), |path| path.display().to_string());
    let database = options.get_database().unwrap();
    Command::new(env!("CARGO_BIN_EXE_lessonbook"))
        .args(args)
        .env_clear()
        .envs(std::env::vars().filter(|(name, _)| name == "PATH" || name == "HOME"))
        .env("LESSONBOOK_MODE", "development")
        .env("LESSONBOOK_SECRET_KEY", MASTER)
        .env("DATABASE_URL", format!("postgres://t_audit@localhost/{database}?host={socket}"))
        .env(
            "LESSONBOOK_OWNER_URL",
            format!("postgres://{}@localhost/{database}?host={socket}", options.get_username()),
        )
        .output()
        .unwrap()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_command_prints_heads_and_fails_on_problems(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    six_rows_each(&app).await;
    let output = command(&app, &["audit", "verify"]).await;
    let (said, error) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{error}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].starts_with("cape-drive: 6 rows, head ") && lines[0].len() == 25 + 64, "{said}");

    sqlx::raw_sql("update audit set reason = 'x' where seq = 2").execute(&app.admin).await.unwrap();
    let output = command(&app, &["audit", "verify", "--tenant", "north-mentors"]).await;
    let (said, error) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(!output.status.success());
    assert!(said.starts_with("north-mentors: 6 rows") && !said.contains("cape-drive"), "{said}");
    assert!(error.contains("north-mentors: row 2 was altered") && !error.contains("cape-drive"), "{error}");
}
