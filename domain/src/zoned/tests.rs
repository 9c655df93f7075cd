use jiff::{SignedDuration, civil::date};
use uuid::Uuid;

use super::*;
use crate::{
    availability::{Diary, Place, Rules, School, WeeklyHour, Window, free_slots},
    ids::InstructorId,
};

#[test]
fn a_skipped_minute_is_the_jump() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let day = date(2027, 3, 28);
    for minute in [120, 121, 150, 179, 180] {
        assert_eq!(berlin.rfc3339(berlin.at_minute(day, minute)), "2027-03-28T03:00:00+02:00", "{minute}");
    }
    assert_eq!(berlin.rfc3339(berlin.at_minute(day, 119)), "2027-03-28T01:59:00+01:00");
    assert_eq!(berlin.jump(day.at(12, 0, 0, 0)), None);
}

/// Every change of every zone's clock over ten years (BK-06): what a local time means around it, and that the slots of
/// that day are real hours, each once.
#[test]
fn every_change_of_every_zone_for_ten_years() {
    let (from, to): (Timestamp, Timestamp) =
        ("2026-01-01T00:00:00Z".parse().unwrap(), "2036-01-01T00:00:00Z".parse().unwrap());
    let mut changes = 0;
    for name in jiff::tz::db().available() {
        let Ok(zone) = Zone::parse(name.as_str()) else { continue };
        for change in zone.tz().following(from).take_while(|change| change.timestamp() < to) {
            let jump = change.timestamp();
            let just_before = jump - SignedDuration::from_secs(1);
            let (before, after) = (zone.tz().to_offset(just_before), zone.tz().to_offset(jump));
            let shift = i64::from(after.seconds() - before.seconds());
            if shift == 0 {
                continue;
            }
            changes += 1;
            check_readings(&zone, jump, shift);
            check_slots(&zone, jump);
        }
    }
    // Some forty zones of the world change twice a year, and most of them have several names.
    assert!(changes > 2_000, "{changes}: is there a time zone database?");
}

fn check_readings(zone: &Zone, jump: Timestamp, shift: i64) {
    let local = |at: Timestamp| at.to_zoned(zone.tz().clone()).datetime();
    let after = local(jump);
    for seconds in [1, shift.abs() / 2, shift.abs() - 1] {
        let step = SignedDuration::from_secs(seconds);
        if shift > 0 {
            // The clock skips what lies before the time it jumps to.
            let skipped = after - step;
            assert_eq!(zone.resolve(skipped), LocalTime::Never, "{zone} {skipped}");
            assert_eq!(zone.jump(skipped), Some(jump), "{zone} {skipped}");
        } else {
            // The clock shows what lies behind the time it falls back to twice: before the change and after it.
            let twice = after + step;
            let second = jump + step;
            let first = second - SignedDuration::from_secs(shift.abs());
            assert_eq!(zone.resolve(twice), LocalTime::Twice(first, second), "{zone} {twice}");
        }
    }
    for hours in [-30, -26, 26, 30] {
        let away = jump + SignedDuration::from_hours(hours);
        assert_eq!(zone.resolve(local(away)), LocalTime::Once(away), "{zone} {away}");
    }
}

fn check_slots(zone: &Zone, jump: Timestamp) {
    let day = zone.date(jump);
    let hours = (1..=7).map(|weekday| WeeklyHour { weekday, start_minute: 0, end_minute: 1440 }).collect();
    let diary = Diary { hours, ..Diary::new(InstructorId(Uuid::nil())) };
    let rules = Rules {
        duration_min: 60,
        buffer_before_min: 0,
        buffer_after_min: 0,
        notice_min: 0,
        horizon_days: 365,
        capacity: 1,
        needs_credit: false,
    };
    let Ok(next) = day.tomorrow() else { return };
    let school = School::default();
    let window = Window {
        zone,
        rules,
        from: day,
        to: next,
        diary: &diary,
        student: None,
        needs: &[],
        school: &school,
        place: &Place::Nowhere,
    };
    let slots = free_slots(&window, jump - SignedDuration::from_hours(72));
    for slot in &slots {
        assert_eq!(
            slot.ends_at.duration_since(slot.starts_at),
            SignedDuration::from_hours(1),
            "{zone} {day}"
        );
        assert_eq!(zone.date(slot.starts_at), day, "{zone} {day}");
    }
    assert!(slots.windows(2).all(|two| two[0].starts_at < two[1].starts_at), "{zone} {day}");
    // As many as there are half hours in that day, be it 23, 24, 24½ or 25 hours long.
    let length = zone.day_start(next).duration_since(zone.day_start(day));
    assert_eq!(slots.len() as i64, length.as_secs() / 1800, "{zone} {day}");
}
