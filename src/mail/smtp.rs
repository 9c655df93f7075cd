//! The talk with a mail server.
//!
//! Step by step and not by lettre's `send`, for what a failure means depends on the step: until the recipient is
//! accepted nothing has happened; once the text is on its way, silence may mean that it arrived.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::notify::{Courier, Envelope, HandingOver, SendError};
use futures::future::BoxFuture;
use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, TlsParameters, TlsParametersBuilder},
    commands::{Data, Mail, Rcpt},
    extension::{ClientId, Extension, MailBodyParameter, MailParameter},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    compose::{Composed, Sender, compose},
    reach,
    server::{Encryption, Server},
};

/// For each step before the text, connecting included.
const STEP: Duration = Duration::from_secs(10);
/// For all addresses of a server together, with encryption and login.
const OPEN: Duration = Duration::from_secs(45);
/// For a server's word on the recipient and on whether it wants the text: some look names up first.
const WORD: Duration = Duration::from_secs(30);
/// For the text and the answer to it. Servers look for viruses here, and whoever gives up too soon sends twice.
const ANSWER: Duration = Duration::from_secs(120);
/// Addresses of a server that are tried.
const ADDRESSES: usize = 3;

/// Takes messages to the platform's mail server, or to a school's own.
pub struct Smtp {
    server: Option<Server>,
    sender: Sender,
    /// Whether a school's server may be in the local network.
    allow_local: bool,
    tls: Mutex<BTreeMap<(String, bool), TlsParameters>>,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Smtp {
    /// `url` and `from` as in the environment: `LESSONBOOK_SMTP_URL`, `LESSONBOOK_MAIL_FROM`.
    ///
    /// # Errors
    /// Names the variable and what it should be, and nothing of what is in it.
    pub fn new(
        url: Option<&SecretString>,
        from: Option<&str>,
        base_url: &str,
        allow_local: bool,
    ) -> Result<Self, String> {
        let server =
            url.map(Server::parse).transpose().map_err(|error| format!("LESSONBOOK_SMTP_URL: {error}"))?;
        let sender = Sender::new(from, base_url).map_err(|error| format!("LESSONBOOK_MAIL_FROM: {error}"))?;
        Ok(Self { server, sender, allow_local, tls: Mutex::default() })
    }

    async fn carry(&self, message: &Envelope, handing_over: &HandingOver) -> Result<(), SendError> {
        let composed = compose(message, &self.sender)?;
        let own = message.own.as_ref().map(Server::of).transpose().map_err(|error| later(&error))?;
        let server =
            own.as_ref().or(self.server.as_ref()).ok_or_else(|| later("No mail server is set up."))?;
        let mut conn = within(OPEN, self.open(server, own.is_none() || self.allow_local)).await??;
        let parameters = parameters(&conn, &composed)?;
        within(WORD, conn.command(Mail::new(Some(composed.from), parameters)))
            .await?
            .map_err(|e| of_sender(&e))?;
        within(WORD, conn.command(Rcpt::new(composed.to, Vec::new()))).await?.map_err(|e| refusal(&e))?;
        handing_over.begin().await?;
        // Until the text itself goes out nothing has been handed over.
        within(WORD, conn.command(Data)).await?.map_err(|e| refusal(&e))?;
        match tokio::time::timeout(ANSWER, conn.message(&composed.bytes)).await {
            Ok(Ok(_)) => {
                tokio::spawn(async move { tokio::time::timeout(STEP, conn.quit()).await.map(drop) });
                Ok(())
            }
            Ok(Err(error)) if error.status().is_some() => Err(refusal(&error)),
            Ok(Err(_)) => Err(lost("The connection broke before the mail server's answer came")),
            Err(_) => Err(lost("The mail server did not answer in time")),
        }
    }

    /// Connects, encrypts and logs in.
    async fn open(&self, server: &Server, local: bool) -> Result<AsyncSmtpConnection, SendError> {
        let found = within(STEP, tokio::net::lookup_host((server.host.as_str(), server.port)))
            .await?
            .map_err(|_| later("The mail server's name is not known."))?;
        let addresses: Vec<SocketAddr> =
            found.filter(|address| local || reach::is_public(address.ip())).take(ADDRESSES).collect();
        let mut failure = later("The mail server's address is not a public one.");
        for address in addresses {
            match self.greet(server, address).await {
                Ok(conn) => return self.log_in(server, conn).await,
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Connects to one address, and encrypts as far as wanted.
    async fn greet(&self, server: &Server, address: SocketAddr) -> Result<AsyncSmtpConnection, SendError> {
        let hello = self.hello();
        let tls = match server.encryption {
            Encryption::Tls => Some(self.tls(server)?),
            _ => None,
        };
        let connecting = AsyncSmtpConnection::connect_tokio1(address, Some(STEP), &hello, tls, None);
        let mut conn = within(STEP, connecting).await?.map_err(|e| unreachable(&e))?;
        let wanted = matches!(server.encryption, Encryption::Required | Encryption::Opportunistic);
        if wanted && conn.can_starttls() {
            within(STEP, conn.starttls(self.tls(server)?, &hello)).await?.map_err(|e| unreachable(&e))?;
        } else if server.encryption == Encryption::Required {
            return Err(later("The mail server offers no encryption (STARTTLS)."));
        }
        Ok(conn)
    }

    async fn log_in(
        &self,
        server: &Server,
        mut conn: AsyncSmtpConnection,
    ) -> Result<AsyncSmtpConnection, SendError> {
        let Some((user, password)) = &server.login else {
            return Ok(conn);
        };
        if server.encryption != Encryption::None && !conn.is_encrypted() {
            return Err(later("The mail server offers no encryption, so the password was not sent."));
        }
        let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
        match within(STEP, conn.auth(DEFAULT_MECHANISMS, &credentials)).await? {
            Ok(_) => Ok(conn),
            Err(error) if error.is_permanent() => {
                Err(later("The mail server refuses the user name or the password."))
            }
            Err(error) if error.is_client() => {
                Err(later("The mail server knows no way to log in by password."))
            }
            Err(_) => Err(later("Logging in to the mail server failed.")),
        }
    }

    /// Without a password to lose, an unknown certificate is better than no encryption, which is what the alternative
    /// would be.
    fn tls(&self, server: &Server) -> Result<TlsParameters, SendError> {
        let lax = server.encryption == Encryption::Opportunistic && server.login.is_none();
        let key = (server.host.clone(), lax);
        let mut known = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(parameters) = known.get(&key) {
            return Ok(parameters.clone());
        }
        let parameters = TlsParametersBuilder::new(server.host.clone())
            .dangerous_accept_invalid_certs(lax)
            .dangerous_accept_invalid_hostnames(lax)
            .build()
            .map_err(|_| later("No encrypted connection can be made."))?;
        // Reading the machine's certificates takes a while, so they are kept; but not those of every school there was.
        if known.len() >= 100 {
            known.clear();
        }
        known.insert(key, parameters.clone());
        Ok(parameters)
    }

    fn hello(&self) -> ClientId {
        let host = self.sender.host.trim_matches(['[', ']']);
        match host.trim_start_matches("IPv6:").parse() {
            Ok(IpAddr::V4(ip)) => ClientId::Ipv4(ip),
            Ok(IpAddr::V6(ip)) => ClientId::Ipv6(ip),
            Err(_) => ClientId::Domain(host.to_owned()),
        }
    }
}

impl Courier for Smtp {
    fn configured(&self) -> bool {
        self.server.is_some()
    }

    fn send<'a>(
        &'a self,
        message: &'a Envelope,
        handing_over: &'a HandingOver,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(self.carry(message, handing_over))
    }
}

/// What the server has to be able to do for this message.
fn parameters(conn: &AsyncSmtpConnection, composed: &Composed) -> Result<Vec<MailParameter>, SendError> {
    let can = |extension| conn.server_info().supports_feature(extension);
    let mut parameters = Vec::new();
    let addresses: [&str; 2] = [composed.from.as_ref(), composed.to.as_ref()];
    if !addresses.iter().all(|address| address.is_ascii()) {
        if !can(Extension::SmtpUtfEight) {
            let why = "The mail server can't reach addresses in other scripts.";
            return Err(SendError::Refused(why.into()));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !composed.bytes.is_ascii() && can(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(parameters)
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, SendError> {
    tokio::time::timeout(limit, work).await.map_err(|_| later("The mail server does not answer."))
}

fn later(why: &str) -> SendError {
    SendError::Later(why.to_owned())
}

fn lost(what: &str) -> SendError {
    SendError::AnswerLost(format!("{what}; it may arrive twice."))
}

/// What a server's no means: final for 5xx, unless it is about us and not about this message.
fn refusal(error: &Error) -> SendError {
    let Some(code) = error.status().map(|code| code.to_string()) else {
        return later("The connection to the mail server broke.");
    };
    let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let said: String = said.chars().filter(|c| !c.is_control()).take(120).collect();
    let why = format!("The mail server said {code}: {}.", said.trim_end_matches('.'));
    // Encryption or login wanted, or too weak.
    let about_us = matches!(code.as_str(), "530" | "534" | "535" | "538");
    if error.is_permanent() && !about_us { SendError::Refused(why) } else { SendError::Later(why) }
}

/// A server's no to the sender: about our address or our machine, whoever the message is for. It may well be mended.
fn of_sender(error: &Error) -> SendError {
    match refusal(error) {
        SendError::Refused(why) => SendError::Later(why),
        other => other,
    }
}

/// Nothing of what the other side said: it may not be a mail server at all.
fn unreachable(error: &Error) -> SendError {
    if error.to_string().contains("certificate") {
        return later("The mail server's certificate is not valid for its name.");
    }
    later("The mail server can't be reached.")
}
