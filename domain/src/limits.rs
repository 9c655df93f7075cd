//! How often anyone may try (SE-01), counted by all instances together.
//!
//! A window is a stretch of a rule's period, cut from the beginning of 1970. What the last period held is estimated: all
//! of this window, and as much of the one before as the last period still covers. A try that doesn't fit isn't counted,
//! so that trying on while refused never makes the wait longer.
//!
//! Strict limits are counted in Postgres before the work begins ([`store::take`]). General ones are counted in the
//! process ([`Counts`]) and told to the others each second ([`store::flush`]).

use jiff::SignedDuration;

use crate::Instant;

mod counts;
pub mod store;

pub use counts::{Counts, Delta};

/// Whose tries are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Those of a client's address.
    Address,
    /// Those of an account, wherever it is used.
    Account,
    /// Those made on the machine itself.
    Machine,
}

/// So many tries in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is called in the table of counts.
    pub name: &'static str,
    /// Tries in a period.
    pub limit: u32,
    /// The period.
    pub period: SignedDuration,
    /// Whose.
    pub by: By,
    /// A try that went well is given back: a whole school sits behind one address.
    pub gives_back: bool,
    /// For people; when to try again is added.
    pub message: &'static str,
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

const fn by_address(name: &'static str, limit: u32, period: SignedDuration, message: &'static str) -> Rule {
    Rule { name, limit, period, by: By::Address, gives_back: false, message }
}

/// Requests of those who aren't signed in.
pub const PUBLIC: Rule =
    by_address("public", 60, MINUTE, "Too many requests came from your network in a minute.");
/// Requests of those who are.
pub const SIGNED_IN: Rule =
    Rule { by: By::Account, ..by_address("signed_in", 100, MINUTE, "Too many requests in a minute.") };
/// Passwords, codes and login links.
pub const LOGIN: Rule = Rule {
    gives_back: true,
    ..by_address("login", 5, MINUTE, "Too many failed logins came from your network.")
};
/// New accounts.
pub const REGISTER: Rule =
    by_address("register", 3, HOUR, "Too many accounts were made from your network in an hour.");
/// Mails with a link to a new password.
pub const FORGOT: Rule =
    by_address("forgot", 3, HOUR, "Too many such mails were asked for from your network in an hour.");
/// Mails with a link to log in.
pub const MAGIC: Rule =
    by_address("magic", 3, HOUR, "Too many such mails were asked for from your network in an hour.");
/// New passwords by a link.
pub const RESET: Rule =
    by_address("reset", 5, HOUR, "Too many passwords were set from your network in an hour.");
/// Links that show an address to be one's own, and invites.
pub const VERIFY: Rule =
    by_address("verify", 10, HOUR, "Too many links were used from your network in an hour.");
/// Lessons booked by the one who takes them.
pub const BOOK: Rule = Rule {
    by: By::Account,
    ..by_address("book", 20, HOUR, "That is very many bookings for one hour. Nothing was booked.")
};
/// Times that are kept for a while: nobody looks at as many in earnest.
pub const HOLD: Rule = Rule {
    by: By::Account,
    ..by_address(
        "hold",
        60,
        HOUR,
        "That is very many times to keep in one hour. Book one of them, or come back later.",
    )
};
/// Moving and waiting: each act sends a message or makes the school look.
pub const MOVE: Rule = Rule {
    by: By::Account,
    ..by_address("move", 90, HOUR, "That is very many changes for one hour. Nothing was changed.")
};
/// Super-admins made on the machine.
pub const ADMIN_CREATE: Rule = Rule {
    by: By::Machine,
    ..by_address(
        "admin_create",
        5,
        DAY,
        "Five super-admins were made within a day, which is all there may be.",
    )
};

/// Every rule.
pub const RULES: [Rule; 12] =
    [PUBLIC, SIGNED_IN, LOGIN, REGISTER, FORGOT, MAGIC, RESET, VERIFY, BOOK, HOLD, MOVE, ADMIN_CREATE];

/// A window of a rule at a moment, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: i64,
    pub(crate) period: i64,
    /// From the moment to the window's end: more than nothing, at most the period.
    pub(crate) rest: i64,
}

/// What became of a try, and what the headers say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may go on.
    pub allowed: bool,
    /// Tries in a period.
    pub limit: u32,
    /// Tries left now.
    pub remaining: u32,
    /// Seconds to the end of the window; when refused, seconds until a try fits again.
    pub reset: u64,
}

impl Verdict {
    /// The same once the try has been given back.
    #[must_use]
    pub fn given_back(self) -> Self {
        Self { remaining: (self.remaining + 1).min(self.limit), ..self }
    }
}

impl Rule {
    /// What its tries are counted under.
    pub fn key(&self, whose: &str) -> String {
        format!("{}:{whose}", self.name)
    }

    /// What is said to someone who was refused.
    pub fn refusal(&self, verdict: &Verdict) -> String {
        format!("{} Try again in {}.", self.message, in_words(verdict.reset))
    }

    pub(crate) fn window(&self, now: Instant) -> Window {
        let period = i64::try_from(self.period.as_millis()).unwrap_or(i64::MAX).max(1);
        let now = now.as_millisecond();
        let past = now.rem_euclid(period);
        Window { start: now - past, period, rest: period - past }
    }

    /// Whether one more try fits. `store::take` asks the same in SQL.
    pub(crate) fn fits(&self, window: &Window, before: i64, current: i64) -> bool {
        before * window.rest + (current + 1) * window.period <= i64::from(self.limit) * window.period
    }

    /// What to say, given both counts after the try.
    pub(crate) fn verdict(&self, window: &Window, allowed: bool, before: i64, current: i64) -> Verdict {
        let spent = before * window.rest + current * window.period;
        let left = (i64::from(self.limit) * window.period - spent).max(0) / window.period;
        let wait = if allowed { window.rest } else { self.wait(window, before, current) };
        Verdict {
            allowed,
            limit: self.limit,
            remaining: if allowed { u32::try_from(left).unwrap_or(self.limit) } else { 0 },
            reset: u64::try_from(wait.max(1)).unwrap_or(1).div_ceil(1000),
        }
    }

    /// Milliseconds until one more try fits, if none comes meanwhile.
    fn wait(&self, window: &Window, before: i64, current: i64) -> i64 {
        let limit = i64::from(self.limit);
        if current < limit && before > 0 {
            // Later in this window, when less of the one before counts.
            let rest = (limit - current - 1) * window.period / before;
            return (window.rest - rest).max(0);
        }
        // In the next window, where this one is the one before.
        let rest = ((limit - 1).max(0) * window.period / current.max(1)).min(window.period);
        window.rest + window.period - rest
    }
}

impl Window {
    pub(crate) fn starts_at(&self) -> Instant {
        at(self.start)
    }

    pub(crate) fn before(&self) -> Instant {
        at(self.start - self.period)
    }
}

pub(crate) fn at(milliseconds: i64) -> Instant {
    Instant::from_millisecond(milliseconds).unwrap_or_default()
}

/// "40 seconds", "12 minutes", "3 hours": rounded up, so that who waits so long isn't refused again.
pub fn in_words(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..=120 => (seconds, "second"),
        121..=7200 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3600), "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
