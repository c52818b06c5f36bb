//! Rows of the three reference tables exactly as recorded: the source of trimmed files, links and every export.
//!
//! Strings are kept as they are, including times and attributes, so that a copy can equal its original. Not here: reading and writing rows
//! (`store`), redaction (`share`), and interpretation (`index`).

/// Rows of some traces of a file, complete or not. As in a file, a span may belong to a trace without a row, and an event to a span without
/// one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// Rows of `traces`, in file order.
    pub traces: Vec<TraceRecord>,
    /// Rows of `spans`, in file order, which is the order in which spans ended.
    pub spans: Vec<SpanRecord>,
    /// Rows of `span_events`, ordered by `id`.
    pub events: Vec<EventRecord>,
}

/// A row of any of the three tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// A row of `traces`.
    Trace(&'a TraceRecord),
    /// A row of `spans`.
    Span(&'a SpanRecord),
    /// A row of `span_events`.
    Event(&'a EventRecord),
}

impl Record<'_> {
    /// Total bytes of all strings.
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
    /// All rows: traces, then spans, then events.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let spans = self.spans.iter().map(Record::Span);
        self.traces.iter().map(Record::Trace).chain(spans).chain(self.events.iter().map(Record::Event))
    }
}

/// A row of `traces`. Times are the recorded strings, usually ISO 8601; `None` is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceRecord {
    /// Usually 32 hexadecimal digits.
    pub trace_id: String,
    /// Often a single zero-width space, which means that there is no name.
    pub service_name: Option<String>,
    /// The root according to the server. Often NULL, or the id of a nested span.
    pub root_span_id: Option<String>,
    /// Earliest start of the trace's spans.
    pub start_time: Option<String>,
    /// Latest end of the trace's spans.
    pub end_time: Option<String>,
    /// When SQLite inserted the row, in UTC: `2026-03-01 10:00:00`.
    pub created_at: Option<String>,
}

/// A value in a table of SQLite as it is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// A string.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// OTLP's names of span kinds, by number. The first one means that none was given.
pub const SPAN_KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
/// OTLP's names of status codes, by number.
pub const STATUS_CODES: [&str; 3] = ["UNSET", "OK", "ERROR"];

/// A row of `spans`. Times are the recorded strings; `None` is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanRecord {
    /// Usually 16 hexadecimal digits.
    pub span_id: String,
    /// Id of its trace.
    pub trace_id: Option<String>,
    /// `None` for a root. There need not be a span with this id.
    pub parent_span_id: Option<String>,
    /// A route, `Class.method`, or the name of an agent's step.
    pub name: Option<String>,
    /// Start time.
    pub start_time: Option<String>,
    /// End time.
    pub end_time: Option<String>,
    /// Usually a JSON object.
    pub attributes: Option<String>,
    /// `OK`, `ERROR` or `UNSET`.
    pub status: Option<String>,
    /// Usually `INTERNAL`.
    pub kind: Option<String>,
}

/// A row of `span_events`, without its `id`, which is assigned anew when the row is written. `None` is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventRecord {
    /// Id of its span.
    pub span_id: Option<String>,
    /// `unstructured_log`, `metric.…`, `exception` and the like.
    pub name: Option<String>,
    /// Time of the event, as recorded.
    pub timestamp: Option<String>,
    /// Usually a JSON object.
    pub attributes: Option<String>,
}
