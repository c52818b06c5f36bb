//! The log records of a file: those that belong to no span as well as the events of spans.

use crate::{Attribute, RecordedText};
use quipu_model::{LogSeverity, Timestamp};
use serde::{Deserialize, Serialize};

/// Asks for a page of log records, and for how many there are over time. The answer may be partial: see [`LogPage::reading`]. Needs the
/// complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListLogs(pub LogListQuery);

/// Asks for one log record in full. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetLog(pub LogId);

/// Identifies a log record of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LogId {
    /// `span_events.id` of an event of a span.
    Event(i64),
    /// `quipu_log_records.id` of a log record.
    Record(i64),
}

impl LogId {
    /// The text in URLs: `e12`, `r7`.
    pub fn text(self) -> String {
        match self {
            LogId::Event(id) => format!("e{id}"),
            LogId::Record(id) => format!("r{id}"),
        }
    }

    /// Parses [`text`](LogId::text).
    pub fn from_text(text: &str) -> Option<LogId> {
        let of: fn(i64) -> LogId = if text.starts_with('e') { LogId::Event } else { LogId::Record };
        let digits = text.strip_prefix(['e', 'r'])?;
        Some(of(digits.parse().ok()?))
    }
}

/// Which log records, in which order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogListQuery {
    /// Only records this filter matches, in the language of [`filter`](crate::filter); empty: all. Words, texts, attributes, `name`,
    /// `start`, `service`, `scope` and ids are asked of the record, other fields of its trace.
    pub filter: String,
    /// Only records of this severity or above; records without one are then left out.
    pub min_severity: Option<LogSeverity>,
    /// The first record comes first; otherwise the latest.
    pub oldest_first: bool,
    /// Records to skip.
    pub offset: u32,
    /// Records at most.
    pub limit: u32,
    /// Bars of the chart; 0 for none.
    pub bars: u16,
}

impl Default for LogListQuery {
    /// The latest 100 of all records, without a chart.
    fn default() -> LogListQuery {
        LogListQuery { filter: String::new(), min_severity: None, oldest_first: false, offset: 0, limit: 100, bars: 0 }
    }
}

/// A page of [`LogItem`]s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogPage {
    /// The query it answers.
    pub query: LogListQuery,
    /// How far the file was read for it. While `done` is false, counts are lower bounds: ask again.
    pub reading: LogReading,
    /// Records found.
    pub total: u32,
    /// Records of the file.
    pub of_all: u32,
    /// Records that the filter matches, of any severity: by severity, least severe first, last those without one.
    pub by_severity: [u32; 7],
    /// The records over time; `None` without a chart, or if none has a time.
    pub chart: Option<LogChart>,
    /// The records.
    pub items: Vec<LogItem>,
    /// What is left out, in sentences.
    pub notes: Vec<String>,
}

/// How far the records were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogReading {
    /// Rows read.
    pub rows: u64,
    /// Rows to read, as far as is known.
    pub expected: u64,
    /// Whether everything was read.
    pub done: bool,
}

/// How many records there are over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogChart {
    /// The start of the first bar.
    pub start: Timestamp,
    /// The width of a bar in nanoseconds.
    pub bar_nanos: u64,
    /// For each bar the records by severity, least severe first, last those without one.
    pub bars: Vec<[u32; 7]>,
}

/// A log record in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogItem {
    /// Which one.
    pub id: LogId,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// `None` if none was recorded, or one of another name.
    pub severity: Option<LogSeverity>,
    /// The name of the event; empty if it has none.
    pub name: String,
    /// The message, on one line; only the beginning of a long one.
    pub message: String,
    /// The other attributes on one line, as `key=value`; only the first of many.
    pub rest: String,
    /// The service that wrote it.
    pub service: Option<String>,
    /// Its trace, as recorded; `None` if it names none.
    pub trace_id: Option<String>,
    /// Its span, as recorded; `None` if it names none.
    pub span_id: Option<String>,
    /// The name of its span; `None` if that is not in the file.
    pub span_name: Option<String>,
}

/// A log record in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogDetail {
    /// As in the list.
    pub item: LogItem,
    /// The time as recorded.
    pub time_text: Option<String>,
    /// When a collector first saw it, if that was recorded.
    pub observed: Option<Timestamp>,
    /// The severity as recorded: a word, and OTLP's number.
    pub severity_text: Option<String>,
    /// The message whole, or its beginning.
    pub message: Option<RecordedText>,
    /// All other attributes, in recorded order.
    pub attributes: Vec<Attribute>,
    /// The attributes' text, if it is not a JSON object.
    pub attributes_text: Option<RecordedText>,
    /// The attributes of its resource.
    pub resource: Vec<Attribute>,
    /// Its instrumentation scope.
    pub scope: Vec<Attribute>,
    /// What its program dropped, in sentences.
    pub notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_from_their_text() {
        for id in [LogId::Event(12), LogId::Record(7), LogId::Event(-3)] {
            assert_eq!(LogId::from_text(&id.text()), Some(id));
        }
        assert_eq!((LogId::from_text("12"), LogId::from_text("e"), LogId::from_text("x1")), (None, None, None));
    }
}
