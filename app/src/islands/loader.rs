//! What a page with islands loads.

use leptos::prelude::*;

use crate::cx::Assets;

/// The hints and the one script of a page with islands; frontend/loader.js does the rest.
pub fn loader(assets: &Assets) -> AnyView {
    let (loader, script, wasm) = (assets.loader.clone(), assets.script.clone(), assets.wasm.clone());
    view! {
        <link rel="modulepreload" href=script.clone() />
        <link rel="preload" href=wasm.clone() r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
        <script type="module" src=loader data-script=script data-wasm=wasm></script>
    }
    .into_any()
}
