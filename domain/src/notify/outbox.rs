//! SQL of the outbox.

use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Claim, Delivery, Mail, NO_SERVER, State};
use crate::{
    Error, Instant, Result,
    authz::TenantScope,
    db::ActAs,
    ids::{BookingId, PLATFORM},
    vault::Vault,
};

/// What a token in `outbox.secret` is sealed for.
pub(super) const SECRET: &str = "outbox.secret";
/// How long a worker may be silent before another one takes its messages.
pub(super) const LEASE: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);
/// Messages under way at once by a school's own mail server: one that answers slowly must not hold every lane.
const BY_OWN_SERVER: i64 = 2;

/// Writes a message of the scope's school; it goes out once the scope is committed.
///
/// # Errors
/// Of the database.
pub async fn enqueue(
    scope: &mut TenantScope,
    to: &str,
    mail: &Mail,
    token: Option<&str>,
    booking: Option<BookingId>,
) -> Result<Uuid> {
    let (now, vault) = (scope.now(), scope.vault().clone());
    let (tenant, conn) = scope.conn();
    insert(conn, &vault, now, tenant, to, mail, (token, booking)).await
}

/// Writes a message to the holder of an account. `conn` acts as the platform.
pub(crate) async fn enqueue_account(
    conn: &mut PgConnection,
    vault: &Vault,
    now: Instant,
    to: &str,
    mail: &Mail,
    token: Option<&str>,
) -> Result<Uuid> {
    insert(conn, vault, now, PLATFORM, to, mail, (token, None)).await
}

/// Writes a message of a school. `conn` acts as the platform.
pub(crate) async fn enqueue_for(
    conn: &mut PgConnection,
    vault: &Vault,
    now: Instant,
    tenant: Uuid,
    to: &str,
    mail: &Mail,
    token: Option<&str>,
) -> Result<Uuid> {
    insert(conn, vault, now, tenant, to, mail, (token, None)).await
}

async fn insert(
    conn: &mut PgConnection,
    vault: &Vault,
    now: Instant,
    tenant: Uuid,
    to: &str,
    mail: &Mail,
    (token, booking): (Option<&str>, Option<BookingId>),
) -> Result<Uuid> {
    // Any of the ids that are ordered by time will do.
    let id = BookingId::new(now).0;
    let secret = token.map(|token| vault.seal(SECRET, id, token, now)).transpose()?;
    let data = serde_json::to_value(mail).map_err(Error::internal)?;
    let valid_until = mail.valid_until(now);
    sqlx::query!(
        "insert into outbox (tenant_id, id, kind, recipient, subject, data, secret, booking_id, next_attempt_at, created_at,
                             valid_until)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)",
        tenant,
        id,
        mail.kind(),
        to,
        mail.subject(),
        data,
        secret,
        booking.map(|id| id.0),
        now.to_sqlx(),
        valid_until.map(|at| at.to_sqlx()),
    )
    .execute(conn)
    .await?;
    Ok(id)
}

/// A message that a worker has taken, with all that sending it needs.
pub(super) struct Claimed {
    pub(super) tenant_id: Uuid,
    pub(super) id: Uuid,
    pub(super) attempts: i32,
    pub(super) kind: String,
    pub(super) recipient: String,
    pub(super) data: Value,
    pub(super) secret: Option<String>,
    pub(super) created_at: jiff_sqlx::Timestamp,
    pub(super) valid_until: Option<jiff_sqlx::Timestamp>,
    pub(super) school: Option<String>,
    pub(super) school_status: Option<String>,
    pub(super) host: Option<String>,
    pub(super) port: Option<i32>,
    pub(super) security: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) from_email: Option<String>,
    pub(super) from_name: Option<String>,
}

/// Takes the rows that `$which` locks; the lease is `$1`.
macro_rules! claim {
    ($which:tt, $($arg:expr),+ $(,)?) => {
        sqlx::query_as!(
            Claimed,
            "with "
                + $which
                + r#" update outbox o
                      set state = 'sending', lease_until = $1, handed_over = false, attempts = o.attempts + 1
                      from taken k
                      left join tenants t on t.id = k.tenant_id
                      left join tenant_mail m on m.tenant_id = k.tenant_id
                      where o.tenant_id = k.tenant_id and o.id = k.id
                      returning o.tenant_id, o.id, o.attempts, o.kind, o.recipient, o.data, o.secret, o.created_at,
                                o.valid_until, t.name as "school?", t.status as "school_status?", m.host as "host?",
                                m.port as "port?", m.security as "security?", m.username as "username?",
                                m.password as "password?", m.from_email as "from_email?", m.from_name as "from_name?""#,
            $($arg),+
        )
    };
}

/// Takes at most `most` messages that are due, the schools in turn and few of those with a server of their own, so that
/// one with a long list or a mail server that hangs doesn't keep the others waiting. Without a platform server, those of
/// schools with their own.
pub(super) async fn claim(
    conn: &mut PgConnection,
    now: Instant,
    configured: bool,
    most: usize,
) -> Result<Vec<Claimed>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    // One worker at a time, until it has committed: two would count the same messages under way, and take twice as many.
    sqlx::query!(r#"select count(pg_advisory_xact_lock(hashtextextended('outbox', 0))) as "n!""#)
        .fetch_one(&mut *conn)
        .await?;
    Ok(claim!(
        "recursive school as (
             (select o.tenant_id from outbox o where o.state = 'waiting' order by o.tenant_id limit 1)
             union all
             select (select o.tenant_id from outbox o where o.state = 'waiting' and o.tenant_id > s.tenant_id
                     order by o.tenant_id limit 1)
             from school s where s.tenant_id is not null
         ), room as (
             select s.tenant_id,
                    case when m.tenant_id is null then $4::bigint
                         else $5::bigint - (select count(*) from outbox o
                                            where o.tenant_id = s.tenant_id and o.state = 'sending') end as free
             from school s left join tenant_mail m on m.tenant_id = s.tenant_id
             where s.tenant_id is not null and ($3::boolean or m.tenant_id is not null)
         ), due as (
             select r.tenant_id, d.id, d.next_attempt_at, d.place
             from room r cross join lateral (
                 select o.id, o.next_attempt_at, row_number() over (order by o.next_attempt_at, o.id) as place
                 from outbox o
                 where o.tenant_id = r.tenant_id and o.state = 'waiting' and o.next_attempt_at <= $2::timestamptz
                 order by o.next_attempt_at, o.id limit $4::bigint
             ) d
             where d.place <= r.free
         ), next as (
             select tenant_id, id from due order by place, next_attempt_at, id limit $4::bigint
         ), taken as (
             select o.tenant_id, o.id from outbox o join next n on n.tenant_id = o.tenant_id and n.id = o.id
             where o.state = 'waiting' for update of o skip locked
         )",
        lease(now).to_sqlx(),
        now.to_sqlx(),
        configured,
        most,
        BY_OWN_SERVER,
    )
    .fetch_all(conn)
    .await?)
}

/// Takes one message, when it is due and nobody else has it. Someone waits for it, and it takes no lane from others.
pub(super) async fn claim_one(
    conn: &mut PgConnection,
    now: Instant,
    configured: bool,
    (tenant, id): (Uuid, Uuid),
) -> Result<Option<Claimed>> {
    Ok(claim!(
        "taken as (
             select o.tenant_id, o.id from outbox o
             where o.tenant_id = $4 and o.id = $5 and o.state = 'waiting' and o.next_attempt_at <= $2::timestamptz
               and ($3::boolean or exists (select from tenant_mail m where m.tenant_id = o.tenant_id))
             for update of o skip locked
         )",
        lease(now).to_sqlx(),
        now.to_sqlx(),
        configured,
        tenant,
        id,
    )
    .fetch_optional(conn)
    .await?)
}

fn lease(now: Instant) -> Instant {
    now.checked_add(LEASE).unwrap_or(now)
}

/// Commits that the text is about to be handed over; false when the message is no longer this worker's.
pub(super) async fn hand_over(claim: &Claim) -> Result<bool> {
    let mut tx = claim.db.begin(ActAs::Platform, None).await?;
    let done = sqlx::query!(
        "update outbox set handed_over = true, lease_until = $4
         where tenant_id = $1 and id = $2 and state = 'sending' and attempts = $3",
        claim.tenant,
        claim.id,
        claim.attempt,
        lease(claim.clock.now()).to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

/// A message whose worker has been silent for too long.
pub(super) struct Abandoned {
    pub(super) tenant_id: Uuid,
    pub(super) id: Uuid,
    pub(super) attempts: i32,
    pub(super) kind: String,
    pub(super) handed_over: bool,
}

/// Locks messages whose lease is over. In one order, for their schools' audits are locked after them.
pub(super) async fn abandoned(conn: &mut PgConnection, now: Instant) -> Result<Vec<Abandoned>> {
    Ok(sqlx::query_as!(
        Abandoned,
        "select tenant_id, id, attempts, kind, handed_over from outbox
         where state = 'sending' and lease_until <= $1
         order by tenant_id, id limit 100 for update skip locked",
        now.to_sqlx(),
    )
    .fetch_all(conn)
    .await?)
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) state: State,
    /// When to try again.
    pub(super) next: Option<Instant>,
    /// What to show; none leaves what is there.
    pub(super) error: Option<String>,
    /// It may have arrived all the same.
    pub(super) uncertain: bool,
}

/// Writes how attempt `attempt` of a message ended; false when the message is no longer this worker's. What is shown of
/// a lost answer stays, even when a later attempt succeeds.
pub(super) async fn settle(
    conn: &mut PgConnection,
    (tenant, id, attempt): (Uuid, Uuid, i32),
    ending: &Ending,
    now: Instant,
) -> Result<bool> {
    let done = sqlx::query!(
        "update outbox
         set state = $4, lease_until = null, handed_over = false,
             uncertain = uncertain or $5,
             error = case when $4 = 'sent' and not uncertain then null else coalesce($6, error) end,
             next_attempt_at = coalesce($7, next_attempt_at),
             sent_at = case when $4 = 'sent' then $8::timestamptz end,
             secret = case when $4 = 'sent' then null else secret end
         where tenant_id = $1 and id = $2 and state = 'sending' and attempts = $3",
        tenant,
        id,
        attempt,
        ending.state.as_str(),
        ending.uncertain,
        ending.error,
        ending.next.map(|at| at.to_sqlx()),
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes beside an invite that waits that there is no server to send it by; false when that, or worse, is known already.
pub(super) async fn no_server(conn: &mut PgConnection, (tenant, id): (Uuid, Uuid)) -> Result<bool> {
    let done = sqlx::query!(
        "update outbox set error = $3
         where tenant_id = $1 and id = $2 and kind = 'invite' and state = 'waiting' and error is null",
        tenant,
        id,
        NO_SERVER,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Where a message stands, and whether its school has a mail server of its own.
pub(super) async fn delivery(
    conn: &mut PgConnection,
    (tenant, id): (Uuid, Uuid),
) -> Result<Option<(Delivery, bool)>> {
    let row = sqlx::query!(
        r#"select o.state, o.error, exists (select from tenant_mail m where m.tenant_id = o.tenant_id) as "own!"
           from outbox o where o.tenant_id = $1 and o.id = $2"#,
        tenant,
        id,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let state = State::parse(&row.state).ok_or_else(|| Error::internal("unknown state of a message"))?;
        Ok((Delivery { state, error: row.error }, row.own))
    })
    .transpose()
}
