//! Lists and their downloads (DA-01, DA-02).

use std::collections::BTreeSet;

use http::header;
use lessonbook::http::csv::DOWNLOADS;
use scraper::{Html, Selector};
use sqlx::PgPool;

use crate::harness::{Answer, NOW, TestApp};

/// The links in the first cells of a page's list; tables inside its rows don't count.
pub(crate) const ROWS: &str = ".table:not(.compact) > tbody > tr > th a";
/// Each download and the ids its rows begin with.
const IDS: [(&str, &[&str]); 9] = [
    ("/t/{tenant}/instructors.csv", &["id"]),
    ("/t/{tenant}/mentees.csv", &["instructor_id", "student_id", "pack_id"]),
    ("/t/{tenant}/students.csv", &["id"]),
    ("/t/{tenant}/bookings.csv", &["id", "service_id", "instructor_id", "student_id"]),
    ("/admin/tenants.csv", &["id"]),
    ("/admin/users.csv", &["id"]),
    ("/t/{tenant}/team.csv", &["id"]),
    ("/t/{tenant}/audit.csv", &["seq"]),
    ("/admin/audit.csv", &["seq"]),
];

/// The texts of all elements that a selector finds.
pub(crate) fn texts(page: &Answer, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    let document = Html::parse_document(&page.body);
    document.select(&selector).map(|element| element.text().collect::<String>().trim().to_owned()).collect()
}

/// An attribute of all elements that a selector finds.
pub(crate) fn attrs(page: &Answer, selector: &str, name: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    let document = Html::parse_document(&page.body);
    document.select(&selector).filter_map(|element| element.attr(name)).map(str::to_owned).collect()
}

/// Header and rows. A row of another width is an error of the reader.
fn table(answer: &Answer) -> (Vec<String>, Vec<csv::StringRecord>) {
    let mut reader = csv::Reader::from_reader(answer.body.as_bytes());
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().collect::<Result<Vec<_>, _>>().unwrap();
    (header, rows)
}

/// One column.
fn column(answer: &Answer, name: &str) -> Vec<String> {
    let (header, rows) = table(answer);
    let place = header.iter().position(|head| head == name).unwrap();
    rows.iter().map(|row| row[place].to_owned()).collect()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_instructors_table_sorts_both_ways(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let pieter = app.text("select id::text from instructors where email = 'pieter@cape-drive.test'").await;
    let fields =
        [("tenant", "cape-drive"), ("instructor", pieter.as_str()), ("student", "sipho@cape-drive.test")];
    owner.post("people/associate", &fields).await.expect(200);
    let of = "where x.tenant_id = i.tenant_id and x.instructor_id = i.id";
    let sorts = [
        ("name", "lower(i.name)".to_owned()),
        ("nonsense", "lower(i.name)".to_owned()),
        ("city", "lower(i.city)".to_owned()),
        ("mentees", format!("(select count(*) from mentees x {of})")),
        ("lessons_left", format!("(select coalesce(sum(x.lessons_left), 0) from packs x {of})")),
        (
            "last_lesson",
            format!(
                "(select max(x.starts_at) from bookings x {of} and x.starts_at <= '{NOW}' and x.status in ('confirmed', 'completed'))"
            ),
        ),
    ];
    for (sort, key) in sorts {
        for (dir, word) in [("asc", "ascending"), ("desc", "descending")] {
            let sql = format!(
                "select i.name from instructors i join tenants t on t.id = i.tenant_id and t.slug = 'cape-drive'
                 order by {key} {dir} nulls last, lower(i.name), i.id"
            );
            let names: Vec<String> =
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&app.admin).await.unwrap();
            let page =
                owner.get(&format!("/t/cape-drive/instructors?sort={sort}&dir={dir}")).await.expect(200);
            assert_eq!(texts(&page, ROWS), names, "{sort} {dir}");
            if sort != "nonsense" {
                assert_eq!(attrs(&page, "th[aria-sort]", "aria-sort"), [word], "{sort} {dir}");
            }
        }
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn lists_are_cut_into_pages(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    sqlx::query(
        "insert into students (tenant_id, id, name, email, created_at)
         select t.id, gen_random_uuid(), 'Extra ' || n, 'extra' || n || '@x.test', now()
         from tenants t, generate_series(1, 150) n where t.slug = 'cape-drive'",
    )
    .execute(&app.admin)
    .await
    .unwrap();
    let owner = app.owner().await;
    let list = async |query: &str| owner.get(&format!("/t/cape-drive/students?{query}")).await.expect(200);
    let sizes = [
        ("", 50),
        ("=0", 1),
        ("=-1", 1),
        ("=lots", 1),
        ("=", 1),
        ("=7", 7),
        ("=100", 100),
        ("=101", 100),
        ("=4000000000", 100),
    ];
    for (size, rows) in sizes {
        let query = if size.is_empty() { String::new() } else { format!("page_size{size}") };
        assert_eq!(texts(&list(&query).await, ROWS).len(), rows, "{query}");
    }
    let mut seen = Vec::new();
    for (page, range) in [(1, "1–50 of 210"), (2, "51–100 of 210"), (5, "201–210 of 210")] {
        let page = list(&format!("page={page}")).await;
        assert_eq!(texts(&page, ".pager p"), [range]);
        seen.extend(attrs(&page, ROWS, "href"));
    }
    let rows = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((rows, seen.len()), (110, 110));
    assert_eq!(texts(&list("page=1").await, ".pager a"), ["Next"]);
    assert_eq!(texts(&list("page=3").await, ".pager a"), ["Previous", "Next"]);
    assert_eq!(texts(&list("page=5").await, ".pager a"), ["Previous"]);
    for page in ["0", "-1", "x"] {
        assert_eq!(texts(&list(&format!("page={page}")).await, ".pager p"), ["1–50 of 210"]);
    }
    // Beyond the end every list shows its last page.
    let beyond = list("page=99").await;
    assert_eq!(
        (texts(&beyond, ROWS).len(), texts(&beyond, ".pager p")),
        (10, vec!["201–210 of 210".to_owned()])
    );
    assert!(attrs(&beyond, ".pager a", "href")[0].contains("page=4"), "{}", beyond.body);
    let platform = app.login("super@lessonbook.test").await;
    let thandi = app.text("select id::text from instructors where email = 'thandi@cape-drive.test'").await;
    for state in ["pending", "verified"] {
        let fields = [("tenant", "cape-drive"), ("instructor", thandi.as_str()), ("verification", state)];
        owner.post("people/verify", &fields).await.expect(200);
    }
    for (client, path) in [
        (&owner, "/t/cape-drive/instructors"),
        (&owner, "/t/cape-drive/bookings"),
        (&owner, "/t/cape-drive/services"),
        (&owner, "/t/cape-drive/team"),
        (&owner, "/t/cape-drive/audit"),
        (&platform, "/admin/tenants"),
        (&platform, "/admin/users"),
        (&platform, "/admin/audit"),
    ] {
        let ranges =
            async |query: &str| texts(&client.get(&format!("{path}?{query}")).await.expect(200), ".pager p");
        let beyond = ranges("page=900000&page_size=1").await;
        let (last, total) = beyond[0].split_once(" of ").unwrap();
        assert_eq!(last, format!("{total}–{total}"), "{path}");
        let first = ranges("page_size=1").await;
        assert_eq!(first, [format!("1–1 of {total}")], "{path}");
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn every_download_is_csv_with_ids_first_and_times_of_the_school(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let known: BTreeSet<&str> = IDS.iter().map(|(path, _)| *path).collect();
    assert_eq!(known, DOWNLOADS.iter().map(|download| download.path).collect::<BTreeSet<_>>());
    let platform = app.login("super@lessonbook.test").await;
    for (slug, offset) in [("cape-drive", "+02:00"), ("north-mentors", "+01:00")] {
        let owner = app.login(&format!("owner@{slug}.test")).await;
        let invite = [("tenant", slug), ("email", "new@invited.test"), ("role", "staff")];
        owner.post("team/invite", &invite).await.expect(200);
        for (path, ids) in IDS {
            let (client, offset) =
                if path.starts_with("/admin") { (&platform, "Z") } else { (&owner, offset) };
            let path = path.replace("{tenant}", slug);
            let answer = client.get(&path).await.expect(200);
            assert_eq!(answer.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8", "{path}");
            let name = format!("attachment; filename=\"{}\"", path.rsplit('/').next().unwrap());
            assert_eq!(answer.headers[header::CONTENT_DISPOSITION], name, "{path}");
            assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store", "{path}");
            let (header, rows) = table(&answer);
            assert_eq!(&header[..ids.len()], ids, "{path}");
            assert!(!rows.is_empty(), "{path}");
            let mut times = 0;
            for row in &rows {
                for (place, id) in row.iter().take(ids.len()).enumerate() {
                    assert!(
                        id.parse::<uuid::Uuid>().is_ok()
                            || (ids[place] == "pack_id" && id.is_empty())
                            || (ids[place] == "seq" && id.parse::<u64>().is_ok()),
                        "{path}: {id}"
                    );
                }
                for (name, time) in header.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
                    if name == "at" || name.ends_with("_at") || name == "last_lesson" || name == "next_lesson"
                    {
                        assert!(
                            time.parse::<domain::Instant>().is_ok() && time.ends_with(offset),
                            "{path}: {name} {time}"
                        );
                        times += 1;
                    }
                }
            }
            assert!(times > 0, "{path}");
        }
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_download_has_the_filter_of_its_page(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, platform) = (app.owner().await, app.login("super@lessonbook.test").await);
    let thandi = app.text("select id::text from instructors where email = 'thandi@cape-drive.test'").await;
    for (path, query) in [
        ("/t/cape-drive/instructors", "q=an&city=Cape+Town&verification=verified".to_owned()),
        ("/t/cape-drive/instructors", "city=stellenbosch&sort=name&dir=desc".to_owned()),
        ("/t/cape-drive/students", "q=Nkosi".to_owned()),
        ("/t/cape-drive/students", "q=O%E2%80%99Connor&sort=email".to_owned()),
        ("/t/cape-drive/bookings", "status=cancelled&from=2027-01-04&to=2027-01-17".to_owned()),
        ("/t/cape-drive/bookings", format!("instructor={thandi}&q=Palesa")),
        ("/t/cape-drive/bookings", format!("instructor={thandi}&to=2027-01-11&sort=start&dir=desc")),
        ("/admin/tenants", "status=suspended&q=clinic".to_owned()),
        ("/admin/tenants", "q=e".to_owned()),
    ] {
        let client = if path.starts_with("/admin") { &platform } else { &owner };
        let page = client.get(&format!("{path}?{query}&page_size=100")).await.expect(200);
        let shown = attrs(&page, ROWS, "href");
        let shown: BTreeSet<String> =
            shown.iter().map(|href| href.rsplit('/').next().unwrap().to_owned()).collect();
        assert!(!shown.is_empty() && shown.len() < 100, "{path}?{query}");
        let link = attrs(&page, "form.filter-bar a.button", "href").remove(0);
        assert!(link.starts_with(&format!("{path}.csv?")), "{link}");
        let ids = column(&client.get(&link).await.expect(200), "id");
        assert_eq!(ids.len(), shown.len(), "{link}");
        assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), shown, "{link}");
    }
    // Unasked, the list of lessons begins today; so does what it offers to download.
    let page = owner.get("/t/cape-drive/bookings").await.expect(200);
    let link = attrs(&page, "form.filter-bar a.button", "href").remove(0);
    let starts = column(&owner.get(&link).await.expect(200), "starts_at");
    assert!(!starts.is_empty() && starts.iter().all(|at| at.as_str() >= "2027-01-12"), "{link}");
    let page = owner.get("/t/cape-drive/instructors?q=thandi").await.expect(200);
    let link = attrs(&page, ".page-actions a", "href").remove(0);
    let mentees = owner.get(&link).await.expect(200);
    assert_eq!(column(&mentees, "instructor"), ["Thandi Mokoena"; 5]);
    assert_eq!(column(&mentees, "lessons_total"), ["24"; 5]);
    assert_eq!(column(&mentees, "pack_status"), ["active"; 5]);
    let emails = texts(&platform.get("/admin/users?q=thandi").await.expect(200), "td[data-label=\"E-mail\"]");
    assert_eq!(column(&platform.get("/admin/users.csv?q=thandi").await.expect(200), "email"), emails);
    assert_eq!(emails, ["thandi@cape-drive.test"]);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_download_is_refused_to_those_it_is_not_for(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let people = [
        ("", 401, 401, 401, 401),
        ("sipho@cape-drive.test", 403, 200, 403, 403),
        ("thandi@cape-drive.test", 200, 200, 403, 403),
        ("staff@cape-drive.test", 200, 200, 403, 403),
        ("owner@cape-drive.test", 200, 200, 200, 403),
        ("owner@north-mentors.test", 404, 404, 404, 403),
        ("super@lessonbook.test", 404, 404, 404, 200),
    ];
    for (email, people, lessons, owners, platform) in people {
        let client = if email.is_empty() { app.visitor() } else { app.login(email).await };
        for (path, _) in IDS {
            let wanted = match path {
                path if path.starts_with("/admin") => platform,
                path if path.ends_with("bookings.csv") => lessons,
                path if path.ends_with("team.csv") || path.ends_with("audit.csv") => owners,
                _ => people,
            };
            let answer = client.get(&path.replace("{tenant}", "cape-drive")).await;
            assert_eq!(answer.status.as_u16(), wanted, "{email} {path}");
            if wanted != 200 {
                assert!(answer.json()["error_id"].as_str().is_some_and(|id| !id.is_empty()), "{path}");
                answer.hides("@cape-drive.test");
            }
        }
    }
    let closed = app.login("owner@closed-clinic.test").await;
    closed.get("/t/closed-clinic/students.csv").await.expect(403);
    app.visitor().get("/t/no-such-school/students.csv").await.expect(401);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_download_holds_ones_own_rows_only(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.login("thandi@cape-drive.test").await;
    let thandi = app.text("select id::text from instructors where email = 'thandi@cape-drive.test'").await;
    let get = async |name: &str| client.get(&format!("/t/cape-drive/{name}.csv")).await.expect(200);
    assert_eq!(column(&get("instructors").await, "id"), [thandi.as_str()]);
    assert_eq!(column(&get("mentees").await, "instructor_id"), [thandi.as_str(); 5]);
    let students = get("students").await;
    let names = ["Aisha Nkosi", "Busisiwe Mahlangu", "Palesa Govender", "Sipho Nkosi", "Vusi Govender"];
    assert_eq!(column(&students, "name"), names);
    assert_eq!(column(&students, "instructors"), ["Thandi Mokoena"; 5]);
    let lessons = column(&get("bookings").await, "instructor_id");
    let own = "select count(*) from bookings b join instructors i on i.id = b.instructor_id where i.email = 'thandi@cape-drive.test'";
    assert_eq!(lessons.len() as i64, app.count(own).await);
    assert!(lessons.iter().all(|id| *id == thandi));
    // A filter doesn't widen it.
    let pieter = app.text("select id::text from instructors where email = 'pieter@cape-drive.test'").await;
    assert!(
        column(
            &client.get(&format!("/t/cape-drive/bookings.csv?instructor={pieter}")).await.expect(200),
            "id"
        )
        .is_empty()
    );
    assert!(column(&client.get("/t/cape-drive/students.csv?q=megan").await.expect(200), "id").is_empty());
    let own = app.student().await.get("/t/cape-drive/bookings.csv").await.expect(200).hides("Palesa");
    assert_eq!(
        column(&own, "student").into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from(["Sipho Nkosi".to_owned()])
    );
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn formulas_become_text_and_all_else_stays_as_typed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let rename = async |name: &str| {
        sqlx::query("update students set name = $1, city = $1 where email = 'sipho@cape-drive.test'")
            .bind(name)
            .execute(&app.admin)
            .await
            .unwrap();
        sqlx::query("update bookings set note = $1, pickup = $1 where student_id = (select id from students where email = 'sipho@cape-drive.test')")
            .bind(name)
            .execute(&app.admin)
            .await
            .unwrap();
        let found = |answer: &Answer, column_name: &str| {
            column(answer, column_name).into_iter().collect::<BTreeSet<_>>()
        };
        let get = async |name: &str| owner.get(&format!("/t/cape-drive/{name}")).await.expect(200);
        let student = get("students.csv?q=sipho@").await;
        let lessons = get("bookings.csv").await;
        let mentees = column(&get("mentees.csv?q=thandi").await, "student");
        let cell = column(&student, "name").remove(0);
        assert_eq!(column(&student, "city"), [cell.as_str()]);
        assert!(mentees.contains(&cell), "{mentees:?}");
        for name in ["student", "note", "pickup"] {
            assert!(found(&lessons, name).contains(&cell), "{name}: {cell}");
        }
        cell
    };
    for bad in [
        "=1+1",
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1:A9)",
        "\t=1",
        "\r=1",
        "=HYPERLINK(\"http://x\",\"y\")",
    ] {
        assert_eq!(rename(bad).await, format!("'{bad}"));
    }
    let page = owner.get("/t/cape-drive/students?q=sipho@").await.expect(200);
    assert_eq!(texts(&page, ROWS), ["=HYPERLINK(\"http://x\",\"y\")"]);
    for good in [
        "<script>alert(1)</script>",
        "O'Neil \"Q\", Sons & Co",
        "line 1\nline 2; \"x\"",
        "محمد \u{202e}الأمين",
        "👩🏽\u{200d}🚗 王小明",
        "\\ a=b",
    ] {
        assert_eq!(rename(good).await, good);
    }
}

/// Browsers ask for compression; the layer that does it asks for one chunk more than there are.
#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_compressed_download_comes_whole(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let plain = owner.get("/t/cape-drive/bookings.csv").await.expect(200);
    let request = http::Request::builder()
        .uri("/t/cape-drive/bookings.csv")
        .header(http::header::ACCEPT_ENCODING, "gzip")
        .body(axum::body::Body::empty())
        .unwrap();
    let bytes = owner.call_for_bytes(request).await;
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(bytes.as_slice()), &mut text).unwrap();
    assert_eq!(text, plain.body);
}
