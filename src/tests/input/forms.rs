//! Every action's form, the things that forms name, and who posts them.

use std::collections::BTreeMap;

use app::access::Access;
use domain::notify::{Courier, Envelope, HandingOver, SendError};
use futures::future::BoxFuture;

use crate::harness::{Client, TestApp};

pub(super) type Fields = Vec<(&'static str, String)>;

/// Things by name: of Cape Drive, and the other school and two accounts for the platform.
pub(super) type Things = BTreeMap<&'static str, String>;

/// What was done and recorded, beside logging in.
pub(super) const SAVED: &str = "select count(*) from audit where action <> 'auth.login'";

const THINGS: [(&str, &str); 20] = [
    ("instructor", "select id::text from instructors where email like 'thandi@%'"),
    ("student", "select id::text from students where email like 'sipho@%'"),
    ("service", "select id::text from services where name = 'Driving lesson'"),
    ("second", "select id::text from services where name = 'Test preparation'"),
    ("pack", "select p.id::text from packs p join students s on s.id = p.student_id and s.email like 'sipho@%'"),
    ("school", "select id::text from tenants where slug = 'north-mentors'"),
    ("member", "select id::text from users where email like 'pieter@%'"),
    ("leaver", "select id::text from users where email like 'megan@%'"),
    (
        "booking",
        "select b.id::text from bookings b join students s on s.id = b.student_id
         where s.email like 'sipho@%' and b.status = 'confirmed' order by b.starts_at limit 1",
    ),
    (
        "block",
        "insert into blocked_times (tenant_id, id, instructor_id, starts_at, ends_at)
         select tenant_id, gen_random_uuid(), id, '2027-06-01', '2027-06-02' from instructors where email like 'thandi@%' returning id::text",
    ),
    (
        "resource",
        "with made as (
             insert into resources (tenant_id, id, name, kind, created_at)
             select id, gen_random_uuid(), 'A room', 'room', '2027-01-12' from tenants where slug = 'cape-drive' returning *
         ), units as (
             insert into resource_units (tenant_id, id, resource_id, place) select tenant_id, gen_random_uuid(), id, 1 from made
         ) select id::text from made",
    ),
    (
        "group",
        "insert into group_lessons (tenant_id, id, service_id, instructor_id, starts_at, ends_at, capacity, kept, created_at)
         select tenant_id, gen_random_uuid(), service_id, instructor_id, '2027-06-05', '2027-06-06', 3, true, '2027-01-12'
         from bookings b where b.instructor_id = (select id from instructors where email like 'thandi@%') limit 1 returning id::text",
    ),
    (
        "hold",
        "insert into holds (tenant_id, id, kind, service_id, instructor_id, student_id, starts_at, ends_at, expires_at, created_at)
         select tenant_id, gen_random_uuid(), 'checkout', service_id, instructor_id, student_id, '2027-06-03', '2027-06-04', '2027-06-01', '2027-01-12'
         from bookings b where b.student_id = (select id from students where email like 'sipho@%') limit 1 returning id::text",
    ),
    (
        "entry",
        "insert into waiting_list (tenant_id, id, service_id, student_id, from_at, to_at, created_at)
         select tenant_id, gen_random_uuid(), service_id, student_id, '2027-06-09', '2027-06-10', '2027-01-12'
         from bookings b where b.student_id = (select id from students where email like 'sipho@%') limit 1 returning id::text",
    ),
    (
        "feed",
        "insert into feeds (tenant_id, id, user_id, reach, token_hash, created_at)
         select m.tenant_id, gen_random_uuid(), m.user_id, 'own', sha256('\\x01'), '2027-01-12'
         from memberships m join users u on u.id = m.user_id where u.email like 'sipho@cape%' returning id::text",
    ),
    (
        "invite",
        "insert into invites (tenant_id, id, email, role, token_hash, created_at, expires_at)
         select id, gen_random_uuid(), 'invited@x.test', 'student', sha256('\\x00'), '2027-01-12', '2027-01-15'
         from tenants where slug = 'cape-drive' returning id::text",
    ),
    (
        "message",
        r#"insert into outbox (tenant_id, id, kind, recipient, subject, data, state, next_attempt_at, created_at)
           select id, gen_random_uuid(), 'test', 'a@x.test', 'Test', '{"kind": "test", "school": "x"}', 'dead', '2027-01-12',
                  '2027-01-12'
           from tenants where slug = 'cape-drive' returning id::text"#,
    ),
    (
        "account_message",
        r#"insert into outbox (tenant_id, id, kind, recipient, subject, data, state, next_attempt_at, created_at)
           values ('00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'code_changed', 'a@x.test', 'Test',
                   '{"kind": "code_changed", "name": "x", "on": true}', 'dead', '2027-01-12', '2027-01-12')
           returning id::text"#,
    ),
    (
        "user",
        "insert into users (id, email, email_verified_at, name, created_at, updated_at)
         values (gen_random_uuid(), 'user@x.test', '2027-01-01', 'User', '2027-01-01', '2027-01-01') returning id::text",
    ),
    (
        "gone",
        "insert into users (id, email, email_verified_at, name, created_at, updated_at)
         values (gen_random_uuid(), 'gone@x.test', '2027-01-01', 'Gone', '2027-01-01', '2027-01-01') returning id::text",
    ),
];

/// Every action: the fields it needs | those it can do without. All is right in form; a bare name is filled with the
/// id of such a thing, and `@` names the thing.
const FORMS: &str = "
availability/add_holiday | tenant date=2027-05-04 name=Holiday
availability/block | tenant instructor date=2027-05-03 | from=09:00 to=10:00 reason=Holiday
availability/remove_exception | tenant instructor date=2027-05-05
availability/remove_holiday | tenant date=2027-05-04
availability/save_exception | tenant instructor date=2027-05-05 | hours=09:00-12:00 reason=Fair
availability/set_rules | tenant instructor | travel=10 max_per_day=5 max_per_week=20 weight=1
availability/set_hours | tenant instructor | mon=09:00-17:00 tue= wed=9:00-12:00 thu= fri= sat= sun=
availability/unblock | tenant block
booking/attendance | tenant | date=2027-01-12
booking/book | tenant service instructor starts_at=2027-01-15T15:00:00+02:00 | note=Hi pickup=Home idempotency_key=
booking/book_for_student | tenant student instructor service date=2027-01-15 time=16:00 | which= note=Hi pickup=Home idempotency_key=
booking/book_series | tenant service instructor date=2027-01-15 time=16:00 every=weekly | student until=count count=2 last_day= clock= note=Hi pickup=Home idempotency_key=
booking/bulk | tenant step=complete | bookings[0]=@booking reason=
booking/cancel | tenant booking reason=Ill | scope=this as_student=
booking/close_group | tenant group reason=Rain
booking/complete | tenant booking
booking/confirm | tenant booking
booking/hold | tenant service instructor starts_at=2027-01-15T15:00:00+02:00 | also=
booking/move | tenant booking | date=2027-01-15 time=14:00 clock= instructor= scope=this reason=Rain starts_at=
booking/no_show | tenant booking
booking/open_group | tenant service instructor date=2027-01-15 time=13:00 | clock=
booking/release_hold | tenant hold | instructor=any
feeds/create | tenant
feeds/revoke | tenant feed
identity/change_email | email=moved@x.test
identity/change_password | current=wrong password=short
identity/confirm | password=demo-orchard-kettle-42 | code= next=/account
identity/confirm_email | token=0f
identity/forgot | email=nobody@x.test
identity/join | tenant kind=student
identity/login | login=sipho@cape-drive.test password=wrong | next=/
identity/login_code | code=000000
identity/logout | | next=/
identity/logout_everywhere | | keep=on
identity/magic | email=nobody@x.test
identity/register | name=New email=new@x.test password=velvet-ladder-ocean-9 kind=student | phone= school=cape-drive
identity/revoke_session | id=00000000-0000-0000-0000-000000000000
identity/save_profile | | id_number=1 address= suburb= city=Paarl province= pickup= pickup_lat= pickup_lon=
identity/set_password | token=0f password=velvet-ladder-ocean-9
identity/theme | theme=dark | _back=/
identity/totp_begin | | next=/account
identity/totp_codes |
identity/totp_confirm | code=none | next=/account
identity/totp_disable |
identity/update_name | name=New
identity/update_phone | | phone=+27821234567
identity/use_magic | token=0f
identity/verify | token=0f password=velvet-ladder-ocean-9
notify/resend | tenant id=@message | back=/t/cape-drive/outbox
notify/resend_platform | id=@account_message | back=/admin/outbox
packs/add_lesson | tenant pack | reason=Rain back=/t/cape-drive
packs/use_lesson | tenant pack | reason=Rain back=/t/cape-drive
people/associate | tenant instructor student | lessons=4 expires=2027-03-30
people/reject | tenant instructor reason=No
people/remove | tenant kind=student id=@student reason=Moved
people/restore | tenant kind=student id=@student reason=Back
people/verify | tenant instructor verification=verified
resources/archive | tenant resource
resources/restore | tenant resource
resources/save | tenant resource name=Room kind=room units=1
services/archive | tenant service
services/bulk | tenant step=notice value=2 | services[0]=@service
services/save_combo | tenant service=new name=Pair price=100 | description=Text parts[0]=@service parts[1]=@second
services/restore | tenant service
services/save | tenant service name=Lesson duration=60 price=420 buffer_before=0 buffer_after=0 notice=2 horizon=60 cancel_notice=24 | description=Text needs_pickup=on needs_approval= instructors[0]=@instructor capacity=1 colour=#0a6b8a move_notice=24 max_moves=2 late_fee=50 needs_credit= resources[0]=@resource units[0]=1
team/accept | token=0f | name=New password=velvet-ladder-ocean-9
team/invite | tenant email=new-staff@x.test role=staff
team/invite_owner | tenant=@school email=new-owner@x.test
team/remove | tenant user=@leaver reason=Test
team/resend | tenant id=@invite
team/revoke | tenant id=@invite
team/set_permissions | tenant user=@member | offered[0]=data.export granted[0]=data.export
team/set_role | tenant user=@member role=staff reason=Test
tenancy/activate | tenant=@school reason=Test
tenancy/create | name=New slug=new-school preset=salon zone=Europe/Berlin owner_email=new@new.test seats=3 | owner_name=Nomfundo
tenancy/delete | tenant=@school reason=Test
tenancy/remove_mail | tenant
tenancy/restore | tenant=@school reason=Test
tenancy/save_mail | tenant host=mail.x.test port=25 security=none from_email=a@x.test | username=user password=secret from_name=School
tenancy/save_settings | tenant name=School zone=Africa/Johannesburg locale=en-ZA currency=ZAR notice=2 cancel_notice=24 | lesson=drive student= instructor= mon=9:00-12:00 tue= wed= thu= fri= sat= sun= open_registration=on require_code= accent=#a3195b
tenancy/suspend | tenant=@school reason=Test
tenancy/test_mail | tenant
tenancy/update | tenant=@school name=North preset=mentorship zone=Europe/Berlin seats=100 | slug=north-mentors
users/delete | user=@gone reason=Test
users/disable | user reason=Test
users/enable | user reason=Test
users/impersonate | user reason=Test
users/restore | user=@gone reason=Test
users/stop |
waiting/accept | tenant hold | pickup=Home note=Hi
waiting/decline | tenant hold
waiting/join | tenant service instructor date=2027-01-18 | time= pickup=Home note=Hi student
waiting/leave | tenant entry
users/update | user name=New email=user@x.test reason=Test
";

pub(super) async fn things(app: &TestApp) -> Things {
    let mut things = Things::from([("tenant", "cape-drive".to_owned())]);
    for (name, sql) in THINGS {
        things.insert(name, app.text(sql).await);
    }
    things
}

/// The fields of an action: those it needs, and those it can do without.
pub(super) fn form(path: &str, things: &Things) -> (Fields, Fields) {
    let name = path.trim_start_matches("/fn/");
    let line = FORMS.lines().find(|line| line.split(" |").next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("{path} is new: say above which fields it has"));
    let field = |text: &'static str| match text.split_once('=') {
        Some((name, value)) => {
            (name, value.strip_prefix('@').map_or(value, |thing| things[thing].as_str()).to_owned())
        }
        None => (text, things[text].clone()),
    };
    let mut parts =
        line.split('|').skip(1).map(|part| part.split_whitespace().map(field).collect::<Fields>());
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// All fields of an action.
pub(super) fn whole(path: &str, things: &Things) -> Fields {
    let (needed, optional) = form(path, things);
    needed.into_iter().chain(optional).collect()
}

/// People signed in, and which of them an action is for.
pub(super) struct People {
    pub(super) owner: Client,
    pub(super) instructor: Client,
    pub(super) student: Client,
    pub(super) platform: Client,
    visitor: Client,
    /// For what may end a session.
    spare: Client,
    /// For what makes someone else of them.
    actor: Client,
}

impl People {
    pub(super) async fn new(app: &TestApp) -> Self {
        Self {
            owner: app.owner().await,
            instructor: app.login("thandi@cape-drive.test").await,
            student: app.student().await,
            platform: app.login("super@lessonbook.test").await,
            visitor: app.visitor(),
            spare: app.login("lerato@cape-drive.test").await,
            actor: app.login("super@lessonbook.test").await,
        }
    }

    pub(super) fn of(&self, path: &str) -> &Client {
        let access = app::actions::TABLE.iter().find(|(name, _)| *name == path).map(|(_, access)| *access);
        match path {
            "/fn/identity/login" | "/fn/identity/logout" => &self.visitor,
            // Not one who has guessed too often elsewhere.
            "/fn/identity/confirm" | "/fn/identity/logout_everywhere" => &self.spare,
            "/fn/users/impersonate" => &self.actor,
            "/fn/booking/book"
            | "/fn/booking/hold"
            | "/fn/booking/release_hold"
            | "/fn/feeds/revoke"
            | "/fn/waiting/accept"
            | "/fn/waiting/decline" => &self.student,
            _ if access == Some(Access::Platform) => &self.platform,
            _ => &self.owner,
        }
    }

    /// Everyone who may try an action: all but where it would sign them in or out.
    pub(super) fn who_try(&self, path: &str) -> Vec<&Client> {
        match path {
            "/fn/identity/login"
            | "/fn/identity/logout"
            | "/fn/identity/logout_everywhere"
            | "/fn/users/impersonate" => vec![self.of(path)],
            _ => vec![&self.owner, &self.instructor, &self.student, &self.platform],
        }
    }
}

/// A mail server that is there and takes nothing.
#[derive(Debug)]
pub(super) struct Unwilling;

impl Courier for Unwilling {
    fn configured(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, _: &'a Envelope, _: &'a HandingOver) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async { Err(SendError::Later("Not today.".into())) })
    }
}
