//! PromQL with the semantics of Prometheus 3: queries over series, instant or in steps.
//!
//! promql-parser reads a query (`parse`), the modules here evaluate it over a [`SeriesSource`]. Modules in reading order: `labels`,
//! `matcher` and `series` are what is asked; `lex`, `ast`, `parse` and `explain` understand a query; `functions` and `operator` are what is
//! done with values; `eval` walks the tree, `looked` tells what it looks at; `answer` is what comes out, with Prometheus's JSON; `openmetrics` reads series from text.
//! What is not here: native histograms and exemplars, where the series of a file come from (`metrics`), clocks.

mod answer;
mod ast;
mod error;
mod eval;
mod explain;
mod functions;
mod labels;
mod lex;
mod looked;
mod matcher;
mod openmetrics;
mod operator;
mod parse;
mod series;
mod times;

pub use crate::protocol::{PromqlAnswer, PromqlPoint, PromqlSeries};
pub use answer::error_json;
pub use error::{Place, PromqlError};
pub use eval::{EvalOptions, MAX_STEPS, PromqlTime, evaluate};
pub use functions::{FunctionHelp, functions};
pub use labels::{Labels, METRIC_NAME};
pub use lex::{AGGREGATIONS, KEYWORDS, Token, TokenKind, lex};
pub(crate) use looked::{Looked, looked_at};
pub use matcher::{MatchOperator, Matcher};
pub use openmetrics::read_openmetrics;
pub use series::{Curve, Grid, Sample, Samples, Series, SeriesSet, SeriesSource};
pub use times::{TimeText, read_duration, read_time};
