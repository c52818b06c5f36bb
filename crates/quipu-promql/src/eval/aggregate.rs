//! Aggregation operators: combine the series of a group, or select some of them.

use super::{Context, Outcome, Row, wrong_type};
use crate::ast::{Aggregate, Grouping};
use crate::error::{PromqlError, TextRange};
use crate::functions::text::plain_number;
use crate::functions::{mean, quantile, sum, variance};
use crate::labels::Labels;
use crate::series::Point;
use crate::value_type::ValueType;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Rows by group, in the order of first occurrence.
type Groups = Vec<(Labels, Vec<Row>)>;

impl Grouping {
    /// The labels of a series' group.
    pub(super) fn key(&self, labels: &Labels) -> Labels {
        match self {
            Grouping::Only(names) => labels.only(names),
            Grouping::Without(names) => labels.without_name().without(names),
        }
    }
}

impl Context<'_> {
    pub(super) fn aggregate(&self, aggregate: &Aggregate, location: TextRange) -> Outcome<Vec<Row>> {
        let rows = self.vector(&aggregate.expr)?;
        self.work((rows.len() as u64).saturating_mul(self.steps.count as u64), location)?;
        let groups = group(&aggregate.grouping, rows);
        self.budget.look().map_err(|limit| PromqlError::over(limit, location))?;
        let param = || aggregate.param.as_ref().ok_or_else(|| wrong_type(&aggregate.expr, ValueType::Scalar));
        let fold: fn(&[f64]) -> f64 = match aggregate.operator.as_str() {
            "sum" => |values| sum(values.iter().copied()),
            "avg" => |values| mean(values.iter().copied()),
            "count" => |values| values.len() as f64,
            "min" => |values| values.iter().copied().fold(f64::NAN, f64::min),
            "max" => |values| values.iter().copied().fold(f64::NAN, f64::max),
            "group" => |_| 1.0,
            "stddev" => |values| variance(values.iter().copied()).sqrt(),
            "stdvar" => |values| variance(values.iter().copied()),
            "quantile" => {
                let param = param()?;
                let shares = self.scalar(param)?;
                shares.iter().for_each(|share| self.about(param).odd_quantile(*share));
                return self.fold(groups, aggregate, |values, step| quantile(shares.get(step).copied().unwrap_or(f64::NAN), values));
            }
            "topk" | "bottomk" | "limitk" => {
                let limits = self.limits(&self.scalar(param()?)?, param()?.location)?;
                return Ok(self.choose(groups, &aggregate.operator, &limits, location.start));
            }
            "count_values" => {
                let param = param()?;
                let label = self.text(param)?;
                if label.is_empty() || label.contains('\u{fffd}') {
                    return Err(PromqlError::eval(format!("{label:?} is not a valid label name."), param.location));
                }
                return self.count_values(groups, &label, location);
            }
            other => return Err(PromqlError::parse(format!("The aggregation {other} is not supported."), location)),
        };
        self.fold(groups, aggregate, |values, _| fold(values))
    }

    /// Combines each group into one row.
    fn fold(&self, groups: Groups, aggregate: &Aggregate, fold: impl Fn(&mut [f64], usize) -> f64) -> Outcome<Vec<Row>> {
        let mut scratch = Vec::new();
        let mut row = |(labels, rows): (Labels, Vec<Row>)| {
            let mut value = |step: usize| {
                scratch.clear();
                scratch.extend(rows.iter().filter_map(|row| row.at(step)));
                (!scratch.is_empty()).then(|| fold(&mut scratch, step))
            };
            if rows.iter().any(Row::has_histograms) {
                let mut row = Row::new(labels, vec![None; self.steps.count]);
                for step in 0..self.steps.count {
                    let buckets: u64 = rows.iter().filter_map(|row| row.histogram(step)).map(|histogram| histogram.size()).sum();
                    self.work(buckets, aggregate.expr.location)?;
                    row.put(step, self.made(self.fold_histograms(aggregate, &rows, step, &mut value), aggregate.expr.location)?);
                }
                return Ok(row);
            }
            Ok(Row::new(labels, (0..self.steps.count).map(value).collect()))
        };
        let mut rows = groups.into_iter().map(&mut row).collect::<Outcome<Vec<Row>>>()?;
        rows.retain(|row| !row.is_empty());
        Ok(rows)
    }

    /// The number of series to select at each step.
    fn limits(&self, values: &[f64], location: TextRange) -> Outcome<Vec<usize>> {
        let limit = |value: &f64| match *value {
            value if value.is_nan() || value >= 9e18 || value <= -9e18 => {
                Err(PromqlError::eval(format!("{} is not a valid number of series.", plain_number(value)), location))
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a fraction selects no series; where addresses have 32 bits, there are fewer series than the limit"
            )]
            value => Ok(if value < 1.0 { 0 } else { value as usize }),
        };
        values.iter().map(limit).collect()
    }

    /// Selects rows of each group, keeping their labels. For an instant query, the best come first.
    fn choose(&self, groups: Groups, operator: &str, limits: &[usize], place: usize) -> Vec<Row> {
        let is_better = |one: f64, other: f64| if operator == "topk" { one > other } else { one < other };
        let order = |one: &(usize, f64), other: &(usize, f64)| match (one.1.is_nan(), other.1.is_nan()) {
            (false, false) if is_better(one.1, other.1) => Ordering::Less,
            (false, false) if is_better(other.1, one.1) => Ordering::Greater,
            (one, other) => one.cmp(&other),
        };
        let mut chosen = Vec::new();
        for (_, rows) in groups {
            let mut kept: Vec<Row> = rows.iter().map(|row| Row::new(row.labels.clone(), vec![None; self.steps.count])).collect();
            let mut first_step = Vec::new();
            for (step, limit) in limits.iter().enumerate() {
                let is_any = operator == "limitk";
                let found = rows.iter().enumerate().filter(|(_, row)| row.has(step));
                let mut list: Vec<(usize, f64)> = if is_any {
                    found.map(|(number, _)| (number, 0.0)).collect()
                } else {
                    if *limit > 0 && rows.iter().any(|row| row.histogram(step).is_some()) {
                        self.notes.at(place).ignored_in_aggregation(operator);
                    }
                    found.filter_map(|(number, row)| Some((number, row.at(step)?))).collect()
                };
                if !is_any {
                    list.sort_by(order);
                }
                list.truncate(*limit);
                for (number, _) in &list {
                    if let (Some(row), Some(from)) = (kept.get_mut(*number), rows.get(*number)) {
                        row.put(step, from.point(step));
                    }
                }
                if step == 0 {
                    first_step = list.into_iter().map(|(number, _)| number).collect();
                }
            }
            if self.is_instant {
                chosen.extend(first_step.iter().filter_map(|number| kept.get(*number).cloned()));
            } else {
                chosen.extend(kept.into_iter().filter(|row| !row.is_empty()));
            }
        }
        chosen
    }

    /// Counts the series of each group by value, which becomes a label.
    fn count_values(&self, groups: Groups, label: &str, location: TextRange) -> Outcome<Vec<Row>> {
        let mut counted: Vec<Row> = Vec::new();
        let mut places: HashMap<Labels, usize> = HashMap::new();
        for (labels, rows) in groups {
            for step in 0..self.steps.count {
                for point in rows.iter().filter_map(|row| row.point(step)) {
                    let text = match point {
                        Point::Float(value) => plain_number(value),
                        Point::Histogram(histogram) => histogram.to_string(),
                    };
                    let labels = labels.with(label, &text);
                    self.hold(labels.bytes(), location)?;
                    let at = *places.entry(labels.clone()).or_insert(counted.len());
                    if at == counted.len() {
                        self.check_rows(at + 1, location)?;
                        counted.push(Row::new(labels, vec![None; self.steps.count]));
                    }
                    if let Some(slot) = counted.get_mut(at).and_then(|row| row.values.get_mut(step)) {
                        *slot = Some(slot.unwrap_or(0.0) + 1.0);
                    }
                }
            }
        }
        Ok(counted)
    }
}

fn group(grouping: &Grouping, rows: Vec<Row>) -> Groups {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Groups = Vec::new();
    for row in rows {
        let key = grouping.key(&row.labels);
        let at = *places.entry(key.clone()).or_insert(groups.len());
        if at == groups.len() {
            groups.push((key, Vec::new()));
        }
        if let Some((_, rows)) = groups.get_mut(at) {
            rows.push(row);
        }
    }
    groups
}
