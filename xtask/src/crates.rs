//! Packs the crates as `cargo publish` would send them. Does not publish.

use crate::paths;
use crate::shell::Run;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Folder of the page in the command's crate, because cargo only packs files inside a crate.
const PAGE: &str = "crates/quipu-cli/page";

/// Copies dist/ into the command's crate, packs all crates below `crates`, and compiles each package.
pub(crate) fn package() -> Result<()> {
    let page = paths::root().join(PAGE);
    if page.exists() {
        fs::remove_dir_all(&page).with_context(|| format!("{} cannot be removed.", page.display()))?;
    }
    copy(&paths::dist(), &page)?;
    // git ignores page/, so cargo would refuse to pack it.
    let mut run = Run::new("cargo package --locked --allow-dirty");
    for name in published()? {
        run = run.word("--package").word(name);
    }
    run.show()?;
    println!("The crates are in {}.", paths::target().join("package").display());
    Ok(())
}

/// All packages below `crates`. A folder has the name of its package.
fn published() -> Result<Vec<String>> {
    let folder = paths::root().join("crates");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("{} cannot be listed.", folder.display()))? {
        let entry = entry?;
        let is_private = |manifest: String| manifest.lines().any(|line| line.trim() == "publish = false");
        if fs::read_to_string(entry.path().join("Cargo.toml")).is_ok_and(|manifest| !is_private(manifest)) {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("{} cannot be made.", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("{} cannot be listed.", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).with_context(|| format!("{} cannot be copied.", entry.path().display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Crates that use files, threads, clocks and the network; all others below `crates` are the core.
    const EDGES: [&str; 2] = ["quipu-cli", "quipu-telemetry"];

    #[test]
    fn every_crate_of_the_core_has_the_same_bans() {
        let names = published().expect("the crates");
        assert!(EDGES.iter().all(|edge| names.iter().any(|name| name == edge)), "{names:?}");
        let bans = |name: &str| fs::read_to_string(paths::root().join("crates").join(name).join("clippy.toml")).ok();
        let expected = bans("quipu");
        assert!(expected.as_deref().is_some_and(|text| text.contains("disallowed-methods")));
        for name in names.iter().filter(|name| !EDGES.contains(&name.as_str())) {
            assert_eq!(bans(name), expected, "crates/{name}/clippy.toml differs from crates/quipu/clippy.toml");
        }
    }
}
