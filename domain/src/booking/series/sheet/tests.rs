use jiff::SignedDuration;

use super::*;

fn at(text: &str) -> Instant {
    text.parse().expect("a moment")
}

fn instructor(n: u128) -> InstructorId {
    InstructorId(Uuid::from_u128(n))
}

fn pack(left: i32, expires_at: Option<&str>) -> Credit {
    Credit { instructor: instructor(1), left, expires_at: expires_at.map(at) }
}

/// Weeks from a Tuesday on; `None` for those that are left out.
fn weeks(kept: &[bool]) -> Vec<Option<Instant>> {
    let start = |n: i64| at("2026-03-03T14:00:00Z") + SignedDuration::from_hours(n * 24 * 7);
    (0..).zip(kept).map(|(n, kept)| kept.then(|| start(n))).collect()
}

#[test]
fn packs_pay_as_far_as_they_reach() {
    let starts = weeks(&[true, true, false, true, true]);
    assert_eq!(paid(&[], instructor(1), &starts), [false; 5]);
    assert_eq!(paid(&[pack(3, None)], instructor(1), &starts), [true, true, false, true, false]);
    // Of another instructor they pay nothing.
    assert_eq!(paid(&[pack(3, None)], instructor(2), &starts), [false; 5]);
}

#[test]
fn the_pack_that_ends_first_pays_first() {
    let starts = weeks(&[true, true, true, true]);
    // The one that ends on the second lesson pays the first alone.
    let packs = [pack(1, None), pack(5, Some("2026-03-10T14:00:00Z"))];
    assert_eq!(paid(&packs, instructor(1), &starts), [true, true, false, false]);
}

fn diary(n: u128, weight: i32) -> Diary {
    Diary { weight, ..Diary::new(instructor(n)) }
}

#[test]
fn one_instructor_gives_all_of_them() {
    let diaries = [diary(1, 1), diary(2, 1), diary(3, 2)];
    let best = |counts: [(usize, u64); 3]| {
        let sheets = diaries.iter().zip(counts).map(|(diary, (free, lessons))| Sheet {
            diary,
            outcomes: Vec::new(),
            free,
            lessons,
        });
        sheets.max_by(Sheet::better).expect("three of them").diary.instructor
    };
    // Who is free for most.
    assert_eq!(best([(9, 0), (10, 7), (8, 0)]), instructor(2));
    // Of those, who has the fewest lessons.
    assert_eq!(best([(10, 4), (10, 3), (9, 0)]), instructor(2));
    // Who has twice the weight gets twice the lessons.
    assert_eq!(best([(10, 3), (10, 4), (10, 5)]), instructor(3));
    // And then always the same one.
    assert_eq!(best([(10, 3), (10, 3), (10, 6)]), instructor(1));
}
