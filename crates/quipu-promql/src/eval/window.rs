//! Range vectors: the samples of each series within `(start, end]`, from a selector or subquery.

use super::{Context, Outcome, Row, Steps, Value, wrong_type};
use crate::ast::{Expr, ExprKind, Subquery, Timing};
use crate::error::TextRange;
use crate::functions::rate::increase;
use crate::functions::{Needs, Window};
use crate::labels::Labels;
use crate::series::{Curve, Grid, Sample, Samples, Series};
use crate::value_type::ValueType;

/// A range vector before it is split into windows.
pub(super) struct Ranges {
    pub(super) series: Vec<Series>,
    pub(super) range: i64,
    pub(super) timing: Timing,
    pub(super) location: TextRange,
}

impl Context<'_> {
    /// Evaluates a range vector.
    pub(super) fn ranges(&self, expr: &Expr) -> Outcome<Ranges> {
        let expr = expr.bare();
        match &expr.kind {
            ExprKind::Range(selector, range) => {
                let (first, last) = self.eval_extent(selector.timing);
                let series = self.series(selector, first.saturating_sub(*range), last, expr.location)?;
                Ok(Ranges { series, range: *range, timing: selector.timing, location: expr.location })
            }
            ExprKind::Subquery(subquery) => {
                let series = self.subquery(subquery, expr.location)?;
                Ok(Ranges { series, range: subquery.range, timing: subquery.timing, location: expr.location })
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
        let inner = Context { steps: Steps { start, step, count: usize::try_from(count).unwrap_or(usize::MAX) }, ..*self };
        inner.check_rows(1, location)?;
        let rows = match inner.eval(&subquery.expr)? {
            Value::Vector(rows) => rows,
            Value::Scalar(values) => vec![Row { labels: Labels::default(), values: values.into_iter().map(Some).collect() }],
            Value::Text(_) => return Err(wrong_type(&subquery.expr, ValueType::Vector)),
        };
        self.work((rows.len() as u64).saturating_mul(count), location)?;
        let list = |row: Row| {
            let samples = row.values.iter().enumerate().filter_map(|(number, value)| Some((inner.steps.at(number), (*value)?)));
            Series { labels: row.labels, samples: Samples::Listed(samples.collect()) }
        };
        Ok(rows.into_iter().map(list).collect())
    }

    /// A row for each series of a range vector; `apply` computes a value from the window at each step.
    pub(super) fn over(
        &self,
        ranges: Ranges,
        needs: Needs,
        keeps_name: bool,
        apply: &dyn Fn(&Window<'_>, usize) -> Option<f64>,
    ) -> Outcome<Vec<Row>> {
        let Ranges { series, range, timing, location } = ranges;
        self.check_rows(series.len(), location)?;
        let mut rows = Vec::with_capacity(series.len());
        let mut scratch = Vec::new();
        for Series { labels, samples } in series {
            let mut values = vec![None; self.steps.count];
            for (step, value) in values.iter_mut().enumerate() {
                let end = self.eval_time(timing, step);
                let start = end.saturating_sub(range);
                let cut = cut(&samples, start, end, needs, &mut scratch, |count| self.work(count, location))?;
                let Some((found, count)) = cut else { continue };
                let exact = if self.options.exact { added(&samples, found, start, end) } else { None };
                *value = apply(&Window { start, end, at: self.steps.at(step), samples: found, count, exact }, step);
            }
            rows.push(Row { labels: if keeps_name { labels } else { labels.without_name() }, values });
        }
        self.merge(rows, location)
    }

    /// All samples of a range vector in the only step of an instant query, whose result they are.
    pub(super) fn whole_windows(&self, expr: &Expr) -> Outcome<Vec<(Labels, Vec<Sample>)>> {
        let Ranges { series, range, timing, location } = self.ranges(expr)?;
        let end = self.eval_time(timing, 0);
        let mut scratch = Vec::new();
        let mut answer = Vec::new();
        for Series { labels, samples } in series {
            let found = cut(&samples, end.saturating_sub(range), end, Needs::All, &mut scratch, |count| self.work(count, location))?;
            if let Some((found, _)) = found {
                // These samples are kept in memory, so they count ten times.
                self.work(found.len() as u64 * 9, location)?;
                answer.push((labels, found.to_vec()));
            }
        }
        Ok(answer)
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
        Samples::Listed(list) => {
            let from = list.partition_point(|(at, _)| *at <= start);
            let found = list.get(from..).unwrap_or_default();
            let found = found.get(..found.partition_point(|(at, _)| *at <= end)).unwrap_or_default();
            work(1 + found.len() as u64)?;
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
        Samples::Listed(_) => increase(found),
        Samples::Scraped(_, curve) => Some(exactly(curve.as_ref(), start, end)),
    }
}

fn exactly(curve: &dyn Curve, start: i64, end: i64) -> f64 {
    curve.value_at(end) - curve.value_at(start)
}
