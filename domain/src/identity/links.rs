//! One-time links: the token goes to a mailbox, its SHA-256 stays here. Of many who use one at once, one succeeds.

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Email, sessions::hash_token};
use crate::{Error, Instant, Result};

/// The one answer to a link that is used, expired, cut off, another kind's or never was.
pub(crate) const GONE: &str = "This link has been used or has expired. Ask for a new one.";

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Set a first password, for an account that someone else made.
    FirstPassword,
    /// Show that an address is one's own (AC-08).
    Verify,
    /// Set a new password (AC-09).
    Reset,
    /// Log in without a password (AC-13).
    Magic,
    /// The same, for the owner of a locked account (AC-14).
    Unlock,
    /// Show that the address one changes to is one's own.
    Email,
}

impl Kind {
    /// As stored.
    fn as_str(self) -> &'static str {
        match self {
            Self::FirstPassword => "first_password",
            Self::Verify => "verify",
            Self::Reset => "reset",
            Self::Magic => "magic",
            Self::Unlock => "unlock",
            Self::Email => "email",
        }
    }

    /// How long it can be used.
    fn life(self) -> SignedDuration {
        match self {
            Self::FirstPassword => SignedDuration::from_hours(72),
            Self::Verify | Self::Email => SignedDuration::from_hours(24),
            Self::Reset => SignedDuration::from_hours(1),
            // AC-13 allows 15 minutes, ASVS 6.5.5 ten.
            Self::Magic | Self::Unlock => SignedDuration::from_mins(10),
            // As long as the lock that it opens.
        }
    }

    /// How many may be asked for, and in what time: nobody's mailbox is to be filled from here.
    fn limit(self) -> (i64, SignedDuration) {
        match self {
            Self::Verify => (1, SignedDuration::from_mins(5)),
            Self::Unlock => (3, SignedDuration::from_hours(24)),
            _ => (3, SignedDuration::from_hours(1)),
        }
    }
}

/// A link that has just been used.
#[derive(Debug)]
pub(crate) struct Used {
    /// Whose it was.
    pub(crate) user: Uuid,
    /// The new address, of [`Kind::Email`].
    pub(crate) email: Option<String>,
}

/// The answer to a link that can't be used.
pub(crate) fn gone() -> Error {
    Error::Conflict(GONE.into())
}

/// 256 random bits, in hexadecimal.
pub(crate) fn random_token() -> String {
    rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes a link: its token, which is known to nobody but the one it is mailed to. `email` belongs to [`Kind::Email`].
pub(crate) async fn create(
    conn: &mut PgConnection,
    kind: Kind,
    user: Uuid,
    email: Option<&Email>,
    now: Instant,
) -> Result<String> {
    let token = random_token();
    let expires = now.checked_add(kind.life()).map_err(Error::internal)?;
    sqlx::query!(
        "insert into one_time_links (token_hash, kind, user_id, email, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
        &hash_token(&token)[..],
        kind.as_str(),
        user,
        email.map(Email::as_str),
        now.to_sqlx(),
        expires.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(token)
}

/// Whether one more such link may be sent to the account now. The account stays locked, so that two who ask at once
/// are counted one after the other.
pub(crate) async fn may_send(conn: &mut PgConnection, kind: Kind, user: Uuid, now: Instant) -> Result<bool> {
    // Two statements: the second has to see what was committed while the first one waited.
    sqlx::query_scalar!("select id from users where id = $1 for no key update", user)
        .fetch_optional(&mut *conn)
        .await?;
    has_room(conn, kind, user, now).await
}

/// The same without locking the account, for those who hold other locks already.
pub(crate) async fn has_room(conn: &mut PgConnection, kind: Kind, user: Uuid, now: Instant) -> Result<bool> {
    let (most, period) = kind.limit();
    let since = now.checked_sub(period).map_err(Error::internal)?;
    let row = sqlx::query!(
        r#"select count(*) as "sent!", coalesce(bool_or(used_at is null and expires_at > $4), false) as "open!"
           from one_time_links where user_id = $1 and kind = $2 and created_at > $3"#,
        user,
        kind.as_str(),
        since.to_sqlx(),
        now.to_sqlx(),
    )
    .fetch_one(conn)
    .await?;
    // Whoever asks in an owner's name shall not keep the owner from asking: without an open link there is one more.
    Ok(row.sent < most || (kind == Kind::Magic && !row.open))
}

/// Uses a link of one of these kinds. After an error the transaction must be dropped: a link of another kind isn't spent.
pub(crate) async fn take(conn: &mut PgConnection, kinds: &[Kind], token: &str, now: Instant) -> Result<Used> {
    let row = sqlx::query!(
        "update one_time_links set used_at = $2
         where token_hash = $1 and used_at is null and expires_at > $2 returning kind, user_id, email",
        &hash_token(token)[..],
        now.to_sqlx(),
    )
    .fetch_optional(conn)
    .await?;
    row.filter(|row| kinds.iter().any(|kind| kind.as_str() == row.kind))
        .map(|row| Used { user: row.user_id, email: row.email })
        .ok_or_else(gone)
}

/// Spends every open link of an account: its address or password has changed, or who may use it.
pub(crate) async fn spend_all(conn: &mut PgConnection, user: Uuid, now: Instant) -> Result<()> {
    sqlx::query!(
        "update one_time_links set used_at = $2 where user_id = $1 and used_at is null",
        user,
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Spends the open links of one kind.
pub(crate) async fn spend(conn: &mut PgConnection, kind: Kind, user: Uuid, now: Instant) -> Result<()> {
    sqlx::query!(
        "update one_time_links set used_at = $3 where user_id = $1 and kind = $2 and used_at is null",
        user,
        kind.as_str(),
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn tokens_are_256_bits_and_never_the_same() {
        let tokens: BTreeSet<String> = (0..100).map(|_| random_token()).collect();
        assert_eq!(tokens.len(), 100);
        for token in tokens {
            assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
        }
    }

    #[test]
    fn links_live_as_long_as_is_promised() {
        let hours = |kind: Kind| kind.life().as_mins() as f64 / 60.0;
        assert_eq!(hours(Kind::FirstPassword), 72.0);
        assert_eq!(hours(Kind::Verify), 24.0);
        assert_eq!(hours(Kind::Email), 24.0);
        assert_eq!(hours(Kind::Reset), 1.0);
        assert_eq!((Kind::Magic.life().as_mins(), Kind::Unlock.life().as_mins()), (10, 10));
    }
}
