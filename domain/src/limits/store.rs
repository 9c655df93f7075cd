//! Storage of counts. No transaction is opened: each function is one statement.

use jiff_sqlx::{Timestamp, ToSqlx};
use sqlx::PgPool;

use super::{Delta, RULES, Rule, Verdict};
use crate::{Instant, Result};

/// A try that was asked for, to be given back if it goes well.
#[derive(Clone, Debug)]
pub struct Taken {
    /// What became of it.
    pub verdict: Verdict,
    key: String,
    start: Instant,
}

/// Counts a try, if it fits: of any number at once exactly as many as fit are let through.
///
/// # Errors
/// Of the database.
pub async fn take(pool: &PgPool, rule: &Rule, whose: &str, now: Instant) -> Result<Taken> {
    let (key, window) = (rule.key(whose), rule.window(now));
    // The update sees the row as the last writer left it, so the sum can't be overtaken. The window before no longer
    // grows.
    let row = sqlx::query!(
        r#"with before as (
               select requests from rate_limits where key = $1 and window_start = $3
           ), taken as (
               insert into rate_limits as r (key, window_start, requests)
               select $1::text, $2::timestamptz, 1
               where coalesce((select b.requests from before b), 0) * $4::int8 + $5::int8 <= $6::int8 * $5::int8
               on conflict (key, window_start) do update set requests = r.requests + 1
                   where coalesce((select b.requests from before b), 0) * $4::int8 + (r.requests + 1) * $5::int8
                         <= $6::int8 * $5::int8
               returning r.requests
           )
           select (select t.requests from taken t) as "taken?", (select b.requests from before b) as "before?",
                  (select c.requests from rate_limits c where c.key = $1 and c.window_start = $2) as "seen?""#,
        key,
        window.starts_at().to_sqlx(),
        window.before().to_sqlx(),
        window.rest,
        window.period,
        i64::from(rule.limit),
    )
    .fetch_one(pool)
    .await?;
    let before = i64::from(row.before.unwrap_or(0));
    let allowed = row.taken.is_some();
    let mut current = i64::from(row.taken.or(row.seen).unwrap_or(0));
    if !allowed && rule.fits(&window, before, current) {
        // Others took the last tries while this one waited for the row; what it saw was older.
        current = i64::from(rule.limit);
    }
    Ok(Taken { verdict: rule.verdict(&window, allowed, before, current), key, start: window.starts_at() })
}

/// Gives a try back that was let through.
///
/// # Errors
/// Of the database.
pub async fn give_back(pool: &PgPool, taken: &Taken) -> Result<()> {
    if !taken.verdict.allowed {
        return Ok(());
    }
    sqlx::query!(
        "update rate_limits set requests = requests - 1 where key = $1 and window_start = $2 and requests > 0",
        taken.key,
        taken.start.to_sqlx(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Adds what this instance counted, and answers the totals of all, in the same order. Rows are taken in the order of
/// their keys, so that two instances at once don't wait for each other in a circle.
///
/// # Errors
/// Of the database.
pub async fn flush(pool: &PgPool, deltas: &[Delta]) -> Result<Vec<i64>> {
    let keys: Vec<String> = deltas.iter().map(|delta| delta.key.clone()).collect();
    let starts: Vec<Timestamp> = deltas.iter().map(|delta| delta.start.to_sqlx()).collect();
    let requests: Vec<i32> = deltas.iter().map(|delta| delta.requests).collect();
    let totals = sqlx::query_scalar!(
        r#"with given as (
               select g.key, g.start, g.requests, g.place
               from unnest($1::text[], $2::timestamptz[], $3::int4[]) with ordinality as g (key, start, requests, place)
           ), counted as (
               insert into rate_limits as r (key, window_start, requests)
               select g.key, g.start, g.requests from given g where g.requests > 0 order by g.key, g.start
               on conflict (key, window_start) do update set requests = r.requests + excluded.requests
               returning r.key, r.window_start, r.requests
           )
           select coalesce(c.requests, r.requests, 0)::int8 as "total!"
           from given g
           left join counted c on c.key = g.key and c.window_start = g.start
           left join rate_limits r on r.key = g.key and r.window_start = g.start
           order by g.place"#,
        &keys,
        &starts as &[Timestamp],
        &requests,
    )
    .fetch_all(pool)
    .await?;
    Ok(totals)
}

/// Removes windows that no longer count; how many they were. Addresses of clients are kept no longer than that.
///
/// # Errors
/// Of the database.
pub async fn sweep(pool: &PgPool, now: Instant) -> Result<u64> {
    let names: Vec<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    let oldest: Vec<Timestamp> = RULES.iter().map(|rule| rule.window(now).before().to_sqlx()).collect();
    let done = sqlx::query!(
        "delete from rate_limits where (key, window_start) in (
             select r.key, r.window_start
             from unnest($1::text[], $2::timestamptz[]) as rule (name, oldest)
             join rate_limits r on split_part(r.key, ':', 1) = rule.name and r.window_start < rule.oldest
             for update of r skip locked)",
        &names,
        &oldest as &[Timestamp],
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
