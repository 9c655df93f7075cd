//! Fetching a page and putting parts of it in the place of those that are shown.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DomParser, Element, Event, Headers, HtmlElement, RequestInit, Response, SupportedType};

/// Why a page is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Someone typed or clicked.
    Asked,
    /// Something changed on the server: nobody need sit here, so the session doesn't live longer for it, and the
    /// outcome of a form that is just being posted is left to the page that waits for it.
    Changed,
}

/// Renews the elements with these ids from the page at `address`, if `current` still holds when it has come. Whether
/// anything was renewed.
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
    let focused = focus();
    for id in ids {
        if let (Some(old), Some(new)) = (document().get_element_by_id(id), page.get_element_by_id(id)) {
            old.replace_with_with_node_1(&document().import_node_with_deep(&new, true)?)?;
        }
    }
    if let Some(selector) = focused
        && let Ok(Some(again)) = document().query_selector(&selector)
        && let Ok(again) = again.dyn_into::<HtmlElement>()
    {
        let _ = again.focus();
    }
    document().dispatch_event(&Event::new("islands:added")?)?;
    Ok(true)
}

/// How to find what has the keyboard again: by its id, its address or its value.
fn focus() -> Option<String> {
    let active: Element = document().active_element()?;
    let quoted = |text: String| text.replace('\\', "\\\\").replace('"', "\\\"");
    ["id", "href", "value"].into_iter().find_map(|name| {
        let value = active.get_attribute(name).filter(|value| !value.is_empty())?;
        Some(format!("{}[{name}=\"{}\"]", active.tag_name().to_lowercase(), quoted(value)))
    })
}
