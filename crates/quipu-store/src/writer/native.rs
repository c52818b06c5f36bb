//! Databases on disk: a new file, or one that is in use by a server and its readers.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "creates files; only this module and `store::native` access the file system"
)]

use super::super::error::StoreError;
use super::super::file_source::FileSource;
use super::super::header::read_header;
use super::super::layout::Layout;
use super::super::numbering::{Numbering, numbering};
use super::super::schema::Schema;
use super::super::source::ByteSource;
use super::extra::Extra;
use super::place::{Found, Place};
use super::{APPENDING, Target, Writer};
use rusqlite::{Connection, MAIN_DB, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long a write waits for readers.
pub(super) const BUSY: Duration = Duration::from_secs(5);

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

/// A file that is appended to while others may do anything to it.
pub(super) struct Appended {
    place: Place,
    /// The file after the last commit.
    seen: Option<Seen>,
    /// The size of the page cache, if it was set.
    cache: Option<u64>,
    /// A sentence for each time that another file was found at the path, and their number.
    reopened: Vec<String>,
    times: u64,
    /// Whether the requests that wait beside the file are open.
    pub(super) waits: bool,
}

impl Appended {
    pub(super) fn path(&self) -> &Path {
        self.place.path()
    }
}

struct Seen {
    len: u64,
    modified: Option<SystemTime>,
    data_version: i64,
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
    /// there. If the file is moved, deleted or replaced later, [`begin`](Writer::begin) opens the one at `path`.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], also if it is not a telemetry file, or is in write-ahead mode and open in another program; and if
    /// nothing can be written there: the file or its folder may only be read, the path is a folder, or the disk is full.
    pub fn append_to(path: &Path) -> Result<Writer, StoreError> {
        Writer::append_with(path, Layout::Reference)
    }

    /// Opens a database, see [`Writer::append_to`]. A new one gets this layout; one that is there keeps its own.
    ///
    /// # Errors
    /// As there.
    pub fn append_with(path: &Path, layout: Layout) -> Result<Writer, StoreError> {
        let name = path.display().to_string();
        make_file(path, &name)?;
        let connection = open(path, &name, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let layout = check_appendable(&connection, path, &name)?.unwrap_or(layout);
        let mut writer = Writer::set_up(connection, Target::Path(NewFile(None)), name, APPENDING, layout)?;
        writer.prepare_append()?;
        writer.try_to_write()?;
        let place = Place::of(path).map_err(|error| StoreError::CannotWrite(format!("{} can't be found again ({error}).", writer.name)))?;
        writer.appended = Some(Appended { place, seen: None, cache: None, reopened: Vec::new(), times: 0, waits: false });
        writer.note_commit()?;
        Ok(writer)
    }

    /// Begins a change and takes it back, which needs everything that a real one does: the file, room on the disk, and a journal beside it.
    fn try_to_write(&self) -> Result<(), StoreError> {
        let attempt = || {
            let version: i64 = self.connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            self.connection.execute_batch(&format!("BEGIN IMMEDIATE; PRAGMA user_version={version};"))?;
            self.connection.execute_batch("ROLLBACK")
        };
        attempt().map_err(|error| {
            // The first error is told.
            let _ = self.connection.execute_batch("ROLLBACK");
            self.explain(&error)
        })
    }

    /// Before a transaction: if the file at the path is another one than is open, opens it.
    pub(super) fn stay_in_place(&mut self) -> Result<(), StoreError> {
        let Some(appended) = &self.appended else { return Ok(()) };
        let name = &self.name;
        let words = match appended.place.look() {
            Found::Same(..) => return Ok(()),
            Found::Nothing => format!("{name} was moved or deleted. A new file was begun in its place."),
            Found::Other => format!("{name} was replaced by another file. What comes now is added to that one."),
        };
        self.reopen()?;
        if let Some(appended) = &mut self.appended {
            appended.reopened.push(words);
            appended.times += 1;
        }
        Ok(())
    }

    /// Opens the file at the path again, with nothing in memory of the one before.
    fn reopen(&mut self) -> Result<(), StoreError> {
        let Some(appended) = &self.appended else { return Ok(()) };
        let path = appended.place.path().to_owned();
        let mut writer = Writer::append_with(&path, self.layout()).map_err(|error| match error {
            StoreError::CannotWrite(why) => StoreError::Lost(format!("{why} The file that was written before is not there any more.")),
            error if error.is_damage() => {
                StoreError::Lost(format!("{} is damaged, so nothing more is written to it ({error})", path.display()))
            }
            other => other,
        })?;
        if let (Some(new), Some(old)) = (&mut writer.appended, self.appended.take()) {
            (new.reopened, new.times) = (old.reopened, old.times);
            if let Some(bytes) = old.cache {
                writer.set_cache(bytes)?;
            }
            if old.waits {
                writer.attach_waiting()?;
            }
        }
        // The connection to the old file is closed as it is: its journal's name may be another file's now.
        *self = writer;
        Ok(())
    }

    /// In a transaction: if the file was changed since the last commit, and not by SQLite, reads it all before anything is added.
    pub(super) fn check_unchanged(&mut self) -> Result<(), StoreError> {
        let Some(Appended { place, seen: Some(seen), .. }) = &self.appended else { return Ok(()) };
        let Found::Same(len, modified) = place.look() else { return Ok(()) };
        // Other systems note the time of a change when they like.
        if !cfg!(unix) || (len, modified) == (seen.len, seen.modified) || self.data_version()? != seen.data_version {
            return Ok(());
        }
        self.connection.execute_batch("ROLLBACK").map_err(|error| self.explain(&error))?;
        self.reopen()?;
        self.begin_here()?;
        let found: String =
            self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|error| self.explain(&error))?;
        if found == "ok" {
            return Ok(());
        }
        let words = "was changed by something else than SQLite and is damaged, so nothing more is written to it. Try sqlite3's .recover, and \
            start again with another file";
        Err(StoreError::Lost(format!("{} {words} ({}).", self.name, found.replace('\n', " "))))
    }

    /// After a commit: remembers how the file looks.
    pub(super) fn note_commit(&mut self) -> Result<(), StoreError> {
        let Some(appended) = &self.appended else { return Ok(()) };
        let Found::Same(len, modified) = appended.place.look() else {
            return Err(StoreError::Moved(format!("{} was moved or deleted while it was written.", self.name)));
        };
        let data_version = self.data_version()?;
        if let Some(appended) = &mut self.appended {
            appended.seen = Some(Seen { len, modified, data_version });
        }
        Ok(())
    }

    /// A number that other connections' commits change.
    fn data_version(&self) -> Result<i64, StoreError> {
        let read = self.connection.prepare_cached("PRAGMA data_version").and_then(|mut it| it.query_row([], |row| row.get(0)));
        read.map_err(|error| self.explain(&error))
    }

    /// How often the file was opened again because another one was at its path.
    pub fn times_reopened(&self) -> u64 {
        self.appended.as_ref().map_or(0, |appended| appended.times)
    }

    /// A sentence for each time since this was last asked.
    pub fn take_reopened(&mut self) -> Vec<String> {
        self.appended.as_mut().map(|appended| std::mem::take(&mut appended.reopened)).unwrap_or_default()
    }

    /// Prepares the tables of an existing file for appending.
    fn prepare_append(&mut self) -> Result<(), StoreError> {
        if self.layout == Layout::Quipu {
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
        if let Some(appended) = &mut self.appended {
            appended.cache = Some(bytes);
        }
        self.connection.execute_batch(&format!("PRAGMA cache_size=-{}", bytes / 1024)).map_err(|error| self.explain(&error))
    }

    /// Closes a database on disk. Uncommitted rows are lost.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn finish(self) -> Result<(), StoreError> {
        let Writer { connection, target, name, appended, .. } = self;
        // Removes the truncated journal that was kept for the next transaction, unless others have the file open. If another file is at the
        // path, the journal of that name may be its own.
        if appended.is_none_or(|appended| matches!(appended.place.look(), Found::Same(..))) {
            let _ = connection.query_row("PRAGMA journal_mode=DELETE", [], |_| Ok(()));
        }
        connection.close().map_err(|(_, error)| StoreError::CannotWrite(format!("{name} can't be written ({error}).")))?;
        if let Target::Path(mut file) = target {
            file.0 = None;
        }
        Ok(())
    }
}

/// Rejects files other than telemetry files before anything is changed. Returns the layout of one that has tables.
fn check_appendable(connection: &Connection, path: &Path, name: &str) -> Result<Option<Layout>, StoreError> {
    let length = std::fs::metadata(path).map_or(0, |facts| facts.len());
    if length == 0 {
        return Ok(None);
    }
    if connection.is_readonly(MAIN_DB).unwrap_or(false) {
        return Err(StoreError::CannotWrite(format!("{name} may only be read. Change its permissions, or choose another file.")));
    }
    let unreadable = |why: String| StoreError::CannotWrite(format!("{name} can't be read ({why})."));
    let source = FileSource::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut head = vec![0; usize::try_from(source.len().min(100)).unwrap_or(100)];
    source.read_into(0, &mut [&mut head]).map_err(|error| unreadable(error.to_string()))?;
    read_header(&head, name, length).map_err(StoreError::CannotWrite)?;
    let schema = Schema::read(connection).map_err(|error| StoreError::CannotWrite(format!("{name} can't be read: {error}")))?;
    schema.check_writable(name).map_err(StoreError::CannotWrite)?;
    Ok((!schema.is_empty()).then_some(schema.layout))
}

/// Creates the file if there is none, and says what the operating system says where SQLite only says that it can't.
pub(super) fn make_file(path: &Path, name: &str) -> Result<(), StoreError> {
    if path.is_dir() {
        let inside = path.join("telemetry.db");
        return Err(StoreError::CannotWrite(format!("{name} is a folder; give a file in it, such as {}.", inside.display())));
    }
    match std::fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            Err(StoreError::CannotWrite(format!("{name} can't be created ({error}). Choose another folder, or make room for it.")))
        }
        Ok(_) => Ok(()),
    }
}

fn open(path: &Path, name: &str, flags: OpenFlags) -> Result<Connection, StoreError> {
    let open = || {
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY)?;
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| StoreError::CannotWrite(format!("{name} can't be opened for writing ({error}).")))
}
