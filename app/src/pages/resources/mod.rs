//! Pages of resources.

pub mod list;
pub mod one;
