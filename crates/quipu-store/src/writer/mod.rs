//! Writes rows into a database with the reference's schema, which is indistinguishable from the reference's own files.
//!
//! [`Writer::copy`] writes rows as they are (trimmed copies). [`Writer::add`] writes a span like the reference's sink, creating or updating
//! the row of its trace (imports, live recording). Write-ahead mode is never used, so that the file is complete between commits. Not here:
//! reading (`reader`), and what rows mean.

mod extra;
mod memory;
mod merge;
#[cfg(not(target_family = "wasm"))]
mod native;
mod own;
#[cfg(not(target_family = "wasm"))]
mod place;
mod refused;
#[cfg(not(target_family = "wasm"))]
mod retention;
mod tables;
#[cfg(not(target_family = "wasm"))]
mod waiting;

use super::error::StoreError;
use super::layout::{Layout, STORED_TABLES};
use memory::Memory;
pub use memory::WrittenSource;
pub use own::{OwnEvent, OwnSpan, OwnTrace};
use quipu_model::{Cell, EventRecord, Record, Recording, SpanRecord, TraceRecord};
pub use refused::Refused;
#[cfg(not(target_family = "wasm"))]
pub use retention::{FileSize, Removed};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, ToSql, ffi};
#[cfg(not(target_family = "wasm"))]
pub use waiting::Waiting;

/// The journal of a file that is appended to while others read it.
const APPENDING: &str = "TRUNCATE";

/// A database being written. [`begin`](Writer::begin) starts a transaction, [`commit`](Writer::commit) ends it; without one, each row is a
/// transaction.
pub struct Writer {
    // Fields are dropped in order: the connection goes before its file system, and before its file is removed.
    connection: Connection,
    target: Target,
    name: String,
    /// Which additional tables exist.
    made: extra::Made,
    /// Whether log records become events as soon as their span arrives, rather than at the end.
    joins_logs: bool,
    layout: Layout,
    /// What is known of the rows of Quipu's own layout, once one is added.
    own: Option<own::Own>,
    /// Rows that the file does not take, since the last [`Writer::take_refused`].
    refused: Refused,
    /// Which file is appended to.
    #[cfg(not(target_family = "wasm"))]
    appended: Option<native::Appended>,
    /// Log records up to this number that are still there belong to spans.
    #[cfg(not(target_family = "wasm"))]
    logs_passed: i64,
}

/// What became of a span that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is in this row.
    Row(i64),
    /// It was there, and what it adds is merged into that row; in Quipu's own layout only.
    Merged,
    /// The file has a span with its id, so it was skipped.
    Known,
    /// The file does not take it.
    Refused,
}

/// Where the database is stored.
enum Target {
    Memory(Memory),
    #[cfg(not(target_family = "wasm"))]
    Path(native::NewFile),
}

/// Data about a trace that comes with a span but is not in the span's row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceFacts<'a> {
    /// Service name, used for a new trace.
    pub service_name: Option<&'a str>,
    /// Whether the span is the root; ignored if the trace has one.
    pub is_root: bool,
    /// Creation time, used for a new trace: `YYYY-MM-DD HH:MM:SS` in UTC. `None` is the current time of SQLite's clock, which an in-memory
    /// database lacks.
    pub created_at: Option<&'a str>,
}

/// Changes to a row of `traces` from one or more spans, in the order they arrived.
#[derive(Clone, Copy, Debug)]
pub struct TraceUpdate<'a> {
    trace_id: Option<&'a str>,
    service_name: Option<&'a str>,
    root: Option<&'a str>,
    start_time: Option<&'a str>,
    end_time: Option<&'a str>,
    created_at: Option<&'a str>,
}

impl<'a> TraceUpdate<'a> {
    /// The changes from one span.
    pub fn by(span: &'a SpanRecord, facts: TraceFacts<'a>) -> TraceUpdate<'a> {
        TraceUpdate {
            trace_id: span.trace_id.as_deref(),
            service_name: facts.service_name,
            root: facts.is_root.then_some(span.span_id.as_str()),
            start_time: span.start_time.as_deref(),
            end_time: span.end_time.as_deref(),
            created_at: facts.created_at,
        }
    }

    /// Adds the changes from a later span of the same trace. As in SQL, an unknown time makes the trace's time unknown.
    pub fn and(&mut self, later: &TraceUpdate<'a>) {
        self.root = self.root.or(later.root);
        self.start_time = self.start_time.zip(later.start_time).map(|(one, other)| one.min(other));
        self.end_time = self.end_time.zip(later.end_time).map(|(one, other)| one.max(other));
    }
}

/// Numbers of copied rows, and of rows skipped because their id existed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Copied rows of `traces`.
    pub traces: u64,
    /// Copied rows of `spans`.
    pub spans: u64,
    /// Copied rows of `span_events`.
    pub events: u64,
    /// Traces and spans that existed already.
    pub left_out: u64,
}

fn cell_of(value: ValueRef<'_>) -> Cell<'_> {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(text) => std::str::from_utf8(text).map_or(Cell::Blob(text), Cell::Text),
        ValueRef::Blob(bytes) => Cell::Blob(bytes),
    }
}

fn value_of(cell: Cell<'_>) -> ValueRef<'_> {
    match cell {
        Cell::Null => ValueRef::Null,
        Cell::Integer(number) => ValueRef::Integer(number),
        Cell::Real(number) => ValueRef::Real(number),
        Cell::Text(text) => ValueRef::Text(text.as_bytes()),
        Cell::Blob(bytes) => ValueRef::Blob(bytes),
    }
}

impl Writer {
    /// Creates an in-memory database.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn in_memory() -> Result<Writer, StoreError> {
        Writer::in_memory_with(Layout::Reference)
    }

    /// Creates an in-memory database of a layout.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn in_memory_with(layout: Layout) -> Result<Writer, StoreError> {
        let name = "The database in memory";
        let (memory, connection) =
            Memory::open().map_err(|error| StoreError::CannotWrite(format!("{name} can't be created ({error}).")))?;
        Writer::set_up(connection, Target::Memory(memory), name.to_owned(), "MEMORY", layout)
    }

    fn set_up(connection: Connection, target: Target, name: String, journal: &str, layout: Layout) -> Result<Writer, StoreError> {
        let writer = Writer {
            connection,
            target,
            name,
            made: extra::Made::default(),
            joins_logs: false,
            layout,
            own: None,
            refused: Refused::default(),
            #[cfg(not(target_family = "wasm"))]
            appended: None,
            #[cfg(not(target_family = "wasm"))]
            logs_passed: 0,
        };
        writer.prepare(journal).map_err(|error| writer.explain(&error))?;
        Ok(writer)
    }

    /// The layout of the file.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    fn prepare(&self, journal: &str) -> rusqlite::Result<()> {
        let connection = &self.connection;
        // Nothing that is stored in the file is run: a trigger could change or remove the rows that are added.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        // The first three pragmas only affect a file without pages. Pages of a file that is appended to may become free, when what is old is
        // removed, and go back to the system one by one. Foreign keys are not enforced, like in the reference: spans are written
        // before their trace, and some events have no span.
        let page = self.layout.page_bytes();
        let vacuum = if journal == APPENDING && self.layout == Layout::Quipu { "PRAGMA auto_vacuum=INCREMENTAL;" } else { "" };
        connection.execute_batch(&format!(
            "{vacuum} PRAGMA page_size={page}; PRAGMA encoding='UTF-8'; PRAGMA foreign_keys=OFF; PRAGMA cache_size=-8192; PRAGMA trusted_schema=OFF;",
        ))?;
        let mode: String = connection.query_row(&format!("PRAGMA journal_mode={journal}"), [], |row| row.get(0))?;
        if !mode.eq_ignore_ascii_case(journal) {
            return Err(rusqlite::Error::InvalidParameterName(format!("the journal mode stays {mode}: another program has the file open")));
        }
        match self.layout {
            Layout::Reference => tables::make_tables(connection),
            Layout::Quipu => super::layout::make(connection),
        }
    }

    /// Starts a transaction, and blocks other writers until it ends. If the appended file was moved or replaced, the one that is now at its
    /// path is opened first, or created.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], also if another program keeps writing; [`StoreError::Lost`] if the file is damaged or can't be opened
    /// again.
    pub fn begin(&mut self) -> Result<(), StoreError> {
        #[cfg(not(target_family = "wasm"))]
        self.stay_in_place()?;
        self.begin_here()?;
        #[cfg(not(target_family = "wasm"))]
        self.check_unchanged()?;
        Ok(())
    }

    fn begin_here(&self) -> Result<(), StoreError> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| self.explain(&error))
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]; [`StoreError::Moved`] if the rows are in a file that is not at its path any more, and are to be written
    /// again.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.connection.execute_batch("COMMIT").map_err(|error| self.explain(&error))?;
        #[cfg(not(target_family = "wasm"))]
        self.note_commit()?;
        Ok(())
    }

    /// Rolls the transaction back.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn roll_back(&mut self) -> Result<(), StoreError> {
        let outcome = self.connection.execute_batch("ROLLBACK").map_err(|error| self.explain(&error));
        // After some failures, such as a full disk, SQLite has rolled back by itself.
        self.reset_made()?;
        // Read again when a row is added.
        self.own = None;
        outcome
    }

    /// Writes rows as they are, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], in which case nothing was written.
    pub fn copy(&mut self, recording: &Recording) -> Result<Copied, StoreError> {
        self.begin()?;
        let outcome = recording.records().try_fold(Copied::default(), |mut copied, record| {
            self.copy_row(record, &mut copied)?;
            Ok(copied)
        });
        match outcome {
            Ok(copied) => self.commit().map(|()| copied),
            Err(error) => {
                // Report the first error.
                let _ = self.roll_back();
                Err(error)
            }
        }
    }

    /// Copies the rows of a table of Quipu's own layout for which `condition` is true of `value` as `?1`, unless they are there. Returns how
    /// many were copied.
    pub(crate) fn copy_stored(&mut self, from: &Connection, table: &str, condition: &str, value: i64) -> Result<u64, StoreError> {
        // The names of our own table: those of the file that is read could be anything.
        let target = self.connection.prepare_cached(&format!("SELECT * FROM {table}")).map_err(|error| self.explain(&error))?;
        let columns = target.column_names().collect::<Vec<_>>().join(", ");
        let places = vec!["?"; target.column_count()].join(", ");
        let mut read = from.prepare_cached(&format!("SELECT {columns} FROM main.{table} WHERE {condition}"))?;
        let insert = format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})");
        let (mut rows, mut copied) = (read.query([value])?, 0);
        while let Some(row) = rows.next()? {
            let mut write = self.connection.prepare_cached(&insert).map_err(|error| self.explain(&error))?;
            for column in 0..write.parameter_count() {
                write.raw_bind_parameter(column + 1, ToSqlOutput::Borrowed(row.get_ref(column)?))?;
            }
            copied += write.raw_execute().map_err(|error| self.explain(&error))? as u64;
        }
        Ok(copied)
    }

    /// Reads a table of Quipu's own layout as it is stored: `columns` gets the names of its columns, then `seen` each row.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn each_stored(
        &self,
        table: &str,
        columns: &mut dyn FnMut(&[&str]),
        seen: &mut dyn FnMut(&mut dyn Iterator<Item = Cell<'_>>),
    ) -> Result<(), StoreError> {
        let mut read = || {
            let mut statement = self.connection.prepare(&format!("SELECT * FROM main.{table} ORDER BY id"))?;
            columns(&statement.column_names().collect::<Vec<_>>());
            let width = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                seen(&mut (0..width).map(|column| row.get_ref(column).map_or(Cell::Null, cell_of)));
            }
            Ok(())
        };
        read().map_err(|error| self.explain(&error))
    }

    /// Adds a row to a table of Quipu's own layout as it is stored, unless it is there.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], also if there is no such table or column.
    pub fn add_stored(&self, table: &str, columns: &[&str], cells: &[Cell<'_>]) -> Result<(), StoreError> {
        let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !STORED_TABLES.contains(&table) || !columns.iter().all(is_word) || columns.len() != cells.len() {
            return Err(StoreError::CannotWrite(format!("{} has no such table or columns.", self.name)));
        }
        let (names, places) = (columns.join(", "), vec!["?"; columns.len()].join(", "));
        let sql = format!("INSERT OR IGNORE INTO {table} ({names}) VALUES ({places})");
        let values: Vec<ToSqlOutput<'_>> = cells.iter().map(|cell| ToSqlOutput::Borrowed(value_of(*cell))).collect();
        let values: Vec<&dyn ToSql> = values.iter().map(|value| value as &dyn ToSql).collect();
        self.run(&sql, &values).map(drop)
    }

    /// Writes one row as it is, and counts it. Skips traces and spans whose id exists.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn copy_row(&mut self, record: Record<'_>, copied: &mut Copied) -> Result<(), StoreError> {
        let (written, count) = match record {
            Record::Trace(trace) => (self.run(tables::COPY_TRACE, trace_values(trace).as_slice())?, &mut copied.traces),
            Record::Span(span) => (self.run(tables::ADD_SPAN, span_values(span).as_slice())?, &mut copied.spans),
            Record::Event(event) => (self.run(tables::ADD_EVENT, event_values(event).as_slice())?, &mut copied.events),
        };
        if written {
            *count += 1;
        } else {
            copied.left_out += 1;
        }
        Ok(())
    }

    /// Writes an ended span with its events like the reference's sink, and creates or updates the row of its trace. Returns whether it was
    /// written: a span whose id exists is skipped with its events, and so is one that the file refuses, which [`Writer::take_refused`] tells.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn add(&mut self, span: &SpanRecord, events: &[EventRecord], facts: TraceFacts<'_>) -> Result<bool, StoreError> {
        match self.add_span(span, events)? {
            Added::Row(_) => {}
            Added::Merged | Added::Known | Added::Refused => return Ok(false),
        }
        self.update_trace(&TraceUpdate::by(span, facts))?;
        Ok(true)
    }

    /// Writes a span and its events. The update of its trace must follow in the same transaction.
    pub fn add_span(&mut self, span: &SpanRecord, events: &[EventRecord]) -> Result<Added, StoreError> {
        match self.run(tables::ADD_SPAN, span_values(span).as_slice()) {
            Ok(true) => {}
            Ok(false) if self.has_span(&span.span_id)? => return Ok(Added::Known),
            Ok(false) => {
                self.refused.entry("another row has a value that may only be there once");
                return Ok(Added::Refused);
            }
            Err(StoreError::Refused(why)) => {
                self.refused.entry(&why);
                return Ok(Added::Refused);
            }
            Err(error) => return Err(error),
        }
        let row = self.connection.last_insert_rowid();
        for event in events {
            self.run_part(tables::ADD_EVENT, event_values(event).as_slice())?;
        }
        self.take_waiting_logs(&span.span_id)?;
        Ok(Added::Row(row))
    }

    /// Whether the file has a span with this id.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn has_span(&self, span_id: &str) -> Result<bool, StoreError> {
        let look = |mut statement: CachedStatement<'_>| statement.query_row([span_id], |row| row.get(0));
        self.connection.prepare_cached(tables::HAS_SPAN).and_then(look).map_err(|error| self.explain(&error))
    }

    /// Creates or updates the row of a trace.
    pub fn update_trace(&mut self, trace: &TraceUpdate<'_>) -> Result<(), StoreError> {
        let values: [&dyn ToSql; 6] = [
            &trace.trace_id,
            &trace.service_name,
            &trace.root,
            &trace.start_time,
            &trace.end_time,
            &trace.created_at,
        ];
        self.run_part(tables::UPDATE_TRACE, &values)?;
        Ok(())
    }

    /// Runs a statement that writes one row. Returns whether it did: a row that the file does not take is counted as an entry.
    fn run_entry(&mut self, sql: &str, values: &[&dyn ToSql]) -> Result<bool, StoreError> {
        let outcome = self.run(sql, values);
        self.refused.entry_of(outcome)
    }

    /// The same for a row that belongs to an entry which is kept.
    fn run_part(&mut self, sql: &str, values: &[&dyn ToSql]) -> Result<bool, StoreError> {
        let outcome = self.run(sql, values);
        self.refused.part_of(outcome)
    }

    /// Rows that the file did not take since this was last asked.
    pub fn take_refused(&mut self) -> Refused {
        std::mem::take(&mut self.refused)
    }

    /// Runs a statement that writes at most one row. Returns whether it did.
    fn run(&self, sql: &str, values: &[&dyn ToSql]) -> Result<bool, StoreError> {
        let run = |mut statement: CachedStatement<'_>| statement.execute(values);
        self.connection.prepare_cached(sql).and_then(run).map(|rows| rows > 0).map_err(|error| self.explain(&error))
    }

    /// The error as a sentence. Which kind it is decides whether the next transaction can succeed.
    fn explain(&self, error: &rusqlite::Error) -> StoreError {
        let name = &self.name;
        if let rusqlite::Error::SqliteFailure(failure, _) = error
            && failure.extended_code == ffi::SQLITE_READONLY_DBMOVED
        {
            return StoreError::Moved(format!("{name} was moved or deleted while it was written."));
        }
        let why = match (error, error.sqlite_error_code()) {
            (rusqlite::Error::InvalidParameterName(words), _) => words.clone(),
            (_, Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch)) => {
                return StoreError::Refused(error.to_string());
            }
            (_, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) => {
                let words = "was damaged by something else than SQLite, so nothing more is written to it. Try sqlite3's .recover, and start \
                    again with another file";
                return StoreError::Lost(format!("{name} {words} ({error})."));
            }
            (_, Some(ErrorCode::DatabaseBusy)) => "another program is writing it and did not let go; try again".into(),
            (_, Some(ErrorCode::DiskFull)) => "the disk is full; make room on it".into(),
            (_, Some(ErrorCode::ReadOnly)) => {
                "it may only be read; change its permissions and those of its folder, or choose another file".into()
            }
            (_, Some(ErrorCode::CannotOpen)) => {
                "no file can be made beside it, where SQLite keeps its journal; choose another folder".into()
            }
            _ => error.to_string(),
        };
        StoreError::CannotWrite(format!("{name} can't be written ({why})."))
    }
}

fn trace_values(trace: &TraceRecord) -> [&dyn ToSql; 6] {
    [
        &trace.trace_id,
        &trace.service_name,
        &trace.root_span_id,
        &trace.start_time,
        &trace.end_time,
        &trace.created_at,
    ]
}

fn span_values(span: &SpanRecord) -> [&dyn ToSql; 9] {
    [
        &span.span_id,
        &span.trace_id,
        &span.parent_span_id,
        &span.name,
        &span.start_time,
        &span.end_time,
        &span.attributes,
        &span.status,
        &span.kind,
    ]
}

fn event_values(event: &EventRecord) -> [&dyn ToSql; 4] {
    [&event.span_id, &event.name, &event.timestamp, &event.attributes]
}
