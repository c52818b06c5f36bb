//! Writes recorded rows into a database of the reference's schema, so that its own query code could not tell the difference.
//!
//! Two ways over the same statements: [`Writer::copy`] writes rows as they are (trimmed copies); [`Writer::add`] writes a span as the
//! reference's sink does, which makes or widens the row of its trace (imports, and whatever records as it runs).
//! The write-ahead mode is never used, so that between two commits the one file is whole.
//! What is not here: reading (`reader`), and what rows mean.

mod extra;
mod memory;
#[cfg(not(target_family = "wasm"))]
mod native;
mod tables;

use super::error::StoreError;
use memory::Memory;
pub use memory::WrittenSource;
use quipu_model::{EventRecord, Record, Recording, SpanRecord, TraceRecord};
use rusqlite::{CachedStatement, Connection, ToSql};

/// A database that is being written. Rows come in transactions: [`begin`](Writer::begin) opens one, [`commit`](Writer::commit) ends it;
/// without one, each row is its own.
pub struct Writer {
    // Fields drop in order: the connection goes before its file system, and before its file is removed.
    connection: Connection,
    target: Target,
    name: String,
    /// Which further tables there are.
    made: extra::Made,
    /// Whether log records become events as soon as their span comes, and not at the end.
    joins_logs: bool,
}

/// Where the database lies.
enum Target {
    Memory(Memory),
    #[cfg(not(target_family = "wasm"))]
    Path(native::NewFile),
}

/// What a span tells of its trace beyond its own row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceFacts<'a> {
    /// The name of the service, for a trace that has no row yet.
    pub service_name: Option<&'a str>,
    /// Whether the span is the root, as far as no other was before.
    pub is_root: bool,
    /// `YYYY-MM-DD HH:MM:SS` in UTC, for a trace that has no row yet; `None` is now by SQLite's clock, of which there is none in memory.
    pub created_at: Option<&'a str>,
}

/// What one or more spans tell of their trace, in the order they came.
#[derive(Clone, Copy, Debug)]
pub struct Widening<'a> {
    trace_id: Option<&'a str>,
    service_name: Option<&'a str>,
    root: Option<&'a str>,
    start_time: Option<&'a str>,
    end_time: Option<&'a str>,
    created_at: Option<&'a str>,
}

impl<'a> Widening<'a> {
    /// What one span tells.
    pub fn by(span: &'a SpanRecord, facts: TraceFacts<'a>) -> Widening<'a> {
        Widening {
            trace_id: span.trace_id.as_deref(),
            service_name: facts.service_name,
            root: facts.is_root.then_some(span.span_id.as_str()),
            start_time: span.start_time.as_deref(),
            end_time: span.end_time.as_deref(),
            created_at: facts.created_at,
        }
    }

    /// What a later span of the same trace adds. As in SQL, a time that is not known makes the trace's unknown.
    pub fn and(&mut self, later: &Widening<'a>) {
        self.root = self.root.or(later.root);
        self.start_time = self.start_time.zip(later.start_time).map(|(one, other)| one.min(other));
        self.end_time = self.end_time.zip(later.end_time).map(|(one, other)| one.max(other));
    }
}

/// How many rows were written, and how many were not because a row of their id was there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Rows of `traces`.
    pub traces: u64,
    /// Rows of `spans`.
    pub spans: u64,
    /// Rows of `span_events`.
    pub events: u64,
    /// Traces and spans that were there already.
    pub left_out: u64,
}

impl Writer {
    /// A fresh database in memory, outside SQLite's own.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn in_memory() -> Result<Writer, StoreError> {
        let name = "The database in memory";
        let (memory, connection) = Memory::open().map_err(|error| StoreError::CannotWrite(format!("{name} can't be made ({error}).")))?;
        Writer::set_up(connection, Target::Memory(memory), name.to_owned(), "MEMORY")
    }

    fn set_up(connection: Connection, target: Target, name: String, journal: &str) -> Result<Writer, StoreError> {
        let writer = Writer { connection, target, name, made: extra::Made::default(), joins_logs: false };
        writer.prepare(journal).map_err(|error| writer.explain(&error))?;
        Ok(writer)
    }

    fn prepare(&self, journal: &str) -> rusqlite::Result<()> {
        let connection = &self.connection;
        // Only a file that has no page yet takes the first two. References between tables are not enforced, as by the reference: spans
        // come before their trace, and some events have no span.
        connection.execute_batch(
            "PRAGMA page_size=4096; PRAGMA encoding='UTF-8'; PRAGMA foreign_keys=OFF; PRAGMA cache_size=-8192; PRAGMA trusted_schema=OFF;",
        )?;
        let mode: String = connection.query_row(&format!("PRAGMA journal_mode={journal}"), [], |row| row.get(0))?;
        if !mode.eq_ignore_ascii_case(journal) {
            return Err(rusqlite::Error::InvalidParameterName(format!("the journal mode stays {mode}: another program has the file open")));
        }
        tables::make_tables(connection)
    }

    /// Opens a transaction, which others wait for from now on.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], also when another program is writing and does not let go.
    pub fn begin(&mut self) -> Result<(), StoreError> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| self.explain(&error))
    }

    /// Ends the transaction: what was written is in the file.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.connection.execute_batch("COMMIT").map_err(|error| self.explain(&error))
    }

    /// Ends the transaction as if it had not been.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn roll_back(&mut self) -> Result<(), StoreError> {
        let outcome = self.connection.execute_batch("ROLLBACK").map_err(|error| self.explain(&error));
        // After some failures, a full disk among them, SQLite has rolled back by itself.
        self.forget_made()?;
        outcome
    }

    /// Writes rows as they are, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]; nothing of the recording was written then.
    pub fn copy(&mut self, recording: &Recording) -> Result<Copied, StoreError> {
        self.begin()?;
        let outcome = recording.records().try_fold(Copied::default(), |mut copied, record| {
            self.copy_row(record, &mut copied)?;
            Ok(copied)
        });
        match outcome {
            Ok(copied) => self.commit().map(|()| copied),
            Err(error) => {
                // The first error is the one to tell.
                let _ = self.roll_back();
                Err(error)
            }
        }
    }

    /// Writes one row as it is, and counts it. A trace or span whose id is there already is left out.
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

    /// Writes a span that has ended, with its events, as the reference's sink does: the row of its trace is made, or its time widened.
    /// Answers whether it was written; one whose id is there already is not, nor are its events.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn add(&mut self, span: &SpanRecord, events: &[EventRecord], facts: TraceFacts<'_>) -> Result<bool, StoreError> {
        if self.add_span(span, events)?.is_none() {
            return Ok(false);
        }
        self.widen_trace(&Widening::by(span, facts))?;
        Ok(true)
    }

    /// Writes a span with its events alone; what it tells of its trace is to follow in the same transaction. Answers the number of its row,
    /// if it was written.
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

    /// Writes what spans told of their trace.
    pub fn widen_trace(&mut self, trace: &Widening<'_>) -> Result<(), StoreError> {
        let values: [&dyn ToSql; 6] = [
            &trace.trace_id,
            &trace.service_name,
            &trace.root,
            &trace.start_time,
            &trace.end_time,
            &trace.created_at,
        ];
        self.run(tables::WIDEN_TRACE, &values)?;
        Ok(())
    }

    /// Runs a statement that writes one row at most; answers whether it did.
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
