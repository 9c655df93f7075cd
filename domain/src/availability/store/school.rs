//! What a school shows to those who book.

use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    Instant, Result,
    booking::hold::Hold,
    ids::{HoldId, InstructorId, ServiceId, StudentId, WaitId},
    services::Service,
};

/// A service on the school's page.
#[derive(Clone, Debug, Deserialize)]
pub struct Offer {
    /// The service.
    #[serde(flatten)]
    pub service: Service,
    /// Verified instructors who teach it and aren't absent.
    pub instructors: Vec<InstructorId>,
}

/// An instructor on the school's page.
#[derive(Clone, Debug, Deserialize)]
pub struct Guide {
    /// Id.
    pub id: InstructorId,
    /// Name.
    pub name: String,
    /// City; may be empty.
    pub city: String,
    /// What they say of themselves; may be empty.
    pub bio: String,
}

/// A pack of the student who looks, with lessons left.
#[derive(Clone, Debug, Deserialize)]
pub struct Prepaid {
    /// With whom.
    pub instructor: InstructorId,
    /// Lessons left.
    pub left: i32,
    /// When it ends, if it does.
    pub expires_at: Option<Instant>,
}

/// An entry of the waiting list, of the student who looks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct WaitingLine {
    /// Id.
    pub id: WaitId,
    /// For what.
    pub service: ServiceId,
    /// With whom; none for any.
    pub instructor: Option<InstructorId>,
    /// The lesson may begin from here on.
    pub from_at: Instant,
    /// And before this.
    pub to_at: Instant,
    /// The offer that is kept for them now.
    pub offer: Option<HoldId>,
}

/// What a school shows to those who book.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Active services by name.
    pub services: Vec<Offer>,
    /// Verified instructors by name.
    pub instructors: Vec<Guide>,
    /// The student's packs, in the order they are used up.
    pub packs: Vec<Prepaid>,
    /// The time that is kept for the student during checkout.
    pub hold: Option<Hold>,
    /// What the student waits for and may still get, by time.
    pub waiting: Vec<WaitingLine>,
}

pub(crate) async fn catalogue(
    conn: &mut PgConnection,
    tenant: Uuid,
    student: Option<StudentId>,
    now: Instant,
) -> Result<Catalogue> {
    let row = sqlx::query!(
        r#"with guides as (
               select id, name, city, bio from instructors
               where tenant_id = $1 and deleted_at is null and verification = 'verified'
                 and id not in (select a.person_id from absent_instructors a where a.tenant_id = $1)
           )
           select
               -- As in `booking::store::offer`.
               set_config('plan_cache_mode', 'force_generic_plan', true) as "planned!",
               (select coalesce(jsonb_agg(jsonb_build_object(
                    'id', s.id, 'kind', s.kind, 'name', s.name, 'description', s.description,
                    'duration_min', s.duration_min, 'price_minor', s.price_minor, 'currency', s.currency,
                    'capacity', s.capacity, 'colour', s.colour, 'buffer_before_min', s.buffer_before_min,
                    'buffer_after_min', s.buffer_after_min, 'notice_min', s.notice_min,
                    'horizon_days', s.horizon_days, 'cancel_notice_min', s.cancel_notice_min,
                    'move_notice_min', s.move_notice_min, 'max_moves', s.max_moves,
                    'late_fee_percent', s.late_fee_percent, 'needs_pickup', s.needs_pickup,
                    'needs_approval', s.needs_approval, 'needs_credit', s.needs_credit, 'archived', false,
                    'instructors', (select coalesce(jsonb_agg(g.id order by lower(g.name), g.id), '[]')
                                    from service_instructors t join guides g on g.id = t.instructor_id
                                    where t.tenant_id = $1 and t.service_id = s.id)
                ) order by lower(s.name), s.id), '[]')
                from services s
                where s.tenant_id = $1 and s.status = 'active'
                  -- A combo is to be had when all of its parts are.
                  and not exists (select from combo_parts c
                                  join services part on part.tenant_id = $1 and part.id = c.service_id
                                  where c.tenant_id = $1 and c.combo_id = s.id and part.status <> 'active')
               ) as "services!: Json<Vec<Offer>>",
               (select coalesce(jsonb_agg(jsonb_build_object(
                    'id', g.id, 'name', g.name, 'city', g.city, 'bio', g.bio) order by lower(g.name), g.id), '[]')
                from guides g) as "instructors!: Json<Vec<Guide>>",
               (select coalesce(jsonb_agg(jsonb_build_object(
                    'instructor', p.instructor_id, 'left', p.lessons_left, 'expires_at', p.expires_at)
                    order by p.expires_at nulls last, p.created_at, p.id), '[]')
                from packs p
                where p.tenant_id = $1 and p.student_id = $2 and p.lessons_left > 0
                  and (p.expires_at is null or p.expires_at > $3)) as "packs!: Json<Vec<Prepaid>>",
               (select jsonb_build_object(
                    'id', h.id, 'kind', h.kind, 'service', h.service_id, 'also', h.also_services,
                    'instructor', h.instructor_id, 'instructor_name', i.name, 'starts_at', h.starts_at,
                    'ends_at', h.ends_at, 'expires_at', h.expires_at)
                from holds h join instructors i on i.tenant_id = $1 and i.id = h.instructor_id
                where h.tenant_id = $1 and h.student_id = $2 and h.kind = 'checkout' and h.state = 'active'
                  and h.expires_at > $3) as "hold?: Json<Hold>",
               (select coalesce(jsonb_agg(jsonb_build_object(
                    'id', w.id, 'service', w.service_id, 'instructor', w.instructor_id, 'from_at', w.from_at,
                    'to_at', w.to_at, 'offer', case when w.state = 'offered' then w.hold_id end)
                    order by w.from_at, w.id), '[]')
                from waiting_list w
                where w.tenant_id = $1 and w.student_id = $2 and w.state in ('waiting', 'offered')
                  and w.to_at > $3) as "waiting!: Json<Vec<WaitingLine>>""#,
        tenant,
        student.map(|id| id.0),
        now.to_sqlx()
    )
    .fetch_one(conn)
    .await?;
    Ok(Catalogue {
        services: row.services.0,
        instructors: row.instructors.0,
        packs: row.packs.0,
        hold: row.hold.map(|hold| hold.0),
        waiting: row.waiting.0,
    })
}
