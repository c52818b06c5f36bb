//! Writes the telemetry files that Quipu reads: accepts Llama Stack's events, and writes SQLite rows, console lines or OTLP.
//!
//! ```
//! use quipu_model::Event;
//! use quipu_telemetry::{DEFAULT_TTL_SECONDS, SqliteSink, Telemetry};
//! # let folder = std::env::temp_dir().join(format!("quipu-telemetry-doc-{}", std::process::id()));
//! # let path = folder.join("telemetry.db");
//! # let file = path.clone();
//!
//! let telemetry = Telemetry::builder().sink(move || SqliteSink::open(&path, "my-agent")).start()?;
//! for body in [
//!     r#"{"type": "structured_log", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7",
//!         "timestamp": "2026-01-05T10:00:00Z", "attributes": {"__local_root_span__": true},
//!         "payload": {"type": "span_start", "name": "/v1/turn", "parent_span_id": null}}"#,
//!     r#"{"type": "unstructured_log", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7",
//!         "timestamp": "2026-01-05T10:00:01Z", "message": "The tool took long.", "severity": "warn"}"#,
//!     r#"{"type": "structured_log", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7",
//!         "timestamp": "2026-01-05T10:00:02.5Z", "payload": {"type": "span_end", "status": "ok"}}"#,
//! ] {
//!     telemetry.log_event(serde_json::from_str::<Event>(body)?, DEFAULT_TTL_SECONDS)?;
//! }
//! telemetry.shutdown()?;
//!
//! let rows = rusqlite::Connection::open(&file)?;
//! let trace: (String, String) = rows.query_row(
//!     "SELECT root_span_id, end_time FROM traces WHERE trace_id = '4bf92f3577b34da6a3ce929d0e0e4736'", [],
//!     |row| Ok((row.get(0)?, row.get(1)?)))?;
//! assert_eq!(trace, ("00f067aa0ba902b7".into(), "2026-01-05T10:00:02.500000+00:00".into()));
//! # drop(rows);
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Modules in reading order: `telemetry` is the main API, `layer` connects `tracing`, `current` is the current span, `inference` the
//! metrics of requests, `queue` and `worker` the writer thread, `spans` assembles events into spans, `sink` is the trait that `sqlite`,
//! `console` and `otlp` implement, `config` reads settings. Reading files is in `quipu`.

pub mod config;
mod console;
mod current;
mod inference;
mod layer;
pub mod otlp;
mod queue;
mod random;
mod setting;
mod sink;
mod spans;
#[cfg(feature = "sqlite")]
mod sqlite;
mod telemetry;
mod text;
mod w3c;
mod warning;
mod weight;
mod worker;

pub use config::TelemetryConfig;
pub use console::{ConsoleSink, colours_wanted};
pub use current::{current_traceparent, current_tracestate, record_inference};
pub use inference::{InferenceSpan, Usage};
pub use layer::TelemetryLayer;
pub use sink::{EndedSpan, Sink, SinkError, SpanEvent, StartedSpan};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteSink;
pub use telemetry::{DEFAULT_CAPACITY, DEFAULT_TTL_SECONDS, FlushError, LogError, Receipt, StartError, Telemetry, TelemetryBuilder};
pub use warning::Warning;

/// Runs the example of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
