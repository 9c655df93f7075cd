//! People: the instructors table, mentees, students, packs and dashboards (PE-01 to PE-06).

use futures::future::join_all;
use http::StatusCode;
use sqlx::PgPool;

use crate::{
    downloads::{ROWS, attrs, texts},
    harness::{Client, TestApp},
};

const THANDI: &str = "select id::text from instructors where email = 'thandi@cape-drive.test'";
const PIETER: &str = "select id::text from instructors where email = 'pieter@cape-drive.test'";
const SIPHO: &str = "select id::text from students where email = 'sipho@cape-drive.test'";
const MEGAN: &str = "select id::text from students where email = 'megan@cape-drive.test'";
const NOBODY: &str = "018f0000-0000-7000-8000-000000000000";

/// Packs whose totals aren't the sums of their postings.
const ASTRAY: &str = "select count(*) from packs p cross join lateral (
    select coalesce(sum(case when 'issued' = c.from_account then c.lessons when 'issued' = c.to_account then -c.lessons else 0 end), 0) as total,
           coalesce(sum(case when 'used' = c.to_account then c.lessons when 'used' = c.from_account then -c.lessons else 0 end), 0) as used
    from credit_postings c where c.tenant_id = p.tenant_id and c.pack_id = p.id) s
    where p.lessons_total <> s.total or p.lessons_used <> s.used or p.lessons_left <> s.total - s.used or p.lessons_left < 0";

/// Sipho with Pieter, and a pack of four: its id.
async fn pack_of_four(app: &TestApp, owner: &Client) -> String {
    let (pieter, sipho) = (app.text(PIETER).await, app.text(SIPHO).await);
    let fields = [("tenant", "cape-drive"), ("instructor", pieter.as_str()), ("student", sipho.as_str())];
    let done = owner.post("people/associate", &fields).await.expect(200).json();
    done["id"].as_str().unwrap().to_owned()
}

/// Total, used and left of a pack.
async fn counts(app: &TestApp, pack: &str) -> (i32, i32, i32) {
    sqlx::query_as("select lessons_total, lessons_used, lessons_left from packs where id = $1::uuid")
        .bind(pack)
        .fetch_one(&app.admin)
        .await
        .unwrap()
}

/// Lessons left in the first student's pack.
const LEFT: &str = "select p.lessons_left::bigint from packs p join students s on s.id = p.student_id
                    where s.email = 'sipho@cape-drive.test'";

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_instructors_table_is_searched_and_filtered(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let cases: [(&str, &[&str]); 11] = [
        ("q=MOKO", &["Thandi Mokoena"]),
        ("q=++anneke%40cape++", &["Anneke Visser"]),
        ("q=paarl", &["Ayesha Davids", "Fatima Jacobs", "Raj Naidoo"]),
        ("city=Stellenbosch", &["Kagiso Molefe", "Nomsa Khumalo", "Pieter van der Merwe"]),
        ("city=stellenbosch&verification=pending", &["Nomsa Khumalo"]),
        ("city=Stellenbosch&verification=verified", &["Kagiso Molefe", "Pieter van der Merwe"]),
        ("verification=pending&q=zulu", &["Zanele Zulu"]),
        ("verification=rejected", &[]),
        ("city=Berlin", &[]),
        // Wildcards and quotes are letters.
        ("q=%25", &[]),
        ("q=%27+or+1%3D1+--", &[]),
    ];
    for (query, names) in cases {
        let page = owner.get(&format!("/t/cape-drive/instructors?{query}")).await.expect(200);
        assert_eq!(texts(&page, ROWS), names, "{query}");
        let total =
            if names.len() == 1 { "1 instructor".to_owned() } else { format!("{} instructors", names.len()) };
        assert_eq!(texts(&page, ".filter-total"), [total], "{query}");
        assert_eq!(page.body.contains("No instructor here"), names.is_empty(), "{query}");
    }
    let all = owner.get("/t/cape-drive/instructors?q=%00&city=&verification=").await.expect(200);
    assert_eq!(texts(&all, ROWS).len(), 12);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_row_opens_to_show_mentees_with_their_counts(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let page = owner.get("/t/cape-drive/instructors?q=thandi").await.expect(200);
    let mentees: Vec<(String, i32, i32, i32, String)> = sqlx::query_as(
        "select s.name, p.lessons_total, p.lessons_used, p.lessons_left,
                (select to_char(max(b.starts_at) at time zone 'Africa/Johannesburg', 'YYYY-MM-DD\"T\"HH24:MI:SS') || '+02:00'
                 from bookings b where b.instructor_id = i.id and b.student_id = s.id and b.starts_at <= '2027-01-12T07:30:00Z'
                   and b.status in ('confirmed', 'completed'))
         from mentees m join students s on s.id = m.student_id join instructors i on i.id = m.instructor_id
         join packs p on p.student_id = s.id and p.instructor_id = i.id
         where i.email = 'thandi@cape-drive.test' order by lower(s.name), s.id",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    assert_eq!(mentees.len(), 5);
    let cells =
        |label: &str, more: &str| texts(&page, &format!(".row-more td[data-label=\"{label}\"]{more}"));
    assert_eq!(texts(&page, ".row-more th a"), mentees.iter().map(|m| m.0.clone()).collect::<Vec<_>>());
    assert_eq!(cells("Total", ""), mentees.iter().map(|m| m.1.to_string()).collect::<Vec<_>>());
    assert_eq!(cells("Used", ""), mentees.iter().map(|m| m.2.to_string()).collect::<Vec<_>>());
    assert_eq!(cells("Left", " output"), mentees.iter().map(|m| format!("{} left", m.3)).collect::<Vec<_>>());
    assert_eq!(cells("Seat", ""), ["Active"; 5]);
    let packs = cells("Pack", "");
    assert!(packs.iter().all(|pack| pack.starts_with("Active") && pack.contains("until ")), "{packs:?}");
    let last = attrs(&page, ".row-more td[data-label=\"Last lesson\"] time", "datetime");
    assert_eq!(last, mentees.iter().map(|m| m.4.clone()).collect::<Vec<_>>());
    assert_eq!(texts(&page, ".row-more summary"), ["5 students of Thandi Mokoena"]);
    assert_eq!(texts(&page, "td[data-label=\"Seats\"]"), ["5 of 20"]);
    assert_eq!(attrs(&page, "details.row-open[open]", "class").len(), 0);

    // Without scripts the button leads back to the list, with its row open.
    let pack = app.text("select p.id::text from packs p join students s on s.id = p.student_id where s.email = 'sipho@cape-drive.test'").await;
    let left = app.count(LEFT).await;
    let back = format!("/t/cape-drive/instructors?pack={pack}&q=thandi");
    let fields = [("tenant", "cape-drive"), ("pack", pack.as_str()), ("back", back.as_str())];
    let page = owner
        .submit_and_follow("packs/add_lesson", &back, &fields)
        .await
        .expect(200)
        .shows(&format!("Lesson added: {} left.", left + 1));
    assert_eq!(attrs(&page, "details.row-open[open]", "class").len(), 1);
    assert!(texts(&page, ".row-more output").contains(&format!("{} left", left + 1)));
    owner.get("/t/cape-drive/instructors?q=pieter").await.expect(200).shows("No pack");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_instructor_sees_their_own_record_and_mentees_only(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (thandi, pieter) = (app.text(THANDI).await, app.text(PIETER).await);
    let (sipho, megan) = (app.text(SIPHO).await, app.text(MEGAN).await);
    let client = app.login("thandi@cape-drive.test").await;
    let list =
        client.get("/t/cape-drive/instructors").await.expect(200).hides("Pieter").hides("Stellenbosch");
    assert_eq!(texts(&list, ROWS), ["Thandi Mokoena"]);
    client.get("/t/cape-drive/instructors?q=pieter").await.expect(200).shows("No instructor here");
    client
        .get(&format!("/t/cape-drive/instructors/{thandi}"))
        .await
        .expect(200)
        .shows("Sipho Nkosi")
        .hides("Associate a student");
    client.get(&format!("/t/cape-drive/instructors/{pieter}")).await.expect(404).hides("Pieter");
    let students = client.get("/t/cape-drive/students").await.expect(200);
    let own = ["Aisha Nkosi", "Busisiwe Mahlangu", "Palesa Govender", "Sipho Nkosi", "Vusi Govender"];
    assert_eq!(texts(&students, ROWS), own);
    client.get("/t/cape-drive/students?q=megan").await.expect(200).shows("No student here");
    client.get(&format!("/t/cape-drive/students/{sipho}")).await.expect(200).shows("sipho@cape-drive.test");
    client.get(&format!("/t/cape-drive/students/{megan}")).await.expect(404).hides("Megan");

    // What Sipho has with somebody else is not Thandi's to see.
    pack_of_four(&app, &app.owner().await).await;
    client.get(&format!("/t/cape-drive/students/{sipho}")).await.expect(200).hides("Pieter");
    let fields = [("tenant", "cape-drive"), ("instructor", thandi.as_str()), ("student", megan.as_str())];
    client.post("people/associate", &fields).await.expect(403);
    let student = app.student().await;
    for path in ["instructors", "students"] {
        student.get(&format!("/t/cape-drive/{path}")).await.expect(403);
    }
    student.get(&format!("/t/cape-drive/students/{sipho}")).await.expect(403);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn associating_makes_a_mentee_a_pack_and_its_first_posting(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let staff = app.login("staff@cape-drive.test").await;
    let (pieter, sipho) = (app.text(PIETER).await, app.text(SIPHO).await);
    let pack = pack_of_four(&app, &staff).await;
    assert_eq!(counts(&app, &pack).await, (4, 0, 4));
    let made: String = sqlx::query_scalar(
        "select concat_ws(' ', p.expires_at is null, c.from_account, c.to_account, c.lessons, c.reason, u.email)
         from packs p join credit_postings c on c.pack_id = p.id join users u on u.id = c.actor_id
         join mentees m on m.student_id = p.student_id and m.instructor_id = p.instructor_id and m.seat = 'active'
         where p.id = $1::uuid and p.instructor_id = $2::uuid and p.student_id = $3::uuid",
    )
    .bind(&pack)
    .bind(&pieter)
    .bind(&sipho)
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert_eq!(made, "t issued pack 4 Associated by hand staff@cape-drive.test");
    let audited: i64 = sqlx::query_scalar(
        "select count(*) from audit where action = 'people.associate' and entity = 'pack' and entity_id = $1::uuid
           and actor_role = 'staff' and (after->>'lessons')::int = 4 and reason is not null",
    )
    .bind(&pack)
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert_eq!(audited, 1);

    // By e-mail or name in any case; with another count, and a last day in the school's zone.
    for (who, lessons, expires) in
        [(" SIPHO@Cape-Drive.test ", "10", "2027-03-30"), ("sipho nkosi", "1000", "2027-01-12")]
    {
        let fields = [
            ("tenant", "cape-drive"),
            ("instructor", pieter.as_str()),
            ("student", who),
            ("lessons", lessons),
            ("expires", expires),
        ];
        staff.post("people/associate", &fields).await.expect(200);
    }
    let ends = "select count(*) from packs where (lessons_total, expires_at) in
        ((10, timestamptz '2027-03-30T22:00:00Z'), (1000, timestamptz '2027-01-12T22:00:00Z')) and lessons_used = 0";
    assert_eq!(app.count(ends).await, 2);
    let page = staff.get(&format!("/t/cape-drive/students/{sipho}")).await.expect(200);
    page.shows("4 of 4 lessons left")
        .shows("no expiry")
        .shows("until 30 Mar 2027")
        .shows("Associated by hand");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_wrong_association_changes_nothing_and_keeps_what_was_typed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let all = "select (select count(*) from packs) + (select count(*) from mentees) + (select count(*) from credit_postings) + (select count(*) from audit)";
    let before = app.count(all).await;
    let (pieter, sipho) = (app.text(PIETER).await, app.text(SIPHO).await);
    let ada = app.text("select id::text from instructors where email = 'ada@north-mentors.test'").await;
    let kim = app.text("select id::text from students where email = 'kim@north-mentors.test'").await;
    sqlx::query(
        "update students set name = 'Twin' where email in ('lerato@cape-drive.test', 'liam@cape-drive.test')",
    )
    .execute(&app.admin)
    .await
    .unwrap();
    let good = [
        ("tenant", "cape-drive"),
        ("instructor", pieter.as_str()),
        ("student", sipho.as_str()),
        ("lessons", "4"),
        ("expires", ""),
    ];
    let with = async |name: &str, value: &str| {
        let fields: Vec<_> = good.iter().map(|(n, v)| (*n, if *n == name { value } else { *v })).collect();
        owner.post("people/associate", &fields).await
    };
    for (name, values) in [
        ("lessons", vec!["0", "-1", "1001", "4.5", "four", "99999999999"]),
        ("expires", vec!["2027-01-11", "2027-02-30", "30.3.2027", "soon", "2099-01-01", "9999-12-31"]),
        ("student", vec!["", "Nobody Here", "nobody@cape-drive.test", "kim@north-mentors.test", "Twin"]),
        ("instructor", vec!["", "Pieter van der Merwe"]),
    ] {
        for value in values {
            let answer = with(name, value).await.expect(422);
            assert!(!answer.field(name).is_empty(), "{name}={value}: {}", answer.body);
        }
    }
    assert!(with("student", "Twin").await.field("student").contains("lerato@cape-drive.test"));
    for (name, id) in
        [("instructor", NOBODY), ("student", NOBODY), ("instructor", ada.as_str()), ("student", kim.as_str())]
    {
        with(name, id).await.expect(404);
    }
    let fields = [good[0], good[1], good[2], ("lessons", "0"), ("expires", "2020-01-01")];
    let page = owner
        .submit_and_follow("people/associate", "/t/cape-drive/students", &fields)
        .await
        .expect(200)
        .shows("role=\"alert\"");
    let form = "form[action=\"/fn/people/associate\"]";
    assert_eq!(attrs(&page, &format!("{form} input[name=\"lessons\"]"), "value"), ["0"]);
    assert_eq!(attrs(&page, &format!("{form} input[name=\"expires\"]"), "value"), ["2020-01-01"]);
    assert_eq!(
        attrs(&page, &format!("{form} select[name=\"instructor\"] option[selected]"), "value"),
        [pieter.as_str()]
    );
    assert_eq!(
        attrs(&page, &format!("{form} select[name=\"student\"] option[selected]"), "value"),
        [sipho.as_str()]
    );
    assert_eq!(texts(&page, "#lessons-error, #expires-error").len(), 2);
    let fresh = owner.get("/t/cape-drive/students").await;
    assert_eq!(attrs(&fresh, &format!("{form} input[name=\"lessons\"]"), "value"), ["4"]);
    // A full instructor takes nobody more.
    sqlx::query("update instructors set seats = 5 where email = 'pieter@cape-drive.test'")
        .execute(&app.admin)
        .await
        .unwrap();
    assert!(with("lessons", "4").await.expect(422).field("instructor").contains("seats"));
    assert_eq!(app.count(all).await, before);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn lessons_are_added_and_used_by_postings_and_never_below_zero(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let pack = pack_of_four(&app, &owner).await;
    let pieter = app.login("pieter@cape-drive.test").await;
    let (thandi, sipho) = (app.login("thandi@cape-drive.test").await, app.student().await);
    let fields = [("tenant", "cape-drive"), ("pack", pack.as_str()), ("reason", "Rain <b>")];
    let used = pieter.post("packs/use_lesson", &fields).await.expect(200).json();
    assert_eq!(
        (used["lessons_left"].as_i64(), used["message"].as_str()),
        (Some(3), Some("Lesson used: 3 left."))
    );
    assert_eq!(owner.post("packs/add_lesson", &fields[..2]).await.expect(200).json()["lessons_left"], 4);
    let postings: Vec<String> = sqlx::query_scalar(
        "select concat_ws(' ', c.from_account, c.to_account, c.lessons, c.reason, u.email)
         from credit_postings c join users u on u.id = c.actor_id
         where c.pack_id = $1::uuid and c.reason <> 'Associated by hand' order by c.from_account",
    )
    .bind(&pack)
    .fetch_all(&app.admin)
    .await
    .unwrap();
    let added = "issued pack 1 By hand owner@cape-drive.test";
    assert_eq!(postings, [added, "pack used 1 Rain <b> pieter@cape-drive.test"]);
    assert_eq!(app.count("select count(*) from audit where action = 'packs.post' and before is not null and after is not null and reason is not null").await, 2);

    for action in ["packs/use_lesson", "packs/add_lesson"] {
        thandi.post(action, &fields).await.expect(404);
        sipho.post(action, &fields).await.expect(403);
        app.visitor().post(action, &fields).await.expect(401);
        owner.post(action, &[fields[0], ("pack", NOBODY)]).await.expect(404);
        let long = "x".repeat(1001);
        let refused = owner.post(action, &[fields[0], fields[1], ("reason", long.as_str())]).await;
        assert!(!refused.expect(422).field("reason").is_empty());
    }
    assert_eq!(counts(&app, &pack).await, (5, 1, 4));
    for left in (0..4).rev() {
        assert_eq!(owner.post("packs/use_lesson", &fields).await.expect(200).json()["lessons_left"], left);
    }
    let rows = app.count("select count(*) from credit_postings").await;
    let refused = pieter.post("packs/use_lesson", &fields).await.expect(409).json();
    assert_eq!(
        (refused["code"].as_str(), refused["message"].as_str()),
        (Some("CONFLICT"), Some("No lessons are left in this pack."))
    );
    assert_eq!(
        (counts(&app, &pack).await, app.count("select count(*) from credit_postings").await),
        ((5, 5, 0), rows)
    );
    assert_eq!(app.count(ASTRAY).await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_twenty_who_use_the_last_four_lessons_at_once_four_succeed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let pack = pack_of_four(&app, &owner).await;
    let fields = [("tenant", "cape-drive"), ("pack", pack.as_str())];
    let answers = join_all((0..20).map(|_| owner.post("packs/use_lesson", &fields))).await;
    let with = |status: StatusCode| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((with(StatusCode::OK), with(StatusCode::CONFLICT)), (4, 16), "{answers:?}");
    assert_eq!(counts(&app, &pack).await, (4, 4, 0));
    assert_eq!(app.count("select count(*) from audit where action = 'packs.post'").await, 4);
    assert_eq!(app.count(ASTRAY).await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn each_role_has_its_dashboard(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let others = async |whose: &str| {
        let sql = sqlx::AssertSqlSafe(format!("select name from students where {whose}"));
        sqlx::query_scalar::<_, String>(sql).fetch_all(&app.admin).await.unwrap()
    };
    // A student: the next five lessons, the packs, and no other student.
    let page = app.student().await.get("/t/cape-drive").await.expect(200);
    let page =
        page.shows("Next lessons").shows(&format!("{} of 24 left", app.count(LEFT).await)).hides("Approve");
    let times = attrs(&page, ".lesson-line time", "datetime");
    assert_eq!((times.len(), times[0].as_str()), (5, "2027-01-13T11:00:00+02:00"));
    assert!(times.is_sorted(), "{times:?}");
    for name in others("email <> 'sipho@cape-drive.test'").await {
        assert!(!page.body.contains(&name), "{name}");
    }
    // An instructor: today with the lesson under way, the week, the mentees; nobody else's.
    let page =
        app.login("thandi@cape-drive.test").await.get("/t/cape-drive").await.expect(200).shows("This week");
    assert!(texts(&page, "li[aria-current=\"true\"]")[0].contains("Palesa Govender"), "{}", page.body);
    assert_eq!(texts(&page, ".table.compact th a").len(), 5);
    let mine = "select from mentees m join instructors i on i.id = m.instructor_id where m.student_id = students.id and i.email = 'thandi@cape-drive.test'";
    for name in others(&format!("not exists ({mine})")).await {
        assert!(!page.body.contains(&name), "{name}");
    }
    let mentor = app.login("ada@north-mentors.test").await.get("/t/north-mentors").await.expect(200);
    mentor.shows("Requests to approve").shows("Kim Yoon-seo").shows("Approve").shows("No sessions");
    // Owner and staff: figures of the whole school and the week as a chart.
    let week = app.count(
        "select count(*) from bookings b join tenants t on t.id = b.tenant_id and t.slug = 'cape-drive'
         where b.status <> 'cancelled' and b.starts_at >= '2027-01-10T22:00:00Z' and b.starts_at < '2027-01-17T22:00:00Z'",
    );
    let left = app.count("select sum(lessons_left)::bigint from packs p join tenants t on t.id = p.tenant_id and t.slug = 'cape-drive'");
    let figures = [week.await.to_string(), "0".into(), "60".into(), "12".into(), left.await.to_string()];
    for who in ["owner@cape-drive.test", "staff@cape-drive.test"] {
        let page = app.login(who).await.get("/t/cape-drive").await.expect(200).shows("Palesa Govender");
        assert_eq!(attrs(&page, "svg.chart", "role"), ["img"]);
        assert_eq!(texts(&page, ".figure-number"), figures);
        let units = texts(&page, ".figure-unit").join(", ");
        assert_eq!(units, "lessons, requests, students, instructors, lessons left in packs");
    }
    app.login("super@lessonbook.test").await.get("/t/cape-drive").await.expect(404);
}
