use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const RULES: Rules =
    Rules { duration_min: 60, buffer_before_min: 0, buffer_after_min: 0, notice_min: 0, horizon_days: 365 };

fn zone(name: &str) -> Zone {
    Zone::parse(name).expect("a zone")
}

fn at(text: &str) -> Instant {
    text.parse().expect("a moment")
}

fn stretch(from: &str, to: &str) -> Stretch {
    Stretch { starts_at: at(from), ends_at: at(to) }
}

/// The same hours each day of the week.
fn daily(start_minute: i16, end_minute: i16) -> Vec<WeeklyHour> {
    (1..=7).map(|weekday| WeeklyHour { weekday, start_minute, end_minute }).collect()
}

fn diary(hours: Vec<WeeklyHour>) -> Diary {
    Diary { instructor: InstructorId(Uuid::nil()), hours, blocks: Vec::new(), claims: Vec::new() }
}

fn window<'a>(zone: &'a Zone, rules: Rules, day: Date, diary: &'a Diary) -> Window<'a> {
    Window { zone, rules, from: day, to: day.tomorrow().expect("a day"), diary, student: &[] }
}

fn starts(input: &Window<'_>, now: &str) -> Vec<String> {
    free_slots(input, at(now)).iter().map(|slot| input.zone.rfc3339(slot.starts_at)).collect()
}

#[test]
fn a_day_is_cut_into_half_hours() {
    let zone = zone("Africa/Johannesburg");
    let diary = diary(daily(540, 720));
    let input = window(&zone, RULES, date(2026, 3, 30), &diary);
    let found = starts(&input, "2026-03-01T00:00:00Z");
    let expected =
        ["09:00", "09:30", "10:00", "10:30", "11:00"].map(|at| format!("2026-03-30T{at}:00+02:00"));
    assert_eq!(found, expected);
}

#[test]
fn a_claim_takes_its_buffers_with_it() {
    let zone = zone("UTC");
    let mut diary = diary(daily(540, 1020));
    diary.claims.push(stretch("2026-03-30T12:00:00Z", "2026-03-30T13:00:00Z"));
    let rules = Rules { buffer_before_min: 15, buffer_after_min: 30, ..RULES };
    let input = window(&zone, rules, date(2026, 3, 30), &diary);
    let now = at("2026-03-30T00:00:00Z");
    assert_eq!(
        bookable(&input, at("2026-03-30T10:30:00Z"), now).map(|slot| slot.ends_at),
        Ok(at("2026-03-30T11:30:00Z"))
    );
    assert_eq!(bookable(&input, at("2026-03-30T10:31:00Z"), now), Err(WhyNot::Taken));
    assert_eq!(bookable(&input, at("2026-03-30T13:00:00Z"), now), Err(WhyNot::Taken));
    assert!(bookable(&input, at("2026-03-30T13:15:00Z"), now).is_ok());
}

#[test]
fn each_cause_has_its_name() {
    let zone = zone("UTC");
    let mut diary = diary(daily(540, 1020));
    diary.blocks.push(stretch("2026-03-30T12:00:00Z", "2026-03-30T13:00:00Z"));
    let own = [stretch("2026-03-30T15:00:00Z", "2026-03-30T16:00:00Z")];
    let rules = Rules { notice_min: 120, horizon_days: 2, ..RULES };
    let input = Window { student: &own, ..window(&zone, rules, date(2026, 3, 30), &diary) };
    let now = at("2026-03-30T09:00:00Z");
    let why = |start: &str| bookable(&input, at(start), now).expect_err("not free");
    assert_eq!(why("2026-03-30T08:00:00Z"), WhyNot::Past);
    assert_eq!(why("2026-03-30T10:59:00Z"), WhyNot::TooSoon(120));
    assert_eq!(why("2026-03-30T11:30:00Z"), WhyNot::Blocked);
    assert_eq!(why("2026-03-30T15:30:00Z"), WhyNot::OwnLesson);
    assert_eq!(why("2026-03-30T16:30:00Z"), WhyNot::OutsideHours);
    assert!(bookable(&input, at("2026-04-01T16:00:00Z"), now).is_ok());
    assert_eq!(why("2026-04-02T10:00:00Z"), WhyNot::TooFar(2));
    assert_eq!(why("9999-12-30T22:00:00Z"), WhyNot::TooFar(2));
}

#[test]
fn a_lesson_may_cross_a_seam_and_midnight() {
    let zone = zone("UTC");
    let mut hours = daily(1320, 1440);
    hours.extend(daily(0, 60));
    let diary = diary(hours);
    let input = window(&zone, RULES, date(2026, 3, 30), &diary);
    let found = starts(&input, "2026-03-01T00:00:00Z");
    let expected = ["00:00", "22:00", "22:30", "23:00", "23:30"].map(|at| format!("2026-03-30T{at}:00Z"));
    assert_eq!(found.len(), 5, "{found:?}");
    assert_eq!(found.iter().map(|at| at.replace("+00:00", "Z")).collect::<Vec<_>>(), expected);
}

#[test]
fn spring_forward_skips_the_hour_that_is_not_there() {
    let diary = diary(daily(60, 300));
    let berlin = zone("Europe/Berlin");
    let found = starts(&window(&berlin, RULES, date(2026, 3, 29), &diary), "2026-03-01T00:00:00Z");
    let expected = ["01:00:00+01:00", "01:30:00+01:00", "03:00:00+02:00", "03:30:00+02:00", "04:00:00+02:00"];
    assert_eq!(found, expected.map(|at| format!("2026-03-29T{at}")));
    let york = zone("America/New_York");
    let found = starts(&window(&york, RULES, date(2026, 3, 8), &diary), "2026-03-01T00:00:00Z");
    let expected = ["01:00:00-05:00", "01:30:00-05:00", "03:00:00-04:00", "03:30:00-04:00", "04:00:00-04:00"];
    assert_eq!(found, expected.map(|at| format!("2026-03-08T{at}")));
}

#[test]
fn fall_back_has_the_hour_twice() {
    let diary = diary(daily(60, 240));
    let berlin = zone("Europe/Berlin");
    let found = starts(&window(&berlin, RULES, date(2026, 10, 25), &diary), "2026-10-01T00:00:00Z");
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
    let york = zone("America/New_York");
    let found = starts(&window(&york, RULES, date(2026, 11, 1), &diary), "2026-10-01T00:00:00Z");
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
    let berlin = zone("Europe/Berlin");
    let diary = diary(daily(135, 180));
    let rules = Rules { duration_min: 15, ..RULES };
    assert!(starts(&window(&berlin, rules, date(2026, 3, 29), &diary), "2026-03-01T00:00:00Z").is_empty());
    assert_eq!(starts(&window(&berlin, rules, date(2026, 3, 30), &diary), "2026-03-01T00:00:00Z").len(), 3);
}

#[test]
fn the_nearest_are_in_order() {
    let slot =
        |text: &str| Slot { starts_at: at(text), ends_at: at(text), instructor: InstructorId(Uuid::nil()) };
    let slots = ["08:00", "10:00", "10:00", "12:00", "12:30", "18:00"]
        .map(|clock| slot(&format!("2026-03-30T{clock}:00Z")));
    let found = nearest(&slots, at("2026-03-30T11:00:00Z"), 3);
    assert_eq!(found, ["10:00", "12:00", "12:30"].map(|clock| at(&format!("2026-03-30T{clock}:00Z"))));
}

prop_compose! {
    fn any_hour()(weekday in 1i16..=7, start in 0i16..1380, length in 15i16..720) -> WeeklyHour {
        WeeklyHour { weekday, start_minute: start, end_minute: (start + length).min(1440) }
    }
}

prop_compose! {
    /// Minutes from the first of March or of October 2026, which are before the changes of both zones.
    fn any_stretch()(start in 0i64..50_000, length in 5i64..600) -> (i64, i64) {
        (start, start + length)
    }
}

prop_compose! {
    fn any_rules()(duration in 5i32..240, before in 0i32..60, after in 0i32..60, notice in 0i32..3000, horizon in 1i32..40)
        -> Rules {
        Rules {
            duration_min: duration,
            buffer_before_min: before,
            buffer_after_min: after,
            notice_min: notice,
            horizon_days: horizon,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_listed_is_free_and_can_be_booked(
        berlin in any::<bool>(),
        spring in any::<bool>(),
        hours in prop::collection::vec(any_hour(), 0..12),
        blocks in prop::collection::vec(any_stretch(), 0..6),
        claims in prop::collection::vec(any_stretch(), 0..20),
        own in prop::collection::vec(any_stretch(), 0..6),
        more in any_stretch(),
        rules in any_rules(),
        first in 0i64..30,
    ) {
        let zone = zone(if berlin { "Europe/Berlin" } else { "America/New_York" });
        let start = if spring { date(2026, 3, 1) } else { date(2026, 10, 1) };
        let now = zone.day_start(start);
        let place = |(from, to): (i64, i64)| Stretch {
            starts_at: now + SignedDuration::from_mins(from),
            ends_at: now + SignedDuration::from_mins(to),
        };
        let mut diary = diary(hours);
        diary.blocks = blocks.into_iter().map(place).collect();
        diary.claims = claims.into_iter().map(place).collect();
        let student: Vec<Stretch> = own.into_iter().map(place).collect();
        let from = start.saturating_add(first.days());
        let to = from.saturating_add(14.days());
        let input = Window { zone: &zone, rules, from, to, diary: &diary, student: &student };
        let slots = free_slots(&input, now);

        prop_assert!(slots.windows(2).all(|pair| pair[0].starts_at < pair[1].starts_at));
        for slot in &slots {
            prop_assert_eq!(bookable(&input, slot.starts_at, now), Ok(*slot));
            let claim = rules.claim(slot.starts_at);
            prop_assert!(!diary.claims.iter().chain(&diary.blocks).any(|taken| taken.overlaps(claim)));
            prop_assert!(slot.starts_at >= now + SignedDuration::from_mins(i64::from(rules.notice_min)));
            let day = zone.date(slot.starts_at);
            prop_assert!(from <= day && day < to);
            prop_assert!(day <= start.saturating_add(i64::from(rules.horizon_days).days()));
        }

        let mut fuller = diary.clone();
        fuller.claims.push(place(more));
        let fewer = free_slots(&Window { diary: &fuller, ..input }, now);
        let all: BTreeSet<Slot> = slots.into_iter().collect();
        prop_assert!(fewer.iter().all(|slot| all.contains(slot)));
    }

    /// On days without a change of clocks, hours can be checked by the wall clock alone.
    #[test]
    fn every_slot_lies_within_hours(hours in prop::collection::vec(any_hour(), 0..12), rules in any_rules()) {
        let zone = zone("Europe/Berlin");
        let diary = diary(hours);
        let day = date(2026, 6, 1);
        let now = zone.day_start(day);
        let input = Window { zone: &zone, rules, from: day, to: day.saturating_add(7.days()), diary: &diary, student: &[] };
        for slot in free_slots(&input, now) {
            let mut minute = slot.starts_at;
            while minute < slot.ends_at {
                let local = minute.to_zoned(zone.tz().clone());
                let weekday = i16::from(local.weekday().to_monday_one_offset());
                let clock = i16::from(local.hour()) * 60 + i16::from(local.minute());
                let open = |hour: &WeeklyHour| {
                    hour.weekday == weekday && hour.start_minute <= clock && clock < hour.end_minute
                };
                prop_assert!(diary.hours.iter().any(open));
                minute = shift(minute, 3);
            }
        }
    }
}
