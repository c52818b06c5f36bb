//! Encodes data that is not attached to a span: log records without a span, and metric points. Importing it yields the same rows.
//!
//! Not here: reading it from a file (`session`).

use super::live::otlp_id;
use super::messages::{RESOURCE_LOGS, RESOURCE_METRICS};
use super::values::{attributes, list, map, number, print, text};
use super::wire::encode;
use crate::logs::SEVERITIES;
use crate::metrics::{DETAILS, KINDS};
use crate::numbers::python_float;
use crate::rest;
use crate::spans::{any, key_values, of_source};
use quipu_model::recorded::parse_json;
use quipu_model::{LogRecord, MetricPoint, Number, Value};

/// A resource and a scope, each a JSON object.
pub type Source = Option<(String, String)>;

/// Groups runs of log records with the same resource and scope, keeping their order.
fn resource_logs(records: &[(LogRecord, Source)]) -> Vec<Value> {
    by_source(records, ["scopeLogs", "logRecords"], |run| run.iter().map(|(record, _)| log(record)).collect())
}

/// Groups runs of points with the same resource, scope and metric, keeping their order.
fn resource_metrics(points: &[(MetricPoint, Source)]) -> Vec<Value> {
    let of_metric = |point: &MetricPoint| {
        let MetricPoint { metric, unit, kind, cumulative, monotonic, about, .. } = point;
        (metric.clone(), unit.clone(), kind.clone(), *cumulative, *monotonic, about.clone())
    };
    by_source(points, ["scopeMetrics", "metrics"], |run| {
        run.chunk_by(|(one, _), (other, _)| of_metric(one) == of_metric(other)).filter_map(metric).collect()
    })
}

fn by_source<T>(items: &[(T, Source)], lists: [&str; 2], entries: impl Fn(&[(T, Source)]) -> Vec<Value>) -> Vec<Value> {
    let run = |run: &[(T, Source)]| {
        let source = run.first().and_then(|(_, source)| source.as_ref());
        let of = |text: Option<&String>| attributes(text.map(String::as_str));
        of_source(of(source.map(|(resource, _)| resource)), of(source.map(|(_, scope)| scope)), lists, entries(run))
    };
    items.chunk_by(|(_, one), (_, other)| one == other).map(run).collect()
}

fn time(nanos: Option<u64>) -> Option<Value> {
    nanos.map(|nanos| Value::Text(nanos.to_string()))
}

fn log(record: &LogRecord) -> Value {
    let mut rest = attributes(record.attributes.as_deref());
    let mut take = |is_it: &dyn Fn(&str, &Value) -> bool| {
        let found = rest.first().is_some_and(|(name, value)| is_it(name, value));
        found.then(|| rest.remove(0).1)
    };
    // These were put first by an import: a structured body or a message, then the severity in lower case.
    let body = take(&|name, value| match value {
        Value::Map(_) => name == "body",
        Value::Text(_) => name == "message",
        _ => false,
    });
    let severity = take(&|name, value| name == "severity" && value.as_str().is_some_and(is_severity));
    let word = severity.as_ref().and_then(Value::as_str);
    let level = SEVERITIES.iter().position(|known| Some(*known) == word);
    let more = record.more.as_deref().and_then(parse_json);
    let said = |key: &str| more.as_ref().and_then(|more| more.get(key));
    let name = record.name.as_deref().filter(|name| *name != "unstructured_log" && said("no_event_name").is_none());
    let body = said("body").cloned().or(body);
    let fields = rest::entries(more.as_ref(), &rest::LOG);
    // Without them, as in a file of an earlier version, the word is all there is.
    let is_exact = more.is_some();
    let read = map([
        ("timeUnixNano", time(record.time_nanos.filter(|_| said("no_time").is_none()))),
        ("severityNumber", level.filter(|_| !is_exact).and_then(|level| number(level * 4 + 1))),
        ("severityText", if is_exact { said("severity_text").cloned() } else { word.and_then(text) }),
        ("body", body.map(any)),
        ("attributes", key_values(rest)),
        ("traceId", record.trace_id.as_deref().and_then(text)),
        ("spanId", record.span_id.as_deref().and_then(text)),
        ("eventName", name.and_then(text)),
    ]);
    rest::extended(read, fields)
}

/// Whether an import would keep the word unchanged.
fn is_severity(word: &str) -> bool {
    !word.is_empty() && word == word.to_ascii_lowercase() && !["trace", "warning", "fatal"].contains(&word)
}

/// Whether OTLP has points of this kind.
pub fn is_known(point: &MetricPoint) -> bool {
    KINDS.iter().any(|(_, kind)| *kind == point.kind)
}

/// A metric with its points; `None` if OTLP has no such kind.
fn metric(points: &[(MetricPoint, Source)]) -> Option<Value> {
    let (first, _) = points.first()?;
    let (key, _) = KINDS.into_iter().find(|(_, kind)| *kind == first.kind)?;
    let data = map([
        ("dataPoints", Some(Value::List(points.iter().map(|(found, _)| point(found)).collect()))),
        ("aggregationTemporality", first.cumulative.and_then(|cumulative| number(if cumulative { 2 } else { 1 }))),
        ("isMonotonic", (first.monotonic == Some(true)).then_some(Value::Bool(true))),
    ]);
    let about = first.about.as_deref().and_then(parse_json);
    let about = |key: &str| about.as_ref().and_then(|about| about.get(key)).cloned();
    let metadata = match about("metadata") {
        Some(Value::Map(entries)) => key_values(entries),
        _ => None,
    };
    Some(map([
        ("name", text(first.metric.as_str())),
        ("description", about("description")),
        ("metadata", metadata),
        ("unit", first.unit.as_deref().and_then(text)),
        (key, Some(data)),
    ]))
}

fn point(found: &MetricPoint) -> Value {
    let is_number = matches!(found.kind.as_str(), "sum" | "gauge");
    let whole = |value: f64| (is_number && value.fract() == 0.0 && value.abs() < 9e15).then(|| Value::Text(format!("{value:.0}")));
    let real = |value: f64| Value::Number(Number(python_float(value)));
    let detail = found.detail.as_deref().and_then(parse_json);
    let said = |key: &str| detail.as_ref().and_then(|detail| detail.get(key));
    let value = if said("nan").is_some() { Some(f64::NAN) } else { found.value };
    let exact = said("int").and_then(|digits| match digits {
        Value::Number(Number(digits)) => text(digits.as_str()),
        _ => None,
    });
    let as_int = exact.or_else(|| value.filter(|_| said("double").is_none()).and_then(whole));
    let as_double = value.filter(|_| is_number && as_int.is_none()).map(real);
    // FLAG_NO_RECORDED_VALUE
    let is_empty = value.is_none() && (is_number || found.count.is_none());
    let mut entries = match map([
        ("startTimeUnixNano", time(found.start_nanos)),
        ("timeUnixNano", time(found.time_nanos)),
        ("asInt", as_int),
        ("asDouble", as_double),
        ("count", time(found.count)),
        ("sum", found.value.filter(|_| !is_number).map(real)),
        ("attributes", key_values(attributes(Some(&found.attributes)))),
        ("flags", is_empty.then(|| number(1)).flatten()),
    ]) {
        Value::Map(entries) => entries,
        _ => Vec::new(),
    };
    for (name, key) in DETAILS {
        if let Some(value) = said(key) {
            entries.push((name.to_owned(), measured(name, value)));
        }
    }
    if let Some(Value::List(exemplars)) = said("exemplars") {
        entries.push(("exemplars".to_owned(), Value::List(exemplars.iter().map(exemplar).collect())));
    }
    Value::Map(entries)
}

/// An exemplar as OTLP has it.
fn exemplar(kept: &Value) -> Value {
    let filtered = match kept.get("attributes") {
        Some(Value::Map(entries)) => key_values(entries.clone()),
        _ => None,
    };
    let digits = |key: &str| match kept.get(key) {
        Some(Value::Number(Number(digits))) => text(digits.as_str()),
        _ => None,
    };
    map([
        ("timeUnixNano", digits("time_unix_nano")),
        ("asInt", digits("int")),
        ("asDouble", kept.get("double").cloned()),
        ("traceId", kept.get("trace_id").cloned()),
        ("spanId", kept.get("span_id").cloned()),
        ("filteredAttributes", filtered),
    ])
}

/// A field of a histogram or summary. OTLP/JSON writes 64-bit counts as strings.
fn measured(name: &str, value: &Value) -> Value {
    match (name, value) {
        ("bucketCounts", Value::List(counts)) => Value::List(counts.iter().map(|count| measured("zeroCount", count)).collect()),
        ("zeroCount", Value::Number(Number(count))) => Value::Text(count.clone()),
        ("positive" | "negative", buckets) => map([
            ("offset", buckets.get("offset").cloned()),
            ("bucketCounts", buckets.get("counts").map(|counts| measured("bucketCounts", counts))),
        ]),
        _ => value.clone(),
    }
}

/// A line of OTLP/JSON with these entries.
fn line(name: &str, entries: Vec<Value>) -> String {
    print(&map([(name, list(entries))])) + "\n"
}

/// Data without a span, of one signal.
pub enum Unattached {
    /// Log records.
    Logs(Vec<(LogRecord, Source)>),
    /// Metric points.
    Points(Vec<(MetricPoint, Source)>),
}

impl Unattached {
    /// Number of records or points.
    pub fn len(&self) -> usize {
        match self {
            Unattached::Logs(records) => records.len(),
            Unattached::Points(points) => points.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fingerprint of the last entry; stable while the file is unchanged.
    pub fn fingerprint(&self) -> String {
        let (time, text) = match self {
            Unattached::Logs(records) => {
                let last = records.last().map(|(record, _)| record);
                (last.and_then(|record| record.time_nanos), last.and_then(|record| record.attributes.as_deref()))
            }
            Unattached::Points(points) => {
                let last = points.last().map(|(point, _)| point);
                (last.and_then(|point| point.time_nanos), last.map(|point| point.metric.as_str()))
            }
        };
        // FNV-1a covers the whole of a long text in a short value.
        let hash = text
            .unwrap_or_default()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        format!("{} {hash:016x}", time.unwrap_or(0))
    }

    /// Encodes a protobuf request. Omits invalid ids, because a collector would reject the whole request.
    pub fn request(mut self) -> Vec<u8> {
        if let Unattached::Logs(records) = &mut self {
            for (record, _) in records {
                record.trace_id = record.trace_id.take().and_then(|id| otlp_id(&id, 16));
                record.span_id = record.span_id.take().and_then(|id| otlp_id(&id, 8));
            }
        }
        let (entries, fields): (Vec<Value>, _) = match &self {
            Unattached::Logs(records) => (resource_logs(records), &RESOURCE_LOGS),
            Unattached::Points(points) => (resource_metrics(points), &RESOURCE_METRICS),
        };
        let mut bytes = Vec::new();
        entries.iter().for_each(|entry| encode(1, entry, fields, &mut bytes));
        bytes
    }

    /// One line of OTLP/JSON.
    pub fn line(&self) -> String {
        match self {
            Unattached::Logs(records) => line("resourceLogs", resource_logs(records)),
            Unattached::Points(points) => line("resourceMetrics", resource_metrics(points)),
        }
    }
}
