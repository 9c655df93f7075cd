//! Builds the browser files into `target/site`: `cargo xtask site [--release]`.
//!
//! A small task around the wasm-bindgen library in place of cargo-leptos: that takes minutes to install on a fresh
//! machine, this seconds, and it needs to do only what stands below.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use wasm_bindgen_cli_support::Bindgen;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["site", out] => site(Path::new(out), false),
        ["site", out, "--release"] => site(Path::new(out), true),
        _ => Err("usage: cargo xtask site OUT [--release]".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn site(out: &Path, release: bool) -> Result<()> {
    // Where cargo was called: a path compiled in would be that of the checkout that built this first.
    let root = std::env::current_dir()?;
    let work = target_dir(&root).join("site-work");
    let (wasm, script) = browser_program(&root, &work, release)?;
    let style = work.join("style.css");
    run(Command::new("node").arg(root.join("style/bundle.mjs")).arg(&style))?;

    // Written beside and swapped in, so that a running server never serves half a site.
    let fresh = out.with_extension("new");
    let _ = fs::remove_dir_all(&fresh);
    fs::create_dir_all(fresh.join("assets"))?;
    let mut names = Vec::new();
    for (name, file, extension) in [
        ("style", style, "css"),
        ("wasm", wasm, "wasm"),
        ("script", script, "js"),
        ("loader", root.join("frontend/loader.js"), "js"),
    ] {
        let bytes = fs::read(&file)?;
        let hashed = format!("{name}.{:016x}.{extension}", fnv(&bytes));
        put(&fresh.join("assets").join(&hashed), &bytes, release)?;
        names.push(format!("  \"{name}\": \"{hashed}\""));
    }
    copy_public(&root.join("public"), &fresh.join("public"), release)?;
    fs::write(fresh.join("assets.json"), format!("{{\n{}\n}}\n", names.join(",\n")))?;
    let old = out.with_extension("old");
    let _ = fs::remove_dir_all(&old);
    if out.exists() {
        fs::rename(out, &old)?;
    }
    fs::rename(&fresh, out)?;
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

/// Compiles the islands, makes their bindings, and, for a release, shrinks them.
fn browser_program(root: &Path, work: &Path, release: bool) -> Result<(PathBuf, PathBuf)> {
    let profile = if release { "wasm-release" } else { "dev" };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).env_remove("RUSTFLAGS");
    if release {
        // Erased views compile faster and weigh more: .cargo/config.toml asks for them, a release doesn't want them.
        // (The variable replaces the file's flags, where --config would add to them.)
        cargo.env("CARGO_ENCODED_RUSTFLAGS", "");
    }
    cargo.args(["build", "--quiet", "--package", "frontend", "--target", "wasm32-unknown-unknown"]);
    run(cargo.args(["--profile", profile]))?;
    let dir = if release { "wasm-release" } else { "debug" };
    let built = target_dir(root).join("wasm32-unknown-unknown").join(dir).join("frontend.wasm");
    fs::create_dir_all(work)?;
    Bindgen::new()
        .input_path(built)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .generate(work)?;
    let (wasm, script) = (work.join("frontend_bg.wasm"), work.join("frontend.js"));
    if release {
        let small = work.join("frontend_opt.wasm");
        let features = [
            "--enable-bulk-memory",
            "--enable-nontrapping-float-to-int",
            "--enable-sign-ext",
            "--enable-mutable-globals",
            "--enable-reference-types",
            "--enable-multivalue",
            "--strip-debug",
            "--strip-producers",
            "--strip-target-features",
        ];
        run(Command::new(root.join("style/node_modules/.bin/wasm-opt"))
            .args(features)
            .args(["-Oz", "-o"])
            .arg(&small)
            .arg(&wasm))?;
        return Ok((small, script));
    }
    Ok((wasm, script))
}

fn copy_public(from: &Path, to: &Path, release: bool) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        put(&to.join(entry.file_name()), &fs::read(entry.path())?, release)?;
    }
    Ok(())
}

/// Writes a file, for a release with its compressed forms beside it.
fn put(path: &Path, bytes: &[u8], release: bool) -> Result<()> {
    fs::write(path, bytes)?;
    if release {
        let beside = |extension: &str| PathBuf::from(format!("{}.{extension}", path.display()));
        let mut brotli = brotli::CompressorWriter::new(fs::File::create(beside("br"))?, 4096, 11, 22);
        brotli.write_all(bytes)?;
        brotli.flush()?;
        let mut gzip =
            flate2::write::GzEncoder::new(fs::File::create(beside("gz"))?, flate2::Compression::best());
        gzip.write_all(bytes)?;
        gzip.finish()?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed", command.get_program().display()).into()) }
}

fn target_dir(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// FNV-1a: enough to give other content another name.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
