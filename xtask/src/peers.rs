//! Runs third-party clients from PyPI against `quipu serve`. Slow to install, so not part of the regular tests.
//!
//! The checks are in `tests/peers`.

use crate::paths;
use crate::shell::Run;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// The client for `quipu serve`.
const CLIENT: &str = "llama-stack-client==0.2.15";

/// Tests `quipu serve` with llama-stack-client, and with promtool if it is installed.
pub(crate) fn serve() -> Result<()> {
    Run::new("cargo build --package quipu-cli").show()?;
    let python = installed("llama-stack-client", CLIENT)?;
    let folder = paths::target().join("peers/serve");
    // Remove what an earlier run left.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made.", folder.display()))?;
    let words = [
        paths::root().join("tests/peers/serve.py"),
        paths::target().join("debug/quipu"),
        paths::root().join("samples/agent_0.2.15.db"),
        folder,
    ];
    Run::program(&python.display().to_string()).words(&words).show()
}

/// The Python of a virtual environment below target/ that has the package.
fn installed(name: &str, package: &str) -> Result<PathBuf> {
    let folder = paths::target().join("peers").join(name);
    let python = folder.join("bin/python");
    if !python.exists() {
        let system = std::env::var("PYTHON").unwrap_or_else(|_| "python3.12".into());
        let made = Run::new(&system).words(&["-m", "venv"]).word(&folder).show();
        made.context("llama-stack-client needs Python 3.12 or later; the variable PYTHON names one that is not called python3.12.")?;
    }
    Run::program(&python.display().to_string()).words(&["-m", "pip", "install", "--quiet", package]).show()?;
    Ok(python)
}
