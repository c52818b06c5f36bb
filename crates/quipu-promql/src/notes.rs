//! What the evaluation noticed: warnings and remarks beside the answer, in Prometheus's words.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// How many different notes are kept.
const MOST: usize = 20;

/// A list of notes.
#[derive(Default)]
pub(super) struct Notes(RefCell<BTreeSet<(bool, usize, String)>>);

/// An operation on histograms that a note is about.
#[derive(Clone, Copy)]
pub(crate) enum Operation {
    Addition,
    Subtraction,
    Aggregation,
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Operation::Addition => "addition",
            Operation::Subtraction => "subtraction",
            Operation::Aggregation => "aggregation",
        }
    }
}

/// The place in the query, and the metric if it is known, that notes are about.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    notes: &'a Notes,
    place: usize,
    metric: &'a str,
}

impl Notes {
    pub(super) fn at(&self, place: usize) -> About<'_> {
        About { notes: self, place, metric: "" }
    }

    /// Warnings and remarks, each with its line and column in the query.
    pub(super) fn texts(&self, query: &str) -> (Vec<String>, Vec<String>) {
        let (mut warnings, mut infos) = (Vec::new(), Vec::new());
        for (is_warning, place, text) in self.0.borrow().iter() {
            let before = query.get(..*place).unwrap_or(query);
            let (line, column) = (before.matches('\n').count() + 1, before.rsplit('\n').next().map_or(0, str::len) + 1);
            let (list, kind) = if *is_warning { (&mut warnings, "warning") } else { (&mut infos, "info") };
            list.push(format!("PromQL {kind}: {text} ({line}:{column})"));
        }
        (warnings, infos)
    }
}

impl<'a> About<'a> {
    pub(crate) fn metric(self, metric: &'a str) -> About<'a> {
        About { metric, ..self }
    }

    fn add(&self, is_warning: bool, text: String) {
        let mut list = self.notes.0.borrow_mut();
        if list.len() < MOST {
            list.insert((is_warning, self.place, text));
        }
    }

    fn warn(&self, text: String) {
        self.add(true, text);
    }

    fn info(&self, text: String) {
        self.add(false, text);
    }

    /// ` for metric name …`, if the metric is known.
    fn named(&self) -> String {
        if self.metric.is_empty() { String::new() } else { format!(" for metric name {:?}", self.metric) }
    }

    pub(crate) fn odd_quantile(&self, share: f64) {
        if !(0.0..=1.0).contains(&share) {
            self.warn(format!("quantile value should be between 0 and 1, got {}", crate::native::short_number(share)));
        }
    }

    pub(crate) fn odd_bound(&self, label: &str) {
        self.warn(format!("bucket label \"le\" is missing or has a malformed value of {label:?}{}", self.named()));
    }

    pub(crate) fn mixed_samples(&self) {
        self.warn(format!("encountered a mix of histograms and floats for metric name {:?}", self.metric));
    }

    pub(crate) fn mixed_aggregation(&self) {
        self.warn("encountered a mix of histograms and floats for aggregation".to_owned());
    }

    pub(crate) fn classic_and_native(&self) {
        self.warn(format!("vector contains a mix of classic and native histograms{}", self.named()));
    }

    pub(crate) fn not_a(&self, kind: &str) {
        self.warn(format!("this native histogram metric is not a {kind}: {:?}", self.metric));
    }

    pub(crate) fn incompatible_buckets(&self) {
        self.warn(format!(
            "vector contains a mix of histograms with exponential and custom buckets schemas for metric name {:?}",
            self.metric
        ));
    }

    pub(crate) fn sort_without_effect(&self) {
        self.warn("sort is ineffective for range queries since results are always ordered by labels".to_owned());
    }

    pub(crate) fn conflicting_resets(&self, operation: Operation) {
        self.warn(format!("conflicting counter resets during histogram {}", operation.word()));
    }

    pub(crate) fn maybe_no_counter(&self) {
        let is_counter = self.metric.is_empty() || ["_total", "_sum", "_count", "_bucket"].iter().any(|end| self.metric.ends_with(end));
        if !is_counter {
            self.info(format!("metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {:?}", self.metric));
        }
    }

    pub(crate) fn not_monotonic(&self) {
        let more = "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile";
        self.info(format!("input to histogram_quantile needed to be fixed for monotonicity (see {more}){}", self.named()));
    }

    pub(crate) fn incompatible_types(&self, operator: &str, left: &str, right: &str) {
        self.info(format!("incompatible sample types encountered for binary operator {operator:?}: {left} {operator} {right}"));
    }

    pub(crate) fn ignored_in_aggregation(&self, operator: &str) {
        self.info(format!("ignored histogram in {operator} aggregation"));
    }

    pub(crate) fn ignored_in_range(&self) {
        self.info(format!("ignored histograms in a range containing both floats and histograms for metric name {:?}", self.metric));
    }

    pub(crate) fn skewed(&self, skew: crate::native::estimate::Skew) {
        let what = match skew {
            crate::native::estimate::Skew::None => return,
            crate::native::estimate::Skew::Higher => "skewed higher",
            crate::native::estimate::Skew::NotANumber => "NaN",
        };
        self.info(format!("input to histogram_quantile has NaN observations, result is {what}{}", self.named()));
    }

    pub(crate) fn without_nan(&self) {
        let what = "input to histogram_fraction has NaN observations, which are excluded from all fractions";
        self.info(format!("{what}{}", self.named()));
    }

    pub(crate) fn reconciled(&self, operation: Operation) {
        self.info(format!("mismatched custom buckets were reconciled during {}", operation.word()));
    }
}
