//! What must hold whatever has happened: looked up behind the program's back, by brute force and not by the constraints
//! that are under test.

use std::collections::BTreeMap;

use super::{Known, Told};
use crate::harness::TestApp;

/// Counts of what must not be, each 0.
const NEVER: [(&str, &str); 11] = [
    (
        "two claims of one subject overlap",
        "select count(*) from claims a join claims b on a.tenant_id = b.tenant_id and a.subject_id = b.subject_id
         and a.id < b.id and a.active and b.active and a.starts_at < b.ends_at and b.starts_at < a.ends_at",
    ),
    (
        "a student is in two places",
        "select count(*) from bookings a join bookings b on a.tenant_id = b.tenant_id and a.student_id = b.student_id
         and a.id < b.id and a.status <> 'cancelled' and b.status <> 'cancelled'
         and a.starts_at < b.ends_at and b.starts_at < a.ends_at",
    ),
    (
        "an instructor gives two lessons at once",
        "select count(*) from bookings a join bookings b on a.tenant_id = b.tenant_id and a.instructor_id = b.instructor_id
         and a.id < b.id and a.status <> 'cancelled' and b.status <> 'cancelled'
         and a.starts_at < b.ends_at and b.starts_at < a.ends_at and a.group_id is distinct from b.group_id",
    ),
    (
        "a lesson without its time, or time without its lesson",
        "select count(*) from bookings b
         where (select count(*) from claims c where c.tenant_id = b.tenant_id and c.booking_id = b.id and c.active
                   and c.subject_kind <> 'resource')
               <> case when b.status = 'cancelled' then 0 when b.group_id is null then 2 else 1 end
            or exists (select from claims c where c.tenant_id = b.tenant_id and c.booking_id = b.id and c.active
                         and c.subject_kind = 'student' and (c.starts_at, c.ends_at) <> (b.starts_at, b.ends_at))",
    ),
    (
        "a lesson for several that isn't at the time of its group",
        "select count(*) from bookings b join group_lessons g on g.tenant_id = b.tenant_id and g.id = b.group_id
         where b.status <> 'cancelled'
           and (g.cancelled_at is not null or g.starts_at <> b.starts_at or g.instructor_id <> b.instructor_id)",
    ),
    (
        "seats that don't add up",
        "select count(*) from group_lessons g
         where g.taken > g.capacity or g.taken <>
               (select count(*) from bookings b where b.tenant_id = g.tenant_id and b.group_id = g.id and b.status <> 'cancelled')
             + (select count(*) from holds h where h.tenant_id = g.tenant_id and h.group_id = g.id and h.state = 'active')",
    ),
    (
        "a group whose time isn't taken, or an empty one that is",
        "select count(*) from group_lessons g
         where exists (select from claims c where c.tenant_id = g.tenant_id and c.group_id = g.id and c.active
                         and c.subject_kind = 'instructor') <> (g.cancelled_at is null)
            or (g.taken = 0 and not g.kept and g.cancelled_at is null)",
    ),
    (
        "a hold that is over and keeps its time, or one that stands without",
        "select count(*) from holds h
         where exists (select from claims c where c.tenant_id = h.tenant_id and c.hold_id = h.id and c.active) <> (h.state = 'active')",
    ),
    (
        "credits that don't add up",
        "select count(*) from packs p
         where p.lessons_used <> coalesce((select sum(case when to_account = 'used' then lessons when from_account = 'used' then -lessons else 0 end)
                                           from credit_postings c where c.tenant_id = p.tenant_id and c.pack_id = p.id), 0)
            or p.lessons_used < 0 or p.lessons_left < 0",
    ),
    (
        "a lesson that took no credit, or one too many",
        "select count(*) from bookings b
         where b.created_by is not null and coalesce(
             (select sum(case when to_account = 'used' then lessons else -lessons end)
              from credit_postings c where c.tenant_id = b.tenant_id and c.booking_id = b.id), 0)
             <> case when b.pack_id is null or b.status = 'cancelled' then 0 else 1 end",
    ),
    (
        "a lesson made without its messages or its record",
        "select count(*) from bookings b
         where b.created_by is not null
           and ((select count(*) from outbox o where o.tenant_id = b.tenant_id and o.booking_id = b.id and o.kind in ('booking_made', 'booking_requested')) <> 2
                or not exists (select from audit a where a.tenant_id = b.tenant_id and a.entity_id = b.id))",
    ),
];

pub(super) async fn hold(app: &TestApp, told: &Told) {
    for (what, sql) in NEVER {
        assert_eq!(app.count(sql).await, 0, "{what}");
    }
    let stored: BTreeMap<String, (String, String)> = sqlx::query_as::<_, (String, String, String)>(
        "select id::text, status, to_char(starts_at at time zone 'Africa/Johannesburg', 'YYYY-MM-DD\"T\"HH24:MI:SS') || '+02:00'
         from bookings where created_by is not null",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap()
    .into_iter()
    .map(|(id, status, at)| (id, (status, at)))
    .collect();
    let mut stands = 0;
    for (id, known) in &told.lessons {
        let (status, at) = stored.get(id).unwrap_or_else(|| panic!("{id} was acknowledged and is gone"));
        match known {
            Known::Stands(said) => {
                assert_ne!(status, "cancelled", "{id} was never cancelled");
                assert!(
                    said.as_ref().is_none_or(|said| said == at),
                    "{id} was moved to {said:?} and is at {at}"
                );
                stands += 1;
            }
            Known::Cancelled => assert_eq!(status, "cancelled", "{id} came back"),
            Known::Unsure => {}
        }
    }
    // One key, one lesson: by what was answered, and by what is there (the note repeats the key).
    for (key, ids) in &told.keys {
        assert!(ids.iter().all(|id| id == &ids[0]), "{key} made {ids:?}");
    }
    let twice = app
        .count(
            "select count(*) from (select note from bookings where created_by is not null and note <> ''
             group by note having count(*) > 1) n",
        )
        .await;
    assert_eq!(twice, 0, "a key with two lessons");
    assert!(stands > 0 && told.keys.len() > 50, "nothing happened: {:?}", told.counts);
}
