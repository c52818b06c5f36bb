//! Function calls: evaluates the arguments, then applies the table entry.

use super::select::{Take, seconds};
use super::window::OverWindow;
use super::{Context, Outcome, Row, Value};
use crate::ast::{Expr, ExprKind, Selector};
use crate::error::{PromqlError, TextRange};
use crate::functions::dates;
use crate::functions::dates::Part;
use crate::functions::math;
use crate::functions::text::natural_order;
use crate::functions::{Form, Function, Needs, Special, Window};
use crate::labels::{Labels, METRIC_NAME};
use crate::matcher::MatchOperator;
use crate::value_type::ValueType;
use std::cmp::Ordering;

impl Context<'_> {
    pub(super) fn call(&self, function: &Function, arguments: &[Expr], location: TextRange) -> Outcome<Value> {
        match function.form {
            Form::Each(apply) => {
                let (Some(vector), scalars) = (arguments.first(), arguments.get(1..).unwrap_or_default()) else {
                    return Err(missing(function, location));
                };
                let rows = self.vector(vector)?;
                let scalars = self.scalars(scalars)?;
                Ok(Value::Vector(self.map(rows, location, |value, step| apply(value, &at_step(&scalars, step)))?))
            }
            Form::Over(needs, keeps_name, apply) => {
                let is_range = |argument: &&Expr| argument.value_type() == ValueType::Matrix;
                let Some(range) = arguments.iter().find(is_range) else { return Err(missing(function, location)) };
                let others: Vec<&Expr> = arguments.iter().filter(|argument| !is_range(argument)).collect();
                let scalars = others.iter().map(|argument| self.scalar(argument)).collect::<Outcome<Vec<_>>>()?;
                check_factors(function, &scalars, &others)?;
                let ranges = self.ranges(range)?;
                let apply = |window: &Window<'_>, step: usize| apply(window, &at_step(&scalars, step));
                if function.name == "quantile_over_time" {
                    scalars
                        .iter()
                        .flatten()
                        .for_each(|share| others.first().into_iter().for_each(|at| self.about(at).odd_quantile(*share)));
                }
                Ok(Value::Vector(self.over(ranges, OverWindow { name: function.name, needs, keeps_name, apply: &apply })?))
            }
            Form::Date(part) => self.date(part, arguments, location),
            Form::Special(special) => self.special(special, arguments, location).unwrap_or_else(|| Err(missing(function, location))),
            Form::OfHistogram(apply) => {
                let Some(vector) = arguments.first() else { return Err(missing(function, location)) };
                // The others look at the buckets.
                let needs_no_buckets = matches!(function.name, "histogram_avg" | "histogram_count" | "histogram_sum");
                let inner = if needs_no_buckets { self.comparing() } else { *self };
                Ok(Value::Vector(self.of_histograms(inner.vector(vector)?, location, apply)?))
            }
            Form::Unsupported => Err(PromqlError::parse(format!("The function {} is not supported.", function.name), location)),
        }
    }

    fn scalars(&self, arguments: &[Expr]) -> Outcome<Vec<Vec<f64>>> {
        arguments.iter().map(|argument| self.scalar(argument)).collect()
    }

    fn date(&self, part: Part, arguments: &[Expr], location: TextRange) -> Outcome<Value> {
        let rows = match arguments.first() {
            Some(vector) => self.vector(vector)?,
            None => vec![self.row(|step| self.seconds(step))],
        };
        Ok(Value::Vector(self.map(rows, location, |value, _| Some(dates::part(part, value)))?))
    }

    /// `None` if an argument is missing, which the parser rejects.
    fn special(&self, special: Special, arguments: &[Expr], location: TextRange) -> Option<Outcome<Value>> {
        let scalar = |make: &dyn Fn(usize) -> f64| Ok(Value::Scalar((0..self.steps.count).map(make).collect()));
        Some(match special {
            Special::Time => scalar(&|step| self.seconds(step)),
            Special::Pi => scalar(&|_| std::f64::consts::PI),
            Special::Start => scalar(&|_| seconds(self.first)),
            Special::End => scalar(&|_| seconds(self.last)),
            Special::Step => scalar(&|_| if self.is_instant { 0.0 } else { seconds(self.steps.step) }),
            Special::Range => scalar(&|_| seconds(self.last.saturating_sub(self.first))),
            Special::MinOf | Special::MaxOf => self.either(special, arguments.first()?, arguments.get(1)?),
            Special::Scalar => self.only_value(arguments.first()?),
            Special::Vector => self
                .scalar(arguments.first()?)
                .map(|values| Value::Vector(vec![self.row(|step| values.get(step).copied().unwrap_or(f64::NAN))])),
            Special::Timestamp => self.timestamp(arguments.first()?, location),
            Special::Absent => self.absent(arguments.first()?),
            Special::AbsentOverTime => self.absent_over_time(arguments.first()?),
            Special::Sort | Special::SortDescending | Special::SortByLabel | Special::SortByLabelDescending => {
                self.sort(special, arguments.first()?, arguments.get(1..)?, location.start)
            }
            Special::LabelReplace => self.label_replace(arguments, location),
            Special::LabelJoin => self.label_join(arguments, location),
            Special::HistogramQuantile => self.histogram_quantile(arguments.first()?, arguments.get(1)?, location),
            Special::HistogramFraction => self.histogram_fraction(arguments, location),
            Special::HistogramQuantiles => self.histogram_quantiles(arguments, location),
        })
    }

    fn seconds(&self, step: usize) -> f64 {
        seconds(self.steps.at(step))
    }

    /// A row without labels.
    fn row(&self, make: impl Fn(usize) -> f64) -> Row {
        Row::new(Labels::default(), (0..self.steps.count).map(|step| Some(make(step))).collect())
    }

    fn either(&self, special: Special, one: &Expr, other: &Expr) -> Outcome<Value> {
        let (one, other) = (self.scalar(one)?, self.scalar(other)?);
        let take = if special == Special::MinOf { math::at_most } else { math::at_least };
        Ok(Value::Scalar(one.into_iter().zip(other).map(|(one, other)| take(one, other)).collect()))
    }

    /// The value of a single series at each step.
    fn only_value(&self, argument: &Expr) -> Outcome<Value> {
        let rows = self.vector(argument)?;
        let only = |step: usize| {
            let mut values = rows.iter().filter_map(|row| row.at(step));
            values.next().filter(|_| values.next().is_none()).unwrap_or(f64::NAN)
        };
        Ok(Value::Scalar((0..self.steps.count).map(only).collect()))
    }

    /// Times of the samples for a bare selector, otherwise times of the steps.
    fn timestamp(&self, argument: &Expr, location: TextRange) -> Outcome<Value> {
        if let ExprKind::Select(selector) = &argument.bare().kind {
            let rows = self.select(selector, argument.location, Take::Time)?;
            return Ok(Value::Vector(self.map(rows, location, |value, _| Some(value))?));
        }
        let rows = self.vector(argument)?;
        let row = |row: Row| {
            let values = (0..self.steps.count).map(|step| row.has(step).then(|| self.seconds(step)));
            Row::new(row.labels.without_name(), values.collect())
        };
        Ok(Value::Vector(self.merge(rows.into_iter().map(row).collect(), location)?))
    }

    fn absent(&self, argument: &Expr) -> Outcome<Value> {
        let rows = self.vector(argument)?;
        let labels = match &argument.bare().kind {
            ExprKind::Select(selector) => known_labels(selector),
            _ => Labels::default(),
        };
        Ok(Value::Vector(self.where_absent(labels, &rows)))
    }

    fn absent_over_time(&self, argument: &Expr) -> Outcome<Value> {
        let labels = match &argument.bare().kind {
            ExprKind::Range(selector, _) => known_labels(selector),
            _ => Labels::default(),
        };
        // Names are kept, so that series stay distinct.
        let present = OverWindow { name: "present_over_time", needs: Needs::Ends, keeps_name: true, apply: &|_, _| Some(1.0) };
        let rows = self.over(self.ranges(argument)?, present)?;
        Ok(Value::Vector(self.where_absent(labels, &rows)))
    }

    fn where_absent(&self, labels: Labels, rows: &[Row]) -> Vec<Row> {
        let is_absent = |step: usize| !rows.iter().any(|row| row.has(step));
        let values: Vec<Option<f64>> = (0..self.steps.count).map(|step| is_absent(step).then_some(1.0)).collect();
        if values.iter().any(Option::is_some) { vec![Row::new(labels, values)] } else { Vec::new() }
    }

    /// Sorts the series of an instant query. Range queries have no order.
    fn sort(&self, special: Special, argument: &Expr, names: &[Expr], place: usize) -> Outcome<Value> {
        let mut rows = self.vector(argument)?;
        let names = names.iter().map(|name| self.text(name)).collect::<Outcome<Vec<_>>>()?;
        let is_by_value = matches!(special, Special::Sort | Special::SortDescending);
        if !self.is_instant {
            self.notes.at(place).sort_without_effect();
            return Ok(Value::Vector(rows));
        }
        if is_by_value {
            rows.retain(|row| row.at(0).is_some());
        }
        let by_value = |one: &Row, other: &Row, descending: bool| {
            let (one, other) = (one.at(0).unwrap_or(f64::NAN), other.at(0).unwrap_or(f64::NAN));
            // NaN is last in both orders.
            one.is_nan().cmp(&other.is_nan()).then_with(|| {
                let order = one.partial_cmp(&other).unwrap_or(Ordering::Equal);
                if descending { order.reverse() } else { order }
            })
        };
        let by_label = |one: &Row, other: &Row| {
            let orders = names.iter().map(|name| natural_order(one.labels.get(name), other.labels.get(name)));
            orders.into_iter().find(|order| *order != Ordering::Equal).unwrap_or_else(|| one.labels.cmp(&other.labels))
        };
        match special {
            Special::Sort => rows.sort_by(|one, other| by_value(one, other, false)),
            Special::SortDescending => rows.sort_by(|one, other| by_value(one, other, true)),
            Special::SortByLabel => rows.sort_by(by_label),
            _ => rows.sort_by(|one, other| by_label(other, one)),
        }
        Ok(Value::Vector(rows))
    }
}

/// The scalars at a step.
fn at_step(scalars: &[Vec<f64>], step: usize) -> Vec<f64> {
    scalars.iter().map(|values| values.get(step).copied().unwrap_or(f64::NAN)).collect()
}

fn missing(function: &Function, location: TextRange) -> PromqlError {
    PromqlError::parse(format!("{} is missing an argument.", function.name), location)
}

/// Checks that smoothing factors are between 0 and 1.
fn check_factors(function: &Function, scalars: &[Vec<f64>], arguments: &[&Expr]) -> Outcome<()> {
    if !matches!(function.name, "holt_winters" | "double_exponential_smoothing") {
        return Ok(());
    }
    for (values, argument) in scalars.iter().zip(arguments) {
        if let Some(odd) = values.iter().find(|value| !(**value > 0.0 && **value < 1.0)) {
            return Err(PromqlError::eval(format!("A smoothing factor must be between 0 and 1, not {odd}."), argument.location));
        }
    }
    Ok(())
}

/// The labels that series of a selector are known to have.
fn known_labels(selector: &Selector) -> Labels {
    let mut labels: Vec<(&str, &str)> = Vec::new();
    let mut twice: Vec<&str> = Vec::new();
    for matcher in selector.matchers.iter().filter(|matcher| matcher.name() != METRIC_NAME) {
        let is_known = labels.iter().any(|(name, _)| *name == matcher.name());
        if matcher.operator() == MatchOperator::Is && !is_known {
            labels.push((matcher.name(), matcher.value()));
        } else {
            twice.push(matcher.name());
        }
    }
    labels.retain(|(name, _)| !twice.contains(name));
    Labels::new(labels)
}
