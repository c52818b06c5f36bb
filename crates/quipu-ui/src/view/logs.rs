//! The events of a trace as rows.
//!
//! The core's `session` reads and sorts them.

use quipu_model::{LogSeverity, Timestamp};

/// Selects events of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// Only events of this severity or above; `None`: all, including those without a severity.
    pub min_severity: Option<LogSeverity>,
    /// Rows to skip.
    pub offset: usize,
    /// Maximum number of rows.
    pub limit: usize,
}

/// A page of [`LogRow`]s.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPage {
    /// Number of events that match the query.
    pub total: u32,
    /// Number of events in the trace.
    pub of_all: u32,
    /// Number of events per severity, in the order of [`LogSeverity::ALL`]; events without one are not counted.
    pub of_severity: [u32; 6],
    /// Notes about what is missing.
    pub notes: Vec<String>,
    /// The rows of the page.
    pub rows: Vec<LogRow>,
}

/// An event in the log of a trace, or a log record that names the trace and no span of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    /// `span_events.id`; of a record of the trace `quipu_log_records.id`.
    pub id: i64,
    /// Whether it belongs to the trace only: its span is not in the file, or it names none.
    pub is_of_trace: bool,
    /// Id of the event's span; empty if it names none.
    pub span_id: String,
    /// Name of the event's span; empty if that is not in the file.
    pub span_name: String,
    /// Time of the event; `None` if it can't be parsed.
    pub time: Option<Timestamp>,
    /// Recorded name, such as `unstructured_log` or `metric.prompt_tokens`.
    pub name: String,
    /// Severity, if there is one.
    pub severity: Option<LogSeverity>,
    /// The message of a log, the value of a metric, or the attributes as text; cut to 16 KiB.
    pub text: String,
    /// Length of the whole text in bytes.
    pub len_bytes: u64,
}
