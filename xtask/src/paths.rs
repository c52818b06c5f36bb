//! Paths in the repository.

use std::path::PathBuf;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), PathBuf::from)
}

/// The built page.
pub(crate) fn dist() -> PathBuf {
    root().join("dist")
}

/// Cargo's target directory.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// Tools installed for this checkout: its `bin/` comes first on the PATH.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}
