//! Every change of every zone's clock, 2025 to 2035 (BK-06).

use std::collections::BTreeSet;

use super::*;

/// Openings of each day, wide enough that no hour that a clock shows twice lies across an end of one.
const OPENINGS: [(i16, i16); 3] = [(0, 300), (720, 1080), (1200, 1440)];

/// Zones with the changes of their clocks. Names whose clocks agree all through these years are one.
fn zones() -> Vec<(Zone, Vec<Instant>)> {
    let (from, to) = (at("2025-01-01T00:00:00Z"), at("2036-01-01T00:00:00Z"));
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut names = 0;
    for name in jiff::tz::db().available() {
        let Ok(zone) = Zone::parse(name.as_str()) else { continue };
        names += 1;
        let mut offset = zone.tz().to_offset(from).seconds();
        let mut clock = vec![(from, offset)];
        for change in zone.tz().following(from).take_while(|change| change.timestamp() < to) {
            // Some changes are of the zone's name alone.
            if change.offset().seconds() != offset {
                offset = change.offset().seconds();
                clock.push((change.timestamp(), offset));
            }
        }
        let changes: Vec<Instant> = clock.iter().skip(1).map(|(change, _)| *change).collect();
        if seen.insert(clock) && !changes.is_empty() {
            found.push((zone, changes));
        }
    }
    // Without a time zone database this would prove nothing.
    assert!(names > 300, "{names} zones");
    found
}

#[test]
fn slots_are_right_around_every_change_of_every_zone() {
    let zones = zones();
    let mut changes = 0;
    for (zone, of_zone) in &zones {
        for change in of_zone {
            changes += 1;
            around_a_change(zone, *change);
            four_in_the_afternoon(zone, *change);
        }
    }
    // Some thirty clocks of the world change twice a year.
    assert!(zones.len() >= 20 && changes >= 300, "{} clocks, {changes} changes", zones.len());
}

/// Three days around a change.
fn around_a_change(zone: &Zone, change: Instant) {
    let day = zone.date(change);
    let hours = OPENINGS.iter().flat_map(|(from, to)| daily(*from, *to)).collect();
    let mut world = World::day("UTC", day, hours);
    world.zone = zone.clone();
    (world.from, world.to) = (day.saturating_sub(1.day()), day.saturating_add(2.days()));
    world.rules.duration_min = 50;
    let slots = world.slots();
    let starts: Vec<Instant> = slots.iter().map(|slot| slot.starts_at).collect();
    assert_eq!(starts, expected(&world), "{zone} {change}");
    for pair in starts.windows(2) {
        let apart = pair[1].duration_since(pair[0]);
        assert!(apart >= SignedDuration::from_mins(30), "{zone} {change}");
    }
    for slot in &slots {
        let length = slot.ends_at.duration_since(slot.starts_at);
        assert_eq!(length, SignedDuration::from_mins(50), "{zone} {change}");
        // By the clock on the wall, each part of the lesson lies in an opening.
        for minutes in [0, 20, 40, 49] {
            let wall = shift(slot.starts_at, minutes).to_zoned(zone.tz().clone());
            let minute = i16::from(wall.hour()) * 60 + i16::from(wall.minute());
            let open = OPENINGS.iter().any(|(from, to)| (*from..*to).contains(&minute));
            assert!(open, "{zone} {wall}");
        }
    }
}

/// The starts there should be, each from the zone itself: every half hour from the start of an opening, as long as the
/// lesson ends before the opening does, or the one that follows at midnight.
fn expected(world: &World) -> Vec<Instant> {
    let mut found = Vec::new();
    let mut day = world.from;
    while day < world.to {
        let next = day.tomorrow().expect("a day");
        for (from, to) in OPENINGS {
            let mut start = world.zone.at_minute(day, from);
            let end = world.zone.at_minute(day, to);
            let until = if to == 1440 { world.zone.at_minute(next, OPENINGS[0].1) } else { end };
            while start < end {
                if world.rules.lesson(start).ends_at <= until {
                    found.push(start);
                }
                start = shift(start, 30);
            }
        }
        day = next;
    }
    found
}

/// A lesson at four in the afternoon is at four in the afternoon, on whichever side of a change.
fn four_in_the_afternoon(zone: &Zone, change: Instant) {
    let day = zone.date(change);
    let mut world = World::day("UTC", day, daily(960, 1020));
    world.zone = zone.clone();
    (world.from, world.to) = (day.saturating_sub(8.days()), day.saturating_add(9.days()));
    let slots = world.slots();
    assert_eq!(slots.len(), 17, "{zone} {change}");
    for (days, slot) in (0i64..).zip(&slots) {
        let wall = slot.starts_at.to_zoned(zone.tz().clone()).datetime();
        assert_eq!(wall, world.from.saturating_add(days.days()).at(16, 0, 0, 0), "{zone} {change}");
        assert_eq!(bookable(&world.window(), slot.starts_at, world.now), Ok(*slot));
    }
}
