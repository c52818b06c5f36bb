//! `histogram_quantile`, `histogram_quantiles` and `histogram_fraction`: on native histograms, and on classic ones, whose series differ only in
//! `le`.

use super::{Context, Outcome, Row, Value};
use crate::ast::Expr;
use crate::error::{PromqlError, TextRange};
use crate::functions::histogram;
use crate::functions::histogram::Bucket;
use crate::labels::{Labels, METRIC_NAME};
use crate::native::Histogram;
use crate::notes::About;
use std::collections::HashMap;

/// The label with a bucket's upper bound.
const BOUND: &str = "le";

/// A histogram of either kind at a step.
enum Either<'a> {
    Classic(&'a mut Vec<Bucket>),
    Native(&'a Histogram),
}

/// The histograms of a vector. Names are kept, so that those of different metrics stay apart.
struct Histograms {
    classic: Vec<(Labels, Vec<(f64, Row)>)>,
    native: Vec<Row>,
}

impl Context<'_> {
    pub(super) fn histogram_quantile(&self, share: &Expr, vector: &Expr, location: TextRange) -> Outcome<Value> {
        let (shares, rows) = (self.scalar(share)?, self.never_comparing().vector(vector)?);
        let histograms = self.histograms(rows, self.about(vector));
        Ok(Value::Vector(self.merge(self.quantiles(&histograms, &shares, (share, vector)), location)?))
    }

    pub(super) fn histogram_quantiles(&self, arguments: &[Expr], location: TextRange) -> Outcome<Value> {
        let [vector, label, shares @ ..] = arguments else {
            return Err(PromqlError::parse("histogram_quantiles is missing an argument.", location));
        };
        let (rows, label) = (self.never_comparing().vector(vector)?, self.text(label)?);
        let histograms = self.histograms(rows, self.about(vector));
        let mut all: Vec<Row> = Vec::new();
        for share in shares {
            let values = self.scalar(share)?;
            let Some(first) = values.first().copied() else { continue };
            for mut row in self.quantiles(&histograms, &values, (share, vector)) {
                // As OpenMetrics writes it.
                row.labels = self.with_label(&row, &label, &format!("{first:?}").replace("inf", "+Inf").replace("-+", "-"), location)?;
                self.check_rows(all.len() + 1, location)?;
                all.push(row);
            }
        }
        Ok(Value::Vector(self.merge(all, location)?))
    }

    fn quantiles(&self, histograms: &Histograms, shares: &[f64], (share, vector): (&Expr, &Expr)) -> Vec<Row> {
        shares.iter().for_each(|value| self.about(share).odd_quantile(*value));
        self.each(histograms, self.about(vector), |either, step, about| {
            let share = shares.get(step).copied().unwrap_or(f64::NAN);
            match either {
                Either::Classic(buckets) => {
                    let (value, fell) = histogram::quantile(share, buckets);
                    if fell {
                        about.not_monotonic();
                    }
                    value
                }
                Either::Native(histogram) => {
                    let (value, skew) = histogram.quantile(share);
                    about.skewed(skew);
                    value
                }
            }
        })
    }

    pub(super) fn histogram_fraction(&self, arguments: &[Expr], location: TextRange) -> Outcome<Value> {
        let [lower, upper, vector] = arguments else {
            return Err(PromqlError::parse("histogram_fraction is missing an argument.", location));
        };
        let (lower, upper, rows) = (self.scalar(lower)?, self.scalar(upper)?, self.never_comparing().vector(vector)?);
        let histograms = self.histograms(rows, self.about(vector));
        let at = |values: &[f64], step: usize| values.get(step).copied().unwrap_or(f64::NAN);
        let rows = self.each(&histograms, self.about(vector), |either, step, about| match either {
            Either::Classic(buckets) => histogram::fraction(at(&lower, step), at(&upper, step), buckets),
            Either::Native(histogram) => {
                let (value, leaves_nan) = histogram.fraction(at(&lower, step), at(&upper, step));
                if leaves_nan {
                    about.without_nan();
                }
                value
            }
        });
        Ok(Value::Vector(self.merge(rows, location)?))
    }

    /// Sorts series into histograms. Numbers without a bound are ignored.
    fn histograms(&self, rows: Vec<Row>, about: About<'_>) -> Histograms {
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut found = Histograms { classic: Vec::new(), native: Vec::new() };
        for row in rows {
            if row.has_histograms() {
                found.native.push(row.clone());
            }
            if row.values.iter().all(Option::is_none) {
                continue;
            }
            let bound = row.labels.get(BOUND);
            let Ok(upper) = bound.parse::<f64>() else {
                about.metric(row.labels.get(METRIC_NAME)).odd_bound(bound);
                continue;
            };
            let labels = row.labels.with(BOUND, "");
            let at = *places.entry(labels.clone()).or_insert(found.classic.len());
            if at == found.classic.len() {
                found.classic.push((labels, Vec::new()));
            }
            if let Some((_, buckets)) = found.classic.get_mut(at) {
                buckets.push((upper, row));
            }
        }
        found
    }

    /// Applies a function to each histogram at each step. Where a histogram is there in both kinds, it is left out.
    fn each(&self, histograms: &Histograms, about: About<'_>, apply: impl Fn(Either<'_>, usize, About<'_>) -> f64) -> Vec<Row> {
        let native_of = |labels: &Labels, step: usize| {
            let mut same = histograms.native.iter().filter(|row| row.labels == *labels);
            same.any(|row| row.histogram(step).is_some())
        };
        let has_classic = |labels: &Labels, step: usize| {
            let mut same = histograms.classic.iter().filter(|(found, _)| found == labels);
            same.any(|(_, buckets)| buckets.iter().any(|(_, row)| row.at(step).is_some()))
        };
        let classic = histograms.classic.iter().map(|(labels, rows)| {
            let value = |step: usize| {
                let found = rows.iter().filter_map(|(bound, row)| Some(Bucket { bound: *bound, count: row.at(step)? }));
                let mut buckets: Vec<Bucket> = found.collect();
                if buckets.is_empty() || native_of(labels, step) {
                    return None;
                }
                Some(apply(Either::Classic(&mut buckets), step, about.metric(labels.get(METRIC_NAME))))
            };
            Row::new(labels.without_name(), (0..self.steps.count).map(value).collect())
        });
        let native = histograms.native.iter().map(|row| {
            let about = about.metric(row.labels.get(METRIC_NAME));
            let value = |step: usize| {
                let histogram = row.histogram(step)?;
                if has_classic(&row.labels, step) {
                    about.classic_and_native();
                    return None;
                }
                Some(apply(Either::Native(histogram), step, about))
            };
            Row::new(row.labels.without_name(), (0..self.steps.count).map(value).collect())
        });
        native.chain(classic).collect()
    }
}
