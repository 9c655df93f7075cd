//! The generated matrix: every page, download and action × every kind of person. An address without a row in the
//! tables fails here; so does one whose answer isn't what the policy says.

mod sent;

use std::collections::BTreeSet;

use app::access::Access;
use domain::authz::Role;
use http::{Method, header};
use lessonbook::http::{csv::DOWNLOADS, import::UPLOAD};
use sqlx::PgPool;

use self::sent::{Ids, fields, fill, ids};
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

/// Open to anyone, yet without the thing that the address is about there is an answer of its own: nobody is half-way
/// in, and no invite has this token.
fn by_design(path: &str) -> Option<u16> {
    match path {
        "/login/code" => Some(303),
        "/invite/{token}" => Some(409),
        "/fn/identity/login_code" => Some(401),
        _ => None,
    }
}

/// Whether someone got what the policy says.
fn is_right(kind: Kind, path: &str, wanted: Option<u16>, status: u16) -> bool {
    match wanted.or(by_design(path)) {
        Some(wanted) => status == wanted,
        None if kind == Kind::Action => !matches!(status, 401 | 403 | 500..),
        None => status == 200,
    }
}

/// Takes back what would close the school, or take away what the next one names.
async fn undo(app: &TestApp, path: &str, ids: &Ids) {
    let platform = async |action: &str, field: &str, id: &str| {
        let client = app.login("super@lessonbook.test").await;
        client.post(action, &[(field, id), ("reason", "Test")]).await.expect(200);
    };
    match path {
        "/fn/services/archive" => {
            let fields = [("tenant", "cape-drive"), ("service", ids["service"].as_str())];
            app.owner().await.post("services/restore", &fields).await.expect(200);
        }
        "/fn/tenancy/delete" => platform("tenancy/restore", "tenant", &ids["tenant_id"]).await,
        "/fn/tenancy/save_mail" => {
            app.owner().await.post("tenancy/remove_mail", &[("tenant", "cape-drive")]).await.expect(200);
        }
        "/fn/tenancy/suspend" => platform("tenancy/activate", "tenant", &ids["tenant_id"]).await,
        "/fn/users/delete" => platform("users/restore", "user", &ids["account"]).await,
        _ => {}
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
            let wanted = expected(kind, access, role);
            if !is_right(kind, path, wanted, status) {
                wrong.push(format!(
                    "{path} for {name}: {status} {}",
                    answer.body.chars().take(200).collect::<String>()
                ));
            }
            let to_login = wanted == Some(303) || by_design(path) != Some(303);
            if status == 303 && to_login && !answer.location().starts_with("/login?next=") {
                wrong.push(format!("{path} for {name} leads to {}", answer.location()));
            }
            let word = wanted.map_or_else(|| "yes".to_owned(), |status| status.to_string());
            line.push_str(&format!(" {name}:{word}"));
            if kind == Kind::Action && status == 200 {
                undo(&app, path, &ids).await;
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
            let is_foreign = |value: &String| foreign.values().any(|id| id == value);
            let names_a_thing = path.contains("{id}")
                || (kind == Kind::Action
                    && fields(path, "cape-drive", &foreign).iter().any(|(_, value)| is_foreign(value))
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
