//! The words of messages: askama templates, in text and HTML.

use askama::Template;
use domain::{
    Instant,
    notify::{Envelope, Mail},
};

/// A message in words.
#[derive(Clone, Debug)]
pub struct Written {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// A whole HTML document without anything that has to be fetched.
    pub html: String,
}

#[derive(Template)]
#[template(path = "mail/base.html")]
struct Html<'a> {
    mail: &'a Mail,
    subject: &'a str,
    link: &'a str,
    /// The school; empty for an account's message.
    sender: &'a str,
    base_url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/base.txt")]
struct Text<'a> {
    mail: &'a Mail,
    link: &'a str,
    sender: &'a str,
    base_url: &'a str,
}

impl Html<'_> {
    fn moment(&self, at: &Instant) -> String {
        moment(*at)
    }
}

impl Text<'_> {
    fn moment(&self, at: &Instant) -> String {
        moment(*at)
    }
}

/// Writes a message; `link` is where it leads.
///
/// # Errors
/// Of a template.
pub fn write(envelope: &Envelope, link: &str, base_url: &str) -> askama::Result<Written> {
    let (mail, subject) = (&envelope.mail, envelope.mail.subject());
    let sender = envelope.school.as_deref().unwrap_or_default();
    let html = Html { mail, subject: &subject, link, sender, base_url }.render()?;
    let text = Text { mail, link, sender, base_url }.render()?;
    Ok(Written { text: tidy(&text), html: clean(&html), subject })
}

/// "Tue 12 Jan 2027, 07:30 UTC": an account has no zone.
fn moment(at: Instant) -> String {
    at.strftime("%a %-d %b %Y, %H:%M UTC").to_string()
}

/// Text without control characters; every kind of line break becomes `\n`.
pub(crate) fn clean(text: &str) -> String {
    let breaks = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    breaks.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// The same, with one empty line at most between paragraphs and one line break at the end.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = true;
    for line in clean(text).lines().map(str::trim_end) {
        if line.is_empty() {
            empty = true;
            continue;
        }
        if empty && !out.is_empty() {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
        empty = false;
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use domain::{
        ids::PLATFORM,
        notify::{BookingMail, SeriesDate},
    };

    use super::*;

    pub(in crate::mail) fn envelope(mail: Mail) -> Envelope {
        let school = match &mail {
            Mail::Invite { school, .. } | Mail::Verified { school, .. } | Mail::Test { school } => {
                Some(school.clone())
            }
            Mail::BookingMade(booking)
            | Mail::BookingRequested(booking)
            | Mail::BookingConfirmed(booking)
            | Mail::BookingMoved(booking)
            | Mail::BookingCancelled(booking)
            | Mail::Reminder(booking)
            | Mail::SeriesBooked { booking, .. }
            | Mail::Offer { booking, .. } => Some(booking.school.clone()),
            _ => None,
        };
        Envelope {
            id: "01934e9a-0000-7000-8000-000000000001".parse().unwrap(),
            tenant: PLATFORM,
            school,
            to: "sipho@cape-drive.test".into(),
            token: mail.needs_token().then(|| "5f".repeat(32)),
            mail,
            created_at: "2027-01-12T07:30:00Z".parse().unwrap(),
            own: None,
        }
    }

    pub(in crate::mail) fn booking() -> BookingMail {
        BookingMail {
            booking: "01934e9a-0000-7000-8000-0000000000b0".parse().unwrap(),
            school: "Cape Drive".into(),
            slug: "cape-drive".into(),
            lesson: "lesson".into(),
            service: "Driving lesson".into(),
            span: "Fri 15 Jan, 15:00–16:00".into(),
            when: "Fri 15 Jan, 15:00–16:00 (Johannesburg)".into(),
            was: String::new(),
            student: "Sipho Dlamini".into(),
            instructor: "Thandi Mokoena".into(),
            pickup: "1 Long Street".into(),
            note: "First <b>time</b> & nervous\r\n\r\n\r\nBring glasses".into(),
            reason: String::new(),
            next: String::new(),
            terms: "Free to cancel until Thu 14 Jan, 15:00; after that the lesson counts as used.".into(),
            starts_at: "2027-01-15T13:00:00Z".parse().unwrap(),
            ends_at: "2027-01-15T14:00:00Z".parse().unwrap(),
            zone: "Africa/Johannesburg".into(),
        }
    }

    /// A lesson and the one a week later.
    fn series(booking: BookingMail) -> Mail {
        let date = |id: &str, from: &str, to: &str, span: &str| SeriesDate {
            booking: id.parse().unwrap(),
            starts_at: from.parse().unwrap(),
            ends_at: to.parse().unwrap(),
            span: span.into(),
        };
        let dates = vec![
            date(
                "01934e9a-0000-7000-8000-0000000000b0",
                "2027-01-15T13:00:00Z",
                "2027-01-15T14:00:00Z",
                "Fri 15 Jan, 15:00–16:00",
            ),
            date(
                "01934e9a-0000-7000-8000-0000000000b1",
                "2027-01-22T13:00:00Z",
                "2027-01-22T14:00:00Z",
                "Fri 22 Jan, 15:00–16:00",
            ),
        ];
        Mail::SeriesBooked { booking, dates }
    }

    /// One of each kind.
    fn samples() -> Vec<Mail> {
        let name = || "Thandi Mokoena".to_owned();
        let plain = || BookingMail { note: String::new(), pickup: String::new(), ..booking() };
        let untold = || BookingMail { terms: String::new(), ..plain() };
        vec![
            Mail::Verify { name: name() },
            Mail::AccountExists { name: name() },
            Mail::Reset { name: name() },
            Mail::Magic { name: name() },
            Mail::Locked { name: name() },
            Mail::EmailChange { name: name() },
            Mail::EmailChanged { name: name(), email: "thandi@new.test".into() },
            Mail::PasswordChanged { name: name() },
            Mail::NewLogin {
                name: name(),
                device: "Firefox on Windows".into(),
                ip: "198.51.100.7".into(),
                at: "2027-01-12T07:30:00Z".parse().unwrap(),
            },
            Mail::CodeChanged { name: name(), on: true },
            Mail::Invite { school: "Cape Drive".into(), inviter: name(), role: "staff".into() },
            Mail::Verified { school: "Cape Drive".into(), name: name() },
            Mail::BookingMade(booking()),
            Mail::BookingRequested(BookingMail {
                next: "You will hear when it is approved.".into(),
                ..plain()
            }),
            Mail::BookingConfirmed(plain()),
            Mail::BookingMoved(BookingMail {
                was: "Thu 14 Jan, 10:00–11:00 (Johannesburg)".into(),
                reason: "The car is in repair".into(),
                ..plain()
            }),
            Mail::BookingCancelled(BookingMail {
                reason: "Exam".into(),
                next: "The lesson is back in the pack.".into(),
                ..untold()
            }),
            Mail::Reminder(BookingMail { terms: String::new(), ..booking() }),
            series(booking()),
            Mail::Offer {
                booking: BookingMail {
                    booking: "00000000-0000-0000-0000-000000000000".parse().unwrap(),
                    ..plain()
                },
                hold: "01934e9a-0000-7000-8000-0000000000f0".parse().unwrap(),
                until: "Tue 12 Jan, 11:30".into(),
            },
            Mail::Test { school: "Cape Drive".into() },
        ]
    }

    fn written(mail: Mail) -> Written {
        let envelope = envelope(mail);
        let base = "https://lessons.example.org";
        let path = envelope.mail.path(envelope.token.as_deref());
        let link = path.map(|path| format!("{base}{path}")).unwrap_or_default();
        write(&envelope, &link, base).unwrap()
    }

    #[test]
    fn messages_read_as_reviewed() {
        for mail in samples() {
            let kind = mail.kind();
            let written = written(mail);
            insta::assert_snapshot!(
                format!("{kind}_text"),
                format!("Subject: {}\n\n{}", written.subject, written.text)
            );
            insta::assert_snapshot!(format!("{kind}_html"), written.html);
        }
    }

    #[test]
    fn calendar_entries_read_as_reviewed() {
        for mail in [
            Mail::BookingMade(booking()),
            Mail::BookingMoved(booking()),
            Mail::BookingCancelled(BookingMail { reason: "Exam".into(), ..booking() }),
            series(booking()),
        ] {
            let kind = mail.kind();
            let organizer = ("Cape Drive", "no-reply@lessons.example.org");
            let link = match &mail {
                // The others of a series are found beside the first.
                Mail::SeriesBooked { booking, .. } => {
                    format!("https://lessons.example.org/t/cape-drive/bookings/{}", booking.booking)
                }
                _ => "https://lessons.example.org/t/cape-drive/bookings/b0".to_owned(),
            };
            let entry =
                super::super::calendar::calendar(&envelope(mail), &link, organizer, "lessons.example.org")
                    .unwrap();
            assert!(!entry.contains("ATTENDEE"), "{entry}");
            insta::assert_snapshot!(format!("{kind}_calendar"), entry.replace("\r\n", "\n"));
        }
        let waits = BookingMail { next: "You will hear when it is approved.".into(), ..booking() };
        for none in [Mail::BookingRequested(booking()), Mail::Reminder(booking()), series(waits)] {
            assert!(super::super::calendar::calendar(&envelope(none), "", ("", ""), "").is_none());
        }
    }

    #[test]
    fn nothing_is_fetched_and_nothing_typed_becomes_markup() {
        for mail in samples() {
            let written = written(mail);
            for word in ["<img", "src=", "<style", "<script", "<link", "@import", "url(", "class="] {
                assert!(!written.html.contains(word), "{word} in {}", written.html);
            }
            assert!(written.html.contains("lang=\"en\""));
        }
        let html = written(Mail::BookingMade(booking())).html;
        assert!(!html.contains("<b>time") && html.contains("&#60;b&#62;time"), "{html}");
    }

    #[test]
    fn links_are_there_as_text_too() {
        for mail in samples().into_iter().filter(Mail::needs_token) {
            let written = written(mail);
            let token = "5f".repeat(32);
            assert!(written.text.contains(&format!("/{token}\n")), "{}", written.text);
            assert_eq!(
                written.html.matches(&token).count(),
                3,
                "two addresses and one text: {}",
                written.html
            );
        }
    }

    #[test]
    fn what_strangers_can_have_sent_carries_no_words_of_theirs() {
        let name = || "Win at http://evil.test".to_owned();
        for mail in [Mail::Verify { name: name() }, Mail::EmailChange { name: name() }] {
            let written = written(mail);
            assert!(!written.text.contains("evil") && !written.html.contains("evil"));
        }
    }

    #[test]
    fn text_is_tidy() {
        assert_eq!(tidy("\n\na \r\nb\u{7}\n\n\n\nc\u{2028}d\n\n"), "a\nb\n\nc\nd\n");
    }
}
