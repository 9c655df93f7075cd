//! Who may come to an address at all: the second belt under the services' own checks, and what the generated
//! route × role × tenant test expects.

use domain::authz::{Action, Reach, Role, policy};

/// What an address asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, signed in or not.
    Anyone,
    /// Anyone, on the public side of a school that is open.
    School,
    /// Anyone signed in.
    SignedIn,
    /// A member of the school in the address whose role may do this.
    Member(Action),
    /// Someone who runs the platform.
    Platform,
}

impl Access {
    /// Whether `role` gets in, taken alone: the service behind may still refuse what isn't its own.
    pub fn admits(self, role: Role) -> bool {
        match self {
            Self::Anyone | Self::School => true,
            Self::SignedIn => role != Role::Visitor,
            Self::Member(action) => policy::reach(role, action) != Reach::None,
            Self::Platform => policy::reach(role, Action::RunPlatform) == Reach::All,
        }
    }
}
