//! What was observed, in plain types: times, values, events, spans' kinds and marks, token counts.
//!
//! What is not here: how any of it is stored (see `store`), decoded (`recorded`) or drawn (`view`).

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
pub use kind::{SpanKind, SpanMarks};
pub use price::{Cost, CostUnit, Price, PriceTable};
pub use recording::{EventRecord, Record, Recording, SpanRecord, TraceRecord};
pub use time::{ParseTimeError, RecordedTime, Timestamp, ZoneFact, offset_label, reference_time};
pub use token::{Spent, TokenCount, TokenKind, TokenRecord, TokenSource, TokenTotals};
pub use value::{Encoding, Number, Value};
