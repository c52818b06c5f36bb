//! What was observed, in plain types: times, values, spans' kinds and marks, token counts.
//!
//! What is not here: how any of it is stored (see `store`), decoded (`recorded`) or drawn (`view`).

mod kind;
mod time;
mod token;
mod value;

pub use kind::{SpanKind, SpanMarks};
pub use time::{ParseTimeError, RecordedTime, Timestamp, ZoneFact, offset_label};
pub use token::{TokenCount, TokenRecord, TokenSource, TokenTotals};
pub use value::{Encoding, Number, Value};
