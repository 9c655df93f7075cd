//! Never double-booked: many at once for one time, over HTTP, held by the database.

use std::collections::BTreeMap;

use futures::future::join_all;
use sqlx::PgPool;

use crate::harness::{Answer, BUSY, Client, TestApp};

/// Friday afternoon of the demo's week, when nobody has a lesson.
const FREE: &str = "2027-01-15T15:00:00+02:00";

struct Scene {
    app: TestApp,
    services: BTreeMap<String, String>,
    instructors: BTreeMap<String, String>,
    students: Vec<Client>,
}

impl Scene {
    async fn new(admin: PgPool, students: usize) -> Self {
        let app = TestApp::demo(admin).await;
        let (services, instructors) = app.offered().await;
        let emails: Vec<String> = sqlx::query_scalar(
            "select s.email from students s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive' order by s.id limit $1",
        )
        .bind(students as i64)
        .fetch_all(&app.admin)
        .await
        .unwrap();
        let mut clients = Vec::new();
        for email in emails {
            clients.push(app.login(&email).await);
        }
        Self { app, services, instructors, students: clients }
    }

    async fn book(&self, student: usize, service: &str, instructor: &str, at: &str) -> Answer {
        let instructor = self.instructors.get(instructor).map_or(instructor, String::as_str);
        let fields = [
            ("tenant", "cape-drive"),
            ("service", self.services[service].as_str()),
            ("instructor", instructor),
            ("starts_at", at),
            ("pickup", "1 Long Street"),
        ];
        self.students[student].post("booking/book", &fields).await
    }

    /// No two active claims of anybody overlap, by brute force: not by the constraint that is under test.
    async fn assert_no_overlap(&self) {
        let overlaps = self
            .app
            .count(
                "select count(*) from claims a join claims b on a.tenant_id = b.tenant_id and a.subject_id = b.subject_id
                 and a.id < b.id and a.active and b.active and a.starts_at < b.ends_at and b.starts_at < a.ends_at",
            )
            .await;
        assert_eq!(overlaps, 0);
        // Every lesson that stands has its two claims (one where its group has the other), every other none.
        let odd = self
            .app
            .count(
                "select count(*) from bookings b where (select count(*) from claims c where c.tenant_id = b.tenant_id
                 and c.booking_id = b.id and c.active) <> case when b.status = 'cancelled' then 0 when b.group_id is null then 2 else 1 end",
            )
            .await;
        assert_eq!(odd, 0);
    }
}

fn statuses(answers: &[Answer]) -> (usize, usize, usize) {
    let count = |status: u16| answers.iter().filter(|answer| answer.status.as_u16() == status).count();
    (count(200), count(409), answers.len())
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_500_tries_for_one_time_one_succeeds(admin: PgPool) {
    let _busy = BUSY.lock().await;
    let scene = Scene::new(admin, 25).await;
    let tries = (0..500).map(async |i| {
        loop {
            let answer = scene.book(i % 25, "Driving lesson", "thandi", FREE).await;
            // On a machine that is busy with other tests some wait too long for a connection: they ask again, as they are told.
            if answer.status.as_u16() != 503 || !answer.headers.contains_key("retry-after") {
                break answer;
            }
        }
    });
    let answers = join_all(tries).await;
    let others: Vec<&Answer> =
        answers.iter().filter(|answer| !matches!(answer.status.as_u16(), 200 | 409)).collect();
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(statuses(&answers), (1, 499, 500));
    for answer in answers.iter().filter(|answer| answer.status.as_u16() == 409) {
        let json = answer.json();
        let nearest = json["nearest"].as_array().unwrap();
        assert_eq!(nearest.len(), 3, "{json}");
        assert_eq!(json["code"], "CONFLICT");
    }
    let rows = scene
        .app
        .count(
            "select count(*) from claims where subject_kind = 'instructor' and active and starts_at < '2027-01-15 16:00+02'
             and ends_at > '2027-01-15 15:00+02' and subject_id = (select id from instructors where email = 'thandi@cape-drive.test')",
        )
        .await;
    assert_eq!(rows, 1);
    scene.assert_no_overlap().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_offered_instead_can_be_booked(admin: PgPool) {
    let scene = Scene::new(admin, 5).await;
    scene.book(0, "Driving lesson", "thandi", FREE).await.expect(200);
    let answer = scene.book(1, "Driving lesson", "thandi", FREE).await.expect(409);
    let nearest: Vec<String> = answer.json()["nearest"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| at.as_str().unwrap().to_owned())
        .collect();
    for (student, at) in nearest.iter().enumerate().map(|(i, at)| (i + 2, at)) {
        let answer = scene.book(student.min(4), "Driving lesson", "thandi", at).await;
        // Two of the three may overlap each other, so a later one may be gone by now; the first can't be.
        assert!(
            answer.status.as_u16() == 200 || (at != &nearest[0] && answer.status.as_u16() == 409),
            "{at}: {}",
            answer.body
        );
    }
    scene.assert_no_overlap().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn lessons_of_different_length_never_overlap(admin: PgPool) {
    let scene = Scene::new(admin, 20).await;
    // 60 minutes from 15:30 and 90 with a buffer of 15 from 15:00 share time; so do 60 from 15:00.
    let tries = (0..60).map(|i| match i % 3 {
        0 => scene.book(i % 20, "Driving lesson", "thandi", "2027-01-15T15:30:00+02:00"),
        1 => scene.book(i % 20, "Test preparation", "thandi", FREE),
        _ => scene.book(i % 20, "Driving lesson", "thandi", FREE),
    });
    let answers = join_all(tries).await;
    assert_eq!(statuses(&answers), (1, 59, 60), "{answers:?}");
    scene.assert_no_overlap().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_buffer_is_kept_free_after_the_lesson(admin: PgPool) {
    let scene = Scene::new(admin, 4).await;
    sqlx::query("update weekly_hours set end_minute = 1140").execute(&scene.app.admin).await.unwrap();
    scene.book(0, "Test preparation", "thandi", "2027-01-15T15:00:00+02:00").await.expect(200);
    // 15:00 to 16:30, and the buffer to 16:45.
    scene.book(1, "Driving lesson", "thandi", "2027-01-15T16:30:00+02:00").await.expect(409);
    scene.book(1, "Driving lesson", "thandi", "2027-01-15T16:45:00+02:00").await.expect(200);
    scene.assert_no_overlap().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn one_student_is_in_one_place(admin: PgPool) {
    let scene = Scene::new(admin, 1).await;
    let tries =
        ["thandi", "pieter", "ayesha", "lwazi", "johan", "fatima", "sizwe", "anneke", "kagiso", "raj"]
            .into_iter()
            .enumerate()
            .map(|(i, instructor)| {
                let (service, at) = if i % 2 == 0 {
                    ("Driving lesson", "2027-01-15T15:30:00+02:00")
                } else {
                    ("Test preparation", FREE)
                };
                scene.book(0, service, instructor, at)
            });
    let answers = join_all(tries).await;
    assert_eq!(statuses(&answers).0, 1, "{answers:?}");
    assert_eq!(statuses(&answers).1, 9, "{answers:?}");
    scene.assert_no_overlap().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn staff_and_students_compete_for_the_same_time(admin: PgPool) {
    let scene = Scene::new(admin, 20).await;
    let staff = scene.app.login("staff@cape-drive.test").await;
    let by_hand = (0..20).map(|i| {
        let staff = staff.clone();
        let (service, instructor) =
            (scene.services["Driving lesson"].clone(), scene.instructors["thandi"].clone());
        async move {
            let student = format!("vusi{}@cape-drive.test", if i % 2 == 0 { "" } else { "2" });
            staff
                .post(
                    "booking/book_for_student",
                    &[
                        ("tenant", "cape-drive"),
                        ("student", &student),
                        ("instructor", &instructor),
                        ("service", &service),
                        ("date", "2027-01-15"),
                        ("time", "15:00"),
                        ("pickup", "1 Long Street"),
                    ],
                )
                .await
        }
    });
    let public = (0..40).map(|i| scene.book(i % 20, "Driving lesson", "thandi", FREE));
    let (by_hand, public) = futures::join!(join_all(by_hand), join_all(public));
    let answers: Vec<Answer> = by_hand.into_iter().chain(public).collect();
    assert_eq!(statuses(&answers), (1, 59, 60), "{answers:?}");
    scene.assert_no_overlap().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn any_instructor_serves_as_many_as_there_are(admin: PgPool) {
    let scene = Scene::new(admin, 25).await;
    let tries = (0..25).map(|i| scene.book(i, "Driving lesson", "any", FREE));
    let answers = join_all(tries).await;
    let verified = scene
        .app
        .count("select count(*) from instructors i join tenants t on t.id = i.tenant_id where t.slug = 'cape-drive' and verification = 'verified'")
        .await;
    // Those who lose the race for the one they were given may be told to choose again; nobody is booked twice, and
    // nobody who isn't verified is booked at all.
    let booked = statuses(&answers).0 as i64;
    assert!(booked > 1 && booked <= verified, "{booked} of {verified}");
    assert_eq!(statuses(&answers).0 + statuses(&answers).1, 25, "{answers:?}");
    scene.assert_no_overlap().await;
}

/// The last word is the constraint's: with the program's own looks out of the way, two rows still can't be written.
#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_database_itself_refuses_an_overlap(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let again = "insert into claims (tenant_id, id, subject_kind, subject_id, starts_at, ends_at, booking_id)
                 select tenant_id, gen_random_uuid(), subject_kind, subject_id, starts_at + interval '1 minute', ends_at, booking_id
                 from claims where active limit 1";
    let error = sqlx::query(again).execute(&app.admin).await.unwrap_err();
    let db = error.as_database_error().unwrap();
    assert_eq!((db.code().as_deref(), db.constraint()), (Some("23P01"), Some("claims_no_overlap")));
}
