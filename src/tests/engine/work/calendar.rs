//! The calendar of a school and of its instructors (BK-14), and what the engine's pages ask of the database.

use std::collections::BTreeSet;

use sqlx::PgPool;

use super::DRIVING;
use crate::{
    downloads::{attrs, texts},
    engine::{Cape, SIPHO, THANDI, act},
    harness::{Answer, Client, QueryCount, TestApp},
};

/// Addresses of the lessons of some days as a calendar has them: a lesson for several is one.
async fn lessons(app: &TestApp, school: &str, days: [&str; 2], email: Option<&str>) -> BTreeSet<String> {
    let sql = "with taught as (select i.tenant_id, i.id from instructors i where $4::text is null or i.email = $4)
        select '/t/' || t.slug || '/bookings/' || b.id from bookings b
        join tenants t on t.id = b.tenant_id join taught i on i.tenant_id = b.tenant_id and i.id = b.instructor_id
        where t.slug = $1 and b.starts_at >= $2::timestamptz and b.starts_at < $3::timestamptz and b.group_id is null
          and b.status <> 'cancelled'
        union all
        select '/t/' || t.slug || '/groups/' || g.id from group_lessons g
        join tenants t on t.id = g.tenant_id join taught i on i.tenant_id = g.tenant_id and i.id = g.instructor_id
        where t.slug = $1 and g.starts_at >= $2::timestamptz and g.starts_at < $3::timestamptz and g.cancelled_at is null";
    let found: Vec<String> = sqlx::query_scalar(sql)
        .bind(school)
        .bind(format!("{} 00:00+02", days[0]))
        .bind(format!("{} 00:00+02", days[1]))
        .bind(email)
        .fetch_all(&app.admin)
        .await
        .unwrap();
    found.into_iter().collect()
}

/// The lessons that a calendar draws, each once.
fn drawn(page: &Answer) -> BTreeSet<String> {
    let links = attrs(page, "a.cal-lesson", "href");
    let found: BTreeSet<String> = links.iter().cloned().collect();
    assert_eq!(found.len(), links.len(), "{links:?}");
    found
}

const DAY: [&str; 2] = ["2027-01-20", "2027-01-21"];
const WEEK: [&str; 2] = ["2027-01-18", "2027-01-25"];

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_calendar_has_all_lessons_of_its_days(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let owner = cape.app.owner().await;
    let get = async |query: &str| {
        owner.get(&format!("/t/cape-drive/calendar?date=2027-01-20&{query}")).await.expect(200)
    };
    let expect = async |days: [&'static str; 2], email: Option<&'static str>| {
        lessons(&cape.app, "cape-drive", days, email).await
    };
    let day = expect(DAY, None).await;
    assert!(day.len() > 20 && day.iter().any(|href| href.contains("/groups/")), "{day:?}");
    for query in ["", "view=day", "view=day&by=instructors", "view=nonsense&by=nonsense"] {
        let page = get(query).await;
        assert_eq!(drawn(&page), day, "{query}");
        let list: BTreeSet<String> = attrs(&page, ".cal-list tbody th a", "href").into_iter().collect();
        assert_eq!(list, day, "{query}");
        assert_eq!(texts(&page, ".filter-total"), [format!("{} lessons", day.len())]);
        // A column for each of the twelve, and the hours.
        assert_eq!(texts(&page, ".cal-column").len(), 13);
    }
    let thandi = cape.instructor("thandi");
    let query = format!("instructor={thandi}");
    assert_eq!(drawn(&get(&query).await), expect(DAY, Some(THANDI)).await);
    assert_eq!(drawn(&get(&format!("view=week&{query}")).await), expect(WEEK, Some(THANDI)).await);
    // A week is that of one, the first by name, or of all.
    assert_eq!(drawn(&get("view=week").await), expect(WEEK, Some("anneke@cape-drive.test")).await);
    assert_eq!(drawn(&get("view=week&instructor=all").await), expect(WEEK, None).await);
    // Resources have what takes them: here the groups, in the one classroom.
    let groups = |all: BTreeSet<String>| -> BTreeSet<String> {
        all.into_iter().filter(|href| href.contains("/groups/")).collect()
    };
    let page = get("by=resources").await;
    assert_eq!(drawn(&page), groups(day));
    assert_eq!(texts(&page, ".cal-column .cal-head"), ["", "Classroom", "Test yard 1", "Test yard 2"]);
    let week = groups(expect(WEEK, None).await);
    assert_eq!(week.len(), 2);
    assert_eq!(drawn(&get("by=resources&view=week").await), week);
    assert_eq!(drawn(&get("by=resources&view=week&resource=nonsense").await), week);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_instructors_calendar_is_their_own(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let thandi = cape.app.login(THANDI).await;
    let pieter = format!("instructor={}", cape.instructor("pieter"));
    let all = lessons(&cape.app, "cape-drive", WEEK, None).await;
    let own = lessons(&cape.app, "cape-drive", WEEK, Some(THANDI)).await;
    let today = lessons(&cape.app, "cape-drive", DAY, Some(THANDI)).await;
    assert!(today.len() > 1 && own.len() > today.len() && all.len() > own.len());
    for (view, expected) in [("day", &today), ("week", &own)] {
        for more in ["", "instructor=all", pieter.as_str(), "by=resources", "by=resources&resource=all"] {
            let path = format!("/t/cape-drive/calendar?date=2027-01-20&view={view}&{more}");
            let page = thandi.get(&path).await.expect(200);
            assert_eq!(&drawn(&page), expected, "{path}");
            let others: Vec<&String> =
                all.difference(&own).filter(|href| page.body.contains(*href)).collect();
            assert!(others.is_empty(), "{path}: {others:?}");
            assert!(!page.body.contains("Pieter van der Merwe"), "{path}");
        }
    }
    cape.app.login(SIPHO).await.get("/t/cape-drive/calendar").await.expect(403);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_calendar_shows_nothing_of_another_school(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let ada = app.text("select id::text from instructors where email = 'ada@north-mentors.test'").await;
    let foreign = lessons(&app, "north-mentors", WEEK, None).await;
    assert!(!foreign.is_empty());
    let chosen = ["instructor", "resource"].map(|name| format!("by={name}s&{name}={ada}"));
    for (view, choice) in
        ["day", "week"].into_iter().flat_map(|view| chosen.iter().map(move |choice| (view, choice)))
    {
        let page = owner.get(&format!("/t/cape-drive/calendar?date=2027-01-20&view={view}&{choice}")).await;
        assert!(matches!(page.status.as_u16(), 200 | 404), "{view} {choice}: {}", page.status);
        assert!(!page.body.contains("Ada Brandt"), "{view} {choice}");
        assert!(foreign.iter().all(|href| !page.body.contains(href)), "{view} {choice}");
        // Nor a lesson of one's own school under that name.
        let strange = drawn(&page).into_iter().find(|href| !href.starts_with("/t/cape-drive/"));
        assert_eq!(strange, None);
    }
    owner.get("/t/north-mentors/calendar").await.expect(404);
    let attendance = owner.get(&format!("/t/cape-drive/attendance?date=2027-01-12&instructor={ada}")).await;
    assert!(foreign.iter().all(|href| !attendance.body.contains(href)));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn pages_of_the_engine_take_three_queries_at_most(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let app = &cape.app;
    let (owner, thandi, raj, sipho) = (
        app.owner().await,
        app.login(THANDI).await,
        app.login("raj@cape-drive.test").await,
        app.login(SIPHO).await,
    );
    let booking = app
        .text("select b.id::text from bookings b join students s on s.tenant_id = b.tenant_id and s.id = b.student_id
               where s.email = 'sipho@cape-drive.test' and b.starts_at = '2027-01-22 14:00+02'")
        .await;
    let group = app.text("select id::text from group_lessons where starts_at = '2027-01-20 13:00+02'").await;
    let student = app.text("select id::text from students where email = 'sipho@cape-drive.test'").await;
    let (driving, test, with) =
        (cape.service(DRIVING), cape.service("Test preparation"), cape.instructor("thandi"));
    let wish = [("service", driving), ("instructor", with), ("date", "2027-01-18")];
    act(&sipho, "waiting/join", &wish).await.expect(200);
    let also = [
        ("service", driving),
        ("also", test),
        ("instructor", with),
        ("starts_at", "2027-02-01T09:00:00+02:00"),
    ];
    let held = act(&sipho, "booking/hold", &also).await.expect(200).json();
    let held = held["next"].as_str().unwrap().to_owned();
    let plan = |student: &str| {
        let fields = [
            ("plan", "1"),
            ("student", student),
            ("service", driving),
            ("instructor", "any"),
            ("date", "2027-02-01"),
            ("time", "15:00"),
            ("every", "weekly"),
            ("until", "count"),
            ("count", "10"),
            ("skip", "2,3"),
            ("pickup", "1 Long Street"),
            ("note", "Hi"),
        ];
        format!("/t/cape-drive/series?{}", serde_urlencoded::to_string(fields).unwrap())
    };
    let school = |path: &str| format!("/t/cape-drive/{path}");
    let day = "2027-01-20";
    let mut pages: Vec<(&str, &Client, String)> = Vec::new();
    for (who, client) in [("owner", &owner), ("instructor", &thandi)] {
        for query in [
            "view=week".to_owned(),
            "view=week&instructor=all".into(),
            format!("view=week&instructor={with}"),
            "view=day".into(),
            "by=resources".into(),
            "by=resources&view=week".into(),
        ] {
            pages.push((who, client, school(&format!("calendar?date={day}&{query}"))));
        }
        pages.push((who, client, school("attendance?date=2027-01-12")));
        pages.push((who, client, school(&format!("attendance?date=2027-01-11&instructor={with}&page=2"))));
    }
    for (who, client) in [("owner", &owner), ("student", &sipho)] {
        pages.push((who, client, school("waiting")));
        pages.push((who, client, plan(if who == "owner" { student.as_str() } else { "" })));
    }
    for (who, client) in [("owner", &owner), ("instructor", &thandi), ("student", &sipho)] {
        pages.push((who, client, school(&format!("bookings/{booking}/move?date=2027-02-02&time=15:00"))));
        pages.push((who, client, school(&format!("bookings/{booking}"))));
    }
    for (who, client) in [("owner", &owner), ("instructor", &raj)] {
        pages.push((who, client, school(&format!("groups/{group}"))));
    }
    pages.push(("student", &sipho, held.clone()));
    pages.push(("student", &sipho, format!("{held}&time=16:45")));
    let visitor = app.visitor();
    let more = [("also", test), ("date", day), ("time", "11:00")];
    pages.push(("visitor", &visitor, cape.book_page(DRIVING, "any", &more)));
    for path in ["resources", "holidays", "services", "groups/new"] {
        pages.push(("owner", &owner, school(path)));
    }
    let combo = cape.service("Lesson and mock test");
    pages.push(("owner", &owner, school(&format!("services/{combo}"))));
    pages.push(("owner", &owner, school(&format!("resources/{}", cape.resource("Classroom")))));

    sipho.get(&held).await.expect(200).shows("Kept for you until").shows("Test preparation");
    let count = QueryCount::start();
    for (who, client, path) in pages {
        count.take();
        let answer = client.get(&path).await;
        let queries = count.take();
        assert_eq!(answer.status.as_u16(), 200, "{path} for {who}: {}", answer.body);
        assert!((1..=3).contains(&queries), "{path} for {who}: {queries} queries");
    }
}
