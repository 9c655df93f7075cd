//! What there is to say: every kind of message with its facts, as kept in the outbox. Words are in `templates/mail`.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{
    Instant,
    ids::{BookingId, HoldId},
};

/// A message. Names are as typed by people; nothing here may be trusted to be one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mail {
    /// Verify the address of a new account.
    Verify {
        /// Whose.
        name: String,
    },
    /// Someone registered with an address that has an account already.
    AccountExists {
        /// Whose.
        name: String,
    },
    /// Set a new password.
    Reset {
        /// Whose.
        name: String,
    },
    /// Log in by a link.
    Magic {
        /// Whose.
        name: String,
    },
    /// The account is locked for a while; a link opens it.
    Locked {
        /// Whose.
        name: String,
    },
    /// Confirm a new address; goes to the new one.
    EmailChange {
        /// Whose.
        name: String,
    },
    /// The address was changed; goes to the old one.
    EmailChanged {
        /// Whose.
        name: String,
        /// The new address.
        email: String,
    },
    /// The password was changed.
    PasswordChanged {
        /// Whose.
        name: String,
    },
    /// Someone logged in from a device not seen before.
    NewLogin {
        /// Whose.
        name: String,
        /// "Firefox on Windows".
        device: String,
        /// From where.
        ip: String,
        /// When.
        at: Instant,
    },
    /// Logging in with a code was switched on or off.
    CodeChanged {
        /// Whose.
        name: String,
        /// On.
        on: bool,
    },
    /// Come and work in, or learn at, a school.
    Invite {
        /// The school's name.
        school: String,
        /// Who invites.
        inviter: String,
        /// What one is to be there, in the school's words.
        role: String,
    },
    /// An instructor has been checked by the school.
    Verified {
        /// The school's name.
        school: String,
        /// The instructor's.
        name: String,
    },
    /// A lesson was booked.
    BookingMade(BookingMail),
    /// A lesson was asked for.
    BookingRequested(BookingMail),
    /// A requested lesson was approved.
    BookingConfirmed(BookingMail),
    /// A lesson takes place at another time.
    BookingMoved(BookingMail),
    /// A lesson won't take place.
    BookingCancelled(BookingMail),
    /// A lesson is near.
    Reminder(BookingMail),
    /// Lessons that come again and again were booked together.
    SeriesBooked {
        /// The first of them.
        booking: BookingMail,
        /// All of them, in order.
        dates: Vec<SeriesDate>,
    },
    /// What someone on the waiting list waits for is free, and kept for them for a while.
    Offer {
        /// What it would be; there is no lesson yet, so its id is nil.
        booking: BookingMail,
        /// What keeps it.
        hold: HoldId,
        /// How long, in ready words.
        until: String,
    },
    /// Whether a school's mail server works.
    Test {
        /// The school's name.
        school: String,
    },
}

/// A lesson as its student or instructor is told about it: ready words, in the school's language and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingMail {
    /// Id.
    pub booking: BookingId,
    /// The school's name.
    pub school: String,
    /// The school's address.
    pub slug: String,
    /// The school's word for a lesson.
    pub lesson: String,
    /// What.
    pub service: String,
    /// When, short: "Tue 30 Mar, 16:00–17:00".
    pub span: String,
    /// When, with the zone's city.
    pub when: String,
    /// When it was to be before it was moved.
    #[serde(default)]
    pub was: String,
    /// Who takes it.
    pub student: String,
    /// Who gives it.
    pub instructor: String,
    /// Where to pick the student up.
    #[serde(default)]
    pub pickup: String,
    /// What the one who booked had to say.
    #[serde(default)]
    pub note: String,
    /// Why it was cancelled or moved.
    #[serde(default)]
    pub reason: String,
    /// What happens next, or what it means for the pack.
    #[serde(default)]
    pub next: String,
    /// The rule of cancelling.
    #[serde(default)]
    pub terms: String,
    /// Start.
    pub starts_at: Instant,
    /// End.
    pub ends_at: Instant,
    /// IANA zone.
    pub zone: String,
}

/// One lesson of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesDate {
    /// Id.
    pub booking: BookingId,
    /// Start.
    pub starts_at: Instant,
    /// End.
    pub ends_at: Instant,
    /// When, short: "Tue 30 Mar, 16:00–17:00".
    pub span: String,
}

impl Mail {
    /// Which message it is, as stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Verify { .. } => "verify",
            Self::AccountExists { .. } => "account_exists",
            Self::Reset { .. } => "reset",
            Self::Magic { .. } => "magic",
            Self::Locked { .. } => "locked",
            Self::EmailChange { .. } => "email_change",
            Self::EmailChanged { .. } => "email_changed",
            Self::PasswordChanged { .. } => "password_changed",
            Self::NewLogin { .. } => "new_login",
            Self::CodeChanged { .. } => "code_changed",
            Self::Invite { .. } => "invite",
            Self::Verified { .. } => "verified",
            Self::BookingMade(_) => "booking_made",
            Self::BookingRequested(_) => "booking_requested",
            Self::BookingConfirmed(_) => "booking_confirmed",
            Self::BookingMoved(_) => "booking_moved",
            Self::BookingCancelled(_) => "booking_cancelled",
            Self::Reminder(_) => "reminder",
            Self::SeriesBooked { .. } => "series_booked",
            Self::Offer { .. } => "offer",
            Self::Test { .. } => "test",
        }
    }

    /// Its subject: one line, whatever is in the names.
    pub fn subject(&self) -> String {
        let text = match self {
            Self::Verify { .. } => "Verify your e-mail address".into(),
            Self::AccountExists { .. } => "You have an account already".into(),
            Self::Reset { .. } => "Set a new password".into(),
            Self::Magic { .. } => "Your link to log in".into(),
            Self::Locked { .. } => "Your account is locked for a while".into(),
            Self::EmailChange { .. } => "Confirm your new e-mail address".into(),
            Self::EmailChanged { .. } => "Your e-mail address was changed".into(),
            Self::PasswordChanged { .. } => "Your password was changed".into(),
            Self::NewLogin { .. } => "New login to your account".into(),
            Self::CodeChanged { on: true, .. } => "Logging in now takes a code".into(),
            Self::CodeChanged { on: false, .. } => "Logging in no longer takes a code".into(),
            Self::Invite { school, inviter, .. } => format!("{inviter} invites you to {school}"),
            Self::Verified { school, .. } => format!("{school} has verified you"),
            Self::BookingMade(booking) => format!("{} booked: {}", booking.service, booking.span),
            Self::BookingRequested(booking) => format!("{} requested: {}", booking.service, booking.span),
            Self::BookingConfirmed(booking) => format!("{} confirmed: {}", booking.service, booking.span),
            Self::BookingMoved(booking) => format!("{} moved: {}", booking.service, booking.span),
            Self::BookingCancelled(booking) => format!("{} cancelled: {}", booking.service, booking.span),
            Self::Reminder(booking) => format!("Reminder: {}, {}", booking.service, booking.span),
            Self::SeriesBooked { booking, dates } => {
                let what = if booking.next.is_empty() { "booked" } else { "requested" };
                match dates.len() {
                    1 => format!("{} {what}: {}", booking.service, booking.span),
                    times => format!("{} {what} {times} times, from {}", booking.service, booking.span),
                }
            }
            Self::Offer { booking, .. } => format!("{} is free: {}", booking.service, booking.span),
            Self::Test { school } => format!("Test message of {school}"),
        };
        one_line(&text)
    }

    /// The page that it leads to; none for a link whose token is gone.
    pub fn path(&self, token: Option<&str>) -> Option<String> {
        let linked = |start: &str| token.map(|token| format!("{start}/{token}"));
        match self {
            Self::Verify { .. } => linked("/verify"),
            Self::Reset { .. } => linked("/reset"),
            Self::Magic { .. } | Self::Locked { .. } => linked("/login/link"),
            Self::EmailChange { .. } => linked("/account/email"),
            Self::Invite { .. } => linked("/invite"),
            Self::AccountExists { .. } => Some("/login".into()),
            Self::NewLogin { .. } => Some("/account/sessions".into()),
            Self::EmailChanged { .. } | Self::PasswordChanged { .. } => Some("/forgot".into()),
            Self::CodeChanged { .. } => Some("/account/security".into()),
            Self::Verified { .. } => Some("/account".into()),
            Self::BookingMade(booking)
            | Self::BookingRequested(booking)
            | Self::BookingConfirmed(booking)
            | Self::BookingMoved(booking)
            | Self::BookingCancelled(booking)
            | Self::Reminder(booking)
            | Self::SeriesBooked { booking, .. } => {
                Some(format!("/t/{}/bookings/{}", booking.slug, booking.booking))
            }
            Self::Offer { booking, hold, .. } => Some(format!("/t/{}/offers/{hold}", booking.slug)),
            Self::Test { .. } => None,
        }
    }

    /// Whether it is worth nothing without its token.
    pub fn needs_token(&self) -> bool {
        matches!(
            self,
            Self::Verify { .. }
                | Self::Reset { .. }
                | Self::Magic { .. }
                | Self::Locked { .. }
                | Self::EmailChange { .. }
                | Self::Invite { .. }
        )
    }

    /// How long its link can be used, as whoever makes the link has it; none for a message without one.
    pub fn link_life(&self) -> Option<SignedDuration> {
        match self {
            Self::Verify { .. } | Self::EmailChange { .. } => Some(SignedDuration::from_hours(24)),
            Self::Reset { .. } => Some(SignedDuration::from_hours(1)),
            // The same kind of link.
            Self::Magic { .. } | Self::Locked { .. } => Some(SignedDuration::from_mins(10)),
            Self::Invite { .. } => Some(SignedDuration::from_hours(72)),
            _ => None,
        }
    }

    /// From when on it is of no use, when it is written `now`: its link is over, or what it reminds of has begun. None for
    /// one that nothing makes worthless.
    pub fn valid_until(&self, now: Instant) -> Option<Instant> {
        match self {
            Self::Reminder(booking) => Some(booking.starts_at),
            _ => self.link_life().and_then(|life| now.checked_add(life).ok()),
        }
    }
}

/// Text without line breaks and other control characters, for a header.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_kind_is_the_one_of_the_data() {
        let mail = Mail::CodeChanged { name: "Thandi".into(), on: true };
        let json = serde_json::to_value(&mail).unwrap();
        assert_eq!(json, serde_json::json!({ "kind": "code_changed", "name": "Thandi", "on": true }));
        assert_eq!(json["kind"], mail.kind());
        assert_eq!(serde_json::from_value::<Mail>(json).unwrap(), mail);
    }

    #[test]
    fn a_subject_is_one_line() {
        let mail = Mail::Invite {
            school: "Cape\r\nBcc: all@x.test".into(),
            inviter: "Eve\n\u{2028}X".into(),
            role: "staff".into(),
        };
        assert_eq!(mail.subject(), "Eve X invites you to Cape Bcc: all@x.test");
    }

    fn lesson() -> BookingMail {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        BookingMail {
            booking: BookingId(uuid::Uuid::nil()),
            school: "Cape Drive".into(),
            slug: "cape-drive".into(),
            lesson: "lesson".into(),
            service: "Driving lesson".into(),
            span: "Fri 15 Jan, 15:00–16:00".into(),
            when: "Fri 15 Jan, 15:00–16:00 (Johannesburg)".into(),
            was: String::new(),
            student: "Sipho Dlamini".into(),
            instructor: "Thandi Mokoena".into(),
            pickup: String::new(),
            note: String::new(),
            reason: String::new(),
            next: String::new(),
            terms: String::new(),
            starts_at: at("2027-01-15T13:00:00Z"),
            ends_at: at("2027-01-15T14:00:00Z"),
            zone: "Africa/Johannesburg".into(),
        }
    }

    #[test]
    fn an_offer_leads_to_what_is_kept_and_not_to_a_lesson() {
        let hold: HoldId = "01934e9a-0000-7000-8000-0000000000f0".parse().unwrap();
        let mail = Mail::Offer { booking: lesson(), hold, until: "Tue 12 Jan, 11:30".into() };
        assert_eq!(mail.path(None), Some(format!("/t/cape-drive/offers/{hold}")));
        assert_eq!(mail.subject(), "Driving lesson is free: Fri 15 Jan, 15:00–16:00");
        assert!(!mail.needs_token());
    }

    #[test]
    fn a_series_and_a_reminder_survive_the_outbox() {
        let date = SeriesDate {
            booking: lesson().booking,
            starts_at: lesson().starts_at,
            ends_at: lesson().ends_at,
            span: lesson().span,
        };
        let series = Mail::SeriesBooked { booking: lesson(), dates: vec![date.clone(), date] };
        assert_eq!(series.subject(), "Driving lesson booked 2 times, from Fri 15 Jan, 15:00–16:00");
        let reminder = Mail::Reminder(lesson());
        assert_eq!(reminder.subject(), "Reminder: Driving lesson, Fri 15 Jan, 15:00–16:00");
        for mail in [series, reminder] {
            assert_eq!(mail.path(None), Some(format!("/t/cape-drive/bookings/{}", lesson().booking)));
            let json = serde_json::to_value(&mail).unwrap();
            assert_eq!(json["kind"], mail.kind());
            assert_eq!(serde_json::from_value::<Mail>(json).unwrap(), mail);
        }
    }

    #[test]
    fn links_are_of_their_kind() {
        let mail = Mail::Reset { name: String::new() };
        assert_eq!(mail.path(Some("ab")).as_deref(), Some("/reset/ab"));
        assert_eq!(mail.path(None), None);
        assert!(mail.needs_token());
        assert_eq!(mail.link_life(), Some(SignedDuration::from_hours(1)));
        assert_eq!(Mail::AccountExists { name: String::new() }.link_life(), None);
    }

    #[test]
    fn what_comes_too_late_is_of_no_use() {
        let now: Instant = "2027-01-14T13:00:00Z".parse().unwrap();
        assert_eq!(Mail::Reminder(lesson()).valid_until(now), Some(lesson().starts_at));
        let reset = Mail::Reset { name: String::new() };
        assert_eq!(reset.valid_until(now), Some(now + SignedDuration::from_hours(1)));
        assert_eq!(Mail::BookingMade(lesson()).valid_until(now), None);
    }
}
