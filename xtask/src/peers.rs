//! Programs of others that ask ours, from Python's registry: slow to install, so no test of every day.
//!
//! What is not here: what is asked and expected (`tests/peers`).

use crate::paths;
use crate::shell::Run;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// What `quipu serve` is asked by.
const CLIENT: &str = "llama-stack-client==0.2.15";

/// Asks `quipu serve` with llama-stack-client, and with promtool where that is installed.
pub(crate) fn serve() -> Result<()> {
    Run::new("cargo build --package quipu-cli").show()?;
    let python = installed("llama-stack-client", CLIENT)?;
    let folder = paths::target().join("peers/serve");
    // What an earlier run left there would be another file.
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

/// The Python of an environment of its own below target/, with a package in it.
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
