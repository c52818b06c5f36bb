//! `query_metrics`: one series per set of labels, from `metric.*` events or, if none were recorded, from the token counts in the outputs of
//! inference requests.
//!
//! Derived series have the label `source="derived"`. Not here: how token counts are derived (`tokens`), PromQL.

use super::error::QueryError;
use super::json::AttributeMap;
use super::labels::LabelMatchers;
use super::matching::Source;
use super::params::Object;
use super::types::{MetricDataPoint, MetricLabel, MetricSeries};
use crate::index::Index;
use quipu_model::ordered::sort_by_key;
use quipu_model::recorded::attributes;
use quipu_model::tokens::TokenKind;
use quipu_model::{EventTime, Timestamp};
use quipu_store::{EventColumns, scan_events_named, span_row};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Name and value of the label that flags derived series.
const DERIVED: (&str, &str) = ("source", "derived");

/// A metric over time, or its sum.
pub(super) fn query_metrics(source: Source<'_>, params: &Json, now_seconds: Option<i64>) -> Result<Vec<MetricSeries>, QueryError> {
    let params = Object::read(params, &["metric_name", "start_time", "end_time", "granularity", "query_type", "label_matchers"])?;
    let metric = params.required_text("metric_name")?;
    let start = params.required_integer("start_time")?;
    // 0 means now, like null.
    let end = params.integer("end_time")?.filter(|end| *end != 0).or(now_seconds);
    let is_instant = match params.text("query_type")? {
        None | Some("range") => false,
        Some("instant") => true,
        Some(other) => return Err(QueryError::parameter("query_type", format!("is {other:?}; it is range or instant"))),
    };
    let bucket = match params.text("granularity")?.filter(|text| !text.is_empty()) {
        Some(text) => Some(read_granularity(text)?),
        None => None,
    };
    let matchers = LabelMatchers::read(&params)?;
    let index = source.indexed()?;

    let mut window = Window { start, end, series: BTreeMap::new(), order: 0 };
    scan_events_named(source.database.connection(), source.database.schema(), &format!("metric.{metric}"), |event| {
        if event.name.as_deref().and_then(|name| name.strip_prefix("metric.")) == Some(metric) {
            window.take_event(&event);
        }
    })?;
    if let Some(kind) = TokenKind::from_metric(metric) {
        take_derived(source, index, kind, &mut window)?;
    }
    let mut list: Vec<(u32, MetricSeries)> = Vec::new();
    for (mut labels, (order, points)) in window.series {
        if matchers.accept(&labels) {
            matchers.arrange(&mut labels);
            let values = if is_instant { sums(&points, now_seconds) } else { over_time(points, bucket) };
            list.push((order, MetricSeries { metric: metric.to_owned(), labels, values }));
        }
    }
    sort_by_key(&mut list, |(order, _)| *order);
    Ok(list.into_iter().map(|(_, series)| series).collect())
}

struct Point {
    at: Timestamp,
    value: f64,
    unit: String,
}

/// Points within the requested time range, by labels; each set of labels keeps its order of first appearance.
struct Window {
    start: i64,
    end: Option<i64>,
    series: BTreeMap<Vec<MetricLabel>, (u32, Vec<Point>)>,
    order: u32,
}

impl Window {
    fn holds(&self, at: Timestamp) -> bool {
        let nanos = |seconds: i64| i128::from(seconds) * 1_000_000_000;
        i128::from(at.0) >= nanos(self.start) && self.end.is_none_or(|end| i128::from(at.0) <= nanos(end))
    }

    fn add(&mut self, labels: Vec<MetricLabel>, point: Point) {
        let order = self.order;
        self.order += 1;
        self.series.entry(labels).or_insert((order, Vec::new())).1.push(point);
    }

    fn take_event(&mut self, event: &EventColumns<'_>) {
        let Some(at) = event.timestamp.as_deref().and_then(EventTime::parse).map(|time| time.at).filter(|at| self.holds(*at)) else {
            return;
        };
        let Some(AttributeMap(list)) = AttributeMap::all(event.attributes) else { return };
        let (mut value, mut unit, mut labels) = (None, String::new(), Vec::new());
        for (name, json) in list {
            let text = json.as_text();
            match name.as_str() {
                "value" => value = text.as_deref().unwrap_or(json.get()).parse().ok(),
                "unit" => unit = text.unwrap_or_default(),
                _ => labels.push(MetricLabel { name, value: text.unwrap_or_else(|| python_text(json.get())) }),
            }
        }
        if let Some(value) = value {
            self.add(labels, Point { at, value, unit });
        }
    }
}

/// A non-string value as Python prints it, which the reference implementation uses as the label.
fn python_text(json: &str) -> String {
    match json {
        "true" => "True".into(),
        "false" => "False".into(),
        "null" => "None".into(),
        other => other.into(),
    }
}

/// Adds counts of inference requests that no event recorded, at the end time of the request.
fn take_derived(source: Source<'_>, index: &Index, kind: TokenKind, window: &mut Window) -> Result<(), QueryError> {
    for (row, record) in index.token_records() {
        let Some(count) = record.get(kind).filter(|count| count.source.is_derived()) else { continue };
        let Some(at) = index.end_of(*row).filter(|at| window.holds(*at)) else { continue };
        let mut labels = Vec::new();
        if let Some(model) = model_of(source, index, *row)? {
            labels.push(MetricLabel { name: "model_id".into(), value: model });
        }
        labels.push(MetricLabel { name: DERIVED.0.into(), value: DERIVED.1.into() });
        window.add(labels, Point { at, value: count.tokens as f64, unit: "tokens".into() });
    }
    Ok(())
}

/// The model that an inference request names in its arguments or its output.
pub(crate) fn model_of(source: Source<'_>, index: &Index, row: u32) -> Result<Option<String>, QueryError> {
    let recorded = span_row(source.database.connection(), source.database.schema(), index.rowid_of(row))?;
    let list = attributes(recorded.and_then(|row| row.attributes).unwrap_or_default().as_bytes()).unwrap_or_default();
    let in_attribute = |key: &str, names: &[&str]| {
        let value = list.iter().find(|attribute| attribute.key == key)?.decoded().value;
        names.iter().find_map(|name| value.get(name).and_then(|model| model.as_str()).map(str::to_owned))
    };
    Ok(in_attribute("__args__", &["model_id", "model"]).or_else(|| in_attribute("output", &["model"])))
}

/// The points by time, or their sums per bucket and unit.
fn over_time(mut points: Vec<Point>, bucket: Option<i64>) -> Vec<MetricDataPoint> {
    let seconds = |at: Timestamp| at.0.div_euclid(1_000_000_000);
    let Some(bucket) = bucket else {
        sort_by_key(&mut points, |point| point.at);
        return points
            .into_iter()
            .map(|point| MetricDataPoint { timestamp: seconds(point.at), value: point.value, unit: point.unit })
            .collect();
    };
    let mut sums: BTreeMap<(i64, String), f64> = BTreeMap::new();
    for point in points {
        let start = seconds(point.at).div_euclid(bucket) * bucket;
        *sums.entry((start, point.unit)).or_default() += point.value;
    }
    sums.into_iter().map(|((timestamp, unit), value)| MetricDataPoint { timestamp, value, unit }).collect()
}

/// One sum per unit.
fn sums(points: &[Point], now: Option<i64>) -> Vec<MetricDataPoint> {
    let latest = points.iter().map(|point| point.at.0.div_euclid(1_000_000_000)).max();
    let timestamp = now.or(latest).unwrap_or_default();
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for point in points {
        *sums.entry(&point.unit).or_default() += point.value;
    }
    sums.into_iter().map(|(unit, value)| MetricDataPoint { timestamp, value, unit: unit.to_owned() }).collect()
}

/// Parses a duration such as `30s`, `5m`, `1h`, `1h30m`, `1d`, `1w` into seconds; a unit without a number means one.
fn read_granularity(text: &str) -> Result<i64, QueryError> {
    let bad = || QueryError::parameter("granularity", format!("is {text:?}; it is a duration such as 30s, 5m, 1h, 1d or 1w"));
    let mut rest = text;
    let mut total = 0_i64;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(bad)?;
        let number: i64 = if digits == 0 { 1 } else { rest.get(..digits).and_then(|digits| digits.parse().ok()).ok_or_else(bad)? };
        let unit = rest.get(digits..).and_then(|rest| rest.chars().next()).ok_or_else(bad)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => return Err(bad()),
        };
        total = number.checked_mul(seconds).and_then(|part| total.checked_add(part)).ok_or_else(bad)?;
        rest = rest.get(digits + 1..).unwrap_or_default();
    }
    if total > 0 { Ok(total) } else { Err(bad()) }
}
