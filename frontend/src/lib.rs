//! Entry of the islands in the browser: nothing but the way in.

use app as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by frontend/loader.js before it starts each island.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
