//! A database on disk: a new one, or one that a server and its readers have in use.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "makes a file at a path, natively: with `store::native` the one place that knows files"
)]

use super::super::error::StoreError;
use super::super::extra::{Numbering, numbering};
use super::super::header::read_header;
use super::super::schema::Schema;
use super::extra::Extra;
use super::{Target, Writer};
use rusqlite::{Connection, OpenFlags};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a write waits for readers to let go.
const BUSY: Duration = Duration::from_secs(5);

/// A file that was made for the database and is not whole yet: it goes when it is dropped.
pub(super) struct NewFile(Option<PathBuf>);

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // There is nobody left to tell: the reason for giving up was told.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Writer {
    /// A fresh database in a new file. Until [`finish`](Writer::finish) it may be half of one, and is removed when it is dropped before.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], also when there is a file of that name: it might be the telemetry itself.
    pub fn create(path: &Path) -> Result<Writer, StoreError> {
        let name = path.display().to_string();
        // By the system, because between a look and the making another program may have made one.
        let made = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
        made.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::CannotWrite(format!("{name} is there already; give a new name.")),
            _ => StoreError::CannotWrite(format!("{name} can't be made ({error}).")),
        })?;
        let target = Target::Path(NewFile(Some(path.to_owned())));
        let connection = open(path, &name, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Nobody needs to roll back a file that is removed when it fails.
        let writer = Writer::set_up(connection, target, name, "MEMORY")?;
        writer.connection.execute_batch("PRAGMA synchronous=OFF").map_err(|error| writer.explain(&error))?;
        Ok(writer)
    }

    /// The database in `path`, made where there is none, to be written while others read it. Log records become events of their span as
    /// soon as both are there.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], also when the file is no telemetry file, or is in write-ahead mode and another program has it open.
    pub fn append_to(path: &Path) -> Result<Writer, StoreError> {
        let name = path.display().to_string();
        let connection = open(path, &name, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        may_grow(&connection, path, &name)?;
        let mut writer = Writer::set_up(connection, Target::Path(NewFile(None)), name, "TRUNCATE")?;
        writer.take_up()?;
        Ok(writer)
    }

    /// Makes the tables of a file that is to grow fit for it.
    fn take_up(&mut self) -> Result<(), StoreError> {
        self.join_logs()?;
        if self.is_there("quipu_span_extra")? { self.number_spans() } else { Ok(()) }
    }

    /// Gives the rows of `quipu_span_extra` the numbers of their spans, where they have others.
    fn number_spans(&mut self) -> Result<(), StoreError> {
        if numbering(&self.connection)? == Numbering::Rows {
            return Ok(());
        }
        let columns = "e.span_id, start_unix_nano, end_unix_nano, status_message, trace_state, links, event_unix_nanos, source_id";
        // Not under another name: what users built on the table goes on with the new one.
        let statements = format!(
            "CREATE TEMP TABLE quipu_numbered AS SELECT s.rowid AS id, {columns} FROM spans s JOIN quipu_span_extra e ON e.span_id = s.span_id
                ORDER BY 1;
            DROP TABLE quipu_span_extra; {};
            INSERT OR IGNORE INTO quipu_span_extra SELECT * FROM quipu_numbered; DROP TABLE quipu_numbered;",
            Extra::Spans.statement()
        );
        self.begin()?;
        self.connection.execute_batch(&statements).map_err(|error| self.explain(&error))?;
        self.commit()
    }

    /// Keeps so many bytes of the file in memory. What a transaction changes beyond that is written before its end, and keeps readers out
    /// from then on.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn set_cache(&mut self, bytes: u64) -> Result<(), StoreError> {
        self.connection.execute_batch(&format!("PRAGMA cache_size=-{}", bytes / 1024)).map_err(|error| self.explain(&error))
    }

    /// Closes a database on disk, which stays. Rows of a transaction that was not committed are not in it.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn finish(self) -> Result<(), StoreError> {
        let Writer { connection, target, name, .. } = self;
        // The journal that was cut off and kept for the next transaction goes, unless others have the file in use.
        let _ = connection.query_row("PRAGMA journal_mode=DELETE", [], |_| Ok(()));
        connection.close().map_err(|(_, error)| StoreError::CannotWrite(format!("{name} can't be written ({error}).")))?;
        if let Target::Path(mut file) = target {
            file.0 = None;
        }
        Ok(())
    }
}

/// Refuses what is no telemetry file, before anything is changed in it.
fn may_grow(connection: &Connection, path: &Path, name: &str) -> Result<(), StoreError> {
    let mut head = Vec::new();
    let length = std::fs::metadata(path).map_or(0, |facts| facts.len());
    if length == 0 {
        return Ok(());
    }
    std::fs::File::open(path)
        .and_then(|file| file.take(100).read_to_end(&mut head))
        .map_err(|error| StoreError::CannotWrite(format!("{name} can't be read ({error}).")))?;
    read_header(&head, name, length).map_err(StoreError::CannotWrite)?;
    let schema = Schema::read(connection).map_err(|error| StoreError::CannotWrite(format!("{name} can't be read: {error}")))?;
    schema.check_writable(name).map_err(StoreError::CannotWrite)
}

fn open(path: &Path, name: &str, flags: OpenFlags) -> Result<Connection, StoreError> {
    let open = || {
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY)?;
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| StoreError::CannotWrite(format!("{name} can't be opened for writing ({error}).")))
}
