//! A message as a mail server takes it: headers, text, HTML and calendar entry.

use domain::notify::{Envelope, SendError};
use lettre::{
    Address,
    message::{
        Attachment, Mailbox, Message, MultiPart, SinglePart,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
};
use url::{Host, Url};

use super::{calendar::calendar, render};

/// Whom messages come from, and where their links lead.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    /// The platform's address.
    pub(super) from: Mailbox,
    /// Public address of the site.
    pub(super) base_url: String,
    /// Its host: what messages and calendar entries are named after, and what the mail server is greeted with.
    pub(super) host: String,
}

/// A message ready to be handed over.
#[derive(Debug)]
pub(super) struct Composed {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) bytes: Vec<u8>,
}

impl Sender {
    /// `from` as given in the environment, or made from the site's host.
    pub(super) fn new(from: Option<&str>, base_url: &str) -> Result<Self, String> {
        let url = Url::parse(base_url).map_err(|_| "the public address is none".to_owned())?;
        let (host, domain) = match url.host() {
            Some(Host::Domain(domain)) => (domain.to_owned(), domain.to_owned()),
            // An address makes no mailbox.
            Some(Host::Ipv4(ip)) => (format!("[{ip}]"), "localhost".into()),
            Some(Host::Ipv6(ip)) => (format!("[IPv6:{ip}]"), "localhost".into()),
            None => return Err("the public address is none".into()),
        };
        let from = match from {
            Some(from) => from.parse::<Mailbox>().map_err(|_| {
                "it must be an address such as Lessonbook <no-reply@lessons.example.org>".to_owned()
            })?,
            None => {
                let email = Address::new("no-reply", &domain).map_err(|error| error.to_string())?;
                Mailbox::new(Some("Lessonbook".into()), email)
            }
        };
        Ok(Self { from, base_url: base_url.trim_end_matches('/').to_owned(), host })
    }

    /// A school's messages carry its name; those by its own server its own address.
    fn of(&self, envelope: &Envelope) -> Result<Mailbox, SendError> {
        let school = envelope.school.as_deref();
        let Some(own) = &envelope.own else {
            let name = school.map(|school| format!("{} via Lessonbook", line(school)));
            return Ok(Mailbox::new(name.or_else(|| self.from.name.clone()), self.from.email.clone()));
        };
        let name = if own.from_name.is_empty() { school.unwrap_or_default() } else { &own.from_name };
        let email = address(&own.from_email).ok_or_else(|| {
            SendError::Later("The sender's address of the school's mail server is not valid.".into())
        })?;
        Ok(Mailbox::new(Some(line(name)).filter(|name| !name.is_empty()), email))
    }
}

/// Puts a message together.
pub(super) fn compose(envelope: &Envelope, sender: &Sender) -> Result<Composed, SendError> {
    let to = address(&envelope.to).ok_or_else(|| SendError::Refused("The address is not valid.".into()))?;
    let from = sender.of(envelope)?;
    let path = envelope.mail.path(envelope.token.as_deref());
    let link = path.map(|path| format!("{}{path}", sender.base_url)).unwrap_or_default();
    let written = render::write(envelope, &link, &sender.base_url)
        .map_err(|_| SendError::Refused("The message can't be written.".into()))?;
    let organizer = (envelope.school.as_deref().unwrap_or("Lessonbook"), from.email.as_ref());
    let entry = calendar(envelope, &link, organizer, &sender.host);
    let message = assemble(envelope, written, entry, &from, &to, sender)
        .map_err(|_| SendError::Refused("The message can't be put together.".into()))?;
    Ok(Composed { from: from.email, to, bytes: message.formatted() })
}

fn assemble(
    envelope: &Envelope,
    written: render::Written,
    entry: Option<String>,
    from: &Mailbox,
    to: &Address,
    sender: &Sender,
) -> Result<Message, Box<dyn std::error::Error>> {
    let mut body = MultiPart::mixed().multipart(
        MultiPart::alternative()
            .singlepart(SinglePart::plain(written.text))
            .singlepart(SinglePart::html(written.html)),
    );
    if let Some(entry) = entry {
        let kind = ContentType::parse("text/calendar; charset=utf-8; method=PUBLISH")?;
        body = body.singlepart(Attachment::new("calendar.ics".into()).body(entry, kind));
    }
    Ok(Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(written.subject)
        // The same at every attempt, so that a mailbox can tell a second copy from a second message.
        .message_id(Some(format!("<{}@{}>", envelope.id, sender.host)))
        .date(envelope.created_at.into())
        .header(AutoSubmitted)
        .multipart(body)?)
}

/// An address with its domain as the name service knows it.
fn address(text: &str) -> Option<Address> {
    let (user, domain) = text.rsplit_once('@')?;
    Address::new(user, idna::domain_to_ascii(domain).ok()?).ok()
}

/// A name for a header, of 100 characters at most.
fn line(text: &str) -> String {
    render::clean(text).replace('\n', " ").chars().take(100).collect()
}

/// Tells other programs not to answer.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

#[cfg(test)]
mod tests {
    use domain::notify::{Mail, Security, SmtpSettings};

    use super::*;
    use crate::mail::render::tests::{booking, envelope};

    fn sender() -> Sender {
        Sender::new(None, "https://lessons.example.org").unwrap()
    }

    /// The message with folded lines put together again.
    fn composed(envelope: &Envelope) -> String {
        let bytes = compose(envelope, &sender()).unwrap().bytes;
        String::from_utf8(bytes).unwrap().replace("\r\n ", " ")
    }

    fn headers(message: &str) -> Vec<&str> {
        message.split("\r\n\r\n").next().unwrap().split("\r\n").collect()
    }

    #[test]
    fn headers_are_complete() {
        let message = composed(&envelope(Mail::Test { school: "Cape Drive".into() }));
        let headers = headers(&message);
        for expected in [
            "From: \"Cape Drive via Lessonbook\" <no-reply@lessons.example.org>",
            "To: sipho@cape-drive.test",
            "Subject: Test message of Cape Drive",
            "Message-ID: <01934e9a-0000-7000-8000-000000000001@lessons.example.org>",
            "Date: Tue, 12 Jan 2027 07:30:00 +0000",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(headers.contains(&expected), "{expected} is not in {headers:#?}");
        }
    }

    #[test]
    fn hostile_names_begin_no_header() {
        let evil = "Eve\"\r\nBcc: all@evil.test\r\n\r\n<script>\u{2028}\n.\r\nX: y";
        let mut lesson = booking();
        (lesson.school, lesson.service, lesson.pickup) = (evil.into(), evil.into(), evil.into());
        for mail in [
            Mail::Invite { school: evil.into(), inviter: evil.into(), role: evil.into() },
            Mail::BookingMade(lesson),
        ] {
            let mut envelope = envelope(mail);
            envelope.school = Some(evil.into());
            let own = SmtpSettings {
                host: "x.test".into(),
                port: 25,
                security: Security::None,
                username: String::new(),
                password: None,
                from_email: "school@x.test".into(),
                from_name: evil.into(),
            };
            for own in [None, Some(own)] {
                envelope.own = own;
                let message = composed(&envelope);
                let known = [
                    "From",
                    "To",
                    "Subject",
                    "Message-ID",
                    "Date",
                    "Auto-Submitted",
                    "MIME-Version",
                    "Content-Type",
                ];
                for header in headers(&message) {
                    let name = header.split(':').next().unwrap();
                    assert!(known.contains(&name), "{header:?}");
                }
                // Nor does anything look like the end of the text to a server that is lax about line breaks.
                let lone = message.replace("\r\n", "");
                assert!(!lone.contains(['\r', '\n']), "{message}");
            }
        }
    }

    #[test]
    fn addresses_in_other_scripts_have_an_ascii_domain() {
        let mut envelope = envelope(Mail::Test { school: "x".into() });
        envelope.to = "jörg@müller.example".into();
        let composed = compose(&envelope, &sender()).unwrap();
        assert_eq!(composed.to.to_string(), "jörg@xn--mller-kva.example");
        for bad in ["nobody", "a@", "a\r\nb@x.test", "a b@x.test", "<a@x.test>"] {
            envelope.to = bad.into();
            assert!(matches!(compose(&envelope, &sender()), Err(SendError::Refused(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_site_without_a_name_sends_from_localhost() {
        let sender = Sender::new(None, "http://127.0.0.1:3000/").unwrap();
        assert_eq!(sender.from.email.to_string(), "no-reply@localhost");
        assert_eq!(
            (sender.host.as_str(), sender.base_url.as_str()),
            ("[127.0.0.1]", "http://127.0.0.1:3000")
        );
        assert!(Sender::new(Some("not an address"), "https://x.test").is_err());
    }
}
