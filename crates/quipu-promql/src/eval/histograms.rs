//! Evaluation of native histograms: binary operators, aggregations, and functions of a whole histogram.

use super::{Context, Outcome, Row};
use crate::ast::{Aggregate, Binary};
use crate::error::TextRange;
use crate::functions::native::finish;
use crate::labels::METRIC_NAME;
use crate::native::Histogram;
use crate::native::total;
use crate::native::trim::Cut;
use crate::notes::Operation;
use crate::operator::Operator;
use crate::series::Point;
use std::sync::Arc;

impl Context<'_> {
    /// A row with the sign of every value changed, and without the metric's name.
    pub(super) fn negated(&self, mut row: Row, location: TextRange) -> Outcome<Row> {
        row.labels = row.labels.without_name();
        row.values.iter_mut().flatten().for_each(|value| *value = -*value);
        for step in 0..row.histograms.len() {
            if let Some(histogram) = row.histogram(step) {
                let negated = self.made(Some(Point::Histogram(Arc::new(histogram.times(-1.0)))), location)?;
                row.put(step, negated);
            }
        }
        Ok(row)
    }

    /// The result of an operator; `None` if a comparison does not hold, or the operator is not one for these values.
    pub(super) fn combine(&self, binary: &Binary, left: Point, right: Point) -> Option<Point> {
        let operator = binary.operator;
        let (left, right) = match (left, right) {
            (Point::Float(left), Point::Float(right)) if !operator.trims() => {
                let result = operator.apply(left, right);
                let is_filter = operator.compares() && !binary.is_bool;
                return if is_filter { (result == 1.0).then_some(Point::Float(left)) } else { Some(Point::Float(result)) };
            }
            other => other,
        };
        let about = self.notes.at(binary.left.start());
        let histogram = |histogram: Histogram| Some(Point::Histogram(Arc::new(histogram)));
        match (&left, operator, &right) {
            (Point::Float(factor), Operator::Multiply, Point::Histogram(other))
            | (Point::Histogram(other), Operator::Multiply, Point::Float(factor)) => histogram(other.times(*factor)),
            (Point::Histogram(left), Operator::Divide, Point::Float(divisor)) => histogram(left.divided(*divisor)),
            (Point::Histogram(left), Operator::TrimUpper | Operator::TrimLower, Point::Float(at)) => {
                histogram(left.trimmed(Cut { at: *at, keeps_lower: operator == Operator::TrimUpper }))
            }
            (Point::Histogram(left), Operator::Add | Operator::Subtract, Point::Histogram(right)) => {
                let is_sum = operator == Operator::Add;
                let (total, operation) =
                    if is_sum { (left.plus(right), Operation::Addition) } else { (left.minus(right), Operation::Subtraction) };
                let Ok(total) = total else { return None };
                match finish(total, operation, about) {
                    Point::Histogram(result) if !is_sum => histogram(result.as_ref().clone().into_gauge()),
                    result => Some(result),
                }
            }
            (Point::Histogram(one), Operator::Equal | Operator::NotEqual, Point::Histogram(other)) => {
                let holds = one.equals(other) == (operator == Operator::Equal);
                if binary.is_bool { Some(Point::Float(f64::from(u8::from(holds)))) } else { holds.then_some(left) }
            }
            _ => {
                about.incompatible_types(operator.text(), kind(&left), kind(&right));
                None
            }
        }
    }

    /// The value of a group with histograms at a step; `of_floats` aggregates its numbers.
    pub(super) fn fold_histograms(
        &self,
        aggregate: &Aggregate,
        rows: &[Row],
        step: usize,
        of_floats: &mut dyn FnMut(usize) -> Option<f64>,
    ) -> Option<Point> {
        let histograms: Vec<&Histogram> = rows.iter().filter_map(|row| row.histogram(step)).map(Arc::as_ref).collect();
        let about = self.about(&aggregate.expr);
        let value = of_floats(step);
        if histograms.is_empty() {
            return value.map(Point::Float);
        }
        let operator = aggregate.operator.as_str();
        match operator {
            "count" => Some(Point::Float(rows.iter().filter(|row| row.has(step)).count() as f64)),
            "group" => Some(Point::Float(1.0)),
            "sum" | "avg" if value.is_some() => {
                about.mixed_aggregation();
                None
            }
            "sum" | "avg" => {
                let list = histograms.iter().copied();
                let total = if operator == "sum" { total::total(list) } else { total::mean(list) };
                if let Ok(total) = total {
                    return Some(finish(total?, Operation::Aggregation, about));
                }
                let is_first_kind =
                    |histogram: &Histogram| histograms.first().is_some_and(|first| first.is_custom() == histogram.is_custom());
                let odd = rows.iter().find(|row| row.histogram(step).is_some_and(|histogram| !is_first_kind(histogram)));
                about.metric(odd.map_or("", |row| row.labels.get(METRIC_NAME))).incompatible_buckets();
                None
            }
            _ => {
                about.ignored_in_aggregation(operator);
                value.map(Point::Float)
            }
        }
    }

    /// Maps every histogram to a number; drops metric names and numbers.
    pub(super) fn of_histograms(&self, rows: Vec<Row>, location: TextRange, apply: fn(&Histogram) -> f64) -> Outcome<Vec<Row>> {
        let row = |row: Row| {
            let values = (0..self.steps.count).map(|step| row.histogram(step).map(|histogram| apply(histogram)));
            Row::new(row.labels.without_name(), values.collect())
        };
        self.merge(rows.into_iter().filter(Row::has_histograms).map(row).collect(), location)
    }
}

fn kind(point: &Point) -> &'static str {
    match point {
        Point::Float(_) => "float",
        Point::Histogram(_) => "histogram",
    }
}
