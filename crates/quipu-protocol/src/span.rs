//! One span, decoded.

use quipu_model::llm::Message;
use quipu_model::{CallParts, Cost, Encoding, SpanFlags, SpanKind, Timestamp, TokenRecord, Value};
use serde::{Deserialize, Serialize};

/// Asks for one span with its attributes and events decoded. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetSpan {
    /// The trace the span belongs to.
    pub trace_id: String,
    /// The span.
    pub span_id: String,
}

/// Asks for a comparison of a span's input with that of the previous span of the same name, in the same trace or else in the same agent
/// session. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompareInput {
    /// The trace the span belongs to.
    pub trace_id: String,
    /// The span.
    pub span_id: String,
}

/// Asks for the whole text of a value that was too large for [`SpanDetail`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetText(pub TextRef);

/// Asks for the same text as [`GetText`], decoded. A text of more than 256 KiB is not decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRecorded(pub TextRef);

/// Asks which spans these rows of the index are, at most 1,000. Rows that do not exist are left out. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameSpans(pub Vec<u32>);

/// Asks what ids belong to. Answer: one item an id, in their order; `None` for an id that is not in the file. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindIds(pub Vec<String>);

/// Names one text inside the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextRef {
    /// The attribute `key` of the span in row `rowid` of `spans`; `None`: the attributes' whole text.
    SpanAttribute {
        /// `spans.rowid`.
        rowid: i64,
        /// The key, as recorded.
        key: Option<String>,
    },
    /// The attribute `key` of the event `id` of `span_events`; `None`: the attributes' whole text.
    EventAttribute {
        /// `span_events.id`.
        id: i64,
        /// The key, as recorded.
        key: Option<String>,
    },
    /// The attribute `key` of a log record; `None`: the attributes' whole text.
    LogAttribute {
        /// `quipu_log_records.id`.
        id: i64,
        /// The key, as recorded.
        key: Option<String>,
    },
    /// The attribute `key` of a resource; `None`: all of it, as a JSON object.
    Resource {
        /// `quipu_sources.id`.
        number: i64,
        /// The key, as recorded.
        key: Option<String>,
    },
    /// The field `key` of a scope; `None`: all of it, as a JSON object.
    Scope {
        /// `quipu_sources.id`.
        number: i64,
        /// The key, as recorded.
        key: Option<String>,
    },
}

/// One span, decoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanDetail {
    /// `spans.rowid`, for [`TextRef`].
    pub rowid: i64,
    /// Its own id, as text.
    pub span_id: String,
    /// The id of its trace, as text.
    pub trace_id: String,
    /// The id of its parent, as text; `None` for a root span.
    pub parent_span_id: Option<String>,
    /// Whether the parent is in the file.
    pub parent_found: bool,
    /// Its name, as recorded.
    pub name: String,
    /// Quipu's classification; for the recorded `kind` see `recorded_kind`.
    pub kind: SpanKind,
    /// Failed, orphan and other flags.
    pub flags: SpanFlags,
    /// The text of `start_time`.
    pub start_text: Option<String>,
    /// The text of `end_time`.
    pub end_text: Option<String>,
    /// The instant of the start, the zone recovered where it was not recorded.
    pub start: Option<Timestamp>,
    /// The instant of the end.
    pub end: Option<Timestamp>,
    /// `status` as recorded.
    pub status: Option<String>,
    /// `kind` as recorded.
    pub recorded_kind: Option<String>,
    /// Why it counts as failed, first the span's own.
    pub failures: Vec<SpanFailure>,
    /// Its tokens, where it is an inference request.
    pub tokens: Option<TokenRecord>,
    /// What they cost by the reader's prices.
    pub cost: Option<Cost>,
    /// Chat messages that went in, where the input holds such.
    pub input_messages: Vec<Message>,
    /// Chat messages that came out.
    pub output_messages: Vec<Message>,
    /// Attributes in recorded order.
    pub attributes: Vec<Attribute>,
    /// The attributes' text, if it is not a JSON object.
    pub attributes_text: Option<RecordedText>,
    /// Events in time order; at most 1,000.
    pub events: Vec<SpanEvent>,
    /// Events in all.
    pub event_count: u32,
    /// What was derived, or is odd, in sentences.
    pub notes: Vec<String>,
    /// The key of the attribute that holds its input; `None` if there is no such attribute.
    pub input_key: Option<String>,
    /// Details of a model call: cached and reasoning tokens, and the time to the first part.
    pub call: CallParts,
    /// The service that wrote it.
    pub service: Option<String>,
    /// The attributes of its resource: the program, its host, its SDK.
    pub resource: Vec<Attribute>,
    /// Its instrumentation scope: `name`, `version`, attributes.
    pub scope: Vec<Attribute>,
    /// Its links to other spans, in recorded order.
    pub links: Vec<SpanLink>,
    /// W3C `tracestate`, as recorded.
    pub trace_state: Option<String>,
}

/// A link to another span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanLink {
    /// As recorded.
    pub trace_id: String,
    /// As recorded.
    pub span_id: String,
    /// A JSON object; empty if the link has no attributes.
    pub attributes: String,
    /// Whether the span is in this file.
    pub found: bool,
}

/// Why a span counts as failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanFailure {
    /// The text of the error, first line first; empty where no words were recorded.
    pub message: String,
    /// Where it stands: `the attribute error`, `the log event at 18:39:22.123 UTC`, `the status`; or from what it is derived.
    pub source: String,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// As recorded.
    pub key: String,
    /// The value's text, decoded.
    pub text: RecordedText,
    /// Asks for the whole text when `text` is only its head.
    pub text_ref: TextRef,
}

/// A recorded text, and what it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedText {
    /// The text, exactly, or its head when `complete` is false.
    pub raw: String,
    /// Length of the whole text in bytes.
    pub len_bytes: u64,
    /// Whether `raw` is the whole text.
    pub complete: bool,
    /// How it was understood.
    pub encoding: Encoding,
    /// What it holds; `None` when incomplete.
    pub value: Option<Value>,
}

/// One event of a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanEvent {
    /// `span_events.id`.
    pub id: i64,
    /// As recorded: `unstructured_log`, `metric.prompt_tokens`.
    pub name: String,
    /// The text of `timestamp`.
    pub time_text: Option<String>,
    /// The instant.
    pub time: Option<Timestamp>,
    /// `severity` of a log event.
    pub severity: Option<String>,
    /// `message` of a log event.
    pub message: Option<String>,
    /// All other attributes, in recorded order.
    pub attributes: Vec<Attribute>,
    /// The attributes' text, if it is not a JSON object.
    pub attributes_text: Option<RecordedText>,
}
