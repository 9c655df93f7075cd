//! The policy: one table, denied by default.

use std::{collections::BTreeMap, fmt};

/// What someone is in a school, or on the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Not signed in, or not a member of this school.
    Visitor,
    /// Books lessons.
    Student,
    /// Teaches.
    Instructor,
    /// Runs the school's days.
    Staff,
    /// Runs the school.
    Owner,
    /// Runs the platform; no part of any school.
    SuperAdmin,
}

impl Role {
    /// All, from least to most.
    pub const ALL: [Self; 6] =
        [Self::Visitor, Self::Student, Self::Instructor, Self::Staff, Self::Owner, Self::SuperAdmin];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Student => "student",
            Self::Instructor => "instructor",
            Self::Staff => "staff",
            Self::Owner => "owner",
            Self::SuperAdmin => "super_admin",
        }
    }

    /// A member's role as stored. Neither visitors nor super-admins are members.
    pub fn member(text: &str) -> Option<Self> {
        [Self::Student, Self::Instructor, Self::Staff, Self::Owner]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far a permission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Not at all.
    None,
    /// A student's own things, an instructor's own lessons and mentees.
    Own,
    /// All of the school, or of the platform.
    All,
}

impl Reach {
    /// As the table shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "-",
            Self::Own => "own",
            Self::All => "all",
        }
    }
}

macro_rules! actions {
    ($(#[doc = $doc:literal] $name:ident = $text:literal),+ $(,)?) => {
        /// What can be done. One entry an operation, named `area.verb`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action { $(#[doc = $doc] $name),+ }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name, as the policy snapshot and the audit show it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// What it is, in a sentence.
            pub fn describe(self) -> &'static str {
                match self { $(Self::$name => $doc),+ }.trim_ascii()
            }
        }
    };
}

actions! {
    /// The public page of a school, its services and free times.
    ViewSchool = "school.view",
    /// The dashboard of one's role.
    ViewDashboard = "dashboard.view",
    /// Book a lesson for oneself.
    BookLesson = "booking.book",
    /// Book a lesson for a student.
    BookForStudent = "booking.book_for_student",
    /// Read lessons.
    ViewBookings = "booking.view",
    /// Cancel a lesson.
    CancelBooking = "booking.cancel",
    /// Approve a requested lesson.
    ConfirmBooking = "booking.confirm",
    /// Say that a lesson took place, or that the student didn't come.
    CompleteBooking = "booking.complete",
    /// Give a lesson another time.
    MoveBooking = "booking.move",
    /// Book lessons that come again and again.
    BookSeries = "booking.book_series",
    /// Take many lessons one step further at once.
    BulkStatus = "booking.bulk",
    /// Plan a lesson for several, and call it off.
    OpenGroup = "booking.open_group",
    /// The calendar of instructors and resources.
    ViewCalendar = "calendar.view",
    /// Join and leave the waiting list, and answer its offers.
    JoinWaitingList = "waiting.join",
    /// Read the waiting list.
    ViewWaitingList = "waiting.view",
    /// Make and revoke calendar feeds of what one may see.
    MakeFeed = "feeds.make",
    /// Read instructors and their mentees.
    ViewInstructors = "instructors.view",
    /// Say that an instructor has been checked, and so is shown to the public.
    VerifyInstructor = "instructors.verify",
    /// Read students.
    ViewStudents = "students.view",
    /// Import people.
    ImportPeople = "people.import",
    /// Give a student an instructor and a pack.
    Associate = "people.associate",
    /// Add or use a lesson of a pack.
    PostCredits = "packs.post",
    /// Read packs.
    ViewPacks = "packs.view",
    /// Read services as the school keeps them.
    ViewServices = "services.view",
    /// Create, edit and archive services.
    EditServices = "services.edit",
    /// Set weekly hours and block time.
    EditHours = "availability.edit",
    /// Create, edit and archive resources.
    EditResources = "resources.edit",
    /// Set the days on which the school is closed.
    EditHolidays = "holidays.edit",
    /// Take a student or an instructor out of the school's lists, and bring them back.
    RemovePeople = "people.remove",
    /// Take lists out as CSV, as far as one may read them.
    ExportData = "data.export",
    /// Invite, remove and rank members, and give them permissions.
    ManageTeam = "team.manage",
    /// Change the school's settings.
    EditSettings = "settings.edit",
    /// Read who did what.
    ViewAudit = "audit.view",
    /// Read which messages were sent.
    ViewOutbox = "outbox.view",
    /// Send a failed message again.
    ResendMail = "outbox.resend",
    /// Read and run the platform.
    RunPlatform = "platform.run",
}

/// How far `role` may go with `action`. What isn't listed is denied.
pub fn reach(role: Role, action: Action) -> Reach {
    use Action as A;
    use Reach::{All, None, Own};
    use Role as R;
    match (action, role) {
        (A::RunPlatform, R::SuperAdmin) => All,
        (A::ViewSchool, _) => All,
        (_, R::SuperAdmin | R::Visitor) | (A::RunPlatform, _) => None,

        (A::ViewDashboard, _) => All,
        (A::BookLesson, R::Student) => Own,
        (A::BookSeries | A::JoinWaitingList | A::ViewWaitingList, R::Student) => Own,
        (A::ViewBookings | A::CancelBooking | A::MoveBooking | A::MakeFeed, R::Student | R::Instructor) => {
            Own
        }
        (A::ConfirmBooking | A::CompleteBooking | A::BulkStatus, R::Instructor) => Own,
        (A::OpenGroup | A::ViewCalendar, R::Instructor) => Own,
        (A::ViewInstructors | A::ViewStudents | A::PostCredits, R::Instructor) => Own,
        (A::ViewPacks, R::Student | R::Instructor) => Own,
        (A::EditHours, R::Instructor) => Own,
        (A::ViewServices, R::Instructor) => All,

        (A::ExportData, R::Student | R::Instructor) => Own,

        (A::BookLesson, _) => None,
        (A::ManageTeam | A::EditSettings | A::ViewAudit, R::Staff) => None,
        (_, R::Staff | R::Owner) => All,
        (_, R::Student | R::Instructor) => None,
    }
}

/// A permission that an owner can give to a member or take away (AC-20).
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// Whose.
    pub role: Role,
    /// What.
    pub action: Action,
    /// How far it goes when given.
    pub reach: Reach,
    /// In words, after "May".
    pub label: &'static str,
}

impl Grant {
    /// Whether the role has it unless an owner says otherwise.
    pub fn by_default(self) -> bool {
        reach(self.role, self.action) != Reach::None
    }
}

/// What an owner can decide member by member. All else is as the table says.
pub const GRANTABLE: &[Grant] = {
    use Action as A;
    use Reach::{All, Own};
    use Role::{Instructor, Staff};
    const fn grant(role: Role, action: Action, reach: Reach, label: &'static str) -> Grant {
        Grant { role, action, reach, label }
    }
    &[
        grant(Staff, A::ExportData, All, "download lists"),
        grant(Staff, A::ImportPeople, All, "import people"),
        grant(Staff, A::RemovePeople, All, "remove people"),
        grant(Staff, A::EditServices, All, "edit services and prices"),
        grant(Staff, A::PostCredits, All, "add and use lessons of packs"),
        grant(Staff, A::ViewAudit, All, "read who did what"),
        grant(Instructor, A::EditHours, Own, "edit own hours"),
        grant(Instructor, A::PostCredits, Own, "add and use lessons of own students"),
        grant(Instructor, A::ExportData, Own, "download own lists"),
    ]
};

/// How far `role` may go with `action`, given what an owner said about this member: `{"data.export": false}`.
pub fn reach_with(role: Role, action: Action, permissions: &BTreeMap<String, bool>) -> Reach {
    let said = permissions.get(action.as_str());
    let grant = GRANTABLE.iter().find(|grant| grant.role == role && grant.action == action);
    match (said, grant) {
        (Some(true), Some(grant)) => grant.reach,
        (Some(false), Some(_)) => Reach::None,
        // Nothing was said, or it isn't an owner's to say.
        _ => reach(role, action),
    }
}

/// The whole table as text, for the snapshot that a reviewer reads.
pub fn table() -> String {
    let mut out = format!("{:26}", "action");
    for role in Role::ALL {
        out.push_str(&format!("{:12}", role.as_str()));
    }
    for action in Action::ALL {
        out.truncate(out.trim_end().len());
        out.push_str(&format!("\n{:26}", action.as_str()));
        for role in Role::ALL {
            out.push_str(&format!("{:12}", reach(role, *action).as_str()));
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// `docs/AUTHZ.md`: the same for people who read no code.
pub fn page() -> String {
    let mut out = String::from(
        "# Who may do what\n\n\
         Made from the policy table (`domain/src/authz/policy.rs`); a test holds it to the code, and\n\
         `UPDATE_DOCS=1 cargo test -p domain --features server policy` writes it anew. What isn't listed is denied.\n\n\
         - **all**: everything of the school (of the platform, for super-admins).\n\
         - **own**: a student's own lessons and packs; an instructor's own lessons, hours and students.\n\
         - **-**: not at all. What may not even be known answers 404, what may be known 403.\n\n",
    );
    let heads: Vec<String> = Role::ALL.iter().map(|role| role.as_str().replace('_', "-")).collect();
    out.push_str(&format!("| what | in short | {} |\n|---|---|{}\n", heads.join(" | "), "---|".repeat(6)));
    for action in Action::ALL {
        let cells: Vec<&str> = Role::ALL.iter().map(|role| reach(*role, *action).as_str()).collect();
        out.push_str(&format!("| `{}` | {} | {} |\n", action.as_str(), action.describe(), cells.join(" | ")));
    }
    out.push_str(
        "\n## What an owner decides member by member\n\n\
         On the team page, recorded in the audit.\n\n| role | may | unless the owner says otherwise |\n|---|---|---|\n",
    );
    for grant in GRANTABLE {
        let default = if grant.by_default() { "yes" } else { "no" };
        out.push_str(&format!("| {} | {} | {default} |\n", grant.role, grant.label));
    }
    out.push_str(
        "\n## What else is asked\n\n\
         - Account, membership and school are read from the database at each request; all must be active.\n\
         - Super-admins need a second step, and owners and staff where their school wants it.\n\
         - E-mail, phone, the second step and its backup codes, ending sessions, changing someone's account, acting as someone\n  \
           else and the deletion of a school ask for the password again, unless it was given in the last 15 minutes.\n\
         - A super-admin who acts as someone else needs a reason, is recorded in each act, can't act as another super-admin and\n  \
           can't change how the account logs in.\n",
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_gives_and_takes_only_what_is_theirs_to_give() {
        let said = |action: Action, value| BTreeMap::from([(action.as_str().to_owned(), value)]);
        let of = |role, action, value| reach_with(role, action, &said(action, value));
        assert_eq!(of(Role::Staff, Action::ExportData, false), Reach::None);
        assert_eq!(of(Role::Staff, Action::ViewAudit, true), Reach::All);
        assert_eq!(of(Role::Instructor, Action::EditHours, false), Reach::None);
        // Not on the list: the word of an owner changes nothing.
        assert_eq!(of(Role::Student, Action::ManageTeam, true), Reach::None);
        assert_eq!(of(Role::Staff, Action::RunPlatform, true), Reach::None);
        assert_eq!(of(Role::Staff, Action::ViewBookings, false), Reach::All);
    }

    #[test]
    fn the_table_is_as_reviewed() {
        insta::assert_snapshot!(super::table());
    }

    #[test]
    fn the_page_for_people_says_the_same() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/AUTHZ.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, page()).unwrap();
        }
        assert!(std::fs::read_to_string(path).unwrap() == page(), "docs/AUTHZ.md is out of date");
    }
}
