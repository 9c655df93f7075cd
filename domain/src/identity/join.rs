//! Joining a school that takes people by themselves: students at once, instructors once the school has verified them.

use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Phone, account::in_person};
use crate::{
    Error, Instant, Result,
    audit::{self, Entry},
    authz::{Caller, Role, UserScope},
    db::Db,
    ids::{InstructorId, StudentId},
    vault::Vault,
};

/// The answer for a school that isn't there, is closed, or takes nobody by themselves.
pub(super) const CLOSED: &str = "This school isn't open for registration. Ask it for an invite.";

/// A school that takes people by themselves.
#[derive(Debug)]
pub(super) struct OpenSchool {
    pub(super) id: Uuid,
    pub(super) name: String,
}

/// Who joins.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) user: Uuid,
    pub(super) name: &'a str,
    pub(super) email: &'a str,
    pub(super) phone: Option<&'a Phone>,
    pub(super) teaches: bool,
}

/// A school that was joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Its name.
    pub tenant_name: String,
    /// Whether the school has to verify the instructor first.
    pub pending: bool,
}

/// Address and name of the schools that take people by themselves, by name.
///
/// # Errors
/// Of the database.
pub async fn open_schools(db: &Db) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        "select slug, name from tenants where status = 'active' and open_registration order by lower(name), id"
    )
    .fetch_all(db.pool())
    .await?;
    Ok(rows.into_iter().map(|row| (row.slug, row.name)).collect())
}

/// Whether a school takes people by themselves now.
pub(super) async fn is_open(db: &Db, slug: &str) -> Result<bool> {
    if slug.contains('\0') {
        // Postgres can't even be asked.
        return Ok(false);
    }
    let open = sqlx::query_scalar!(
        r#"select exists (select from tenants where slug = $1 and status = 'active' and open_registration) as "open!""#,
        slug,
    )
    .fetch_one(db.pool())
    .await?;
    Ok(open)
}

/// A school that takes people by themselves, held so until the end of the transaction. `conn` acts as the platform.
pub(super) async fn hold_open(conn: &mut PgConnection, slug: &str) -> Result<Option<OpenSchool>> {
    if slug.contains('\0') {
        return Ok(None);
    }
    let row = sqlx::query_as!(
        OpenSchool,
        "select id, name from tenants where slug = $1 and status = 'active' and open_registration for share",
        slug,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// What the account is in the school already: the status of its membership. `conn` acts as the platform.
pub(super) async fn known(
    conn: &mut PgConnection,
    school: &OpenSchool,
    user: Uuid,
) -> Result<Option<String>> {
    let status = sqlx::query_scalar!(
        "select status from memberships where tenant_id = $1 and user_id = $2",
        school.id,
        user,
    )
    .fetch_optional(conn)
    .await?;
    Ok(status)
}

/// Joins a school with the account that asks.
///
/// # Errors
/// A field error for a school that isn't open; [`Error::Conflict`] for one that knows the account already.
pub async fn join(scope: &mut UserScope, slug: &str, teaches: bool) -> Result<Joined> {
    in_person(scope.caller())?;
    let (vault, caller, account) = (scope.vault().clone(), scope.caller().clone(), scope.account().clone());
    let phone = super::account::phone(scope).await?.and_then(|phone| Phone::parse(&phone).ok());
    let (user, conn) = scope.elevate().await?;
    let school = hold_open(conn, slug.trim()).await?.ok_or_else(|| Error::field("school", CLOSED))?;
    match known(conn, &school, user).await?.as_deref() {
        None => {}
        Some("pending") => {
            return Err(Error::Conflict(
                "You have applied to this school already. It has to verify you first.".into(),
            ));
        }
        // Whom the school has removed comes back by its invite only.
        Some("revoked") => {
            return Err(Error::Conflict(
                "This school has ended your membership. Ask it for an invite.".into(),
            ));
        }
        Some(_) => return Err(Error::Conflict("You belong to this school already.".into())),
    }
    let member = Member { user, name: &account.name, email: &account.email, phone: phone.as_ref(), teaches };
    add(conn, &vault, caller.now, &school, &member).await?;
    record(conn, &caller, &school, &member).await?;
    Ok(Joined { tenant_name: school.name, pending: teaches })
}

impl Member<'_> {
    /// As what they join, and the status of their membership.
    fn part(&self) -> (Role, &'static str) {
        if self.teaches { (Role::Instructor, "pending") } else { (Role::Student, "active") }
    }
}

/// Makes someone a member, behind the school's record of them. `conn` acts as the platform.
pub(super) async fn add(
    conn: &mut PgConnection,
    vault: &Vault,
    now: Instant,
    school: &OpenSchool,
    member: &Member<'_>,
) -> Result<()> {
    let (role, status) = member.part();
    let person = if member.teaches {
        instructor(conn, vault, school.id, member, now).await?
    } else {
        student(conn, vault, school.id, member, now).await?
    };
    // Two at once: the second one is told that it is there already.
    sqlx::query!(
        "insert into memberships (tenant_id, user_id, role, person_id, status, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $6)",
        school.id,
        member.user,
        role.as_str(),
        person,
        status,
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records in the school's chain that someone has joined it. Comes last in a transaction, after the platform's chain.
pub(super) async fn record(
    conn: &mut PgConnection,
    caller: &Caller,
    school: &OpenSchool,
    member: &Member<'_>,
) -> Result<()> {
    let (role, status) = member.part();
    let entry = Entry {
        action: "team.join",
        entity: "member",
        entity_id: Some(member.user),
        before: None,
        after: Some(json!({ "email": member.email, "role": role.as_str(), "status": status })),
        reason: None,
    };
    audit::record_as(conn, school.id, caller, role, entry).await
}

/// The school's record with this e-mail, unless an account stands behind it; else a new one.
async fn student(
    conn: &mut PgConnection,
    vault: &Vault,
    tenant: Uuid,
    member: &Member<'_>,
    now: Instant,
) -> Result<Uuid> {
    let known = sqlx::query_scalar!(
        "select s.id from students s
         where s.tenant_id = $1 and s.email = $2 and s.deleted_at is null
           and not exists (select from memberships m
                           where m.tenant_id = $1 and m.person_id = s.id and m.status <> 'revoked')
         for update",
        tenant,
        member.email,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(id) = known {
        return Ok(id);
    }
    let id = StudentId::new(now).0;
    let (phone, index) = sealed(vault, "students.phone", id, member.phone, now)?;
    // Someone else's record may have the address; then this one goes without.
    sqlx::query!(
        "insert into students (tenant_id, id, name, email, phone, phone_index, created_at)
         values ($1, $2, $3,
                 (select $4::text where not exists (select from students
                     where tenant_id = $1 and email = $4 and deleted_at is null)), $5, $6, $7)",
        tenant,
        id,
        member.name,
        member.email,
        phone,
        index,
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(id)
}

/// The same for an instructor; a new record waits for the school to verify it.
async fn instructor(
    conn: &mut PgConnection,
    vault: &Vault,
    tenant: Uuid,
    member: &Member<'_>,
    now: Instant,
) -> Result<Uuid> {
    let known = sqlx::query_scalar!(
        "select i.id from instructors i
         where i.tenant_id = $1 and i.email = $2 and i.deleted_at is null
           and not exists (select from memberships m
                           where m.tenant_id = $1 and m.person_id = i.id and m.status <> 'revoked')
         for update",
        tenant,
        member.email,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(id) = known {
        return Ok(id);
    }
    let id = InstructorId::new(now).0;
    let (phone, index) = sealed(vault, "instructors.phone", id, member.phone, now)?;
    sqlx::query!(
        "insert into instructors (tenant_id, id, name, email, phone, phone_index, created_at)
         values ($1, $2, $3,
                 (select $4::text where not exists (select from instructors
                     where tenant_id = $1 and email = $4 and deleted_at is null)), $5, $6, $7)",
        tenant,
        id,
        member.name,
        member.email,
        phone,
        index,
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(id)
}

fn sealed(
    vault: &Vault,
    column: &str,
    row: Uuid,
    phone: Option<&Phone>,
    now: Instant,
) -> Result<(Option<String>, Option<Vec<u8>>)> {
    let sealed = phone.map(|phone| vault.seal(column, row, phone.as_str(), now)).transpose()?;
    let index = phone.map(|phone| vault.blind("phone", phone.as_str())).transpose()?;
    Ok((sealed, index))
}
