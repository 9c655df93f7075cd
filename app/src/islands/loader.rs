//! What a page with islands loads.

use leptos::prelude::*;

use crate::cx::Assets;

/// The one script of a page with islands; frontend/loader.js does the rest. There are no hints to load the wasm ahead: a
/// browser without scripts would follow them too.
pub fn loader(assets: &Assets) -> AnyView {
    let (loader, script, wasm) = (assets.loader.clone(), assets.script.clone(), assets.wasm.clone());
    view! { <script type="module" src=loader data-script=script data-wasm=wasm></script> }.into_any()
}
