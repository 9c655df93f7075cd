//! A school's colour, and how it comes out by light and by dark.

use std::fmt::Write;

use leptos::prelude::*;

use crate::{
    cx::Form,
    ui::{
        Field,
        accent::{self, Shades},
    },
};

/// The field, and a preview of what is saved or was typed.
pub(super) fn fields(form: &Form, saved: Option<&str>) -> AnyView {
    let colour = form.value("accent", saved.unwrap_or(""));
    let field = Field::text("accent", "Accent colour")
        .value(saved.unwrap_or(""))
        .help("For links and buttons, like #0a6b8a; empty for Lessonbook's own. It is made darker or lighter where it couldn't be read.")
        .autocomplete("off")
        .max_length(7)
        .view(form, "");
    view! {
        {field}
        {preview(colour.trim())}
    }
    .into_any()
}

/// Nothing when there is no colour, or none that can be read.
fn preview(hex: &str) -> Option<AnyView> {
    let (light, dark) = accent::both(hex)?;
    let drawn = format!("{}{}", half(0, "Light", &light), half(160, "Dark", &dark));
    Some(
        view! {
            <svg
                class="accent-preview"
                viewBox="0 0 320 72"
                role="img"
                aria-label="A link and a button in this colour, by light and by dark"
                inner_html=drawn
            ></svg>
        }
        .into_any(),
    )
}

/// One theme: a link, and a button. Colours are `#rrggbb` and words are ours, so nothing has to be escaped.
fn half(left: u32, theme: &str, shades: &Shades) -> String {
    let Shades { accent, on, soft, strong, surface } = shades;
    let mut out = String::new();
    let _ = write!(out, r#"<rect x="{left}" width="160" height="72" fill="{surface}"/>"#);
    let _ = write!(
        out,
        r#"<text x="{}" y="41" fill="{accent}" text-decoration="underline">{theme}</text>"#,
        left + 12
    );
    let _ = write!(out, r#"<rect x="{}" y="20" width="44" height="32" rx="6" fill="{soft}"/>"#, left + 52);
    let _ = write!(out, r#"<text x="{}" y="41" fill="{strong}" text-anchor="middle">Aa</text>"#, left + 74);
    let _ = write!(out, r#"<rect x="{}" y="20" width="48" height="32" rx="6" fill="{accent}"/>"#, left + 102);
    let _ = write!(out, r#"<text x="{}" y="41" fill="{on}" text-anchor="middle">Book</text>"#, left + 126);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_colour_is_drawn() {
        assert!(preview("").is_none());
        assert!(preview("\"/><script>").is_none());
        let html = preview("#a3195b").map(|view| view.to_html()).unwrap_or_default();
        assert!(html.contains("#a3195b") && html.contains("Dark"), "{html}");
    }
}
