//! Roles, and transactions that are cancelled half-way.

use std::time::Duration;

use domain::{
    authz::{Caller, TenantScope},
    db::{Db, UnsafeRole},
    ids::UserId,
};
use sqlx::{PgPool, postgres::PgConnectOptions};

use crate::harness::TestApp;

async fn make_role(admin: &PgPool, ddl: &str) {
    // Roles belong to the cluster: another test run may have left them.
    sqlx::raw_sql(sqlx::AssertSqlSafe(ddl.to_owned())).execute(admin).await.ok();
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_login_that_row_security_would_not_hold_is_refused(admin: PgPool) {
    let base: PgConnectOptions = (*admin.connect_options()).clone();
    make_role(
        &admin,
        "create role t_bypass login noinherit bypassrls in role lessonbook_program, lessonbook_platform",
    )
    .await;
    make_role(&admin, "create role t_owner login noinherit in role lessonbook_program, lessonbook_platform")
        .await;
    make_role(&admin, "create role t_stranger login noinherit").await;
    make_role(&admin, "create role t_heir login inherit in role lessonbook_program, lessonbook_platform")
        .await;
    make_role(&admin, "create role t_good login noinherit in role lessonbook_program, lessonbook_platform")
        .await;
    let check = async |user: &str| Db::check_login(&base.clone().username(user)).await;

    assert!(matches!(Db::check_login(&base).await, Err(UnsafeRole::Bypasses(_))), "a superuser");
    assert!(matches!(check("t_bypass").await, Err(UnsafeRole::Bypasses(_))));
    assert!(matches!(check("t_stranger").await, Err(UnsafeRole::NotMember(_))));
    assert!(
        matches!(check("t_heir").await, Err(UnsafeRole::NotMember(_))),
        "it would see all schools without asking"
    );
    check("t_good").await.unwrap();
    sqlx::raw_sql("create table extra (id int); alter table extra owner to t_owner")
        .execute(&admin)
        .await
        .unwrap();
    assert!(matches!(check("t_owner").await, Err(UnsafeRole::Owns(_))));
    // Roles with rights in this database would keep it from being dropped with the cluster's others.
    sqlx::raw_sql("drop table extra").execute(&admin).await.unwrap();
}

/// DESIGN rule 6: a request given up while its transaction is being opened must not leave a connection that is inside
/// it, or the next request inherits its school.
#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_cancelled_request_leaves_no_scope_behind(admin: PgPool) {
    let app = TestApp::demo_with(admin, crate::harness::NOW, 1).await;
    let id: uuid::Uuid = sqlx::query_scalar("select id from users where email = 'sipho@cape-drive.test'")
        .fetch_one(&app.admin)
        .await
        .unwrap();
    let caller = Caller { user: Some(UserId(id)), ..Caller::visitor(app.now()) };
    for step in 0..300_u64 {
        // Given up after ever more microseconds: before, during and after BEGIN, inside queries, before the drop.
        let patience = Duration::from_micros(step * 10);
        let enter = TenantScope::member(&app.db, &caller, "cape-drive");
        let _ = tokio::time::timeout(patience, enter).await;
        if step % 10 == 0 {
            // Inside a transaction the time stands still.
            let mut conn = app.db.pool().acquire().await.unwrap();
            let look = "select now()::text, coalesce(current_setting('app.tenant_id', true), '')";
            let (first, tenant): (String, String) = sqlx::query_as(look).fetch_one(&mut *conn).await.unwrap();
            let (second, _): (String, String) = sqlx::query_as(look).fetch_one(&mut *conn).await.unwrap();
            assert_ne!(first, second, "step {step}: the connection came back inside a transaction");
            assert_eq!(tenant, "", "step {step}: the connection came back inside a school");
        }
    }
}

/// Twice as many at once as there are connections, each with work that takes several queries: nobody who holds a
/// connection may wait for a second.
#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn five_connections_serve_forty_requests_at_once(admin: PgPool) {
    let app = TestApp::demo_with(admin, crate::harness::NOW, 5).await;
    let client = app.owner().await;
    let pages = (0..40).map(|i| {
        let client = client.clone();
        tokio::spawn(async move {
            client.get(if i % 2 == 0 { "/t/cape-drive/instructors" } else { "/t/cape-drive" }).await
        })
    });
    for page in futures::future::join_all(pages).await {
        page.unwrap().expect(200);
    }
}
