//! Encodes and decodes OTLP without I/O: requests with traces, logs and metrics in protobuf and JSON are converted to rows, and spans, log
//! records and points to requests.
//!
//! Protobuf is decoded with a table of fields (`messages`) into the same tree as JSON, so that each signal is interpreted in one place
//! (`otlp`, `logs`, `metrics`). Generated code would be a second path, and larger in the browser than the whole import. Not here: files,
//! the network, and the database (`quipu-store`).

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
