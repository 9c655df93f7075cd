//! Why a time isn't free (BK-05): the booking and the book page say the same. And what the page lists can be had.

use sqlx::PgPool;

use super::{Cape, LERATO, SIPHO, SLOTS, THANDI, act, id, said, stamp};
use crate::{
    accounts::{minutes, pass},
    downloads::{attrs, texts},
    harness::Client,
};

/// The answer to a time that was asked for by hand.
const WHY: &str = "details div[role=\"status\"] p";

const DRIVING: &str = "Driving lesson";
const THEORY: &str = "Theory class";

/// Whether someone or something is there already.
#[derive(Clone, Copy, PartialEq)]
enum Is {
    /// Then other times are offered.
    Taken,
    /// Then it says so beside the time.
    Refused,
}

/// Service, instructor and time, what is to be answered, and what is said of it.
type Case<'a> = ([&'a str; 3], Is, &'a str);

/// Asks for a time in all three ways: books it, asks the page why it isn't there, and opens the page at it.
async fn ask(cape: &Cape, student: &Client, ([service, instructor, at], is, says): Case<'_>) {
    book(cape, student, ([service, instructor, at], is, says)).await;
    // By hand, under the times of the day.
    let (day, clock) = at.split_once('T').unwrap();
    let page = cape.book_page(service, instructor, &[("date", day), ("time", clock)]);
    let page = student.get(&page).await.expect(200);
    let told = texts(&page, WHY);
    assert_eq!(told.first(), Some(&format!("{clock} isn't free. {says}")), "{at}");
    open(cape, student, ([service, instructor, at], is, says)).await;
}

/// The booking's answer.
async fn book(cape: &Cape, student: &Client, ([service, instructor, at], is, says): Case<'_>) {
    let answer = cape.book(student, service, instructor, at, &[]).await;
    let status = answer.status.as_u16();
    match is {
        Is::Refused => {
            assert_eq!((status, answer.field("starts_at").as_str()), (422, says), "{}", answer.body);
        }
        Is::Taken => {
            assert_eq!(status, 409, "{says} {}", answer.body);
            let json = answer.json();
            assert_eq!(json["code"], "CONFLICT", "{says}");
            assert_eq!(json["nearest"].as_array().map(Vec::len), Some(3), "{says}: {json}");
        }
    }
}

/// The page at an address that is out of date.
async fn open(cape: &Cape, student: &Client, ([service, instructor, at], _, says): Case<'_>) {
    let (day, at) = (&at[..10], stamp(at));
    let page = cape.book_page(service, instructor, &[("date", day), ("at", &at)]);
    let page = student.get(&page).await.expect(200);
    let shown = texts(&page, ".summary").concat();
    // When someone else was faster no more needs to be said.
    let faster = ["The instructor has another lesson", "This time is kept"];
    let lost = faster.iter().any(|start| says.starts_with(start));
    let expected = if lost { "That time has just been taken" } else { says };
    assert!(shown.contains(expected), "{at}: {expected:?} is not in {shown:?}");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn hours_days_off_holidays_blocks_and_notice_are_named(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (student, thandi) = (cape.app.login(SIPHO).await, cape.app.login(THANDI).await);
    let own = ("instructor", cape.instructor("thandi"));
    let day_off = [own, ("date", "2027-02-02"), ("hours", ""), ("reason", "Wedding")];
    act(&thandi, "availability/save_exception", &day_off).await.expect(200);
    let holiday = [("date", "2027-02-03"), ("name", "Founders Day")];
    act(&cape.staff, "availability/add_holiday", &holiday).await.expect(200);
    let block = [own, ("date", "2027-02-04"), ("from", "09:00"), ("to", "12:00"), ("reason", "Dentist")];
    act(&thandi, "availability/block", &block).await.expect(200);
    let outside = "Outside the instructor's hours. Choose another time.";
    for (at, says) in [
        ("2027-01-12T09:00", "This time has passed. Choose a later one."),
        ("2027-01-12T11:00", "Too soon: this service needs 2 h notice. Choose a later time."),
        ("2027-02-06T10:00", outside),
        ("2027-02-05T08:30", outside),
        // It would end behind the hours.
        ("2027-02-05T16:30", outside),
        ("2027-02-02T10:00", "The instructor has that day off. Choose another day."),
        ("2027-02-03T10:00", "Closed that day: Founders Day. Choose another day."),
        ("2027-02-04T10:00", "The instructor has blocked this time. Choose another one."),
        ("2027-02-04T11:45", "The instructor has blocked this time. Choose another one."),
    ] {
        ask(&cape, &student, ([DRIVING, "thandi", at], Is::Refused, says)).await;
    }
    // The reasons of those who teach are theirs.
    let page = cape.book_page(DRIVING, "thandi", &[("date", "2027-02-02"), ("time", "10:00")]);
    student.get(&page).await.expect(200).hides("Wedding").hides("Dentist");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_horizon_is_named_and_is_for_students_alone(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let student = cape.app.login(SIPHO).await;
    // 60 days are up to 13 March, a Saturday. The page has no later day to ask about, but its address may name one.
    let says = "Too far ahead: this service is booked at most 60 days ahead.";
    for at in ["2027-03-14T00:00", "2027-03-15T10:00", "2028-03-15T10:00"] {
        let case = ([DRIVING, "thandi", at], Is::Refused, says);
        book(&cape, &student, case).await;
        open(&cape, &student, case).await;
    }
    cape.book(&student, DRIVING, "thandi", "2027-03-12T10:00", &[]).await.expect(200);
    let fields = [
        ("student", SIPHO),
        ("service", cape.service(DRIVING)),
        ("instructor", cape.instructor("thandi")),
        ("date", "2027-03-15"),
        ("time", "10:00"),
        ("pickup", "1 Long Street"),
    ];
    act(&cape.staff, "booking/book_for_student", &fields).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn other_lessons_buffers_travel_and_holds_are_named(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (student, other) = (cape.app.login(SIPHO).await, cape.app.login(LERATO).await);
    let travel = [("instructor", cape.instructor("pieter")), ("travel", "30")];
    act(&cape.staff, "availability/set_rules", &travel).await.expect(200);
    cape.book(&other, DRIVING, "thandi", "2027-02-05T15:00", &[]).await.expect(200);
    // 90 minutes and a buffer of 15.
    cape.book(&other, "Test preparation", "thandi", "2027-02-08T10:00", &[]).await.expect(200);
    let far = [("pickup", "9 Far Road")];
    cape.book(&other, DRIVING, "pieter", "2027-02-09T10:00", &far).await.expect(200);
    let hold = [
        ("service", cape.service(DRIVING)),
        ("instructor", cape.instructor("thandi")),
        ("starts_at", "2027-02-10T10:00:00+02:00"),
    ];
    act(&other, "booking/hold", &hold).await.expect(200);
    let elsewhere = "Too close to another lesson elsewhere: the instructor needs 30 min to get there. Choose another time.";
    for (instructor, at, says) in [
        ("thandi", "2027-02-05T15:30", "The instructor has another lesson then. Choose another time."),
        (
            "thandi",
            "2027-02-08T11:30",
            "Too close to another lesson: the instructor needs time between them. Choose another time.",
        ),
        ("pieter", "2027-02-09T11:15", elsewhere),
        (
            "thandi",
            "2027-02-10T10:30",
            "This time is kept for another student. Choose another one, or look again later.",
        ),
    ] {
        ask(&cape, &student, ([DRIVING, instructor, at], Is::Taken, says)).await;
    }
    // When the buffer and the way are over it is free, and two spellings of an address are one place.
    cape.book(&student, DRIVING, "thandi", "2027-02-08T11:45", &[]).await.expect(200);
    cape.book(&student, DRIVING, "pieter", "2027-02-09T11:30", &[]).await.expect(200);
    let third = cape.app.login("megan@cape-drive.test").await;
    let same = [("pickup", " 9  FAR road ")];
    cape.book(&third, DRIVING, "pieter", "2027-02-09T09:00", &same).await.expect(200);
    // What is kept is kept for five minutes.
    pass(&cape.app, minutes(5));
    cape.book(&student, DRIVING, "thandi", "2027-02-10T10:30", &[]).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_instructors_full_day_and_full_week_are_named(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (student, other) = (cape.app.login(SIPHO).await, cape.app.login(LERATO).await);
    for (instructor, limit) in [("ayesha", ("max_per_day", "1")), ("lwazi", ("max_per_week", "2"))] {
        let fields = [("instructor", cape.instructor(instructor)), ("travel", "0"), limit];
        act(&cape.staff, "availability/set_rules", &fields).await.expect(200);
    }
    for (instructor, at) in
        [("ayesha", "2027-02-10T09:00"), ("lwazi", "2027-02-08T09:00"), ("lwazi", "2027-02-09T09:00")]
    {
        cape.book(&other, DRIVING, instructor, at, &[]).await.expect(200);
    }
    let day = "The instructor gives at most 1 lesson a day, and that day is full. Choose another day.";
    ask(&cape, &student, ([DRIVING, "ayesha", "2027-02-10T15:00"], Is::Refused, day)).await;
    let week = "The instructor gives at most 2 lessons a week, and that week is full. Choose another week.";
    ask(&cape, &student, ([DRIVING, "lwazi", "2027-02-12T09:00"], Is::Refused, week)).await;
    // The day after and the Monday after are free.
    cape.book(&student, DRIVING, "ayesha", "2027-02-11T15:00", &[]).await.expect(200);
    cape.book(&student, DRIVING, "lwazi", "2027-02-15T09:00", &[]).await.expect(200);
}

/// Sets how many lessons a student may have.
async fn limit_students(owner: &Client, day: &str, week: &str) {
    let fields = [
        ("name", "Cape Drive"),
        ("zone", "Africa/Johannesburg"),
        ("locale", "en-ZA"),
        ("currency", "ZAR"),
        ("notice", "2"),
        ("cancel_notice", "24"),
        ("open_registration", "on"),
        ("student_max_per_day", day),
        ("student_max_per_week", week),
    ];
    act(owner, "tenancy/save_settings", &fields).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_students_full_day_and_full_week_are_named(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (student, owner) = (cape.app.login(SIPHO).await, cape.app.owner().await);
    limit_students(&owner, "1", "").await;
    cape.book(&student, DRIVING, "thandi", "2027-02-16T09:00", &[]).await.expect(200);
    let day = "Each student takes at most 1 lesson a day, and that day is full. Choose another day.";
    // With whomever it is.
    for instructor in ["thandi", "pieter"] {
        ask(&cape, &student, ([DRIVING, instructor, "2027-02-16T15:00"], Is::Refused, day)).await;
    }
    limit_students(&owner, "", "2").await;
    cape.book(&student, DRIVING, "pieter", "2027-02-16T15:00", &[]).await.expect(200);
    let week = "Each student takes at most 2 lessons a week, and that week is full. Choose another week.";
    ask(&cape, &student, ([DRIVING, "thandi", "2027-02-19T09:00"], Is::Refused, week)).await;
    cape.book(&student, DRIVING, "thandi", "2027-02-22T09:00", &[]).await.expect(200);
    // Others have weeks of their own.
    let other = cape.app.login(LERATO).await;
    cape.book(&other, DRIVING, "thandi", "2027-02-19T09:00", &[]).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn own_lessons_rooms_and_seats_are_named(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (student, other) = (cape.app.login(SIPHO).await, cape.app.login(LERATO).await);
    cape.book(&student, DRIVING, "pieter", "2027-02-17T10:00", &[]).await.expect(200);
    // The one classroom is another group's then.
    cape.book(&other, THEORY, "raj", "2027-02-18T10:00", &[]).await.expect(200);
    // One of the demo's groups has room, the other has none.
    cape.book(&student, THEORY, "raj", "2027-01-20T13:00", &[]).await.expect(200);
    for (asked, says) in [
        (
            [DRIVING, "thandi", "2027-02-17T10:30"],
            "The student has another lesson then. Choose another time.",
        ),
        ([THEORY, "thandi", "2027-02-18T10:30"], "No Classroom is free then. Choose another time."),
        ([THEORY, "kagiso", "2027-01-21T13:00"], "All seats of this lesson are taken. Choose another time."),
        (
            [THEORY, "raj", "2027-01-20T13:00"],
            "The student has a seat in this lesson already. Choose another time.",
        ),
    ] {
        ask(&cape, &student, (asked, Is::Taken, says)).await;
    }
    // What stands there can be joined, and a lesson without the room isn't in its way.
    cape.book(&student, THEORY, "raj", "2027-02-18T10:00", &[]).await.expect(200);
    cape.book(&other, DRIVING, "thandi", "2027-02-17T10:30", &[]).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_missing_prepaid_lesson_is_named(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let fields = [
        ("name", "Prepaid hour"),
        ("duration", "60"),
        ("horizon", "60"),
        ("needs_credit", "on"),
        ("instructors[0]", cape.instructor("thandi")),
        ("instructors[1]", cape.instructor("pieter")),
    ];
    let prepaid = id(&cape.save_service(&fields).await.expect(200));
    let says = "This service needs a prepaid lesson with this instructor, and none is left. \
                Ask the school for a pack, or choose another service.";
    let (sipho, lerato) = (cape.app.login(SIPHO).await, cape.app.login(LERATO).await);
    ask(&cape, &lerato, ([&prepaid, "thandi", "2027-02-05T10:00"], Is::Refused, says)).await;
    // Sipho's pack is with Thandi alone, and ends on 11 February.
    ask(&cape, &sipho, ([&prepaid, "pieter", "2027-02-05T10:00"], Is::Refused, says)).await;
    ask(&cape, &sipho, ([&prepaid, "thandi", "2027-02-12T10:00"], Is::Refused, says)).await;
    cape.book(&sipho, &prepaid, "thandi", "2027-02-05T10:00", &[]).await.expect(200);
}

/// Of several instructors it is the cause of the one who comes nearest to free, whoever comes first in a list.
#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn with_any_instructor_both_name_the_cause_of_the_one_who_comes_nearest(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (student, other) = (cape.app.login(SIPHO).await, cape.app.login(LERATO).await);
    let fields = [
        ("name", "Duo"),
        ("duration", "60"),
        ("horizon", "60"),
        ("instructors[0]", cape.instructor("thandi")),
        ("instructors[1]", cape.instructor("pieter")),
    ];
    let duo = id(&cape.save_service(&fields).await.expect(200));
    for (away, full, day) in [("thandi", "pieter", "2027-02-02"), ("pieter", "thandi", "2027-02-03")] {
        let day_off = [("instructor", cape.instructor(away)), ("date", day), ("hours", "")];
        act(&cape.staff, "availability/save_exception", &day_off).await.expect(200);
        let limit = [("instructor", cape.instructor(full)), ("travel", "0"), ("max_per_day", "1")];
        act(&cape.staff, "availability/set_rules", &limit).await.expect(200);
        cape.book(&other, DRIVING, full, &format!("{day}T09:00"), &[]).await.expect(200);
        let says = "The instructor gives at most 1 lesson a day, and that day is full. Choose another day.";
        ask(&cape, &student, ([&duo, "any", &format!("{day}T15:00")], Is::Refused, says)).await;
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_the_page_lists_as_free_can_be_booked(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let student = cape.app.login(SIPHO).await;
    // A week with the demo's lessons and groups in it.
    for (service, instructor) in [(DRIVING, "thandi"), (THEORY, "any")] {
        let mut all = Vec::new();
        for day in 19..=25 {
            all.extend(cape.listed(&student, service, instructor, &format!("2027-01-{day}")).await);
        }
        let length = all.len();
        assert!(length >= 10, "{service}: {all:?}");
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), length, "{service}: each once");
        for at in (0..10).map(|n| &all[n * (length - 1) / 9]) {
            let booked = cape.book(&student, service, instructor, at, &[]).await;
            assert_eq!(booked.status.as_u16(), 200, "{service} at {at}: {}", booked.body);
            let lesson = id(&booked);
            // Nobody is offered what is taken now.
            if instructor != "any" {
                let left = cape.listed(&student, service, instructor, &at[..10]).await;
                assert!(!left.contains(at), "{service} at {at}: {left:?}");
            }
            let fields = [("booking", lesson.as_str()), ("reason", "Again")];
            act(&student, "booking/cancel", &fields).await.expect(200);
        }
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_time_that_is_free_is_said_to_be_free(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let student = cape.app.login(SIPHO).await;
    // Not on the half hour, so it isn't listed.
    let page = cape.book_page(DRIVING, "thandi", &[("date", "2027-02-05"), ("time", "10:10")]);
    let page = student.get(&page).await.expect(200);
    assert_eq!(texts(&page, WHY).first().map(String::as_str), Some("10:10 is free."));
    let at = "2027-02-05T10:10:00+02:00".to_owned();
    assert!(!attrs(&page, SLOTS, "value").contains(&at), "{}", page.body);
    assert_eq!(attrs(&page, "details button.slot", "value"), [at.as_str()]);
    let booked = cape.book(&student, DRIVING, "thandi", &at, &[]).await.expect(200);
    assert!(said(&booked).contains("10:10–11:10"), "{}", booked.body);
    // What is no time is asked for again.
    for bad in ["soon", "24:00", "10:10:30", "-1:00"] {
        let page = cape.book_page(DRIVING, "thandi", &[("date", "2027-02-05"), ("time", bad)]);
        let page = student.get(&page).await.expect(200);
        assert_eq!(texts(&page, WHY), ["Type a time such as 09:30."], "{bad}");
    }
}
