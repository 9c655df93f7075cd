//! The booking engine in depth (BK-04, BK-05, BK-12 to BK-14, SV-01 to SV-03), over HTTP: what a school offers, when it is
//! to be had, and the day's work with it.

mod causes;
mod holidays;
mod input;
mod resources;
mod services;
mod work;

use std::collections::BTreeMap;

use sqlx::PgPool;

use crate::{
    downloads::attrs,
    harness::{Answer, Client, TestApp},
};

/// Names and values of a form.
type Fields<'a> = &'a [(&'a str, &'a str)];

const SIPHO: &str = "sipho@cape-drive.test";
/// Has no pack.
const LERATO: &str = "lerato@cape-drive.test";
const THANDI: &str = "thandi@cape-drive.test";
/// Free times that a student sees on the page.
const SLOTS: &str = "#live button.slot";

/// A service's form, right in all that it needs.
const SERVICE: [(&str, &str); 9] = [
    ("service", "new"),
    ("name", "Night drive"),
    ("duration", "45"),
    ("price", "300.50"),
    ("buffer_before", "5"),
    ("buffer_after", "10"),
    ("notice", "1"),
    ("horizon", "30"),
    ("cancel_notice", "12"),
];

/// Cape Drive and the ids of what it has. From February 2027 on nobody has a lesson there.
struct Cape {
    app: TestApp,
    services: BTreeMap<String, String>,
    instructors: BTreeMap<String, String>,
    resources: BTreeMap<String, String>,
    staff: Client,
}

impl Cape {
    async fn new(admin: PgPool) -> Self {
        let app = TestApp::demo(admin).await;
        let map = async |sql: &'static str| -> BTreeMap<String, String> {
            let rows: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&app.admin).await.unwrap();
            rows.into_iter().collect()
        };
        let services = map("select s.name, s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive'").await;
        let instructors = map("select split_part(i.email, '@', 1), i.id::text from instructors i join tenants t on t.id = i.tenant_id where t.slug = 'cape-drive'").await;
        let resources = map("select r.name, r.id::text from resources r join tenants t on t.id = r.tenant_id where t.slug = 'cape-drive'").await;
        let staff = app.login("staff@cape-drive.test").await;
        Self { app, services, instructors, resources, staff }
    }

    /// The id of a service by its name; what has none is taken as an id.
    fn service<'a>(&'a self, name: &'a str) -> &'a str {
        self.services.get(name).map_or(name, String::as_str)
    }

    /// The id of an instructor by their first name; "any" is any.
    fn instructor<'a>(&'a self, name: &'a str) -> &'a str {
        self.instructors.get(name).map_or(name, String::as_str)
    }

    fn resource<'a>(&'a self, name: &'a str) -> &'a str {
        self.resources.get(name).map_or(name, String::as_str)
    }

    /// A lesson that a student books: `at` is "2027-02-05T10:00" by the school's clock, or RFC 3339.
    async fn book(
        &self,
        student: &Client,
        service: &str,
        instructor: &str,
        at: &str,
        more: Fields<'_>,
    ) -> Answer {
        let starts_at = stamp(at);
        let mut fields = vec![
            ("service", self.service(service)),
            ("instructor", self.instructor(instructor)),
            ("starts_at", starts_at.as_str()),
        ];
        fields.extend_from_slice(more);
        if !more.iter().any(|(name, _)| *name == "pickup") {
            fields.push(("pickup", "1 Long Street"));
        }
        act(student, "booking/book", &fields).await
    }

    /// The book page with a service and an instructor chosen.
    fn book_page(&self, service: &str, instructor: &str, more: Fields<'_>) -> String {
        let mut pairs = vec![("service", self.service(service)), ("instructor", self.instructor(instructor))];
        pairs.extend_from_slice(more);
        format!("/s/cape-drive/book?{}", serde_urlencoded::to_string(pairs).unwrap())
    }

    /// The times that the book page lists for a student on a day.
    async fn listed(&self, student: &Client, service: &str, instructor: &str, day: &str) -> Vec<String> {
        let page = student.get(&self.book_page(service, instructor, &[("date", day)])).await.expect(200);
        attrs(&page, SLOTS, "value")
    }

    /// [`SERVICE`] with some fields changed or added, saved by staff.
    async fn save_service(&self, changes: Fields<'_>) -> Answer {
        let mut fields: Vec<(&str, &str)> = SERVICE.to_vec();
        fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        fields.extend_from_slice(changes);
        act(&self.staff, "services/save", &fields).await
    }
}

/// "2027-02-05T10:00" as Cape Drive's clock has it.
fn stamp(at: &str) -> String {
    if at.len() == "2027-02-05T10:00".len() { format!("{at}:00+02:00") } else { at.to_owned() }
}

/// An action in Cape Drive.
async fn act(client: &Client, action: &str, fields: Fields<'_>) -> Answer {
    let mut all = vec![("tenant", "cape-drive")];
    all.extend_from_slice(fields);
    client.post(action, &all).await
}

/// What was made.
fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// What was said.
fn said(answer: &Answer) -> String {
    answer.json()["message"].as_str().unwrap().to_owned()
}

/// A text of the test database about the thing with an id, which is `$1`.
async fn about(app: &TestApp, sql: &'static str, id: &str) -> String {
    sqlx::query_scalar::<_, String>(sql).bind(id).fetch_one(&app.admin).await.unwrap()
}
