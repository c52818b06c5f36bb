//! Files on disk as bytes.
//!
//! Not here: opening them with SQLite (`native`).

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "opens files; only this module, `native` and `writer` access the file system"
)]

use super::source::{ByteSource, SourceError};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
#[cfg(unix)]
use std::sync::PoisonError;
use std::sync::{Arc, Mutex};

/// A file on disk as a byte source.
///
/// Its descriptor is shared with every other source of the same file, and stays open as long as the file exists: POSIX ends all locks that a
/// process has on a file when it closes any of its descriptors, also those of a SQLite connection that is writing.
pub struct FileSource {
    // Locked because reading moves the file position; `read_at` is not available on every platform.
    file: Arc<Mutex<File>>,
    len: u64,
}

impl FileSource {
    /// Opens a file for reading. Its length is determined once.
    ///
    /// # Errors
    /// Errors of the operating system.
    pub fn open(path: &Path) -> std::io::Result<FileSource> {
        let file = open_once(path)?;
        let len = file.lock().map_err(|_| std::io::Error::other("a reader failed"))?.metadata()?.len();
        Ok(FileSource { file, len })
    }
}

/// Opens a file, or takes the descriptor of it that is open.
#[cfg(unix)]
fn open_once(path: &Path) -> std::io::Result<Arc<Mutex<File>>> {
    use std::os::unix::fs::MetadataExt;
    type Open = ((u64, u64), Arc<Mutex<File>>);
    static OPEN: Mutex<Vec<Open>> = Mutex::new(Vec::new());

    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    // What was deleted and is not read any more: nobody can lock it.
    let is_gone = |file: &Mutex<File>| file.lock().is_ok_and(|file| file.metadata().is_ok_and(|facts| facts.nlink() == 0));
    open.retain(|(_, file)| Arc::strong_count(file) > 1 || !is_gone(file));
    let facts = std::fs::metadata(path)?;
    let id = (facts.dev(), facts.ino());
    if let Some((_, file)) = open.iter().find(|(known, _)| *known == id) {
        return Ok(file.clone());
    }
    let file = File::open(path)?;
    // The path may name another file by now.
    let facts = file.metadata()?;
    let file = Arc::new(Mutex::new(file));
    open.push(((facts.dev(), facts.ino()), file.clone()));
    Ok(file)
}

/// Other systems have locks of their own for each descriptor.
#[cfg(not(unix))]
fn open_once(path: &Path) -> std::io::Result<Arc<Mutex<File>>> {
    Ok(Arc::new(Mutex::new(File::open(path)?)))
}

impl ByteSource for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_into(&self, offset: u64, parts: &mut [&mut [u8]]) -> Result<(), SourceError> {
        let mut read = || -> std::io::Result<()> {
            let mut file = self.file.lock().map_err(|_| std::io::Error::other("a reader failed"))?;
            file.seek(SeekFrom::Start(offset))?;
            parts.iter_mut().try_for_each(|part| file.read_exact(part))
        };
        read().map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => SourceError::Changed,
            _ => SourceError::Other(error.to_string()),
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn reading_a_file_beside_a_connection_leaves_its_locks() {
        let path = std::env::temp_dir().join(format!("quipu-locks-{}.db", std::process::id()));
        let connection = Connection::open(&path).expect("it opens");
        connection.execute_batch("CREATE TABLE IF NOT EXISTS notes (text); BEGIN EXCLUSIVE").expect("a lock");
        let inode = format!(":{} ", std::fs::metadata(&path).expect("it is there").ino());
        let locks = || std::fs::read_to_string("/proc/locks").expect("Linux").lines().filter(|line| line.contains(&inode)).count();
        let before = locks();
        for _ in 0..3 {
            drop(FileSource::open(&path).expect("it opens"));
        }
        assert_eq!(locks(), before);
        assert!(before > 0, "the lock is seen");
        drop(connection);
        std::fs::remove_file(&path).expect("removed");
    }
}
