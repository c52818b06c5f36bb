//! Databases on disk: a new file, or one that is in use by a server and its readers.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "creates files; only this module and `store::native` access the file system"
)]

use super::super::error::StoreError;
use super::super::header::read_header;
use super::super::layout::Layout;
use super::super::numbering::{Numbering, numbering};
use super::super::schema::Schema;
use super::extra::Extra;
use super::{Target, Writer};
use rusqlite::{Connection, OpenFlags};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a write waits for readers.
const BUSY: Duration = Duration::from_secs(5);

/// A new file that is incomplete. Removed when dropped.
pub(super) struct NewFile(Option<PathBuf>);

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // The reason for giving up was already reported; this error can't be.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Writer {
    /// Creates a database in a new file. It is incomplete until [`finish`](Writer::finish), and removed if dropped before.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], also if the file exists, because it might be the telemetry itself.
    pub fn create(path: &Path) -> Result<Writer, StoreError> {
        Writer::create_with(path, Layout::Reference)
    }

    /// Creates a database of a layout, see [`Writer::create`].
    ///
    /// # Errors
    /// As there.
    pub fn create_with(path: &Path, layout: Layout) -> Result<Writer, StoreError> {
        let name = path.display().to_string();
        // Let the operating system check, because another program might create the file in the meantime.
        let made = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
        made.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::CannotWrite(format!("{name} already exists; give a new name.")),
            _ => StoreError::CannotWrite(format!("{name} can't be created ({error}).")),
        })?;
        let target = Target::Path(NewFile(Some(path.to_owned())));
        let connection = open(path, &name, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // A rollback journal on disk is not needed: the file is removed on failure.
        let writer = Writer::set_up(connection, target, name, "MEMORY", layout)?;
        writer.connection.execute_batch("PRAGMA synchronous=OFF").map_err(|error| writer.explain(&error))?;
        Ok(writer)
    }

    /// Opens the database at `path`, or creates it, for writing while others read it. Log records become events as soon as their span is
    /// there.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], also if it is not a telemetry file, or is in write-ahead mode and open in another program.
    pub fn append_to(path: &Path) -> Result<Writer, StoreError> {
        Writer::append_with(path, Layout::Reference)
    }

    /// Opens a database, see [`Writer::append_to`]. A new one gets this layout; one that is there keeps its own.
    ///
    /// # Errors
    /// As there.
    pub fn append_with(path: &Path, layout: Layout) -> Result<Writer, StoreError> {
        let name = path.display().to_string();
        let connection = open(path, &name, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        let layout = check_appendable(&connection, path, &name)?.unwrap_or(layout);
        let mut writer = Writer::set_up(connection, Target::Path(NewFile(None)), name, "TRUNCATE", layout)?;
        writer.prepare_append()?;
        Ok(writer)
    }

    /// Prepares the tables of an existing file for appending.
    fn prepare_append(&mut self) -> Result<(), StoreError> {
        if self.own.is_some() {
            return Ok(());
        }
        self.join_logs()?;
        if self.is_there("quipu_span_extra")? { self.number_spans() } else { Ok(()) }
    }

    /// Renumbers the rows of `quipu_span_extra` like their spans, if necessary.
    fn number_spans(&mut self) -> Result<(), StoreError> {
        if numbering(&self.connection)? == Numbering::Rows {
            return Ok(());
        }
        let columns = "e.span_id, start_unix_nano, end_unix_nano, status_message, trace_state, links, event_unix_nanos, source_id";
        // Under the same name, so that the user's views and triggers keep working.
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

    /// Sets the size of the page cache in bytes. A transaction with more changes writes them before its end, which locks out readers from
    /// then on.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn set_cache(&mut self, bytes: u64) -> Result<(), StoreError> {
        self.connection.execute_batch(&format!("PRAGMA cache_size=-{}", bytes / 1024)).map_err(|error| self.explain(&error))
    }

    /// Closes a database on disk. Uncommitted rows are lost.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn finish(self) -> Result<(), StoreError> {
        let Writer { connection, target, name, .. } = self;
        // Removes the truncated journal that was kept for the next transaction, unless others have the file open.
        let _ = connection.query_row("PRAGMA journal_mode=DELETE", [], |_| Ok(()));
        connection.close().map_err(|(_, error)| StoreError::CannotWrite(format!("{name} can't be written ({error}).")))?;
        if let Target::Path(mut file) = target {
            file.0 = None;
        }
        Ok(())
    }
}

/// Rejects files other than telemetry files before anything is changed. Returns the layout of one that has tables.
fn check_appendable(connection: &Connection, path: &Path, name: &str) -> Result<Option<Layout>, StoreError> {
    let mut head = Vec::new();
    let length = std::fs::metadata(path).map_or(0, |facts| facts.len());
    if length == 0 {
        return Ok(None);
    }
    std::fs::File::open(path)
        .and_then(|file| file.take(100).read_to_end(&mut head))
        .map_err(|error| StoreError::CannotWrite(format!("{name} can't be read ({error}).")))?;
    read_header(&head, name, length).map_err(StoreError::CannotWrite)?;
    let schema = Schema::read(connection).map_err(|error| StoreError::CannotWrite(format!("{name} can't be read: {error}")))?;
    schema.check_writable(name).map_err(StoreError::CannotWrite)?;
    Ok((!schema.is_empty()).then_some(schema.layout))
}

fn open(path: &Path, name: &str, flags: OpenFlags) -> Result<Connection, StoreError> {
    let open = || {
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY)?;
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| StoreError::CannotWrite(format!("{name} can't be opened for writing ({error}).")))
}
