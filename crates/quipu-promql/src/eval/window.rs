//! Range vectors: the samples of each series within `(start, end]`, from a selector or subquery.

use super::{Compares, Context, Outcome, Row, Steps, Value, wrong_type};
use crate::ast::{Expr, ExprKind, Subquery, Timing};
use crate::error::TextRange;
use crate::functions::native::{self, Mixed};
use crate::functions::rate::increase;
use crate::functions::{Needs, Window};
use crate::is_stale;
use crate::labels::{Labels, METRIC_NAME};
use crate::native::{Histogram, ResetHint};
use crate::series::{Curve, Grid, HistogramSample, Point, Sample, Samples, Series, within};
use crate::value_type::ValueType;
use std::sync::Arc;

/// A range vector before it is split into windows.
pub(super) struct Ranges {
    pub(super) series: Vec<Series>,
    pub(super) range: i64,
    pub(super) timing: Timing,
    pub(super) location: TextRange,
    /// Where notes about it belong.
    pub(super) start: usize,
}

impl Context<'_> {
    /// Evaluates a range vector.
    pub(super) fn ranges(&self, expr: &Expr) -> Outcome<Ranges> {
        let expr = expr.bare();
        match &expr.kind {
            ExprKind::Range(selector, range) => {
                let (first, last) = self.eval_extent(selector.timing);
                let series = self.series(selector, first.saturating_sub(*range), last, expr.location)?;
                Ok(Ranges { series, range: *range, timing: selector.timing, location: expr.location, start: expr.start() })
            }
            ExprKind::Subquery(subquery) => {
                let series = self.subquery(subquery, expr.location)?;
                Ok(Ranges { series, range: subquery.range, timing: subquery.timing, location: expr.location, start: expr.start() })
            }
            _ => Err(wrong_type(expr, ValueType::Matrix)),
        }
    }

    /// Evaluates the inner expression at multiples of the subquery's step that are within any window.
    fn subquery(&self, subquery: &Subquery, location: TextRange) -> Outcome<Vec<Series>> {
        let step = subquery.step.unwrap_or(self.options.subquery_step).max(1);
        let (first, last) = self.eval_extent(subquery.timing);
        let after = first.saturating_sub(subquery.range);
        let Some((start, end, count)) =
            (Grid { interval: step, first: i64::MIN / 2 / step * step, last: i64::MAX / 2 / step * step }).within(after, last)
        else {
            return Ok(Vec::new());
        };
        debug_assert!(end >= start);
        let inner = Context {
            steps: Steps { start, step, count: usize::try_from(count).unwrap_or(usize::MAX) },
            compares: Compares::Never,
            ..*self
        };
        inner.check_rows(1, location)?;
        let rows = match inner.eval(&subquery.expr)? {
            Value::Vector(rows) => rows,
            Value::Scalar(values) => vec![Row::new(Labels::default(), values.into_iter().map(Some).collect())],
            Value::Text(_) => return Err(wrong_type(&subquery.expr, ValueType::Vector)),
        };
        self.work((rows.len() as u64).saturating_mul(count), location)?;
        let list = |row: Row| {
            let floats = row.values.iter().enumerate().filter_map(|(number, value)| Some((inner.steps.at(number), (*value)?)));
            let floats = floats.collect();
            let samples = if row.has_histograms() {
                let histograms = row.histograms.into_iter().enumerate();
                let histograms = histograms.filter_map(|(number, histogram)| Some((inner.steps.at(number), without_reset(histogram?))));
                Samples::Native(floats, histograms.collect())
            } else {
                Samples::Listed(floats)
            };
            Series { labels: row.labels, samples }
        };
        Ok(rows.into_iter().map(list).collect())
    }

    /// A row for each series of a range vector; `apply` computes a value from the window at each step.
    pub(super) fn over(&self, ranges: Ranges, OverWindow { name, needs, keeps_name, apply }: OverWindow<'_>) -> Outcome<Vec<Row>> {
        let Ranges { series, range, timing, location, start } = ranges;
        self.check_rows(series.len(), location)?;
        let mut rows = Vec::with_capacity(series.len());
        let mut scratch = Vec::new();
        for Series { labels, samples } in series {
            let result = |labels: &Labels| if keeps_name { labels.clone() } else { labels.without_name() };
            let about = self.notes.at(start).metric(labels.get(METRIC_NAME));
            if let Samples::Native(floats, histograms) = &samples {
                let mut row = Row::new(result(&labels), vec![None; self.steps.count]);
                for step in 0..self.steps.count {
                    let end = self.eval_time(timing, step);
                    let start = end.saturating_sub(range);
                    let cut = cut_native(floats, histograms, (start, end), |count| self.work(count, location))?;
                    let Some((floats, mut histograms)) = cut else { continue };
                    if self.compares == Compares::Yes {
                        compare(&mut histograms);
                    }
                    let at = self.steps.at(step);
                    let exact = if self.options.exact { increase(&floats) } else { None };
                    let window = Window { start, end, at, samples: &floats, count: floats.len() as u64, exact };
                    let mixed = Mixed { floats: &floats, histograms: &histograms };
                    let point = match histograms.is_empty() {
                        true => apply(&window, step).map(Point::Float),
                        false => native::over(name, &window, &mixed, self.options.exact, about, &|| apply(&window, step)),
                    };
                    row.put(step, self.made(point, location)?);
                }
                rows.push(row);
                continue;
            }
            let mut values = vec![None; self.steps.count];
            for (step, value) in values.iter_mut().enumerate() {
                let end = self.eval_time(timing, step);
                let start = end.saturating_sub(range);
                let cut = cut(&samples, start, end, needs, &mut scratch, |count| self.work(count, location))?;
                let Some((found, count)) = cut else { continue };
                let exact = if self.options.exact { added(&samples, found, start, end) } else { None };
                *value = apply(&Window { start, end, at: self.steps.at(step), samples: found, count, exact }, step);
            }
            // Curves are known to be counters.
            let is_listed = matches!(samples, Samples::Listed(_));
            if is_listed && matches!(name, "rate" | "increase") && values.iter().any(Option::is_some) {
                about.maybe_no_counter();
            }
            rows.push(Row::new(result(&labels), values));
        }
        self.merge(rows, location)
    }

    /// All samples of a range vector in the only step of an instant query, whose result they are.
    pub(super) fn whole_windows(&self, expr: &Expr) -> Outcome<Vec<(Labels, NativeWindow)>> {
        let Ranges { series, range, timing, location, .. } = self.ranges(expr)?;
        let end = self.eval_time(timing, 0);
        let start = end.saturating_sub(range);
        let mut scratch = Vec::new();
        let mut answer = Vec::new();
        for Series { labels, samples } in series {
            let found = match &samples {
                Samples::Native(floats, histograms) => cut_native(floats, histograms, (start, end), |count| self.work(count, location))?,
                _ => cut(&samples, start, end, Needs::All, &mut scratch, |count| self.work(count, location))?
                    .map(|(found, _)| (found.to_vec(), Vec::new())),
            };
            if let Some(found) = found {
                // These samples are kept in memory, so they count ten times.
                self.work(found.0.len() as u64 * 9, location)?;
                self.work(found.1.iter().map(|(_, histogram)| histogram.size() * 9).sum(), location)?;
                answer.push((labels, found));
            }
        }
        Ok(answer)
    }
}

/// A function on windows, applied to those without histograms.
pub(super) struct OverWindow<'a> {
    pub(super) name: &'a str,
    pub(super) needs: Needs,
    pub(super) keeps_name: bool,
    pub(super) apply: &'a dyn Fn(&Window<'_>, usize) -> Option<f64>,
}

/// The numbers and histograms of a window.
pub(crate) type NativeWindow = (Vec<Sample>, Vec<HistogramSample>);

/// The samples within `(start, end]` without markers; `None` if there are none.
fn cut_native(
    floats: &[Sample],
    histograms: &[HistogramSample],
    (start, end): (i64, i64),
    work: impl Fn(u64) -> Outcome<()>,
) -> Outcome<Option<NativeWindow>> {
    let (floats, histograms) = (within(floats, start, end), within(histograms, start, end));
    work(1 + floats.len() as u64 + histograms.iter().map(|(_, histogram)| histogram.size()).sum::<u64>())?;
    let floats: Vec<Sample> = floats.iter().copied().filter(|(_, value)| !is_stale(*value)).collect();
    let histograms: Vec<HistogramSample> = histograms.iter().filter(|(_, histogram)| !is_stale(histogram.sum)).cloned().collect();
    Ok((!floats.is_empty() || !histograms.is_empty()).then_some((floats, histograms)))
}

/// Says of each histogram but the first whether it was reset since the one before.
fn compare(histograms: &mut [HistogramSample]) {
    let mut before: Option<Arc<Histogram>> = None;
    for (_, histogram) in histograms {
        let own = histogram.clone();
        if let Some(before) = &before {
            *histogram = compared(histogram, before);
        }
        before = Some(own);
    }
}

/// A histogram that says whether it was reset since the one before.
pub(super) fn compared(histogram: &Arc<Histogram>, before: &Histogram) -> Arc<Histogram> {
    if histogram.hint != ResetHint::Unknown {
        return histogram.clone();
    }
    let hint = if histogram.is_reset_since(before) { ResetHint::Reset } else { ResetHint::NotReset };
    Arc::new(Histogram { hint, ..histogram.as_ref().clone() })
}

/// A histogram of a subquery, which may leave out those between: whether it was reset since the one before is not known.
fn without_reset(histogram: Arc<Histogram>) -> Arc<Histogram> {
    match histogram.hint {
        ResetHint::Reset | ResetHint::NotReset => Arc::new(Histogram { hint: ResetHint::Unknown, ..histogram.as_ref().clone() }),
        ResetHint::Unknown | ResetHint::Gauge => histogram,
    }
}

/// The samples within `(start, end]` and their number; `None` if there are none.
fn cut<'s>(
    samples: &'s Samples,
    start: i64,
    end: i64,
    needs: Needs,
    scratch: &'s mut Vec<Sample>,
    work: impl Fn(u64) -> Outcome<()>,
) -> Outcome<Option<(&'s [Sample], u64)>> {
    match samples {
        Samples::Listed(list) | Samples::Native(list, _) => {
            let mut found = within(list, start, end);
            work(1 + found.len() as u64)?;
            if found.iter().any(|(_, value)| is_stale(*value)) {
                scratch.clear();
                scratch.extend(found.iter().filter(|(_, value)| !is_stale(*value)));
                found = scratch;
            }
            Ok((!found.is_empty()).then_some((found, found.len() as u64)))
        }
        Samples::Scraped(grid, curve) => {
            let Some((first, last, count)) = grid.within(start, end) else { return Ok(None) };
            scratch.clear();
            let mut push = |at: i64| scratch.push((at, curve.value_at(at)));
            match needs {
                Needs::Ends if curve.rises() => {
                    work(2)?;
                    push(first);
                    if last > first {
                        push(last);
                    }
                }
                Needs::LastTwo => {
                    work(2)?;
                    if last > first {
                        push(last - grid.interval);
                    }
                    push(last);
                }
                Needs::All | Needs::Ends => {
                    work(count)?;
                    let mut at = first;
                    while at <= last {
                        push(at);
                        at += grid.interval;
                    }
                }
            }
            Ok(Some((scratch.as_slice(), count)))
        }
    }
}

/// The increase within `(start, end]`: exact for a curve, otherwise between samples.
fn added(samples: &Samples, found: &[Sample], start: i64, end: i64) -> Option<f64> {
    match samples {
        Samples::Listed(_) | Samples::Native(..) => increase(found),
        Samples::Scraped(_, curve) => Some(exactly(curve.as_ref(), start, end)),
    }
}

fn exactly(curve: &dyn Curve, start: i64, end: i64) -> f64 {
    curve.value_at(end) - curve.value_at(start)
}
