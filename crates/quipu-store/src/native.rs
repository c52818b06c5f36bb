//! Opens a file by path with SQLite's own file system and locks, so that it can be read while it is written.
//!
//! Files that need writes to be opened (a hot journal, write-ahead mode) go through the overlay of [`Database::open`]. In either case no
//! file is created or changed. Not here: anything a browser needs.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "opens files; only this module and `writer::native` access the file system"
)]

use super::cache::SharedCache;
use super::database::{Database, NamedSource, OpenOptions, note_length};
use super::error::StoreError;
use super::header::read_header;
use super::source::{ByteSource, SourceError};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
#[cfg(unix)]
use std::sync::{PoisonError, Weak};
use std::time::Duration;

/// How long a read waits for a writing server.
const BUSY: Duration = Duration::from_secs(5);

/// Locked because reading moves the file position; `read_at` is not available on every platform.
type SharedFile = Arc<Mutex<File>>;

/// A file on disk as a byte source. Sources of the same file share one descriptor.
pub struct FileSource {
    file: SharedFile,
    len: u64,
}

impl FileSource {
    /// Opens a file for reading. Its length is determined once.
    ///
    /// # Errors
    /// Errors of the operating system.
    pub fn open(path: &Path) -> std::io::Result<FileSource> {
        let (file, len) = open_shared(path)?;
        Ok(FileSource { file, len })
    }
}

/// Opens a file, unless this process has it open. When any descriptor of a file is closed, POSIX drops all locks that the process holds on it,
/// those of SQLite's connections too; so each file is opened once, and closed when the last database on it is.
#[cfg(unix)]
fn open_shared(path: &Path) -> std::io::Result<(SharedFile, u64)> {
    use std::os::unix::fs::MetadataExt;
    type Known = ((u64, u64), Weak<Mutex<File>>);
    static OPEN: Mutex<Vec<Known>> = Mutex::new(Vec::new());
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|(_, file)| file.strong_count() > 0);
    let facts = std::fs::metadata(path)?;
    let same = open.iter().find(|(id, _)| *id == (facts.dev(), facts.ino()));
    if let Some(file) = same.and_then(|(_, file)| file.upgrade()) {
        return Ok((file, facts.len()));
    }
    let file = File::open(path)?;
    // Another file may have taken its place.
    let facts = file.metadata()?;
    let file = Arc::new(Mutex::new(file));
    open.push(((facts.dev(), facts.ino()), Arc::downgrade(&file)));
    Ok((file, facts.len()))
}

#[cfg(not(unix))]
fn open_shared(path: &Path) -> std::io::Result<(SharedFile, u64)> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    Ok((Arc::new(Mutex::new(file)), len))
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

impl Database {
    /// Opens the file at `path` read-only. A server may be writing it.
    ///
    /// # Errors
    /// [`StoreError::CannotOpen`] with a sentence that says what the file is and what is expected.
    pub fn open_path(path: &Path, options: OpenOptions) -> Result<Database, StoreError> {
        let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let main = SharedCache::new(Box::new(open_source(path, &name)?));
        let mut head = [0; 100];
        let got = main.read(&mut head, 0).map_err(|error| StoreError::Source { name: name.clone(), error })?;
        let header = read_header(head.get(..got).unwrap_or_default(), &name, main.len()).map_err(StoreError::CannotOpen)?;
        if header.wal {
            // SQLite would create a -shm file to read write-ahead mode.
            return Database::open(with_companions(path, &name)?, options);
        }
        let connection = match open_in_place(path) {
            Ok(connection) => connection,
            Err(error) if needs_overlay(&error) => return Database::open(with_companions(path, &name)?, options),
            Err(error) => return Err(StoreError::CannotOpen(describe_error(&name, &error))),
        };
        let mut warnings = Vec::new();
        note_length(&header, &name, main.len(), &mut warnings);
        // Memory mapping stays off: if another process truncated the file, this process would crash.
        Database::set_up(None, connection, main, name, options, warnings)
    }
}

/// Connects and reads once, because only a read reveals a hot journal.
fn open_in_place(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // Damage is diagnosed by the reads that follow.
    match connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
        Err(error) if needs_overlay(&error) || error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Err(error),
        _ => Ok(connection),
    }
}

/// Whether SQLite could open the file only by writing next to it, or was denied a lock.
fn needs_overlay(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return false };
    matches!(failure.code, ErrorCode::ReadOnly | ErrorCode::CannotOpen)
        || matches!(failure.extended_code, ffi::SQLITE_IOERR_LOCK | ffi::SQLITE_IOERR_RDLOCK | ffi::SQLITE_IOERR_CHECKRESERVEDLOCK)
}

fn describe_error(name: &str, error: &rusqlite::Error) -> String {
    if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) {
        return format!("{name} was locked by a program writing to it for more than {} s. Try again.", BUSY.as_secs());
    }
    format!("{name} can't be opened ({error}).")
}

fn open_source(path: &Path, name: &str) -> Result<FileSource, StoreError> {
    let fail = |words: String| StoreError::CannotOpen(words);
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(fail(format!("There is no file {}.", path.display())));
        }
        Err(error) => return Err(fail(format!("{} can't be read: {error}.", path.display()))),
        Ok(found) if found.is_dir() => {
            return Err(fail(format!("{name} is a folder; give the telemetry file in it (telemetry.db or trace_store.db).")));
        }
        Ok(_) => {}
    }
    FileSource::open(path).map_err(|error| fail(format!("{} can't be read: {error}.", path.display())))
}

/// The file together with its journal or WAL, if there is one.
fn with_companions(path: &Path, name: &str) -> Result<Vec<NamedSource>, StoreError> {
    let mut files = vec![NamedSource { name: name.to_owned(), source: Box::new(open_source(path, name)?) }];
    for suffix in ["-journal", "-wal"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        let beside = PathBuf::from(beside);
        if let Ok(source) = FileSource::open(&beside) {
            files.push(NamedSource { name: format!("{name}{suffix}"), source: Box::new(source) });
        }
    }
    Ok(files)
}
