//! Writes one school as planned.

use jiff::ToSpan;
use jiff_sqlx::{Timestamp, ToSqlx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::plan::Plan;
use crate::{
    Error, Instant, Result,
    ids::{InstructorId, PackId, ResourceId, ServiceId, StudentId, TenantId, UserId},
    zoned::Zone,
};

/// A school on its way into the tables, with the ids of what the plan names by place.
pub(super) struct School<'a> {
    pub(super) plan: &'a Plan,
    pub(super) id: Uuid,
    pub(super) now: Instant,
    pub(super) zone: Zone,
    pub(super) instructors: Vec<Uuid>,
    pub(super) students: Vec<Uuid>,
    pub(super) services: Vec<Uuid>,
    pub(super) combos: Vec<Uuid>,
    pub(super) resources: Vec<Uuid>,
    /// Of each resource.
    pub(super) units: Vec<Vec<Uuid>>,
    pub(super) packs: Vec<Option<Uuid>>,
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
        services: plan.services.iter().map(|_| ServiceId::new(now).0).collect(),
        combos: plan.combos.iter().map(|_| ServiceId::new(now).0).collect(),
        resources: plan.resources.iter().map(|_| ResourceId::new(now).0).collect(),
        units: plan
            .resources
            .iter()
            .map(|resource| (0..resource.units).map(|_| ResourceId::new(now).0).collect())
            .collect(),
        packs: (0..plan.students.len())
            .map(|i| (plan.pack > 0 && i % plan.pack_every == 0).then(|| PackId::new(now).0))
            .collect(),
    };
    school.tenant(conn).await?;
    school.people(conn, password_hash).await?;
    if !plan.instructors.is_empty() {
        school.resources(conn).await?;
        school.teaching(conn).await?;
        school.packs(conn).await?;
        school.lessons(conn).await?;
        school.groups(conn).await?;
        school.holidays(conn).await?;
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
}
