//! Evaluates the tree of a query, all steps at once. Each expression returns one row of values per series.
//!
//! Modules: `select` reads single samples, `window` ranges of samples, `call` calls functions, `aggregate` aggregates, `matching` applies
//! binary operators, `histograms` does all this with native histograms; `row` is a series of a result. Not here: the functions themselves (`functions`).

mod aggregate;
mod buckets;
mod call;
mod histograms;
mod matching;
mod relabel;
mod row;
mod select;
mod window;

use super::ast::{At, Expr, ExprKind, Timing};
use super::error::{PromqlError, TextRange};
use super::labels::Labels;
use super::notes::{About, Notes};
use super::parse::parse;
use super::series::{Point, SeriesSource};
use super::value_type::ValueType;
use crate::PromqlAnswer;
use quipu_model::budget::{Budget, OverBudget};
pub(super) use row::Row;
use select::Take;
use std::collections::HashMap;
use std::sync::Arc;
pub(super) use window::NativeWindow;

/// Evaluation time of a query, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromqlTime {
    /// An instant query.
    At(i64),
    /// A range query.
    Steps {
        /// First step.
        start: i64,
        /// Upper bound of the steps, inclusive.
        end: i64,
        /// Milliseconds between steps; at least 1.
        step: i64,
    },
}

/// Options for the evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvalOptions {
    /// Whether rates and increases are exact for the window, instead of extrapolated from scrapes like in Prometheus.
    pub exact: bool,
    /// Lookback of instant selectors, in milliseconds.
    pub lookback: i64,
    /// Default step of subqueries, in milliseconds.
    pub subquery_step: i64,
}

impl Default for EvalOptions {
    /// Prometheus's defaults: five minutes and one minute.
    fn default() -> EvalOptions {
        EvalOptions { exact: false, lookback: 300_000, subquery_step: 60_000 }
    }
}

/// Maximum number of steps of a query, as in Prometheus.
pub const MAX_STEPS: u64 = 11_000;
/// Maximum number of values of an expression; bounds memory.
const MAX_VALUES: u64 = 6_000_000;
/// Maximum length of a label value that a query makes, in bytes.
const MAX_LABEL_BYTES: usize = 64_000;

/// Evaluates a query. `budget` bounds the time, the samples that are read, and the bytes that results hold while they are computed.
///
/// # Errors
/// If the query is not valid, can't be evaluated, or exceeds a limit; with a location.
///
/// ```
/// use quipu_model::budget::Budget;
/// use quipu_promql::{EvalOptions, Labels, PromqlTime, Samples, Series, SeriesSet, evaluate};
/// let labels = Labels::new([("__name__", "tokens_total"), ("model_id", "llama")]);
/// let series = SeriesSet::new(vec![Series { labels, samples: Samples::Listed([(0, 1.0), (60_000, 7.0)].into()) }]);
/// let answer = evaluate("sum(tokens_total) * 2", PromqlTime::At(60_000), &series, &EvalOptions::default(), &Budget::default())?;
/// assert!(answer.to_json().contains(r#"[60,"14"]"#));
/// # Ok::<(), quipu_promql::PromqlError>(())
/// ```
pub fn evaluate(
    query: &str,
    time: PromqlTime,
    source: &dyn SeriesSource,
    options: &EvalOptions,
    budget: &Budget,
) -> Result<PromqlAnswer, PromqlError> {
    evaluate_with_notes(query, time, source, options, budget).map(|evaluated| evaluated.answer)
}

/// An answer, and what was noticed while it was computed.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The answer.
    pub answer: PromqlAnswer,
    /// Why it may be wrong or incomplete, as Prometheus words it.
    pub warnings: Vec<String>,
    /// Why it may not be what was meant, as Prometheus words it.
    pub infos: Vec<String>,
}

/// Evaluates a query like [`evaluate`], and returns warnings and remarks with the answer.
///
/// # Errors
/// See [`evaluate`].
pub fn evaluate_with_notes(
    query: &str,
    time: PromqlTime,
    source: &dyn SeriesSource,
    options: &EvalOptions,
    budget: &Budget,
) -> Result<Evaluated, PromqlError> {
    let notes = Notes::default();
    let answer = answer(query, time, source, options, (budget, &notes))?;
    let (warnings, infos) = notes.texts(query);
    Ok(Evaluated { answer, warnings, infos })
}

fn answer(
    query: &str,
    time: PromqlTime,
    source: &dyn SeriesSource,
    options: &EvalOptions,
    (budget, notes): (&Budget, &Notes),
) -> Outcome<PromqlAnswer> {
    let whole = TextRange { start: 0, end: query.len() };
    let (steps, is_instant) = Steps::of(time, whole)?;
    let expr = parse(query)?;
    if !is_instant && matches!(expr.value_type(), ValueType::Matrix | ValueType::Text) {
        let words = expr.value_type().words();
        let problem = format!("The result is {words}; a range query must return a scalar or an instant vector.");
        return Err(PromqlError::parse(problem, whole));
    }
    let context =
        Context { source, options, steps, first: steps.start, last: steps.last(), is_instant, budget, notes, compares: Compares::No };
    if expr.value_type() == ValueType::Matrix {
        return Ok(PromqlAnswer::of_samples(context.whole_windows(&expr)?));
    }
    let value = context.eval(&expr)?;
    if let Value::Vector(rows) = &value {
        // The same histogram may be in many steps, each of which is written out.
        let buckets: u64 = rows.iter().flat_map(|row| row.histograms.iter().flatten()).map(|histogram| histogram.size()).sum();
        if buckets > MAX_VALUES {
            let problem = "The answer would have too many buckets of histograms. Use a longer step, or select fewer series.";
            return Err(PromqlError::eval(problem, whole));
        }
    }
    Ok(PromqlAnswer::of_value(value, steps, is_instant))
}

/// The evaluation times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    pub(super) start: i64,
    pub(super) step: i64,
    pub(super) count: usize,
}

impl Steps {
    fn of(time: PromqlTime, location: TextRange) -> Result<(Steps, bool), PromqlError> {
        // Larger times can't be printed; the limit also rules out overflow in sums of times.
        const FAR: i64 = 1 << 53;
        match time {
            PromqlTime::At(at) => Ok((Steps { start: at.clamp(-FAR, FAR), step: 1, count: 1 }, true)),
            PromqlTime::Steps { start, end, step } => {
                let (start, end) = (start.clamp(-FAR, FAR), end.clamp(-FAR, FAR));
                if step < 1 {
                    return Err(PromqlError::parse("The step must be at least one millisecond.", location));
                }
                if end < start {
                    return Err(PromqlError::parse("The end is before the start.", location));
                }
                let count = end.abs_diff(start) / step.unsigned_abs() + 1;
                let Some(count) = usize::try_from(count).ok().filter(|_| count <= MAX_STEPS) else {
                    let problem =
                        format!("The range has {count} steps; at most {MAX_STEPS} are supported. Use a longer step or a shorter range.");
                    return Err(PromqlError::parse(problem, location));
                };
                Ok((Steps { start, step, count }, false))
            }
        }
    }

    /// Time of a step in milliseconds.
    pub(super) fn at(&self, number: usize) -> i64 {
        self.start.saturating_add(self.step.saturating_mul(number as i64))
    }

    pub(super) fn last(&self) -> i64 {
        self.at(self.count.saturating_sub(1))
    }
}

/// Value of an expression.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Scalar(Vec<f64>),
    Vector(Vec<Row>),
    Text(String),
}

impl Value {
    /// About how many bytes it takes.
    fn bytes(&self) -> usize {
        match self {
            Value::Scalar(values) => values.len() * size_of::<f64>(),
            Value::Vector(rows) => rows.iter().map(Row::bytes).sum(),
            Value::Text(text) => text.len(),
        }
    }
}

/// State of an evaluation.
#[derive(Clone, Copy)]
struct Context<'a> {
    source: &'a dyn SeriesSource,
    options: &'a EvalOptions,
    steps: Steps,
    /// First and last step of the whole query.
    first: i64,
    last: i64,
    is_instant: bool,
    budget: &'a Budget,
    notes: &'a Notes,
    compares: Compares,
}

/// Whether selectors compare each histogram with the one before, and say whether it was reset. As Prometheus does it, they do so below
/// `histogram_count` and the like, but not if the buckets are needed, or samples left out by a subquery.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compares {
    No,
    Yes,
    Never,
}

type Outcome<T> = Result<T, PromqlError>;

impl Context<'_> {
    /// Counts samples that are read, and fails above a limit.
    fn work(&self, samples: u64, location: TextRange) -> Outcome<()> {
        self.budget.read(samples).map_err(|limit| match limit {
            OverBudget::Rows(_) => {
                PromqlError::eval("The query reads too many samples. Use a longer step, a shorter range, or fewer series.", location)
            }
            other => PromqlError::over(other, location),
        })
    }

    /// Counts bytes that are about to be held, and fails above the limit.
    fn hold(&self, bytes: usize, location: TextRange) -> Outcome<()> {
        self.budget.hold(bytes as u64).map_err(|limit| PromqlError::over(limit, location))
    }

    /// Counts the work and the memory of a histogram that was just made.
    fn made(&self, point: Option<Point>, location: TextRange) -> Outcome<Option<Point>> {
        if let Some(Point::Histogram(histogram)) = &point
            && Arc::strong_count(histogram) == 1
        {
            self.work(histogram.size(), location)?;
            self.hold(histogram.bytes(), location)?;
        }
        Ok(point)
    }

    /// Fails if the rows would take too much memory.
    fn check_rows(&self, rows: usize, location: TextRange) -> Outcome<()> {
        let values = (rows as u64).saturating_mul(self.steps.count as u64);
        if values <= MAX_VALUES {
            return Ok(());
        }
        let problem = format!("{rows} series at {} steps are too many values. Use a longer step or select fewer series.", self.steps.count);
        Err(PromqlError::eval(problem, location))
    }

    /// Time at which a selector or subquery is evaluated in a step.
    fn eval_time(&self, timing: Timing, step: usize) -> i64 {
        let at = match timing.at {
            None => self.steps.at(step),
            Some(At::Start) => self.first,
            Some(At::End) => self.last,
            Some(At::Time(at)) => at,
        };
        at.saturating_sub(timing.offset)
    }

    /// The first and last of these times.
    fn eval_extent(&self, timing: Timing) -> (i64, i64) {
        (self.eval_time(timing, 0), self.eval_time(timing, self.steps.count.saturating_sub(1)))
    }

    /// Evaluates an expression. Its value stays counted as held until the value of the expression around it is complete.
    fn eval(&self, expr: &Expr) -> Outcome<Value> {
        let before = self.budget.held();
        let value = self.eval_uncounted(expr)?;
        self.budget.release_to(before);
        self.hold(value.bytes(), expr.location)?;
        Ok(value)
    }

    fn eval_uncounted(&self, expr: &Expr) -> Outcome<Value> {
        match &expr.kind {
            ExprKind::Number(number) => Ok(Value::Scalar(vec![*number; self.steps.count])),
            ExprKind::Text(text) => Ok(Value::Text(text.clone())),
            ExprKind::Paren(inner) => self.eval(inner),
            ExprKind::Select(selector) => Ok(Value::Vector(self.select(selector, expr.location, Take::Value)?)),
            ExprKind::Range(..) | ExprKind::Subquery(_) => Err(PromqlError::parse(
                "Expected an instant vector or a scalar, found a range vector. Wrap it in a function such as rate().",
                expr.location,
            )),
            ExprKind::Call(function, arguments) => self.call(function, arguments, expr.location),
            ExprKind::Aggregate(aggregate) => Ok(Value::Vector(self.aggregate(aggregate, expr.location)?)),
            ExprKind::Negate(inner) => match self.eval(inner)? {
                Value::Scalar(values) => Ok(Value::Scalar(values.into_iter().map(|value| -value).collect())),
                Value::Vector(rows) => {
                    let negated = rows.into_iter().map(|row| self.negated(row, expr.location)).collect::<Outcome<_>>()?;
                    self.merge(negated, expr.location).map(Value::Vector)
                }
                Value::Text(_) => Err(PromqlError::parse("A sign needs a scalar or an instant vector, not a string.", expr.location)),
            },
            ExprKind::Binary(binary) => self.binary(binary, expr.location),
        }
    }

    fn scalar(&self, expr: &Expr) -> Outcome<Vec<f64>> {
        match self.eval(expr)? {
            Value::Scalar(values) => Ok(values),
            _ => Err(wrong_type(expr, ValueType::Scalar)),
        }
    }

    fn vector(&self, expr: &Expr) -> Outcome<Vec<Row>> {
        match self.eval(expr)? {
            Value::Vector(rows) => Ok(rows),
            _ => Err(wrong_type(expr, ValueType::Vector)),
        }
    }

    fn text(&self, expr: &Expr) -> Outcome<String> {
        match self.eval(expr)? {
            Value::Text(text) => Ok(text),
            _ => Err(wrong_type(expr, ValueType::Text)),
        }
    }

    fn comparing(self) -> Self {
        let compares = if self.compares == Compares::Never { Compares::Never } else { Compares::Yes };
        Context { compares, ..self }
    }

    fn never_comparing(self) -> Self {
        Context { compares: Compares::Never, ..self }
    }

    /// Where notes about an expression belong.
    fn about(&self, expr: &Expr) -> About<'_> {
        self.notes.at(expr.start())
    }

    /// Maps each number along with its step number; drops metric names and histograms.
    fn map(&self, mut rows: Vec<Row>, location: TextRange, apply: impl Fn(f64, usize) -> Option<f64>) -> Outcome<Vec<Row>> {
        for row in &mut rows {
            row.labels = row.labels.without_name();
            row.histograms.clear();
            for (step, value) in row.values.iter_mut().enumerate() {
                *value = value.and_then(|found| apply(found, step));
            }
        }
        self.merge(rows, location)
    }

    /// Merges rows with equal labels, which must not have values at the same step. Drops empty rows.
    fn merge(&self, rows: Vec<Row>, location: TextRange) -> Outcome<Vec<Row>> {
        let mut places: HashMap<Labels, usize> = HashMap::with_capacity(rows.len());
        let mut merged: Vec<Row> = Vec::with_capacity(rows.len());
        for row in rows {
            if row.is_empty() {
                continue;
            }
            let Some(kept) = places.get(&row.labels).and_then(|at| merged.get_mut(*at)) else {
                places.insert(row.labels.clone(), merged.len());
                merged.push(row);
                continue;
            };
            for step in 0..self.steps.count {
                let Some(point) = row.point(step) else { continue };
                if kept.has(step) {
                    let problem = format!("The result would have several series with the same labels {}.", kept.labels);
                    return Err(PromqlError::eval(problem, location));
                }
                kept.put(step, Some(point));
            }
        }
        Ok(merged)
    }
}

fn wrong_type(expr: &Expr, wanted: ValueType) -> PromqlError {
    PromqlError::parse(format!("Expected {}, found {}.", wanted.words(), expr.value_type().words()), expr.location)
}
