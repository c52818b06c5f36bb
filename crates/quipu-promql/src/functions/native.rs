//! Functions on windows that contain native histograms.

use super::Window;
use super::rate::{self, Change};
use crate::native::Histogram;
use crate::native::ResetHint;
use crate::native::total;
use crate::native::total::{Incompatible, Total};
use crate::notes::{About, Operation};
use crate::series::{HistogramSample, Point, Sample};
use std::sync::Arc;

/// What a window of a series with histograms contains; not both lists are empty.
pub(crate) struct Mixed<'a> {
    pub(crate) floats: &'a [Sample],
    pub(crate) histograms: &'a [HistogramSample],
}

impl Mixed<'_> {
    /// All samples by time.
    fn points(&self) -> Vec<(i64, Point)> {
        let floats = self.floats.iter().map(|(at, value)| (*at, Point::Float(*value)));
        let histograms = self.histograms.iter().map(|(at, histogram)| (*at, Point::Histogram(histogram.clone())));
        let mut list: Vec<(i64, Point)> = floats.chain(histograms).collect();
        list.sort_by_key(|(at, _)| *at);
        list
    }

    fn list(&self) -> impl ExactSizeIterator<Item = &Histogram> + Clone {
        self.histograms.iter().map(|(_, histogram)| histogram.as_ref())
    }
}

/// Applies a function of the table to a window with histograms. `None` if it has no value there; `of_floats` computes it from the floats, for
/// functions that ignore histograms.
pub(crate) fn over(
    name: &str,
    window: &Window<'_>,
    mixed: &Mixed<'_>,
    is_exact: bool,
    about: About<'_>,
    of_floats: &dyn Fn() -> Option<f64>,
) -> Option<Point> {
    let seconds = |at: i64| Some(Point::Float(at as f64 / 1_000.0));
    match name {
        "rate" => change(window, mixed, Change::Rate, is_exact, about),
        "increase" => change(window, mixed, Change::Increase, is_exact, about),
        "delta" => change(window, mixed, Change::Delta, is_exact, about),
        "irate" => last_change(mixed, true, about),
        "idelta" => last_change(mixed, false, about),
        "sum_over_time" => combined(mixed, about, |mixed| total::total(mixed.list())),
        "avg_over_time" => combined(mixed, about, |mixed| total::mean(mixed.list())),
        "count_over_time" => Some(Point::Float((mixed.floats.len() + mixed.histograms.len()) as f64)),
        "present_over_time" => Some(Point::Float(1.0)),
        "first_over_time" => Some(mixed.points().into_iter().next()?.1),
        "last_over_time" => Some(mixed.points().pop()?.1),
        "ts_of_first_over_time" => seconds(mixed.points().first()?.0),
        "ts_of_last_over_time" => seconds(mixed.points().last()?.0),
        "changes" => Some(pairs(mixed, |before, after| match (before, after) {
            (Point::Float(before), Point::Float(after)) => before != after && !(before.is_nan() && after.is_nan()),
            (Point::Histogram(before), Point::Histogram(after)) => !after.equals(before),
            _ => true,
        })),
        "resets" => Some(pairs(mixed, |before, after| match (before, after) {
            (Point::Float(before), Point::Float(after)) => after < before,
            (Point::Histogram(before), Point::Histogram(after)) => after.is_reset_since(before),
            _ => true,
        })),
        _ if mixed.floats.is_empty() => None,
        _ => {
            about.ignored_in_range();
            of_floats().map(Point::Float)
        }
    }
}

fn pairs(mixed: &Mixed<'_>, counts: impl Fn(&Point, &Point) -> bool) -> Point {
    let points = mixed.points();
    Point::Float(points.windows(2).filter(|pair| matches!(pair, [(_, before), (_, after)] if counts(before, after))).count() as f64)
}

fn combined(mixed: &Mixed<'_>, about: About<'_>, combine: impl Fn(&Mixed<'_>) -> Result<Option<Total>, Incompatible>) -> Option<Point> {
    if !mixed.floats.is_empty() {
        about.mixed_samples();
        return None;
    }
    match combine(mixed) {
        Ok(total) => Some(finish(total?, Operation::Aggregation, about)),
        Err(Incompatible) => {
            about.incompatible_buckets();
            None
        }
    }
}

/// The histogram of a sum, and notes about how it came about.
pub(crate) fn finish(total: Total, operation: Operation, about: About<'_>) -> Point {
    if total.is_reconciled {
        about.reconciled(operation);
    }
    if total.is_conflict {
        about.conflicting_resets(operation);
    }
    Point::Histogram(Arc::new(total.finish()))
}

/// See [`rate::change`]. How far it is extrapolated depends on the count alone.
fn change(window: &Window<'_>, mixed: &Mixed<'_>, kind: Change, is_exact: bool, about: About<'_>) -> Option<Point> {
    if !mixed.floats.is_empty() {
        about.mixed_samples();
        return None;
    }
    let is_counter = kind != Change::Delta;
    let (first, last) = (mixed.histograms.first()?, mixed.histograms.last()?);
    let added = difference(mixed.histograms, is_counter, about).unwrap_or_else(|Incompatible| {
        about.incompatible_buckets();
        None
    })?;
    let mut factor = if is_exact && is_counter {
        1.0
    } else {
        let ends = rate::Ends { first: first.0, last: last.0, count: mixed.histograms.len() as u64 };
        let start = (is_counter && added.count > 0.0 && first.1.count >= 0.0).then(|| first.1.count / added.count);
        ends.factor(window, start)
    };
    if kind == Change::Rate {
        factor /= window.seconds();
    }
    Some(Point::Histogram(Arc::new(added.times(factor).into_gauge())))
}

/// The difference of the last and the first histogram; of a counter, with what was lost in resets.
fn difference(list: &[HistogramSample], is_counter: bool, about: About<'_>) -> Result<Option<Histogram>, Incompatible> {
    let ([(_, first), (_, second), ..], [.., (_, last)]) = (list, list) else { return Ok(None) };
    let is_gauge = |histogram: &Histogram| histogram.hint == ResetHint::Gauge;
    if is_counter && list.iter().any(|(_, histogram)| is_gauge(histogram)) {
        about.not_a("counter");
    }
    if !(is_counter || is_gauge(first) && is_gauge(last)) {
        about.not_a("gauge");
    }
    // What was counted before a reset between the first two is not part of the window, whatever its buckets are.
    let starts_anew = is_counter && second.is_reset_since(first);
    let empty = Histogram { schema: second.schema, bounds: second.bounds.clone(), hint: second.hint, ..Histogram::default() };
    let first = if starts_anew { &empty } else { first.as_ref() };
    let mut total = last.minus(first)?;
    if total.is_reconciled {
        about.reconciled(Operation::Subtraction);
    }
    if is_counter {
        let mut before = first;
        for (_, histogram) in list.iter().skip(1) {
            if histogram.is_custom() != first.is_custom() {
                return Err(Incompatible);
            }
            if histogram.is_reset_since(before) {
                total.is_reconciled = false;
                total.add(before, 1.0)?;
                if total.is_reconciled {
                    about.reconciled(Operation::Addition);
                }
            }
            // One between may be coarser than both ends.
            total.meet_schema(histogram.schema);
            before = histogram;
        }
    }
    Ok(Some(total.finish()))
}

/// See [`rate::last_change`].
fn last_change(mixed: &Mixed<'_>, is_rate: bool, about: About<'_>) -> Option<Point> {
    let points = mixed.points();
    let [.., (before_at, before), (last_at, last)] = points.as_slice() else { return None };
    let seconds = last_at.saturating_sub(*before_at) as f64 / 1_000.0;
    if seconds == 0.0 {
        return None;
    }
    match (before, last) {
        (Point::Float(before), Point::Float(last)) => {
            let added = if is_rate && last < before { *last } else { last - before };
            Some(Point::Float(if is_rate { added / seconds } else { added }))
        }
        (Point::Histogram(before), Point::Histogram(last)) => {
            let gauges = [before, last].iter().filter(|histogram| histogram.hint == ResetHint::Gauge).count();
            if is_rate && gauges > 0 {
                about.not_a("counter");
            }
            if !is_rate && gauges < 2 {
                about.not_a("gauge");
            }
            let added = if is_rate && last.is_reset_since(before) {
                last.as_ref().clone()
            } else {
                let Ok(total) = last.minus(before) else {
                    about.incompatible_buckets();
                    return None;
                };
                if total.is_reconciled {
                    about.reconciled(Operation::Subtraction);
                }
                total.finish()
            };
            let change = if is_rate { added.divided(seconds) } else { added };
            Some(Point::Histogram(Arc::new(change.into_gauge())))
        }
        _ => {
            about.mixed_samples();
            None
        }
    }
}
