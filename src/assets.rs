//! The built browser files: their names change with their content, so a browser may keep each for ever.

use std::{collections::BTreeMap, path::Path};

use app::cx::Assets;

/// Reads the names that the build wrote beside the files. Without a build, pages are plain but work.
pub fn read(site_dir: &Path) -> Assets {
    let names: BTreeMap<String, String> = std::fs::read(site_dir.join("assets.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_else(|| {
            tracing::warn!(dir = %site_dir.display(), "no built browser files; run `make build`");
            BTreeMap::new()
        });
    let path = |name: &str| names.get(name).map_or_else(String::new, |file| format!("/assets/{file}"));
    Assets { style: path("style"), loader: path("loader"), script: path("script"), wasm: path("wasm") }
}
