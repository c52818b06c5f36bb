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
mod own_copy;
mod tables;

use super::error::StoreError;
use super::layout::Layout;
use memory::Memory;
pub use memory::WrittenSource;
pub use own::{Added, OwnEvent, OwnSpan, OwnTrace};
pub use own_copy::OwnCopy;
use quipu_model::{EventRecord, Record, Recording, SpanRecord, TraceRecord};
use rusqlite::{CachedStatement, Connection, ToSql};

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
    /// Set for Quipu's own layout.
    own: Option<own::Own>,
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
        let mut writer = Writer { connection, target, name, made: extra::Made::default(), joins_logs: false, own: None };
        writer.prepare(journal, layout).map_err(|error| writer.explain(&error))?;
        Ok(writer)
    }

    /// The layout of the file.
    pub fn layout(&self) -> Layout {
        if self.own.is_some() { Layout::Quipu } else { Layout::Reference }
    }

    fn prepare(&mut self, journal: &str, layout: Layout) -> rusqlite::Result<()> {
        let connection = &self.connection;
        // The first two pragmas only affect a file without pages. Foreign keys are not enforced, like in the reference: spans are written
        // before their trace, and some events have no span.
        connection.execute_batch(
            "PRAGMA page_size=4096; PRAGMA encoding='UTF-8'; PRAGMA foreign_keys=OFF; PRAGMA cache_size=-8192; PRAGMA trusted_schema=OFF;",
        )?;
        let mode: String = connection.query_row(&format!("PRAGMA journal_mode={journal}"), [], |row| row.get(0))?;
        if !mode.eq_ignore_ascii_case(journal) {
            return Err(rusqlite::Error::InvalidParameterName(format!("the journal mode stays {mode}: another program has the file open")));
        }
        match layout {
            Layout::Reference => tables::make_tables(connection),
            Layout::Quipu => {
                self.own = Some(own::Own::open(connection)?);
                Ok(())
            }
        }
    }

    /// Starts a transaction, and blocks other writers until it ends.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], also if another program keeps writing.
    pub fn begin(&mut self) -> Result<(), StoreError> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| self.explain(&error))
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.connection.execute_batch("COMMIT").map_err(|error| self.explain(&error))
    }

    /// Rolls the transaction back.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn roll_back(&mut self) -> Result<(), StoreError> {
        let outcome = self.connection.execute_batch("ROLLBACK").map_err(|error| self.explain(&error));
        // After some failures, such as a full disk, SQLite has rolled back by itself.
        self.reset_made()?;
        self.reset_own()?;
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
    /// written: a span whose id exists is skipped with its events.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn add(&mut self, span: &SpanRecord, events: &[EventRecord], facts: TraceFacts<'_>) -> Result<bool, StoreError> {
        if self.add_span(span, events)?.is_none() {
            return Ok(false);
        }
        self.update_trace(&TraceUpdate::by(span, facts))?;
        Ok(true)
    }

    /// Writes a span and its events. The update of its trace must follow in the same transaction. Returns the row number, or `None` if the
    /// span exists.
    pub fn add_span(&mut self, span: &SpanRecord, events: &[EventRecord]) -> Result<Option<i64>, StoreError> {
        if !self.run(tables::ADD_SPAN, span_values(span).as_slice())? {
            return Ok(None);
        }
        let row = self.connection.last_insert_rowid();
        for event in events {
            self.run(tables::ADD_EVENT, event_values(event).as_slice())?;
        }
        self.take_waiting_logs(&span.span_id)?;
        Ok(Some(row))
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
        self.run(tables::UPDATE_TRACE, &values)?;
        Ok(())
    }

    /// Runs a statement that writes at most one row. Returns whether it did.
    fn run(&self, sql: &str, values: &[&dyn ToSql]) -> Result<bool, StoreError> {
        let run = |mut statement: CachedStatement<'_>| statement.execute(values);
        self.connection.prepare_cached(sql).and_then(run).map(|rows| rows > 0).map_err(|error| self.explain(&error))
    }

    fn explain(&self, error: &rusqlite::Error) -> StoreError {
        let why = match error {
            rusqlite::Error::InvalidParameterName(words) => words.clone(),
            _ if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                "another program is writing it and did not let go; try again".into()
            }
            other => other.to_string(),
        };
        StoreError::CannotWrite(format!("{} can't be written ({why}).", self.name))
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
