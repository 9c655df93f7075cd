//! Row-level security: what one school's scope sees of the others without any filter in the query.

use sqlx::{Acquire, PgPool, Row};

use crate::harness::TestApp;

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn no_tenant_table_shows_a_foreign_row(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    // One row at least in every table of both schools, where the demo leaves one empty.
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
         where n.nspname = 'public' and c.relkind in ('r', 'p') order by 1",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    assert!(tables.len() >= 18, "{tables:?}");
    let schools: Vec<uuid::Uuid> = sqlx::query_scalar(
        "select id from tenants where slug in ('cape-drive', 'north-mentors') order by slug",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    fill_empty_tables(&app.admin, &schools).await;

    let mut conn = app.db.pool().acquire().await.unwrap();
    for table in &tables {
        let count = || {
            sqlx::AssertSqlSafe(format!(
                "select count(*), count(*) filter (where tenant_id <> $1) from {table}"
            ))
        };
        // The ends of the audit's chains are their trigger's own: the program may not look at all.
        if table == "audit_heads" {
            let refused = sqlx::query(count()).bind(schools[0]).fetch_one(&mut *conn).await.unwrap_err();
            assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"));
            continue;
        }
        // Outside any scope nothing is to be seen.
        let row = sqlx::query(count()).bind(schools[0]).fetch_one(&mut *conn).await.unwrap();
        assert_eq!(row.get::<i64, _>(0), 0, "{table} is open without a scope");
        for (here, there) in [(schools[0], schools[1]), (schools[1], schools[0])] {
            let mut tx = conn.begin().await.unwrap();
            sqlx::query("select set_config('app.tenant_id', $1, true)")
                .bind(here.to_string())
                .execute(&mut *tx)
                .await
                .unwrap();
            let row = sqlx::query(count()).bind(here).fetch_one(&mut *tx).await.unwrap();
            assert!(row.get::<i64, _>(0) > 0, "{table} has nothing to hide");
            assert_eq!(row.get::<i64, _>(1), 0, "{table} shows foreign rows");
            // Nor can a row be moved over or written there.
            let steal = sqlx::AssertSqlSafe(format!("update {table} set tenant_id = $1"));
            let moved = sqlx::query(steal).bind(there).execute(&mut *tx).await;
            assert!(moved.is_err(), "{table} lets its rows be given away");
            drop(tx);
        }
    }
}

/// Rows of the school `$1` in tables that the demo may leave empty, those first that others name.
const EMPTY_IN_THE_DEMO: [&str; 12] = [
    "insert into resources (tenant_id, id, name, kind, created_at) values ($1, gen_random_uuid(), 'A test room', 'room', now())",
    "insert into resource_units (tenant_id, id, resource_id, place) select tenant_id, gen_random_uuid(), id, 50 from resources where tenant_id = $1 limit 1",
    "insert into service_resources (tenant_id, service_id, resource_id, units)
     select s.tenant_id, s.id, r.id, 1 from services s join resources r on r.tenant_id = s.tenant_id where s.tenant_id = $1
     on conflict do nothing",
    "insert into combo_parts (tenant_id, combo_id, place, service_id)
     select a.tenant_id, a.id, 20, b.id from services a join services b on b.tenant_id = a.tenant_id and b.id <> a.id
     where a.tenant_id = $1 limit 1",
    "insert into hour_exceptions (tenant_id, instructor_id, day, starts, ends) select tenant_id, id, current_date, '{}', '{}' from instructors where tenant_id = $1 limit 1",
    "insert into holidays (tenant_id, day, name) values ($1, current_date, 'Test')",
    "insert into group_lessons (tenant_id, id, service_id, instructor_id, starts_at, ends_at, capacity, created_at)
     select b.tenant_id, gen_random_uuid(), b.service_id, b.instructor_id, now(), now() + interval '1 hour', 3, now() from bookings b where b.tenant_id = $1 limit 1",
    "insert into series (tenant_id, id, every, created_at) values ($1, gen_random_uuid(), 'weekly', now())",
    "insert into holds (tenant_id, id, kind, service_id, instructor_id, student_id, starts_at, ends_at, state, expires_at, created_at)
     select b.tenant_id, gen_random_uuid(), 'offer', b.service_id, b.instructor_id, b.student_id, now(), now() + interval '1 hour', 'released', now(), now()
     from bookings b where b.tenant_id = $1 limit 1",
    "insert into waiting_list (tenant_id, id, service_id, student_id, from_at, to_at, created_at)
     select b.tenant_id, gen_random_uuid(), b.service_id, b.student_id, now(), now() + interval '1 hour', now() from bookings b where b.tenant_id = $1 limit 1",
    "insert into reminders (tenant_id, booking_id, kind, offset_min, sent_at) select tenant_id, id, 'lesson', 60, now() from bookings where tenant_id = $1 limit 1",
    "insert into feeds (tenant_id, id, user_id, reach, token_hash, created_at)
     select tenant_id, gen_random_uuid(), user_id, 'own', sha256(convert_to(gen_random_uuid()::text, 'UTF8')), now() from memberships where tenant_id = $1 limit 1",
];

/// Tables that the demo leaves empty get a row in both schools; audit and outbox one of the platform's own too.
async fn fill_empty_tables(admin: &PgPool, schools: &[uuid::Uuid]) {
    for school in schools.iter().chain(&[domain::ids::PLATFORM]) {
        // Its trigger makes the row in audit_heads.
        sqlx::query(
            "insert into audit (tenant_id, seq, at, actor_role, action, entity, prev_hash, hash)
             values ($1, 0, now(), 'owner', 'test', 'test', '', '')",
        )
        .bind(school)
        .execute(admin)
        .await
        .unwrap();
        sqlx::query(
            "insert into outbox (tenant_id, id, kind, recipient, subject, data, next_attempt_at, created_at)
             values ($1, gen_random_uuid(), 'test', 'a@b.test', 's', '{}', now(), now())",
        )
        .bind(school)
        .execute(admin)
        .await
        .unwrap();
    }
    for school in schools {
        sqlx::query(
            "insert into blocked_times (tenant_id, id, instructor_id, starts_at, ends_at)
             select tenant_id, gen_random_uuid(), id, now(), now() + interval '1 hour' from instructors where tenant_id = $1 limit 1",
        )
        .bind(school)
        .execute(admin)
        .await
        .unwrap();
        sqlx::query(
            "insert into invites (tenant_id, id, email, role, token_hash, created_at, expires_at)
             values ($1, gen_random_uuid(), 'a@b.test', 'student', sha256(convert_to(gen_random_uuid()::text, 'UTF8')), now(), now())",
        )
        .bind(school)
        .execute(admin)
        .await
        .unwrap();
        for sql in EMPTY_IN_THE_DEMO {
            sqlx::query(sql).bind(school).execute(admin).await.unwrap();
        }
        sqlx::query(
            "insert into tenant_mail (tenant_id, host, port, security, from_email, updated_at)
             values ($1, 'mail.test', 25, 'none', 'a@b.test', now())",
        )
        .bind(school)
        .execute(admin)
        .await
        .unwrap();
        sqlx::query(
            "insert into idempotency_keys (tenant_id, key, request_hash, booking_id, created_at)
             values ($1, 'k', '', gen_random_uuid(), now())",
        )
        .bind(school)
        .execute(admin)
        .await
        .unwrap();
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn every_tenant_table_is_protected_and_led_by_its_tenant(admin: PgPool) {
    let loose: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
           and not (c.relrowsecurity and c.relforcerowsecurity)",
    )
    .fetch_all(&admin)
    .await
    .unwrap();
    assert!(loose.is_empty(), "without forced row-level security: {loose:?}");
    // Every index and key of a tenant table begins with its tenant. The exceptions find a user's own schools, an invite
    // or a feed by its link, and the messages that the worker has to send, of whatever school.
    let astray: Vec<String> = sqlx::query_scalar(
        "select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid
         join pg_attribute t on t.attrelid = c.oid and t.attname = 'tenant_id'
         where c.relnamespace = 'public'::regnamespace and i.indkey[0] <> t.attnum order by 1",
    )
    .fetch_all(&admin)
    .await
    .unwrap();
    assert_eq!(astray, ["feeds_token", "invites_token", "memberships_by_user", "outbox_leased"]);
}

/// What guards accounts isn't the program's to read, in whatever school: only logging in and the platform come to it.
#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_guards_accounts_is_out_of_reach_of_the_program(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let mut conn = app.db.pool().acquire().await.unwrap();
    for table in ["totp", "backup_codes", "one_time_links", "login_attempts", "throttles"] {
        for what in [format!("select from {table}"), format!("delete from {table}")] {
            let error = sqlx::query(sqlx::AssertSqlSafe(what.clone())).execute(&mut *conn).await.unwrap_err();
            assert!(error.to_string().contains("permission denied"), "{what}: {error}");
        }
    }
    // Of accounts, and what they say of themselves, a school sees its members' alone.
    sqlx::query("insert into profiles (user_id, updated_at) select id, now() from users")
        .execute(&app.admin)
        .await
        .unwrap();
    let mut tx = conn.begin().await.unwrap();
    sqlx::query(
        "select set_config('app.tenant_id', id::text, true) from tenants where slug = 'closed-clinic'",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    for table in ["users u", "profiles p join users u on u.id = p.user_id"] {
        let sql = sqlx::AssertSqlSafe(format!("select u.email from {table}"));
        let seen: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *tx).await.unwrap();
        assert_eq!(seen, ["owner@closed-clinic.test"], "{table}");
    }
    // What they are is the platform's to say, and so is what the school itself may be.
    for change in [
        "users set super_admin = true",
        "users set email = 'x@x.test'",
        "users set status = 'active'",
        "users set email_verified_at = now()",
        "tenants set status = 'active'",
        "tenants set max_seats = 1000",
        "tenants set slug = 'mine'",
    ] {
        let mut point = tx.begin().await.unwrap();
        let sql = sqlx::AssertSqlSafe(format!("update {change}"));
        let error = sqlx::query(sql).execute(&mut *point).await.unwrap_err();
        assert!(error.to_string().contains("permission denied"), "{change}: {error}");
    }
    // What an owner may set is set in no other school.
    let renamed = sqlx::query("update tenants set name = 'Mine'").execute(&mut *tx).await.unwrap();
    assert_eq!(renamed.rows_affected(), 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn audit_and_postings_can_only_grow(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    for table in ["audit", "credit_postings"] {
        for role in ["lessonbook_program", "lessonbook_platform"] {
            let mut tx = app
                .admin
                .begin_with(sqlx::AssertSqlSafe(format!("begin; set local role {role}")))
                .await
                .unwrap();
            for change in [
                format!("delete from {table}"),
                format!("update {table} set reason = 'x'"),
                format!("truncate {table}"),
            ] {
                let mut point = tx.begin().await.unwrap();
                let error =
                    sqlx::query(sqlx::AssertSqlSafe(change.clone())).execute(&mut *point).await.unwrap_err();
                assert!(error.to_string().contains("permission denied"), "{role}: {change}: {error}");
            }
        }
    }
}
