//! A temporary folder for a test.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new folder in the system's temporary directory, removed on drop.
#[derive(Debug)]
pub struct Scratch(PathBuf);

/// Whether permissions do not count, because the tests run as root.
#[cfg(unix)]
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // A process owns its own entry.
    std::fs::metadata("/proc/self").is_ok_and(|facts| facts.uid() == 0)
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Scratch {
    /// Creates the folder.
    ///
    /// # Errors
    /// If the temporary directory is not writable.
    pub fn new() -> Result<Scratch> {
        let name = format!("quipu-tests-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("{} cannot be made.", path.display()))?;
        Ok(Scratch(path))
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into the folder and returns its path.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.0.join(name);
        std::fs::write(&path, content).with_context(|| format!("{} cannot be written.", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Leftovers are in the temporary directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
