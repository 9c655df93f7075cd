//! What a page returns.

use domain::authz::{Account, Actor, TenantScope};
use domain::{locale::Locale, tenancy::Tenant};
use leptos::prelude::{AnyView, IntoAny};

use crate::AppError;

/// A page: its data is loaded, its drawing is still to be done.
pub struct Doc {
    /// Says the thing: "Thandi M., instructor".
    pub title: String,
    /// What stands around it.
    pub frame: Frame,
    /// Draws the content of `<main>`.
    pub main: Box<dyn FnOnce() -> AnyView + Send>,
    /// Whether it has islands; without, no script is loaded.
    pub islands: bool,
    /// HTTP status; 200 unless the page reports what is wrong with what was sent.
    pub status: u16,
    /// Another page to go to instead.
    pub redirect: Option<String>,
}

/// What stands around a page.
#[derive(Clone, Debug)]
pub enum Frame {
    /// Nothing but the name: login, errors.
    Bare,
    /// The public side of a school.
    School {
        /// The school.
        tenant: Tenant,
        /// Who looks.
        actor: Actor,
    },
    /// Inside a school.
    Member {
        /// The school.
        tenant: Tenant,
        /// Who looks.
        actor: Actor,
        /// The entry of the navigation that is open: `bookings`, `instructors`, … or empty for the dashboard.
        here: &'static str,
    },
    /// One's own account.
    Account {
        /// Whose.
        account: Account,
    },
    /// The platform.
    Platform {
        /// Who looks.
        account: Account,
        /// The entry of the navigation that is open: `tenants`, `users` or empty for the overview.
        here: &'static str,
    },
}

/// A page or the reason why there is none.
pub type PageResult = Result<Doc, AppError>;

impl Doc {
    /// A page without islands.
    pub fn new(
        title: impl Into<String>,
        frame: Frame,
        main: impl FnOnce() -> AnyView + Send + 'static,
    ) -> Self {
        Self { title: title.into(), frame, main: Box::new(main), islands: false, status: 200, redirect: None }
    }

    /// No page, but the way to another one.
    pub fn redirect(to: impl Into<String>) -> Self {
        let empty = Self::new("", Frame::Bare, || ().into_any());
        Self { redirect: Some(to.into()), ..empty }
    }

    /// The same with another status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with islands.
    pub fn with_islands(mut self) -> Self {
        self.islands = true;
        self
    }
}

impl Frame {
    /// How numbers and money are written here: as the school writes them, where there is one.
    pub fn locale(&self) -> Locale {
        match self {
            Self::School { tenant, .. } | Self::Member { tenant, .. } => tenant.locale,
            Self::Bare | Self::Account { .. } | Self::Platform { .. } => Locale::default(),
        }
    }

    /// Inside the school of a scope.
    pub fn member(scope: &TenantScope, here: &'static str) -> Self {
        Self::Member { tenant: scope.tenant().clone(), actor: scope.actor().clone(), here }
    }

    /// The public side of the school of a scope.
    pub fn school(scope: &TenantScope) -> Self {
        Self::School { tenant: scope.tenant().clone(), actor: scope.actor().clone() }
    }
}
