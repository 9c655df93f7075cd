mod causes;
mod properties;
mod zones;

use jiff::civil::{Date, date};
use uuid::Uuid;

use super::*;

const RULES: Rules = Rules {
    duration_min: 60,
    buffer_before_min: 0,
    buffer_after_min: 0,
    notice_min: 0,
    horizon_days: 365,
    capacity: 1,
    needs_credit: false,
};

fn zone(name: &str) -> Zone {
    Zone::parse(name).expect("a zone")
}

fn at(text: &str) -> Instant {
    text.parse().expect("a moment")
}

fn stretch(from: &str, to: &str) -> Stretch {
    Stretch { starts_at: at(from), ends_at: at(to) }
}

/// A stretch of the thirtieth of March 2026, in UTC.
fn clocks(from: &str, to: &str) -> Stretch {
    stretch(&format!("2026-03-30T{from}:00Z"), &format!("2026-03-30T{to}:00Z"))
}

/// The same hours each day of the week.
fn daily(start_minute: i16, end_minute: i16) -> Vec<WeeklyHour> {
    (1..=7).map(|weekday| WeeklyHour { weekday, start_minute, end_minute }).collect()
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// All that a window looks at, and the time it is.
#[derive(Clone, Debug)]
struct World {
    zone: Zone,
    rules: Rules,
    from: Date,
    to: Date,
    now: Instant,
    diary: Diary,
    student: Option<Learner>,
    needs: Vec<Need>,
    school: School,
    place: Place,
}

impl World {
    /// One day with these hours, a month before.
    fn day(zone_name: &str, day: Date, hours: Vec<WeeklyHour>) -> Self {
        let zone = zone(zone_name);
        Self {
            now: zone.day_start(day.saturating_sub(29.days())),
            zone,
            rules: RULES,
            from: day,
            to: day.tomorrow().expect("a day"),
            diary: Diary { hours, ..Diary::new(InstructorId(id(1))) },
            student: None,
            needs: Vec::new(),
            school: School::default(),
            place: Place::Nowhere,
        }
    }

    /// The thirtieth of March 2026, a Monday, nine to five in UTC.
    fn monday() -> Self {
        Self::day("UTC", date(2026, 3, 30), daily(540, 1020))
    }

    fn window(&self) -> Window<'_> {
        Window {
            zone: &self.zone,
            rules: self.rules,
            from: self.from,
            to: self.to,
            diary: &self.diary,
            student: self.student.as_ref(),
            needs: &self.needs,
            school: &self.school,
            place: &self.place,
        }
    }

    fn slots(&self) -> Vec<Slot> {
        free_slots(&self.window(), self.now)
    }

    fn starts(&self) -> Vec<String> {
        self.slots().iter().map(|slot| self.zone.rfc3339(slot.starts_at)).collect()
    }

    /// Wall clocks of the free starts.
    fn clocks(&self) -> Vec<String> {
        self.slots().iter().map(|slot| self.zone.clock(slot.starts_at)).collect()
    }

    fn ask(&self, start: &str) -> Result<Slot, WhyNot> {
        bookable(&self.window(), at(start), self.now)
    }

    /// Asks for a time of the thirtieth of March 2026, in UTC.
    fn ask_clock(&self, clock: &str) -> Result<Slot, WhyNot> {
        self.ask(&format!("2026-03-30T{clock}:00Z"))
    }
}

#[test]
fn a_day_is_cut_into_half_hours() {
    let world = World::day("Africa/Johannesburg", date(2026, 3, 30), daily(540, 720));
    let expected =
        ["09:00", "09:30", "10:00", "10:30", "11:00"].map(|at| format!("2026-03-30T{at}:00+02:00"));
    assert_eq!(world.starts(), expected);
}

#[test]
fn a_claim_takes_its_buffers_with_it() {
    let mut world = World::monday();
    world.diary.claims.push(Claim::plain(clocks("12:00", "13:00")));
    world.rules = Rules { buffer_before_min: 15, buffer_after_min: 30, ..RULES };
    assert_eq!(world.ask_clock("10:30").map(|slot| slot.ends_at), Ok(at("2026-03-30T11:30:00Z")));
    assert_eq!(world.ask_clock("10:31"), Err(WhyNot::Buffer));
    assert_eq!(world.ask_clock("11:01"), Err(WhyNot::Taken));
    assert_eq!(world.ask_clock("12:59"), Err(WhyNot::Taken));
    assert_eq!(world.ask_clock("13:00"), Err(WhyNot::Buffer));
    assert!(world.ask_clock("13:15").is_ok());
}

#[test]
fn the_buffers_of_the_other_lesson_count_too() {
    let mut world = World::monday();
    let claim = Claim { stretch: clocks("11:50", "13:20"), ..Claim::plain(clocks("12:00", "13:00")) };
    world.diary.claims.push(claim);
    assert!(world.ask_clock("10:50").is_ok());
    assert_eq!(world.ask_clock("10:51"), Err(WhyNot::Buffer));
    assert_eq!(world.ask_clock("13:19"), Err(WhyNot::Buffer));
    assert!(world.ask_clock("13:20").is_ok());
}

#[test]
fn time_begins_with_the_notice_and_ends_with_the_horizon() {
    let mut world = World::monday();
    world.now = at("2026-03-30T09:00:00Z");
    world.rules = Rules { notice_min: 120, horizon_days: 2, ..RULES };
    let why = |start: &str| world.ask(start).expect_err("not free");
    assert_eq!(why("2026-03-30T08:00:00Z"), WhyNot::Past);
    assert_eq!(why("2026-03-30T10:59:00Z"), WhyNot::TooSoon(120));
    assert!(world.ask("2026-03-30T11:00:00Z").is_ok());
    assert!(world.ask("2026-04-01T16:00:00Z").is_ok());
    assert_eq!(why("2026-04-02T10:00:00Z"), WhyNot::TooFar(2));
    assert_eq!(why("9999-12-30T22:00:00Z"), WhyNot::TooFar(2));
    assert_eq!(world.clocks().first().map(String::as_str), Some("11:00"));
}

#[test]
fn a_lesson_may_cross_a_seam_and_midnight() {
    let mut hours = daily(1320, 1440);
    hours.extend(daily(0, 60));
    let mut world = World::day("UTC", date(2026, 3, 30), hours);
    assert_eq!(world.clocks(), ["00:00", "22:00", "22:30", "23:00", "23:30"]);
    // When the next day is closed, midnight is the end.
    world.school.holidays.insert(date(2026, 3, 31), "Day of Peace".into());
    assert_eq!(world.clocks(), ["00:00", "22:00", "22:30", "23:00"]);
    assert_eq!(world.ask_clock("23:30"), Err(WhyNot::Holiday("Day of Peace".into())));
    // That it ends when the holiday begins is no reason, and neither is a holiday for what isn't open anyway.
    assert_eq!(world.ask_clock("21:00"), Err(WhyNot::OutsideHours));
    world.diary.exceptions.insert(date(2026, 3, 31), Vec::new());
    assert_eq!(world.ask_clock("23:30"), Err(WhyNot::DayOff));
}

#[test]
fn candidates_do_not_depend_on_the_days_before() {
    let mut hours = daily(0, 1440);
    // From ten past ten on Monday through to Thursday without a gap.
    hours.retain(|hour| hour.weekday != 1);
    hours.push(WeeklyHour { weekday: 1, start_minute: 610, end_minute: 1440 });
    let monday = World::day("UTC", date(2026, 3, 30), hours.clone());
    assert_eq!(monday.clocks().first().map(String::as_str), Some("10:10"));
    let alone = World::day("UTC", date(2026, 4, 1), hours);
    let all = World { from: date(2026, 3, 30), ..alone.clone() };
    let of_wednesday: Vec<Slot> =
        all.slots().into_iter().filter(|slot| slot.starts_at >= at("2026-04-01T00:00:00Z")).collect();
    assert_eq!(alone.slots(), of_wednesday);
    assert_eq!(alone.slots().len(), 48);
}

#[test]
fn hours_of_a_day_go_before_those_of_the_week_and_before_holidays() {
    let mut world = World::monday();
    let day = world.from;
    world.diary.exceptions.insert(day, vec![(1320, 1440), (600, 660)]);
    assert_eq!(world.clocks(), ["10:00", "22:00", "22:30", "23:00"]);
    world.school.holidays.insert(day, "Easter Monday".into());
    assert_eq!(world.clocks().len(), 4);
    world.diary.exceptions.clear();
    assert!(world.clocks().is_empty());
}

#[test]
fn spring_forward_skips_the_hour_that_is_not_there() {
    let found = World::day("Europe/Berlin", date(2026, 3, 29), daily(60, 300)).starts();
    let expected = ["01:00:00+01:00", "01:30:00+01:00", "03:00:00+02:00", "03:30:00+02:00", "04:00:00+02:00"];
    assert_eq!(found, expected.map(|at| format!("2026-03-29T{at}")));
    let found = World::day("America/New_York", date(2026, 3, 8), daily(60, 300)).starts();
    let expected = ["01:00:00-05:00", "01:30:00-05:00", "03:00:00-04:00", "03:30:00-04:00", "04:00:00-04:00"];
    assert_eq!(found, expected.map(|at| format!("2026-03-08T{at}")));
}

#[test]
fn fall_back_has_the_hour_twice() {
    let found = World::day("Europe/Berlin", date(2026, 10, 25), daily(60, 240)).starts();
    let expected = [
        "01:00:00+02:00",
        "01:30:00+02:00",
        "02:00:00+02:00",
        "02:30:00+02:00",
        "02:00:00+01:00",
        "02:30:00+01:00",
        "03:00:00+01:00",
    ];
    assert_eq!(found, expected.map(|at| format!("2026-10-25T{at}")));
    let found = World::day("America/New_York", date(2026, 11, 1), daily(60, 240)).starts();
    let expected = [
        "01:00:00-04:00",
        "01:30:00-04:00",
        "01:00:00-05:00",
        "01:30:00-05:00",
        "02:00:00-05:00",
        "02:30:00-05:00",
        "03:00:00-05:00",
    ];
    assert_eq!(found, expected.map(|at| format!("2026-11-01T{at}")));
}

#[test]
fn an_opening_inside_the_skipped_hour_is_none() {
    let short = |day: Date| {
        let mut world = World::day("Europe/Berlin", day, daily(135, 180));
        world.rules.duration_min = 15;
        world.starts().len()
    };
    assert_eq!(short(date(2026, 3, 29)), 0);
    assert_eq!(short(date(2026, 3, 30)), 3);
}

#[test]
fn travel_is_asked_for_between_different_places() {
    let mut world = World::monday();
    world.diary.travel_min = 20;
    let there = Claim { place: place_key(" 12  Long Street"), ..Claim::plain(clocks("12:00", "13:00")) };
    world.diary.claims.push(Claim { stretch: clocks("12:00", "13:10"), ..there });
    let travel = Err(WhyNot::Travel(20));
    let elsewhere = World { place: Place::At(place_key("1 Short Street")), ..world.clone() };
    for away in [elsewhere, World { place: Place::Unknown, ..world.clone() }] {
        // It counts from lesson to lesson, on both sides; buffers are no time to travel.
        assert!(away.ask_clock("10:40").is_ok());
        assert_eq!(away.ask_clock("10:41"), travel);
        assert_eq!(away.ask_clock("13:09"), Err(WhyNot::Buffer));
        assert_eq!(away.ask_clock("13:10"), travel);
        assert!(away.ask_clock("13:20").is_ok());
    }
    for place in [Place::At(place_key("12 LONG street ")), Place::Nowhere, Place::At(String::new())] {
        let near = World { place, ..world.clone() };
        assert!(near.ask_clock("11:00").is_ok());
        assert!(near.ask_clock("13:10").is_ok());
    }
    // A lesson that has no place, between the two, makes the way no shorter.
    world.place = Place::Unknown;
    world.diary.claims.push(Claim::plain(clocks("13:12", "13:14")));
    assert_eq!(world.ask_clock("13:15"), travel);
}

#[test]
fn spellings_of_a_place_are_one() {
    assert_eq!(place_key("  Main\tRoad 5,\n Cape TOWN "), "main road 5, cape town");
    assert_eq!(place_key(""), "");
    assert_eq!(place_key(&"İ".repeat(400)).chars().count(), 300);
    assert_eq!(place_key(&format!("{} b", "a".repeat(299))).chars().count(), 299);
}

#[test]
fn limits_count_by_the_schools_days_and_weeks() {
    // Half past eleven at night in Berlin, on Sunday and on Monday.
    let late = [stretch("2026-03-29T21:30:00Z", "2026-03-29T22:30:00Z"), clocks("21:30", "22:30")];
    let mut world = World::day("Europe/Berlin", date(2026, 3, 30), daily(0, 1440));
    world.diary.claims = late.map(Claim::plain).to_vec();
    world.diary.max_per_day = Some(2);
    world.diary.max_per_week = Some(2);
    // The one of Sunday belongs to the week before.
    assert!(world.ask_clock("10:00").is_ok());
    world.diary.max_per_day = Some(1);
    assert_eq!(world.ask_clock("10:00"), Err(WhyNot::InstructorDay(1)));
    assert!(world.slots().is_empty());
    assert!(world.ask("2026-03-31T10:00:00Z").is_ok());
    world.diary.max_per_week = Some(1);
    assert_eq!(world.ask("2026-04-05T10:00:00Z"), Err(WhyNot::InstructorWeek(1)));
    assert!(world.ask("2026-04-06T10:00:00Z").is_ok());
    // A claim counts where its lesson begins, not where its buffer does.
    world.diary.max_per_week = None;
    let buffered = Claim { stretch: clocks("21:30", "23:30"), ..Claim::plain(clocks("22:15", "23:15")) };
    world.diary.claims = vec![buffered];
    assert!(world.ask_clock("10:00").is_ok());
    assert_eq!(world.ask("2026-03-31T10:00:00Z"), Err(WhyNot::InstructorDay(1)));
}

fn group(n: u128, from: &str, to: &str, left: i32) -> Group {
    let Stretch { starts_at, ends_at } = clocks(from, to);
    Group { id: GroupId(id(n)), starts_at, ends_at, left, capacity: 6 }
}

#[test]
fn a_group_lesson_is_joined_where_it_stands() {
    let mut world = World::monday();
    world.rules.capacity = 6;
    world.diary.hours = daily(540, 720);
    // Off the grid, longer than the service is now, with the instructor's time taken by it and a block over it.
    world.diary.groups.push(group(7, "10:10", "11:20", 2));
    world.diary.claims.push(Claim { group: true, ..Claim::plain(clocks("10:10", "11:20")) });
    world.diary.blocks.push(clocks("10:00", "11:30"));
    world.diary.max_per_day = Some(2);
    world.needs = vec![Need { name: "Room".into(), units: 1, each: Vec::new() }];
    let joined = Slot {
        starts_at: at("2026-03-30T10:10:00Z"),
        ends_at: at("2026-03-30T11:20:00Z"),
        instructor: InstructorId(id(1)),
        group: Some(GroupId(id(7))),
        left: 2,
    };
    assert_eq!(world.slots(), [joined]);
    assert_eq!(world.ask_clock("10:10"), Ok(joined));
    // Beside it a group is begun like any lesson, with all its seats.
    world.needs.clear();
    assert_eq!(world.clocks(), ["09:00", "10:10"]);
    assert_eq!(world.ask_clock("09:00").map(|slot| (slot.group, slot.left)), Ok((None, 6)));
    assert_eq!(world.ask_clock("10:00"), Err(WhyNot::Blocked));
    // Who joins needs time of their own, and no seat yet.
    let student = Learner { claims: vec![Claim::plain(clocks("11:00", "12:00"))], ..Learner::default() };
    world.student = Some(student);
    assert_eq!(world.ask_clock("10:10"), Err(WhyNot::OwnLesson));
    world.student = Some(Learner { groups: vec![GroupId(id(7))], ..Learner::default() });
    assert_eq!(world.ask_clock("10:10"), Err(WhyNot::InGroup));
    world.student = None;
    // For a service with one seat a group is a lesson like any other.
    world.rules.capacity = 1;
    world.diary.blocks.clear();
    assert_eq!(world.ask_clock("10:10"), Err(WhyNot::Taken));
    assert_eq!(world.ask_clock("09:00").map(|slot| slot.left), Ok(1));
}

#[test]
fn units_are_taken_in_order() {
    let taken = |from: &str, to: &str| vec![clocks(from, to)];
    let car = Need {
        name: "Car".into(),
        units: 1,
        each: vec![(id(1), taken("10:00", "11:00")), (id(2), Vec::new()), (id(3), taken("10:30", "10:45"))],
    };
    let mirror = Need { name: "Mirror".into(), units: 2, each: car.each.clone() };
    let pick = |needs: &[Need], from: &str, to: &str| pick_units(needs, clocks(from, to));
    assert_eq!(pick(&[], "10:00", "11:00"), Some(Vec::new()));
    assert_eq!(pick(std::slice::from_ref(&car), "09:00", "10:00"), Some(vec![id(1)]));
    assert_eq!(pick(std::slice::from_ref(&car), "09:30", "10:01"), Some(vec![id(2)]));
    assert_eq!(pick(&[car.clone(), mirror.clone()], "09:00", "10:30"), Some(vec![id(2), id(2), id(3)]));
    // Each unit has a free moment, but only one is free for the whole time.
    assert_eq!(pick(&[car, mirror.clone()], "10:40", "11:30"), None);

    let world = World { needs: vec![mirror], ..World::monday() };
    assert_eq!(world.ask_clock("09:45"), Err(WhyNot::Resource("Mirror".into())));
    // Of fifteen half hours two are missing.
    assert_eq!(world.clocks()[..4], ["09:00", "09:30", "11:00", "11:30"]);
    assert_eq!(world.clocks().len(), 13);
}

#[test]
fn a_pack_must_reach_to_the_lesson() {
    let mut world = World::monday();
    world.rules.needs_credit = true;
    // Nobody is asked for a pack who isn't known.
    assert!(world.ask_clock("10:00").is_ok());
    let with = |credit: Option<Credit>| World {
        student: Some(Learner { credits: credit.into_iter().collect(), ..Learner::default() }),
        ..world.clone()
    };
    let pack = Credit { instructor: InstructorId(id(1)), left: 1, expires_at: None };
    assert!(with(Some(pack.clone())).ask_clock("10:00").is_ok());
    let others = Credit { instructor: InstructorId(id(2)), ..pack.clone() };
    for none in [None, Some(others), Some(Credit { left: 0, ..pack.clone() })] {
        assert_eq!(with(none.clone()).ask_clock("10:00"), Err(WhyNot::NoCredit));
        assert!(with(none).slots().is_empty());
    }
    let ends = with(Some(Credit { expires_at: Some(at("2026-03-30T10:00:00Z")), ..pack }));
    assert_eq!(ends.ask_clock("10:00"), Err(WhyNot::NoCredit));
    assert_eq!(ends.clocks(), ["09:00", "09:30"]);
}

#[test]
fn the_nearest_are_in_order() {
    let slot = |text: &str| Slot {
        starts_at: at(text),
        ends_at: at(text),
        instructor: InstructorId(id(0)),
        group: None,
        left: 1,
    };
    let slots = ["08:00", "10:00", "10:00", "12:00", "12:30", "18:00"]
        .map(|clock| slot(&format!("2026-03-30T{clock}:00Z")));
    let found = nearest(&slots, at("2026-03-30T11:00:00Z"), 3);
    assert_eq!(found, ["10:00", "12:00", "12:30"].map(|clock| at(&format!("2026-03-30T{clock}:00Z"))));
}
