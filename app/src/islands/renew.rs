//! Fetching a page and putting parts of it in the place of those that are shown.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomParser, Element, Event, FocusOptions, Headers, HtmlElement, RequestInit, Response, SupportedType,
};

/// Why a page is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Someone typed or clicked.
    Asked,
    /// Something changed on the server: nobody need sit here, so the session doesn't live longer for it, and the
    /// outcome of a form that is just being posted is left to the page that waits for it.
    Changed,
}

/// Renews the elements with these ids, and the title, from the page at `address`, if `current` still holds when it has
/// come. Whether anything was renewed.
pub(super) async fn renew(
    address: &str,
    ids: &[&str],
    why: Why,
    current: impl Fn() -> bool,
) -> Result<bool, JsValue> {
    let options = RequestInit::new();
    let headers = Headers::new()?;
    headers.set("accept", "text/html")?;
    if why == Why::Changed {
        headers.set("x-lessonbook-refresh", "1")?;
    }
    options.set_headers(&headers);
    let response: Response =
        JsFuture::from(window().fetch_with_str_and_init(address, &options)).await?.dyn_into()?;
    if !response.ok() || response.redirected() {
        return Ok(false);
    }
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    let page = DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml)?;
    if !current() {
        return Ok(false);
    }
    document().set_title(&page.title());
    for id in ids {
        if let (Some(old), Some(new)) = (document().get_element_by_id(id), page.get_element_by_id(id)) {
            let new: Element = document().import_node_with_deep(&new, true)?.dyn_into()?;
            let kept = Kept::of(&old);
            old.replace_with_with_node_1(&new)?;
            kept.give(&new);
        }
    }
    document().dispatch_event(&Event::new("islands:added")?)?;
    Ok(true)
}

/// What may be scrolled within itself.
const SCROLLED: &str = ".cal, .table-wrap";

/// What a reader has done to a part of a page, and finds in the part that takes its place.
struct Kept {
    focus: Option<Focus>,
    scrolled: Vec<(i32, i32)>,
    open: Vec<bool>,
}

/// How to find what has the keyboard: by its id, its address or its value, and by how many are before it.
struct Focus {
    selector: String,
    before: usize,
}

impl Kept {
    fn of(part: &Element) -> Self {
        Self {
            focus: Focus::within(part),
            scrolled: all(part, SCROLLED)
                .iter()
                .map(|box_| (box_.scroll_left(), box_.scroll_top()))
                .collect(),
            open: all(part, "details").iter().map(|details| details.has_attribute("open")).collect(),
        }
    }

    fn give(self, part: &Element) {
        for (element, (left, top)) in all(part, SCROLLED).iter().zip(self.scrolled) {
            element.set_scroll_left(left);
            element.set_scroll_top(top);
        }
        let details = all(part, "details");
        // With others than before nobody knows which is which.
        if details.len() == self.open.len() {
            for (element, open) in details.iter().zip(self.open) {
                let _ = element.toggle_attribute_with_force("open", open);
            }
        }
        let again = self.focus.and_then(|focus| all(part, &focus.selector).into_iter().nth(focus.before));
        if let Some(again) = again.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            let options = FocusOptions::new();
            options.set_prevent_scroll(true);
            let _ = again.focus_with_options(&options);
        }
    }
}

impl Focus {
    fn within(part: &Element) -> Option<Self> {
        let active = document().active_element().filter(|active| part.contains(Some(active)))?;
        let quoted = |text: String| text.replace('\\', "\\\\").replace('"', "\\\"");
        let selector = ["id", "href", "value"].into_iter().find_map(|name| {
            let value = active.get_attribute(name).filter(|value| !value.is_empty())?;
            Some(format!("{}[{name}=\"{}\"]", active.tag_name().to_lowercase(), quoted(value)))
        })?;
        let before = all(part, &selector).iter().position(|one| one.is_same_node(Some(&active)))?;
        Some(Self { selector, before })
    }
}

/// All within a part that a selector finds.
fn all(part: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = part.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.get(at)?.dyn_into().ok()).collect()
}
