//! The core of Quipu: everything that needs no I/O, clock or DOM, for native targets and wasm32.
//!
//! Modules stand in reading order. `model` uses nothing; `recorded`, `view` and `share` use `model`; `store`, `index`,
//! `tokens` and `llm` build on those; [`Session`] joins them behind [`protocol`]'s typed requests and answers.
//!
//! What is not here: files, network, threads, the environment, the browser. Bytes enter through [`store::ByteSource`],
//! time budgets through a closure.

pub mod filter;
pub mod fold;
pub mod llm;
pub mod metrics;
pub mod model;
mod ordered;
#[cfg(feature = "promql")]
pub mod promql;
pub mod protocol;
pub mod recorded;
pub mod share;
pub mod sheet;
pub mod sql;
pub mod view;

#[cfg(feature = "store")]
pub mod index;
#[cfg(feature = "store")]
pub mod query;
#[cfg(feature = "store")]
mod search;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "store")]
pub mod tokens;
#[cfg(feature = "store")]
pub mod transfer;

#[cfg(feature = "store")]
mod session;
#[cfg(all(feature = "store", not(target_family = "wasm")))]
pub use session::FileReading;
#[cfg(feature = "store")]
pub use session::{BesidePiece, BesideTraces, MetricsPiece, PieceSize, Selection, Session, SpanPlace, TracesPiece};
#[cfg(all(feature = "store", feature = "promql"))]
pub use session::{SeriesLabels, SeriesQuery};

/// Runs the example of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
