//! Writes one school as planned.

use jiff::ToSpan;
use jiff_sqlx::{Timestamp, ToSqlx};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Error, Instant, Result,
    ids::{BookingId, InstructorId, PackId, ServiceId, StudentId, TenantId, UserId},
    tenancy::Preset,
    zoned::Zone,
};

/// Rows a statement.
const BATCH: usize = 5_000;

/// A school to be written.
pub(super) struct Plan {
    pub(super) slug: &'static str,
    pub(super) name: String,
    pub(super) preset: Preset,
    pub(super) zone: &'static str,
    pub(super) currency: &'static str,
    pub(super) suspended: Option<&'static str>,
    pub(super) staff: Vec<Member>,
    pub(super) instructors: Vec<(Member, &'static str)>,
    pub(super) students: Vec<Member>,
    pub(super) services: Vec<Taught>,
    /// Lessons in a pack.
    pub(super) pack: i32,
    /// Every n-th student has one.
    pub(super) pack_every: usize,
    /// The lessons of a week, counted from the current one; by the number of instructors and students.
    pub(super) lessons: fn(i64, usize, usize) -> Vec<Lesson>,
    /// First and last week.
    pub(super) weeks: (i64, i64),
}

pub(super) struct Member {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: &'static str,
}

pub(super) struct Taught {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    pub(super) minutes: i32,
    pub(super) price: i64,
    pub(super) buffer: i32,
    pub(super) pickup: bool,
    pub(super) approval: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Lesson {
    pub(super) student: usize,
    pub(super) instructor: usize,
    /// 0 is Monday.
    pub(super) weekday: i8,
    pub(super) minute: i16,
    pub(super) service: usize,
    pub(super) cancelled: bool,
}

struct School<'a> {
    plan: &'a Plan,
    id: Uuid,
    now: Instant,
    zone: Zone,
    instructors: Vec<Uuid>,
    students: Vec<Uuid>,
    services: Vec<Uuid>,
    packs: Vec<Option<Uuid>>,
}

pub(super) async fn write(
    conn: &mut PgConnection,
    plan: &Plan,
    password_hash: &str,
    now: Instant,
) -> Result<()> {
    let mut school = School {
        plan,
        id: TenantId::new(now).0,
        now,
        zone: Zone::parse(plan.zone).map_err(Error::internal)?,
        instructors: (0..plan.instructors.len()).map(|_| InstructorId::new(now).0).collect(),
        students: (0..plan.students.len()).map(|_| StudentId::new(now).0).collect(),
        services: (0..plan.services.len()).map(|_| ServiceId::new(now).0).collect(),
        packs: (0..plan.students.len())
            .map(|i| (plan.pack > 0 && i % plan.pack_every == 0).then(|| PackId::new(now).0))
            .collect(),
    };
    school.tenant(conn).await?;
    school.people(conn, password_hash).await?;
    if !plan.instructors.is_empty() {
        school.teaching(conn).await?;
        school.packs(conn).await?;
        school.lessons(conn).await?;
    }
    Ok(())
}

impl School<'_> {
    async fn tenant(&self, conn: &mut PgConnection) -> Result<()> {
        let plan = self.plan;
        // Room for all of its people and some more.
        let seats = i32::try_from(plan.staff.len() + plan.instructors.len()).map_err(Error::internal)?;
        sqlx::query!(
            "insert into tenants (id, slug, name, preset, zone, currency, status, status_reason, max_seats, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $10, $9, $9)",
            self.id, plan.slug, plan.name, plan.preset.as_str(), plan.zone, plan.currency,
            if plan.suspended.is_some() { "suspended" } else { "active" }, plan.suspended, self.now.to_sqlx(),
            (seats + 20).max(100),
        )
        .execute(conn)
        .await?;
        Ok(())
    }

    async fn people(&mut self, conn: &mut PgConnection, password_hash: &str) -> Result<()> {
        let plan = self.plan;
        let now = self.now.to_sqlx();
        let names: Vec<String> = plan.instructors.iter().map(|(m, _)| m.name.clone()).collect();
        let emails: Vec<String> = plan.instructors.iter().map(|(m, _)| m.email.clone()).collect();
        let cities: Vec<String> = plan.instructors.iter().map(|(_, city)| (*city).to_owned()).collect();
        // One in six waits for verification, so that both states are seen.
        let states: Vec<String> =
            (0..names.len()).map(|i| if i % 6 == 5 { "pending" } else { "verified" }.to_owned()).collect();
        sqlx::query!(
            "insert into instructors (tenant_id, id, name, email, city, verification, created_at)
             select $1, id, name, email, city, verification, $7
             from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[]) as x(id, name, email, city, verification)",
            self.id, &self.instructors, &names, &emails, &cities, &states, now,
        )
        .execute(&mut *conn)
        .await?;

        let names: Vec<String> = plan.students.iter().map(|m| m.name.clone()).collect();
        let emails: Vec<String> = plan.students.iter().map(|m| m.email.clone()).collect();
        sqlx::query!(
            "insert into students (tenant_id, id, name, email, created_at)
             select $1, id, name, email, $5 from unnest($2::uuid[], $3::text[], $4::text[]) as x(id, name, email)",
            self.id, &self.students, &names, &emails, now,
        )
        .execute(&mut *conn)
        .await?;

        let people = plan
            .staff
            .iter()
            .map(|m| (m, None))
            .chain(plan.instructors.iter().map(|(m, _)| m).zip(self.instructors.iter().copied().map(Some)))
            .chain(plan.students.iter().zip(self.students.iter().copied().map(Some)));
        let (mut ids, mut emails, mut names) = (Vec::new(), Vec::new(), Vec::new());
        let (mut roles, mut persons) = (Vec::new(), Vec::new());
        for (member, person) in people {
            ids.push(UserId::new(self.now).0);
            emails.push(member.email.clone());
            names.push(member.name.clone());
            roles.push(member.role.to_owned());
            persons.push(person);
        }
        sqlx::query!(
            "insert into users (id, email, email_verified_at, name, password_hash, created_at, updated_at)
             select id, email, $5, name, $4, $5, $5 from unnest($1::uuid[], $2::text[], $3::text[]) as x(id, email, name)",
            &ids, &emails, &names, password_hash, now,
        )
        .execute(&mut *conn)
        .await?;
        sqlx::query!(
            "insert into memberships (tenant_id, user_id, role, person_id, created_at, updated_at)
             select $1, id, role, person, $5, $5 from unnest($2::uuid[], $3::text[], $4::uuid[]) as x(id, role, person)",
            self.id, &ids, &roles, &persons as &[Option<Uuid>], now,
        )
        .execute(conn)
        .await?;
        Ok(())
    }

    async fn teaching(&self, conn: &mut PgConnection) -> Result<()> {
        for (service, id) in self.plan.services.iter().zip(&self.services) {
            sqlx::query!(
                "insert into services (tenant_id, id, name, description, duration_min, price_minor, currency, buffer_after_min,
                                       needs_pickup, needs_approval, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                self.id, id, service.name, service.text, service.minutes, service.price, self.plan.currency, service.buffer,
                service.pickup, service.approval, self.now.to_sqlx(),
            )
            .execute(&mut *conn)
            .await?;
        }
        sqlx::query!(
            "insert into service_instructors (tenant_id, service_id, instructor_id)
             select $1, s, i from unnest($2::uuid[]) s, unnest($3::uuid[]) i",
            self.id,
            &self.services,
            &self.instructors,
        )
        .execute(&mut *conn)
        .await?;
        sqlx::query!(
            "insert into weekly_hours (tenant_id, instructor_id, weekday, start_minute, end_minute)
             select $1, i, d, 540, 1020 from unnest($2::uuid[]) i, generate_series(1, 5) d",
            self.id,
            &self.instructors,
        )
        .execute(conn)
        .await?;
        Ok(())
    }

    async fn packs(&self, conn: &mut PgConnection) -> Result<()> {
        let count = self.instructors.len();
        let instructors: Vec<Uuid> = (0..self.students.len()).map(|i| self.instructors[i % count]).collect();
        sqlx::query!(
            "insert into mentees (tenant_id, instructor_id, student_id, created_at)
             select $1, i, s, $4 from unnest($2::uuid[], $3::uuid[]) as x(i, s)",
            self.id,
            &instructors,
            &self.students,
            self.now.to_sqlx(),
        )
        .execute(&mut *conn)
        .await?;
        let (mut ids, mut of, mut with, mut ends) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::<Option<Timestamp>>::new());
        for (i, pack) in self.packs.iter().enumerate() {
            let Some(pack) = pack else { continue };
            ids.push(*pack);
            of.push(self.students[i]);
            with.push(instructors[i]);
            // Every third pack ends some day.
            let end = self.now.checked_add((24 * (30 + i as i64)).hours()).map_err(Error::internal)?;
            ends.push((i % 3 == 0).then(|| end.to_sqlx()));
        }
        sqlx::query!(
            "insert into packs (tenant_id, id, student_id, instructor_id, expires_at, created_at)
             select $1, id, s, i, e, $6 from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[]) as x(id, s, i, e)",
            self.id, &ids, &of, &with, &ends as &[Option<Timestamp>], self.now.to_sqlx(),
        )
        .execute(&mut *conn)
        .await?;
        sqlx::query!(
            "insert into credit_postings (tenant_id, id, pack_id, from_account, to_account, lessons, reason, created_at)
             select $1, gen_random_uuid(), p, 'issued', 'pack', $3, 'Pack bought', $4 from unnest($2::uuid[]) p",
            self.id, &ids, self.plan.pack, self.now.to_sqlx(),
        )
        .execute(conn)
        .await?;
        Ok(())
    }

    async fn lessons(&self, conn: &mut PgConnection) -> Result<()> {
        let today = self.zone.date(self.now);
        let back = i64::from(today.weekday().to_monday_zero_offset());
        let monday = today.checked_sub(back.days()).map_err(Error::internal)?;
        let mut left: Vec<i32> = self.packs.iter().map(|pack| pack.map_or(0, |_| self.plan.pack)).collect();
        let mut rows = Rows::default();
        for week in self.plan.weeks.0..=self.plan.weeks.1 {
            for lesson in (self.plan.lessons)(week, self.instructors.len(), self.students.len()) {
                let day = monday
                    .checked_add((week * 7 + i64::from(lesson.weekday)).days())
                    .map_err(Error::internal)?;
                self.lesson(&mut rows, &mut left, lesson, self.zone.at_minute(day, lesson.minute))?;
                if rows.ids.len() >= BATCH {
                    std::mem::take(&mut rows).write(conn, self).await?;
                }
            }
        }
        rows.write(conn, self).await
    }

    fn lesson(&self, rows: &mut Rows, left: &mut [i32], lesson: Lesson, start: Instant) -> Result<()> {
        let service = &self.plan.services[lesson.service];
        let end = start.checked_add(i64::from(service.minutes).minutes()).map_err(Error::internal)?;
        let over = end < self.now;
        let status = match (lesson.cancelled, over) {
            (true, _) => "cancelled",
            (_, true) if lesson.student % 13 == 12 => "no_show",
            (_, true) => "completed",
            (_, false) if service.approval => "requested",
            (_, false) => "confirmed",
        };
        let pack = self.packs[lesson.student].filter(|_| status != "cancelled" && left[lesson.student] > 0);
        if pack.is_some() {
            left[lesson.student] -= 1;
        }
        rows.ids.push(BookingId::new(self.now).0);
        rows.services.push(self.services[lesson.service]);
        rows.instructors.push(self.instructors[lesson.instructor]);
        rows.students.push(self.students[lesson.student]);
        rows.starts.push(start.to_sqlx());
        rows.ends.push(end.to_sqlx());
        rows.statuses.push(status.to_owned());
        rows.pickups.push(if service.pickup { "12 Kloof Street".to_owned() } else { String::new() });
        rows.prices.push(service.price);
        rows.packs.push(pack);
        rows.buffers.push(service.buffer);
        Ok(())
    }
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
}

impl Rows {
    async fn write(self, conn: &mut PgConnection, school: &School<'_>) -> Result<()> {
        sqlx::query!(
            "insert into bookings (tenant_id, id, service_id, instructor_id, student_id, starts_at, ends_at, status, pickup,
                                   price_minor, currency, cancel_notice_min, pack_id, created_at, cancelled_at, cancel_reason)
             select $1, id, service, instructor, student, starts, ends, status, pickup, price, $12, 1440, pack, $13,
                    case when status = 'cancelled' then least($13::timestamptz, starts) end,
                    case when status = 'cancelled' then 'Ill' end
             from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::timestamptz[], $8::text[],
                         $9::text[], $10::bigint[], $11::uuid[])
                  as x(id, service, instructor, student, starts, ends, status, pickup, price, pack)",
            school.id, &self.ids, &self.services, &self.instructors, &self.students, &self.starts as &[Timestamp], &self.ends as &[Timestamp], &self.statuses,
            &self.pickups, &self.prices, &self.packs as &[Option<Uuid>], school.plan.currency, school.now.to_sqlx(),
        )
        .execute(&mut *conn)
        .await?;
        sqlx::query!(
            "insert into claims (tenant_id, id, subject_kind, subject_id, starts_at, ends_at, booking_id, active)
             select $1, gen_random_uuid(), kind, case kind when 'student' then student else instructor end, starts,
                    ends + make_interval(mins => case kind when 'student' then 0 else buffer end), id, status <> 'cancelled'
             from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::int[])
                  as x(id, instructor, student, starts, ends, status, buffer), (values ('instructor'), ('student')) k(kind)",
            school.id, &self.ids, &self.instructors, &self.students, &self.starts as &[Timestamp], &self.ends as &[Timestamp], &self.statuses, &self.buffers,
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
