//! Counts kept in the process, for limits that every request meets.

use std::collections::{HashMap, hash_map::Entry};

use super::{Rule, Verdict, at};
use crate::Instant;

/// The requests of one window, as this instance knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    /// Of all instances, when the database was last asked.
    known: i64,
    /// Ours, on their way to it.
    flying: i64,
    /// Ours since then.
    pending: i64,
}

impl Count {
    fn total(self) -> i64 {
        self.known + self.flying + self.pending
    }
}

#[derive(Debug)]
struct Counter {
    rule: Rule,
    start: i64,
    period: i64,
    before: Count,
    current: Count,
}

impl Counter {
    /// Goes on to the window that begins at `start`. A clock that was set back stays where it was.
    fn roll(&mut self, start: i64) {
        if start <= self.start {
            return;
        }
        let next = start == self.start + self.period;
        self.before = if next { self.current } else { Count::default() };
        self.current = Count::default();
        self.start = start;
    }

    fn of(&mut self, start: i64) -> Option<&mut Count> {
        if start == self.start {
            Some(&mut self.current)
        } else if start == self.start - self.period {
            Some(&mut self.before)
        } else {
            None
        }
    }
}

/// Requests of one key in one window that the database hasn't heard of; none to only ask for the total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// Whose, and by which rule.
    pub key: String,
    /// When the window began.
    pub start: Instant,
    /// How many.
    pub requests: i32,
}

/// Counts of many keys, but never of more than it is made for.
#[derive(Debug)]
pub struct Counts {
    counters: HashMap<String, Counter>,
    capacity: usize,
}

impl Counts {
    /// For at most `capacity` keys at a time. When more come within two periods, the rest goes uncounted: to refuse
    /// them would shut out everyone new, and what an attacker is after is behind a strict limit.
    pub fn new(capacity: usize) -> Self {
        Self { counters: HashMap::new(), capacity }
    }

    /// Whether new keys go uncounted.
    pub fn is_full(&self) -> bool {
        self.counters.len() >= self.capacity
    }

    /// Counts a try, if it fits.
    pub fn take(&mut self, rule: &Rule, whose: &str, now: Instant) -> Verdict {
        let window = rule.window(now);
        let full = self.is_full();
        let counter = match self.counters.entry(rule.key(whose)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if full => return rule.verdict(&window, true, 0, 1),
            Entry::Vacant(entry) => entry.insert(Counter {
                rule: *rule,
                start: window.start,
                period: window.period,
                before: Count::default(),
                current: Count::default(),
            }),
        };
        counter.roll(window.start);
        let (before, current) = (counter.before.total(), counter.current.total());
        let allowed = rule.fits(&window, before, current);
        if allowed {
            counter.current.pending += 1;
        }
        rule.verdict(&window, allowed, before, current + i64::from(allowed))
    }

    /// Takes out what the database hasn't heard of, in the order of its keys, and forgets who hasn't come for two
    /// periods. Each delta is answered by [`Counts::settle`] or [`Counts::keep`].
    pub fn due(&mut self, now: Instant) -> Vec<Delta> {
        let mut due = Vec::new();
        self.counters.retain(|key, counter| {
            counter.roll(counter.rule.window(now).start);
            if counter.before.pending + counter.current.pending > 0 {
                let (start, period) = (counter.start, counter.period);
                for (start, count) in [(start - period, &mut counter.before), (start, &mut counter.current)] {
                    let requests = i32::try_from(count.pending).unwrap_or(i32::MAX);
                    count.flying += count.pending;
                    count.pending = 0;
                    due.push(Delta { key: key.clone(), start: at(start), requests });
                }
            }
            counter.before.total() + counter.current.total() > 0
        });
        due.sort_by(|a, b| (&a.key, a.start).cmp(&(&b.key, b.start)));
        due
    }

    /// The database has counted a delta; the window's total is now this.
    pub fn settle(&mut self, delta: &Delta, total: i64) {
        if let Some(count) = self.count(delta) {
            count.known = total;
            count.flying = 0;
        }
    }

    /// The database could not count a delta: it is still due.
    pub fn keep(&mut self, delta: &Delta) {
        if let Some(count) = self.count(delta) {
            count.pending += count.flying;
            count.flying = 0;
        }
    }

    fn count(&mut self, delta: &Delta) -> Option<&mut Count> {
        self.counters.get_mut(&delta.key)?.of(delta.start.as_millisecond())
    }
}
