//! Which lessons are near, and telling their students.

use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Quiet, due_at};
use crate::{
    Instant, Result,
    authz::TenantScope,
    booking::{Status, mail, service::addresses, store},
    ids::BookingId,
    notify::{self, Mail},
    zoned::Zone,
};

/// What is looked at in one run of a school; the rest comes with the next one.
const MOST: i64 = 500;

/// A lesson whose student is to be reminded now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::booking) struct Reminder {
    /// Which.
    pub(in crate::booking) booking: BookingId,
    /// When it begins, as it was seen: one that has been moved meanwhile is another matter.
    pub(in crate::booking) starts_at: Instant,
    /// The offsets that have come due. One message speaks for all of them.
    pub(in crate::booking) offsets: Vec<i32>,
}

/// A lesson and an offset that nothing has been sent for.
struct Row {
    id: Uuid,
    starts_at: jiff_sqlx::Timestamp,
    offset_min: i32,
    told_at: jiff_sqlx::Timestamp,
    quiet_from: i16,
    quiet_to: i16,
}

/// The lessons whose students are to be reminded now. One query.
pub(in crate::booking) async fn due(scope: &mut TenantScope) -> Result<Vec<Reminder>> {
    let (zone, now) = (scope.tenant().zone.clone(), scope.now());
    let (tenant, conn) = scope.conn();
    let rows = rows(conn, tenant, now).await?;
    Ok(chosen(&zone, &rows, now))
}

/// Lessons near enough for an offset, quiet hours left aside: those may put a reminder off, or bring it forward by as much
/// as they last, an hour more in the night when clocks go back, and a little before they begin.
async fn rows(conn: &mut PgConnection, tenant: Uuid, now: Instant) -> Result<Vec<Row>> {
    // Approving a lesson is telling of it too; only the audit knows when that was. The fence makes it look among the acts on
    // that lesson, not through all of the school's.
    let rows = sqlx::query_as!(
        Row,
        r#"select b.id, b.starts_at, o.min as "offset_min!", t.quiet_from, t.quiet_to,
                  greatest(b.created_at, b.moved_at, (
                      select max(a.at)
                      from (select at from audit
                            where tenant_id = b.tenant_id and entity = 'booking' and entity_id = b.id
                              and action = 'booking.confirm' offset 0) a)) as "told_at!"
           from tenants t
           cross join lateral unnest(t.reminder_offsets) as o (min)
           join bookings b
               on b.tenant_id = t.id and b.status = 'confirmed' and b.starts_at > $2
               and b.starts_at <= $2::timestamptz
                   + make_interval(mins => o.min + 90 + (t.quiet_to - t.quiet_from + 1440) % 1440)
               -- Who heard of it later than any reminder could come needs none; those rows would only be in the way.
               and greatest(b.created_at, b.moved_at) <= b.starts_at
                   - make_interval(mins => o.min - (t.quiet_to - t.quiet_from + 1440) % 1440)
           join students s on s.tenant_id = b.tenant_id and s.id = b.student_id
               and s.email is not null and s.deleted_at is null
           where t.id = $1 and not exists (
                     select from reminders r
                     where r.tenant_id = b.tenant_id and r.booking_id = b.id and r.kind = 'lesson'
                       and r.offset_min = o.min)
           order by b.starts_at - make_interval(mins => o.min), b.id
           limit $3"#,
        tenant,
        now.to_sqlx(),
        MOST
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Of these, what is to be said now.
fn chosen(zone: &Zone, rows: &[Row], now: Instant) -> Vec<Reminder> {
    let mut found: Vec<Reminder> = Vec::new();
    for row in rows {
        let (starts_at, told_at) = (row.starts_at.to_jiff(), row.told_at.to_jiff());
        let quiet = Quiet { from: row.quiet_from, to: row.quiet_to };
        let due = due_at(zone, starts_at, row.offset_min, row.quiet_from, row.quiet_to);
        // Who heard of it after that has just been told. A worker that comes late doesn't wake people either.
        if due.is_none_or(|due| now < due || due < told_at) || quiet.holds(zone, now) {
            continue;
        }
        match found.iter_mut().find(|reminder| reminder.booking.0 == row.id) {
            Some(reminder) => reminder.offsets.push(row.offset_min),
            None => {
                found.push(Reminder { booking: BookingId(row.id), starts_at, offsets: vec![row.offset_min] })
            }
        }
    }
    found
}

/// Reminds the student of a lesson, unless that has been done, or the lesson is no longer what it was.
pub(in crate::booking) async fn remind(scope: &mut TenantScope, reminder: &Reminder) -> Result<bool> {
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    // Who moves it waits, and then takes back what is written here.
    let Some(booking) = store::find(conn, tenant, reminder.booking, true).await? else {
        return Ok(false);
    };
    if booking.status != Status::Confirmed || booking.starts_at != reminder.starts_at {
        return Ok(false);
    }
    let done = sqlx::query!(
        "insert into reminders (tenant_id, booking_id, kind, offset_min, sent_at)
         select $1::uuid, $2::uuid, 'lesson', o.min, $4::timestamptz from unnest($3::int[]) as o (min)
         on conflict do nothing",
        tenant,
        booking.id.0,
        &reminder.offsets[..],
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let to = addresses(scope, &booking).await?;
    let Some(to) = to.student else {
        return Ok(false);
    };
    let mail = Mail::Reminder(mail::facts(scope, &booking));
    notify::enqueue(scope, &to, &mail, None, Some(booking.id)).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().expect("a moment")
    }

    fn row(id: u128, starts_at: &str, offset_min: i32, told_at: &str) -> Row {
        Row {
            id: Uuid::from_u128(id),
            starts_at: at(starts_at).to_sqlx(),
            offset_min,
            told_at: at(told_at).to_sqlx(),
            quiet_from: 1320,
            quiet_to: 360,
        }
    }

    fn chosen_at(rows: &[Row], now: &str) -> Vec<(u128, Vec<i32>)> {
        let zone = Zone::parse("UTC").expect("a zone");
        let found = chosen(&zone, rows, at(now));
        found.into_iter().map(|reminder| (reminder.booking.0.as_u128(), reminder.offsets)).collect()
    }

    #[test]
    fn one_message_speaks_for_all_that_has_come_due() {
        let booked = "2027-01-10T08:00:00Z";
        let rows = [
            row(1, "2027-01-15T13:00:00Z", 1440, booked),
            row(2, "2027-01-15T11:30:00Z", 120, booked),
            row(1, "2027-01-15T13:00:00Z", 120, booked),
        ];
        assert!(chosen_at(&rows, "2027-01-14T12:59:59Z").is_empty());
        assert_eq!(chosen_at(&rows, "2027-01-14T13:00:00Z"), [(1, vec![1440])]);
        assert_eq!(chosen_at(&rows, "2027-01-15T11:00:00Z"), [(1, vec![1440, 120]), (2, vec![120])]);
    }

    #[test]
    fn who_was_just_told_is_not_reminded() {
        // Booked six hours before: the day before was over by then.
        let rows = [
            row(1, "2027-01-15T13:00:00Z", 1440, "2027-01-15T07:00:00Z"),
            row(1, "2027-01-15T13:00:00Z", 120, "2027-01-15T07:00:00Z"),
        ];
        assert!(chosen_at(&rows, "2027-01-15T08:00:00Z").is_empty());
        assert_eq!(chosen_at(&rows, "2027-01-15T11:00:00Z"), [(1, vec![120])]);
    }

    #[test]
    fn a_worker_that_comes_late_wakes_nobody() {
        let rows = [row(1, "2027-01-15T21:00:00Z", 1440, "2027-01-10T08:00:00Z")];
        assert_eq!(chosen_at(&rows, "2027-01-14T21:30:00Z"), [(1, vec![1440])]);
        assert!(chosen_at(&rows, "2027-01-14T22:00:00Z").is_empty());
        assert_eq!(chosen_at(&rows, "2027-01-15T06:00:00Z"), [(1, vec![1440])]);
    }
}
