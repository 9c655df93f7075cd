//! What stands around a page, by frame and role.

use domain::{
    authz::{Account, Action, Actor, Reach, Role},
    tenancy::Tenant,
};

use crate::{cx::Cx, doc::Frame, ui::capital};

/// What stands around a page, ready to draw.
pub(super) struct Around {
    /// Where the name at the top leads.
    pub(super) home: String,
    /// The name at the top.
    pub(super) brand: String,
    /// The navigation; empty for none.
    pub(super) items: Vec<Item>,
    /// On a small screen the navigation is a bar at the bottom, not a menu.
    pub(super) bottom: bool,
    /// What is at the right of the top.
    pub(super) corner: Corner,
    /// Whose clock the page shows.
    pub(super) zone: Option<String>,
    /// The school's own colour.
    pub(super) accent: Option<String>,
}

/// An entry of the navigation.
pub(super) struct Item {
    /// Address.
    pub(super) href: String,
    /// Name.
    pub(super) label: String,
    /// Picture.
    pub(super) icon: &'static str,
    /// Whether it is open.
    pub(super) here: bool,
}

/// The right of the top.
pub(super) enum Corner {
    /// Nothing.
    Nothing,
    /// One link.
    Link {
        /// Address.
        href: String,
        /// Name.
        label: &'static str,
    },
    /// The account menu.
    Account {
        /// Whose.
        name: String,
        /// Whether it leads to the platform.
        platform: bool,
    },
}

impl Around {
    pub(super) fn new(frame: Frame, cx: &Cx) -> Self {
        match frame {
            Frame::Bare => Self::plain("/".into(), "Lessonbook".into(), Corner::Nothing),
            // A student who books stays in their own surroundings.
            Frame::School { tenant, actor } if actor.role == Role::Student => {
                Self::member(&tenant, &actor, "book")
            }
            Frame::School { tenant, actor } => Self::school(&tenant, &actor, cx),
            Frame::Member { tenant, actor, here } => Self::member(&tenant, &actor, here),
            Frame::Account { account } => {
                Self::plain("/".into(), "Lessonbook".into(), account_corner(&account))
            }
            Frame::Platform { account, here } => Self::platform(&account, here),
        }
    }

    pub(super) fn body_class(&self) -> &'static str {
        match (self.items.is_empty(), self.bottom) {
            (true, _) => "plain",
            (false, true) => "inside with-bottom",
            (false, false) => "inside",
        }
    }

    fn plain(home: String, brand: String, corner: Corner) -> Self {
        Self { home, brand, items: Vec::new(), bottom: false, corner, zone: None, accent: None }
    }

    fn school(tenant: &Tenant, actor: &Actor, cx: &Cx) -> Self {
        let corner = match (actor.user, actor.role) {
            (None, _) => Corner::Link { href: login_link(cx), label: "Log in" },
            (Some(_), Role::Visitor) => Corner::Link { href: "/".into(), label: "Your schools" },
            (Some(_), _) => Corner::Link { href: format!("/t/{}", tenant.slug), label: "Dashboard" },
        };
        let mut around = Self::plain(format!("/s/{}", tenant.slug), tenant.name.clone(), corner);
        around.zone = Some(zone(tenant));
        around.accent = tenant.accent.clone();
        around
    }

    fn member(tenant: &Tenant, actor: &Actor, here: &str) -> Self {
        Self {
            home: format!("/t/{}", tenant.slug),
            brand: tenant.name.clone(),
            items: member_items(tenant, actor, here),
            bottom: matches!(actor.role, Role::Student | Role::Instructor),
            corner: Corner::Account { name: actor.name.clone(), platform: false },
            zone: Some(zone(tenant)),
            accent: tenant.accent.clone(),
        }
    }

    fn platform(account: &Account, here: &str) -> Self {
        let item = |path: &str, label: &str, icon: &'static str, name: &str| Item {
            href: path.to_owned(),
            label: label.to_owned(),
            icon,
            here: here == name,
        };
        Self {
            home: "/admin".into(),
            brand: "Lessonbook platform".into(),
            items: vec![
                item("/admin", "Overview", "home", ""),
                item("/admin/tenants", "Schools", "building", "tenants"),
                item("/admin/users", "Users", "people", "users"),
                item("/admin/outbox", "Messages", "mail", "outbox"),
                item("/admin/audit", "Audit", "shield", "audit"),
                item("/admin/docs", "Rules", "list", "docs"),
            ],
            bottom: false,
            corner: account_corner(account),
            zone: Some("UTC".into()),
            accent: None,
        }
    }
}

fn member_items(tenant: &Tenant, actor: &Actor, here: &str) -> Vec<Item> {
    let words = tenant.words();
    let base = format!("/t/{}", tenant.slug);
    let item = |path: &str, label: String, icon: &'static str, name: &str| Item {
        href: format!("{base}{path}"),
        label,
        icon,
        here: here == name,
    };
    let many = |word: &str| format!("{}s", capital(word));
    let mut items = vec![
        item("", "Dashboard".into(), "home", ""),
        item("/bookings", many(&words.lesson), "calendar", "bookings"),
    ];
    match actor.role {
        Role::Student => {
            let book = format!("/s/{}", tenant.slug);
            items.push(Item { href: book, label: "Book".into(), icon: "plus", here: here == "book" });
            items.push(Item {
                href: "/account".into(),
                label: "Account".into(),
                icon: "person",
                here: false,
            });
        }
        Role::Instructor => {
            items.push(item("/calendar", "Calendar".into(), "clock", "calendar"));
            items.push(item("/students", many(&words.student), "people", "students"));
        }
        Role::Staff | Role::Owner | Role::SuperAdmin | Role::Visitor => {
            items.push(item("/calendar", "Calendar".into(), "clock", "calendar"));
            items.push(item("/waiting", "Waiting list".into(), "note", "waiting"));
            items.push(item("/instructors", many(&words.instructor), "person", "instructors"));
            items.push(item("/students", many(&words.student), "people", "students"));
            items.push(item("/services", "Services".into(), "list", "services"));
            let more = [
                (Action::EditResources, "/resources", "Resources", "pin", "resources"),
                (Action::EditHolidays, "/holidays", "Holidays", "sun", "holidays"),
                (Action::ManageTeam, "/team", "Team", "people", "team"),
                (Action::ViewOutbox, "/outbox", "Messages", "mail", "outbox"),
                (Action::ViewAudit, "/audit", "Audit", "shield", "audit"),
                (Action::EditSettings, "/settings", "Settings", "settings", "settings"),
            ];
            for (action, path, label, icon, name) in more {
                if actor.reach(action) != Reach::None {
                    items.push(item(path, label.into(), icon, name));
                }
            }
        }
    }
    items
}

fn account_corner(account: &Account) -> Corner {
    Corner::Account { name: account.name.clone(), platform: account.super_admin }
}

fn login_link(cx: &Cx) -> String {
    let query = serde_urlencoded::to_string(vec![("next", cx.link(&[]))]).unwrap_or_default();
    format!("/login?{query}")
}

/// "Johannesburg (Africa/Johannesburg)".
fn zone(tenant: &Tenant) -> String {
    format!("{} ({})", tenant.zone.city(), tenant.zone.name())
}
