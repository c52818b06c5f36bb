//! OTLP as bytes: export requests for traces, logs and metrics, in protobuf and JSON, read into rows and written from spans, log records and
//! metric points.
//!
//! [`read_request`] reads a request and [`response`] writes the answer to it; [`traces_request`] and [`metrics_request`] write requests, and
//! [`ExportAnswer`] reads the answer of a collector. Protobuf is decoded by a table of message fields ([`messages`]) into the same tree of
//! values as JSON, so each message is interpreted in one place ([`otlp`], [`logs`], [`metrics`]). Generated code would be a second code path,
//! and larger in a browser than everything else here. Only spans as every exporter writes them are read without a tree ([`direct`]).
//!
//! Not here: files and the network, and the database that rows are written to (`quipu-store`).

mod answer;
pub mod attributes;
pub mod direct;
pub mod fields;
mod live;
pub mod logs;
pub mod messages;
pub mod metrics;
pub mod numbers;
pub mod otlp;
pub mod parts;
mod request;
pub mod rest;
pub mod rows;
pub mod spans;
mod unattached;
pub mod values;
pub mod wire;

pub use answer::{ExportAnswer, one_line, status_message};
pub use attributes::attributes_text;
pub use live::{OtlpPoint, OtlpSource, OtlpSpan, OtlpSum, metrics_request, otlp_id, traces_request};
pub use numbers::python_float;
pub use request::{RequestError, Signal, read_request, response};
pub use rows::{NewSpan, Rows};
pub use unattached::{Source, Unattached, is_known};
pub use values::{FullSpan, FullTrace};

/// Runs the example of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
