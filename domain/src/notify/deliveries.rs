//! The delivery page (NT-05): each message, its state, its error; and sending a failed one again.

use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{State, too_late};
use crate::{
    Error, Instant, Result,
    audit::{self, Entry},
    authz::{Action, PlatformScope, TenantScope},
    ids::PLATFORM,
    paging::{ListQuery, Page},
};

/// A message in the list.
#[derive(Clone, Debug)]
pub struct DeliveryRow {
    /// Id.
    pub id: Uuid,
    /// Which message it is: `booking_made`.
    pub kind: String,
    /// To whom.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// Where it stands.
    pub state: State,
    /// How often it was tried.
    pub attempts: i32,
    /// Whether it may have arrived more than once, because a server's answer was lost.
    pub uncertain: bool,
    /// What went wrong last.
    pub error: Option<String>,
    /// When it was written.
    pub created_at: Instant,
    /// When a mail server took it.
    pub sent_at: Option<Instant>,
    /// When it is tried again, while it waits.
    pub next_attempt_at: Instant,
    /// From when on it is of no use, if it ever is: its link is over, or what it reminds of has begun.
    pub valid_until: Option<Instant>,
}

impl DeliveryRow {
    /// Whether that has come, so that sending it again would be of no use.
    pub fn expired(&self, now: Instant) -> bool {
        self.valid_until.is_some_and(|until| until <= now)
    }
}

/// The school's messages, the newest first, searched by recipient and subject; of one state or all (empty). Sorted by
/// `created`, `recipient` or `subject`.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn list(scope: &mut TenantScope, query: &ListQuery, state: &str) -> Result<Page<DeliveryRow>> {
    scope.require(Action::ViewOutbox)?;
    let (tenant, conn) = scope.conn();
    page(conn, tenant, query, state).await
}

/// The same for messages to the holders of accounts, which are no school's.
///
/// # Errors
/// Of the database.
pub async fn list_platform(
    scope: &mut PlatformScope,
    query: &ListQuery,
    state: &str,
) -> Result<Page<DeliveryRow>> {
    page(scope.conn(), PLATFORM, query, state).await
}

async fn page(
    conn: &mut PgConnection,
    tenant: Uuid,
    query: &ListQuery,
    state: &str,
) -> Result<Page<DeliveryRow>> {
    let state = State::parse(state).map(State::as_str);
    // Without a word about the order the newest comes first.
    let (sort, desc) =
        if query.sort.is_empty() { ("created", true) } else { (query.sort.as_str(), query.desc) };
    let rows = sqlx::query!(
        r#"with matching as (
               select id from outbox
               where tenant_id = $1 and ($2::text is null or state = $2)
                 and ($3::text is null or recipient ilike $3 or subject ilike $3)
           )
           select o.id, o.kind, o.recipient, o.subject, o.state, o.attempts, o.uncertain, o.error, o.created_at,
                  o.sent_at, o.next_attempt_at, o.valid_until, (select count(*) from matching) as "total!"
           from outbox o join matching m on m.id = o.id
           where o.tenant_id = $1
           order by case when $4 = 'recipient' and not $5 then o.recipient
                         when $4 = 'subject' and not $5 then lower(o.subject) end,
                    case when $4 = 'recipient' and $5 then o.recipient
                         when $4 = 'subject' and $5 then lower(o.subject) end desc,
                    case when $4 not in ('recipient', 'subject') and not $5 then o.created_at end,
                    o.created_at desc, o.id
           limit $6
           offset least($7::bigint, greatest(0, (select count(*) - 1 from matching) / $6 * $6))"#,
        tenant,
        state,
        query.pattern(),
        sort,
        desc,
        query.limit(),
        query.offset(),
    )
    .fetch_all(conn)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(DeliveryRow {
            id: row.id,
            kind: row.kind,
            recipient: row.recipient,
            subject: row.subject,
            state: State::parse(&row.state).ok_or_else(|| Error::internal("unknown state of a message"))?,
            attempts: row.attempts,
            uncertain: row.uncertain,
            error: row.error,
            created_at: row.created_at.to_jiff(),
            sent_at: row.sent_at.map(|at| at.to_jiff()),
            next_attempt_at: row.next_attempt_at.to_jiff(),
            valid_until: row.valid_until.map(|at| at.to_jiff()),
        });
    }
    Ok(Page::new(items, total, query))
}

/// Gives a failed message all its attempts back, the first at once.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for one that hasn't failed, or that is of no use any more.
pub async fn resend(scope: &mut TenantScope, id: Uuid) -> Result<()> {
    scope.require(Action::ResendMail)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let entry = revive(conn, tenant, id, now).await?;
    audit::record(scope, entry).await
}

/// The same for a message to the holder of an account.
///
/// # Errors
/// As [`resend`].
pub async fn resend_platform(scope: &mut PlatformScope, id: Uuid) -> Result<()> {
    let now = scope.now();
    let entry = revive(scope.conn(), PLATFORM, id, now).await?;
    audit::record_platform(scope, PLATFORM, entry).await
}

async fn revive(conn: &mut PgConnection, tenant: Uuid, id: Uuid, now: Instant) -> Result<Entry<'static>> {
    let before = sqlx::query!(
        "select kind, state, attempts, error, valid_until from outbox where tenant_id = $1 and id = $2 for update",
        tenant,
        id,
    )
    .fetch_optional(&mut *conn)
    .await?
    .ok_or(Error::NotFound)?;
    if State::parse(&before.state) != Some(State::Dead) {
        return Err(Error::Conflict("Only a failed message can be sent again.".into()));
    }
    if before.valid_until.is_some_and(|until| until.to_jiff() <= now) {
        let next =
            if before.kind == "reminder" { "There is nothing to remind of." } else { "Ask for a new one." };
        return Err(Error::Conflict(format!("{} {next}", too_late(&before.kind))));
    }
    sqlx::query!(
        "update outbox set state = 'waiting', attempts = 0, error = null, next_attempt_at = $3
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(Entry {
        action: Action::ResendMail.as_str(),
        entity: "message",
        entity_id: Some(id),
        before: Some(json!({ "state": "dead", "attempts": before.attempts, "error": before.error })),
        after: Some(json!({ "state": "waiting", "kind": before.kind })),
        reason: None,
    })
}
