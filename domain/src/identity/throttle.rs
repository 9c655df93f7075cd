//! The growing delay and the soft lock against guessing (AC-14).
//!
//! A try is counted before it is checked, so that a hundred at once aren't a hundred guesses; success takes the count
//! away. Passwords are counted twice: by what was typed, which answers with the time to wait, and by account, which
//! keeps silent. So one account's e-mail and phone share their ten tries, and yet trying one of them tells nothing about
//! the other.

use jiff_sqlx::ToSqlx;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Email;
use crate::{Error, Instant, Result};

/// Failures that lock.
pub(crate) const LOCK_AT: i32 = 10;
/// Seconds of the lock.
const LOCK: f64 = 900.0;
/// For people.
const TOO_MANY: &str = "Too many tries. Wait a little, then try again.";

/// What failures are counted by.
pub(crate) type Key = [u8; 32];

/// Whether a try may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It may; it would be the n-th failure in a row.
    Taken(i32),
    /// Not for so many seconds.
    Blocked(u64),
}

/// What happens to the count when a lock has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// It starts again: a stranger who guesses shall not keep the owner out.
    Forgive,
    /// The next failure locks at once: six digits are few, and who guesses them knows the password.
    Remember,
}

/// Seconds to wait after so many failures in a row.
fn delay(failures: i32) -> f64 {
    match failures {
        ..=2 => 0.0,
        3..=8 => f64::from(1 << (failures - 3)),
        9 => 60.0,
        _ => LOCK,
    }
}

fn key(area: &str, what: &[u8]) -> Key {
    let mut hasher = Sha256::new();
    hasher.update(area.as_bytes());
    hasher.update(b"/");
    hasher.update(what);
    hasher.finalize().into()
}

/// Passwords of an account.
pub(crate) fn account(user: Uuid) -> Key {
    key("account", user.as_bytes())
}

/// In place of an account's key where there is none, so that both cost the same.
pub(crate) fn nobody(typed: &Key) -> Key {
    key("nobody", typed)
}

/// Second factors of an account.
pub(crate) fn code(user: Uuid) -> Key {
    key("code", user.as_bytes())
}

/// Passwords asked for within a session or by a link to verify, which strangers can't use up.
pub(crate) fn proof(user: Uuid) -> Key {
    key("proof", user.as_bytes())
}

/// What was typed to log in: an e-mail, a phone number by its blind index, or neither.
pub(crate) fn typed(email: Option<&Email>, phone_index: Option<&[u8]>, text: &str) -> Key {
    match (email, phone_index) {
        (Some(email), _) => key("email", email.as_str().as_bytes()),
        (None, Some(index)) => key("phone", index),
        (None, None) => key("text", text.trim().to_lowercase().as_bytes()),
    }
}

/// The refusal of a blocked try.
pub(crate) fn too_many(seconds: u64) -> Error {
    Error::TooMany { seconds, message: TOO_MANY }
}

/// Counts a try as failed before it is known, if one may be made now.
pub(crate) async fn reserve(conn: &mut PgConnection, key: &Key, now: Instant, after: After) -> Result<Turn> {
    let delays: Vec<f64> = (1..=LOCK_AT).map(delay).collect();
    let failures = sqlx::query_scalar!(
        "insert into throttles as t (key, failures, last_at, blocked_until) values ($1, 1, $2, $2)
         on conflict (key) do update set
             failures = case when $4::bool and t.failures >= $5::int then 1 else t.failures + 1 end,
             last_at = excluded.last_at,
             blocked_until = excluded.last_at + make_interval(secs =>
                 ($3::float8[])[least(case when $4 and t.failures >= $5 then 1 else t.failures + 1 end, $5)])
         where t.blocked_until <= excluded.last_at
         returning t.failures",
        &key[..],
        now.to_sqlx(),
        &delays[..],
        after == After::Forgive,
        LOCK_AT,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(failures) = failures {
        return Ok(Turn::Taken(failures));
    }
    let until = sqlx::query_scalar!("select blocked_until from throttles where key = $1", &key[..])
        .fetch_optional(conn)
        .await?;
    Ok(Turn::Blocked(until.map_or(1, |until| seconds_until(now, until.to_jiff()))))
}

/// Whole seconds, rounded up, at least one.
fn seconds_until(now: Instant, then: Instant) -> u64 {
    let millis = u64::try_from(then.duration_since(now).as_millis()).unwrap_or(0);
    millis.div_ceil(1000).max(1)
}

/// Takes counts away, in the order in which [`reserve`] is called, so that neither waits for the other for ever: what
/// was typed before whose it is.
pub(crate) async fn clear(conn: &mut PgConnection, keys: &[Key]) -> Result<()> {
    for key in keys {
        sqlx::query!("delete from throttles where key = $1", &key[..]).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Lets the owner of an account in again who came by a mailed link. Codes are counted on: who has the mailbox alone gets
/// one try by link, not ten.
pub(crate) async fn clear_account(conn: &mut PgConnection, user: Uuid, now: Instant) -> Result<()> {
    let row = sqlx::query!("select email, phone_index from users where id = $1", user)
        .fetch_optional(&mut *conn)
        .await?;
    let mut keys = Vec::new();
    if let Some(row) = row {
        keys.push(key("email", row.email.as_bytes()));
        keys.extend(row.phone_index.map(|index| key("phone", &index)));
    }
    keys.extend([account(user), proof(user)]);
    clear(conn, &keys).await?;
    sqlx::query!(
        "update throttles set blocked_until = $2 where key = $1 and blocked_until > $2",
        &code(user)[..],
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn the_delay_grows_and_then_locks() {
        let delays: Vec<f64> = (0..=12).map(delay).collect();
        assert_eq!(delays, [0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 900.0, 900.0, 900.0]);
        assert!(delays.is_sorted());
    }

    #[test]
    fn keys_differ_by_what_they_count() {
        let user = Uuid::from_u128(7);
        let email = Email::parse("a@b.test").unwrap();
        let by_email = typed(Some(&email), None, "A@B.test ");
        let keys = [
            account(user),
            code(user),
            proof(user),
            by_email,
            nobody(&by_email),
            typed(None, Some(b"index"), "+27 82 123 4567"),
            typed(None, None, "sipho"),
        ];
        for (i, a) in keys.iter().enumerate() {
            assert!(keys.iter().skip(i + 1).all(|b| a != b), "{i}");
        }
        assert_eq!(typed(None, None, "sipho"), typed(None, None, "  SIPHO "));
    }

    #[test]
    fn the_wait_is_rounded_up() {
        let now: Instant = "2027-01-12T07:30:00Z".parse().unwrap();
        let after = |millis| seconds_until(now, now + SignedDuration::from_millis(millis));
        assert_eq!((after(1), after(1000), after(1001), after(900_000)), (1, 1, 2, 900));
        assert_eq!(seconds_until(now, now - SignedDuration::from_secs(5)), 1);
    }
}
