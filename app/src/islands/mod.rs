//! The interactive parts. Each is an addition to a page that works without it.

#![expect(missing_docs, reason = "the macro makes structs whose fields are the arguments of the islands")]

pub mod calendar_drag;
pub mod count_buttons;
pub mod live_filter;
pub mod live_refresh;

#[cfg(feature = "hydrate")]
mod renew;
#[cfg(feature = "hydrate")]
mod work;

#[cfg(feature = "ssr")]
mod loader;
#[cfg(feature = "ssr")]
pub use loader::loader;
