//! OTLP as pure bytes: requests of traces, logs and metrics in protobuf and JSON, read into rows and written from spans, records and points.
//!
//! Protobuf is read by a table of the messages' fields (`messages`) into the same tree of values as JSON, so that both are understood in one
//! place (`otlp`, `logs`, `metrics`); generated code would be a second way in, and weigh more in the browser than all that imports.
//! What is not here: files and the network, and the database the rows go to (`quipu-store`).

mod answer;
pub mod attributes;
pub mod fields;
mod live;
pub mod logs;
pub mod messages;
pub mod metrics;
pub mod numbers;
pub mod otlp;
mod request;
pub mod rows;
pub mod spans;
mod unattached;
pub mod values;
pub mod wire;

pub use answer::{ExportAnswer, one_line, status_message};
pub use attributes::attributes_text;
pub use live::{OtlpPoint, OtlpSource, OtlpSpan, OtlpSum, metrics_request, otlp_id, traces_request};
pub use numbers::python_float;
pub use request::{Signal, read_request, response};
pub use rows::{NewSpan, Rows};
pub use unattached::{Source, Unattached, is_known};
pub use values::{FullSpan, FullTrace};
