//! Import of people from a file, through the form that uploads it (PE-10).

use std::collections::BTreeSet;

use axum::body::Body;
use futures::future::join_all;
use http::{Method, Request, header};
use sqlx::PgPool;

use crate::{
    downloads::{ROWS, attrs, texts},
    harness::{Answer, Client, TestApp},
};

const HEADER: &str = "kind,name,email,phone,city\n";
const PEOPLE: &str = "select (select count(*) from students) + (select count(*) from instructors)";
const AUDITED: &str = "select count(*) from audit where action = 'people.import'";
const CHECK: &str = "check";
const IMPORT: &str = "import";

/// The form as a browser sends it.
fn form(mode: &str, file: &[u8]) -> Request<Body> {
    let mut body = Vec::with_capacity(file.len() + 512);
    body.extend_from_slice(
        b"--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\n",
    );
    body.extend_from_slice(b"content-type: text/csv\r\n\r\n");
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--edge\r\ncontent-disposition: form-data; name=\"mode\"\r\n\r\n");
    body.extend_from_slice(mode.as_bytes());
    body.extend_from_slice(b"\r\n--edge--\r\n");
    post("multipart/form-data; boundary=edge", body)
}

fn post(kind: &str, body: Vec<u8>) -> Request<Body> {
    Request::builder()
        .method(Method::POST)
        .uri("/t/cape-drive/students/import")
        .header(header::ACCEPT, "text/html")
        .header(header::CONTENT_TYPE, kind)
        .body(Body::from(body))
        .unwrap()
}

async fn upload(client: &Client, mode: &str, file: impl AsRef<[u8]>) -> Answer {
    client.call(form(mode, file.as_ref())).await
}

/// Line, column and message of each error that the page reports.
fn errors(page: &Answer) -> Vec<(u64, String, String)> {
    let report = "section[role=\"alert\"] tbody";
    let lines = texts(page, &format!("{report} th"));
    let columns = texts(page, &format!("{report} td[data-label=\"Column\"]"));
    let messages = texts(page, &format!("{report} td[data-label=\"What to mend\"]"));
    assert_eq!((lines.len(), lines.len()), (columns.len(), messages.len()));
    lines
        .iter()
        .zip(columns)
        .zip(messages)
        .map(|((line, column), message)| (line.parse().unwrap(), column, message))
        .collect()
}

/// A file of so many students, each with an address of their own.
fn students(count: usize, domain: &str) -> String {
    const NAMES: [&str; 8] = [
        "王小明",
        "محمد الأمين",
        "Ngọc Ánh",
        "अनिता शर्मा",
        "Łukasz Żak",
        "สมชาย ใจดี",
        "Ольга Ёлкина",
        "Zoë O’Brien",
    ];
    let mut text = HEADER.to_owned();
    for n in 0..count {
        text.push_str(&format!("student,{} {n},s{n}@{domain},,Paarl\n", NAMES[n % NAMES.len()]));
    }
    text
}

/// What is wrong with a file, the file, and the lines and columns that must be named.
type Case<'a> = (&'a str, Vec<u8>, Vec<(u64, &'a str)>);

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_check_writes_nothing_and_an_import_writes_all(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let page = owner.get("/t/cape-drive/students/import").await.expect(200);
    assert_eq!(
        attrs(&page, "form[enctype=\"multipart/form-data\"]", "action"),
        ["/t/cape-drive/students/import"]
    );
    assert_eq!(attrs(&page, "form button[name=\"mode\"]", "value"), [CHECK, IMPORT]);
    assert_eq!(attrs(&page, "input[type=\"file\"]", "name"), ["file"]);
    let before = app.count(PEOPLE).await;
    // Any order of columns, with a mark of the encoding in front, empty lines, and a quoted line break's neighbours.
    let file = "\u{feff}Email,Kind,Name,City,Phone\r\nNew.One@X.test,Instructor,\"Müller, Jörg\",Paarl,+27 82 111 2222\r\n\r\n\
                two@x.test,student,Two,,\r\nthree@x.test,STUDENT,Three,Cape Town,0027 82 333 4444\r\n";
    for mode in [CHECK, "", "nonsense"] {
        let page = upload(&owner, mode, file).await.expect(200).shows("Checked");
        let page =
            page.shows("1 instructor and 2 students would be imported").shows("Nothing has changed yet");
        assert!(errors(&page).is_empty());
        assert_eq!((app.count(PEOPLE).await, app.count(AUDITED).await), (before, 0), "{mode}");
    }
    upload(&owner, IMPORT, file)
        .await
        .expect(200)
        .shows("Imported")
        .shows("1 instructor and 2 students are in the school now.");
    assert_eq!((app.count(PEOPLE).await, app.count(AUDITED).await), (before + 3, 1));
    let kept = "select count(*) from instructors i join tenants t on t.id = i.tenant_id where t.slug = 'cape-drive' and i.name = 'Müller, Jörg'
        and i.email = 'new.one@x.test' and i.phone like 'v1.%' and i.phone_index is not null and i.city = 'Paarl' and i.verification = 'pending'";
    assert_eq!(app.count(kept).await, 1);
    assert_eq!(
        app.count("select count(*) from students where phone like 'v1.%' and phone_index is not null and city = 'Cape Town'").await,
        1
    );
    let audit = "select count(*) from audit where action = 'people.import' and after = '{\"instructors\": 1, \"students\": 2}' and actor_role = 'owner'";
    assert_eq!(app.count(audit).await, 1);
    // The same file once more makes nobody twice.
    let again = upload(&owner, IMPORT, file).await;
    assert_eq!(
        errors(&again).iter().map(|error| (error.0, error.1.as_str())).collect::<Vec<_>>(),
        [(2, "email"), (4, "email"), (5, "email")]
    );
    assert_eq!((app.count(PEOPLE).await, app.count(AUDITED).await), (before + 3, 1));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn names_of_any_script_stand_in_the_list_as_in_the_file(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let names = [
        "王小明",
        "محمد الأمين",
        "ישראל ישראלי",
        "अनिता शर्मा",
        "สมชาย ใจดี",
        "Ἀλέξανδρος",
        "Ольга Ёлкина",
        "Ngọc Ánh 😀",
        "O'Neil \"Q\", Sons & Co",
        "<script>alert(1)</script>",
        "=1+1",
        "a\u{202e}b",
        "e\u{301}\u{200d}👩🏽",
    ];
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(HEADER.trim().split(',')).unwrap();
    for (n, name) in names.iter().enumerate() {
        let email = format!("n{n}@scripts.test");
        file.write_record(["student", *name, email.as_str(), "", *name]).unwrap();
    }
    upload(&owner, IMPORT, file.into_inner().unwrap())
        .await
        .expect(200)
        .shows("13 students are in the school now");
    let page = owner.get("/t/cape-drive/students?q=scripts.test").await.expect(200).hides("<script>alert");
    let shown: BTreeSet<String> = texts(&page, ROWS).into_iter().collect();
    assert_eq!(shown, names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
    for (query, name) in
        [("%E5%B0%8F%E6%98%8E", "王小明"), ("%D0%9E%D0%BB%D1%8C%D0%B3%D0%B0", "Ольга Ёлкина")]
    {
        assert_eq!(texts(&owner.get(&format!("/t/cape-drive/students?q={query}")).await, ROWS), [name]);
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_file_with_errors_is_reported_by_line_and_imports_nothing(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let before = app.count(PEOPLE).await;
    let text = |rest: &str| format!("{HEADER}{rest}").into_bytes();
    let mut latin1 = text("student,A,a@x.test,,\nstudent,Zo");
    latin1.extend_from_slice(b"\xeb,z@x.test,,\nstudent,C,c@x.test,,\n");
    let utf16: Vec<u8> =
        std::iter::once(0xfeff_u16).chain(HEADER.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let long = "x".repeat(101);
    let cases: Vec<Case> = vec![
        ("Latin-1", latin1, vec![(3, "whole line")]),
        ("UTF-16", utf16, vec![(1, "whole line")]),
        ("empty", Vec::new(), vec![(1, "whole line")]),
        ("nobody", text(""), vec![(1, "whole line")]),
        ("no header", b"student,A,a@x.test,,\n".to_vec(), vec![(1, "student")]),
        (
            "columns missing",
            b"name,email\nA,a@x.test\n".to_vec(),
            vec![(1, "kind"), (1, "phone"), (1, "city")],
        ),
        (
            "column unknown",
            b"kind,name,email,phone,city,age\nstudent,A,a@x.test,,,9\n".to_vec(),
            vec![(1, "age")],
        ),
        ("column twice", b"kind,name,name,email,phone,city\n".to_vec(), vec![(1, "name")]),
        (
            "semicolons",
            b"kind;name;email;phone;city\n".to_vec(),
            vec![(1, "kind;name;email;phone;city"), (1, "kind")],
        ),
        ("width", text("student,A,a@x.test,,\nstudent,B,b@x.test\n"), vec![(3, "whole line")]),
        (
            "fields",
            text("pupil,,no-address,12,x\n"),
            vec![(2, "kind"), (2, "name"), (2, "email"), (2, "phone")],
        ),
        ("too long", text(&format!("student,{long},a@x.test,,{long}\n")), vec![(2, "name"), (2, "city")]),
        ("NUL", text("student,A\0,a@x.test,,\nstudent,B,b@x.test,,\0\n"), vec![(2, "name"), (3, "city")]),
        (
            "line break in a name",
            text("student,\"A\nB\",a@x.test,,\nstudent,C,,,\n"),
            vec![(2, "name"), (4, "email")],
        ),
        (
            "twice in the file",
            text("student,A,a@x.test,,\ninstructor,A,a@x.test,,\nstudent,B,A@X.test,,\n"),
            vec![(4, "email")],
        ),
        (
            "there already",
            text(
                "student,A,a@x.test,,\nstudent,B,SIPHO@cape-drive.test,,\ninstructor,C,thandi@cape-drive.test,,\n",
            ),
            vec![(3, "email"), (4, "email")],
        ),
    ];
    for (name, file, wanted) in cases {
        for mode in [CHECK, IMPORT] {
            let page = upload(&owner, mode, &file).await.shows("Nothing was imported.");
            assert!(!page.status.is_server_error(), "{name}");
            let found = errors(&page);
            assert!(found.iter().all(|error| !error.2.is_empty()), "{name}: {found:?}");
            let found: Vec<(u64, &str)> = found.iter().map(|error| (error.0, error.1.as_str())).collect();
            // Of columns that all are wrong, the first ones are enough to see.
            let compared =
                if matches!(name, "no header" | "semicolons") { &found[..wanted.len()] } else { &found[..] };
            assert_eq!(compared, wanted, "{name}");
            assert_eq!((app.count(PEOPLE).await, app.count(AUDITED).await), (before, 0), "{name}");
        }
    }
    // Someone else's school is no duplicate, and an instructor may be a student too.
    let fine = text("student,Kim,kim@north-mentors.test,,\nstudent,Thandi,thandi@cape-drive.test,,\n");
    upload(&owner, IMPORT, fine).await.expect(200).shows("2 students are in the school now");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn ten_thousand_are_imported_and_one_more_is_too_many(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let before = app.count(PEOPLE).await;
    for mode in [CHECK, IMPORT] {
        let page = upload(&owner, mode, students(10_001, "many.test")).await.shows("Nothing was imported.");
        let errors = errors(&page);
        assert_eq!((errors.len(), errors[0].0, errors[0].1.as_str()), (1, 10_002, "whole line"));
        assert!(errors[0].2.contains("10,000"), "{}", errors[0].2);
        assert_eq!(app.count(PEOPLE).await, before);
    }
    // With many errors the first are shown, and how many there are.
    let page = upload(&owner, IMPORT, students(5_000, "").replace("@,", ","))
        .await
        .shows("5,000 things need another look");
    assert_eq!((errors(&page).len(), errors(&page)[199].0), (200, 201));
    // One wrong line at the end, and nobody of the others comes in.
    let page =
        upload(&owner, IMPORT, students(9_999, "many.test") + "student,Sipho,sipho@cape-drive.test,,\n")
            .await;
    assert_eq!(errors(&page).iter().map(|error| error.0).collect::<Vec<_>>(), [10_001]);
    assert_eq!(app.count(PEOPLE).await, before);
    upload(&owner, IMPORT, students(10_000, "many.test"))
        .await
        .expect(200)
        .shows("10,000 students are in the school now");
    assert_eq!(app.count(PEOPLE).await, before + 10_000);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn five_thousand_are_imported_and_paged_through(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    upload(&owner, IMPORT, students(5_000, "real.test"))
        .await
        .expect(200)
        .shows("5,000 students are in the school now");
    let get = async |page: usize| {
        owner.get(&format!("/t/cape-drive/students?q=real.test&page_size=100&page={page}")).await.expect(200)
    };
    let mut seen = BTreeSet::new();
    for number in 1..=50 {
        let page = get(number).await;
        let links = attrs(&page, ROWS, "href");
        assert_eq!(links.len(), 100, "page {number}");
        seen.extend(links);
    }
    assert_eq!(seen.len(), 5_000);
    let last = get(50).await;
    assert_eq!(texts(&last, ".pager p"), ["4,901–5,000 of 5,000"]);
    assert_eq!(texts(&last, ".pager a"), ["Previous"]);
    assert_eq!(texts(&last, ".filter-total"), ["5,000 students"]);
    // Beyond the end is the end.
    assert_eq!(texts(&get(51).await, ".pager p"), ["4,901–5,000 of 5,000"]);
    // With more than can be chosen from, the form takes a name or an e-mail instead.
    let page = owner.get("/t/cape-drive/students").await.expect(200);
    assert_eq!(
        attrs(&page, "form[action=\"/fn/people/associate\"] input[name=\"student\"]", "type"),
        ["text"]
    );
    let instructor =
        app.text("select id::text from instructors where email = 'thandi@cape-drive.test'").await;
    let fields = [("tenant", "cape-drive"), ("instructor", instructor.as_str()), ("student", "王小明 4000")];
    owner.post("people/associate", &fields).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_same_file_twice_at_once_is_imported_once(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let before = app.count(PEOPLE).await;
    let file = students(300, "race.test");
    let answers = join_all((0..4).map(|_| upload(&owner, IMPORT, &file))).await;
    let done =
        answers.iter().filter(|answer| answer.body.contains("300 students are in the school now")).count();
    assert_eq!(done, 1);
    assert!(answers.iter().all(|answer| !answer.status.is_server_error()));
    assert_eq!(app.count(PEOPLE).await, before + 300);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn only_staff_import_and_only_what_is_a_file_of_eight_megabytes(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let before = app.count(PEOPLE).await;
    let file = students(1, "roles.test");
    for (email, status) in [
        ("thandi@cape-drive.test", 403),
        ("sipho@cape-drive.test", 403),
        ("owner@north-mentors.test", 404),
        ("super@lessonbook.test", 404),
    ] {
        let client = app.login(email).await;
        upload(&client, IMPORT, &file).await.expect(status);
        client.get("/t/cape-drive/students/import").await.expect(status);
    }
    let visitor = upload(&app.visitor(), IMPORT, &file).await.expect(303);
    assert!(visitor.location().starts_with("/login?next="), "{}", visitor.location());
    let staff = app.login("staff@cape-drive.test").await;
    // A megabyte is 1,024 × 1,024 bytes; the form around the file counts too.
    let large = vec![b'x'; 8 * 1024 * 1024 + 1];
    for mode in [CHECK, IMPORT] {
        upload(&staff, mode, &large).await.expect(413).shows("8 MB");
    }
    let mut other = form(IMPORT, file.as_bytes());
    other.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    staff.call(other).await.expect(403);
    for (kind, body) in [
        ("application/x-www-form-urlencoded", b"file=x&mode=import".to_vec()),
        ("multipart/form-data", b"--edge\r\n".to_vec()),
        (
            "multipart/form-data; boundary=edge",
            b"--edge\r\ncontent-disposition: form-data; name=\"mode\"\r\n\r\nimport\r\n--edge--\r\n".to_vec(),
        ),
    ] {
        staff.call(post(kind, body)).await.expect(422).shows("Choose a CSV file.");
    }
    assert_eq!(app.count(PEOPLE).await, before);
    upload(&staff, IMPORT, &file)
        .await
        .expect(200)
        .shows("0 instructors and 1 student are in the school now.");
    assert_eq!(app.count(PEOPLE).await, before + 1);
}
