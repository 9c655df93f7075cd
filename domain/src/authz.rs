//! Who may do what.
//!
//! [`policy`] is one pure table, role × action. `scope` is the sole maker of the proofs that a request carries:
//! `TenantScope` (this actor in this school) and `PlatformScope` (a super-admin). Every store function takes one; a
//! raw id opens nothing.

#[cfg(feature = "server")]
pub mod caller;
pub mod policy;
#[cfg(feature = "server")]
pub mod scope;

#[cfg(feature = "server")]
pub use caller::{Caller, Origin, Proof};
pub use policy::{Action, Reach, Role};
#[cfg(feature = "server")]
pub use scope::{Account, Actor, PlatformScope, School, TenantScope, UserScope};
