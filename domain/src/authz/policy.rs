//! The policy: one table, denied by default.

use std::fmt;

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

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// What can be done. One entry an operation, named `area.verb`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action { $($(#[$doc])* $name),+ }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name, as the policy snapshot and the audit show it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
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
        (A::ViewBookings | A::CancelBooking, R::Student | R::Instructor) => Own,
        (A::ConfirmBooking | A::CompleteBooking, R::Instructor) => Own,
        (A::ViewInstructors | A::ViewStudents | A::PostCredits, R::Instructor) => Own,
        (A::ViewPacks, R::Student | R::Instructor) => Own,
        (A::EditHours, R::Instructor) => Own,
        (A::ViewServices, R::Instructor) => All,

        (A::BookLesson, _) => None,
        (_, R::Staff | R::Owner) => All,
        (_, R::Student | R::Instructor) => None,
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
            let cell = match reach(role, *action) {
                Reach::None => "-",
                Reach::Own => "own",
                Reach::All => "all",
            };
            out.push_str(&format!("{cell:12}"));
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_as_reviewed() {
        insta::assert_snapshot!(super::table());
    }
}
