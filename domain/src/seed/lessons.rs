//! Writes the lessons of a school, past and to come.

use jiff::{ToSpan, civil::Date};
use jiff_sqlx::{Timestamp, ToSqlx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{plan::Lesson, school::School};
use crate::{
    Error, Instant, Result,
    availability::place_key,
    ids::{BookingId, GroupId},
};

/// Rows a statement.
const BATCH: usize = 5_000;
/// Where everyone is picked up.
const PICKUP: &str = "12 Kloof Street";

impl School<'_> {
    pub(super) async fn lessons(&self, conn: &mut PgConnection) -> Result<()> {
        let monday = self.monday()?;
        let mut left: Vec<i32> = self.packs.iter().map(|pack| pack.map_or(0, |_| self.plan.pack)).collect();
        let mut rows = Rows::default();
        for week in self.plan.weeks.0..=self.plan.weeks.1 {
            for lesson in (self.plan.lessons)(week, self.instructors.len(), self.students.len()) {
                let start = self.moment(monday, week, lesson.weekday, lesson.minute)?;
                self.lesson(&mut rows, &mut left, lesson, start)?;
                if rows.ids.len() >= BATCH {
                    std::mem::take(&mut rows).write(conn, self).await?;
                }
            }
        }
        rows.write(conn, self).await
    }

    /// Lessons for several: the instructor and the resources are taken by the group, each student by their own booking.
    pub(super) async fn groups(&self, conn: &mut PgConnection) -> Result<()> {
        let monday = self.monday()?;
        let mut rows = Rows::default();
        for group in &self.plan.groups {
            let (id, service) = (GroupId::new(self.now).0, &self.plan.services[group.service]);
            let instructor = self.instructors[group.instructor];
            let start = self.moment(monday, group.week, group.weekday, group.minute)?;
            let end = after(start, service.minutes)?;
            sqlx::query!(
                "insert into group_lessons (tenant_id, id, service_id, instructor_id, starts_at, ends_at, capacity, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8)",
                self.id,
                id,
                self.services[group.service],
                instructor,
                start.to_sqlx(),
                end.to_sqlx(),
                service.seats,
                self.now.to_sqlx(),
            )
            .execute(&mut *conn)
            .await?;
            let (mut kinds, mut subjects) = (vec!["instructor".to_owned()], vec![instructor]);
            for (resource, units) in service.needs {
                let count = usize::try_from(*units).map_err(Error::internal)?;
                for unit in self.units[*resource].iter().take(count) {
                    kinds.push("resource".to_owned());
                    subjects.push(*unit);
                }
            }
            sqlx::query!(
                "insert into claims (tenant_id, id, subject_kind, subject_id, starts_at, ends_at, group_id, lesson_at)
                 select $1, gen_random_uuid(), kind, subject, $4, $5, $6, $4
                 from unnest($2::text[], $3::uuid[]) as x(kind, subject)",
                self.id,
                &kinds,
                &subjects,
                start.to_sqlx(),
                after(end, service.buffer)?.to_sqlx(),
                id,
            )
            .execute(&mut *conn)
            .await?;
            for student in group.students.clone() {
                let lesson = Lesson {
                    student,
                    instructor: group.instructor,
                    weekday: group.weekday,
                    minute: group.minute,
                    service: group.service,
                    cancelled: false,
                };
                self.row(&mut rows, lesson, (start, end), None, Some(id));
            }
        }
        rows.write(conn, self).await
    }

    /// Of the current week.
    fn monday(&self) -> Result<Date> {
        let today = self.zone.date(self.now);
        let back = i64::from(today.weekday().to_monday_zero_offset());
        today.checked_sub(back.days()).map_err(Error::internal)
    }

    fn moment(&self, monday: Date, week: i64, weekday: i8, minute: i16) -> Result<Instant> {
        let day = monday.checked_add((week * 7 + i64::from(weekday)).days()).map_err(Error::internal)?;
        Ok(self.zone.at_minute(day, minute))
    }

    fn lesson(&self, rows: &mut Rows, left: &mut [i32], lesson: Lesson, start: Instant) -> Result<()> {
        let end = after(start, self.plan.services[lesson.service].minutes)?;
        let pack = self.packs[lesson.student].filter(|_| !lesson.cancelled && left[lesson.student] > 0);
        if pack.is_some() {
            left[lesson.student] -= 1;
        }
        self.row(rows, lesson, (start, end), pack, None);
        Ok(())
    }

    fn row(
        &self,
        rows: &mut Rows,
        lesson: Lesson,
        (start, end): (Instant, Instant),
        pack: Option<Uuid>,
        group: Option<Uuid>,
    ) {
        let service = &self.plan.services[lesson.service];
        let status = match (lesson.cancelled, end < self.now) {
            (true, _) => "cancelled",
            (_, true) if lesson.student % 13 == 12 => "no_show",
            (_, true) => "completed",
            (_, false) if service.approval => "requested",
            (_, false) => "confirmed",
        };
        let pickup = if service.pickup { PICKUP } else { "" };
        rows.ids.push(BookingId::new(self.now).0);
        rows.services.push(self.services[lesson.service]);
        rows.instructors.push(self.instructors[lesson.instructor]);
        rows.students.push(self.students[lesson.student]);
        rows.starts.push(start.to_sqlx());
        rows.ends.push(end.to_sqlx());
        rows.statuses.push(status.to_owned());
        rows.pickups.push(pickup.to_owned());
        rows.prices.push(service.price);
        rows.packs.push(pack);
        rows.buffers.push(service.buffer);
        rows.groups.push(group);
    }
}

fn after(moment: Instant, minutes: i32) -> Result<Instant> {
    moment.checked_add(i64::from(minutes).minutes()).map_err(Error::internal)
}

#[derive(Default)]
struct Rows {
    ids: Vec<Uuid>,
    services: Vec<Uuid>,
    instructors: Vec<Uuid>,
    students: Vec<Uuid>,
    starts: Vec<Timestamp>,
    ends: Vec<Timestamp>,
    statuses: Vec<String>,
    pickups: Vec<String>,
    prices: Vec<i64>,
    packs: Vec<Option<Uuid>>,
    buffers: Vec<i32>,
    groups: Vec<Option<Uuid>>,
}

impl Rows {
    async fn write(self, conn: &mut PgConnection, school: &School<'_>) -> Result<()> {
        sqlx::query!(
            "insert into bookings (tenant_id, id, service_id, instructor_id, student_id, starts_at, ends_at, status, pickup,
                                   price_minor, currency, cancel_notice_min, pack_id, created_at, cancelled_at, cancel_reason,
                                   group_id)
             select $1, id, service, instructor, student, starts, ends, status, pickup, price, $12, 1440, pack, $13,
                    case when status = 'cancelled' then least($13::timestamptz, starts) end,
                    case when status = 'cancelled' then 'Ill' end, together
             from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::timestamptz[], $8::text[],
                         $9::text[], $10::bigint[], $11::uuid[], $14::uuid[])
                  as x(id, service, instructor, student, starts, ends, status, pickup, price, pack, together)",
            school.id, &self.ids, &self.services, &self.instructors, &self.students, &self.starts as &[Timestamp], &self.ends as &[Timestamp], &self.statuses,
            &self.pickups, &self.prices, &self.packs as &[Option<Uuid>], school.plan.currency, school.now.to_sqlx(), &self.groups as &[Option<Uuid>],
        )
        .execute(&mut *conn)
        .await?;
        sqlx::query!(
            "insert into claims (tenant_id, id, subject_kind, subject_id, starts_at, ends_at, booking_id, active, lesson_at,
                                 place)
             select $1, gen_random_uuid(), kind, case kind when 'student' then student else instructor end, starts,
                    ends + make_interval(mins => case kind when 'student' then 0 else buffer end), id, status <> 'cancelled',
                    starts, case when pickup <> '' then $10 else '' end
             from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::int[],
                         $9::text[], $11::uuid[])
                  as x(id, instructor, student, starts, ends, status, buffer, pickup, together),
                  (values ('instructor'), ('student')) k(kind)
             -- The instructor of a lesson for several is taken once.
             where kind = 'student' or together is null",
            school.id, &self.ids, &self.instructors, &self.students, &self.starts as &[Timestamp], &self.ends as &[Timestamp], &self.statuses, &self.buffers,
            &self.pickups, place_key(PICKUP), &self.groups as &[Option<Uuid>],
        )
        .execute(&mut *conn)
        .await?;
        sqlx::query!(
            "insert into credit_postings (tenant_id, id, pack_id, from_account, to_account, lessons, booking_id, reason, created_at)
             select $1, gen_random_uuid(), pack, 'pack', 'used', 1, id, 'Booked', $4
             from unnest($2::uuid[], $3::uuid[]) as x(id, pack) where pack is not null",
            school.id, &self.ids, &self.packs as &[Option<Uuid>], school.now.to_sqlx(),
        )
        .execute(conn)
        .await?;
        Ok(())
    }
}
