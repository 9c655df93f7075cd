use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const THREE: Rule = by_address("three", 3, MINUTE, "Too many.");

fn start() -> Instant {
    "2027-01-12T07:30:00Z".parse().unwrap()
}

fn after(milliseconds: i64) -> Instant {
    start() + SignedDuration::from_millis(milliseconds)
}

/// What all instances together have let through, by the beginning of the window.
type Table = BTreeMap<(String, Instant), i64>;

fn held(table: &Table, rule: &Rule, now: Instant) -> (i64, i64) {
    let window = rule.window(now);
    let count = |start| table.get(&(rule.key("a"), start)).copied().unwrap_or(0);
    (count(window.before()), count(window.starts_at()))
}

/// As the task that tells the database does it.
fn flush(counts: &mut Counts, table: &mut Table, now: Instant) {
    for delta in counts.due(now) {
        let total = table.entry((delta.key.clone(), delta.start)).or_default();
        *total += i64::from(delta.requests);
        let total = *total;
        counts.settle(&delta, total);
    }
}

#[test]
fn the_fourth_of_three_waits_and_then_fits() {
    let mut counts = Counts::new(10);
    let left: Vec<u32> = (0..3).map(|_| counts.take(&THREE, "a", start()).remaining).collect();
    assert_eq!(left, [2, 1, 0]);
    let refused = counts.take(&THREE, "a", start());
    // A minute to the next window, and then until only two thirds of this one count.
    assert_eq!(refused, Verdict { allowed: false, limit: 3, remaining: 0, reset: 80 });
    assert_eq!(THREE.refusal(&refused), "Too many. Try again in 80 seconds.");
    assert!(!counts.take(&THREE, "a", after(79_999)).allowed);
    assert!(counts.take(&THREE, "b", start()).allowed, "another is not held back");
    assert!(counts.take(&THREE, "a", after(80_000)).allowed);
    assert!(!counts.take(&THREE, "a", after(80_000)).allowed);
    // Two windows later nothing is left of it.
    assert_eq!(counts.take(&THREE, "a", after(240_000)).remaining, 2);
}

#[test]
fn times_are_said_in_words() {
    let said = [1, 72, 120, 121, 3600, 7200, 7201, 86_400].map(in_words);
    let wanted = [
        "1 second",
        "72 seconds",
        "120 seconds",
        "3 minutes",
        "60 minutes",
        "120 minutes",
        "3 hours",
        "24 hours",
    ];
    assert_eq!(said, wanted);
}

#[test]
fn rules_have_names_of_their_own_and_the_figures_of_the_specification() {
    let table: Vec<String> = RULES
        .iter()
        .map(|rule| format!("{} {}/{}s {:?}", rule.name, rule.limit, rule.period.as_secs(), rule.by))
        .collect();
    assert_eq!(
        table,
        [
            "public 60/60s Address",
            "signed_in 100/60s Account",
            "login 5/60s Address",
            "register 3/3600s Address",
            "forgot 3/3600s Address",
            "magic 3/3600s Address",
            "reset 5/3600s Address",
            "verify 10/3600s Address",
            "book 20/3600s Account",
            "hold 60/3600s Account",
            "move 90/3600s Account",
            "admin_create 5/86400s Machine",
        ]
    );
    assert!(RULES.iter().all(|rule| !rule.name.contains(':')), "the name ends at the colon");
    assert!(RULES.iter().all(|rule| rule.gives_back == (rule.name == "login")));
}

#[test]
fn many_keys_take_no_more_room_than_is_given() {
    let mut counts = Counts::new(100);
    for key in 0..100_000 {
        assert!(counts.take(&THREE, &key.to_string(), start()).allowed);
    }
    assert!(counts.is_full());
    assert_eq!(counts.due(start()).len(), 200);
    // Who was there before is still counted.
    let mut more = (0..3).map(|_| counts.take(&THREE, "7", start()).allowed);
    assert!(more.next().unwrap() && more.next().unwrap() && !more.next().unwrap());
    counts.due(after(120_000));
    assert!(!counts.is_full(), "the idle are forgotten");
}

#[test]
fn what_the_database_could_not_count_stays_due() {
    let mut counts = Counts::new(10);
    counts.take(&THREE, "a", start());
    let lost = counts.due(start());
    assert_eq!(lost.iter().map(|delta| delta.requests).collect::<Vec<_>>(), [0, 1]);
    assert!(counts.due(start()).is_empty(), "on its way");
    counts.take(&THREE, "a", start());
    lost.iter().for_each(|delta| counts.keep(delta));
    let again = counts.due(start());
    assert_eq!(again.iter().map(|delta| delta.requests).collect::<Vec<_>>(), [0, 2]);
    // Another instance has used the third.
    again
        .iter()
        .for_each(|delta| counts.settle(delta, i64::from(delta.requests) + i64::from(delta.requests > 0)));
    assert!(!counts.take(&THREE, "a", start()).allowed);
}

#[test]
fn a_delta_finds_its_window_after_the_next_has_begun() {
    let mut counts = Counts::new(10);
    counts.take(&THREE, "a", after(59_000));
    let due = counts.due(after(59_000));
    counts.take(&THREE, "a", after(60_000));
    for delta in &due {
        counts.settle(delta, if delta.requests > 0 { 3 } else { 0 });
    }
    // Three before, of which all counts at the very beginning, and one now.
    assert!(!counts.take(&THREE, "a", after(60_000)).allowed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever comes whenever: no window holds more than the limit, nor does the estimate, and who waits as long as is
    /// said is let through.
    #[test]
    fn no_more_than_the_limit(limit in 1u32..20, gaps in prop::collection::vec(0i64..30_000, 1..200)) {
        let rule = Rule { limit, ..THREE };
        let mut counts = Counts::new(10);
        let mut table = Table::new();
        let mut now = 0;
        for gap in gaps {
            now += gap;
            let (before, current) = held(&table, &rule, after(now));
            let verdict = counts.take(&rule, "a", after(now));
            let window = rule.window(after(now));
            let share = |rest: i64| before as f64 * rest as f64 / window.period as f64;
            prop_assert_eq!(verdict.limit, limit);
            if verdict.allowed {
                *table.entry((rule.key("a"), window.starts_at())).or_default() += 1;
                prop_assert!(current < i64::from(limit));
                prop_assert!(share(window.rest) + current as f64 + 1.0 <= f64::from(limit) + 1e-9);
                prop_assert!(i64::from(verdict.remaining) < i64::from(limit) - current);
            } else {
                prop_assert!(share(window.rest) + current as f64 + 1.0 > f64::from(limit) - 1e-9);
                let wait = i64::try_from(verdict.reset).unwrap() * 1000;
                prop_assert!(0 < wait && wait <= 2 * window.period);
                let later = after(now + wait);
                let (before, current) = held(&table, &rule, later);
                prop_assert!(rule.fits(&rule.window(later), before, current));
            }
        }
    }

    /// A refused try leaves no trace: without it all others go as they went.
    #[test]
    fn refused_tries_do_not_count(gaps in prop::collection::vec(0i64..20_000, 1..200)) {
        let mut now = 0;
        let times: Vec<Instant> = gaps.iter().map(|gap| { now += gap; after(now) }).collect();
        let mut counts = Counts::new(10);
        let allowed: Vec<Instant> =
            times.into_iter().filter(|at| counts.take(&THREE, "a", *at).allowed).collect();
        let mut fresh = Counts::new(10);
        prop_assert!(allowed.iter().all(|at| fresh.take(&THREE, "a", *at).allowed));
    }

    /// Two instances that tell each other: nothing is lost or counted twice, and each lets through at most the limit
    /// by itself.
    #[test]
    fn instances_add_up(steps in prop::collection::vec((any::<bool>(), any::<bool>(), 0i64..10_000), 1..200)) {
        let mut instances = [Counts::new(10), Counts::new(10)];
        let (mut table, mut let_through) = (Table::new(), Table::new());
        let mut now = 0;
        for (first, tells, gap) in steps {
            now += gap;
            let counts = &mut instances[usize::from(first)];
            if counts.take(&THREE, "a", after(now)).allowed {
                *let_through.entry((THREE.key("a"), THREE.window(after(now)).starts_at())).or_default() += 1;
            }
            if tells {
                instances.iter_mut().for_each(|counts| flush(counts, &mut table, after(now)));
            }
        }
        instances.iter_mut().for_each(|counts| flush(counts, &mut table, after(now)));
        let (before, current) = held(&table, &THREE, after(now));
        prop_assert_eq!(held(&let_through, &THREE, after(now)), (before, current));
        prop_assert!(before <= 6 && current <= 6);
    }
}
