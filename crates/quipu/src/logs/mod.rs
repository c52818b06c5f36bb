//! The log records of a file in order of time: OTLP log records, and span events other than metrics.
//!
//! The list keeps 32 bytes of each in memory; texts stay in the file. It is read in small steps when logs are first requested.
//! Not here: which records a filter matches (`select`), pages and charts (`list`), texts (`session`).

mod list;
mod select;

pub(crate) use list::LogLists;

use crate::index::{Index, NO_SPAN, NO_TIME, event_time};
use quipu_model::LogSeverity;
use quipu_model::number::narrow;
use quipu_model::ordered::sort_by_key;
use quipu_model::recorded::entries;
use quipu_protocol::{LogId, LogReading};
use quipu_store::{Database, EventOwner, ScanEvent, ScanLog, StoreError, log_ids, rowids, scan_events, scan_log_records};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// Maximum number of records in memory. Of a file with more, the ones that came last are listed.
const MAX_RECORDS: i64 = 4_000_000;
/// Rows read in one step, and the bytes of their attributes after which a step ends.
const STEP_ROWS: usize = 20_000;
const STEP_BYTES: usize = 4 << 20;
/// Maximum number of distinct names kept in memory; further names are read from the file.
const MAX_NAMES: usize = 1 << 16;
/// The number of a name that is not told apart.
pub(super) const OTHER_NAME: u32 = u32::MAX;

/// The severity of records without one, or with one of another name; sorts below all others.
pub(super) const NO_SEVERITY: u8 = 6;

/// One record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Nanoseconds since 1970, UTC; `NO_TIME` if it has none.
    pub(super) time: i64,
    pub(super) id: i64,
    /// The row of its span, or `NO_SPAN`.
    pub(super) row: u32,
    /// The number of its name.
    name: u32,
    /// The number of its own source; 0 for that of its span.
    source: u32,
    severity: u8,
    is_record: bool,
}

impl Entry {
    pub(crate) fn log_id(&self) -> LogId {
        if self.is_record { LogId::Record(self.id) } else { LogId::Event(self.id) }
    }
}

/// Where reading is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Begin,
    Events,
    Records,
    Done,
}

/// All records of a file.
#[derive(Default)]
pub(crate) struct Logs {
    entries: Vec<Entry>,
    names: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
    /// Traces of records that name one of the file but none of its spans.
    traces: HashMap<i64, u32>,
    stage: Stage,
    after: i64,
    read: u64,
    expected: u64,
    /// Whether older rows were left out.
    is_cut: bool,
}

impl Logs {
    pub(crate) fn is_complete(&self) -> bool {
        self.stage == Stage::Done
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number as usize)
    }

    /// All records, first those without a time, then by time.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// The trace of a record, if it is in the file.
    pub(super) fn trace_of(&self, index: &Index, entry: &Entry) -> Option<u32> {
        match entry.row {
            NO_SPAN => self.traces.get(&entry.id).copied().filter(|_| entry.is_record),
            row => Some(index.trace_of(row)),
        }
    }

    /// The number of the service that wrote a record.
    pub(super) fn service_of(&self, index: &Index, entry: &Entry) -> Option<u32> {
        match (entry.source, entry.row) {
            (0, NO_SPAN) => None,
            (0, row) => index.service_of(row),
            (source, _) => index.service_of_source(source),
        }
    }

    pub(super) fn scope_of(&self, index: &Index, entry: &Entry) -> Option<u32> {
        match (entry.source, entry.row) {
            (0, NO_SPAN) => None,
            (0, row) => index.scope_of(row),
            (source, _) => index.scope_of_source(source),
        }
    }

    pub(crate) fn reading(&self) -> LogReading {
        LogReading { rows: self.read, expected: self.expected.max(self.read), done: self.is_complete() }
    }

    /// What is not listed, in a sentence.
    pub(crate) fn note(&self) -> Option<String> {
        let most = quipu_model::format::count(MAX_RECORDS.unsigned_abs());
        self.is_cut
            .then(|| format!("Of span events and of log records, the {most} that were written last are listed; the file holds more."))
    }

    /// Reads the next rows.
    ///
    /// # Errors
    /// When the file can't be read any more. What is damaged is passed over.
    pub(crate) fn step(&mut self, index: &Index, database: &Database) -> Result<(), StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let mut budget = (STEP_ROWS, STEP_BYTES);
        let mut spend = |bytes: usize| {
            budget = (budget.0.saturating_sub(1), budget.1.saturating_sub(bytes));
            budget.0 > 0 && budget.1 > 0
        };
        let (mut ended, before) = (true, self.after);
        let outcome = match self.stage {
            Stage::Begin => {
                let events = rowids(connection, schema.events.exists, "span_events")?;
                self.expected = length(events) + length(log_ids(connection, schema)?);
                self.start(events);
                self.stage = Stage::Events;
                return Ok(());
            }
            Stage::Events if !schema.events.exists => Ok(()),
            Stage::Events => scan_events(connection, schema, self.after, &mut |event| {
                self.after = event.id;
                self.add_event(index, &event);
                ended = spend(event.attributes.len());
                if ended { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            }),
            Stage::Records => scan_log_records(connection, schema, self.after, &mut |log| {
                self.after = log.id;
                self.add_record(index, &log);
                ended = spend(log.attributes.len());
                if ended { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            }),
            Stage::Done => return Ok(()),
        };
        match outcome {
            // The rows behind a damaged place are lost to this list; the index has told that the table is damaged.
            Err(error) if !error.is_damage() => return Err(error),
            Err(_) => database.source_failed()?,
            Ok(()) => {}
        }
        if !ended && self.after > before {
            return Ok(());
        }
        if self.stage == Stage::Events {
            self.start(log_ids(connection, schema)?);
            self.stage = Stage::Records;
        } else {
            self.finish();
        }
        Ok(())
    }

    /// Sets out to read a table with these first and last row numbers.
    fn start(&mut self, (lowest, highest): (i64, i64)) {
        let newest = highest.saturating_sub(MAX_RECORDS);
        self.is_cut |= newest >= lowest;
        self.after = newest.max(lowest.saturating_sub(1));
    }

    fn finish(&mut self) {
        self.stage = Stage::Done;
        self.numbers = HashMap::new();
        self.entries.shrink_to_fit();
        sort_by_key(&mut self.entries, |entry| (entry.time, entry.is_record, entry.id));
    }

    fn add_event(&mut self, index: &Index, event: &ScanEvent<'_>) {
        self.read += 1;
        let name = event.name.as_deref().unwrap_or_default();
        if event.is_log_record || name.starts_with("metric.") {
            return;
        }
        let row = match &event.span {
            EventOwner::Id(id) => id.as_deref().and_then(|id| index.find_span(id)),
            EventOwner::Row(rowid) => index.row_of(*rowid),
        };
        let time = event_time(&event.time, row.map_or(0, |row| index.offset_minutes(index.trace_of(row))));
        let entry = Entry {
            time,
            id: event.id,
            row: row.unwrap_or(NO_SPAN),
            name: self.name(name),
            source: 0,
            severity: severity(event.attributes),
            is_record: false,
        };
        self.entries.push(entry);
    }

    fn add_record(&mut self, index: &Index, log: &ScanLog<'_>) {
        self.read += 1;
        let row = log.span_row.and_then(|rowid| index.row_of(rowid));
        if row.is_none()
            && let Some(trace) = log.trace_id.as_deref().and_then(|id| index.find_trace(id))
        {
            self.traces.insert(log.id, trace);
        }
        let entry = Entry {
            time: log.time.unwrap_or(NO_TIME),
            id: log.id,
            row: row.unwrap_or(NO_SPAN),
            name: self.name(log.name.as_deref().unwrap_or_default()),
            source: log.source.and_then(|source| u32::try_from(source).ok()).unwrap_or(0),
            severity: severity(log.attributes),
            is_record: true,
        };
        self.entries.push(entry);
    }

    fn name(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        if self.names.len() >= MAX_NAMES {
            return OTHER_NAME;
        }
        let number = narrow(self.names.len());
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        number
    }
}

fn length((lowest, highest): (i64, i64)) -> u64 {
    u64::try_from(highest.saturating_sub(lowest).saturating_add(1).min(MAX_RECORDS)).unwrap_or(0)
}

/// The severity among attributes, as the number of [`LogSeverity::ALL`].
fn severity(attributes: &[u8]) -> u8 {
    for (key, value) in entries(attributes).flatten().take(8) {
        if key == "severity" {
            return value.as_str().and_then(|text| LogSeverity::from_name(&text)).map_or(NO_SEVERITY, |severity| severity as u8);
        }
    }
    NO_SEVERITY
}
