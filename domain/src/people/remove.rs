//! Taking people out of the school's lists, and bringing them back (PR-01). Nothing is erased: lessons that took place
//! keep their names.

use jiff_sqlx::ToSqlx;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

pub use super::import::Kind;
use crate::{
    Error, Instant, Result, audit,
    authz::{Action, Reach, TenantScope},
    booking::writes::lock_subjects,
    paging::{ListQuery, Page},
    tenancy::parse_reason,
};

/// Someone who was removed, in the list of those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedRow {
    /// The record's id.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// E-mail, when known.
    pub email: Option<String>,
    /// Since when.
    pub removed_at: Instant,
}

/// A record, locked, with what decides whether it can be removed or restored.
struct Found {
    name: String,
    email: Option<String>,
    removed_at: Option<jiff_sqlx::Timestamp>,
    /// Lessons still to come.
    ahead: i64,
    /// Applied to teach and has no answer yet.
    waits: bool,
    /// Someone else of the same kind has the e-mail address.
    taken: bool,
}

struct Listed {
    id: Uuid,
    name: String,
    email: Option<String>,
    removed_at: jiff_sqlx::Timestamp,
    total: i64,
}

/// The same statement for the table of either kind.
macro_rules! of_kind {
    ($kind:expr, $row:ident, $fetch:ident($conn:expr), $before:tt, $after:tt, $($arg:expr),+ $(,)?) => {
        match $kind {
            Kind::Instructor => {
                sqlx::query_as!($row, $before + "instructors" + $after, $($arg),+).$fetch($conn).await?
            }
            Kind::Student => {
                sqlx::query_as!($row, $before + "students" + $after, $($arg),+).$fetch($conn).await?
            }
        }
    };
}

/// A kind as a form names it.
///
/// # Errors
/// [`Error::NotFound`].
pub fn parse_kind(text: &str) -> Result<Kind> {
    [Kind::Instructor, Kind::Student].into_iter().find(|kind| kind.as_str() == text).ok_or(Error::NotFound)
}

/// Whether the actor may remove people, and so see who was.
pub fn may_remove(scope: &TenantScope) -> bool {
    scope.actor().reach(Action::RemovePeople) == Reach::All
}

/// Those who were removed: the latest first, or by `name`.
pub async fn removed(scope: &mut TenantScope, kind: Kind, query: &ListQuery) -> Result<Page<RemovedRow>> {
    require(scope)?;
    let (tenant, conn) = scope.conn();
    let rows = of_kind!(
        kind,
        Listed,
        fetch_all(conn),
        "with hits as (select id, name, email, deleted_at from ",
        r#" where tenant_id = $1 and deleted_at is not null
                 and ($2::text is null or name ilike $2 or email ilike $2))
           select h.id as "id!", h.name as "name!", h.email as "email?", h.deleted_at as "removed_at!",
                  (select count(*) from hits) as "total!"
           from hits h
           order by case when $3::text = 'name' and not $4::bool then lower(h.name) end,
                    case when $3 = 'name' and $4 then lower(h.name) end desc,
                    h.deleted_at desc, h.id
           limit $5
           offset least($6::bigint, greatest(0, (select count(*) - 1 from hits) / $5 * $5))"#,
        tenant,
        query.pattern(),
        query.sort,
        query.desc,
        query.limit(),
        query.offset(),
    );
    let total = rows.first().map_or(0, |row| row.total);
    let items = rows
        .into_iter()
        .map(|row| RemovedRow {
            id: row.id,
            name: row.name,
            email: row.email,
            removed_at: row.removed_at.to_jiff(),
        })
        .collect();
    Ok(Page::new(items, total, query))
}

/// Takes someone out of the school; says their name. Their membership ends with it, and so does an open invite.
///
/// # Errors
/// [`Error::Conflict`] while they have lessons to come, or wait for an answer.
pub async fn remove(scope: &mut TenantScope, kind: Kind, id: Uuid, reason: &str) -> Result<String> {
    require(scope)?;
    let reason = parse_reason(reason)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let found = lock(conn, tenant, kind, id, now).await?;
    if found.removed_at.is_some() {
        return Err(Error::Conflict(format!("{} is removed already.", found.name)));
    }
    if found.waits {
        return Err(Error::Conflict(format!("{} waits for an answer. Reject them instead.", found.name)));
    }
    if found.ahead > 0 {
        let lesson = &scope.tenant().words().lesson;
        let plural = if found.ahead == 1 { "" } else { "s" };
        return Err(Error::Conflict(format!("Cancel their {} {lesson}{plural} first.", found.ahead)));
    }
    let (tenant, conn) = scope.conn();
    set_removed(conn, tenant, kind, id, Some(now)).await?;
    let (member, invites) = end_membership(conn, tenant, kind, id, found.email.as_deref(), now).await?;
    let mut before = json!({ "name": found.name });
    let mut after = json!({});
    if let Some(user) = member {
        before["membership"] = membership(user, "active");
        after["membership"] = membership(user, "revoked");
    }
    if !invites.is_empty() {
        after["invites_revoked"] = json!(invites);
    }
    let entry = audit::Entry {
        action: Action::RemovePeople.as_str(),
        entity: kind.as_str(),
        entity_id: Some(id),
        before: Some(before),
        after: Some(after),
        reason: Some(&reason),
    };
    audit::record(scope, entry).await?;
    Ok(found.name)
}

/// Brings someone back, with the membership that ended when they were removed; says their name.
///
/// # Errors
/// [`Error::Conflict`] when someone else has their e-mail address now, or no seat of the school is left for them.
pub async fn restore(scope: &mut TenantScope, kind: Kind, id: Uuid, reason: &str) -> Result<String> {
    require(scope)?;
    let reason = parse_reason(reason)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let found = lock(conn, tenant, kind, id, now).await?;
    let Some(since) = found.removed_at else {
        return Err(Error::Conflict(format!("{} is not removed.", found.name)));
    };
    if found.taken {
        let message = format!(
            "{} has the e-mail address of someone else in the list now. Remove that one first.",
            found.name
        );
        return Err(Error::Conflict(message));
    }
    set_removed(conn, tenant, kind, id, None).await?;
    let released = match kind {
        Kind::Student => release_taken_seats(conn, tenant, id).await?,
        Kind::Instructor => Vec::new(),
    };
    // Only what ended at the same moment: someone whom the team removed before stays removed. With an account that is
    // gone it waits for the account.
    let member = sqlx::query!(
        "update memberships m
         set status = case when u.deleted_at is null then 'active' else 'revoked' end,
             revoked_with_user = u.deleted_at is not null, updated_at = $4
         from users u
         where m.tenant_id = $1 and m.person_id = $2 and m.role = $3 and m.status = 'revoked'
           and not m.revoked_with_user and m.updated_at = $5 and u.id = m.user_id
         returning m.user_id, m.status",
        tenant,
        id,
        kind.as_str(),
        now.to_sqlx(),
        since,
    )
    .fetch_optional(conn)
    .await?;
    let mut after = json!({ "name": found.name });
    let before = member.map(|row| {
        after["membership"] = membership(row.user_id, &row.status);
        json!({ "membership": membership(row.user_id, "revoked") })
    });
    if !released.is_empty() {
        after["seats_released"] = json!(released);
    }
    let entry = audit::Entry {
        action: "people.restore",
        entity: kind.as_str(),
        entity_id: Some(id),
        before,
        after: Some(after),
        reason: Some(&reason),
    };
    audit::record(scope, entry).await?;
    Ok(found.name)
}

fn require(scope: &TenantScope) -> Result<()> {
    if scope.require(Action::RemovePeople)? == Reach::All { Ok(()) } else { Err(Error::NotFound) }
}

/// For the record.
fn membership(user: Uuid, status: &str) -> Value {
    json!({ "user": user, "status": status })
}

/// The record of one person, who stays as they are until the transaction ends: nobody books a lesson with them
/// meanwhile.
async fn lock(conn: &mut PgConnection, tenant: Uuid, kind: Kind, id: Uuid, now: Instant) -> Result<Found> {
    lock_subjects(&mut *conn, tenant, &[id]).await?;
    let found = of_kind!(
        kind,
        Found,
        fetch_optional(conn),
        r#"select p.name, p.email, p.deleted_at as removed_at,
                  (select count(*) from bookings b
                   where b.tenant_id = $1 and (b.instructor_id = $2 or b.student_id = $2) and b.starts_at > $3
                     and b.status in ('requested', 'confirmed')) as "ahead!",
                  exists (select from memberships m
                          where m.tenant_id = $1 and m.person_id = $2 and m.role = $4 and m.status = 'pending')
                      as "waits!",
                  case $4 when 'instructor' then
                      exists (select from instructors o where o.tenant_id = $1 and o.email = p.email
                                and o.deleted_at is null and o.id <> $2)
                  else
                      exists (select from students o where o.tenant_id = $1 and o.email = p.email
                                and o.deleted_at is null and o.id <> $2)
                  end as "taken!"
           from "#,
        " p where p.tenant_id = $1 and p.id = $2 for update",
        tenant,
        id,
        now.to_sqlx(),
        kind.as_str(),
    );
    found.ok_or(Error::NotFound)
}

async fn set_removed(
    conn: &mut PgConnection,
    tenant: Uuid,
    kind: Kind,
    id: Uuid,
    at: Option<Instant>,
) -> Result<()> {
    let at = at.map(|at| at.to_sqlx());
    match kind {
        Kind::Instructor => {
            sqlx::query!(
                "update instructors set deleted_at = $3 where tenant_id = $1 and id = $2",
                tenant,
                id,
                at
            )
            .execute(conn)
            .await?
        }
        Kind::Student => {
            sqlx::query!(
                "update students set deleted_at = $3 where tenant_id = $1 and id = $2",
                tenant,
                id,
                at
            )
            .execute(conn)
            .await?
        }
    };
    Ok(())
}

/// Ends the membership of someone who is removed, at the moment by which `restore` finds it again, and the invite that
/// would make another one: whose it was, and the invites.
async fn end_membership(
    conn: &mut PgConnection,
    tenant: Uuid,
    kind: Kind,
    id: Uuid,
    email: Option<&str>,
    now: Instant,
) -> Result<(Option<Uuid>, Vec<Uuid>)> {
    let member = sqlx::query_scalar!(
        "update memberships set status = 'revoked', updated_at = $4
         where tenant_id = $1 and person_id = $2 and role = $3 and status = 'active' returning user_id",
        tenant,
        id,
        kind.as_str(),
        now.to_sqlx(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let invites = sqlx::query_scalar!(
        "update invites set revoked_at = $4
         where tenant_id = $1 and email = $2 and role = $3 and used_at is null and revoked_at is null returning id",
        tenant,
        email,
        kind.as_str(),
        now.to_sqlx(),
    )
    .fetch_all(conn)
    .await?;
    Ok((member, invites))
}

/// A student who comes back keeps their seats with instructors who have room; the other ones were given away. Whose those
/// were.
async fn release_taken_seats(conn: &mut PgConnection, tenant: Uuid, student: Uuid) -> Result<Vec<Uuid>> {
    let released = sqlx::query_scalar!(
        "update mentees m set seat = 'released'
         from instructors i
         where m.tenant_id = $1 and m.student_id = $2 and m.seat = 'active'
           and i.tenant_id = $1 and i.id = m.instructor_id
           and i.seats <= (select count(*) from mentees o
                           join students s on s.tenant_id = $1 and s.id = o.student_id and s.deleted_at is null
                           where o.tenant_id = $1 and o.instructor_id = i.id and o.seat = 'active'
                             and o.student_id <> $2)
         returning m.instructor_id",
        tenant,
        student,
    )
    .fetch_all(conn)
    .await?;
    Ok(released)
}
