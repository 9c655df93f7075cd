//! Each cause by itself, and which of several is named.

use std::collections::BTreeSet;

use super::*;
use crate::tenancy::Preset;

/// How a cause comes about for a lesson at noon.
type Change = fn(&mut World);

fn student(world: &mut World) -> &mut Learner {
    world.student.get_or_insert_with(Learner::default)
}

fn claim(from: &str, to: &str) -> Claim {
    Claim::plain(clocks(from, to))
}

fn wednesday() -> Claim {
    Claim::plain(stretch("2026-04-01T10:00:00Z", "2026-04-01T11:00:00Z"))
}

/// From the last to be named to the first. Each is made on top of those before it, and is named then.
fn in_turn() -> Vec<(WhyNot, Change)> {
    let list: [(WhyNot, Change); 18] = [
        (WhyNot::NoCredit, |world| {
            world.rules.needs_credit = true;
            student(world);
        }),
        (WhyNot::StudentWeek(1), |world| {
            student(world).claims.push(wednesday());
            student(world).max_per_week = Some(1);
        }),
        (WhyNot::StudentDay(1), |world| {
            student(world).claims.push(claim("15:00", "16:00"));
            student(world).max_per_day = Some(1);
        }),
        (WhyNot::OwnLesson, |world| student(world).claims.push(claim("12:30", "13:30"))),
        (WhyNot::Resource("Car".into()), |world| {
            let each = vec![(id(1), vec![clocks("12:59", "13:30")])];
            world.needs.push(Need { name: "Room".into(), units: 1, each: vec![(id(2), Vec::new())] });
            world.needs.push(Need { name: "Car".into(), units: 1, each });
        }),
        (WhyNot::InstructorWeek(1), |world| {
            world.diary.claims.push(wednesday());
            world.diary.max_per_week = Some(1);
        }),
        (WhyNot::InstructorDay(1), |world| {
            world.diary.claims.push(claim("15:00", "16:00"));
            world.diary.max_per_day = Some(1);
        }),
        (WhyNot::Travel(30), |world| {
            world.diary.travel_min = 30;
            world.place = Place::Unknown;
            world.diary.claims.push(Claim { place: "beach".into(), ..claim("13:29", "14:00") });
        }),
        (WhyNot::Buffer, |world| {
            world.diary.claims.push(Claim { stretch: clocks("11:00", "12:10"), ..claim("11:10", "12:00") });
        }),
        (WhyNot::Held, |world| {
            world.diary.claims.push(Claim { held: true, ..claim("12:40", "12:50") });
        }),
        (WhyNot::Taken, |world| world.diary.claims.push(claim("12:20", "12:30"))),
        (WhyNot::Blocked, |world| world.diary.blocks.push(clocks("12:59", "13:10"))),
        (WhyNot::OutsideHours, |world| world.diary.hours = daily(540, 779)),
        (WhyNot::DayOff, |world| {
            world.diary.exceptions.insert(world.from, Vec::new());
        }),
        (WhyNot::Holiday("Family Day".into()), |world| {
            world.diary.exceptions.clear();
            world.school.holidays.insert(world.from, "Family Day".into());
        }),
        (WhyNot::TooFar(3), |world| world.rules.horizon_days = 3),
        (WhyNot::TooSoon(90), |world| {
            world.rules.notice_min = 90;
            world.now = at("2026-03-30T10:31:00Z");
        }),
        (WhyNot::Past, |world| world.now = at("2026-03-30T12:00:01Z")),
    ];
    list.into()
}

/// The causes of group lessons, the last to be named first.
fn of_groups() -> Vec<(WhyNot, Change)> {
    let list: [(WhyNot, Change); 2] = [
        (WhyNot::GroupFull, |world| {
            world.rules.capacity = 6;
            world.diary.groups.push(group(5, "12:00", "13:00", 0));
        }),
        (WhyNot::InGroup, |world| {
            world.rules.capacity = 6;
            world.diary.groups.push(group(6, "12:00", "13:00", 3));
            student(world).groups.extend([GroupId(id(5)), GroupId(id(6))]);
        }),
    ];
    list.into()
}

fn check(world: &World, cause: &WhyNot) {
    assert_eq!(world.ask_clock("12:00").as_ref(), Err(cause));
    let noon = at("2026-03-30T12:00:00Z");
    assert!(world.slots().iter().all(|slot| slot.starts_at != noon), "{cause:?}");
}

#[test]
fn each_cause_has_its_name() {
    assert!(World::monday().ask_clock("12:00").is_ok());
    let mut seen = BTreeSet::new();
    for (cause, change) in in_turn().into_iter().chain(of_groups()) {
        let mut world = World::monday();
        change(&mut world);
        check(&world, &cause);
        seen.insert(cause.nearness());
    }
    // All there are: `nearness` has a number for each.
    assert_eq!(seen, (0..20).collect());
}

#[test]
fn the_first_of_several_is_named() {
    for list in [in_turn(), of_groups()] {
        let mut world = World::monday();
        for (cause, change) in list {
            change(&mut world);
            check(&world, &cause);
        }
    }
}

#[test]
fn each_says_what_is_wrong_and_what_to_do() {
    let words = Preset::Salon.words();
    for (cause, _) in in_turn().into_iter().chain(of_groups()) {
        let (message, label) = (cause.message(&words), cause.label(&words));
        assert!(message.ends_with('.') && message.len() > 30, "{message}");
        assert!(message.starts_with(char::is_uppercase), "{message}");
        // What has to be known to book is said; a horizon says it by itself.
        let way_out = ["Choose", "Ask", "at most"].iter().any(|way| message.contains(*way));
        assert!(way_out, "{message}");
        for word in ["lesson", "student", "instructor"] {
            assert!(!message.contains(word) && !label.contains(word), "{message} {label}");
        }
        assert!((2..=5).contains(&label.split(' ').count()), "{label}");
        assert!(label.starts_with(char::is_uppercase) && !label.ends_with('.'), "{label}");
    }
    let say = |cause: WhyNot| cause.message(&Preset::DrivingSchool.words());
    assert_eq!(say(WhyNot::OutsideHours), "Outside the instructor's hours. Choose another time.");
    assert_eq!(say(WhyNot::TooSoon(120)), "Too soon: this service needs 2 h notice. Choose a later time.");
    assert_eq!(
        say(WhyNot::StudentDay(1)),
        "Each student takes at most 1 lesson a day, and that day is full. Choose another day."
    );
    assert_eq!(
        say(WhyNot::InstructorWeek(20)),
        "The instructor gives at most 20 lessons a week, and that week is full. Choose another week."
    );
}

#[test]
fn someone_is_there_or_it_is_no_time_at_all() {
    let taken = |list: Vec<(WhyNot, Change)>| {
        let causes = list.into_iter().map(|(cause, _)| cause).filter(WhyNot::is_taken);
        causes.map(|cause| cause.nearness()).collect::<Vec<u8>>()
    };
    let expected = [
        WhyNot::OwnLesson,
        WhyNot::Resource("Car".into()),
        WhyNot::Travel(30),
        WhyNot::Buffer,
        WhyNot::Held,
        WhyNot::Taken,
    ];
    assert_eq!(taken(in_turn()), expected.map(|cause| cause.nearness()));
    assert_eq!(taken(of_groups()).len(), 2);
}

#[test]
fn the_one_who_comes_nearest_to_free_says_why() {
    let closest = |causes: &[WhyNot]| WhyNot::closest(causes.iter().cloned());
    assert_eq!(closest(&[]), None);
    assert_eq!(closest(&[WhyNot::OutsideHours, WhyNot::Taken, WhyNot::Blocked]), Some(WhyNot::Taken));
    assert_eq!(closest(&[WhyNot::Travel(5), WhyNot::Travel(9)]), Some(WhyNot::Travel(5)));
}
