//! Who runs a school and belongs to it: members, invites and seats (TN-07, TN-08, AC-20, AC-21).

#[cfg(feature = "server")]
pub mod invites;
#[cfg(feature = "server")]
pub mod members;

use crate::authz::Role;

/// The seats of a school. Students take none; an open invite holds the one it promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seats {
    /// How many there are.
    pub max: i64,
    /// Taken by active members.
    pub used: i64,
    /// Held by open invites.
    pub invited: i64,
}

impl Seats {
    /// How many are free.
    pub fn left(self) -> i64 {
        (self.max - self.used - self.invited).max(0)
    }
}

/// Roles that a school's owner can invite people to; owners are invited by the platform.
pub const INVITED_BY_OWNER: [Role; 3] = [Role::Staff, Role::Instructor, Role::Student];

/// Roles that members can have, in the order of the form.
pub const ROLES: [Role; 4] = [Role::Owner, Role::Staff, Role::Instructor, Role::Student];

/// The record that someone acts as in their new role: found by their e-mail, or made. Owners and staff need none.
///
/// # Errors
/// [`crate::Error::Conflict`] when another member acts as it.
#[cfg(feature = "server")]
pub(crate) async fn person_for(
    conn: &mut sqlx::PgConnection,
    tenant: uuid::Uuid,
    role: Role,
    user: Newcomer<'_>,
    now: crate::Instant,
) -> crate::Result<Option<uuid::Uuid>> {
    use jiff_sqlx::ToSqlx;

    use crate::ids::{InstructorId, StudentId};
    let person = match role {
        Role::Instructor => {
            sqlx::query_scalar!(
                "insert into instructors (tenant_id, id, name, email, created_at) values ($1, $2, $3, $4, $5)
                 on conflict (tenant_id, email) where deleted_at is null and email is not null
                 do update set email = excluded.email returning id",
                tenant,
                InstructorId::new(now).0,
                user.name,
                user.email,
                now.to_sqlx(),
            )
            .fetch_one(&mut *conn)
            .await?
        }
        Role::Student => {
            sqlx::query_scalar!(
                "insert into students (tenant_id, id, name, email, created_at) values ($1, $2, $3, $4, $5)
                 on conflict (tenant_id, email) where deleted_at is null and email is not null
                 do update set email = excluded.email returning id",
                tenant,
                StudentId::new(now).0,
                user.name,
                user.email,
                now.to_sqlx(),
            )
            .fetch_one(&mut *conn)
            .await?
        }
        _ => return Ok(None),
    };
    let taken = sqlx::query_scalar!(
        r#"select exists (select from memberships
                          where tenant_id = $1 and person_id = $2 and user_id <> $3 and status <> 'revoked') as "taken!""#,
        tenant,
        person,
        user.id,
    )
    .fetch_one(conn)
    .await?;
    if taken {
        return Err(crate::Error::Conflict(format!(
            "Another member acts as the {role} with the e-mail {}. Change that record's e-mail first.",
            user.email
        )));
    }
    Ok(Some(person))
}

/// An instructor's record that its member doesn't act as any more waits to be verified again, so that nobody books it
/// unawares; whether it was verified.
#[cfg(feature = "server")]
pub(crate) async fn retire(
    conn: &mut sqlx::PgConnection,
    tenant: uuid::Uuid,
    instructor: uuid::Uuid,
) -> crate::Result<bool> {
    let done = sqlx::query!(
        "update instructors set verification = 'pending' where tenant_id = $1 and id = $2 and verification = 'verified'",
        tenant,
        instructor,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whom [`person_for`] finds or makes the record of.
#[cfg(feature = "server")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newcomer<'a> {
    /// The account.
    pub(crate) id: uuid::Uuid,
    /// Its name, for a new record.
    pub(crate) name: &'a str,
    /// Its e-mail, by which a record is found.
    pub(crate) email: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_left_are_never_fewer_than_none() {
        assert_eq!(Seats { max: 10, used: 6, invited: 1 }.left(), 3);
        assert_eq!(Seats { max: 2, used: 3, invited: 0 }.left(), 0);
    }
}
