//! Time that is kept for a student while they look over what they book (BK-10).

use futures::future::join_all;
use jiff::SignedDuration;
use sqlx::PgPool;

use super::{
    id,
    scene::{DRIVE, FREE, LATER, NOBODY, Scene, THEORY, act, message, near},
};
use crate::{
    accounts::with,
    harness::{Answer, Client},
};

async fn release(client: &Client, hold: &str) -> Answer {
    act(client, "booking/release_hold", &[("hold", hold)]).await
}

/// The book page at the free time, and what else its address says.
fn page(scene: &Scene, more: &str) -> String {
    format!(
        "/s/cape-drive/book?service={}&instructor={}&date=2027-01-15&at=2027-01-15T15:00:00%2B02:00{more}",
        scene.service(DRIVE),
        scene.instructor("thandi")
    )
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_hold_keeps_the_time_from_others_and_from_staff(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let held = scene.hold(&scene.sipho, DRIVE, "thandi", FREE).await.expect(200);
    assert_eq!(message(&held), "Kept for you until 09:35.");
    for answer in [
        scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await,
        scene.hold(&scene.lerato, DRIVE, "thandi", FREE).await,
        // What would begin half an hour later needs some of it too.
        scene.book(&scene.lerato, DRIVE, "thandi", "2027-01-15T15:30:00+02:00", &[]).await,
        scene.by_staff("vusi@cape-drive.test", "thandi", "15:00").await,
    ] {
        assert_eq!(near(&answer.expect(409)), 3);
    }
    // The student isn't elsewhere either.
    scene.by_staff("sipho@cape-drive.test", "pieter", "15:30").await.expect(409);
    let page = page(&scene, "");
    scene.sipho.get(&page).await.expect(200).shows("Kept for you until").shows("Give it back");
    scene.lerato.get(&page).await.expect(200).hides("Kept for you until").shows("has just been taken");
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_was_kept_is_booked_just_so_and_once(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let hold = id(&scene.hold(&scene.sipho, DRIVE, "any", FREE).await.expect(200));
    let booking = id(&scene.book(&scene.sipho, DRIVE, "any", FREE, &[("hold", &hold)]).await.expect(200));
    let same = scene
        .count(
            "select count(*) from bookings b join holds h on h.tenant_id = b.tenant_id and h.student_id = b.student_id
                 and h.instructor_id = b.instructor_id and h.starts_at = b.starts_at and h.ends_at = b.ends_at
             where b.id = $1::uuid and b.status = 'confirmed' and h.state = 'used'",
            &booking,
        )
        .await;
    assert_eq!((same, scene.claims(&booking).await), (1, 2));
    let held = "select count(*) from claims where active and (hold_id is not null or held_until is not null)";
    assert_eq!(scene.app.count(held).await, 0);
    // What is used up keeps nothing more.
    scene.book(&scene.sipho, DRIVE, "any", FREE, &[("hold", &hold)]).await.expect(409);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_second_hold_frees_the_first(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let first = id(&scene.hold(&scene.sipho, DRIVE, "thandi", FREE).await.expect(200));
    let again = id(&scene.hold(&scene.sipho, DRIVE, "thandi", FREE).await.expect(200));
    assert_eq!(first, again, "the same time is kept already");
    // Over the half hour that both have in common, and then somewhere else.
    let half = "2027-01-15T15:30:00+02:00";
    let second = id(&scene.hold(&scene.sipho, DRIVE, "thandi", half).await.expect(200));
    let third = id(&scene.hold(&scene.sipho, DRIVE, "thandi", LATER).await.expect(200));
    let states = (scene.kept(&first).await, scene.kept(&second).await, scene.kept(&third).await);
    assert_eq!(states, ("released".into(), "released".into(), "active".into()));
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(200);
    scene.book(&scene.megan, DRIVE, "thandi", LATER, &[]).await.expect(409);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn booking_another_time_frees_what_was_kept(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let hold = id(&scene.hold(&scene.sipho, DRIVE, "thandi", FREE).await.expect(200));
    scene.book(&scene.sipho, DRIVE, "thandi", LATER, &[("hold", &hold)]).await.expect(200);
    assert_eq!(scene.kept(&hold).await, "released");
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(200);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn after_five_minutes_others_have_it_without_any_job(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let hold = id(&scene.hold(&scene.sipho, DRIVE, "thandi", FREE).await.expect(200));
    scene.app.clock.advance(SignedDuration::from_secs(299));
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(409);
    scene.app.clock.advance(SignedDuration::from_secs(1));
    scene
        .lerato
        .get(&page(&scene, ""))
        .await
        .expect(200)
        .shows("Book lesson")
        .shows("datetime=\"2027-01-15T15:00:00+02:00\"");
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(200);
    assert_eq!(scene.kept(&hold).await, "expired");
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_job_clears_away_what_is_over(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let hold = id(&scene.hold(&scene.sipho, DRIVE, "thandi", FREE).await.expect(200));
    let count = "select count(*) from claims where hold_id = $1::uuid and active";
    assert_eq!((scene.jobs().await.holds, scene.count(count, &hold).await), (0, 2));
    scene.pass(5);
    assert_eq!((scene.jobs().await.holds, scene.count(count, &hold).await), (1, 0));
    assert_eq!((scene.jobs().await.holds, scene.kept(&hold).await), (0, "expired".into()));
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(200);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_hold_that_is_over_still_books_what_is_free(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let hold = id(&scene.hold(&scene.sipho, DRIVE, "thandi", FREE).await.expect(200));
    scene.pass(5);
    let address = page(&scene, &format!("&hold={hold}"));
    scene.sipho.get(&address).await.expect(200).shows("no longer kept for you. It is still free.");
    let booking = id(&scene.book(&scene.sipho, DRIVE, "thandi", FREE, &[("hold", &hold)]).await.expect(200));
    assert_eq!((scene.kept(&hold).await, scene.claims(&booking).await), ("expired".into(), 2));
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_hold_that_is_over_books_nothing_that_is_taken(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let hold = id(&scene.hold(&scene.sipho, DRIVE, "thandi", FREE).await.expect(200));
    scene.pass(5);
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(200);
    let refused = scene.book(&scene.sipho, DRIVE, "thandi", FREE, &[("hold", &hold)]).await.expect(409);
    assert_eq!(near(&refused), 3);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn anothers_hold_is_not_there(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let hold = id(&scene.hold(&scene.sipho, DRIVE, "thandi", FREE).await.expect(200));
    for id in [hold.as_str(), NOBODY, "mine"] {
        scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[("hold", id)]).await.expect(404);
        release(&scene.lerato, id).await.expect(404);
    }
    // Those who don't book for themselves keep nothing.
    for client in [&scene.staff, &scene.thandi] {
        scene.hold(client, DRIVE, "thandi", FREE).await.expect(403);
        release(client, &hold).await.expect(403);
    }
    scene.hold(&scene.app.visitor(), DRIVE, "thandi", FREE).await.expect(401);
    assert_eq!(scene.kept(&hold).await, "active");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_hold_that_is_given_back_frees_the_time(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let hold = id(&scene.hold(&scene.sipho, DRIVE, "thandi", FREE).await.expect(200));
    release(&scene.sipho, &hold).await.expect(200);
    release(&scene.sipho, &hold).await.expect(200);
    assert_eq!(scene.kept(&hold).await, "released");
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(200);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_held_seat_counts_until_its_hold_is_over(admin: PgPool) {
    let scene = Scene::new(admin).await;
    scene.run("update services set capacity = 2 where name = 'Theory class'").await;
    let hold = id(&scene.hold(&scene.sipho, THEORY, "thandi", FREE).await.expect(200));
    scene.book(&scene.lerato, THEORY, "thandi", FREE, &[]).await.expect(200);
    scene.book(&scene.megan, THEORY, "thandi", FREE, &[]).await.expect(409);
    scene.pass(5);
    scene.book(&scene.megan, THEORY, "thandi", FREE, &[]).await.expect(200);
    scene.book(&scene.sipho, THEORY, "thandi", FREE, &[("hold", &hold)]).await.expect(409);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_held_seat_becomes_the_students(admin: PgPool) {
    let scene = Scene::new(admin).await;
    scene.run("update services set capacity = 2 where name = 'Theory class'").await;
    let hold = id(&scene.hold(&scene.sipho, THEORY, "thandi", FREE).await.expect(200));
    scene.book(&scene.lerato, THEORY, "thandi", FREE, &[]).await.expect(200);
    let booking = id(&scene.book(&scene.sipho, THEORY, "thandi", FREE, &[("hold", &hold)]).await.expect(200));
    let seats = scene
        .text(
            "select g.taken || ' of ' || g.capacity from group_lessons g
             join bookings b on b.tenant_id = g.tenant_id and b.group_id = g.id where b.id = $1::uuid",
            &booking,
        )
        .await;
    assert_eq!(seats, "2 of 2");
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_group_that_nobody_but_a_hold_was_in_goes_with_it(admin: PgPool) {
    let scene = Scene::new(admin).await;
    scene.hold(&scene.sipho, THEORY, "thandi", FREE).await.expect(200);
    // There is one classroom.
    scene.book(&scene.lerato, THEORY, "pieter", FREE, &[]).await.expect(409);
    scene.pass(5);
    scene.jobs().await;
    scene.book(&scene.lerato, THEORY, "pieter", FREE, &[]).await.expect(200);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_time_of_such_a_group_is_free_without_any_job(admin: PgPool) {
    let scene = Scene::new(admin).await;
    scene.hold(&scene.sipho, THEORY, "thandi", FREE).await.expect(200);
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(409);
    scene.pass(5);
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(200);
    scene.book(&scene.megan, THEORY, "pieter", FREE, &[]).await.expect(200);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_many_who_hold_or_book_one_time_one_has_it(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let students = scene.students(20).await;
    let them = &scene;
    let tries = students.iter().enumerate().map(|(i, student)| async move {
        if i % 2 == 0 {
            them.hold(student, DRIVE, "thandi", FREE).await
        } else {
            them.book(student, DRIVE, "thandi", FREE, &[]).await
        }
    });
    let answers = join_all(tries).await;
    assert_eq!((with(&answers, 200), with(&answers, 409)), (1, 19), "{answers:?}");
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn one_student_keeps_one_time_however_many_they_ask_for_at_once(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let teachers =
        ["thandi", "pieter", "ayesha", "lwazi", "johan", "fatima", "sizwe", "anneke", "kagiso", "raj"];
    let tries = teachers
        .iter()
        .enumerate()
        .map(|(i, teacher)| scene.hold(&scene.sipho, DRIVE, teacher, if i % 2 == 0 { FREE } else { LATER }));
    let answers = join_all(tries).await;
    assert_eq!(with(&answers, 200) + with(&answers, 409), 10, "{answers:?}");
    assert!(with(&answers, 200) > 0, "{answers:?}");
    assert_eq!(scene.app.count("select count(*) from holds where state = 'active'").await, 1);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_cannot_be_booked_is_not_kept_either(admin: PgPool) {
    let scene = Scene::new(admin).await;
    for at in [
        "2027-01-11T09:00:00+02:00",
        "2027-01-12T10:00:00+02:00",
        "2027-04-30T09:00:00+02:00",
        "2027-01-16T10:00:00+02:00",
        "2027-01-15T16:30:00+02:00",
        "2027-01-15T15:00:30+02:00",
        "9999-12-30T21:00:00Z",
        "yesterday",
        "",
    ] {
        let answer = scene.hold(&scene.sipho, DRIVE, "thandi", at).await.expect(422);
        assert!(!answer.field("starts_at").is_empty(), "{at}: {}", answer.body);
    }
    scene.hold(&scene.sipho, DRIVE, NOBODY, FREE).await.expect(404);
    // Twenty services make an appointment at most, and one for several makes one by itself.
    let (drive, theory) = (scene.service(DRIVE), scene.service(THEORY));
    for also in [[drive; 20].join(","), theory.to_owned()] {
        let fields = [
            ("service", drive),
            ("also", also.as_str()),
            ("instructor", scene.instructor("thandi")),
            ("starts_at", FREE),
        ];
        let answer = act(&scene.sipho, "booking/hold", &fields).await.expect(422);
        assert!(!answer.field("also").is_empty(), "{}", answer.body);
    }
    assert_eq!(scene.app.count("select count(*) from holds").await, 0);
}
