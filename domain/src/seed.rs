//! Data to begin with: the demo's schools, and any number of rows for the benchmark.
//!
//! Written straight into the tables as the platform role, in bulk: a history of lessons can't be booked through the
//! services, which refuse the past.

mod demo;
mod lessons;
mod offer;
mod plan;
mod school;

use jiff_sqlx::ToSqlx;

use crate::{
    Error, Instant, Result,
    db::{ActAs, Db},
    identity::Passwords,
    ids::UserId,
};

/// The password of every demo account. Demo mode shows it on the login page; no other mode has these accounts.
pub const DEMO_PASSWORD: &str = "demo-orchard-kettle-42";

/// Whether the demo's super-admin can log in here: no place for a school's real data (AC-23).
///
/// # Errors
/// Of the database.
pub async fn is_demo(db: &Db) -> Result<bool> {
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let there = sqlx::query_scalar!(
        r#"select exists (select from users where code_exempt and status = 'active' and deleted_at is null) as "there!""#
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(there)
}

/// How many rows the benchmark wants.
#[derive(Clone, Copy, Debug)]
pub struct BenchSize {
    /// Instructors.
    pub instructors: usize,
    /// Students.
    pub students: usize,
    /// Lessons, about.
    pub bookings: usize,
}

/// Writes the demo's schools and accounts. Nothing happens when they are there already: `false`.
///
/// # Errors
/// Of the database.
pub async fn demo(db: &Db, passwords: &Passwords, now: Instant) -> Result<bool> {
    let hash = passwords.hash(&DEMO_PASSWORD.into()).await?;
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let there =
        sqlx::query_scalar!(r#"select exists (select from tenants where slug = 'cape-drive') as "there!""#)
            .fetch_one(&mut *tx)
            .await?;
    if there {
        return Ok(false);
    }
    // Everybody can read this password, so a second factor would keep nobody out.
    sqlx::query!(
        "insert into users (id, email, email_verified_at, name, password_hash, super_admin, code_exempt, created_at, updated_at)
         values ($1, 'super@lessonbook.test', $3, 'Sam Platform', $2, true, true, $3, $3)
         on conflict (email) where deleted_at is null do nothing",
        UserId::new(now).0,
        hash,
        now.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    for plan in demo::schools() {
        school::write(&mut tx, &plan, &hash, now).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Writes one school, `bench`, of the wanted size; its owner is `owner@bench.test` with the demo's password.
///
/// # Errors
/// [`Error::Conflict`] when it is there already.
pub async fn bench(db: &Db, passwords: &Passwords, size: BenchSize, now: Instant) -> Result<()> {
    let hash = passwords.hash(&DEMO_PASSWORD.into()).await?;
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let there =
        sqlx::query_scalar!(r#"select exists (select from tenants where slug = 'bench') as "there!""#)
            .fetch_one(&mut *tx)
            .await?;
    if there {
        return Err(Error::Conflict("The school bench is there already.".into()));
    }
    school::write(&mut tx, &demo::bench(size), &hash, now).await?;
    Ok(tx.commit().await?)
}
