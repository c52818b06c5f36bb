//! Builds the page into dist/ with Trunk, stamps it with the build id, and checks the result.

use crate::setup::Tools;
use crate::shell::Run;
use crate::{build_id, imports, npm, paths, sizes, viewer, zip};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Placeholder of the build id in index.html and boot.js.
const PLACEHOLDER: &str = "__QUIPU_BUILD__";
/// The files that contain it.
const STAMPED: [&str; 2] = ["index.html", "boot.js"];

/// Builds dist/. Fails if it exceeds its size budget or is not relocatable.
pub(crate) fn build(tools: &Tools) -> Result<()> {
    let began = Instant::now();
    let id = build_id::build_id()?;
    println!("Building the page, build {id} (the first time about 4 minutes on two cores).");
    let programs = npm::install("xtask/page-tools", "page-tools")?.join("node_modules/.bin");
    Run::new("trunk build --release")
        .env("QUIPU_BUILD", &id)
        .env("NO_COLOR", "true")
        .env("PATH", with_first(&programs, tools)?)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", without_folders())
        .show()?;
    let dist = paths::dist();
    copy_chart_library(&dist)?;
    for name in STAMPED {
        stamp(&dist.join(name), &id)?;
    }
    let index = fs::read_to_string(dist.join("index.html")).context("dist/index.html cannot be read.")?;
    let bound = addresses_bound_to_a_place(&index);
    if !bound.is_empty() {
        bail!("dist/index.html names addresses that bind it to one place: {}. They must be relative.", bound.join(", "));
    }
    for program in PROGRAMS {
        imports::shorten(&dist, program)?;
    }
    minify(&programs, &dist, &WORKER_SCRIPTS)?;
    // It takes the page's own script apart.
    viewer::build(&dist, &id)?;
    minify(&programs, &dist, &PAGE_SCRIPTS)?;
    sizes::report(&dist)?;
    println!("The page is in dist/ ({:.1} minutes).", began.elapsed().as_secs_f64() / 60.0);
    Ok(())
}

/// Builds the command with the embedded page, which `quipu export --html` needs.
pub(crate) fn build_command() -> Result<()> {
    println!("Building the command with the page in it (the first time about 3 minutes on two cores).");
    Run::new("cargo build --release --package quipu-cli --features page").show()?;
    println!("The command is {}.", paths::target().join("release/quipu").display());
    Ok(())
}

/// What Trunk compiles.
const PROGRAMS: [&str; 4] = ["quipu-web", "quipu-worker", "quipu-transfer", "quipu-metrics"];

/// The scripts that wasm-bindgen writes: half of each is comments and blanks.
const WORKER_SCRIPTS: [&str; 3] = ["quipu-worker.js", "quipu-transfer.js", "quipu-metrics.js"];
const PAGE_SCRIPTS: [&str; 2] = ["quipu-web.js", "boot.js"];

/// The PATH for Trunk, with a pinned wasm-opt first. Old ones in distributions are broken: version 108 damages the modules' tables.
fn with_first(programs: &Path, tools: &Tools) -> Result<OsString> {
    Ok(std::env::join_paths(std::iter::once(programs.to_owned()).chain(std::env::split_paths(tools.path())))?)
}

/// Compiler flags, in addition to those of .cargo/config.toml, that leave this machine's folders out of the messages of panics. The same
/// sources then give the same page everywhere, and a smaller one.
fn without_folders() -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let registries = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    let registries = registries.into_iter().flatten().flatten().map(|entry| entry.path());
    let folders = registries.chain([paths::root()]);
    // Flags are separated by blanks.
    let folders = folders.map(|folder| folder.display().to_string()).filter(|folder| !folder.contains(' '));
    folders.map(|folder| format!("--remap-path-prefix={folder}=.")).collect::<Vec<_>>().join(" ")
}

fn minify(programs: &Path, dist: &Path, scripts: &[&str]) -> Result<()> {
    let paths: Vec<PathBuf> = scripts.iter().map(|name| dist.join(name)).collect();
    let outdir = format!("--outdir={}", dist.display());
    Run::program(&programs.join("esbuild").display().to_string())
        .words(&["--minify", "--allow-overwrite", "--log-level=warning", &outdir])
        .words(&paths)
        .show()
}

/// Copies the chart library from the npm registry; the page loads it when a chart is shown.
fn copy_chart_library(dist: &Path) -> Result<()> {
    let from = npm::install("web/charts", "charts")?.join("node_modules/uplot/dist");
    for (name, to) in [("uPlot.iife.min.js", "uplot.js"), ("uPlot.min.css", "uplot.css")] {
        fs::copy(from.join(name), dist.join(to)).with_context(|| format!("{} cannot be copied.", from.join(name).display()))?;
    }
    Ok(())
}

/// Packs dist/ as page.zip.
pub(crate) fn package() -> Result<()> {
    let to = paths::root().join("page.zip");
    let count = zip::pack(&paths::dist(), &to)?;
    let bytes = fs::metadata(&to)?.len();
    println!("page.zip holds the {count} files of dist/ ({} KB).", bytes / 1000);
    Ok(())
}

/// Whether dist/ was built from the current sources; `None` if it is missing.
pub(crate) fn is_current() -> Option<bool> {
    let index = fs::read_to_string(paths::dist().join("index.html")).ok()?;
    let id = build_id::build_id().ok()?;
    Some(index.contains(&id))
}

fn stamp(path: &Path, id: &str) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("{} is missing: Trunk did not write it.", path.display()))?;
    if !text.contains(PLACEHOLDER) {
        bail!("{} does not hold {PLACEHOLDER}, where the build id belongs.", path.display());
    }
    fs::write(path, text.replace(PLACEHOLDER, id)).with_context(|| format!("{} cannot be written.", path.display()))
}

/// The values of `src` and `href` that are not relative.
fn addresses_bound_to_a_place(html: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for name in ["src=", "href="] {
        for (at, _) in html.match_indices(name) {
            let value = &html[at + name.len()..];
            let value = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value[1..].split(quote).next(),
                _ => value.split([' ', '>']).next(),
            };
            let value = value.unwrap_or_default();
            let scheme = value.split_once(':').is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric()));
            if value.starts_with('/') || (scheme && !value.starts_with("data:")) {
                found.push(value);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_bind_the_page_to_one_place_are_found() {
        let html = r##"<link href="./style.css"><script src=boot.js></script><img src='data:image/png;base64,AA=='><a href="#x">"##;
        assert_eq!(addresses_bound_to_a_place(html), [""; 0]);
        let html = r#"<link href="/style.css"><script src=https://cdn.example/x.js></script><img src='//other.example/i.png'>"#;
        assert_eq!(addresses_bound_to_a_place(html), ["https://cdn.example/x.js", "//other.example/i.png", "/style.css"]);
    }
}
