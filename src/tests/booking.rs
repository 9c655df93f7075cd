//! A lesson from booked to over: terms, credits, messages, states.

mod groups;
mod holds;
mod jobs;
mod moves;
mod scene;
mod series;
mod waiting;

use sqlx::PgPool;

use crate::harness::{Answer, Client, TestApp};

const FREE: &str = "2027-01-15T15:00:00+02:00";

struct Scene {
    app: TestApp,
    service: String,
    thandi: String,
    student: Client,
    instructor: Client,
    staff: Client,
}

impl Scene {
    async fn new(admin: PgPool) -> Self {
        let app = TestApp::demo(admin).await;
        Self {
            service: app.text("select s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive' and s.name = 'Driving lesson'").await,
            thandi: app.text("select id::text from instructors where email = 'thandi@cape-drive.test'").await,
            student: app.student().await,
            instructor: app.login("thandi@cape-drive.test").await,
            staff: app.login("staff@cape-drive.test").await,
            app,
        }
    }

    async fn book(&self, at: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![
            ("tenant", "cape-drive"),
            ("service", self.service.as_str()),
            ("instructor", self.thandi.as_str()),
            ("starts_at", at),
        ];
        fields.extend_from_slice(more);
        if !more.iter().any(|(name, _)| *name == "pickup") {
            fields.push(("pickup", "1 Long Street"));
        }
        self.student.post("booking/book", &fields).await
    }

    async fn used(&self) -> i64 {
        self.app.count("select coalesce(sum(lessons_used), 0)::bigint from packs where student_id = (select id from students where email = 'sipho@cape-drive.test')").await
    }

    async fn act(&self, client: &Client, verb: &str, booking: &str, reason: &str) -> Answer {
        client
            .post(
                &format!("booking/{verb}"),
                &[("tenant", "cape-drive"), ("booking", booking), ("reason", reason)],
            )
            .await
    }

    async fn set(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.app.admin).await.unwrap();
    }

    fn later(&self, hours: i64) {
        self.app.clock.set(self.app.now().checked_add(jiff::SignedDuration::from_hours(hours)).unwrap());
    }
}

fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_booking_takes_time_credit_message_and_record_at_once(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let before = scene.used().await;
    let answer = scene.book(FREE, &[("note", "First <b>time</b> 😀 \u{202e}abc")]).await.expect(200);
    assert!(
        answer.json()["message"].as_str().unwrap().contains("Fri 15 Jan, 15:00–16:00 (Johannesburg)"),
        "{}",
        answer.body
    );
    assert_eq!(scene.used().await, before + 1);
    let booking = id(&answer);
    let row: (String, i64, i64, i64, i64) = sqlx::query_as(
        "select b.status, (select count(*) from claims c where c.booking_id = b.id and c.active),
                (select count(*) from credit_postings p where p.booking_id = b.id),
                (select count(*) from outbox o where o.booking_id = b.id),
                (select count(*) from audit a where a.entity_id = b.id and a.action = 'booking.book')
         from bookings b where b.id = $1::uuid",
    )
    .bind(&booking)
    .fetch_one(&scene.app.admin)
    .await
    .unwrap();
    assert_eq!(row, ("confirmed".into(), 2, 1, 2, 1));
    for client in [&scene.student, &scene.instructor, &scene.staff] {
        client
            .get(&format!("/t/cape-drive/bookings/{booking}"))
            .await
            .expect(200)
            .shows("First &lt;b&gt;time&lt;/b&gt; 😀")
            .hides("<b>time");
    }
    // Another student doesn't learn that it exists.
    let other = scene.app.login("lerato@cape-drive.test").await;
    other.get(&format!("/t/cape-drive/bookings/{booking}")).await.expect(404);
    scene.act(&other, "cancel", &booking, "mine").await.expect(404);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_form_without_scripts_ends_on_the_lesson(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let back = format!(
        "/s/cape-drive/book?service={}&instructor={}&date=2027-01-15&at=2027-01-15T15:00:00%2B02:00",
        scene.service, scene.thandi
    );
    scene
        .student
        .get(&back)
        .await
        .expect(200)
        .shows("Book lesson")
        .shows("Pickup address")
        .shows("datetime=\"2027-01-15T15:00:00+02:00\"");
    let fields = [
        ("tenant", "cape-drive"),
        ("service", &scene.service),
        ("instructor", &scene.thandi),
        ("starts_at", FREE),
        ("pickup", ""),
    ];
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, *value as &str))
        .chain([("note", "Kept <words>")])
        .collect();
    let page = scene.student.submit_and_follow("booking/book", &back, &fields).await.expect(200);
    page.shows("Kept &lt;words&gt;").shows("Say where to be picked up.");
    let fields: Vec<(&str, &str)> = fields
        .into_iter()
        .filter(|(name, _)| *name != "pickup")
        .chain([("pickup", "1 Long Street")])
        .collect();
    scene
        .student
        .submit_and_follow("booking/book", &back, &fields)
        .await
        .expect(200)
        .shows("role=\"status\"")
        .shows("15:00–16:00");
    // The same again: taken, said in the same place, with the three nearest as links.
    let other = scene.app.login("lerato@cape-drive.test").await;
    let page = other
        .submit_and_follow("booking/book", &back, &fields)
        .await
        .expect(200)
        .shows("has just been taken");
    let offered = page.body.split("The nearest free times").nth(1).unwrap();
    assert_eq!(offered.split("</ul>").next().unwrap().matches("?at=2027-01-").count(), 3, "{offered}");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn times_out_of_bounds_are_refused_beside_the_field(admin: PgPool) {
    let scene = Scene::new(admin).await;
    for (at, why) in [
        ("2027-01-11T09:00:00+02:00", "past"),
        ("2027-01-12T10:00:00+02:00", "notice"),
        ("2027-04-30T09:00:00+02:00", "60"),
        ("2027-01-16T10:00:00+02:00", "hours"),
        ("2027-01-15T16:30:00+02:00", "hours"),
        ("2027-01-15T08:30:00+02:00", "hours"),
        ("2027-01-15T15:00:30+02:00", "whole minute"),
        ("yesterday", "time"),
        ("", "time"),
        ("99999-01-01T00:00:00Z", "time"),
    ] {
        let answer = scene.book(at, &[]).await.expect(422);
        let message = answer.field("starts_at");
        assert!(!message.is_empty(), "{at} ({why}): {}", answer.body);
    }
    assert_eq!(scene.app.count("select count(*) from outbox").await, 0);
    // Blocked time is no time.
    let block = [
        ("tenant", "cape-drive"),
        ("instructor", &scene.thandi),
        ("date", "2027-01-15"),
        ("from", "14:00"),
        ("to", "17:00"),
        ("reason", "Dentist"),
    ];
    let block: Vec<(&str, &str)> = block.iter().map(|(name, value)| (*name, *value as &str)).collect();
    scene.instructor.post("availability/block", &block).await.expect(200);
    assert!(!scene.book(FREE, &[]).await.expect(422).field("starts_at").is_empty());
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_lesson_comes_back_when_cancelled_in_time_and_its_hour_is_free_again(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let before = scene.used().await;
    let booking = id(&scene.book(FREE, &[]).await.expect(200));
    assert!(
        !scene.act(&scene.student, "cancel", &booking, "  ").await.expect(422).field("reason").is_empty()
    );
    scene.act(&scene.student, "cancel", &booking, "Exam").await.expect(200);
    assert_eq!(scene.used().await, before);
    scene.act(&scene.student, "cancel", &booking, "Again").await.expect(409);
    assert_eq!(scene.used().await, before);
    let again = id(&scene.book(FREE, &[]).await.expect(200));
    // Two hours before it begins it is too late.
    scene.later(24 * 3 + 3);
    let student = scene.app.student().await;
    let page = student.get(&format!("/t/cape-drive/bookings/{again}")).await.expect(200);
    assert!(page.body.contains("Cancel lesson"), "{}", page.body);
    scene.act(&student, "cancel", &again, "Ill").await.expect(200);
    assert_eq!(scene.used().await, before + 1, "too late: the lesson counts as used");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_terms_are_those_of_the_booking(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let before = scene.used().await;
    let booking = id(&scene.book(FREE, &[]).await.expect(200));
    // Stricter terms afterwards don't touch a lesson that is booked.
    scene.set("update services set cancel_notice_min = 20160, price_minor = 1").await;
    scene.act(&scene.student, "cancel", &booking, "Exam").await.expect(200);
    assert_eq!(scene.used().await, before);
    assert_eq!(
        scene.app.count("select price_minor from bookings where cancel_reason = 'Exam'").await,
        42_000
    );
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn staff_and_instructors_give_the_lesson_back_at_any_time(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let before = scene.used().await;
    let booking = id(&scene.book(FREE, &[]).await.expect(200));
    scene.later(24 * 3 + 4);
    let instructor = scene.app.login("thandi@cape-drive.test").await;
    scene.act(&instructor, "cancel", &booking, "Car broke down").await.expect(200);
    assert_eq!(scene.used().await, before);
    let told = scene.app.count("select count(*) from outbox where kind = 'booking_cancelled' and recipient = 'sipho@cape-drive.test' and data->>'reason' = 'Car broke down'").await;
    assert_eq!(told, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn only_legal_steps_are_taken(admin: PgPool) {
    let scene = Scene::new(admin).await;
    scene.set("update services set needs_approval = true").await;
    let booking = id(&scene.book(FREE, &[]).await.expect(200));
    let status: String = sqlx::query_scalar("select status from bookings where id = $1::uuid")
        .bind(&booking)
        .fetch_one(&scene.app.admin)
        .await
        .unwrap();
    assert_eq!(status, "requested");
    scene.act(&scene.student, "confirm", &booking, "").await.expect(403);
    let other = scene.app.login("pieter@cape-drive.test").await;
    scene.act(&other, "confirm", &booking, "").await.expect(404);
    scene.act(&scene.instructor, "complete", &booking, "").await.expect(409);
    scene.act(&scene.instructor, "confirm", &booking, "").await.expect(200);
    scene.act(&scene.instructor, "confirm", &booking, "").await.expect(409);
    scene.act(&scene.instructor, "complete", &booking, "").await.expect(409);
    scene.later(24 * 3 + 7);
    let instructor = scene.app.login("thandi@cape-drive.test").await;
    scene.act(&instructor, "complete", &booking, "").await.expect(200);
    scene.act(&instructor, "no_show", &booking, "").await.expect(409);
    scene.act(&scene.app.student().await, "cancel", &booking, "x").await.expect(409);
    // The database holds it too.
    for illegal in ["requested", "confirmed", "cancelled", "no_show"] {
        let sql = sqlx::AssertSqlSafe(format!(
            "update bookings set status = '{illegal}', cancelled_at = now() where id = '{booking}'"
        ));
        let error = sqlx::query(sql).execute(&scene.app.admin).await.unwrap_err();
        assert!(error.to_string().contains("cannot go from completed"), "{illegal}: {error}");
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn one_key_is_one_lesson(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let key = [("idempotency_key", "a-key-of-the-form")];
    let first = scene.book(FREE, &key).await.expect(200);
    let again = scene.book(FREE, &key).await.expect(200);
    assert_eq!(id(&first), id(&again));
    let other_body = scene.book("2027-01-15T16:00:00+02:00", &key).await.expect(422);
    assert!(!other_body.field("idempotency_key").is_empty(), "{}", other_body.body);
    // Many at once: one lesson, and whoever comes while it is being made is told so.
    let key = [("idempotency_key", "another-key")];
    let answers =
        futures::future::join_all((0..30).map(|_| scene.book("2027-01-14T15:00:00+02:00", &key))).await;
    let mut made: Vec<String> = answers.iter().filter(|answer| answer.status == 200).map(id).collect();
    made.dedup();
    assert_eq!(made.len(), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200 | 409)), "{answers:?}");
    // After a day the key is forgotten.
    scene.later(25);
    let student = scene.app.student().await;
    let fields = [
        ("tenant", "cape-drive"),
        ("service", scene.service.as_str()),
        ("instructor", scene.thandi.as_str()),
        ("starts_at", "2027-01-15T16:00:00+02:00"),
        ("pickup", "x"),
        ("idempotency_key", "a-key-of-the-form"),
    ];
    student.post("booking/book", &fields).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn services_are_kept_and_archived(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let save = async |fields: &[(&str, &str)]| {
        let mut all = vec![
            ("tenant", "cape-drive"),
            ("service", "new"),
            ("name", "Night drive"),
            ("duration", "45"),
            ("price", "300.50"),
            ("buffer_before", "5"),
            ("buffer_after", "10"),
            ("notice", "60"),
            ("horizon", "30"),
            ("cancel_notice", "12"),
            ("instructors[0]", scene.thandi.as_str()),
        ];
        for (name, value) in fields {
            match all.iter_mut().find(|(known, _)| known == name) {
                Some(field) => field.1 = value,
                None => all.push((name, value)),
            }
        }
        scene.staff.post("services/save", &all).await
    };
    for (field, bad) in [
        ("name", ""),
        ("duration", "0"),
        ("duration", "1500"),
        ("price", "-1"),
        ("price", "1.234"),
        ("horizon", "0"),
        ("notice", "x"),
    ] {
        assert!(!save(&[(field, bad)]).await.expect(422).field(field).is_empty(), "{field} {bad:?}");
    }
    let service = id(&save(&[]).await.expect(200));
    assert!(!save(&[]).await.expect(422).field("name").is_empty(), "the name is taken");
    let public = format!("/s/cape-drive/book?service={service}");
    scene.app.visitor().get(&public).await.expect(200).shows("Night drive").shows("45 min");
    scene
        .staff
        .post("services/archive", &[("tenant", "cape-drive"), ("service", &service)])
        .await
        .expect(200);
    scene.app.visitor().get("/s/cape-drive").await.expect(200).hides("Night drive");
    let fields = [
        ("tenant", "cape-drive"),
        ("service", service.as_str()),
        ("instructor", scene.thandi.as_str()),
        ("starts_at", FREE),
    ];
    assert!(!scene.student.post("booking/book", &fields).await.expect(422).field("service").is_empty());
    scene.staff.get("/t/cape-drive/services?status=archived").await.expect(200).shows("Night drive");
}
