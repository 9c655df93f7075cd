//! The one error that leaves the server (DA-03).

use std::{collections::BTreeMap, num::NonZeroU32};

use leptos::{
    prelude::{FromServerFnError, ServerFnErrorErr},
    server_fn::codec::JsonEncoding,
};
use serde::{Deserialize, Serialize};

/// What kind of refusal it is; each has one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// 422: fields to mend.
    ValidationError,
    /// 401: nobody is signed in, or wrongly.
    Unauthorized,
    /// 403: known, but not for this role.
    Forbidden,
    /// 404: not there, or not to be known.
    NotFound,
    /// 409: the state of things doesn't allow it.
    Conflict,
    /// 413: larger than is read.
    TooLarge,
    /// 429: too often.
    RateLimited,
    /// 503: come back later.
    Unavailable,
    /// 500: a bug or a broken machine.
    Internal,
}

impl Code {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::ValidationError => 422,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::RateLimited => 429,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// A page that one has to pass before what was refused is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mend {
    /// Where one proves who one is.
    #[serde(rename = "/account/confirm")]
    Proof,
    /// Where one sets up a second step.
    #[serde(rename = "/account/security")]
    SecondStep,
}

impl Mend {
    /// Its address.
    pub fn path(self) -> &'static str {
        match self {
            Self::Proof => "/account/confirm",
            Self::SecondStep => "/account/security",
        }
    }
}

/// A refusal in the shape that pages, scripts and API clients share. Nothing internal is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct AppError {
    /// Kind.
    pub code: Code,
    /// What happened and what to do, for people.
    pub message: String,
    /// Messages by field name.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Free starts near a taken one, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<String>,
    /// When to try again, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<NonZeroU32>,
    /// The page that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<Mend>,
    /// Its number; that of an internal error is found again in the log.
    pub error_id: String,
    /// RFC 3339.
    pub timestamp: String,
    /// The address asked for.
    pub path: String,
}

impl AppError {
    /// An error without fields; the middleware fills in id, time and path.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            fields: BTreeMap::new(),
            nearest: Vec::new(),
            retry_after: None,
            mend: None,
            error_id: String::new(),
            timestamp: String::new(),
            path: String::new(),
        }
    }

    /// Says when to try again.
    pub fn after(self, seconds: u64) -> Self {
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        Self { retry_after: NonZeroU32::new(seconds.max(1)), ..self }
    }

    /// One field to mend.
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        let mut error = Self::new(Code::ValidationError, FIELDS_MESSAGE);
        error.fields.insert(name.to_owned(), message.into());
        error
    }
}

const FIELDS_MESSAGE: &str = "Some fields need another look. Nothing was saved.";

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    /// What the framework itself refuses: almost always a form with a field missing or misread.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(message)
            | ServerFnErrorErr::MissingArg(message)
            | ServerFnErrorErr::Deserialization(message) => {
                // serde names the field between backticks.
                match message.split('`').nth(1) {
                    Some(name) => Self::field(name, "This is needed."),
                    None => {
                        Self::new(Code::ValidationError, "The form could not be read. Nothing was saved.")
                    }
                }
            }
            ServerFnErrorErr::Request(_) => {
                Self::new(Code::Unavailable, "The server could not be reached. Nothing was lost; try again.")
            }
            _ => Self::new(Code::Internal, "Something went wrong on our side. Nothing was saved."),
        }
    }
}

#[cfg(feature = "ssr")]
mod from_domain {
    use super::*;

    impl From<domain::Error> for AppError {
        fn from(error: domain::Error) -> Self {
            use domain::Error as E;
            match error {
                E::Invalid(fields) => {
                    let mut out = Self::new(Code::ValidationError, FIELDS_MESSAGE);
                    out.fields = fields.0;
                    out
                }
                E::Unauthorized(message) => Self::new(Code::Unauthorized, message),
                E::Forbidden(message) => Self::new(Code::Forbidden, message),
                E::NotFound => Self::new(Code::NotFound, "There is nothing here, or it isn't yours to see."),
                E::Conflict(message) => Self::new(Code::Conflict, message),
                E::SlotTaken { nearest } => {
                    let mut out =
                        Self::new(Code::Conflict, "That time has just been taken. Nothing was booked.");
                    out.nearest = nearest.iter().map(ToString::to_string).collect();
                    out
                }
                E::ProofNeeded => Self {
                    mend: Some(Mend::Proof),
                    ..Self::new(Code::Forbidden, "Confirm that it is you first. Nothing was changed.")
                },
                E::CodeNeeded => Self {
                    mend: Some(Mend::SecondStep),
                    ..Self::new(Code::Forbidden, "Set up a second step to go on: your role needs one.")
                },
                E::TooMany { seconds, message } => Self::new(Code::RateLimited, message).after(seconds),
                E::Unavailable => Self::new(
                    Code::Unavailable,
                    "Too many people at once. Nothing was saved; try again in a moment.",
                ),
                E::Internal(source) => {
                    let mut out = Self::new(
                        Code::Internal,
                        "Something went wrong on our side. Nothing was saved; try again, and tell us the number if it stays.",
                    );
                    out.error_id = uuid::Uuid::new_v4().to_string();
                    tracing::error!(error_id = %out.error_id, error = ?source, "internal error");
                    out
                }
            }
        }
    }
}
