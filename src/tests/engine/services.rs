//! What a school offers (SV-01, SV-02): terms and shape of services, combos, several in one appointment, and changing
//! many at once.

mod bulk;
mod combos;

use sqlx::PgPool;

use super::{Cape, Fields, LERATO, SIPHO, about, act, id, said};
use crate::{
    downloads::{attrs, texts},
    harness::{Answer, TestApp},
};

const DRIVING: &str = "Driving lesson";
const TEST: &str = "Test preparation";
const THEORY: &str = "Theory class";
const BOTH: &str = "Lesson and mock test";
const EDITS: &str = "select count(*) from audit where action = 'services.edit'";

/// Terms and shape as they are kept; `-` is nothing.
const KEPT: &str = "select concat_ws('|', kind, capacity, coalesce(colour, '-'), buffer_before_min, buffer_after_min, notice_min,
        horizon_days, cancel_notice_min, move_notice_min, coalesce(max_moves::text, '-'), late_fee_percent, needs_credit)
    from services where id = $1::uuid";
/// Length, price, and who teaches it.
const SHAPE: &str = "select concat_ws('|', kind, duration_min, price_minor, buffer_after_min, needs_pickup,
        (select count(*) from service_instructors t where t.service_id = s.id))
    from services s where id = $1::uuid";
/// Length, price, title, claims, and when the instructor is free again.
const BOOKED: &str = "select concat_ws('|', (extract(epoch from ends_at - starts_at) / 60)::int, price_minor, coalesce(title, '-'),
        (select count(*) from claims c where c.booking_id = b.id and c.active),
        (select to_char(max(c.ends_at) at time zone 'Africa/Johannesburg', 'HH24:MI') from claims c where c.booking_id = b.id))
    from bookings b where id = $1::uuid";

impl Cape {
    /// A service of the demo saved as it is, but for some fields.
    async fn change(&self, name: &str, changes: Fields<'_>) -> Answer {
        let (duration, price, after) = match name {
            DRIVING => ("60", "420", "0"),
            TEST => ("90", "620", "15"),
            _ => ("60", "150", "0"),
        };
        let mut fields = vec![
            ("service", self.service(name)),
            ("name", name),
            ("duration", duration),
            ("price", price),
            ("buffer_before", "0"),
            ("buffer_after", after),
            ("notice", "2"),
            ("horizon", "60"),
            ("cancel_notice", "24"),
            ("needs_pickup", if name == THEORY { "" } else { "on" }),
            ("instructors[0]", self.instructor("thandi")),
            ("instructors[1]", self.instructor("pieter")),
        ];
        fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        fields.extend_from_slice(changes);
        self.save_service(&fields).await
    }

    async fn archive(&self, service: &str, verb: &str) -> Answer {
        act(&self.staff, &format!("services/{verb}"), &[("service", self.service(service))]).await
    }

    /// A combo's form, right in all that it needs.
    async fn save_combo(&self, changes: Fields<'_>) -> Answer {
        let mut fields = vec![
            ("service", "new"),
            ("name", "Crash course"),
            ("description", "All of it"),
            ("price", "900"),
            ("parts[0]", self.service(DRIVING)),
            ("parts[1]", self.service(TEST)),
        ];
        fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        fields.extend_from_slice(changes);
        act(&self.staff, "services/save_combo", &fields).await
    }
}

/// The service that the other school offers.
async fn foreign(app: &TestApp) -> String {
    app.text("select s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'north-mentors' and s.name = 'Mentoring session'").await
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn terms_and_shape_are_saved_and_read_back(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let fields = [
        ("capacity", "4"),
        ("colour", " #0A6B8A "),
        ("move_notice", "6"),
        ("max_moves", "2"),
        ("late_fee", "50"),
        ("needs_credit", "on"),
        ("instructors[0]", cape.instructor("thandi")),
        ("resources[0]", cape.resource("Test yard")),
        ("units[0]", "2"),
    ];
    let service = id(&cape.save_service(&fields).await.expect(200));
    assert_eq!(about(&cape.app, KEPT, &service).await, "single|4|#0a6b8a|5|10|60|30|720|360|2|50|t");
    let path = format!("/t/cape-drive/services/{service}");
    let page = cape.staff.get(&path).await.expect(200);
    for (name, value) in [
        ("capacity", "4"),
        ("colour", "#0a6b8a"),
        ("price", "300.50"),
        ("notice", "1"),
        ("cancel_notice", "12"),
        ("move_notice", "6"),
        ("max_moves", "2"),
        ("late_fee", "50"),
    ] {
        assert_eq!(attrs(&page, &format!("input[name=\"{name}\"]"), "value"), [value], "{name}");
    }
    assert_eq!(attrs(&page, "input[name=\"needs_credit\"][checked]", "type"), ["checkbox"]);
    // Each resource goes with its number.
    let resources = ["resources[0]", "resources[1]"].map(|name| format!("input[name=\"{name}\"]"));
    let ids = resources.map(|one| attrs(&page, &one, "value").concat());
    assert_eq!(ids, [cape.resource("Classroom"), cape.resource("Test yard")]);
    let units =
        ["units[0]", "units[1]"].map(|name| attrs(&page, &format!("input[name=\"{name}\"]"), "value"));
    assert_eq!(units, [["0"], ["2"]]);
    // In words, for those who set them.
    let words = texts(&page, ".terms").concat();
    assert!(
        words.contains("Up to 4 students take it together.") && words.contains("50 % of the price"),
        "{words}"
    );
    cape.app.visitor().get("/s/cape-drive").await.expect(200).shows("Night drive");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_not_sent_stays_and_what_is_empty_goes(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let thandi = ("instructors[0]", cape.instructor("thandi"));
    let yard = ("resources[0]", cape.resource("Test yard"));
    let fields = [
        ("capacity", "4"),
        ("colour", "#0a6b8a"),
        ("move_notice", "6"),
        ("max_moves", "2"),
        ("late_fee", "50"),
        thandi,
        yard,
        ("units[0]", "2"),
    ];
    let service = id(&cape.save_service(&fields).await.expect(200));
    let units = "select coalesce(sum(units), 0)::text from service_resources where service_id = $1::uuid";
    // The form as it was before there were these fields.
    cape.save_service(&[("service", &service), ("duration", "50"), thandi]).await.expect(200);
    assert_eq!(about(&cape.app, KEPT, &service).await, "single|4|#0a6b8a|5|10|60|30|720|360|2|50|f");
    assert_eq!(about(&cape.app, units, &service).await, "2");
    let empty =
        [("service", service.as_str()), ("colour", ""), ("max_moves", ""), yard, ("units[0]", ""), thandi];
    cape.save_service(&empty).await.expect(200);
    assert_eq!(about(&cape.app, KEPT, &service).await, "single|4|-|5|10|60|30|720|360|-|50|f");
    assert_eq!(about(&cape.app, units, &service).await, "0");
    assert_eq!(cape.app.count(EDITS).await, 3);
    // A new one is moved as long as it can be cancelled, is for one, and costs its price when it is late.
    let plain = id(&cape.save_service(&[("name", "Plain"), thandi]).await.expect(200));
    assert_eq!(about(&cape.app, KEPT, &plain).await, "single|1|-|5|10|60|30|720|720|-|100|f");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_wrong_stands_beside_its_field(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let minutes = "Type a whole number of minutes from 5 to 1440.";
    let seats = "Type a whole number of seats from 1 to 500.";
    let percent = "Type a whole percentage from 0 to 100.";
    let times = "Type a whole number of times from 0 to 100, or leave it empty.";
    let hours = "Type a number of hours such as 2, 24 or 0.5.";
    let cases = [
        ("duration", "0", minutes),
        ("duration", "4", minutes),
        // 25 hours.
        ("duration", "1500", minutes),
        ("duration", "45.5", minutes),
        ("capacity", "0", seats),
        ("capacity", "501", seats),
        ("capacity", "", seats),
        ("colour", "red", "Write the colour like #0f766e, or leave it empty."),
        ("colour", "#12345g", "Write the colour like #0f766e, or leave it empty."),
        ("late_fee", "101", percent),
        ("late_fee", "-1", percent),
        ("late_fee", "12.5", percent),
        ("max_moves", "101", times),
        ("max_moves", "-1", times),
        ("max_moves", "often", times),
        ("move_notice", "soon", hours),
        ("move_notice", "-1", hours),
        ("cancel_notice", "9000", hours),
        ("buffer_before", "481", "Type a whole number of minutes from 0 to 480."),
        ("buffer_after", "-5", "Type a whole number of minutes from 0 to 480."),
        ("horizon", "731", "Type a whole number of days from 1 to 730."),
        ("name", " ", "Give it a name."),
        ("price", "-1", "Type a price such as 350.00, or 0 when it is free."),
    ];
    for (field, bad, message) in cases {
        let answer = cape.save_service(&[(field, bad)]).await.expect(422);
        assert_eq!(answer.field(field), message, "{bad:?}");
    }
    // All at once: nobody wants to mend them one by one.
    let mut all: Vec<(&str, &str)> = Vec::new();
    for (field, bad, _) in cases {
        if all.iter().all(|(known, _)| *known != field) {
            all.push((field, bad));
        }
    }
    let answer = cape.save_service(&all).await.expect(422);
    assert!(all.iter().all(|(field, _)| !answer.field(field).is_empty()), "{}", answer.body);
    // Resources: more than there are, a number without its resource, and what isn't the school's.
    let yard = ("resources[0]", cape.resource("Test yard"));
    let answer = cape.save_service(&[yard, ("units[0]", "3")]).await.expect(422);
    assert_eq!(answer.field("resources"), "Test yard: Type a whole number of units from 0 to 2.");
    assert!(!cape.save_service(&[yard]).await.expect(422).field("resources").is_empty());
    let nobody = "018f0000-0000-7000-8000-000000000000";
    cape.save_service(&[("resources[0]", nobody), ("units[0]", "1")]).await.expect(404);
    cape.save_service(&[("instructors[0]", nobody)]).await.expect(404);
    assert_eq!(cape.app.count(EDITS).await, 0);
    assert_eq!(cape.app.count("select count(*) from services where name = 'Night drive'").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn several_services_are_booked_as_one_lesson(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (student, other) = (cape.app.login(SIPHO).await, cape.app.login(LERATO).await);
    let before = cape.app.count("select count(*) from bookings").await;
    let also = [("also", cape.service(TEST))];
    let page = [("also", cape.service(TEST)), ("date", "2027-02-08"), ("at", "2027-02-08T09:00:00+02:00")];
    let page = student.get(&cape.book_page(DRIVING, "thandi", &page)).await.expect(200);
    assert!(page.body.contains("Together: 2 h 30 min"), "{}", page.body);
    let booked = cape.book(&student, DRIVING, "thandi", "2027-02-08T09:00", &also).await.expect(200);
    let title = "Driving lesson + Test preparation";
    assert!(said(&booked).contains(title), "{}", booked.body);
    let lesson = id(&booked);
    assert_eq!(about(&cape.app, BOOKED, &lesson).await, format!("150|104000|{title}|2|11:45"));
    let kept = "select array_to_string(also_services, ',') from bookings where id = $1::uuid";
    assert_eq!(about(&cape.app, kept, &lesson).await, cape.service(TEST));
    assert_eq!(cape.app.count("select count(*) from bookings").await, before + 1);
    for client in [&student, &cape.staff] {
        client.get(&format!("/t/cape-drive/bookings/{lesson}")).await.expect(200).shows(title);
    }
    cape.book(&other, DRIVING, "thandi", "2027-02-08T11:30", &[]).await.expect(409);
    cape.book(&other, DRIVING, "thandi", "2027-02-08T11:45", &[]).await.expect(200);
    // It is called so whatever its services are called later.
    cape.change(TEST, &[("name", "Mock exam")]).await.expect(200);
    student.get(&format!("/t/cape-drive/bookings/{lesson}")).await.expect(200).shows(title);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn twenty_services_are_one_appointment_and_one_more_is_too_many(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let student = cape.app.login(SIPHO).await;
    let fields = [
        ("name", "Check-up"),
        ("duration", "5"),
        ("price", "10"),
        ("buffer_before", "0"),
        ("buffer_after", "0"),
        ("instructors[0]", cape.instructor("thandi")),
    ];
    let service = id(&cape.save_service(&fields).await.expect(200));
    let list = |count: usize| vec![service.as_str(); count].join(",");
    let book = async |also: &str| {
        cape.book(&student, &service, "thandi", "2027-02-09T09:00", &[("also", also)]).await
    };
    let answer = book(&list(20)).await.expect(422);
    assert_eq!(answer.field("also"), "Choose at most 20 services for one appointment.");
    let booked = book(&list(19)).await.expect(200);
    let title = ["Check-up"; 20].join(" + ");
    assert_eq!(about(&cape.app, BOOKED, &id(&booked)).await, format!("100|20000|{title}|2|10:40"));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_does_not_go_together_is_refused(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let student = cape.app.login(SIPHO).await;
    let book = async |service: &str, also: &str| {
        cape.book(&student, service, "thandi", "2027-02-09T09:00", &[("also", also)]).await
    };
    // A lesson for several is booked by itself, whichever comes first.
    for (service, also) in [(DRIVING, THEORY), (THEORY, DRIVING)] {
        let answer = book(service, cape.service(also)).await.expect(422);
        assert_eq!(answer.field("also"), "A service for several is booked by itself.");
    }
    for stranger in [foreign(&cape.app).await.as_str(), "018f0000-0000-7000-8000-000000000000", "abc"] {
        book(DRIVING, stranger).await.expect(404);
    }
    let pieter =
        [("instructors[0]", cape.instructor("pieter")), ("instructors[1]", cape.instructor("ayesha"))];
    cape.change(TEST, &pieter).await.expect(200);
    let answer = book(DRIVING, cape.service(TEST)).await.expect(422);
    assert_eq!(answer.field("instructor"), "Thandi Mokoena doesn't teach all of these services.");
    cape.archive(TEST, "archive").await.expect(200);
    let answer = book(DRIVING, cape.service(TEST)).await.expect(422);
    assert_eq!(answer.field("also"), "Test preparation is no longer offered. Leave it out.");
    // What can't be is left out of the page's address.
    let page = cape.book_page(DRIVING, "thandi", &[("also", cape.service(THEORY)), ("date", "2027-02-09")]);
    student.get(&page).await.expect(200).hides("Together:");
}
