//! npm packages: wasm-opt, the page's charts, and those for tests and benchmarks. Installed below target/, in the versions of the lock
//! files in the repository.

use crate::paths;
use crate::shell::{Run, is_on_path};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The files that determine what is installed.
const WANTED: [&str; 2] = ["package.json", "package-lock.json"];

/// Copies the folder `from` of the repository to `to` below target/, and installs the packages of its package-lock.json.
pub(crate) fn install(from: &str, to: &str) -> Result<PathBuf> {
    let (from, to) = (paths::root().join(from), paths::target().join(to));
    fs::create_dir_all(&to).with_context(|| format!("{} cannot be made.", to.display()))?;
    let wanted = WANTED.map(|name| from.join(name)).iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    // Skips the installation if it is current, so no network is needed. The file is written after npm succeeded.
    let installed = to.join("installed");
    let is_here = read(&installed).is_ok_and(|known| known == wanted.concat());
    for entry in fs::read_dir(&from).with_context(|| format!("{} cannot be read.", from.display()))? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name())).with_context(|| format!("{} cannot be copied.", entry.path().display()))?;
    }
    if is_here {
        return Ok(to);
    }
    if !is_on_path("npm") {
        bail!(
            "npm is not on the PATH. It installs what {} lists; it comes with Node.js (https://nodejs.org).",
            from.join(WANTED[1]).display()
        );
    }
    Run::new("npm ci --no-audit --no-fund --silent --prefix").word(&to).show()?;
    fs::write(&installed, wanted.concat()).with_context(|| format!("{} cannot be written.", installed.display()))?;
    Ok(to)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read.", path.display()))
}
