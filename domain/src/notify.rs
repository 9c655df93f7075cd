//! Messages to people (NT-01): each is a row of the outbox, written in the transaction that causes it. The row is also
//! the job of sending it, which [`Mailer`] does with a [`Courier`]; what the courier is made of is the program's affair.

pub mod deliveries;
mod ending;
mod envelope;
mod mail;
mod outbox;
mod worker;

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use futures::future::BoxFuture;
use secrecy::SecretString;
use uuid::Uuid;

pub use mail::{BookingMail, Mail, SeriesDate};
pub use outbox::enqueue;
pub(crate) use outbox::{enqueue_account, enqueue_for};
pub use worker::{LANES, Mailer};

use crate::{Instant, clock::Clock, db::Db};

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Until it is due, or until a mail server is set up.
    Waiting,
    /// Someone is at it.
    Sending,
    /// A mail server has taken it.
    Sent,
    /// Given up; can be sent again by hand.
    Dead,
}

impl State {
    /// All, in the order of a message's life.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Sending, Self::Sent, Self::Dead];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Dead => "dead",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Sending => "Sending",
            Self::Sent => "Sent",
            Self::Dead => "Failed",
        }
    }

    /// From the database or a form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// From the first byte (port 465).
    Tls,
    /// By STARTTLS, or not at all sent.
    Starttls,
    /// Not.
    None,
}

impl Security {
    /// As stored in `tenant_mail`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "tls" => Some(Self::Tls),
            "starttls" => Some(Self::Starttls),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// A school's own mail server.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// A name or an address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Encryption.
    pub security: Security,
    /// Empty to send without logging in.
    pub username: String,
    /// Decrypted.
    pub password: Option<SecretString>,
    /// Whom messages come from.
    pub from_email: String,
    /// Their name; empty for the school's.
    pub from_name: String,
}

/// A message on its way.
#[derive(Clone)]
pub struct Envelope {
    /// Its row.
    pub id: Uuid,
    /// Whose it is; [`crate::ids::PLATFORM`] for an account's.
    pub tenant: Uuid,
    /// The school's name; none for an account's message.
    pub school: Option<String>,
    /// To whom.
    pub to: String,
    /// What.
    pub mail: Mail,
    /// Of its one-time link.
    pub token: Option<String>,
    /// When it was written.
    pub created_at: Instant,
    /// The server to send it by; none for the platform's.
    pub own: Option<SmtpSettings>,
}

impl fmt::Debug for Envelope {
    /// Without its token and whom it is for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("kind", &self.mail.kind())
            .finish_non_exhaustive()
    }
}

/// Why a message was not sent, in words for those who run the school: short, and without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// For good; it isn't tried again.
    Refused(String),
    /// It certainly didn't arrive; it is tried again.
    Later(String),
    /// The text was handed over and no answer came: it may have arrived. It is tried again, and that is recorded.
    AnswerLost(String),
}

/// What takes messages to a mail server.
pub trait Courier: Send + Sync + fmt::Debug {
    /// Whether it can send messages of schools without a server of their own.
    fn configured(&self) -> bool;

    /// Sends a message. Calls [`HandingOver::begin`] when the server has accepted the recipient and nothing of the text
    /// has been sent yet, and goes on only if that succeeds.
    fn send<'a>(
        &'a self,
        message: &'a Envelope,
        handing_over: &'a HandingOver,
    ) -> BoxFuture<'a, Result<(), SendError>>;
}

/// The line between "certainly not sent" and "perhaps sent", drawn in the database.
#[derive(Debug)]
pub struct HandingOver {
    row: Option<Claim>,
    begun: AtomicBool,
}

/// A row that a worker has taken, as it was then: whoever takes it later counts one attempt more.
#[derive(Clone, Debug)]
struct Claim {
    db: Db,
    clock: Clock,
    tenant: Uuid,
    id: Uuid,
    attempt: i32,
}

impl HandingOver {
    fn of(claim: Claim) -> Self {
        Self { row: Some(claim), begun: AtomicBool::new(false) }
    }

    /// For a message that has no row.
    pub fn untracked() -> Self {
        Self { row: None, begun: AtomicBool::new(false) }
    }

    /// Records, and commits, that the text is about to be handed over.
    ///
    /// # Errors
    /// When the message has been given to another worker meanwhile, or the database can't record it.
    pub async fn begin(&self) -> Result<(), SendError> {
        if let Some(claim) = &self.row {
            match outbox::hand_over(claim).await {
                Ok(true) => {}
                Ok(false) => return Err(SendError::Later("Another worker has taken it over.".into())),
                Err(error) => {
                    tracing::warn!(%error, "could not record that a message is handed over");
                    return Err(SendError::Later("The database did not answer.".into()));
                }
            }
        }
        self.begun.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether it has begun.
    pub fn begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }
}

/// What a page says when there is nothing to send by.
const NO_SERVER: &str = "No mail server is set up, so the message stays in the outbox.";

/// Why a message is given up that came to be of no use while it waited: nobody could use its link any more, or what it
/// is about has begun.
fn too_late(kind: &str) -> &'static str {
    match kind {
        "reminder" => "The lesson has begun.",
        _ => "Its link has expired.",
    }
}

/// What became of a message that someone waits for (TN-09).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where it stands.
    pub state: State,
    /// Why it isn't sent yet, when that is known.
    pub error: Option<String>,
}

impl Delivery {
    /// Whether a mail server has taken it.
    pub fn sent(&self) -> bool {
        self.state == State::Sent
    }

    /// Whether it waits because there is no mail server at all, neither the platform's nor the school's.
    pub fn no_server(&self) -> bool {
        self.state == State::Waiting && self.error.as_deref() == Some(NO_SERVER)
    }

    /// What to say beside the outcome of an act whose message has not been sent; nothing when it has.
    pub fn trouble(&self) -> Option<String> {
        let error = self.error.as_deref().unwrap_or_default();
        let text = match self.state {
            State::Sent => return None,
            State::Dead => format!("The message was not sent: {error}"),
            State::Waiting if self.no_server() => error.to_owned(),
            State::Waiting if error.is_empty() => {
                "The message is not sent yet; the outbox shows when it is.".into()
            }
            State::Waiting => format!("The message is not sent yet: {error} It is tried again."),
            State::Sending => "The message is being sent; the outbox shows when it is.".into(),
        };
        Some(text)
    }
}
