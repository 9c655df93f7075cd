//! A colour, as a small square. Drawn, because no style stands in an attribute here; the colour of a drawing may.

use leptos::prelude::*;

/// The colour `#rrggbb`, hidden from assistive technology: the word beside it says what it is of. Nothing when there is
/// none, or what is no colour.
pub fn swatch(hex: Option<&str>) -> AnyView {
    let Some(hex) = hex.filter(|hex| is_colour(hex)) else { return ().into_any() };
    let drawn = format!(r#"<rect width="12" height="12" rx="3" fill="{hex}"/>"#);
    view! {
        <svg
            class="swatch"
            viewBox="0 0 12 12"
            width="12"
            height="12"
            aria-hidden="true"
            focusable="false"
            inner_html=drawn
        ></svg>
    }
    .into_any()
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_colour_is_drawn() {
        let html = swatch(Some("#0a6b8a")).to_html();
        assert!(html.contains("fill=\"#0a6b8a\""), "{html}");
        for bad in ["", "red", "#fff", "#12345g", "\"/><script>"] {
            assert!(!swatch(Some(bad)).to_html().contains("svg"), "{bad}");
        }
        assert!(!swatch(None).to_html().contains("svg"));
    }
}
