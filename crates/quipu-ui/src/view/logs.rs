//! The events of a trace as rows, ready to draw.
//!
//! What is not here: reading and ordering them, which is `session`.

use quipu_model::{LogSeverity, Timestamp};

/// Which events of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// Only events of this severity or a graver one; `None`: all, those without a severity among them.
    pub min_severity: Option<LogSeverity>,
    /// Rows to skip.
    pub offset: usize,
    /// Rows at most.
    pub limit: usize,
}

/// A page of [`LogRow`]s.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPage {
    /// Events the query has in all.
    pub total: u32,
    /// Events of the trace.
    pub of_all: u32,
    /// How many events of each severity the trace has, in the order of [`LogSeverity::ALL`]; events without one are in none.
    pub of_severity: [u32; 6],
    /// What is not told of, in sentences.
    pub notes: Vec<String>,
    /// The rows.
    pub rows: Vec<LogRow>,
}

/// One event in the list of a trace's events.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    /// `span_events.id`.
    pub id: i64,
    /// The span it belongs to.
    pub span_id: String,
    /// That span's name.
    pub span_name: String,
    /// When it happened; `None` when its time can't be read.
    pub time: Option<Timestamp>,
    /// As recorded: `unstructured_log`, `metric.prompt_tokens`.
    pub name: String,
    /// The severity, where it has one.
    pub severity: Option<LogSeverity>,
    /// The message of a log, the value of a metric, else its attributes' text; cut to 16 KiB.
    pub text: String,
    /// Length of the whole text in bytes.
    pub len_bytes: u64,
}
