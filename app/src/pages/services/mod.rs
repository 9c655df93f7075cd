//! Pages of services.

mod combo;
pub mod list;
pub mod one;
mod terms;

use leptos::prelude::*;

use crate::cx::Form;

/// What is wrong with fields that belong together; the summary of the form leads to the element around them.
fn problem(form: &Form, name: &str) -> Option<AnyView> {
    let message = form.error(name)?.to_owned();
    Some(view! { <div class="field invalid"><p class="error">{message}</p></div> }.into_any())
}
