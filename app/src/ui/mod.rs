//! The parts that pages are made of. They know no area: no lesson, no person, no school.

pub mod accent;
mod badge;
mod field;
mod form;
mod icon;
mod layout;
mod list;
mod live;
mod qr;
mod swatch;
mod table;
mod text;

pub use badge::{Tone, badge, status_badge};
pub use field::{Field, textarea_text};
pub use form::{Kind, PostForm, button, error_summary, post_form};
pub use icon::icon;
pub use layout::{empty, facts, initials, link_button, page_head, time};
pub use list::{filter_bar, filter_select, pager, sort_head};
pub use live::live;
pub use qr::qr;
pub use swatch::swatch;
pub use table::table;
pub use text::{capital, count, minutes, money, plural};
