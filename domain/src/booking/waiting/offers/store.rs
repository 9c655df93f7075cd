//! SQL of offers.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{OfferState, OfferView};
use crate::{
    Instant, Result,
    booking::Terms,
    ids::{GroupId, HoldId, InstructorId, ServiceId, StudentId, WaitId},
};

/// Keeps a hold as it is until the transaction ends.
pub(super) async fn lock(conn: &mut PgConnection, tenant: Uuid, id: HoldId) -> Result<()> {
    sqlx::query!("select id from holds where tenant_id = $1 and id = $2 for update", tenant, id.0)
        .fetch_optional(conn)
        .await?;
    Ok(())
}

/// An offer as it stands now.
pub(super) async fn offer(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: HoldId,
    now: Instant,
) -> Result<Option<OfferView>> {
    let row = sqlx::query!(
        r#"select w.id as entry, h.state, h.service_id, sv.name as service_name, h.instructor_id,
                  i.name as instructor_name, h.student_id, st.name as student_name, h.starts_at, h.ends_at, h.expires_at,
                  h.group_id, sv.price_minor, sv.currency, sv.cancel_notice_min, sv.move_notice_min, sv.max_moves,
                  sv.late_fee_percent, sv.needs_pickup, sv.needs_approval, w.pickup, w.note,
                  (select p.lessons_left from packs p
                   where p.tenant_id = $1 and p.student_id = h.student_id and p.instructor_id = h.instructor_id
                     and p.lessons_left > 0 and (p.expires_at is null or p.expires_at > h.starts_at)
                   order by p.expires_at nulls last, p.created_at, p.id limit 1) as "pack_left?"
           from holds h
           join waiting_list w on w.tenant_id = h.tenant_id and w.hold_id = h.id
           join services sv on sv.tenant_id = h.tenant_id and sv.id = h.service_id
           join instructors i on i.tenant_id = h.tenant_id and i.id = h.instructor_id
           join students st on st.tenant_id = h.tenant_id and st.id = h.student_id
           where h.tenant_id = $1 and h.id = $2 and h.kind = 'offer'"#,
        tenant,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let until = row.expires_at.to_jiff();
        let state = match row.state.as_str() {
            "used" => OfferState::Taken,
            "released" => OfferState::Declined,
            "active" if now < until => OfferState::Open,
            _ => OfferState::Ended,
        };
        OfferView {
            hold: id,
            entry: WaitId(row.entry),
            state,
            service: ServiceId(row.service_id),
            service_name: row.service_name,
            instructor: InstructorId(row.instructor_id),
            instructor_name: row.instructor_name,
            student: StudentId(row.student_id),
            student_name: row.student_name,
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            until,
            price_minor: row.price_minor,
            currency: row.currency,
            terms: Terms {
                cancel_notice_min: row.cancel_notice_min,
                move_notice_min: row.move_notice_min,
                max_moves: row.max_moves,
                late_fee_percent: row.late_fee_percent,
            },
            needs_pickup: row.needs_pickup,
            needs_approval: row.needs_approval,
            pack_left: row.pack_left,
            pickup: row.pickup,
            note: row.note,
            group: row.group_id.map(GroupId),
        }
    }))
}
