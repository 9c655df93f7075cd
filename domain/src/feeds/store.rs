//! SQL of feeds.

use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Entry, Feed, MOST};
use crate::{
    Error, Instant, Result,
    booking::{Status, store::Whose},
    db::{ActAs, Db},
    identity::sessions::TokenHash,
    ids::{FeedId, UserId},
};

/// Entries of a feed at most: a calendar program reads them all each time.
const MOST_ENTRIES: i64 = 5_000;

pub(super) async fn list(conn: &mut PgConnection, tenant: Uuid, user: UserId) -> Result<Vec<Feed>> {
    let rows = sqlx::query!(
        "select id, created_at, last_read_at from feeds
         where tenant_id = $1 and user_id = $2 and revoked_at is null
         order by created_at desc, id desc",
        tenant,
        user.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Feed {
            id: FeedId(row.id),
            created_at: row.created_at.to_jiff(),
            last_read_at: row.last_read_at.map(|at| at.to_jiff()),
        })
        .collect())
}

/// `false` when the member has as many as they may.
pub(super) async fn insert(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: FeedId,
    user: UserId,
    reach: &str,
    hash: &TokenHash,
    now: Instant,
) -> Result<bool> {
    // Two at once would both see room.
    sqlx::query!(
        r#"select count(pg_advisory_xact_lock(hashtextextended('feeds/' || $1::uuid::text || '/' || $2::uuid::text, 0))) as "n!""#,
        tenant,
        user.0
    )
    .fetch_one(&mut *conn)
    .await?;
    let done = sqlx::query!(
        "insert into feeds (tenant_id, id, user_id, reach, token_hash, created_at)
         select $1, $2, $3, $4, $5, $6
         where (select count(*) from feeds where tenant_id = $1 and user_id = $3 and revoked_at is null) < $7",
        tenant,
        id.0,
        user.0,
        reach,
        &hash[..],
        now.to_sqlx(),
        MOST
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether there was one to revoke.
pub(super) async fn revoke(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: FeedId,
    user: UserId,
    now: Instant,
) -> Result<bool> {
    let done = sqlx::query!(
        "update feeds set revoked_at = $4 where tenant_id = $1 and id = $2 and user_id = $3 and revoked_at is null",
        tenant,
        id.0,
        user.0,
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whose feed it is, and where.
pub(super) struct Found {
    pub(super) user: UserId,
    pub(super) slug: String,
    /// `own` or `school`.
    pub(super) reach: String,
}

/// The feed of a token, and, at most once an hour, a note that it was read.
pub(super) async fn find(db: &Db, hash: &TokenHash, now: Instant) -> Result<Option<Found>> {
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let row = sqlx::query!(
        "with found as (
             select f.tenant_id, f.id, f.user_id, f.reach, f.last_read_at, t.slug
             from feeds f join tenants t on t.id = f.tenant_id
             where f.token_hash = $1 and f.revoked_at is null
         ), seen as (
             update feeds f set last_read_at = $2::timestamptz from found
             where f.tenant_id = found.tenant_id and f.id = found.id
               and (found.last_read_at is null or found.last_read_at < $2::timestamptz - interval '1 hour')
         )
         select user_id, slug, reach from found",
        &hash[..],
        now.to_sqlx()
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(row.map(|row| Found { user: UserId(row.user_id), slug: row.slug, reach: row.reach }))
}

/// Lessons from a moment on, and lessons for several as one entry for those who give them; a student sees their own
/// seat alone.
pub(super) async fn entries(
    conn: &mut PgConnection,
    tenant: Uuid,
    whose: Whose,
    from: Instant,
    slug: &str,
    student: bool,
) -> Result<Vec<Entry>> {
    let rows = sqlx::query!(
        r#"select * from (
               select b.id as "id!", coalesce(b.title, sv.name) as "service!", i.name as "instructor!", st.name as "student?",
                      b.pickup as "place!", b.starts_at as "starts_at!", b.ends_at as "ends_at!", b.status as "status!",
                      greatest(b.created_at, b.moved_at, b.cancelled_at) as "changed_at!", null::int as "taken?",
                      null::int as "capacity?"
               from bookings b
               join services sv on sv.tenant_id = b.tenant_id and sv.id = b.service_id
               join instructors i on i.tenant_id = b.tenant_id and i.id = b.instructor_id
               join students st on st.tenant_id = b.tenant_id and st.id = b.student_id
               where b.tenant_id = $1 and b.starts_at >= $4
                 and ($2::uuid is null or b.instructor_id = $2) and ($3::uuid is null or b.student_id = $3)
                 and (b.group_id is null or $6)
               union all
               select g.id, sv.name, i.name, null, '', g.starts_at, g.ends_at,
                      case when g.cancelled_at is null then 'confirmed' else 'cancelled' end,
                      greatest(g.created_at, g.cancelled_at), g.taken, g.capacity
               from group_lessons g
               join services sv on sv.tenant_id = g.tenant_id and sv.id = g.service_id
               join instructors i on i.tenant_id = g.tenant_id and i.id = g.instructor_id
               where g.tenant_id = $1 and g.starts_at >= $4 and not $6
                 and ($2::uuid is null or g.instructor_id = $2)
           ) e
           order by "starts_at!", "id!" limit $5"#,
        tenant,
        whose.instructor.map(|id| id.0),
        whose.student.map(|id| id.0),
        from.to_sqlx(),
        MOST_ENTRIES,
        student
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let seats = row.taken.zip(row.capacity);
            let (title, page) = match seats {
                Some((taken, capacity)) => (format!("{}, {taken} of {capacity}", row.service), "groups"),
                None => (row.service, "bookings"),
            };
            let with = match row.student {
                _ if student => row.instructor,
                Some(student) if whose.instructor.is_some() => student,
                Some(student) => format!("{student} with {}", row.instructor),
                None => row.instructor,
            };
            Ok(Entry {
                id: row.id,
                title,
                with,
                place: row.place,
                starts_at: row.starts_at.to_jiff(),
                ends_at: row.ends_at.to_jiff(),
                status: Status::parse(&row.status)
                    .ok_or_else(|| Error::internal("unknown booking status"))?,
                changed_at: row.changed_at.to_jiff(),
                path: format!("/t/{slug}/{page}/{}", row.id),
            })
        })
        .collect()
}
