//! Builds the page into dist/ with Trunk, stamps it with the build id, and checks the result.

use crate::setup::Tools;
use crate::shell::Run;
use crate::{build_id, npm, paths, sizes, viewer, zip};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
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
    let path = path_with_wasm_opt(tools)?;
    Run::new("trunk build --release").env("QUIPU_BUILD", &id).env("NO_COLOR", "true").env("PATH", path).show()?;
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
    sizes::report(&dist)?;
    viewer::build(&dist, &id)?;
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

/// The PATH for Trunk, with a pinned wasm-opt first. Old ones in distributions are broken: version 108 damages the modules' tables.
fn path_with_wasm_opt(tools: &Tools) -> Result<OsString> {
    let programs = npm::install("xtask/binaryen", "binaryen")?.join("node_modules/.bin");
    Ok(std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(tools.path())))?)
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
