//! Pages of services.

pub mod list;
pub mod one;
