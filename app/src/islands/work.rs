//! Whether someone is at work in a part of a page, so that it must stay as it is.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement, HtmlOptionElement, HtmlSelectElement, HtmlTextAreaElement, Node};

/// Pressed, in the hand, about to be pressed by the keyboard; or a refused form, which has what was typed only once.
const AT_WORK: &str = ":active, .dragging, button:focus-visible, summary:focus-visible, \
                       .refused :is(input:not([type=hidden]), textarea, select)";

/// Whether someone types, chooses, presses, drags or selects in the part with this id, or has typed something there that
/// isn't sent. A part that isn't there counts as busy.
pub(super) fn is_busy(id: &str) -> bool {
    let Some(part) = document().get_element_by_id(id) else { return true };
    let typing = document().active_element().is_some_and(|active: Element| {
        matches!(active.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") && part.contains(Some(&active))
    });
    typing
        || matches!(part.query_selector(AT_WORK), Ok(Some(_)))
        || matches!(document().query_selector("#page-head :active"), Ok(Some(_)))
        || is_selected(&part)
        || is_filled(&part)
}

/// Whether text is marked, to be copied.
fn is_selected(part: &Element) -> bool {
    let Ok(Some(selection)) = window().get_selection() else { return false };
    !selection.is_collapsed() && part.contains(selection.anchor_node().as_ref())
}

/// Whether a field holds something else than the page came with.
fn is_filled(part: &Element) -> bool {
    let Ok(fields) = part.query_selector_all("input, textarea, select") else { return false };
    (0..fields.length()).filter_map(|at| fields.get(at)).any(|field| differs(&field))
}

fn differs(field: &Node) -> bool {
    if let Some(input) = field.dyn_ref::<HtmlInputElement>() {
        return input.checked() != input.default_checked() || input.value() != input.default_value();
    }
    if let Some(area) = field.dyn_ref::<HtmlTextAreaElement>() {
        return area.default_value().is_ok_and(|text| text != area.value());
    }
    let Some(select) = field.dyn_ref::<HtmlSelectElement>() else { return false };
    let chosen = select.selected_options().item(0);
    let chosen = chosen.and_then(|option| option.dyn_into::<HtmlOptionElement>().ok());
    let marked = matches!(select.query_selector("option[selected]"), Ok(Some(_)));
    chosen.is_some_and(|option| if marked { !option.default_selected() } else { option.index() != 0 })
}
