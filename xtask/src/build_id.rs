//! The build id of page and worker, which detects a mismatch of the two: the last commit that touched the sources, and a hash of the
//! sources. The same sources give the same id, so building again compiles nothing.

use crate::{paths, shell::Run};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The sources of the page.
const SOURCES: [&str; 7] = ["Cargo.toml", "Cargo.lock", "Trunk.toml", "index.html", "crates", "web", "samples"];

/// For example `5ba9ff3-90c2f1aa`, or `90c2f1aa` without git. Can be used in URLs.
pub(crate) fn build_id() -> Result<String> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(&paths::root().join(source), &mut files)?;
    }
    // The order of directory entries depends on the file system.
    files.sort();
    let mut hash = Fnv::new();
    for file in &files {
        let name = file.strip_prefix(paths::root()).unwrap_or(file);
        hash.add(name.to_string_lossy().as_bytes());
        hash.add(&fs::read(file).with_context(|| format!("{} cannot be read.", file.display()))?);
    }
    let sources = format!("{:08x}", hash.folded());
    let commit = Run::new("git log -1 --format=%h --abbrev=7 --").words(&SOURCES).read().filter(|hash| !hash.is_empty());
    Ok(commit.map_or(sources.clone(), |commit| format!("{commit}-{sources}")))
}

/// The files below `path`. A missing one is ignored, because the build then fails with a better message.
fn collect(path: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        into.push(path.to_owned());
    } else if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("{} cannot be listed.", path.display()))? {
            let entry = entry?;
            // Snapshots and editor files are not part of the page.
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !(name.starts_with('.') || name == "target" || name == "snapshots" || name == "tests") {
                collect(&entry.path(), into)?;
            }
        }
    }
    Ok(())
}

/// 64-bit FNV-1a: stable, short, and sufficient to distinguish builds.
struct Fnv(u64);

impl Fnv {
    fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    /// Adds bytes and an end mark, so that moving bytes between neighbours changes the hash.
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&(bytes.len() as u64).to_le_bytes()) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Folds both halves together.
    #[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
    fn folded(&self) -> u32 {
        (self.0 >> 32) as u32 ^ self.0 as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_tells_contents_and_borders_apart() {
        let hash = |parts: &[&str]| {
            let mut hash = Fnv::new();
            parts.iter().for_each(|part| hash.add(part.as_bytes()));
            hash.folded()
        };
        assert_eq!(hash(&["ab", "c"]), hash(&["ab", "c"]));
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(hash(&["ab", "c"]), hash(&["ab", "d"]));
    }

    #[test]
    fn the_same_sources_give_the_same_id_and_it_fits_a_url() {
        let id = build_id().expect("the sources are readable");
        assert_eq!(build_id().expect("still readable"), id);
        assert!(id.chars().all(|c| c.is_ascii_hexdigit() || c == '-'), "{id}");
    }
}
