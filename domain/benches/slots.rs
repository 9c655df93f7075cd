//! The engine that lists free times (BK-04): 50 instructors over 14 days with 5,000 lessons, under 5 ms in a release build.
//! Everything that a page asks of it is counted, sorting included; reading the rows is not.

use std::collections::BTreeMap;

use divan::{Bencher, black_box};
use domain::{
    Instant,
    availability::{
        Claim, Diary, Learner, Need, Place, Rules, School, Stretch, WeeklyHour, Window, free_slots, place_key,
    },
    ids::InstructorId,
    zoned::Zone,
};
use jiff::{
    SignedDuration, ToSpan,
    civil::{Date, date},
};
use uuid::Uuid;

fn main() {
    divan::main();
}

/// The days of BK-04, with everything that a time can depend on.
#[divan::bench]
fn fifty_instructors_for_two_weeks(bencher: Bencher) {
    let school = Busy::new(50, 14);
    assert_eq!(school.diaries.iter().map(|diary| diary.claims.len()).sum::<usize>(), 5_000);
    assert!(school.list() > 1_000);
    bencher.bench_local(|| black_box(&school).list());
}

/// What most schools are: the week of the book page.
#[divan::bench]
fn five_instructors_for_a_week(bencher: Bencher) {
    let school = Busy::new(5, 7);
    bencher.bench_local(|| black_box(&school).list());
}

/// One instructor, as when someone is asked for by name.
#[divan::bench]
fn one_instructor_for_a_week(bencher: Bencher) {
    let school = Busy::new(1, 7);
    bencher.bench_local(|| black_box(&school).list());
}

/// A school with few gaps.
struct Busy {
    zone: Zone,
    now: Instant,
    from: Date,
    to: Date,
    diaries: Vec<Diary>,
    student: Learner,
    needs: Vec<Need>,
    school: School,
    place: Place,
}

impl Busy {
    fn new(instructors: usize, days: i64) -> Self {
        let zone = Zone::parse("Europe/Berlin").expect("a zone");
        // Over the day on which the clock goes forward.
        let from = date(2026, 3, 23);
        let diaries: Vec<Diary> = (0..instructors).map(|n| diary(&zone, from, days, n)).collect();
        let mut units: Vec<(Uuid, Vec<Stretch>)> = diaries
            .iter()
            .map(|diary| {
                let mut taken: Vec<Stretch> = diary.claims.iter().map(|claim| claim.stretch).collect();
                taken.sort_unstable();
                (diary.instructor.0, taken)
            })
            .collect();
        units.push((Uuid::from_u128(1_000), Vec::new()));
        let own = (0..days / 2).map(|n| claim(&zone, from.saturating_add((n * 2).days()), 10, 0)).collect();
        Self {
            now: zone.day_start(from.saturating_sub(3.days())),
            from,
            to: from.saturating_add(days.days()),
            diaries,
            student: Learner {
                claims: own,
                max_per_day: Some(2),
                max_per_week: Some(10),
                ..Learner::default()
            },
            needs: vec![Need { name: "Car".into(), units: 1, each: units }],
            school: School { holidays: BTreeMap::from([(date(2026, 4, 3), "Good Friday".to_owned())]) },
            place: Place::At(place_key("7 Short Street")),
            zone,
        }
    }

    /// How many free times there are.
    fn list(&self) -> usize {
        let rules = Rules {
            duration_min: 50,
            buffer_before_min: 5,
            buffer_after_min: 5,
            notice_min: 120,
            horizon_days: 60,
            capacity: 1,
            needs_credit: false,
        };
        let slots = self.diaries.iter().map(|diary| {
            let window = Window {
                zone: &self.zone,
                rules,
                from: self.from,
                to: self.to,
                diary,
                student: Some(&self.student),
                needs: &self.needs,
                school: &self.school,
                place: &self.place,
            };
            free_slots(&window, self.now).len()
        });
        slots.sum()
    }
}

/// Ten hours each day, of which lessons leave two or three, at another time for each instructor and day.
fn diary(zone: &Zone, from: Date, days: i64, n: usize) -> Diary {
    let mut claims = Vec::new();
    for day in 0..days {
        let gap = if day % 7 == 0 { 2 } else { 3 };
        let shift = i64::try_from(n).unwrap_or(0) + day;
        let hours = (0..10).filter(|hour| (hour + shift) % 10 >= gap);
        claims.extend(hours.map(|hour| claim(zone, from.saturating_add(day.days()), 8 + hour, shift + hour)));
    }
    // As a database returns them: in no order that helps.
    claims.reverse();
    let opening = |weekday: i16, start: i16, end: i16| WeeklyHour {
        weekday,
        start_minute: start * 60,
        end_minute: end * 60,
    };
    Diary {
        hours: (1..=7).flat_map(|day| [opening(day, 8, 13), opening(day, 13, 18)]).collect(),
        exceptions: BTreeMap::from([(from.saturating_add(5.days()), vec![(600, 1080)])]),
        blocks: vec![claim(zone, from.saturating_add(1.days()), 12, 0).stretch],
        claims,
        travel_min: 10,
        max_per_day: Some(9),
        max_per_week: Some(60),
        ..Diary::new(InstructorId(Uuid::from_u128(n as u128)))
    }
}

/// A lesson of fifty minutes with five more at both ends.
fn claim(zone: &Zone, day: Date, hour: i64, street: i64) -> Claim {
    let starts_at = zone.day_start(day) + SignedDuration::from_mins(hour * 60);
    let minutes = SignedDuration::from_mins;
    Claim {
        stretch: Stretch { starts_at, ends_at: starts_at + minutes(60) },
        place: place_key(&format!("{} Long Street", street % 20)),
        ..Claim::plain(Stretch { starts_at: starts_at + minutes(5), ends_at: starts_at + minutes(55) })
    }
}
