//! Rows of the three reference tables exactly as recorded: what a trimmed file, a link and every export are made from.
//!
//! What is not here: reading rows from a file or writing them to one (`store`), taking out what is private (`share`), and what the
//! rows mean (`index`). Texts stay as they are, times and attributes among them, so that a copy can equal its original.

/// Some traces of a file, whole or in part. Nothing refers across: a span whose trace has no row and an event whose span has none
/// may be in it, as they may in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// Rows of `traces`, in the order of the file.
    pub traces: Vec<TraceRecord>,
    /// Rows of `spans`, in the order of the file, which is that in which spans ended.
    pub spans: Vec<SpanRecord>,
    /// Rows of `span_events`, by their `id`.
    pub events: Vec<EventRecord>,
}

/// One row of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// Of `traces`.
    Trace(&'a TraceRecord),
    /// Of `spans`.
    Span(&'a SpanRecord),
    /// Of `span_events`.
    Event(&'a EventRecord),
}

impl Record<'_> {
    /// Bytes of all its texts.
    pub fn text_bytes(&self) -> usize {
        let sum = |texts: &[&Option<String>]| texts.iter().map(|text| text.as_ref().map_or(0, String::len)).sum::<usize>();
        match self {
            Record::Trace(row) => {
                row.trace_id.len() + sum(&[&row.service_name, &row.root_span_id, &row.start_time, &row.end_time, &row.created_at])
            }
            Record::Span(row) => {
                let ids = [&row.trace_id, &row.parent_span_id, &row.name, &row.start_time, &row.end_time];
                row.span_id.len() + sum(&ids) + sum(&[&row.attributes, &row.status, &row.kind])
            }
            Record::Event(row) => sum(&[&row.span_id, &row.name, &row.timestamp, &row.attributes]),
        }
    }
}

impl Recording {
    /// Its rows: traces, then spans, then events.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let spans = self.spans.iter().map(Record::Span);
        self.traces.iter().map(Record::Trace).chain(spans).chain(self.events.iter().map(Record::Event))
    }
}

/// A row of `traces`. Times are the recorded texts, mostly ISO 8601; `None` is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceRecord {
    /// Mostly 32 hex digits.
    pub trace_id: String,
    /// Often one zero-width space, which stands for no name.
    pub service_name: Option<String>,
    /// What the server took for the root; often NULL, or a nested span.
    pub root_span_id: Option<String>,
    /// The earliest start of its spans.
    pub start_time: Option<String>,
    /// The latest end of its spans.
    pub end_time: Option<String>,
    /// When SQLite made the row, in UTC: `2026-03-01 10:00:00`.
    pub created_at: Option<String>,
}

/// A row of `spans`. Times are the recorded texts; `None` is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanRecord {
    /// Mostly 16 hex digits.
    pub span_id: String,
    /// The trace it belongs to.
    pub trace_id: Option<String>,
    /// `None` for a root. A span of that id need not exist.
    pub parent_span_id: Option<String>,
    /// Route, `Class.method`, or a step's name.
    pub name: Option<String>,
    /// When it started.
    pub start_time: Option<String>,
    /// When it ended.
    pub end_time: Option<String>,
    /// A JSON object as text, mostly.
    pub attributes: Option<String>,
    /// `OK`, `ERROR` or `UNSET`.
    pub status: Option<String>,
    /// `INTERNAL`, mostly.
    pub kind: Option<String>,
}

/// A row of `span_events`, without its `id`: rows are numbered anew where they are written. `None` is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventRecord {
    /// The span it was recorded on.
    pub span_id: Option<String>,
    /// `unstructured_log`, `metric.…`, `exception` and the like.
    pub name: Option<String>,
    /// When it happened.
    pub timestamp: Option<String>,
    /// A JSON object as text, mostly.
    pub attributes: Option<String>,
}
