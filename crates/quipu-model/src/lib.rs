//! Plain types for recorded telemetry: times, values, events, span kinds and flags, token counts; and the logic that depends on them alone:
//! decoding recorded text ([`recorded`]), chat messages ([`llm`]), token records ([`tokens`]), formatting of numbers and times
//! ([`format`]).
//!
//! Not here: SQLite (`quipu-store`), the index (`quipu`), rendering (`quipu-ui`).

pub mod csv;
pub mod encoding;
pub mod failure;
pub mod fold;
pub mod format;
pub mod llm;
pub mod ordered;
pub mod prometheus;
pub mod recorded;
pub mod tokens;

mod companion;
mod event;
mod event_time;
mod extra;
mod kind;
mod price;
mod recording;
mod time;
mod token;
mod value;

pub use companion::is_companion;
pub use event::{
    Attributes, Event, LogSeverity, MetricEvent, MetricValue, Primitive, SpanEndPayload, SpanStartPayload, SpanStatus, StructuredLogEvent,
    StructuredLogPayload, UnstructuredLogEvent,
};
pub use event_time::EventTime;
pub use extra::{LogRecord, MetricPoint, SpanExtra};
pub use kind::{SpanFlags, SpanKind};
pub use price::{Cost, CostUnit, Price, PriceTable};
pub use recording::{EventRecord, Record, Recording, SpanRecord, TraceRecord};
pub use time::{ParseTimeError, RecordedTime, Timestamp, UNKNOWN_NANOS, ZoneFact, offset_label, reference_time};
pub use token::{Spent, TokenCount, TokenKind, TokenRecord, TokenSource, TokenTotals};
pub use value::{Encoding, Number, Value};
