//! Days on which the school is closed: typed one by one, or taken from a calendar file through the form that uploads it.

use axum::body::Body;
use http::{Method, Request, header};
use lessonbook::http::holidays::UPLOAD;
use sqlx::PgPool;

use super::{Cape, LERATO, SIPHO, SLOTS, THANDI, act, said};
use crate::{
    downloads::{attrs, texts},
    harness::{Answer, Client, TestApp},
};

const LIST: &str = "/t/cape-drive/holidays";
const EDITS: &str = "select count(*) from audit where action = 'holidays.edit'";
/// All that the demo hasn't closed itself.
const CLOSED: &str = "select coalesce(string_agg(h.day || ' ' || h.name, '|' order by h.day), '') from holidays h
    join tenants t on t.id = h.tenant_id where t.slug = 'cape-drive' and h.name not in ('New Year’s Day', 'Heritage Day')";

/// The form as a browser sends it.
fn form(file: &[u8]) -> Request<Body> {
    let mut body =
        b"--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"days.ics\"\r\n".to_vec();
    body.extend_from_slice(b"content-type: text/calendar\r\n\r\n");
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    post("multipart/form-data; boundary=edge", body)
}

fn post(kind: &str, body: Vec<u8>) -> Request<Body> {
    Request::builder()
        .method(Method::POST)
        .uri("/t/cape-drive/holidays/import")
        .header(header::ACCEPT, "text/html")
        .header(header::CONTENT_TYPE, kind)
        .body(Body::from(body))
        .unwrap()
}

async fn upload(client: &Client, file: impl AsRef<[u8]>) -> Answer {
    client.call(form(file.as_ref())).await
}

/// A calendar; its lines are those of the file from the third on.
fn calendar(lines: &[&str]) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}\r\nEND:VCALENDAR\r\n", lines.join("\r\n"))
}

/// What the page says of a file that it has read: the sentence, and the lines that were left out.
fn report(page: &Answer) -> (String, Vec<String>) {
    let sentence = texts(page, "section[role=\"status\"] > p").remove(0);
    (sentence, texts(page, "section[role=\"status\"] > ul > li"))
}

async fn add(client: &Client, date: &str, name: &str) -> Answer {
    act(client, "availability/add_holiday", &[("date", date), ("name", name)]).await
}

async fn remove(client: &Client, date: &str) -> Answer {
    act(client, "availability/remove_holiday", &[("date", date)]).await
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_holiday_is_added_and_removed(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let staff = &cape.staff;
    assert_eq!(
        said(&add(staff, "2027-02-03", " Founders Day ").await.expect(200)),
        "Closed on Wed 3 Feb 2027: Founders Day."
    );
    let page = staff.get(LIST).await.expect(200);
    assert_eq!(attrs(&page, "tbody th time", "datetime")[0], "2027-02-03");
    assert_eq!(texts(&page, "tbody td[data-label=\"Name\"]")[0], "Founders Day");
    let again = add(staff, "2027-02-03", "Another").await.expect(422);
    assert_eq!(
        again.field("date"),
        "That day is a holiday already: Founders Day. Remove it first to rename it."
    );
    for (date, name, field) in [
        ("2027-01-11", "Yesterday", "date"),
        ("2032-01-13", "Too far", "date"),
        ("2027-02-30", "No day", "date"),
        ("", "No day", "date"),
        ("2027-02-04", " ", "name"),
        ("2027-02-04", "two\nlines", "name"),
    ] {
        assert!(!add(staff, date, name).await.expect(422).field(field).is_empty(), "{date} {name}");
    }
    assert_eq!(
        said(&remove(staff, "2027-02-03").await.expect(200)),
        "Open again on Wed 3 Feb 2027: Founders Day is removed."
    );
    for date in ["2027-02-03", "soon", ""] {
        remove(staff, date).await.expect(404);
    }
    assert_eq!(cape.app.text(CLOSED).await, "");
    assert_eq!(cape.app.count(EDITS).await, 2);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_holiday_closes_the_day_and_an_instructors_own_hours_go_before(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (student, other, day) = (cape.app.login(SIPHO).await, cape.app.login(LERATO).await, "2027-02-03");
    let service = "Driving lesson";
    add(&cape.staff, day, "Founders Day").await.expect(200);
    let closed = async |instructor: &str| {
        let answer = cape.book(&student, service, instructor, "2027-02-03T15:00", &[]).await.expect(422);
        assert_eq!(answer.field("starts_at"), "Closed that day: Founders Day. Choose another day.");
        let page = student.get(&cape.book_page(service, instructor, &[("date", day)])).await.expect(200);
        assert_eq!(attrs(&page, "a.day[aria-current=\"date\"]", "data-free"), ["0"]);
        assert!(attrs(&page, SLOTS, "value").is_empty(), "{}", page.body);
    };
    closed("thandi").await;
    closed("any").await;
    let own = [("instructor", cape.instructor("thandi")), ("date", day), ("hours", "10:00-12:00")];
    act(&cape.staff, "availability/save_exception", &own).await.expect(200);
    let free = ["10:00", "10:30", "11:00"].map(|clock| format!("2027-02-03T{clock}:00+02:00"));
    assert_eq!(cape.listed(&student, service, "thandi", day).await, free);
    assert_eq!(cape.listed(&student, service, "any", day).await, free);
    cape.book(&student, service, "thandi", "2027-02-03T10:00", &[]).await.expect(200);
    let late = cape.book(&student, service, "thandi", "2027-02-03T15:00", &[]).await.expect(422);
    assert_eq!(late.field("starts_at"), "Outside the instructor's hours. Choose another time.");
    closed("pieter").await;
    // With neither the day is as it was each week; what was booked has stayed.
    act(&cape.staff, "availability/remove_exception", &own[..2]).await.expect(200);
    closed("thandi").await;
    remove(&cape.staff, day).await.expect(200);
    cape.book(&other, service, "thandi", "2027-02-03T10:00", &[]).await.expect(409);
    cape.book(&other, service, "thandi", "2027-02-03T15:00", &[]).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn lessons_on_a_new_holiday_stay_and_are_counted(admin: PgPool) {
    let cape = Cape::new(admin).await;
    // A lesson for several is one.
    let standing = "select count(distinct coalesce(b.group_id, b.id)) from bookings b join tenants t on t.id = b.tenant_id
        where t.slug = 'cape-drive' and b.starts_at >= '2027-01-20 00:00+02' and b.starts_at < '2027-01-21 00:00+02' and b.status = 'confirmed'";
    let lessons = cape.app.count(standing).await;
    assert!(lessons > 20);
    let answer = add(&cape.staff, "2027-01-20", "Storm").await.expect(200);
    assert_eq!(
        said(&answer),
        format!("Closed on Wed 20 Jan 2027: Storm. {lessons} lessons on it stay booked.")
    );
    assert_eq!(cape.app.count(standing).await, lessons);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_days_of_a_calendar_file_are_added(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let page = cape.staff.get(LIST).await.expect(200);
    assert_eq!(
        attrs(&page, "form[enctype=\"multipart/form-data\"]", "action"),
        ["/t/cape-drive/holidays/import"]
    );
    assert_eq!(attrs(&page, "input[type=\"file\"]", "name"), ["file"]);
    let file = calendar(&[
        "BEGIN:VEVENT",
        "UID:1@days.test",
        "DTSTAMP:20270101T000000Z",
        "DTSTART;VALUE=DATE:20270427",
        "SUMMARY:Freedom\\, and",
        "  the day of it",
        "END:VEVENT",
        // Two days: the end is the first moment behind it.
        "BEGIN:VEVENT",
        "DTSTART;VALUE=DATE:20271225",
        "DTEND;VALUE=DATE:20271227",
        "SUMMARY:<b>Christmas</b> 🎄",
        "END:VEVENT",
        // Over, and too far ahead.
        "BEGIN:VEVENT",
        "DTSTART;VALUE=DATE:20260427",
        "SUMMARY:Freedom Day",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "DTSTART;VALUE=DATE:20350427",
        "SUMMARY:Freedom Day",
        "END:VEVENT",
    ]);
    let page = upload(&cape.staff, &file).await.expect(200).hides("<b>Christmas");
    assert_eq!(
        report(&page),
        ("3 days added, 2 are over or more than five years ahead.".to_owned(), Vec::new())
    );
    assert_eq!(
        cape.app.text(CLOSED).await,
        "2027-04-27 Freedom, and the day of it|2027-12-25 <b>Christmas</b> 🎄|2027-12-26 <b>Christmas</b> 🎄"
    );
    assert_eq!(cape.app.count(EDITS).await, 1);
    let recorded =
        "select jsonb_array_length(after->'days')::bigint from audit where action = 'holidays.edit'";
    assert_eq!(cape.app.count(recorded).await, 3);
    // Windows, Unix and a mark of the encoding in front are all the same.
    let unix = format!("\u{feff}{}", file.replace("\r\n", "\n"));
    let page = upload(&cape.staff, unix).await.expect(200);
    assert_eq!(
        report(&page).0,
        "0 days added, 3 were there already, 2 are over or more than five years ahead."
    );
    assert_eq!(cape.app.count(EDITS).await, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_comes_each_year_is_added_for_five_years(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let file = calendar(&[
        "BEGIN:VEVENT",
        "DTSTART;VALUE=DATE:20200501",
        "RRULE:FREQ=YEARLY",
        "SUMMARY:Workers' Day",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "DTSTART;VALUE=DATE:20200616",
        "RRULE:FREQ=YEARLY;BYMONTH=6;UNTIL=20281231",
        "SUMMARY:Youth Day",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "DTSTART;VALUE=DATE:20240229",
        "RRULE:FREQ=YEARLY",
        "SUMMARY:Leap day",
        "END:VEVENT",
    ]);
    let page = upload(&cape.staff, &file).await.expect(200);
    assert_eq!(report(&page), ("8 days added.".to_owned(), Vec::new()));
    let days = "2027-05-01 Workers' Day|2027-06-16 Youth Day|2028-02-29 Leap day|2028-05-01 Workers' Day|2028-06-16 Youth Day|\
                2029-05-01 Workers' Day|2030-05-01 Workers' Day|2031-05-01 Workers' Day";
    assert_eq!(cape.app.text(CLOSED).await, days);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_broken_is_named_by_its_line_and_the_rest_is_added(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let file = calendar(&[
        "BEGIN:VEVENT",
        "DTSTART;VALUE=DATE:20270230",
        "SUMMARY:No such day",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "SUMMARY:No date",
        "END:VEVENT",
        "this is no line",
        "BEGIN:VEVENT",
        "DTSTART;VALUE=DATE:20270809",
        "SUMMARY:Women's Day",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "DTSTART;VALUE=DATE:20270301",
        "RRULE:FREQ=WEEKLY",
        "SUMMARY:Each week",
        "END:VEVENT",
    ]);
    let page = upload(&cape.staff, &file).await.expect(200);
    let skipped = [
        "Line 4: its date can't be read.",
        "Line 7: no date.",
        "Line 10: it isn't a name, a colon and a value.",
        "Line 17: of what is repeated, only the same day of each year is read.",
    ];
    assert_eq!(report(&page), ("1 day added.".to_owned(), skipped.map(str::to_owned).to_vec()));
    assert_eq!(cape.app.text(CLOSED).await, "2027-08-09 Women's Day");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_day_is_added_once_under_its_first_name(admin: PgPool) {
    let cape = Cape::new(admin).await;
    add(&cape.staff, "2027-08-09", "Our own name").await.expect(200);
    let event = |day: &str, name: &str| {
        format!("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:{day}\r\nSUMMARY:{name}\r\nEND:VEVENT")
    };
    let events = [
        event("20270809", "Women's Day"),
        event("20271216", "First"),
        event("20271216", "Second"),
        event("20271217", ""),
    ];
    let file = calendar(&events.each_ref().map(String::as_str));
    let page = upload(&cape.staff, &file).await.expect(200);
    assert_eq!(report(&page).0, "2 days added, 1 was there already.");
    let closed = "2027-08-09 Our own name|2027-12-16 First|2027-12-17 Holiday";
    assert_eq!(cape.app.text(CLOSED).await, closed);
    assert_eq!(
        report(&upload(&cape.staff, &file).await.expect(200)).0,
        "0 days added, 3 were there already."
    );
    assert_eq!(cape.app.text(CLOSED).await, closed);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn bytes_that_are_no_text_are_left_out(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let lines = [
        "BEGIN:VEVENT",
        "DTSTART;VALUE=DATE:20270301",
        "SUMMARY:NUL ~ in it",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "DTSTART;VALUE=DATE:20270302",
        "SUMMARY:Latin ^ one",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "DTSTART;VALUE=DATE:20270303",
        "DESCRIPTION:^ where it doesn't matter",
        "SUMMARY:Good",
        "END:VEVENT",
    ];
    let file: Vec<u8> = calendar(&lines)
        .bytes()
        .map(|byte| match byte {
            b'~' => 0,
            b'^' => 0xff,
            byte => byte,
        })
        .collect();
    let page = upload(&cape.staff, &file).await.expect(200);
    let skipped = ["Line 5: it holds NUL.", "Line 9: it isn't UTF-8.", "Line 13: it isn't UTF-8."];
    assert_eq!(report(&page), ("1 day added.".to_owned(), skipped.map(str::to_owned).to_vec()));
    assert_eq!(cape.app.text(CLOSED).await, "2027-03-03 Good");
    // Files of nothing but such bytes, and one of nothing but beginnings.
    let utf16: Vec<u8> = calendar(&lines).encode_utf16().flat_map(u16::to_le_bytes).collect();
    for file in [(0..=255_u8).collect::<Vec<u8>>(), vec![0; 10_000], vec![0xff; 10_000], utf16] {
        upload(&cape.staff, &file).await.expect(422).shows("This is no calendar file.");
    }
    let nested = format!("BEGIN:VCALENDAR\r\n{}", "BEGIN:VEVENT\r\nBEGIN:VALARM\r\n".repeat(20_000));
    let page = upload(&cape.staff, nested).await.expect(200);
    assert!(report(&page).1.last().is_some_and(|line| line.starts_with("And ")), "{}", page.body);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_no_calendar_or_too_large_is_refused(admin: PgPool) {
    let cape = Cape::new(admin).await;
    for file in ["", "date,name\r\n2027-04-27,Freedom Day\r\n", "<html>BEGIN:VCALENDAR</html>"] {
        let page = upload(&cape.staff, file).await.expect(422);
        assert_eq!(texts(&page, "#file-error"), ["This is no calendar file. Choose an .ics file in UTF-8."]);
    }
    let mut other = form(calendar(&[]).as_bytes());
    other.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    cape.staff.call(other).await.expect(403);
    for (kind, body) in [
        ("application/x-www-form-urlencoded", b"file=x".to_vec()),
        ("multipart/form-data", b"--edge\r\n".to_vec()),
        (
            "multipart/form-data; boundary=edge",
            b"--edge\r\ncontent-disposition: form-data; name=\"other\"\r\n\r\nx\r\n--edge--\r\n".to_vec(),
        ),
    ] {
        cape.staff.call(post(kind, body)).await.expect(422).shows("Choose a calendar file.");
    }
    // A megabyte is 1,024 × 1,024 bytes.
    let event = "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270427\r\nSUMMARY:Freedom Day\r\nEND:VEVENT";
    for size in [5 * 1024 * 1024, 1024 * 1024 + 1] {
        let mut file = calendar(&[event]).into_bytes();
        file.resize(size, b'\n');
        upload(&cape.staff, &file).await.expect(413).shows("1 MB");
    }
    assert_eq!(cape.app.text(CLOSED).await, "");
    let mut file = calendar(&[event]).into_bytes();
    file.resize(1024 * 1024, b'\n');
    upload(&cape.staff, &file).await.expect(200);
    assert_eq!(cape.app.text(CLOSED).await, "2027-04-27 Freedom Day");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_upload_is_for_those_who_may_edit_holidays(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    assert_eq!(UPLOAD.0, "/t/{tenant}/holidays/import");
    let file =
        calendar(&["BEGIN:VEVENT", "DTSTART;VALUE=DATE:20270427", "SUMMARY:Freedom Day", "END:VEVENT"]);
    for (email, status) in [
        ("", 303),
        (SIPHO, 403),
        (THANDI, 403),
        ("owner@north-mentors.test", 404),
        ("owner@closed-clinic.test", 404),
        ("super@lessonbook.test", 404),
        ("staff@cape-drive.test", 200),
        ("owner@cape-drive.test", 200),
    ] {
        let client = if email.is_empty() { app.visitor() } else { app.login(email).await };
        let answer = upload(&client, &file).await;
        assert_eq!(answer.status.as_u16(), status, "{email}: {}", answer.body);
        assert!(status != 303 || answer.location().starts_with("/login?next="), "{}", answer.location());
        // The form and the other two ways are for the same people.
        let page = client.get(LIST).await.status.as_u16();
        assert_eq!(page, status, "{email}");
        let action = add(&client, "2027-03-01", "").await.status.as_u16();
        let expected = match status {
            200 => 422,
            303 => 401,
            status => status,
        };
        assert_eq!(action, expected, "{email}");
        let closed = app.text(CLOSED).await;
        assert_eq!(closed, if status == 200 { "2027-04-27 Freedom Day" } else { "" }, "{email}");
    }
}
