//! The core of Quipu: opens a telemetry file, indexes it, and answers questions about it, natively and on wasm32.
//!
//! [`Session`] is the entry point: it answers the requests of [`protocol`] and builds the index in steps. The crates below are re-exported by
//! topic: plain types ([`model`], [`recorded`], [`llm`], [`format`](mod@format)), the filter language and addresses ([`filter`], [`address`]),
//! SQLite ([`store`]), view models ([`view`], [`render`]), sharing ([`share`]), PromQL ([`promql`], [`metrics`]).
//!
//! Not here: files, network, threads, the environment, the browser. Bytes enter through [`store::ByteSource`], time budgets
//! through a closure.

pub use quipu_model as model;
pub use quipu_model::{csv, encoding, failure, fold, format, llm, prometheus, recorded, tokens};
pub use quipu_promql as promql;
pub use quipu_protocol as protocol;
pub use quipu_protocol::{address, filter, markup};
pub use quipu_share as share;
pub use quipu_store as store;
pub use quipu_ui::{render, view};

pub mod index;
mod logs;
pub mod metrics;
pub mod query;
mod search;
mod session;
pub mod sql;
pub mod transfer;

#[cfg(feature = "promql")]
pub use quipu_metrics::{SeriesLabels, SeriesQuery};
#[cfg(not(target_family = "wasm"))]
pub use session::IndexSnapshot;
pub use session::{ExportOptions, Exported, KeyCount, Outgoing};
pub use session::{MetricsPiece, PieceSize, PushCursor, Selection, Session, TracesPiece, UnattachedPiece, UnattachedSignal};
#[cfg(not(target_family = "wasm"))]
pub use session::{QueryReader, SharedIndex};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
