//! Converts OTLP metrics to points without changing their values.

#![expect(missing_docs, reason = "fields and variants are named like in OTLP's messages")]

use super::attributes::{Object, object, write_plain};
use super::fields::{field, list, number_of, text};
use super::numbers::{id, python_float, real, unsigned};
use super::otlp::service_name;
use super::rows::{NewPoint, Rows, Sourced};
use quipu_model::{MetricPoint, Value};

const TEMPORALITIES: [&str; 3] = ["UNSPECIFIED", "DELTA", "CUMULATIVE"];
/// Names of point kinds in OTLP and in the table.
pub const KINDS: [(&str, &str); 5] = [
    ("sum", "sum"),
    ("gauge", "gauge"),
    ("histogram", "histogram"),
    ("exponentialHistogram", "exponential_histogram"),
    ("summary", "summary"),
];

impl Rows {
    pub fn take_metrics(&mut self, resource: &Value) {
        let service_name = service_name(resource);
        let of = self.resource_of(resource);
        for scope in list(resource, "scopeMetrics") {
            let source = self.source_of(of, resource, scope);
            for metric in list(scope, "metrics") {
                let about = about(metric);
                let Some(name) = text(metric, "name") else {
                    self.problem("a metric in it has no name");
                    continue;
                };
                if KINDS.iter().all(|(key, _)| field(metric, key).is_none()) && field(metric, "data").is_some() {
                    self.problem("a metric in it is from a console exporter, not OTLP; only spans are imported from there");
                }
                for (key, kind) in KINDS {
                    let Some(data) = field(metric, key) else { continue };
                    let cumulative = number_of(field(data, "aggregationTemporality"), &TEMPORALITIES);
                    for point in list(data, "dataPoints") {
                        let point = MetricPoint {
                            metric: name.clone(),
                            unit: text(metric, "unit"),
                            about: about.clone(),
                            kind: kind.to_owned(),
                            cumulative: cumulative.filter(|number| *number > 0).map(|number| number == 2),
                            monotonic: match field(data, "isMonotonic") {
                                Some(Value::Bool(truth)) => Some(*truth),
                                _ => (kind == "sum").then_some(false),
                            },
                            ..read_point(point, kind)
                        };
                        self.add_point(Sourced { it: NewPoint { point, service_name: service_name.clone(), is_refused: false }, source });
                    }
                }
            }
        }
    }
}

/// What a metric says about itself.
fn about(metric: &Value) -> Option<String> {
    let mut said = Object::new();
    if let Some(description) = text(metric, "description") {
        said.put_text("description", &description);
    }
    let metadata = list(metric, "metadata");
    if !metadata.is_empty() {
        said.put_json("metadata", &object(metadata));
    }
    (!said.is_empty()).then(|| said.finish())
}

/// An exemplar as it is kept: its time, value, trace, span and attributes.
fn exemplar(sent: &Value) -> String {
    let mut kept = Object::new();
    if let Some(nanos) = unsigned(field(sent, "timeUnixNano")).filter(|nanos| *nanos > 0) {
        kept.put_json("time_unix_nano", &nanos.to_string());
    }
    match (field(sent, "asInt"), real(field(sent, "asDouble"))) {
        (Some(whole), _) => kept.put_json("int", &numbers(whole)),
        (None, Some(number)) => kept.put_json("double", &python_float(number)),
        (None, None) => {}
    }
    for (name, key, bytes) in [("traceId", "trace_id", 16), ("spanId", "span_id", 8)] {
        if let Some(id) = id(field(sent, name), bytes) {
            kept.put_text(key, &id);
        }
    }
    let attributes = list(sent, "filteredAttributes");
    if !attributes.is_empty() {
        kept.put_json("attributes", &object(attributes));
    }
    kept.finish()
}

/// Fields of histograms and summaries other than the sum, in OTLP and in the table.
pub const DETAILS: [(&str, &str); 10] = [
    ("explicitBounds", "bounds"),
    ("bucketCounts", "counts"),
    ("min", "min"),
    ("max", "max"),
    ("scale", "scale"),
    ("zeroCount", "zero_count"),
    ("zeroThreshold", "zero_threshold"),
    ("positive", "positive"),
    ("negative", "negative"),
    ("quantileValues", "quantiles"),
];

fn read_point(point: &Value, kind: &str) -> MetricPoint {
    // The first flag means that there is no value: the series ended.
    let is_measured = unsigned(field(point, "flags")).is_none_or(|flags| flags & 1 == 0);
    let number = ["asInt", "asDouble", "sum"].into_iter().find_map(|key| real(field(point, key)));
    // A missing field is zero, except for the sum of a histogram, which may be unknown.
    let number = number.or((kind == "summary").then_some(0.0));
    let count = unsigned(field(point, "count")).or((!matches!(kind, "sum" | "gauge")).then_some(0));
    let mut detail = Object::new();
    for (name, key) in DETAILS {
        if let Some(value) = field(point, name) {
            detail.put_json(key, &numbers(value));
        }
    }
    let exemplars: Vec<String> = list(point, "exemplars").iter().map(exemplar).collect();
    if !exemplars.is_empty() {
        detail.put_json("exemplars", &format!("[{}]", exemplars.join(", ")));
    }
    put_type(&mut detail, point);
    MetricPoint {
        start_nanos: unsigned(field(point, "startTimeUnixNano")).filter(|nanos| *nanos > 0),
        time_nanos: unsigned(field(point, "timeUnixNano")).filter(|nanos| *nanos > 0),
        attributes: object(list(point, "attributes")),
        value: number.filter(|number| is_measured && !number.is_nan()),
        count: count.filter(|_| is_measured),
        detail: (!detail.is_empty()).then(|| detail.finish()),
        ..MetricPoint::default()
    }
}

/// What a double does not tell of a number: that it was one and is whole, the digits of a large integer, and that it is none.
fn put_type(detail: &mut Object, point: &Value) {
    let double = real(field(point, "asDouble"));
    match field(point, "asInt") {
        Some(whole) => {
            let digits = numbers(whole);
            if digits.parse::<i64>().is_ok_and(|whole| whole.unsigned_abs() > MAX_EXACT) {
                detail.put_json("int", &digits);
            }
        }
        None if double.is_some_and(f64::is_nan) => detail.put_json("nan", "true"),
        None if double.is_some_and(|number| number.fract() == 0.0) => detail.put_json("double", "true"),
        None => {}
    }
}

/// The greatest integer up to which a double holds each.
pub const MAX_EXACT: u64 = 1 << 53;

/// Numbers as JSON numbers; OTLP/JSON writes 64-bit integers as strings.
fn numbers(value: &Value) -> String {
    match value {
        Value::List(items) => format!("[{}]", items.iter().map(numbers).collect::<Vec<_>>().join(", ")),
        Value::Text(text) if text.parse::<f64>().is_ok() => text.clone(),
        Value::Map(entries) => {
            let mut object = Object::new();
            for (key, value) in entries {
                object.put_json(if super::fields::same(key, "bucketCounts") { "counts" } else { key }, &numbers(value));
            }
            object.finish()
        }
        other => {
            let mut out = String::new();
            write_plain(other, &mut out, 0);
            out
        }
    }
}
