//! `histogram_quantile` and `histogram_fraction` on classic histograms, whose series differ only in `le`.

use super::{Context, Outcome, Row, Value};
use crate::ast::Expr;
use crate::error::{PromqlError, TextRange};
use crate::functions::histogram;
use crate::functions::histogram::Bucket;
use crate::labels::Labels;
use std::collections::HashMap;

/// The label with a bucket's upper bound.
const BOUND: &str = "le";

impl Context<'_> {
    pub(super) fn histogram_quantile(&self, share: &Expr, vector: &Expr, location: TextRange) -> Outcome<Value> {
        let (shares, rows) = (self.scalar(share)?, self.vector(vector)?);
        self.per_histogram(rows, location, |buckets, step| histogram::quantile(shares.get(step).copied().unwrap_or(f64::NAN), buckets))
    }

    pub(super) fn histogram_fraction(&self, arguments: &[Expr], location: TextRange) -> Outcome<Value> {
        let [lower, upper, vector] = arguments else {
            return Err(PromqlError::parse("histogram_fraction is missing an argument.", location));
        };
        let (lower, upper, rows) = (self.scalar(lower)?, self.scalar(upper)?, self.vector(vector)?);
        let at = |values: &[f64], step: usize| values.get(step).copied().unwrap_or(f64::NAN);
        self.per_histogram(rows, location, |buckets, step| histogram::fraction(at(&lower, step), at(&upper, step), buckets))
    }

    /// Applies a function to the buckets of each histogram at each step. Series without a bound are ignored.
    fn per_histogram(&self, rows: Vec<Row>, location: TextRange, apply: impl Fn(&mut Vec<Bucket>, usize) -> f64) -> Outcome<Value> {
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut histograms: Vec<(Labels, Vec<(f64, Row)>)> = Vec::new();
        for row in rows {
            let Ok(bound) = row.labels.get(BOUND).parse::<f64>() else { continue };
            let labels = row.labels.without_name().with(BOUND, "");
            let at = *places.entry(labels.clone()).or_insert(histograms.len());
            if at == histograms.len() {
                histograms.push((labels, Vec::new()));
            }
            if let Some((_, buckets)) = histograms.get_mut(at) {
                buckets.push((bound, row));
            }
        }
        let row = |(labels, rows): (Labels, Vec<(f64, Row)>)| {
            let value = |step: usize| {
                let found = rows.iter().filter_map(|(bound, row)| Some(Bucket { bound: *bound, count: row.at(step)? }));
                let mut buckets: Vec<Bucket> = found.collect();
                (!buckets.is_empty()).then(|| apply(&mut buckets, step))
            };
            Row { labels, values: (0..self.steps.count).map(value).collect() }
        };
        Ok(Value::Vector(self.merge(histograms.into_iter().map(row).collect(), location)?))
    }
}
