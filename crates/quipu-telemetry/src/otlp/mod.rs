//! OTLP over HTTP: the sinks `otel_trace` and `otel_metric`, and the client they send with, which other programs can use by itself.
//!
//! Modules in reading order: `settings` is where requests go, `client` sends one, `backoff` says when to try again; `batch_queue` is the thread behind a
//! sink, `traces` and `metrics` are the sinks, `schedule` says when they send. What is not here: the protobuf (`quipu_otlp`).

mod backoff;
mod batch_queue;
mod client;
mod metrics;
mod schedule;
mod settings;
mod traces;

pub use backoff::Backoff;
pub use client::{Client, Retry, SendError};
pub use metrics::OtlpMetricSink;
pub use quipu_otlp::Signal;
pub use schedule::{Schedule, source};
pub use settings::{DEFAULT_ENDPOINT, Settings};
pub use traces::OtlpTraceSink;
