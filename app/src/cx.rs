//! What a request carries, for pages and actions alike.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Instant,
    authz::{Caller, PlatformScope, TenantScope, UserScope},
    clock::Clock,
    db::Db,
    identity::Passwords,
    ids::UserId,
    notify::Mailer,
    paging::ListQuery,
};
use leptos::prelude::use_context;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::{AppError, Code};

/// What is the same for all requests.
#[derive(Clone, Debug)]
pub struct Site {
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// Password work, off the async threads.
    pub passwords: Passwords,
    /// Public address, without a slash at its end.
    pub base_url: String,
    /// Demo accounts exist, and pages say so.
    pub demo: bool,
    /// Pages reload when the program was rebuilt.
    pub reload: bool,
    /// Sends messages; where no server is set up, pages say that they stay in the outbox.
    pub mail: Mailer,
    /// Names of the built browser files.
    pub assets: Assets,
}

/// Addresses of the built browser files; their names change with their content.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    /// The style sheet.
    pub style: String,
    /// What starts the islands.
    pub loader: String,
    /// The islands' JavaScript.
    pub script: String,
    /// The islands' wasm.
    pub wasm: String,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Cx {
    /// What is the same for all requests.
    pub site: Arc<Site>,
    /// Who asks, when and from where. Whether the account is still active is for the scopes to say.
    pub caller: Caller,
    /// Whose place a super-admin takes, for the banner.
    pub acting_as: Option<String>,
    /// The session.
    pub session: Session,
    /// The path asked for.
    pub path: String,
    /// Parameters in the path.
    pub params: BTreeMap<String, String>,
    /// Parameters behind the `?`, the last of each name.
    pub query: BTreeMap<String, String>,
    /// The outcome of the form posted before, shown once.
    pub flash: Option<Flash>,
    /// Chosen by the switch in the shell; follows the system when not.
    pub theme: Theme,
    /// For scripts and styles that the page itself brings.
    pub nonce: String,
}

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// As kept in the cookie and set on `<html data-theme>`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// From the cookie; nonsense is the system's.
    pub fn parse(text: &str) -> Self {
        match text {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }
}

/// What the page after a posted form shows, once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// Which form: `area/verb`.
    pub form: String,
    /// Whether it went well.
    pub ok: bool,
    /// What to say.
    pub message: String,
    /// Messages by field.
    #[serde(default)]
    pub errors: BTreeMap<String, String>,
    /// What was typed, without secrets.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// Free starts near a taken one.
    #[serde(default)]
    pub nearest: Vec<String>,
    /// A one-time link.
    #[serde(default)]
    pub link: Option<String>,
    /// Backup codes, shown once.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Goes on to the page after the next one: the form has to wait until one has proved who one is.
    #[serde(default)]
    pub carry: bool,
    /// What still waits for that: a mistyped password on the way loses nothing.
    #[serde(default)]
    pub kept: Option<Box<Self>>,
}

impl Flash {
    /// What goes on to the next page, with what was typed: after a lost race one picks another time there, and before a
    /// sensitive change one proves there who one is.
    pub fn carried(&self) -> Option<Self> {
        let kept = Self { form: self.form.clone(), values: self.values.clone(), ..Self::default() };
        if let Some(kept) = &self.kept {
            return Some((**kept).clone());
        }
        if self.carry {
            let message = "That is confirmed. Look over the form and send it again.".to_owned();
            return Some(Self { message, ..kept });
        }
        (!self.nearest.is_empty()).then_some(kept)
    }
}

/// The state of one form on a page: what was typed and what was wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Form {
    errors: BTreeMap<String, String>,
    values: BTreeMap<String, String>,
}

impl Form {
    /// What was typed, or `default`.
    pub fn value(&self, name: &str, default: &str) -> String {
        self.values.get(name).cloned().unwrap_or_else(|| default.to_owned())
    }

    /// What is wrong with a field.
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.get(name).map(String::as_str)
    }

    /// All that is wrong, field by field.
    pub fn errors(&self) -> impl Iterator<Item = (&str, &str)> {
        self.errors.iter().map(|(name, message)| (name.as_str(), message.as_str()))
    }

    /// Whether the form was posted and refused.
    pub fn was_refused(&self) -> bool {
        !self.values.is_empty() || !self.errors.is_empty()
    }
}

impl Cx {
    /// The current request, inside a server function.
    pub fn current() -> Result<Self, AppError> {
        use_context::<Self>()
            .ok_or_else(|| AppError::new(Code::Internal, "Something went wrong on our side."))
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// When the request began.
    pub fn now(&self) -> Instant {
        self.caller.now
    }

    /// The account behind the session, if any.
    pub fn user(&self) -> Option<UserId> {
        self.caller.user
    }

    /// Enters the school `slug` as a member.
    pub async fn member(&self, slug: &str) -> Result<TenantScope, AppError> {
        Ok(TenantScope::member(&self.site.db, &self.caller, slug).await?)
    }

    /// Enters the public side of the school `slug`.
    pub async fn school(&self, slug: &str) -> Result<TenantScope, AppError> {
        Ok(TenantScope::public(&self.site.db, &self.caller, slug).await?)
    }

    /// Enters one's own account.
    pub async fn account(&self) -> Result<UserScope, AppError> {
        Ok(UserScope::enter(&self.site.db, &self.caller).await?)
    }

    /// Enters the platform.
    pub async fn platform(&self) -> Result<PlatformScope, AppError> {
        Ok(PlatformScope::enter(&self.site.db, &self.caller).await?)
    }

    /// A parameter of the path; the router has made sure that it is there.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// An id in the path; what is no id is not found.
    pub fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, AppError> {
        self.param(name).parse().map_err(|_| domain::Error::NotFound.into())
    }

    /// A parameter behind the `?`.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// The list asked for.
    pub fn list(&self) -> ListQuery {
        ListQuery::parse(|name| self.query(name))
    }

    /// This address with some parameters changed; an empty value removes one. The page goes back to 1 unless it is
    /// what changes.
    pub fn link(&self, changes: &[(&str, &str)]) -> String {
        let mut query = self.query.clone();
        query.remove("page");
        for (name, value) in changes {
            if value.is_empty() {
                query.remove(*name)
            } else {
                query.insert((*name).to_owned(), (*value).to_owned())
            };
        }
        with_query(&self.path, &query)
    }

    /// The address of a download with the filters of this page.
    pub fn download(&self, path: &str) -> String {
        let mut query = self.query.clone();
        query.remove("page");
        query.remove("page_size");
        with_query(path, &query)
    }

    /// The state of the form that posts to `/fn/{name}`. With several such forms on a page, `key` (the value of their
    /// hidden field `_key`) tells them apart; empty when there is one.
    pub fn form(&self, name: &str, key: &str) -> Form {
        match &self.flash {
            Some(flash)
                if !flash.ok
                    && flash.form == name
                    && flash.values.get("_key").map_or("", String::as_str) == key =>
            {
                Form { errors: flash.errors.clone(), values: flash.values.clone() }
            }
            _ => Form::default(),
        }
    }
}

fn with_query(path: &str, query: &BTreeMap<String, String>) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{}", serde_urlencoded::to_string(query).unwrap_or_default())
}
