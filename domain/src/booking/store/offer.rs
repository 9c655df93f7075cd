//! SQL of what a request to book names.

use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    Instant, Result,
    ids::{HoldId, InstructorId, ServiceId, StudentId},
    services::Service,
};

/// An instructor who could give a lesson.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Candidate {
    pub(crate) id: InstructorId,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    /// Verified, and with an account that can be used if there is one.
    pub(crate) public: bool,
    pub(crate) teaches: bool,
}

/// The student a lesson is for.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Learner {
    pub(crate) name: String,
    pub(crate) email: Option<String>,
}

/// All that a request to book names.
pub(crate) struct Offer {
    /// All services as one appointment.
    pub(crate) service: Service,
    /// Each of them, in order.
    pub(crate) each: Vec<Service>,
    /// No combo among them has a part that is archived.
    pub(crate) parts_active: bool,
    /// Those who teach all of them, and the one asked for even if they don't.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) student: Option<Learner>,
    /// Units of all resources that could be needed: their time is locked with that of people.
    pub(crate) units: Vec<Uuid>,
    /// What the student keeps during checkout, as long as it isn't over.
    pub(crate) checkout: Option<HoldId>,
}

/// What a request to book names: a service, `also` further ones, an instructor or any, a student. `None` when one of the
/// services isn't there.
pub(crate) async fn offer(
    conn: &mut PgConnection,
    tenant: Uuid,
    service: ServiceId,
    also: &[ServiceId],
    instructor: Option<InstructorId>,
    student: StudentId,
    now: Instant,
) -> Result<Option<Offer>> {
    let wanted: Vec<Uuid> = std::iter::once(service.0).chain(also.iter().map(|id| id.0)).collect();
    // What follows in the transaction names all it wants by its keys. Planning the look at everyone's time anew takes five
    // times as long as looking, and Postgres, left to itself, does so each time.
    let row = sqlx::query!(
        r#"with wanted as (
               select w.id, w.place from unnest($2::uuid[]) with ordinality as w (id, place)
           ), parts as (
               select p.service_id from combo_parts p where p.tenant_id = $1 and p.combo_id = any($2)
           ), teaching as (
               select t.instructor_id from service_instructors t
               where t.tenant_id = $1 and t.service_id = any($2)
               group by t.instructor_id
               having count(*) = (select count(distinct w.id) from wanted w)
           )
           select set_config('plan_cache_mode', 'force_generic_plan', true) as "planned!",
                  (select coalesce(jsonb_agg(jsonb_build_object(
                       'id', s.id, 'kind', s.kind, 'name', s.name, 'description', s.description,
                       'duration_min', s.duration_min, 'price_minor', s.price_minor, 'currency', s.currency,
                       'capacity', s.capacity, 'colour', s.colour, 'buffer_before_min', s.buffer_before_min,
                       'buffer_after_min', s.buffer_after_min, 'notice_min', s.notice_min,
                       'horizon_days', s.horizon_days, 'cancel_notice_min', s.cancel_notice_min,
                       'move_notice_min', s.move_notice_min, 'max_moves', s.max_moves,
                       'late_fee_percent', s.late_fee_percent, 'needs_pickup', s.needs_pickup,
                       'needs_approval', s.needs_approval, 'needs_credit', s.needs_credit,
                       'archived', s.status = 'archived') order by w.place), '[]')
                   from wanted w
                   join services s on s.tenant_id = $1 and s.id = w.id) as "services!: Json<Vec<Service>>",
                  not exists (select from services s
                              where s.tenant_id = $1 and s.status <> 'active'
                                and s.id in (select p.service_id from parts p)) as "parts_active!",
                  (select coalesce(jsonb_agg(jsonb_build_object(
                       'id', i.id, 'name', i.name, 'email', i.email,
                       'public', i.verification = 'verified' and not exists (
                           select from absent_instructors a where a.tenant_id = $1 and a.person_id = i.id),
                       'teaches', t.instructor_id is not null) order by i.id), '[]')
                   from instructors i
                   left join teaching t on t.instructor_id = i.id
                   where i.tenant_id = $1 and i.deleted_at is null
                     and (t.instructor_id is not null or i.id = $3)) as "candidates!: Json<Vec<Candidate>>",
                  (select jsonb_build_object('name', st.name, 'email', st.email)
                   from students st
                   where st.tenant_id = $1 and st.id = $4 and st.deleted_at is null) as "student?: Json<Learner>",
                  (select coalesce(array_agg(u.id), '{}')
                   from resource_units u
                   where u.tenant_id = $1 and u.active
                     and u.resource_id in (select n.resource_id from service_resources n
                                           where n.tenant_id = $1
                                             and (n.service_id = any($2)
                                                  or n.service_id in (select p.service_id from parts p)))) as "units!",
                  (select h.id from holds h
                   where h.tenant_id = $1 and h.student_id = $4 and h.kind = 'checkout' and h.state = 'active'
                     and h.expires_at > $5) as "checkout?""#,
        tenant,
        &wanted[..],
        instructor.map(|id| id.0),
        student.0,
        now.to_sqlx()
    )
    .fetch_one(conn)
    .await?;
    let each = row.services.0;
    Ok((each.len() == wanted.len()).then(|| Offer {
        service: Service::together(&each),
        each,
        parts_active: row.parts_active,
        candidates: row.candidates.0,
        student: row.student.map(|student| student.0),
        units: row.units,
        checkout: row.checkout.map(HoldId),
    }))
}
