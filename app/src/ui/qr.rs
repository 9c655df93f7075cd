//! QR codes, drawn on the server.

use std::fmt::Write as _;

use leptos::prelude::*;
use qrcode::{Color, QrCode};

/// What a reader wants around a code, in modules.
const QUIET: usize = 4;

/// `text` as a QR code, and in words by `label`. Dark on white in both themes: many readers can't do without.
///
/// Nothing when the text is longer than a code holds; whoever shows a code shows its text too.
pub fn qr(text: &str, label: &str) -> AnyView {
    let Ok(code) = QrCode::new(text) else {
        return ().into_any();
    };
    let side = code.width() + 2 * QUIET;
    let inside =
        format!(r##"<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d="{}"/>"##, dark(&code));
    let (view_box, label) = (format!("0 0 {side} {side}"), label.to_owned());
    view! {
        <svg
            class="qr"
            viewBox=view_box
            width="240"
            height="240"
            shape-rendering="crispEdges"
            role="img"
            aria-label=label
            inner_html=inside
        ></svg>
    }
    .into_any()
}

/// The dark modules as a path, each run of a row one stroke of it.
fn dark(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.width() {
        let mut x = 0;
        while x < code.width() {
            let length = (x..code.width()).take_while(|at| code[(*at, y)] == Color::Dark).count();
            if length > 0 {
                let _ = write!(path, "M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET);
            }
            x += length.max(1);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_module_by_module() {
        let code = QrCode::new("otpauth://totp/Lessonbook:a@b.test?secret=ABC").unwrap();
        let wanted = code.to_colors().iter().filter(|color| **color == Color::Dark).count();
        let path = dark(&code);
        let drawn: usize = path
            .split('h')
            .skip(1)
            .step_by(2)
            .map(|run| run.split('v').next().unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(drawn, wanted);
        // The corner of a code is dark, seven modules long.
        assert!(path.starts_with("M4 4h7v1h-7z"), "{path}");
    }

    #[test]
    fn what_no_code_holds_is_left_out() {
        assert!(!qr(&"x".repeat(5000), "Code").to_html().contains("<svg"));
    }
}
