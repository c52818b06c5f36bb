//! What comes from the npm registry, for the page's charts, tests and benches: into target/, in the versions that a package.json of the repository pins.

use crate::paths;
use crate::shell::{Run, is_on_path};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Copies the folder `from` of the repository to `to` in target/, and installs there what its package.json names.
pub(crate) fn install(from: &str, to: &str) -> Result<PathBuf> {
    let (from, to) = (paths::root().join(from), paths::target().join(to));
    fs::create_dir_all(&to).with_context(|| format!("{} cannot be made.", to.display()))?;
    let wanted = read(&from.join("package.json"))?;
    // Installed already, and nothing else is wanted since: no network is needed.
    let is_here = to.join("node_modules").is_dir() && read(&to.join("package.json")).is_ok_and(|known| known == wanted);
    for entry in fs::read_dir(&from).with_context(|| format!("{} cannot be read.", from.display()))? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name())).with_context(|| format!("{} cannot be copied.", entry.path().display()))?;
    }
    if is_here {
        return Ok(to);
    }
    if !is_on_path("npm") {
        bail!(
            "npm is not on the PATH. It installs what {} names; it comes with Node.js (https://nodejs.org).",
            from.join("package.json").display()
        );
    }
    Run::new("npm install --no-audit --no-fund --silent --prefix").word(&to).show()?;
    Ok(to)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read.", path.display()))
}
