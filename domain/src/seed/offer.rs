//! Writes what a school offers: services, combos, resources, and the days on which it is closed.

use jiff::{ToSpan, civil::Date};
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    plan::{Combo, Taught},
    school::School,
};
use crate::{Error, Result, services::ServiceKind};

/// Holidays are at least this far away: nobody who tries the demo or tests it meets one by chance.
const NO_HOLIDAY_WEEKS: i64 = 10;

impl School<'_> {
    pub(super) async fn resources(&self, conn: &mut PgConnection) -> Result<()> {
        for ((resource, id), units) in self.plan.resources.iter().zip(&self.resources).zip(&self.units) {
            sqlx::query!(
                "insert into resources (tenant_id, id, name, kind, created_at) values ($1, $2, $3, $4, $5)",
                self.id,
                id,
                resource.name,
                resource.kind,
                self.now.to_sqlx(),
            )
            .execute(&mut *conn)
            .await?;
            sqlx::query!(
                "insert into resource_units (tenant_id, id, resource_id, place)
                 select $1, u.id, $2, u.place from unnest($3::uuid[]) with ordinality as u (id, place)",
                self.id,
                id,
                &units[..],
            )
            .execute(&mut *conn)
            .await?;
        }
        Ok(())
    }

    /// Everyone teaches everything, from Monday to Friday.
    pub(super) async fn teaching(&self, conn: &mut PgConnection) -> Result<()> {
        for (service, id) in self.plan.services.iter().zip(&self.services) {
            self.service(conn, *id, ServiceKind::Single, service).await?;
        }
        for (combo, id) in self.plan.combos.iter().zip(&self.combos) {
            self.combo(conn, *id, combo).await?;
        }
        let all: Vec<Uuid> = self.services.iter().chain(&self.combos).copied().collect();
        sqlx::query!(
            "insert into service_instructors (tenant_id, service_id, instructor_id)
             select $1, s, i from unnest($2::uuid[]) s, unnest($3::uuid[]) i",
            self.id,
            &all,
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

    async fn service(
        &self,
        conn: &mut PgConnection,
        id: Uuid,
        kind: ServiceKind,
        service: &Taught,
    ) -> Result<()> {
        sqlx::query!(
            "insert into services (tenant_id, id, name, description, duration_min, price_minor, currency, buffer_after_min,
                                   needs_pickup, needs_approval, created_at, kind, capacity, colour)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            self.id, id, service.name, service.text, service.minutes, service.price, self.plan.currency, service.buffer,
            service.pickup, service.approval, self.now.to_sqlx(), kind.as_str(), service.seats, service.colour,
        )
        .execute(&mut *conn)
        .await?;
        for (resource, units) in service.needs {
            sqlx::query!(
                "insert into service_resources (tenant_id, service_id, resource_id, units)
                 values ($1, $2, $3, $4::int)",
                self.id,
                id,
                self.resources[*resource],
                *units,
            )
            .execute(&mut *conn)
            .await?;
        }
        Ok(())
    }

    async fn combo(&self, conn: &mut PgConnection, id: Uuid, combo: &Combo) -> Result<()> {
        let parts: Vec<&Taught> = combo.parts.iter().map(|part| &self.plan.services[*part]).collect();
        let whole = Taught {
            text: combo.text,
            buffer: parts.last().map_or(0, |last| last.buffer),
            pickup: parts.iter().any(|part| part.pickup),
            approval: parts.iter().any(|part| part.approval),
            ..Taught::of(combo.name, parts.iter().map(|part| part.minutes).sum(), combo.price)
        };
        self.service(conn, id, ServiceKind::Combo, &whole).await?;
        let ids: Vec<Uuid> = combo.parts.iter().map(|part| self.services[*part]).collect();
        sqlx::query!(
            "insert into combo_parts (tenant_id, combo_id, place, service_id)
             select $1, $2, p.place, p.id from unnest($3::uuid[]) with ordinality as p (id, place)",
            self.id,
            id,
            &ids,
        )
        .execute(conn)
        .await?;
        Ok(())
    }

    pub(super) async fn holidays(&self, conn: &mut PgConnection) -> Result<()> {
        let today = self.zone.date(self.now);
        let earliest = today.checked_add(NO_HOLIDAY_WEEKS.weeks()).map_err(Error::internal)?;
        for (month, day, name) in &self.plan.holidays {
            let next = (0..3)
                .filter_map(|years| Date::new(today.year() + years, *month, *day).ok())
                .find(|date| *date >= earliest);
            let Some(next) = next else { continue };
            sqlx::query!(
                "insert into holidays (tenant_id, day, name) values ($1, $2::text::date, $3)",
                self.id,
                next.to_string(),
                *name,
            )
            .execute(&mut *conn)
            .await?;
        }
        Ok(())
    }
}
