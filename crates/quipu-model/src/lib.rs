//! Plain types for recorded telemetry: times, values, events, span kinds and marks, token counts, prices.
//!
//! Modules hold the rules that need nothing but these types: decoding of attribute values ([`recorded`]), what attributes mean
//! ([`dialect`]), chat messages found in them ([`llm`]), token counts ([`tokens`]), which spans and events count as failed ([`failure`]), Prometheus names ([`prometheus`]), text for
//! numbers and times ([`format`](mod@format)), case-insensitive search ([`fold`]), conversions between numbers ([`number`]), and small
//! encodings ([`csv`], [`encoding`]). [`budget`] says what one question may use.
//!
//! Not here: SQLite (`quipu-store`), the index (`quipu`), rendering (`quipu-ui`).

pub mod budget;
pub mod csv;
pub mod decimal;
pub mod dialect;
pub mod encoding;
pub mod failure;
pub mod fold;
pub mod format;
pub mod llm;
pub mod number;
pub mod ordered;
pub mod prometheus;
pub mod recorded;
pub mod tokens;

mod calendar;
mod companion;
mod event;
mod event_time;
mod extra;
mod kind;
mod marker;
mod price;
mod recording;
mod time;
mod token;
mod value;

pub use calendar::{Civil, CivilDate};
pub use companion::is_companion;
pub use event::{
    Attributes, Event, LogSeverity, MetricEvent, MetricValue, Primitive, SpanEndPayload, SpanStartPayload, SpanStatus, StructuredLogEvent,
    StructuredLogPayload, UnstructuredLogEvent,
};
pub use event_time::EventTime;
pub use extra::{FURTHER_FIELDS, LogRecord, MetricPoint, SpanExtra, WholeRows};
pub use kind::{SpanFlags, SpanKind};
pub use marker::{MARKER_END, is_marker};
pub use price::{Cost, CostUnit, Price, PriceTable, read_amount};
pub use recording::{Cell, EventRecord, Record, Recording, SPAN_KINDS, STATUS_CODES, SpanRecord, TraceRecord};
pub use time::{ParseTimeError, RecordedTime, Timestamp, UNKNOWN_NANOS, ZoneFact, offset_label, reference_time};
pub use token::{CallParts, Spent, TokenCount, TokenKind, TokenRecord, TokenSource, TokenTotals};
pub use value::{Encoding, Number, Value};

/// Runs the example of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
