//! The demo's schools as rows. Making them takes longer than most tests, so one test makes them and all others get a copy.

use domain::{db::Db, identity::Passwords, seed};
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::OnceCell;

use super::NOW;

/// What stands in a table, as `copy` writes it.
struct Rows {
    table: String,
    copied: Vec<u8>,
}

/// Fills a test's database with the demo's schools as of [`NOW`].
pub(super) async fn fill(admin: &PgPool, db: &Db, passwords: &Passwords) {
    static MADE: OnceCell<Vec<Rows>> = OnceCell::const_new();
    let mut first = false;
    let made = MADE.get_or_init(async || {
        first = true;
        db.vault().load(db).await.unwrap();
        seed::demo(db, passwords, NOW.parse().unwrap()).await.unwrap();
        read(admin).await
    });
    let made = made.await;
    if !first {
        write(admin, made).await;
        // The keys came with the rows.
        db.vault().load(db).await.unwrap();
    }
}

async fn read(admin: &PgPool) -> Vec<Rows> {
    let mut conn = admin.acquire().await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select tablename::text from pg_tables where schemaname = 'public' and tablename <> '_sqlx_migrations'",
    )
    .fetch_all(&mut *conn)
    .await
    .unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let mut copied = Vec::new();
        let mut out = conn.copy_out_raw(&format!("copy {table} to stdout")).await.unwrap();
        while let Some(bytes) = out.try_next().await.unwrap() {
            copied.extend_from_slice(&bytes);
        }
        drop(out);
        if !copied.is_empty() {
            rows.push(Rows { table, copied });
        }
    }
    rows
}

async fn write(admin: &PgPool, rows: &[Rows]) {
    let mut conn = admin.acquire().await.unwrap();
    // All of it was checked when it was made: neither triggers nor references look at it again. What migrations have put
    // there is among the rows.
    let mut before = String::from("set session_replication_role = replica;");
    for Rows { table, .. } in rows {
        before.push_str(&format!("delete from {table};"));
    }
    sqlx::raw_sql(AssertSqlSafe(before)).execute(&mut *conn).await.unwrap();
    for Rows { table, copied } in rows {
        let mut copy = conn.copy_in_raw(&format!("copy {table} from stdin")).await.unwrap();
        copy.send(copied.as_slice()).await.unwrap();
        copy.finish().await.unwrap();
    }
    sqlx::raw_sql("reset session_replication_role").execute(&mut *conn).await.unwrap();
}
