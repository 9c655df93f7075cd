//! The waiting list and what it offers (BK-09): holds that are real, and that are never lost once they are taken.

use domain::booking::jobs;
use futures::future::{join, join_all};
use jiff::SignedDuration;
use sqlx::PgPool;

use super::{
    id,
    scene::{DRIVE, FREE, NOBODY, Scene, THEORY, act, message},
};
use crate::{
    accounts::{SIPHO, mails, with},
    harness::{Answer, Client},
};

const MEGAN: &str = "megan@cape-drive.test";

/// The school, and Lerato's lesson at the time that others wait for.
async fn wanted(admin: PgPool) -> (Scene, String) {
    let scene = Scene::new(admin).await;
    let taken = scene.lesson(&scene.lerato, FREE).await;
    (scene, taken)
}

/// What is asked for to wait for a driving lesson with Thandi.
async fn ask(scene: &Scene, client: &Client, date: &str, time: &str) -> Answer {
    let fields = [
        ("service", scene.service(DRIVE)),
        ("instructor", scene.instructor("thandi")),
        ("date", date),
        ("time", time),
        ("pickup", "1 Long Street"),
    ];
    act(client, "waiting/join", &fields).await
}

/// Someone waits for Lerato's time; whoever comes next has waited a minute less. Their entry's id.
async fn wait(scene: &Scene, client: &Client) -> String {
    let entry = id(&ask(scene, client, "2027-01-15", "15:00").await.expect(200));
    scene.pass(1);
    entry
}

/// Her time is free, and the worker has seen it. How many offers that made.
async fn freed(scene: &Scene, taken: &str) -> usize {
    scene.cancel(&scene.lerato, taken, &[]).await.expect(200);
    scene.jobs().await.offers
}

async fn state(scene: &Scene, entry: &str) -> String {
    scene.text("select state from waiting_list where id = $1::uuid", entry).await
}

/// What is kept for an entry.
async fn hold_of(scene: &Scene, entry: &str) -> String {
    scene.text("select hold_id::text from waiting_list where id = $1::uuid", entry).await
}

async fn accept(client: &Client, hold: &str) -> Answer {
    act(client, "waiting/accept", &[("hold", hold), ("pickup", "1 Long Street")]).await
}

async fn decline(client: &Client, hold: &str) -> Answer {
    act(client, "waiting/decline", &[("hold", hold)]).await
}

async fn leave(client: &Client, entry: &str) -> Answer {
    act(client, "waiting/leave", &[("entry", entry)]).await
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_becomes_free_is_kept_for_the_first_in_line(admin: PgPool) {
    let (scene, taken) = wanted(admin).await;
    let first = wait(&scene, &scene.sipho).await;
    let second = wait(&scene, &scene.megan).await;
    assert_eq!(scene.jobs().await.offers, 0, "nothing is free yet");
    scene.sipho.get("/t/cape-drive/waiting").await.expect(200).shows("First in line");
    scene.megan.get("/t/cape-drive/waiting").await.expect(200).shows("Number 2 in line");
    assert_eq!(freed(&scene, &taken).await, 1);
    assert_eq!(
        (state(&scene, &first).await, state(&scene, &second).await),
        ("offered".into(), "waiting".into())
    );
    let hold = hold_of(&scene, &first).await;
    let offer = "select count(*) from holds h join students s on s.tenant_id = h.tenant_id and s.id = h.student_id
                 where h.id = $1::uuid and h.kind = 'offer' and h.state = 'active' and s.email = 'sipho@cape-drive.test'
                   and h.starts_at = '2027-01-15 15:00+02' and h.expires_at = '2027-01-12 07:32Z'::timestamptz + interval '2 hours'";
    assert_eq!(scene.count(offer, &hold).await, 1);
    // Sipho is told where to answer; nobody else has it.
    let mail = "select count(*) from outbox where kind = 'offer' and recipient = 'sipho@cape-drive.test' and data->>'hold' = $1";
    assert_eq!((scene.count(mail, &hold).await, mails(&scene.app, "offer", MEGAN).await), (1, 0));
    let page = format!("/t/cape-drive/offers/{hold}");
    scene.sipho.get(&page).await.expect(200).shows("It is kept for you").shows("Take it").shows("Decline");
    scene.megan.get(&page).await.expect(404);
    scene.sipho.get("/t/cape-drive/waiting").await.expect(200).shows("Offered").shows(&page);
    for client in [&scene.megan, &scene.lerato] {
        scene.book(client, DRIVE, "thandi", FREE, &[]).await.expect(409);
    }
    scene.by_staff("vusi@cape-drive.test", "thandi", "15:00").await.expect(409);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_offer_that_is_taken_is_a_lesson(admin: PgPool) {
    let (scene, taken) = wanted(admin).await;
    let used = scene.used().await;
    let entry = wait(&scene, &scene.sipho).await;
    freed(&scene, &taken).await;
    let hold = hold_of(&scene, &entry).await;
    let unsaid = act(&scene.sipho, "waiting/accept", &[("hold", &hold)]).await.expect(422);
    assert!(!unsaid.field("pickup").is_empty(), "{}", unsaid.body);
    let booking = id(&accept(&scene.sipho, &hold).await.expect(200));
    assert_eq!((scene.status(&booking).await, scene.claims(&booking).await), ("confirmed".into(), 2));
    assert_eq!((scene.kept(&hold).await, state(&scene, &entry).await), ("used".into(), "accepted".into()));
    assert_eq!((scene.used().await, mails(&scene.app, "booking_made", SIPHO).await), (used + 1, 1));
    // It was taken, and taking it again makes no second lesson.
    let again = accept(&scene.sipho, &hold).await.expect(409);
    assert_eq!(message(&again), "You have taken this offer already.");
    decline(&scene.sipho, &hold).await.expect(409);
    leave(&scene.sipho, &entry).await.expect(409);
    scene.sipho.get(&format!("/t/cape-drive/offers/{hold}")).await.expect(200).shows("It was taken.");
    // Its end is no concern of the lesson's.
    scene.pass(180);
    scene.jobs().await;
    assert_eq!((scene.status(&booking).await, scene.claims(&booking).await), ("confirmed".into(), 2));
    assert_eq!(scene.kept(&hold).await, "used");
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn anothers_offer_is_not_there(admin: PgPool) {
    let (scene, taken) = wanted(admin).await;
    let entry = wait(&scene, &scene.sipho).await;
    freed(&scene, &taken).await;
    let hold = hold_of(&scene, &entry).await;
    for id in [hold.as_str(), NOBODY, "mine"] {
        accept(&scene.megan, id).await.expect(404);
        decline(&scene.megan, id).await.expect(404);
    }
    leave(&scene.megan, &entry).await.expect(404);
    accept(&scene.thandi, &hold).await.expect(403);
    // It isn't a time that is kept during checkout either.
    act(&scene.sipho, "booking/release_hold", &[("hold", &hold)]).await.expect(404);
    assert_eq!((scene.kept(&hold).await, state(&scene, &entry).await), ("active".into(), "offered".into()));
    // Staff answer for those they reach by telephone.
    accept(&scene.staff, &hold).await.expect(200);
    assert_eq!((scene.kept(&hold).await, state(&scene, &entry).await), ("used".into(), "accepted".into()));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_not_answered_passes_on(admin: PgPool) {
    let (scene, taken) = wanted(admin).await;
    let first = wait(&scene, &scene.sipho).await;
    let second = wait(&scene, &scene.megan).await;
    freed(&scene, &taken).await;
    let hold = hold_of(&scene, &first).await;
    scene.pass(119);
    let done = scene.jobs().await;
    assert_eq!((done.holds, done.offers), (0, 0), "it stands for two hours");
    scene.pass(1);
    // Over is over, whether the worker has been there or not.
    let late = accept(&scene.sipho, &hold).await.expect(409);
    assert!(message(&late).contains("ended"), "{}", late.body);
    let done = scene.jobs().await;
    assert_eq!((done.holds, done.offers), (1, 1));
    assert_eq!(
        (state(&scene, &first).await, state(&scene, &second).await),
        ("expired".into(), "offered".into())
    );
    assert_eq!(mails(&scene.app, "offer", MEGAN).await, 1);
    accept(&scene.sipho, &hold).await.expect(409);
    scene.sipho.get(&format!("/t/cape-drive/offers/{hold}")).await.expect(200).shows("passed on");
    accept(&scene.megan, &hold_of(&scene, &second).await).await.expect(200);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_declined_passes_on(admin: PgPool) {
    let (scene, taken) = wanted(admin).await;
    let first = wait(&scene, &scene.sipho).await;
    let second = wait(&scene, &scene.megan).await;
    freed(&scene, &taken).await;
    let hold = hold_of(&scene, &first).await;
    decline(&scene.sipho, &hold).await.expect(200);
    assert_eq!((state(&scene, &first).await, scene.kept(&hold).await), ("left".into(), "released".into()));
    accept(&scene.sipho, &hold).await.expect(409);
    decline(&scene.sipho, &hold).await.expect(409);
    assert_eq!((scene.jobs().await.offers, state(&scene, &second).await), (1, "offered".into()));
    accept(&scene.megan, &hold_of(&scene, &second).await).await.expect(200);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn who_leaves_is_offered_nothing_and_keeps_nothing(admin: PgPool) {
    let (scene, taken) = wanted(admin).await;
    let waiting = wait(&scene, &scene.megan).await;
    leave(&scene.megan, &waiting).await.expect(200);
    leave(&scene.megan, &waiting).await.expect(409);
    let offered = wait(&scene, &scene.sipho).await;
    assert_eq!(freed(&scene, &taken).await, 1);
    assert_eq!(
        (state(&scene, &waiting).await, state(&scene, &offered).await),
        ("left".into(), "offered".into())
    );
    let hold = hold_of(&scene, &offered).await;
    leave(&scene.sipho, &offered).await.expect(200);
    assert_eq!((state(&scene, &offered).await, scene.kept(&hold).await), ("left".into(), "released".into()));
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(200);
    // Whoever has left may come again.
    wait(&scene, &scene.megan).await;
    scene.assert_consistent().await;
}

/// BK-09: an accepted offer can't be lost, whatever comes at the same moment.
#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_offer_is_taken_once_or_ends_and_never_both(admin: PgPool) {
    let (scene, mut taken) = wanted(admin).await;
    for round in 0..4 {
        let entry = wait(&scene, &scene.sipho).await;
        assert_eq!(freed(&scene, &taken).await, 1);
        let hold = hold_of(&scene, &entry).await;
        // To the worker the offer is over; to those who answer it still stands.
        let over = scene.app.now() + SignedDuration::from_hours(3);
        let tries = join_all((0..20).map(|_| accept(&scene.sipho, &hold)));
        let end = jobs::run_due(&scene.app.db, over);
        let (answers, done) = if round % 2 == 0 {
            let (done, answers) = join(end, tries).await;
            (answers, done.unwrap())
        } else {
            let (answers, done) = join(tries, end).await;
            (answers, done.unwrap())
        };
        assert_eq!(done.failed, 0, "{done:?}");
        let accepted = with(&answers, 200);
        assert!(accepted <= 1, "{answers:?}");
        assert_eq!(accepted + with(&answers, 409), 20, "{answers:?}");
        let lessons =
            "select count(*) from bookings where starts_at = '2027-01-15 15:00+02' and status <> 'cancelled'
                       and student_id = (select id from students where email = 'sipho@cape-drive.test')";
        assert_eq!(scene.app.count(lessons).await, accepted as i64);
        let states = (scene.kept(&hold).await, state(&scene, &entry).await);
        let end = if accepted == 1 { ["used", "accepted"] } else { ["expired", "expired"] };
        assert_eq!([states.0, states.1], end, "round {round}");
        scene.assert_consistent().await;
        for answer in answers.iter().filter(|answer| answer.status == 200) {
            scene.cancel(&scene.sipho, &id(answer), &[]).await.expect(200);
        }
        taken = scene.lesson(&scene.lerato, FREE).await;
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn who_waits_for_a_day_is_offered_its_first_free_time(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let entry = id(&ask(&scene, &scene.sipho, "2027-01-15", "").await.expect(200));
    assert_eq!(scene.jobs().await.offers, 1);
    let hold = hold_of(&scene, &entry).await;
    let at = "select to_char(starts_at at time zone 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI') from holds where id = $1::uuid";
    assert_eq!(scene.text(at, &hold).await, "2027-01-15 10:00");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_seat_of_a_full_group_is_offered_when_one_is_free(admin: PgPool) {
    let scene = Scene::new(admin).await;
    // Kagiso's class on the Thursday after has eight seats and eight students.
    let group = scene.app.text("select id::text from group_lessons where taken = capacity").await;
    let fields = [
        ("service", scene.service(THEORY)),
        ("instructor", scene.instructor("kagiso")),
        ("date", "2027-01-21"),
        ("time", "13:00"),
    ];
    let entry = id(&act(&scene.sipho, "waiting/join", &fields).await.expect(200));
    assert_eq!(scene.jobs().await.offers, 0);
    let one = scene.text("select min(id::text) from bookings where group_id = $1::uuid", &group).await;
    scene.cancel(&scene.staff, &one, &[]).await.expect(200);
    assert_eq!(scene.jobs().await.offers, 1);
    let seats = "select taken::bigint from group_lessons where id = $1::uuid";
    assert_eq!(scene.count(seats, &group).await, 8, "the seat is kept");
    scene.book(&scene.megan, THEORY, "kagiso", "2027-01-21T13:00:00+02:00", &[]).await.expect(409);
    let hold = hold_of(&scene, &entry).await;
    let booking = id(&act(&scene.sipho, "waiting/accept", &[("hold", &hold)]).await.expect(200));
    let same = "select count(*) from bookings b join holds h on h.tenant_id = b.tenant_id and h.group_id = b.group_id
                where b.id = $1::uuid and h.state = 'used'";
    assert_eq!((scene.count(same, &booking).await, scene.count(seats, &group).await), (1, 8));
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn staff_put_someone_on_the_list(admin: PgPool) {
    let (scene, taken) = wanted(admin).await;
    let fields =
        [("service", scene.service(DRIVE)), ("instructor", "any"), ("date", "2027-01-15"), ("time", "15:00")];
    let unnamed = act(&scene.staff, "waiting/join", &fields).await.expect(422);
    assert!(!unnamed.field("student").is_empty(), "{}", unnamed.body);
    let mut named = fields.to_vec();
    named[1].1 = scene.instructor("thandi");
    named.push(("student", SIPHO));
    let entry = id(&act(&scene.staff, "waiting/join", &named).await.expect(200));
    scene.staff.get("/t/cape-drive/waiting").await.expect(200).shows("Sipho Nkosi").shows("1 waiting");
    assert_eq!((freed(&scene, &taken).await, state(&scene, &entry).await), (1, "offered".into()));
    act(&scene.thandi, "waiting/join", &named).await.expect(403);
    scene.thandi.get("/t/cape-drive/waiting").await.expect(403);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_nobody_can_wait_for_is_refused(admin: PgPool) {
    let scene = Scene::new(admin).await;
    for (date, time, field) in [
        ("2027-01-11", "", "date"),
        ("2027-04-30", "", "date"),
        ("9999-12-31", "", "date"),
        ("2027-02-30", "", "date"),
        ("", "", "date"),
        ("2027-01-12", "09:00", "time"),
        ("2027-01-12", "10:00", "time"),
        ("2027-04-30", "10:00", "time"),
        ("2027-01-15", "25:00", "time"),
    ] {
        let answer = ask(&scene, &scene.sipho, date, time).await.expect(422);
        assert!(!answer.field(field).is_empty(), "{date} {time}: {}", answer.body);
    }
    let (drive, thandi) = (scene.service(DRIVE), scene.instructor("thandi"));
    for (service, instructor) in [(NOBODY, thandi), (drive, NOBODY), ("lesson", thandi)] {
        let fields =
            [("service", service), ("instructor", instructor), ("date", "2027-01-15"), ("time", "15:00")];
        act(&scene.sipho, "waiting/join", &fields).await.expect(404);
    }
    // The same twice, and more than anyone can want.
    for day in 18..28 {
        ask(&scene, &scene.sipho, &format!("2027-01-{day}"), "15:00").await.expect(200);
    }
    let twice = ask(&scene, &scene.sipho, "2027-01-18", "15:00").await.expect(409);
    assert!(message(&twice).contains("already"), "{}", twice.body);
    let most = ask(&scene, &scene.sipho, "2027-01-29", "15:00").await.expect(409);
    assert!(message(&most).contains("At most 10"), "{}", most.body);
    assert_eq!(scene.app.count("select count(*) from waiting_list").await, 10);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn many_who_join_at_once_wait_once(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let tries = (0..10).map(|_| ask(&scene, &scene.sipho, "2027-01-15", "15:00"));
    let answers = join_all(tries).await;
    assert_eq!((with(&answers, 200), with(&answers, 409)), (1, 9), "{answers:?}");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_entry_ends_with_what_it_waits_for(admin: PgPool) {
    let (mut scene, taken) = wanted(admin).await;
    let entry = wait(&scene, &scene.sipho).await;
    scene.go_to("2027-01-15T15:01:00+02:00").await;
    scene.jobs().await;
    assert_eq!(state(&scene, &entry).await, "expired");
    leave(&scene.sipho, &entry).await.expect(409);
    scene.cancel(&scene.staff, &taken, &[]).await.expect(200);
    assert_eq!(scene.jobs().await.offers, 0);
}
