//! Pages of people: dashboards, instructors, students, import.

use domain::ids::PackId;
use leptos::prelude::*;

use crate::{cx::Cx, islands::count_buttons::CountButtons};

pub mod dashboard;
pub mod import;
pub mod instructor;
pub mod instructors;
pub mod student;
pub mod students;

mod associate;
mod mentees;
mod parts;
mod removed;

/// The lessons left of a pack, with the buttons "Add lesson" and "Use lesson". Pages that hold it have islands.
///
/// Without scripts it leads back to this page with `pack` in its address, so that the row it stands in is open again.
pub fn count_buttons(cx: &Cx, tenant: &str, pack: PackId, left: i32) -> AnyView {
    let (tenant, pack) = (tenant.to_owned(), pack.to_string());
    let back = cx.link(&[("page", cx.query("page").unwrap_or("")), ("pack", pack.as_str())]);
    view! { <CountButtons tenant=tenant pack=pack left=left back=back/> }.into_any()
}
