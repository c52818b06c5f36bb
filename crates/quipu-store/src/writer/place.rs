//! Whether the file at a path is still the one that is being written.
//!
//! Only `stat` is asked: a second descriptor of the file would end this process' locks on it when it is closed.

#![expect(clippy::disallowed_methods, reason = "looks at a file; only this folder and `store::native` access the file system")]

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The file that was opened at a path.
pub(super) struct Place {
    path: PathBuf,
    id: FileId,
}

/// Identifies a file, regardless of its name.
#[cfg(unix)]
type FileId = (u64, u64);
/// Other systems do not let a file be replaced that is open, so the time of creation is enough.
#[cfg(not(unix))]
type FileId = Option<SystemTime>;

#[cfg(unix)]
fn id(facts: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    (facts.dev(), facts.ino())
}

#[cfg(not(unix))]
fn id(facts: &Metadata) -> FileId {
    facts.created().ok()
}

/// What is found at the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The file, with its length in bytes and the time of its last change.
    Same(u64, Option<SystemTime>),
    /// No file.
    Nothing,
    /// Another file.
    Other,
}

impl Place {
    /// The file that is at this path now.
    pub(super) fn of(path: &Path) -> std::io::Result<Place> {
        Ok(Place { path: path.to_owned(), id: id(&std::fs::metadata(path)?) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks at the path.
    pub(super) fn look(&self) -> Found {
        match std::fs::metadata(&self.path) {
            Ok(facts) if id(&facts) == self.id => Found::Same(facts.len(), facts.modified().ok()),
            Ok(_) => Found::Other,
            Err(_) => Found::Nothing,
        }
    }
}
