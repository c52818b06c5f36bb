//! PromQL with the semantics of Prometheus 3: instant and range queries over any source of series.
//!
//! [`evaluate`] runs a query over a [`SeriesSource`]; [`SeriesSet`] is one in memory, and [`read_openmetrics`] makes one from text.
//!
//! Modules, for readers of the source: `labels`, `matcher`, `native` (histograms) and `series` are the data; `lex`, `ast`, `parse` (promql-parser) and `explain`
//! understand a query; `functions`, `operator` and `value_type` say what can be computed; `eval` walks the tree; `selector_ranges` finds
//! the time ranges a query reads; `notes` are warnings and remarks about an answer; `answer` prints Prometheus's JSON; `openmetrics` reads series from text.
//!
//! Not here: exemplars and the series of a telemetry file (`quipu-metrics`), clocks.

#[cfg(feature = "grammar")]
mod answer;
#[cfg(feature = "grammar")]
mod ast;
#[cfg(feature = "grammar")]
mod error;
#[cfg(feature = "grammar")]
mod eval;
#[cfg(feature = "grammar")]
mod explain;
#[cfg(feature = "grammar")]
mod functions;
#[cfg(feature = "grammar")]
mod labels;
#[cfg(feature = "grammar")]
mod lex;
#[cfg(feature = "grammar")]
mod matcher;
mod native;
#[cfg(feature = "grammar")]
mod notes;
#[cfg(feature = "grammar")]
mod openmetrics;
#[cfg(feature = "grammar")]
mod operator;
#[cfg(feature = "grammar")]
mod parse;
#[cfg(feature = "grammar")]
mod selector_ranges;
#[cfg(feature = "grammar")]
mod series;
#[cfg(feature = "grammar")]
mod sum;
#[cfg(feature = "grammar")]
mod times;
mod types;
#[cfg(feature = "grammar")]
mod value_type;

#[cfg(feature = "grammar")]
pub use answer::error_json;
#[cfg(feature = "grammar")]
pub use error::TextRange;
#[cfg(feature = "grammar")]
pub use eval::{EvalOptions, Evaluated, MAX_STEPS, PromqlTime, evaluate, evaluate_with_notes};
#[cfg(feature = "grammar")]
pub use functions::{FunctionHelp, functions};
#[cfg(feature = "grammar")]
pub use labels::Labels;
#[cfg(feature = "grammar")]
pub use lex::{AGGREGATIONS, KEYWORDS, Token, TokenKind, lex};
#[cfg(feature = "grammar")]
pub use matcher::{MatchOperator, Matcher, accepts_all};
pub use native::{Bucket, BucketCount, CUSTOM_SCHEMA, EXPONENTIAL_SCHEMAS, Histogram, ResetHint};
#[cfg(feature = "grammar")]
pub use openmetrics::read_openmetrics;
#[cfg(feature = "grammar")]
pub use selector_ranges::{SelectorRange, selector_ranges};
#[cfg(feature = "grammar")]
pub use series::{Curve, Grid, HistogramSample, Sample, Samples, Series, SeriesSet, SeriesSource};
#[cfg(feature = "grammar")]
pub use times::{ParsedMillis, read_duration, read_time};
pub use types::{METRIC_NAME, PromqlAnswer, PromqlError, PromqlHistogram, PromqlPoint, PromqlSeries, is_stale, stale_marker};

/// Runs the example of README.md.
#[cfg(all(doctest, feature = "grammar"))]
#[doc = include_str!("../README.md")]
struct Readme;
