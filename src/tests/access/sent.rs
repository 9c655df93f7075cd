//! What the matrix asks for: an address with its parameters filled in, an action with its fields, and the things of a
//! school that they name.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::harness::{PASSWORD, TestApp};

/// Ids of one school, by the name of the parameter or field.
pub(super) type Ids = BTreeMap<&'static str, String>;

/// Things to be found or made in a school: `:tenant` is its id, `:instructor` and `:student` are two of its people.
/// What is taken away in the matrix is nobody's who tries.
const THINGS: [(&str, &str); 17] = [
    (
        "second",
        "select id from services where tenant_id = :tenant and duration_min = 90 and kind = 'single' and capacity = 1 limit 1",
    ),
    ("pack", "select id from packs where tenant_id = :tenant and student_id = :student"),
    (
        "block",
        "insert into blocked_times (tenant_id, id, instructor_id, starts_at, ends_at)
         values (:tenant, gen_random_uuid(), :instructor, '2027-06-01', '2027-06-02') returning id",
    ),
    (
        "member",
        "select user_id from memberships
         where tenant_id = :tenant and role = 'instructor' and person_id <> :instructor order by user_id limit 1",
    ),
    (
        "leaver",
        "select user_id from memberships
         where tenant_id = :tenant and role = 'student' and person_id <> :student order by user_id limit 1",
    ),
    (
        "session",
        "insert into sessions (token_hash, user_id, data, idle_seconds, created_at, last_seen_at, expires_at)
         select sha256(convert_to(gen_random_uuid()::text, 'UTF8')), user_id, '{}', 1800, '2027-01-12', '2027-01-12',
                '2027-01-13'
         from memberships where tenant_id = :tenant and person_id = :student returning id",
    ),
    ("invite", INVITE),
    ("other_invite", INVITE),
    (
        "message",
        r#"insert into outbox (tenant_id, id, kind, recipient, subject, data, state, next_attempt_at, created_at)
           values (:tenant, gen_random_uuid(), 'test', 'a@access.test', 'Test', '{"kind": "test", "school": "x"}', 'dead',
                   '2027-01-12', '2027-01-12') returning id"#,
    ),
    (
        "account_message",
        r#"insert into outbox (tenant_id, id, kind, recipient, subject, data, state, next_attempt_at, created_at)
           values ('00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'code_changed', 'a@access.test', 'Test',
                   '{"kind": "code_changed", "name": "x", "on": true}', 'dead', '2027-01-12', '2027-01-12') returning id"#,
    ),
    ("resource", RESOURCE),
    (
        "group",
        "insert into group_lessons (tenant_id, id, service_id, instructor_id, starts_at, ends_at, capacity, kept, created_at)
         select tenant_id, gen_random_uuid(), service_id, instructor_id, '2027-06-05', '2027-06-06', 3, true, '2027-01-12'
         from bookings where tenant_id = :tenant and instructor_id = :instructor limit 1 returning id",
    ),
    ("hold", HOLD),
    (
        "kept",
        "insert into holds (tenant_id, id, kind, service_id, instructor_id, student_id, starts_at, ends_at, expires_at, created_at)
         select tenant_id, gen_random_uuid(), 'checkout', service_id, instructor_id, :student, '2027-06-03', '2027-06-04', '2027-06-01', '2027-01-12'
         from bookings where tenant_id = :tenant and instructor_id = :instructor limit 1 returning id",
    ),
    ("entry", WAITING),
    (
        "feed",
        "insert into feeds (tenant_id, id, user_id, reach, token_hash, created_at)
         select tenant_id, gen_random_uuid(), user_id, 'own', sha256(convert_to(gen_random_uuid()::text, 'UTF8')), '2027-01-12'
         from memberships where tenant_id = :tenant and person_id = :student returning id",
    ),
    (
        "account",
        "insert into users (id, email, email_verified_at, name, created_at, updated_at)
         values (gen_random_uuid(), gen_random_uuid()::text || '@access.test', '2027-01-01', 'Throw Away', '2027-01-01', '2027-01-01')
         returning id",
    ),
];
const HOLD: &str = "with offered as (
        insert into holds (tenant_id, id, kind, service_id, instructor_id, student_id, starts_at, ends_at, expires_at, created_at)
        select tenant_id, gen_random_uuid(), 'offer', service_id, instructor_id, :student, '2027-06-03', '2027-06-04', '2027-06-01', '2027-01-12'
        from bookings where tenant_id = :tenant and instructor_id = :instructor limit 1 returning *
    ), entry as (
        insert into waiting_list (tenant_id, id, service_id, student_id, from_at, to_at, state, hold_id, created_at)
        select tenant_id, gen_random_uuid(), service_id, student_id, starts_at, ends_at, 'offered', id, created_at from offered
    ) select id from offered";
const WAITING: &str =
    "insert into waiting_list (tenant_id, id, service_id, student_id, from_at, to_at, created_at)
    select tenant_id, gen_random_uuid(), service_id, :student, '2027-06-09', '2027-06-10', '2027-01-12'
    from bookings where tenant_id = :tenant and instructor_id = :instructor limit 1 returning id";
const RESOURCE: &str = "insert into resources (tenant_id, id, name, kind, created_at)
    values (:tenant, gen_random_uuid(), gen_random_uuid()::text, 'room', '2027-01-12') returning id";
/// To a student: they take no seat.
const INVITE: &str = "insert into invites (tenant_id, id, email, role, token_hash, created_at, expires_at)
    values (:tenant, gen_random_uuid(), gen_random_uuid()::text || '@access.test', 'student',
            sha256(convert_to(gen_random_uuid()::text, 'UTF8')), '2027-01-12', '2027-01-15') returning id";

/// The first student's next lesson with the first instructor, and all that belongs to it.
pub(super) async fn ids(app: &TestApp, slug: &str) -> Ids {
    let (tenant, booking, instructor, student, service): (Uuid, Uuid, Uuid, Uuid, Uuid) = sqlx::query_as(
        "select b.tenant_id, b.id, b.instructor_id, b.student_id, b.service_id from bookings b
         join tenants t on t.id = b.tenant_id join students s on s.tenant_id = b.tenant_id and s.id = b.student_id
         where t.slug = $1 and b.status = 'confirmed' and (s.email like 'sipho@%' or s.email like 'kim@%')
         order by b.starts_at limit 1",
    )
    .bind(slug)
    .fetch_one(&app.admin)
    .await
    .unwrap();
    let found = [
        ("tenant_id", tenant),
        ("booking", booking),
        ("instructor", instructor),
        ("student", student),
        ("service", service),
    ];
    let mut ids: Ids = found.map(|(name, id)| (name, id.to_string())).into();
    for (name, sql) in THINGS {
        let sql = [(":tenant", tenant), (":instructor", instructor), (":student", student)]
            .into_iter()
            .fold(sql.to_owned(), |sql, (hole, id)| sql.replace(hole, &format!("'{id}'")));
        let id: Uuid = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&app.admin).await.unwrap();
        ids.insert(name, id.to_string());
    }
    ids
}

/// The address with its parameters filled in.
pub(super) fn fill(path: &str, slug: &str, ids: &Ids) -> String {
    let id = match path {
        p if p.contains("/bookings/") => &ids["booking"],
        p if p.contains("/instructors/") => &ids["instructor"],
        p if p.contains("/students/") => &ids["student"],
        p if p.contains("/services/") => &ids["service"],
        p if p.contains("/groups/") => &ids["group"],
        p if p.contains("/offers/") => &ids["hold"],
        p if p.contains("/resources/") => &ids["resource"],
        p if p.contains("/users/") => &ids["account"],
        _ => &ids["tenant_id"],
    };
    path.replace("{tenant}", slug).replace("{id}", id).replace("{token}", &"0f".repeat(32))
}

/// What an action is sent: right in form, so that the answer depends on who asks.
pub(super) fn fields(path: &str, slug: &str, ids: &Ids) -> Vec<(&'static str, String)> {
    let text = |name: &'static str, value: &str| (name, value.to_owned());
    let thing = |field: &'static str, name: &str| (field, ids[name].clone());
    let id = |name: &'static str| thing(name, name);
    let tenant = text("tenant", slug);
    let reason = text("reason", "Test");
    match path {
        "/fn/availability/add_holiday" | "/fn/availability/remove_holiday" => {
            vec![tenant, text("date", "2027-05-04"), text("name", "Holiday")]
        }
        "/fn/availability/remove_exception" => vec![tenant, id("instructor"), text("date", "2027-05-05")],
        "/fn/availability/save_exception" => {
            vec![tenant, id("instructor"), text("date", "2027-05-05"), text("hours", "09:00-12:00")]
        }
        "/fn/availability/set_rules" => vec![tenant, id("instructor"), text("travel", "10")],
        "/fn/availability/block" => {
            vec![tenant, id("instructor"), text("date", "2027-05-03"), text("reason", "Holiday")]
        }
        "/fn/availability/set_hours" => vec![tenant, id("instructor"), text("mon", "09:00-17:00")],
        "/fn/availability/unblock" => vec![tenant, id("block")],
        "/fn/booking/book" => vec![
            tenant,
            id("service"),
            id("instructor"),
            text("starts_at", "2027-01-15T15:00:00+02:00"),
            text("pickup", "1 Long Street"),
        ],
        "/fn/booking/book_for_student" => vec![
            tenant,
            id("student"),
            id("service"),
            id("instructor"),
            text("date", "2027-01-15"),
            text("time", "16:00"),
            text("pickup", "1 Long Street"),
        ],
        "/fn/booking/attendance" => vec![tenant, text("date", "2027-01-12")],
        "/fn/booking/book_series" => vec![
            tenant,
            id("student"),
            id("service"),
            id("instructor"),
            text("date", "2027-01-15"),
            text("time", "16:00"),
            text("every", "weekly"),
            text("until", "count"),
            text("count", "2"),
            text("pickup", "1 Long Street"),
        ],
        "/fn/booking/bulk" => vec![tenant, text("step", "complete"), thing("bookings[0]", "booking")],
        "/fn/booking/close_group" => vec![tenant, id("group"), reason],
        "/fn/booking/hold" => {
            vec![tenant, id("service"), id("instructor"), text("starts_at", "2027-01-15T15:00:00+02:00")]
        }
        "/fn/booking/move" => vec![
            tenant,
            id("booking"),
            text("date", "2027-01-15"),
            text("time", "14:00"),
            text("scope", "this"),
            reason,
        ],
        "/fn/booking/open_group" => {
            vec![tenant, id("service"), id("instructor"), text("date", "2027-01-15"), text("time", "13:00")]
        }
        "/fn/booking/release_hold" => vec![tenant, thing("hold", "kept")],
        "/fn/feeds/create" => vec![tenant],
        "/fn/feeds/revoke" => vec![tenant, id("feed")],
        "/fn/resources/archive" | "/fn/resources/restore" => vec![tenant, id("resource")],
        "/fn/resources/save" => vec![
            tenant,
            id("resource"),
            text("name", &ids["resource"]),
            text("kind", "room"),
            text("units", "1"),
        ],
        "/fn/services/bulk" => {
            vec![tenant, text("step", "horizon"), text("value", "60"), thing("services[0]", "service")]
        }
        "/fn/services/save_combo" => vec![
            tenant,
            text("service", "new"),
            text("name", "Both"),
            text("price", "100"),
            thing("parts[0]", "service"),
            thing("parts[1]", "second"),
        ],
        "/fn/waiting/accept" | "/fn/waiting/decline" => vec![tenant, id("hold")],
        "/fn/waiting/join" => {
            vec![tenant, id("student"), id("service"), id("instructor"), text("date", "2027-01-18")]
        }
        "/fn/waiting/leave" => vec![tenant, id("entry")],
        "/fn/booking/cancel" => vec![tenant, id("booking"), text("reason", "Ill")],
        "/fn/booking/complete" | "/fn/booking/confirm" | "/fn/booking/no_show" => {
            vec![tenant, id("booking")]
        }
        "/fn/notify/resend" => vec![tenant, thing("id", "message")],
        "/fn/notify/resend_platform" => vec![thing("id", "account_message")],
        "/fn/packs/add_lesson" | "/fn/packs/use_lesson" => vec![tenant, id("pack")],
        "/fn/people/associate" => vec![tenant, id("instructor"), id("student"), text("lessons", "4")],
        "/fn/people/reject" => vec![tenant, id("instructor"), reason],
        "/fn/people/remove" | "/fn/people/restore" => {
            vec![tenant, text("kind", "student"), thing("id", "student"), reason]
        }
        "/fn/people/verify" => vec![tenant, id("instructor"), text("verification", "verified")],
        "/fn/services/archive" | "/fn/services/restore" => vec![tenant, id("service")],
        "/fn/services/save" => vec![
            tenant,
            id("service"),
            text("name", "Driving lesson"),
            text("duration", "60"),
            text("price", "420.00"),
            text("buffer_before", "0"),
            text("buffer_after", "0"),
            text("notice", "120"),
            text("horizon", "60"),
            text("cancel_notice", "24"),
        ],
        "/fn/team/accept" => vec![text("token", "0f")],
        "/fn/team/invite" => vec![tenant, text("email", "new-staff@access.test"), text("role", "staff")],
        "/fn/team/invite_owner" => {
            vec![thing("tenant", "tenant_id"), text("email", "new-owner@access.test")]
        }
        "/fn/team/remove" => vec![tenant, thing("user", "leaver"), reason],
        "/fn/team/resend" => vec![tenant, thing("id", "invite")],
        "/fn/team/revoke" => vec![tenant, thing("id", "other_invite")],
        "/fn/team/set_permissions" => {
            vec![tenant, thing("user", "member"), text("offered[0]", "data.export")]
        }
        "/fn/team/set_role" => vec![tenant, thing("user", "member"), text("role", "staff"), reason],
        "/fn/tenancy/activate" | "/fn/tenancy/delete" | "/fn/tenancy/restore" | "/fn/tenancy/suspend" => {
            vec![thing("tenant", "tenant_id"), reason]
        }
        "/fn/tenancy/create" => vec![
            text("name", "New"),
            text("slug", "new-school"),
            text("preset", "salon"),
            text("zone", "Europe/Berlin"),
            text("owner_email", "new@new.test"),
            text("seats", "3"),
        ],
        "/fn/tenancy/remove_mail" | "/fn/tenancy/test_mail" => vec![tenant],
        "/fn/tenancy/save_mail" => vec![
            tenant,
            text("host", "127.0.0.1"),
            text("port", "25"),
            text("security", "none"),
            text("from_email", "school@access.test"),
        ],
        "/fn/tenancy/save_settings" => vec![
            tenant,
            text("name", "Cape Drive"),
            text("zone", "Africa/Johannesburg"),
            text("locale", "en-ZA"),
            text("currency", "ZAR"),
            text("notice", "2"),
            text("cancel_notice", "24"),
            text("open_registration", "on"),
        ],
        "/fn/tenancy/update" => vec![
            thing("tenant", "tenant_id"),
            text("name", "Cape Drive"),
            text("preset", "driving_school"),
            text("zone", "Africa/Johannesburg"),
            text("seats", "100"),
        ],
        "/fn/users/delete"
        | "/fn/users/disable"
        | "/fn/users/enable"
        | "/fn/users/impersonate"
        | "/fn/users/restore" => vec![thing("user", "account"), reason],
        "/fn/users/stop" => vec![],
        "/fn/users/update" => vec![
            thing("user", "account"),
            text("name", "Throw Away"),
            text("email", "throw-away@access.test"),
            reason,
        ],
        other => of_account(other, ids),
    }
}

/// The same for what one does with one's own account.
fn of_account(path: &str, ids: &Ids) -> Vec<(&'static str, String)> {
    let text = |name: &'static str, value: &str| (name, value.to_owned());
    match path {
        "/fn/identity/change_email" => vec![text("email", "moved@access.test")],
        "/fn/identity/change_password" => vec![text("current", "not it"), text("password", "short")],
        "/fn/identity/confirm" => vec![text("password", PASSWORD)],
        // Nobody's addresses: who is asked about is told, and nobody learns whether they are there.
        "/fn/identity/forgot" | "/fn/identity/magic" => vec![text("email", "nobody@access.test")],
        // One that takes nobody by themselves, so that nobody comes to belong to more than before.
        "/fn/identity/join" => vec![text("tenant", "closed-clinic"), text("kind", "student")],
        "/fn/identity/login" => vec![text("login", "sipho@cape-drive.test"), text("password", PASSWORD)],
        "/fn/identity/login_code" => vec![text("code", "000000")],
        "/fn/identity/register" => vec![
            text("name", "New"),
            text("email", "new@access.test"),
            text("password", "velvet-ladder-ocean-9"),
            text("kind", "student"),
        ],
        "/fn/identity/revoke_session" => vec![("id", ids["session"].clone())],
        "/fn/identity/save_profile" => vec![text("city", "Cape Town")],
        "/fn/identity/set_password" | "/fn/identity/verify" => {
            vec![text("token", "0f"), text("password", "velvet-ladder-ocean-9")]
        }
        "/fn/identity/theme" => vec![text("theme", "dark")],
        // Never a code, not even by chance.
        "/fn/identity/totp_confirm" => vec![text("code", "none")],
        "/fn/identity/update_name" => vec![text("name", "New Name")],
        "/fn/identity/update_phone" => vec![text("phone", "+27 82 123 4567")],
        "/fn/identity/confirm_email" | "/fn/identity/use_magic" => vec![text("token", "0f")],
        "/fn/identity/logout"
        | "/fn/identity/logout_everywhere"
        | "/fn/identity/totp_begin"
        | "/fn/identity/totp_codes"
        | "/fn/identity/totp_disable" => vec![],
        other => panic!("{other} is new: say here what it is sent"),
    }
}
