//! OTLP over HTTP: the sinks `otel_trace` and `otel_metric`, and their client, which other programs can use on its own.
//!
//! Modules in reading order: `settings` has the endpoint and headers, `client` sends a request, `backoff` delays retries; `batch_queue` is
//! the thread behind a sink, `traces` and `metrics` are the sinks, `schedule` is when they send. The protobuf is in `quipu_otlp`.

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
