//! The tools that cargo installs: Trunk, wasm-bindgen in the version of Cargo.lock, geckodriver, and cargo-machete.

use super::Tools;
use crate::paths;
use crate::shell::Run;
use anyhow::{Context, Result, bail};
use std::time::Instant;

/// Trunk's version. Newer ones need a newer Rust than this project.
const TRUNK: &str = "0.21.14";

/// The wasm-bindgen command and test runner. Their version must be that of the library.
pub(super) fn ensure_wasm_bindgen(tools: &Tools) -> Result<()> {
    let version = locked_version("wasm-bindgen")?;
    if answers(tools, "wasm-bindgen", &version) && answers(tools, "wasm-bindgen-test-runner", &version) {
        return Ok(());
    }
    // Without --locked: its lock file contains a yanked version of a crate.
    install(tools, "wasm-bindgen-cli", &version, "", "1 minute on two cores")?;
    expect(tools, "wasm-bindgen", &version)
}

/// Trunk, which runs cargo, wasm-bindgen and wasm-opt and writes dist/.
pub(super) fn ensure_trunk(tools: &Tools) -> Result<()> {
    if answers(tools, "trunk", TRUNK) {
        return Ok(());
    }
    install(tools, "trunk", TRUNK, "--locked --no-default-features", "3 minutes on two cores")?;
    expect(tools, "trunk", TRUNK)
}

/// geckodriver's version.
const GECKODRIVER: &str = "0.37.1";

/// Firefox's driver, which Debian does not package. A newer one on the PATH is used, too; `GECKODRIVER` overrides it.
pub(super) fn ensure_geckodriver(tools: &Tools) -> Result<()> {
    let is_there = Run::new("geckodriver --version").with_tools(tools).read().is_some();
    if is_there || std::env::var_os("GECKODRIVER").is_some() {
        return Ok(());
    }
    install(tools, "geckodriver", GECKODRIVER, "--locked", "1 minute on two cores")?;
    expect(tools, "geckodriver", GECKODRIVER)
}

/// cargo-machete's version.
const MACHETE: &str = "0.9.2";

/// Finds unused dependencies. Called by its own name: as `cargo machete` it takes the variables of `cargo run` for those of a build script and
/// does not understand its arguments.
pub(super) fn ensure_machete(tools: &Tools) -> Result<()> {
    let is_there = || Run::new("cargo-machete --version").with_tools(tools).read().is_some();
    if is_there() {
        return Ok(());
    }
    install(tools, "cargo-machete", MACHETE, "--locked", "40 seconds on two cores")?;
    if is_there() {
        return Ok(());
    }
    bail!("cargo-machete {MACHETE} was installed into {}, but `cargo-machete --version` fails.", paths::tools().display())
}

/// Whether `program --version` prints `program VERSION`.
fn answers(tools: &Tools, program: &str, version: &str) -> bool {
    let line = Run::new(&format!("{program} --version")).with_tools(tools).read();
    line.and_then(|line| line.split_whitespace().nth(1).map(str::to_owned)).as_deref() == Some(version)
}

fn expect(tools: &Tools, program: &str, version: &str) -> Result<()> {
    if answers(tools, program, version) {
        return Ok(());
    }
    bail!("{program} {version} was installed into {}, but `{program} --version` does not answer {version}.", paths::tools().display())
}

/// Installs the commands of a package into `target/tools`: as a binary if cargo-binstall is available, otherwise compiled.
fn install(tools: &Tools, package: &str, version: &str, words: &str, minutes: &str) -> Result<()> {
    let root = paths::tools();
    let began = Instant::now();
    if Run::new("cargo binstall -V").read().is_some() {
        println!("Set-up: {package} {version} is missing; cargo-binstall fetches it into {}.", root.display());
        let fetched = Run::new(&format!("cargo binstall --no-confirm --force {package}@{version} --root")).word(&root).show();
        if fetched.is_ok() {
            return Ok(());
        }
        println!("cargo-binstall could not; it is compiled instead.");
    }
    println!("Set-up: {package} {version} is missing; cargo compiles it into {} (about {minutes}, once).", root.display());
    // A debug build without debug symbols compiles in a third of the time and is fast enough for a build tool.
    let scratch = root.join("build");
    Run::new(&format!("cargo install --quiet --debug --force {package} --version {version} {words} --root"))
        .word(&root)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_TARGET_DIR", &scratch)
        .with_tools(tools)
        .show()?;
    // Build artifacts are not needed any more; a failure to remove them only costs disk space.
    let _ = std::fs::remove_dir_all(&scratch);
    println!("Set-up: {package} took {:.1} minutes.", began.elapsed().as_secs_f64() / 60.0);
    Ok(())
}

/// The version of a package in Cargo.lock.
fn locked_version(package: &str) -> Result<String> {
    let path = paths::root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read.", path.display()))?;
    version_in(&lock, package).with_context(|| format!("Cargo.lock names no version of {package}."))
}

fn version_in(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version = lines.nth(1)?.strip_prefix("version = \"")?;
    version.strip_suffix('"').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_of_the_package_of_exactly_that_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(version_in(lock, "bindgen"), None);
    }
}
