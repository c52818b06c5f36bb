//! Finds what building and testing need, and installs what is missing: cargo tools into `target/tools`, so that nothing of the user's is
//! replaced; system packages with apt-get if no password is needed, otherwise a message names the command.
//!
//! Cargo tools are in `cargo_tools`, browsers in `crate::browser`.

mod cargo_tools;
mod system;

use crate::{browser, paths, shell::Run};
use anyhow::{Result, bail};
use std::ffi::OsString;

/// The purpose of the set-up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Building the page.
    Build,
    /// Building the page and testing it in browsers.
    Tests,
}

/// The tools found. Programs run [`with_tools`](Run::with_tools) have them first on their PATH.
pub(crate) struct Tools {
    path: OsString,
    browsers: Option<browser::Browsers>,
}

impl Tools {
    /// The PATH with the installed tools first.
    pub(crate) fn path(&self) -> &OsString {
        &self.path
    }

    /// The browsers, if [`For::Tests`] was requested.
    pub(crate) fn browsers(&self) -> Result<&browser::Browsers> {
        match &self.browsers {
            Some(browsers) => Ok(browsers),
            None => bail!("The set-up for tests did not run: no browser was looked for."),
        }
    }
}

/// Finds or installs everything. Prints nothing if everything is there.
pub(crate) fn prepare(purpose: For) -> Result<Tools> {
    let path = path_with_tools()?;
    let tools = Tools { path, browsers: None };
    system::install_missing(purpose)?;
    ensure_wasm_target()?;
    cargo_tools::ensure_wasm_bindgen(&tools)?;
    cargo_tools::ensure_trunk(&tools)?;
    if purpose != For::Tests {
        return Ok(tools);
    }
    cargo_tools::ensure_geckodriver(&tools)?;
    cargo_tools::ensure_machete(&tools)?;
    Ok(Tools { browsers: Some(browser::find()?), ..tools })
}

fn path_with_tools() -> Result<OsString> {
    let before = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::iter::once(paths::tools().join("bin")).chain(std::env::split_paths(&before));
    Ok(std::env::join_paths(dirs)?)
}

/// The standard library for wasm32. Checked with rustc, so that toolchains without rustup work.
fn ensure_wasm_target() -> Result<()> {
    let here = || {
        let libraries = Run::new("rustc --print target-libdir --target wasm32-unknown-unknown").read();
        libraries.is_some_and(|dir| std::path::Path::new(&dir).is_dir())
    };
    if here() {
        return Ok(());
    }
    println!("Set-up: Rust's standard library for wasm32 is missing; rustup adds it (about 20 MB, under a minute).");
    if Run::new("rustup target add wasm32-unknown-unknown").show().is_ok() && here() {
        return Ok(());
    }
    bail!(
        "Rust's standard library for wasm32-unknown-unknown is missing. With rustup (https://rustup.rs): rustup target add wasm32-unknown-unknown"
    )
}
