//! The generated matrix: every page, download and action × every kind of person. An address without a row in the
//! tables fails here; so does one whose answer isn't what the policy says.

use std::collections::{BTreeMap, BTreeSet};

use app::access::Access;
use domain::authz::Role;
use http::{Method, header};
use lessonbook::http::{csv::DOWNLOADS, import::UPLOAD};
use sqlx::PgPool;

use crate::harness::{Answer, Client, TestApp};

/// Who tries, and what they are in the school they try.
const PEOPLE: [(&str, &str, Option<Role>); 8] = [
    ("visitor", "", Some(Role::Visitor)),
    ("student", "sipho@cape-drive.test", Some(Role::Student)),
    ("instructor", "thandi@cape-drive.test", Some(Role::Instructor)),
    ("staff", "staff@cape-drive.test", Some(Role::Staff)),
    ("owner", "owner@cape-drive.test", Some(Role::Owner)),
    ("other owner", "owner@north-mentors.test", None),
    ("suspended", "owner@closed-clinic.test", None),
    ("super_admin", "super@lessonbook.test", Some(Role::SuperAdmin)),
];

/// Ids of one school, by the name of the parameter or field.
type Ids = BTreeMap<&'static str, String>;

async fn ids(app: &TestApp, slug: &str) -> Ids {
    // The first student's next lesson with the first instructor, and all that belongs to it.
    let row: (uuid::Uuid, uuid::Uuid, uuid::Uuid, uuid::Uuid, uuid::Uuid) = sqlx::query_as(
        "select b.tenant_id, b.id, b.instructor_id, b.student_id, b.service_id from bookings b
         join tenants t on t.id = b.tenant_id join students s on s.tenant_id = b.tenant_id and s.id = b.student_id
         where t.slug = $1 and b.status = 'confirmed' and (s.email like 'sipho@%' or s.email like 'kim@%')
         order by b.starts_at limit 1",
    )
    .bind(slug)
    .fetch_one(&app.admin)
    .await
    .unwrap();
    let pack: uuid::Uuid =
        sqlx::query_scalar("select id from packs where tenant_id = $1 and student_id = $2")
            .bind(row.0)
            .bind(row.3)
            .fetch_one(&app.admin)
            .await
            .unwrap();
    let block: uuid::Uuid = sqlx::query_scalar(
        "insert into blocked_times (tenant_id, id, instructor_id, starts_at, ends_at)
         values ($1, gen_random_uuid(), $2, '2027-06-01', '2027-06-02') returning id",
    )
    .bind(row.0)
    .bind(row.2)
    .fetch_one(&app.admin)
    .await
    .unwrap();
    [
        ("tenant_id", row.0),
        ("booking", row.1),
        ("instructor", row.2),
        ("student", row.3),
        ("service", row.4),
        ("pack", pack),
        ("block", block),
    ]
    .into_iter()
    .map(|(name, id)| (name, id.to_string()))
    .collect()
}

/// The address with its parameters filled in.
fn fill(path: &str, slug: &str, ids: &Ids) -> String {
    let id = match path {
        p if p.contains("/bookings/") => &ids["booking"],
        p if p.contains("/instructors/") => &ids["instructor"],
        p if p.contains("/students/") => &ids["student"],
        p if p.contains("/services/") => &ids["service"],
        _ => &ids["tenant_id"],
    };
    path.replace("{tenant}", slug).replace("{id}", id).replace("{token}", &"0f".repeat(32))
}

/// What an action is sent: right in form, so that the answer depends on who asks.
fn fields(path: &str, slug: &str, ids: &Ids) -> Vec<(&'static str, String)> {
    let id = |name: &'static str| (name, ids[name].clone());
    let text = |name: &'static str, value: &str| (name, value.to_owned());
    let tenant = text("tenant", slug);
    match path {
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
        "/fn/booking/cancel" => vec![tenant, id("booking"), text("reason", "Ill")],
        "/fn/booking/complete" | "/fn/booking/confirm" | "/fn/booking/no_show" => {
            vec![tenant, id("booking")]
        }
        "/fn/identity/change_password" => {
            vec![text("current", "not it"), text("password", "short")]
        }
        "/fn/identity/login" => {
            vec![text("login", "sipho@cape-drive.test"), text("password", crate::harness::PASSWORD)]
        }
        "/fn/identity/logout" => vec![],
        "/fn/identity/set_password" => vec![text("token", "0f"), text("password", "velvet-ladder-ocean-9")],
        "/fn/identity/theme" => vec![text("theme", "dark")],
        "/fn/identity/update_name" => vec![text("name", "New Name")],
        "/fn/packs/add_lesson" | "/fn/packs/use_lesson" => vec![tenant, id("pack")],
        "/fn/people/associate" => vec![tenant, id("instructor"), id("student"), text("lessons", "4")],
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
        "/fn/tenancy/activate" | "/fn/tenancy/suspend" => {
            vec![("tenant", ids["tenant_id"].clone()), text("reason", "Test")]
        }
        "/fn/tenancy/create" => vec![
            text("name", "New"),
            text("slug", "new-school"),
            text("preset", "salon"),
            text("zone", "Europe/Berlin"),
            text("owner_email", "new@new.test"),
            text("seats", "3"),
        ],
        other => panic!("{other} is new: say here what it is sent"),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Page,
    Download,
    Action,
}

/// What the policy says someone gets. `None` stands for "let in": what comes then depends on the thing itself.
fn expected(kind: Kind, access: Access, role: Option<Role>) -> Option<u16> {
    let visitor = role == Some(Role::Visitor);
    let login = if kind == Kind::Page { 303 } else { 401 };
    match access {
        Access::Anyone | Access::School => None,
        Access::SignedIn => visitor.then_some(login),
        Access::Platform if visitor => Some(login),
        Access::Platform => (role != Some(Role::SuperAdmin)).then_some(403),
        Access::Member(_) => match role {
            Some(Role::Visitor) => Some(login),
            // Those who run the platform belong to no school.
            None | Some(Role::SuperAdmin) => Some(404),
            Some(role) => (!access.admits(role)).then_some(403),
        },
    }
}

async fn try_it(client: &Client, kind: Kind, path: &str, slug: &str, ids: &Ids) -> Answer {
    match kind {
        Kind::Action => {
            let fields = fields(path, slug, ids);
            let body = serde_urlencoded::to_string(&fields).unwrap();
            client.send(Method::POST, path, "application/json", Some(body.into_bytes())).await
        }
        _ => client.get(&fill(path, slug, ids)).await,
    }
}

fn everything() -> Vec<(Kind, &'static str, Access)> {
    let pages = app::pages::routes().into_iter().map(|route| (Kind::Page, route.path, route.access));
    let downloads = DOWNLOADS.iter().map(|download| (Kind::Download, download.path, download.access));
    let actions = app::actions::TABLE.iter().map(|(path, access)| (Kind::Action, *path, *access));
    pages.chain(downloads).chain(actions).collect()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn every_address_lets_in_whom_the_policy_says(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let ids = ids(&app, "cape-drive").await;
    let mut table = String::new();
    let mut wrong = Vec::new();
    for (kind, path, access) in everything() {
        // An action may change what the next persona finds, and log its client out: each try has its own client.
        let mut line = format!("{}{path:36}", if kind == Kind::Action { "POST " } else { "GET  " });
        for (name, email, role) in PEOPLE {
            let client = if email.is_empty() { app.visitor() } else { app.login(email).await };
            let answer = try_it(&client, kind, path, "cape-drive", &ids).await;
            let status = answer.status.as_u16();
            let right = match expected(kind, access, role) {
                Some(status_wanted) => status == status_wanted,
                None if kind == Kind::Action => {
                    !matches!(status, 403 | 500..) && (status != 401 || path.ends_with("login"))
                }
                None => status == 200,
            };
            if !right {
                wrong.push(format!(
                    "{path} for {name}: {status} {}",
                    answer.body.chars().take(200).collect::<String>()
                ));
            }
            if status == 303 && !answer.location().starts_with("/login?next=") {
                wrong.push(format!("{path} for {name} leads to {}", answer.location()));
            }
            let word = match expected(kind, access, role) {
                None => "yes".to_owned(),
                Some(status) => status.to_string(),
            };
            line.push_str(&format!(" {name}:{word}"));
            if path == "/fn/tenancy/suspend" && status == 200 {
                app.login("super@lessonbook.test")
                    .await
                    .post("tenancy/activate", &[("tenant", &ids["tenant_id"]), ("reason", "Test")])
                    .await
                    .expect(200);
            }
            if path == "/fn/services/archive" && status == 200 {
                app.owner()
                    .await
                    .post("services/restore", &[("tenant", "cape-drive"), ("service", &ids["service"])])
                    .await
                    .expect(200);
            }
        }
        table.push_str(&line);
        table.push('\n');
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    insta::assert_snapshot!(table);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn ids_of_another_school_are_not_there(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let foreign = ids(&app, "north-mentors").await;
    for email in ["owner@cape-drive.test", "thandi@cape-drive.test", "sipho@cape-drive.test"] {
        let client = app.login(email).await;
        let role = PEOPLE.iter().find(|(_, e, _)| *e == email).and_then(|(_, _, role)| *role).unwrap();
        for (kind, path, access) in everything() {
            let of_school = matches!(access, Access::Member(_) | Access::School) && access.admits(role);
            let names_a_thing = path.contains("{id}")
                || (kind == Kind::Action
                    && fields(path, "cape-drive", &foreign).len() > 1
                    && path != "/fn/booking/book_for_student");
            if of_school && names_a_thing {
                let answer = try_it(&client, kind, path, "cape-drive", &foreign).await;
                assert_eq!(answer.status.as_u16(), 404, "{email}: {path}: {}", answer.body);
            }
        }
    }
    // The staff form takes a name or e-mail too, so a foreign id is one more thing it can't find.
    let client = app.owner().await;
    let answer = try_it(&client, Kind::Action, "/fn/booking/book_for_student", "cape-drive", &foreign).await;
    assert!(matches!(answer.status.as_u16(), 404 | 422), "{}", answer.body);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_suspended_school_is_closed_to_its_members_and_not_there_for_others(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let ids = ids(&app, "cape-drive").await;
    let member = app.login("owner@closed-clinic.test").await;
    for (kind, path, access) in everything() {
        match access {
            Access::Member(_) => {
                let answer = try_it(&member, kind, path, "closed-clinic", &ids).await;
                assert_eq!(answer.status.as_u16(), 403, "{path}: {}", answer.body);
                assert!(answer.body.contains("closed"), "{path} doesn't say so: {}", answer.body);
            }
            Access::School => {
                let answer = try_it(&app.visitor(), kind, path, "closed-clinic", &ids).await;
                assert_eq!(answer.status.as_u16(), 404, "{path}");
            }
            _ => {}
        }
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_upload_is_for_those_who_may_import(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    assert!(matches!(UPLOAD.1, Access::Member(_)));
    for (name, email, role) in PEOPLE {
        let client = if email.is_empty() { app.visitor() } else { app.login(email).await };
        let request = http::Request::builder()
            .method(Method::POST)
            .uri("/t/cape-drive/students/import")
            .header(header::ACCEPT, "text/html")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
            .body("--x\r\ncontent-disposition: form-data; name=\"mode\"\r\n\r\ncheck\r\n--x--\r\n".into())
            .unwrap();
        let status = client.call(request).await.status.as_u16();
        match expected(Kind::Page, UPLOAD.1, role) {
            Some(wanted) => assert_eq!(status, wanted, "{name}"),
            None => assert_eq!(status, 422, "{name}: there is no file in it"),
        }
    }
}

/// Server functions register themselves wherever they are written; each must have its row in the table of actions.
#[test]
fn every_server_function_has_a_rule() {
    let registered: BTreeSet<String> = server_fn::axum::server_fn_paths()
        .map(|(path, method)| {
            assert_eq!(method, Method::POST, "{path}");
            path.to_owned()
        })
        .collect();
    let listed: BTreeSet<String> = app::actions::TABLE.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(registered, listed);
}
