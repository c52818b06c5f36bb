//! Sorts imported metric points into streams: each number of a point belongs to the stream of its metric name and labels.
//!
//! A point of an exponential histogram is also kept whole, as a native histogram (`exponential`). Not here: the table of points (`store`), names (`prometheus`), the use of streams (`measured`).

use super::exponential;
use quipu_metrics::streams::{ExemplarGroup, HistogramStream, Measure, Measured, MeasuredExemplar, Pairs, Rule, Stream};
use quipu_model::dialect::{Says, TokenMetric, token_metric};
use quipu_model::number::narrow;
use quipu_model::prometheus;
use quipu_model::prometheus::{MetricShape, label_name, metric_name};
use quipu_model::recorded::{json_text, parse_json};
use quipu_model::{MetricPoint, TokenKind, Value};
use quipu_promql::{Histogram, METRIC_NAME, stale_marker};
use std::collections::{BTreeMap, HashMap};

/// The part of a point that a stream holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Value,
    Documented,
    /// The tokens of a metric of usage, as part of the documented total.
    DocumentedTotal,
    Sum,
    Count,
    /// A bucket, by the bits of its upper bound.
    Bucket(u64),
    Quantile(u64),
}

/// One number of a point.
struct Part {
    key: Key,
    /// Suffix of the metric's name.
    ending: &'static str,
    /// Additional label, such as `le`.
    label: Option<(&'static str, String)>,
    value: f64,
}

/// Everything but the time that points of one stream have in common.
#[derive(PartialEq, Eq, Hash)]
struct StreamKey {
    metric: String,
    unit: Option<String>,
    kind: String,
    cumulative: Option<bool>,
    monotonic: Option<bool>,
    attributes: String,
    source: Option<i64>,
}

struct Origin {
    name: String,
    labels: Pairs,
    streams: HashMap<Key, usize>,
    /// The stream of whole histograms.
    histograms: Option<usize>,
    exemplars: Vec<MeasuredExemplar>,
}

/// Collects points into streams.
#[derive(Default)]
pub(crate) struct Collector {
    /// Labels of each resource, by its number.
    sources: HashMap<i64, Pairs>,
    origins: HashMap<StreamKey, Origin>,
    streams: Vec<Stream>,
    histograms: Vec<HistogramStream>,
    too_coarse: BTreeMap<String, u64>,
}

impl Collector {
    /// Adds a resource, given as a JSON object of attributes: the service becomes `job` and the instance `instance`, as in Prometheus.
    pub(crate) fn add_source(&mut self, number: i64, resource: &str) {
        let resource = parse_json(resource).unwrap_or(Value::Null);
        let text_of = |key: &str| resource.get(key).and_then(Value::as_str).map(visible).filter(|text| !text.is_empty());
        let job = match (text_of("service.namespace"), text_of("service.name")) {
            (Some(space), Some(name)) => Some(format!("{space}/{name}")),
            (_, name) => name.map(str::to_owned),
        };
        let labels = [("job", job), ("instance", text_of("service.instance.id").map(str::to_owned))];
        self.sources.insert(number, labels.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect());
    }

    /// Adds a point; one without a time or a number is ignored.
    pub(crate) fn add(&mut self, point: MetricPoint) {
        let Some(time) = point.time_nanos.and_then(|nanos| i64::try_from(nanos / 1_000_000).ok()) else { return };
        let start = point.start_nanos.map_or(i64::MIN, |nanos| (nanos / 1_000_000) as i64);
        let is_sum = point.kind == "sum";
        let rule = match (point.kind.as_str(), point.cumulative) {
            ("gauge", _) => Rule::Latest,
            ("summary", _) => Rule::Counted,
            (_, Some(false)) => Rule::Added,
            _ => Rule::Counted,
        };
        let measure = match (is_sum, point.monotonic) {
            (true, Some(true)) => Measure::Counter,
            (true, _) => Measure::Gauge,
            _ if rule == Rule::Latest => Measure::Gauge,
            _ => Measure::Histogram,
        };
        let counts = counts_of(&point);
        // A number that is none is recorded as such.
        let is_nan = point.detail.as_deref().is_some_and(|detail| detail.contains("\"nan\""));
        let is_end = point.value.is_none() && point.count.is_none() && !is_nan;
        let whole = if point.kind == "exponential_histogram" { exponential::read(&point) } else { Ok(None) };
        let mut parts = if is_sum || rule == Rule::Latest { single(&point, measure) } else { several(&point) };
        let usage = usage_of(&point);
        let (used, part_of) = match usage {
            Some((_, Says::Tokens(kind))) => (Some(kind), None),
            Some((_, Says::Part(part))) => (None, Some(part)),
            _ => (None, None),
        };
        if let (Some(_), Some(value)) = (used, point.value) {
            parts.extend([Key::Documented, Key::DocumentedTotal].map(|key| Part { key, ending: "", label: None, value }));
        }
        let counts = counts.or(used);
        let exemplars = exemplars_of(&point, time);
        let (sources, streams) = (&self.sources, &mut self.streams);
        let MetricPoint { metric, unit, kind, cumulative, monotonic, attributes, source, .. } = point;
        let key = StreamKey { metric, unit, kind, cumulative, monotonic, attributes, source };
        let origin = match self.origins.get_mut(&key) {
            Some(origin) => origin,
            None => {
                let labels = source.and_then(|source| sources.get(&source)).cloned().unwrap_or_default();
                let shape = MetricShape::of_point(&key.kind, key.monotonic);
                let name = metric_name(&key.metric, key.unit.as_deref().unwrap_or_default(), shape);
                let labels = labels_of(&key.attributes, labels);
                self.origins.entry(key).or_insert(Origin { name, labels, streams: HashMap::new(), histograms: None, exemplars: Vec::new() })
            }
        };
        origin.exemplars.extend(exemplars);
        // Deltas and gauges have no start time.
        let start_of = |rule: Rule| if rule == Rule::Counted { start } else { i64::MIN };
        if is_end {
            // The series ended.
            for number in origin.streams.values() {
                if let Some(stream) = streams.get_mut(*number).filter(|stream| stream.rule != Rule::Added) {
                    stream.segments.entry(start_of(stream.rule)).or_default().push((time, stale_marker()));
                }
            }
            let stream = origin.histograms.and_then(|number| self.histograms.get_mut(number)).filter(|stream| stream.rule != Rule::Added);
            if let Some(stream) = stream {
                let end = Histogram { sum: stale_marker(), ..Histogram::default() };
                stream.segments.entry(start_of(rule)).or_default().push((time, end));
            }
        }
        match whole {
            Ok(None) => {}
            Ok(Some(histogram)) => {
                let number = *origin.histograms.get_or_insert_with(|| {
                    let mut labels = origin.labels.clone();
                    labels.push((METRIC_NAME.to_owned(), origin.name.clone()));
                    quipu_model::ordered::sort_by(&mut labels, |one, other| one.cmp(other));
                    self.histograms.push(HistogramStream { labels, rule, segments: BTreeMap::new() });
                    self.histograms.len() - 1
                });
                if let Some(stream) = self.histograms.get_mut(number) {
                    stream.segments.entry(start_of(rule)).or_default().push((time, histogram));
                }
            }
            Err(exponential::TooCoarse) => *self.too_coarse.entry(origin.name.clone()).or_default() += 1,
        }
        for part in parts {
            let number = *origin.streams.entry(part.key).or_insert_with(|| {
                let counts = match part.key {
                    Key::Documented => counts,
                    Key::DocumentedTotal => Some(TokenKind::Total),
                    _ => None,
                };
                let name = match counts {
                    Some(kind) => kind.documented_name().to_owned(),
                    None => format!("{}{}", origin.name, part.ending),
                };
                let mut labels = match usage.filter(|_| counts.is_some()) {
                    Some((metric, _)) => documented_labels(&origin.labels, metric),
                    None => origin.labels.clone(),
                };
                if let Some((label, text)) = part.label {
                    labels.retain(|(name, _)| name != label);
                    labels.push((label.to_owned(), text));
                }
                labels.push((METRIC_NAME.to_owned(), name));
                quipu_model::ordered::sort_by(&mut labels, |one, other| one.cmp(other));
                let is_quantile = matches!(part.key, Key::Quantile(_));
                let (measure, rule) = if is_quantile { (Measure::Gauge, Rule::Latest) } else { (measure, rule) };
                let is_whole = matches!(part.key, Key::Value | Key::Sum);
                let (yields, part) = (usage.is_some(), part_of.filter(|_| is_whole));
                streams.push(Stream { labels, measure, rule, counts, part, yields, segments: BTreeMap::new() });
                streams.len() - 1
            });
            if let Some(stream) = streams.get_mut(number) {
                stream.segments.entry(start_of(stream.rule)).or_default().push((time, part.value));
            }
        }
    }

    pub(crate) fn finish(self) -> Measured {
        let mut streams = self.streams;
        for segment in streams.iter_mut().flat_map(|stream| stream.segments.values_mut()) {
            quipu_model::ordered::sort_by_key(segment, |(time, _)| *time);
        }
        let mut histograms = self.histograms;
        for segment in histograms.iter_mut().flat_map(|stream| stream.segments.values_mut()) {
            quipu_model::ordered::sort_by_key(segment, |(time, _)| *time);
        }
        let with_exemplars = self.origins.into_values().filter(|origin| !origin.exemplars.is_empty());
        let group = |origin: Origin| {
            let mut streams: Vec<u32> = origin.streams.into_values().map(narrow).collect();
            quipu_model::ordered::sort_numbers(&mut streams);
            ExemplarGroup { streams, histogram: origin.histograms.map(narrow), list: origin.exemplars }
        };
        let mut exemplars: Vec<ExemplarGroup> = with_exemplars.map(group).collect();
        // In the order of the file, which the map does not keep.
        quipu_model::ordered::sort_by_key(&mut exemplars, |group| (group.streams.first().copied(), group.histogram));
        Measured { streams, histograms, exemplars, too_coarse: self.too_coarse }
    }
}

/// The number of a sum or gauge. Llama Stack's token counters appear under their documented name as well.
fn single(point: &MetricPoint, measure: Measure) -> Vec<Part> {
    let is_documented = measure == Measure::Counter && counts_of(point).is_some();
    let keys = [Some(Key::Value), is_documented.then_some(Key::Documented)];
    let part = |value: f64| keys.into_iter().flatten().map(move |key| Part { key, ending: "", label: None, value });
    point.value.into_iter().flat_map(part).collect()
}

/// Sum, count, buckets and quantiles of a histogram or summary.
fn several(point: &MetricPoint) -> Vec<Part> {
    let detail = point.detail.as_deref().and_then(parse_json).unwrap_or(Value::Null);
    let sum = point.value.map(|value| Part { key: Key::Sum, ending: "_sum", label: None, value });
    let count = point.count.map(|count| Part { key: Key::Count, ending: "_count", label: None, value: count as f64 });
    let bucket = |(bound, value): (f64, f64)| {
        let text = if bound == f64::INFINITY { "+Inf".to_owned() } else { format!("{bound:?}") };
        Part { key: Key::Bucket(bound.to_bits()), ending: "_bucket", label: Some(("le", text)), value }
    };
    let quantile = |(quantile, value): (f64, f64)| Part {
        key: Key::Quantile(quantile.to_bits()),
        ending: "",
        label: Some(("quantile", quantile.to_string())),
        value,
    };
    let parts = sum.into_iter().chain(count).chain(buckets(&detail).into_iter().map(bucket));
    parts.chain(quantiles(&detail).into_iter().map(quantile)).collect()
}

/// The kind of tokens that one of Llama Stack's token counters counts; recognised by its name and its model label.
fn counts_of(point: &MetricPoint) -> Option<TokenKind> {
    let kind = TokenKind::from_metric(&point.metric)?;
    point.attributes.contains("\"model_id\"").then_some(kind)
}

/// Which tokens a point counts, if its metric is one that a dialect knows.
fn usage_of(point: &MetricPoint) -> Option<(&'static TokenMetric, Says)> {
    let metric = token_metric(&point.metric)?;
    let is_counter = point.kind == "sum" && point.monotonic == Some(true);
    let is_histogram = point.kind != "sum" && point.kind != "gauge";
    let fits = if metric.is_histogram { is_histogram } else { is_counter };
    let attributes = fits.then(|| parse_json(&point.attributes)).flatten()?;
    let value = attributes.get(metric.key).and_then(Value::as_str)?;
    metric.values.iter().find(|(known, _)| *known == value).map(|(_, says)| (metric, *says))
}

/// The labels of Llama Stack's documented token counters for a point of another metric: model, provider, and the resource's.
fn documented_labels(labels: &Pairs, metric: &TokenMetric) -> Pairs {
    let is_one_of = |name: &str, keys: &[&str]| keys.iter().any(|key| label_name(key) == name);
    let renamed = |(name, value): &(String, String)| {
        let name = match name.as_str() {
            "job" | "instance" => name,
            name if is_one_of(name, metric.models) => "model_id",
            name if is_one_of(name, metric.providers) => "provider_id",
            _ => return None,
        };
        Some((name.to_owned(), value.clone()))
    };
    let mut labels: Pairs = labels.iter().filter_map(renamed).collect();
    quipu_model::ordered::sort_by(&mut labels, |one, other| one.cmp(other));
    labels.dedup_by(|one, other| one.0 == other.0);
    labels
}

/// Upper bounds, each with the cumulative number of observations.
fn buckets(detail: &Value) -> Vec<(f64, f64)> {
    let numbers = |key: &str| detail.get(key).and_then(Value::items).unwrap_or_default().iter().map(number).collect::<Option<Vec<f64>>>();
    let (Some(bounds), Some(counts)) = (numbers("bounds"), numbers("counts")) else { return Vec::new() };
    if counts.len() != bounds.len() + 1 {
        return Vec::new();
    }
    let mut so_far = 0.0;
    let bounds = bounds.into_iter().chain([f64::INFINITY]);
    let up_to = bounds.zip(counts).map(|(bound, count)| {
        so_far += count;
        (bound, so_far)
    });
    up_to.collect()
}

/// The exemplars of a point with a value. Whether their traces are in the file is not known here.
fn exemplars_of(point: &MetricPoint, time: i64) -> Vec<MeasuredExemplar> {
    let detail = point.detail.as_deref().filter(|detail| detail.contains("\"exemplars\"")).and_then(parse_json);
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let read = |item: &Value| {
        let nanos = match item.get("time_unix_nano") {
            Some(Value::Number(nanos)) => nanos.0.parse::<u64>().ok(),
            _ => None,
        };
        Some(MeasuredExemplar {
            at: nanos.and_then(|nanos| i64::try_from(nanos / 1_000_000).ok()).unwrap_or(time),
            value: item.get("int").or_else(|| item.get("double")).and_then(number)?,
            trace_id: text(item, "trace_id"),
            span_id: text(item, "span_id"),
            has_trace: false,
        })
    };
    let list = detail.as_ref().and_then(|detail| detail.get("exemplars")).and_then(Value::items).unwrap_or_default();
    list.iter().filter_map(read).collect()
}

fn quantiles(detail: &Value) -> Vec<(f64, f64)> {
    let read = |item: &Value| {
        let of = |name: &str| item.get(name).and_then(number);
        // Zero values are often omitted.
        Some((of("quantile").unwrap_or(0.0), of("value").or_else(|| item.get("value").is_none().then_some(0.0))?))
    };
    detail.get("quantiles").and_then(Value::items).unwrap_or_default().iter().filter_map(read).collect()
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}

/// The labels of a point, from its attributes (a JSON object): strings as they are, other values as JSON, without nulls. Empty if
/// `attributes` is not an object. The labels of the resource (`job`, `instance`) are not included.
pub fn point_labels(attributes: &str) -> Pairs {
    let Some(Value::Map(entries)) = parse_json(attributes) else { return Pairs::new() };
    let text = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.0.clone()),
        Value::Null => None,
        other => Some(json_text(other)),
    };
    prometheus::labels(entries.iter().filter_map(|(key, value)| Some((key.as_str(), text(value)?))))
}

/// The labels of a point and its resource. A label of the point overrides one of the resource.
fn labels_of(attributes: &str, mut labels: Pairs) -> Pairs {
    let own = point_labels(attributes);
    labels.retain(|(name, _)| own.iter().all(|(own, _)| own != name));
    labels.extend(own);
    labels
}

/// Removes invisible characters: the reference's default service name is a single zero-width space.
fn visible(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\u{200b}')
}
