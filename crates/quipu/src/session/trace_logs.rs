//! The events of a trace, and the log records that name it and no span of the file, by time.
//!
//! Not here: the events of one span with all their attributes, which are part of the span.

use crate::index::Index;
use quipu_model::number::narrow;
use quipu_model::ordered::sort_by_key;
use quipu_model::recorded::entries;
use quipu_model::{LogRecord, LogSeverity, RecordedTime, Timestamp};
use quipu_store::{Database, EventRow, StoreError, event_row, log_record, logs_of_trace};
use quipu_ui::view::{LogPage, LogQuery, LogRow};

/// Maximum number of events sorted per trace; each is read for its time.
const MAX_EVENTS: usize = 20_000;
/// Maximum number of rows per page.
const MAX_PAGE: usize = 500;
/// Longer texts are truncated.
const MAX_TEXT_BYTES: usize = 16 * 1024;

/// The facts about an event that decide whether and where it is listed.
struct LogEntry {
    time: Option<Timestamp>,
    /// Of an event, or of a log record if there is no row.
    id: i64,
    /// Of its span; `None` if it belongs to the trace only.
    row: Option<u32>,
    severity: Option<LogSeverity>,
}

/// The sorted events of the trace requested last: pages are cut from it.
#[derive(Default)]
pub(super) struct LogOrder {
    trace: Option<u32>,
    events: Vec<LogEntry>,
    seen: usize,
    notes: Vec<String>,
}

impl LogOrder {
    /// A page of the events of `trace`, or only of the span rows in `only`, which ascend.
    pub(super) fn page(
        &mut self,
        database: &Database,
        index: &Index,
        trace: u32,
        only: Option<&[u32]>,
        query: LogQuery,
    ) -> Result<LogPage, StoreError> {
        if self.trace != Some(trace) {
            *self = read_order(database, index, trace)?;
        }
        let is_asked = |row: Option<u32>| only.is_none_or(|only| row.is_some_and(|row| only.binary_search(&row).is_ok()));
        let asked: Vec<&LogEntry> = self.events.iter().filter(|event| is_asked(event.row)).collect();
        let mut of_severity = [0; 6];
        for severity in asked.iter().filter_map(|event| event.severity) {
            if let Some(count) = of_severity.get_mut(severity as usize) {
                *count += 1;
            }
        }
        let listed: Vec<&LogEntry> =
            asked.iter().copied().filter(|event| query.min_severity.is_none() || event.severity >= query.min_severity).collect();
        let start = query.offset.min(listed.len());
        let end = listed.len().min(start + query.limit.min(MAX_PAGE));
        let mut rows = Vec::with_capacity(end - start);
        for event in listed.get(start..end).unwrap_or_default() {
            match event.row {
                Some(row) => {
                    let Some(recorded) = event_row(database.connection(), database.schema(), event.id)? else { continue };
                    rows.push(LogRow {
                        span_id: index.span_id_of(row),
                        span_name: index.span_name(row).to_owned(),
                        ..log_row(event, &recorded)
                    });
                }
                None => {
                    let Some(record) = log_record(database.connection(), database.schema(), event.id)? else { continue };
                    let span_id = record.span_id.clone().unwrap_or_default();
                    rows.push(LogRow { is_of_trace: true, span_id, ..log_row(event, &as_event(event.id, record)) });
                }
            }
        }
        let note = (self.seen > MAX_EVENTS).then(|| {
            format!(
                "The trace has {} events; the first {MAX_EVENTS} that were recorded are listed. The others are shown with their spans.",
                self.seen
            )
        });
        let notes = note.into_iter().chain(self.notes.iter().cloned()).collect();
        Ok(LogPage { total: narrow(listed.len()), of_all: narrow(asked.len()), of_severity, notes, rows })
    }
}

fn read_order(database: &Database, index: &Index, trace: u32) -> Result<LogOrder, StoreError> {
    let offset = index.offset_minutes(trace);
    let mut order = LogOrder { trace: Some(trace), ..LogOrder::default() };
    for row in index.trace_rows(trace) {
        for id in index.event_ids(*row) {
            order.seen += 1;
            if order.seen > MAX_EVENTS {
                continue;
            }
            let Some(event) = event_row(database.connection(), database.schema(), id)? else { continue };
            order.events.push(LogEntry { time: read_time(&event, offset), id, row: Some(*row), severity: severity(&event) });
        }
    }
    let (connection, schema) = (database.connection(), database.schema());
    match logs_of_trace(connection, schema, &index.trace_id(trace), MAX_EVENTS + 1)? {
        Some(ids) => {
            if ids.len() > MAX_EVENTS {
                let note = format!("More than {MAX_EVENTS} log records belong to no span of the trace; the first {MAX_EVENTS} are listed.");
                order.notes.push(note);
            }
            for id in ids.into_iter().take(MAX_EVENTS) {
                let Some(record) = log_record(connection, schema, id)? else { continue };
                let time = record.time_nanos.and_then(|nanos| i64::try_from(nanos).ok()).map(Timestamp);
                order.events.push(LogEntry { time, id, row: None, severity: severity(&as_event(id, record)) });
            }
        }
        None => order
            .notes
            .push("Log records of this trace without a span are listed on the screen Logs only: this file has no index of them.".into()),
    }
    // Events without a valid time come last, in recorded order.
    sort_by_key(&mut order.events, |event| (event.time.is_none(), event.time, event.row.is_none(), event.id));
    Ok(order)
}

pub(super) fn read_time(event: &EventRow, offset_minutes: i32) -> Option<Timestamp> {
    Some(RecordedTime::parse(event.timestamp.as_deref()?).ok()?.instant(offset_minutes))
}

/// The text of an event attribute; of duplicate keys the last counts.
pub(super) fn attribute(event: &EventRow, key: &str) -> Option<String> {
    let found = entries(event.attributes.as_deref()?.as_bytes()).flatten().filter(|(name, _)| name.as_ref() == key);
    found.last().map(|(_, value)| value.as_str().unwrap_or_else(|| value.as_written()).into_owned())
}

fn severity(event: &EventRow) -> Option<LogSeverity> {
    LogSeverity::from_name(&attribute(event, "severity")?)
}

/// A log record as an event, which has its fields.
fn as_event(id: i64, record: LogRecord) -> EventRow {
    let name = record.name.filter(|name| !name.is_empty()).unwrap_or_else(|| "unstructured_log".to_owned());
    EventRow { id, name: Some(name), timestamp: record.timestamp, attributes: record.attributes }
}

fn log_row(event: &LogEntry, recorded: &EventRow) -> LogRow {
    let text = attribute(recorded, "message")
        .or_else(|| {
            let value = attribute(recorded, "value")?;
            Some(attribute(recorded, "unit").map_or(value.clone(), |unit| format!("{value} {unit}")))
        })
        .or_else(|| recorded.attributes.clone())
        .unwrap_or_default();
    let mut end = text.len().min(MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    LogRow {
        id: event.id,
        is_of_trace: false,
        span_id: String::new(),
        span_name: String::new(),
        time: event.time,
        name: recorded.name.clone().unwrap_or_default(),
        severity: event.severity,
        len_bytes: text.len() as u64,
        text: text.get(..end).unwrap_or_default().to_owned(),
    }
}
