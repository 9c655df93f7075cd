//! Until when a lesson can be moved and cancelled, and what that costs: by the terms in force when it was booked.

use jiff::SignedDuration;

use super::{Booking, Status};
use crate::{Instant, services::Service, tenancy::Words, zoned::Zone};

/// The terms of a lesson, as they were when it was booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long before its start it can be cancelled for free, in minutes.
    pub cancel_notice_min: i32,
    /// How long before its start its student can move it, in minutes.
    pub move_notice_min: i32,
    /// How often its student can move it; none for as often as they like.
    pub max_moves: Option<i32>,
    /// What cancelling too late costs: of the price, or, when it isn't 0, the prepaid lesson.
    pub late_fee_percent: i32,
}

/// What cancelling too late costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LateCost {
    /// Nothing.
    Nothing,
    /// The lesson of the pack.
    Lesson,
    /// Money.
    Money {
        /// Of the price.
        percent: i32,
        /// How much that is, as the school writes it.
        amount: String,
    },
}

impl Terms {
    /// The terms on which a service is booked now.
    pub fn of(service: &Service) -> Self {
        Self {
            cancel_notice_min: service.cancel_notice_min,
            move_notice_min: service.move_notice_min,
            max_moves: service.max_moves,
            late_fee_percent: service.late_fee_percent,
        }
    }

    /// The fee for cancelling too late, in minor units; halves are rounded up.
    pub fn fee(self, price_minor: i64) -> i64 {
        let fee = (i128::from(price_minor) * i128::from(self.late_fee_percent) + 50) / 100;
        i64::try_from(fee).unwrap_or(i64::MAX)
    }

    /// What cancelling too late costs, when a pack pays or when the price does; `money` writes an amount.
    pub fn late_cost(self, pack: bool, price_minor: i64, money: impl FnOnce(i64) -> String) -> LateCost {
        let fee = self.fee(price_minor);
        if pack && self.late_fee_percent > 0 {
            LateCost::Lesson
        } else if !pack && fee > 0 {
            LateCost::Money { percent: self.late_fee_percent, amount: money(fee) }
        } else {
            LateCost::Nothing
        }
    }
}

/// Who cancels a lesson, or moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Canceller {
    /// The student whose lesson it is.
    Student,
    /// The instructor who gives it.
    Instructor,
    /// Staff or the owner.
    Staff,
}

/// What cancelling does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consequence {
    /// Whether the lesson goes back to its pack; never without a pack.
    pub credit_back: bool,
    /// The fee, in minor units.
    pub fee_minor: Option<i64>,
    /// Whether it comes after the last moment to cancel for free.
    pub late: bool,
}

/// The last moment to cancel for free, or to move.
pub fn free_until(starts_at: Instant, notice_min: i32) -> Instant {
    starts_at.checked_sub(SignedDuration::from_mins(i64::from(notice_min))).unwrap_or(Instant::MIN)
}

/// Whether a lesson can be cancelled now, and if so, what that does.
///
/// # Errors
/// Why it can't, for people.
pub fn cancellation(booking: &Booking, by: Canceller, now: Instant) -> Result<Consequence, &'static str> {
    match booking.status {
        Status::Requested | Status::Confirmed => {}
        Status::Cancelled => return Err("It is cancelled already."),
        Status::Completed | Status::NoShow => {
            return Err("It is over and can't be cancelled any more.");
        }
    }
    if by != Canceller::Staff && now >= booking.starts_at {
        return Err("It has begun. The school can still cancel it.");
    }
    Ok(consequence(booking, by == Canceller::Student, now))
}

/// What cancelling does now, when it can be: by the student's terms, or in the school's name, which costs nothing. What
/// is only asked for is never too late to withdraw.
pub fn consequence(booking: &Booking, by_terms: bool, now: Instant) -> Consequence {
    let terms = booking.terms;
    let late =
        booking.status != Status::Requested && now > free_until(booking.starts_at, terms.cancel_notice_min);
    let charged = by_terms && late && terms.late_fee_percent > 0;
    let fee = terms.fee(booking.price_minor);
    Consequence {
        credit_back: booking.pack.is_some() && !charged,
        fee_minor: (charged && booking.pack.is_none() && fee > 0).then_some(fee),
        late,
    }
}

/// The cancellation rule of a lesson in words; `money` writes an amount. What is only asked for costs nothing yet.
pub fn cancel_terms_of(
    booking: &Booking,
    zone: &Zone,
    words: &Words,
    money: impl FnOnce(i64) -> String,
    now: Instant,
) -> String {
    let terms = &booking.terms;
    let cost = terms.late_cost(booking.pack.is_some(), booking.price_minor, money);
    if booking.status != Status::Requested || terms.cancel_notice_min == 0 || cost == LateCost::Nothing {
        return cancel_terms(zone, words, terms, &cost, booking.starts_at, now);
    }
    let then = cancel_rule(zone, words, terms, &cost, booking.starts_at, now);
    format!("Free to cancel until it is approved. Once approved, it is {then}.")
}

/// The cancellation rule in a sentence.
pub fn cancel_terms(
    zone: &Zone,
    words: &Words,
    terms: &Terms,
    cost: &LateCost,
    starts_at: Instant,
    now: Instant,
) -> String {
    let rule = cancel_rule(zone, words, terms, cost, starts_at, now);
    let mut letters = rule.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    format!("{}{}.", first.map(String::from).unwrap_or_default(), letters.as_str())
}

/// The cancellation rule, within a sentence.
fn cancel_rule(
    zone: &Zone,
    words: &Words,
    terms: &Terms,
    cost: &LateCost,
    starts_at: Instant,
    now: Instant,
) -> String {
    let lesson = &words.lesson;
    let until = free_until(starts_at, terms.cancel_notice_min);
    let due = |percent: &i32, amount: &str| match percent {
        100 => format!("the price ({amount}) is due"),
        percent => format!("{percent} % of the price ({amount}) is due"),
    };
    if terms.cancel_notice_min == 0 || *cost == LateCost::Nothing {
        format!("free to cancel until the {lesson} begins")
    } else if until < now {
        match cost {
            LateCost::Money { percent, amount } => {
                format!("too late to cancel for free: {}", due(percent, amount))
            }
            _ => format!("too late to cancel for free: the {lesson} counts as used"),
        }
    } else {
        let after = match cost {
            LateCost::Money { percent, amount } => due(percent, amount),
            _ => format!("it costs one {lesson}"),
        };
        format!("free to cancel until {}, {}; after that {after}", zone.short_day(until), zone.clock(until))
    }
}

/// What decides whether a lesson can be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub status: Status,
    /// Its start.
    pub starts_at: Instant,
    /// Its terms.
    pub terms: Terms,
    /// How often its student has moved it.
    pub moves: i32,
    /// Each time of its service is approved by hand.
    pub needs_approval: bool,
}

impl From<&Booking> for Standing {
    fn from(booking: &Booking) -> Self {
        Self {
            status: booking.status,
            starts_at: booking.starts_at,
            terms: booking.terms,
            moves: booking.moves,
            needs_approval: booking.needs_approval,
        }
    }
}

impl Standing {
    /// Whether it can be moved now.
    ///
    /// # Errors
    /// Why it can't, for people.
    pub fn may_move(self, by: Canceller, now: Instant) -> Result<(), String> {
        match self.status {
            Status::Requested | Status::Confirmed => {}
            Status::Cancelled => return Err("It is cancelled and can't be moved.".into()),
            Status::Completed | Status::NoShow => {
                return Err("It is over and can't be moved any more.".into());
            }
        }
        match by {
            // How mistakes are mended: what has begun may still get another time.
            Canceller::Staff => Ok(()),
            _ if now >= self.starts_at => Err("It has begun. The school can still move it.".into()),
            Canceller::Instructor => Ok(()),
            Canceller::Student if self.needs_approval && self.status == Status::Confirmed => {
                Err("Each time is approved here. Ask the school to move it.".into())
            }
            Canceller::Student => self.keeps_terms(now),
        }
    }

    /// Whether its student's terms allow to move it now; the school may all the same.
    ///
    /// # Errors
    /// Why they don't, for people.
    pub fn keeps_terms(self, now: Instant) -> Result<(), String> {
        if now > free_until(self.starts_at, self.terms.move_notice_min) {
            return Err("It is too late to move it. Cancel it, or ask the school.".into());
        }
        match self.terms.max_moves {
            Some(0) => Err("It can't be moved by its terms. Ask the school.".into()),
            Some(most) if self.moves >= most => {
                Err("It has been moved as often as its terms allow. Ask the school.".into())
            }
            _ => Ok(()),
        }
    }
}

/// Whether a lesson can be moved now.
///
/// # Errors
/// Why it can't, for people.
pub fn may_move(booking: &Booking, by: Canceller, now: Instant) -> Result<(), String> {
    Standing::from(booking).may_move(by, now)
}

/// The rule of moving in a sentence, for a lesson that its student has moved `moves` times.
pub fn move_terms(
    zone: &Zone,
    words: &Words,
    terms: &Terms,
    moves: i32,
    starts_at: Instant,
    now: Instant,
) -> String {
    let until = free_until(starts_at, terms.move_notice_min);
    let left = terms.max_moves.map(|most| (most - moves).max(0));
    let often = match (left, moves) {
        (Some(0), 0) => return "It can't be moved.".into(),
        (Some(0), _) => return "It has been moved as often as its terms allow.".into(),
        (None, _) => String::new(),
        (Some(1), 0) => ", once".into(),
        (Some(1), _) => ", once more".into(),
        (Some(left), 0) => format!(", {left} times"),
        (Some(left), _) => format!(", {left} more times"),
    };
    if until < now {
        return "It is too late to move it.".into();
    }
    if terms.move_notice_min == 0 {
        return format!("Can be moved until the {} begins{often}.", words.lesson);
    }
    format!("Can be moved until {}, {}{often}.", zone.short_day(until), zone.clock(until))
}
