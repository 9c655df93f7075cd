//! Pages, actions and islands of Lessonbook.
//!
//! A page is an async function from [`cx::Cx`] to a [`doc::Doc`]: it loads through domain services, then returns a
//! closure that draws. Pages exist on the server only. Actions are server functions under `/fn`; they are compiled for
//! the browser too, where islands call them.

pub mod actions;
pub mod error;
pub mod islands;
pub mod outcome;

#[cfg(feature = "ssr")]
pub mod access;
#[cfg(feature = "ssr")]
pub mod cx;
#[cfg(feature = "ssr")]
pub mod doc;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod session;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
pub mod ui;

pub use error::{AppError, Code, Mend};
pub use outcome::Outcome;

/// A path on this site that a form or link may lead to: it starts with one `/`, and nothing in it can make a browser
/// read another host.
#[cfg(feature = "ssr")]
pub fn safe_path(path: &str) -> Option<&str> {
    let rest = path.strip_prefix('/')?;
    let elsewhere = rest.starts_with(['/', '\\']) || path.chars().any(|c| c.is_control());
    (!elsewhere).then_some(path)
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    #[test]
    fn paths_stay_on_this_site() {
        for good in ["/", "/t/cape-drive?page=2", "/a//b"] {
            assert_eq!(super::safe_path(good), Some(good));
        }
        for bad in [
            "",
            "//evil.test",
            "/\\evil.test",
            "https://evil.test",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x=y",
            "\t/a",
        ] {
            assert_eq!(super::safe_path(bad), None, "{bad:?}");
        }
    }
}
