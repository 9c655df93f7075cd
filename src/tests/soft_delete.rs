//! Soft deletion (PR-01): what was deleted through the program is in no list, no count and no download, and all of it
//! comes back. The addresses come from the program's own tables, so that a new list is looked at too.

use std::collections::{BTreeMap, BTreeSet};

use lessonbook::http::csv::DOWNLOADS;
use sqlx::PgPool;

use crate::{
    downloads::{attrs, texts},
    harness::{Answer, Client, TestApp},
};

/// What tells what was done, written or taught keeps its names.
const RECORDS: [&str; 8] = [
    "/t/{tenant}/audit",
    "/t/{tenant}/audit.csv",
    "/t/{tenant}/bookings",
    "/t/{tenant}/bookings.csv",
    "/t/{tenant}/outbox",
    "/admin/audit",
    "/admin/audit.csv",
    "/admin/outbox",
];

pub(crate) const MEGAN: &str = "select id::text from students where email = 'megan@cape-drive.test'";
pub(crate) const PIETER: &str = "select id::text from instructors where email = 'pieter@cape-drive.test'";
const STAFF: &str = "select id::text from users where email = 'staff@cape-drive.test'";
const NORTH: &str = "select id::text from tenants where slug = 'north-mentors'";

/// What is deleted: the word by which it is known, and where it is seen before.
const THINGS: [(&str, &[&str]); 5] = [
    (
        "Gonestudent",
        &[
            "/t/{tenant}/students",
            "/t/{tenant}/students.csv",
            "/t/{tenant}/mentees.csv",
            "/t/{tenant}/bookings/new",
        ],
    ),
    (
        "Goneinstructor",
        &[
            "/s/{tenant}",
            "/t/{tenant}/instructors",
            "/t/{tenant}/instructors.csv",
            "/t/{tenant}/students",
            "/t/{tenant}/bookings/new",
        ],
    ),
    ("Goneuser", &["/admin/users", "/admin/users.csv", "/t/{tenant}/team", "/t/{tenant}/team.csv"]),
    ("Goneschool", &["/", "/admin/tenants", "/admin/tenants.csv", "/admin/users", "/s/gone-school"]),
    ("Goneservice", &["/s/{tenant}", "/t/{tenant}/services", "/t/{tenant}/bookings/new"]),
];

pub(crate) async fn run(app: &TestApp, sql: &'static str) {
    sqlx::query(sql).execute(&app.admin).await.unwrap();
}

/// Cancels all lessons to come of a person, through the program.
pub(crate) async fn cancel_lessons(app: &TestApp, owner: &Client, person: &str) {
    let lessons: Vec<String> = sqlx::query_scalar(
        "select id::text from bookings where (student_id = $1::uuid or instructor_id = $1::uuid)
           and starts_at > $2::timestamptz and status in ('requested', 'confirmed')",
    )
    .bind(person)
    .bind(app.now().to_string())
    .fetch_all(&app.admin)
    .await
    .unwrap();
    for lesson in lessons {
        let fields = [("tenant", "cape-drive"), ("booking", lesson.as_str()), ("reason", "They leave")];
        owner.post("booking/cancel", &fields).await.expect(200);
    }
}

/// Removes or restores a person of Cape Drive.
pub(crate) async fn change(client: &Client, what: &str, kind: &str, id: &str) -> Answer {
    let fields = [("tenant", "cape-drive"), ("kind", kind), ("id", id), ("reason", "Moved away")];
    client.post(&format!("people/{what}"), &fields).await
}

/// Every address that isn't one thing's, plain and with a search, and some that show choices only when asked.
fn addresses(service: &str) -> Vec<(String, String)> {
    let pages = app::pages::routes().into_iter().map(|route| route.path);
    let lists: Vec<&str> = pages
        .chain(DOWNLOADS.iter().map(|download| download.path))
        .filter(|path| !path.contains("{id}") && !path.contains("{token}"))
        .collect();
    let mut all: Vec<(String, String)> = lists
        .into_iter()
        .flat_map(|path| {
            let filled = path.replace("{tenant}", "cape-drive");
            [(path.to_owned(), filled.clone()), (path.to_owned(), format!("{filled}?q=Zzq&page_size=100"))]
        })
        .collect();
    for path in [
        "/s/gone-school".to_owned(),
        "/t/gone-school".to_owned(),
        "/t/gone-school/students".to_owned(),
        format!("/s/cape-drive/book?service={service}"),
        format!("/s/cape-drive/book?service={service}&instructor=any&date=2027-01-15"),
        format!("/t/cape-drive/services/{service}"),
        "/t/cape-drive/services/new".to_owned(),
    ] {
        all.push((path.clone(), path));
    }
    all
}

/// By word, at which addresses it is shown to anyone.
async fn shown(viewers: &[Client], service: &str) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut found: BTreeMap<&str, BTreeSet<String>> =
        THINGS.iter().map(|(word, _)| (*word, BTreeSet::new())).collect();
    for (path, address) in addresses(service) {
        for viewer in viewers {
            let answer = viewer.get(&address).await;
            assert!(!answer.status.is_server_error(), "{address}: {}", answer.body);
            for (word, places) in &mut found {
                if answer.body.contains(*word) {
                    places.insert(path.clone());
                }
            }
        }
    }
    found
}

/// The number at the start of what a list says it holds.
fn total(page: &Answer) -> i64 {
    let text = texts(page, ".filter-total").remove(0);
    text.split(' ').next().unwrap().replace(',', "").parse().unwrap()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_deleted_is_nowhere_and_comes_back(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, platform) = (app.owner().await, app.login("super@lessonbook.test").await);
    let (megan, pieter) = (app.text(MEGAN).await, app.text(PIETER).await);
    let (staff, north) = (app.text(STAFF).await, app.text(NORTH).await);
    let driving = app
        .text("select s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive' and s.name = 'Driving lesson'")
        .await;
    // Names that nothing else has.
    run(&app, "update students set name = 'Zzq Gonestudent' where email = 'megan@cape-drive.test'").await;
    run(&app, "update instructors set name = 'Zzq Goneinstructor' where email = 'pieter@cape-drive.test'")
        .await;
    run(&app, "update users set name = 'Zzq Goneuser' where email = 'staff@cape-drive.test'").await;
    run(
        &app,
        "update tenants set name = 'Zzq Goneschool', slug = 'gone-school' where slug = 'north-mentors'",
    )
    .await;
    let fields = [
        ("tenant", "cape-drive"),
        ("service", "new"),
        ("name", "Zzq Goneservice"),
        ("duration", "60"),
        ("price", "100"),
        ("buffer_before", "0"),
        ("buffer_after", "0"),
        ("notice", "2"),
        ("horizon", "60"),
        ("cancel_notice", "24"),
    ];
    let service =
        owner.post("services/save", &fields).await.expect(200).json()["id"].as_str().unwrap().to_owned();
    cancel_lessons(&app, &owner, &megan).await;
    cancel_lessons(&app, &owner, &pieter).await;
    // What they taught and learned is long past, so that the lines of today and this week don't name them.
    run(
        &app,
        "update bookings b set starts_at = b.starts_at - interval '60 days', ends_at = b.ends_at - interval '60 days'
         where b.student_id in (select id from students where name like 'Zzq%')
            or b.instructor_id in (select id from instructors where name like 'Zzq%')",
    )
    .await;

    let mut viewers = vec![app.visitor(), owner.clone(), platform.clone()];
    for email in ["sipho@cape-drive.test", "thandi@cape-drive.test", "kim@north-mentors.test"] {
        viewers.push(app.login(email).await);
    }
    let before = shown(&viewers, &driving).await;
    for (word, places) in THINGS {
        for place in places {
            assert!(before[word].contains(*place), "{word} isn't at {place}: {:?}", before[word]);
        }
    }
    let (students, instructors) = ("/t/cape-drive/students", "/t/cape-drive/instructors");
    let lists = [
        (&owner, students),
        (&owner, instructors),
        (&owner, "/t/cape-drive/services"),
        (&owner, "/t/cape-drive/team"),
        (&platform, "/admin/users"),
        (&platform, "/admin/tenants"),
    ];
    let totals = async || {
        let mut totals = Vec::new();
        for (client, path) in lists {
            totals.push(total(&client.get(path).await.expect(200)));
        }
        totals
    };
    let counted = totals().await;
    let figures =
        async |client: &Client, path: &str| texts(&client.get(path).await.expect(200), ".figure-number");
    let (school, all) = (figures(&owner, "/t/cape-drive").await, figures(&platform, "/admin").await);

    change(&owner, "remove", "student", &megan).await.expect(200);
    change(&owner, "remove", "instructor", &pieter).await.expect(200);
    owner.post("services/archive", &[("tenant", "cape-drive"), ("service", &service)]).await.expect(200);
    platform.post("users/delete", &[("user", &staff), ("reason", "Left")]).await.expect(200);
    platform.post("tenancy/delete", &[("tenant", &north), ("reason", "Closed")]).await.expect(200);

    for (word, places) in shown(&viewers, &driving).await {
        let left: Vec<&String> = places.iter().filter(|place| !RECORDS.contains(&place.as_str())).collect();
        assert!(left.is_empty(), "{word} is still at {left:?}");
    }
    for path in [
        format!("{students}/{megan}"),
        format!("{instructors}/{pieter}"),
        format!("/s/cape-drive/instructors/{pieter}"),
        "/s/gone-school".to_owned(),
    ] {
        owner.get(&path).await.expect(404).hides("Zzq");
    }
    // One student, one instructor and one service fewer. Three members: who was removed is none any more.
    let expected: Vec<i64> =
        counted.iter().zip([1, 1, 1, 3, 1, 1]).map(|(count, gone)| count - gone).collect();
    assert_eq!(totals().await, expected);
    let (fewer, fewer_all) = (figures(&owner, "/t/cape-drive").await, figures(&platform, "/admin").await);
    let number = |text: &str| text.replace(',', "").parse::<i64>().unwrap();
    for place in [2, 3] {
        assert_eq!(number(&fewer[place]), number(&school[place]) - 1, "{school:?} {fewer:?}");
    }
    assert!(number(&fewer[4]) < number(&school[4]), "{school:?} {fewer:?}");
    assert_eq!(number(&fewer_all[0]), number(&all[0]) - 1, "{all:?} {fewer_all:?}");
    assert_eq!(number(&fewer_all[2]), number(&all[2]) - 1, "{all:?} {fewer_all:?}");
    // Nor can anything be booked with them.
    let book = async |student: &str, instructor: &str, service: &str| {
        let fields = [
            ("tenant", "cape-drive"),
            ("student", student),
            ("instructor", instructor),
            ("service", service),
            ("date", "2027-01-18"),
            ("time", "11:00"),
            ("pickup", "1 Long Street"),
        ];
        owner.post("booking/book_for_student", &fields).await.status.as_u16()
    };
    assert_eq!(book(&megan, "any", &driving).await, 404);
    assert_eq!(book("megan@cape-drive.test", "any", &driving).await, 422);
    assert_eq!(book("sipho@cape-drive.test", &pieter, &driving).await, 404);
    assert_eq!(book("sipho@cape-drive.test", "any", &service).await, 422);
    // What took place keeps its names.
    let past = owner.get("/t/cape-drive/bookings?from=&q=Zzq&page_size=100").await.expect(200);
    past.shows("Gonestudent").shows("Goneinstructor");

    change(&owner, "restore", "student", &megan).await.expect(200);
    change(&owner, "restore", "instructor", &pieter).await.expect(200);
    owner.post("services/restore", &[("tenant", "cape-drive"), ("service", &service)]).await.expect(200);
    platform.post("users/restore", &[("user", &staff), ("reason", "Back")]).await.expect(200);
    platform.post("tenancy/restore", &[("tenant", &north), ("reason", "Open again")]).await.expect(200);
    let lists_only = |found: BTreeMap<&'static str, BTreeSet<String>>| -> Vec<(&'static str, Vec<String>)> {
        let listed = |places: BTreeSet<String>| {
            places.into_iter().filter(|place| !RECORDS.contains(&place.as_str())).collect()
        };
        found.into_iter().map(|(word, places)| (word, listed(places))).collect()
    };
    assert_eq!(lists_only(shown(&viewers, &driving).await), lists_only(before));
    assert_eq!(totals().await, counted);
    assert_eq!(figures(&owner, "/t/cape-drive").await, school);
    assert_eq!(figures(&platform, "/admin").await, all);
}

/// What a list says it holds is what its download has, before and after.
#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_list_counts_what_its_download_has(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, platform) = (app.owner().await, app.login("super@lessonbook.test").await);
    let megan = app.text(MEGAN).await;
    cancel_lessons(&app, &owner, &megan).await;
    for turn in ["before", "after"] {
        let mut seen = 0;
        for route in app::pages::routes() {
            if route.path.contains("{id}") || route.path.contains("{token}") {
                continue;
            }
            let client = if route.path.starts_with("/admin") { &platform } else { &owner };
            let page = client.get(&route.path.replace("{tenant}", "cape-drive")).await;
            let links = attrs(&page, "form.filter-bar a[download]", "href");
            let Some(link) = links.first() else { continue };
            let csv = client.get(link).await.expect(200);
            let rows =
                csv::Reader::from_reader(csv.body.as_bytes()).into_records().map(Result::unwrap).count();
            assert_eq!(rows as i64, total(&page), "{turn}: {}", route.path);
            seen += 1;
        }
        assert!(seen >= 6, "{seen}");
        if turn == "before" {
            change(&owner, "remove", "student", &megan).await.expect(200);
            let staff = app.text(STAFF).await;
            platform.post("users/delete", &[("user", &staff), ("reason", "Left")]).await.expect(200);
        }
    }
}
