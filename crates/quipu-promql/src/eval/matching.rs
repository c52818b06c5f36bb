//! Binary operators: vector matching, and labels of the result.

use super::{Context, Outcome, Row, Value};
use crate::ast::{Binary, Cardinality, Grouping};
use crate::error::{PromqlError, TextRange};
use crate::labels::Labels;
use crate::operator::Operator;
use crate::series::Point;
use std::collections::HashMap;

/// Rows of one side by matching labels.
struct Sides {
    many: Vec<Row>,
    one: Vec<Row>,
}

impl Context<'_> {
    pub(super) fn binary(&self, binary: &Binary, location: TextRange) -> Outcome<Value> {
        let operator = binary.operator;
        let inner = if operator.trims() { self.never_comparing() } else { *self };
        match (inner.eval(&binary.left)?, inner.eval(&binary.right)?) {
            (Value::Scalar(left), Value::Scalar(right)) => {
                Ok(Value::Scalar(left.into_iter().zip(right).map(|(left, right)| operator.apply(left, right)).collect()))
            }
            (Value::Vector(left), Value::Vector(right)) if operator.is_set() => {
                Ok(Value::Vector(self.join_sets(operator, &binary.matching, left, right, location)?))
            }
            (Value::Vector(left), Value::Vector(right)) => Ok(Value::Vector(self.join(binary, left, right, location)?)),
            (Value::Vector(rows), Value::Scalar(scalars)) => self.with_scalar(binary, rows, &scalars, false, location),
            (Value::Scalar(scalars), Value::Vector(rows)) => self.with_scalar(binary, rows, &scalars, true, location),
            _ => Err(PromqlError::parse("Operators need scalars or instant vectors, not a string.", location)),
        }
    }

    /// Combines each value with the scalar at its step, which is on the left if `is_swapped`.
    fn with_scalar(&self, binary: &Binary, mut rows: Vec<Row>, scalars: &[f64], is_swapped: bool, location: TextRange) -> Outcome<Value> {
        let operator = binary.operator;
        let is_filter = operator.compares() && !binary.is_bool;
        let scalar = |step: usize| scalars.get(step).copied().unwrap_or(f64::NAN);
        for row in &mut rows {
            if !is_filter && !operator.trims() {
                row.labels = row.labels.without_name();
            }
            if !row.has_histograms() && !operator.trims() {
                for (step, slot) in row.values.iter_mut().enumerate() {
                    let Some(value) = *slot else { continue };
                    let (left, right) = if is_swapped { (scalar(step), value) } else { (value, scalar(step)) };
                    let result = operator.apply(left, right);
                    *slot = if is_filter { (result == 1.0).then_some(value) } else { Some(result) };
                }
                continue;
            }
            for step in 0..self.steps.count {
                let Some(point) = row.point(step) else { continue };
                let (value, scalar) = (point.clone(), Point::Float(scalar(step)));
                let (left, right) = if is_swapped { (scalar, value) } else { (value, scalar) };
                let result = self.made(self.combine(binary, left, right), location)?;
                row.put(step, if is_filter { result.map(|_| point) } else { result });
            }
        }
        Ok(Value::Vector(self.merge(rows, location)?))
    }

    /// Arithmetic and comparison of two vectors.
    fn join(&self, binary: &Binary, left: Vec<Row>, right: Vec<Row>, location: TextRange) -> Outcome<Vec<Row>> {
        let is_swapped = matches!(binary.cardinality, Cardinality::OneToMany(_));
        let Sides { many, one } = if is_swapped { Sides { many: right, one: left } } else { Sides { many: left, one: right } };
        // Steps at which both sides have values; others have no result.
        let is_live: Vec<bool> = {
            let any = |rows: &[Row], step: usize| rows.iter().any(|row| row.has(step));
            (0..self.steps.count).map(|step| any(&many, step) && any(&one, step)).collect()
        };
        let mut groups: HashMap<Labels, (Vec<&Row>, Vec<&Row>)> = HashMap::new();
        for row in &one {
            groups.entry(binary.matching.key(&row.labels)).or_default().1.push(row);
        }
        for row in &many {
            if let Some((many, _)) = groups.get_mut(&binary.matching.key(&row.labels)) {
                many.push(row);
            }
        }
        // Iterate over the many side, so that the result has a defined order.
        let mut joined = Vec::new();
        for (key, (_, ones)) in &groups {
            self.check_single(key, ones, &is_live, location)?;
        }
        let mut taken: HashMap<Labels, Vec<bool>> = HashMap::new();
        for row in &many {
            let key = binary.matching.key(&row.labels);
            let Some((_, ones)) = groups.get(&key) else { continue };
            self.work((ones.len() as u64).saturating_mul(self.steps.count as u64), location)?;
            for other in ones {
                let found = self.pair(binary, (row, other), is_swapped, location)?;
                if binary.cardinality == Cardinality::OneToOne {
                    let taken = taken.entry(key.clone()).or_insert_with(|| vec![false; self.steps.count]);
                    check_free(taken, (row, other), &key, location)?;
                }
                self.check_rows(joined.len() + 1, location)?;
                joined.push(found);
            }
        }
        let rows = self.merge(joined, location);
        rows.map_err(|error| PromqlError {
            message: format!("{} The labels that group_left or group_right name must keep them apart.", error.message),
            ..error
        })
    }

    /// Combines two rows.
    fn pair(&self, binary: &Binary, (many, one): (&Row, &Row), is_swapped: bool, location: TextRange) -> Outcome<Row> {
        let operator = binary.operator;
        let labels = result_labels(binary, many, one);
        if !many.has_histograms() && !one.has_histograms() && !operator.trims() {
            let value = |step: usize| {
                let (many, one) = (many.at(step)?, one.at(step)?);
                let (left, right) = if is_swapped { (one, many) } else { (many, one) };
                let result = operator.apply(left, right);
                if operator.compares() && !binary.is_bool { (result == 1.0).then_some(left) } else { Some(result) }
            };
            return Ok(Row::new(labels, (0..self.steps.count).map(value).collect()));
        }
        let mut row = Row::new(labels, vec![None; self.steps.count]);
        for step in 0..self.steps.count {
            let (Some(many), Some(one)) = (many.point(step), one.point(step)) else { continue };
            let (left, right) = if is_swapped { (one, many) } else { (many, one) };
            row.put(step, self.made(self.combine(binary, left, right), location)?);
        }
        Ok(row)
    }

    /// Checks that each group on the one side has at most one series per step.
    fn check_single(&self, key: &Labels, rows: &[&Row], is_live: &[bool], location: TextRange) -> Outcome<()> {
        if rows.len() < 2 {
            return Ok(());
        }
        for step in is_live.iter().enumerate().filter(|(_, is_live)| **is_live).map(|(step, _)| step) {
            let mut found = rows.iter().filter(|row| row.has(step));
            if let (Some(one), Some(other)) = (found.next(), found.next()) {
                let problem = format!(
                    "Several series on one side match at {key}: {} and {}. That side may have only one: add labels to on, or swap group_left and group_right.",
                    one.labels, other.labels
                );
                return Err(PromqlError::eval(problem, location));
            }
        }
        Ok(())
    }

    /// `and`, `or`, `unless`: select series by presence on the other side.
    fn join_sets(
        &self,
        operator: Operator,
        matching: &Grouping,
        left: Vec<Row>,
        right: Vec<Row>,
        location: TextRange,
    ) -> Outcome<Vec<Row>> {
        let presence = |rows: &[Row]| {
            let mut present: HashMap<Labels, Vec<bool>> = HashMap::new();
            for row in rows {
                let steps = present.entry(matching.key(&row.labels)).or_insert_with(|| vec![false; self.steps.count]);
                steps.iter_mut().enumerate().for_each(|(step, is_present)| *is_present |= row.has(step));
            }
            present
        };
        let keep = |mut rows: Vec<Row>, present: &HashMap<Labels, Vec<bool>>, where_present: bool| {
            for row in &mut rows {
                let found = present.get(&matching.key(&row.labels));
                row.retain(|step| found.and_then(|steps| steps.get(step)).copied().unwrap_or(false) == where_present);
            }
            rows
        };
        let rows = match operator {
            Operator::And => keep(left, &presence(&right), true),
            Operator::Unless => keep(left, &presence(&right), false),
            _ => {
                let present = presence(&left);
                let mut rows = left;
                rows.extend(keep(right, &present, false));
                rows
            }
        };
        self.merge(rows, location)
    }
}

/// For one-to-one matching: checks that each group has at most one pair of values per step, even if a comparison does not hold.
fn check_free(taken: &mut [bool], (one, other): (&Row, &Row), key: &Labels, location: TextRange) -> Outcome<()> {
    for (step, taken) in taken.iter_mut().enumerate() {
        let is_pair = one.has(step) && other.has(step);
        if *taken && is_pair {
            let problem = format!("Several series on the left match one on the right at {key}. Add group_left if this is intended.");
            return Err(PromqlError::eval(problem, location));
        }
        *taken |= is_pair;
    }
    Ok(())
}

fn result_labels(binary: &Binary, many: &Row, one: &Row) -> Labels {
    let keeps_name = binary.operator.trims() || binary.operator.compares() && !binary.is_bool;
    let mut labels = if keeps_name { many.labels.clone() } else { many.labels.without_name() };
    let taken = match &binary.cardinality {
        Cardinality::OneToOne => {
            return match &binary.matching {
                Grouping::Only(names) => labels.only(names),
                Grouping::Without(names) => labels.without(names),
            };
        }
        Cardinality::ManyToOne(names) | Cardinality::OneToMany(names) => names,
    };
    for name in taken {
        labels = labels.with(name, one.labels.get(name));
    }
    labels
}
