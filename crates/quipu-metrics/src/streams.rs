//! Imported data points grouped into streams; plain data that is sent between workers.
//!
//! Not here: reading points (`points`), and converting streams to series (`measured`).

#![expect(missing_docs, reason = "fields are named after their content")]

use quipu_model::TokenKind;
use quipu_model::dialect::TokenPart;
use quipu_model::number::truncated;
use quipu_promql::{Histogram, is_stale};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Labels by name, including the metric name.
pub type Pairs = Vec<(String, String)>;
/// Milliseconds since 1970, UTC, and value.
pub type Sample = (i64, f64);

/// Kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// Monotonic.
    Counter,
    /// A monotonic part of a histogram or summary.
    Histogram,
    /// Not monotonic.
    Gauge,
    /// A whole histogram.
    Native,
}

/// How the points of a stream are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// Cumulative: each point counts from the stream's start.
    Counted,
    /// Delta: each point counts from the previous one.
    Added,
    /// Gauge: each point is the value at its time.
    Latest,
}

/// Points of one resource with the same labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    pub labels: Pairs,
    pub measure: Measure,
    pub rule: Rule,
    /// For token counters under the documented name of Llama Stack's: the kind of tokens.
    pub counts: Option<TokenKind>,
    /// For a counter of tokens that are contained in others: which.
    pub part: Option<TokenPart>,
    /// Whether it counts only where no span has tokens: a program's own metric of its calls, which counts them once for each that is
    /// instrumented, and not every call.
    pub yields: bool,
    /// Points by start time in milliseconds since 1970; `i64::MIN` if it is unknown. A point may say that the series ended ([`is_stale`]).
    pub segments: BTreeMap<i64, Vec<Sample>>,
}

/// Histograms of one resource with the same labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistogramStream {
    pub labels: Pairs,
    pub rule: Rule,
    /// Points by start time, as in [`Stream::segments`].
    pub segments: BTreeMap<i64, Vec<(i64, Histogram)>>,
}

/// An exemplar of a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredExemplar {
    /// Milliseconds since 1970, UTC: its own time, or else that of its point.
    pub at: i64,
    pub value: f64,
    /// As recorded; empty if it names none.
    pub trace_id: String,
    /// As recorded; empty if it names none.
    pub span_id: String,
    /// Whether its trace is in the file.
    pub has_trace: bool,
}

/// The exemplars of points with the same labels, which several streams are made of: the buckets of a histogram, its sum and its count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExemplarGroup {
    /// Indices into [`Measured::streams`].
    pub streams: Vec<u32>,
    /// Index into [`Measured::histograms`].
    pub histogram: Option<u32>,
    pub list: Vec<MeasuredExemplar>,
}

/// All imported points of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub streams: Vec<Stream>,
    pub histograms: Vec<HistogramStream>,
    pub exemplars: Vec<ExemplarGroup>,
    /// How many histograms were left out by metric, because their buckets are too wide.
    pub too_coarse: BTreeMap<String, u64>,
}

impl Measured {
    /// How many tokens of a kind the file's metrics count altogether, to the last point of each stream; `None` if none does.
    pub fn tokens(&self, kind: TokenKind) -> Option<u64> {
        self.total(&|stream| stream.counts == Some(kind))
    }

    /// The same for tokens that are contained in others.
    pub fn part(&self, part: TokenPart) -> Option<u64> {
        self.total(&|stream| stream.part == Some(part))
    }

    fn total(&self, is_meant: &dyn Fn(&Stream) -> bool) -> Option<u64> {
        let total = |stream: &Stream| -> f64 {
            let of_segment = |list: &Vec<Sample>| match stream.rule {
                Rule::Added => list.iter().map(|(_, added)| *added).sum(),
                Rule::Counted | Rule::Latest => list.iter().rfind(|(_, value)| !is_stale(*value)).map_or(0.0, |(_, value)| *value),
            };
            stream.segments.values().map(of_segment).sum()
        };
        let totals: Vec<f64> = self.streams.iter().filter(|stream| is_meant(stream)).map(total).collect();
        (!totals.is_empty()).then(|| truncated(totals.iter().sum::<f64>().max(0.0)))
    }
}
