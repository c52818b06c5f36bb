//! Opens a file by path with SQLite's own file system and locks, so that it can be read while it is written.
//!
//! Files that need writes to be opened (a hot journal, write-ahead mode) go through the overlay of [`Database::open`]. In either case no
//! file is created or changed. Not here: anything a browser needs.

#![expect(clippy::disallowed_methods, reason = "opens files; only this module and `writer::native` access the file system")]

use super::cache::SharedCache;
use super::database::{Database, NamedSource, OpenOptions, note_length};
use super::error::StoreError;
use super::file_source::FileSource;
use super::header::read_header;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a read waits for a writing server.
const BUSY: Duration = Duration::from_secs(5);
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
///
/// SQLite looks for a writer's lock first and for a journal second. If a writer begins in between, its journal looks hot, that is, left
/// behind by a process that died. A connection that may write would look again under a lock; one that may not fails. So it is tried again:
/// a journal that is hot stays so.
fn open_in_place(path: &Path) -> rusqlite::Result<Connection> {
    const TRIES: u32 = 5;
    const PAUSE: Duration = Duration::from_millis(10);
    for _ in 1..TRIES {
        match try_in_place(path) {
            Err(error) if is_hot(&error) => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
    try_in_place(path)
}

fn is_hot(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(failure, _) if failure.extended_code == ffi::SQLITE_READONLY_ROLLBACK)
}

fn try_in_place(path: &Path) -> rusqlite::Result<Connection> {
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
