//! Series for Prometheus, built from what was received since the collector started.
//!
//! Cumulative points are exposed as received, so that restarts of a server stay visible; delta points are summed. A server may send Llama
//! Stack's token counters as points, as span events, or as both, with equal values: if there are points, events are ignored. `exposition`
//! formats the series.

use super::names;
use quipu::metrics::point_labels;
use quipu::model::MetricPoint;
use quipu::prometheus::{self, MetricShape};
use quipu::recorded::{RecordedAttribute, attributes};
use quipu::transfer::Rows;
use std::collections::BTreeMap;

/// Maximum number of series, and of bytes that they take on the page; points beyond are counted and dropped. A histogram repeats its labels
/// with each bucket, so that one series may be a large part of the page.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 32 << 20;

/// Roughly the bytes of a series on the page.
fn page_bytes(name: &str, labels: &str, parts: usize) -> usize {
    // The sum, the count and one more value.
    (parts + 3) * (name.len() + labels.len() + 32)
}

/// The type of a metric family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

/// All series of a metric.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) kind: Kind,
    /// The metric name as received.
    pub(super) metric: String,
    /// By labels in text format.
    pub(super) samples: BTreeMap<String, Sample>,
}

#[derive(Debug, Default)]
pub(super) struct Sample {
    /// The value, or the sum of a histogram or summary; `None` if no point was received.
    points: Option<f64>,
    /// Sum of the values of span events.
    events: f64,
    pub(super) count: u64,
    /// Upper bounds with the number of observations in each bucket (not cumulative), or quantiles with their values.
    pub(super) parts: Vec<(f64, f64)>,
    /// Time of the last point.
    at: u64,
    /// The largest number of parts that there is room for.
    places: usize,
}

impl Sample {
    pub(super) fn value(&self) -> f64 {
        self.points.unwrap_or(self.events)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Series {
    pub(super) families: BTreeMap<String, Family>,
    pub(super) count: usize,
    /// The bytes that all of them take on the page.
    bytes: usize,
    /// Points and events dropped because there is no room for their series, or because their type differs from the family's.
    pub(super) left_out: u64,
}

impl Series {
    /// Adds committed rows.
    pub(super) fn take(&mut self, rows: &Rows) {
        for (point, service) in rows.points() {
            self.point(point, service);
        }
        for span in rows.spans().iter().filter(|span| !span.is_repeated) {
            for event in &span.events {
                if let Some(metric) = event.name.as_deref().and_then(|name| name.strip_prefix("metric."))
                    && let Ok(entries) = attributes(event.attributes.as_deref().unwrap_or("{}").as_bytes())
                {
                    self.event(metric, &entries, span.service_name.as_deref());
                }
            }
        }
    }

    fn event(&mut self, metric: &str, entries: &[RecordedAttribute], service: Option<&str>) {
        let of = |key: &str| entries.iter().find(|entry| entry.key == key);
        let Some(value) = of("value").and_then(|entry| entry.text.parse::<f64>().ok()).filter(|value| *value >= 0.0) else { return };
        let own = entries.iter().filter(|entry| entry.key != "value" && entry.key != "unit");
        let labels = written(prometheus::labels(own.map(|entry| (entry.key.as_str(), entry.text.clone()))), service);
        let unit = of("unit").map(|entry| entry.text.as_str());
        if let Some(sample) = self.sample(Kind::Counter, metric, names::family(metric, unit, MetricShape::Counter), labels, 0) {
            sample.events += value;
        }
    }

    fn point(&mut self, point: &MetricPoint, service: Option<&str>) {
        let kind = match (point.kind.as_str(), point.monotonic) {
            ("sum", Some(true)) => Kind::Counter,
            ("histogram" | "exponential_histogram", _) => Kind::Histogram,
            ("summary", _) => Kind::Summary,
            _ => Kind::Gauge,
        };
        let mut own = point_labels(&point.attributes);
        // The names of what tells the lines of one series apart.
        match kind {
            Kind::Histogram => own.retain(|(name, _)| name != "le"),
            Kind::Summary => own.retain(|(name, _)| name != "quantile"),
            Kind::Counter | Kind::Gauge => {}
        };
        let labels = written(own, service);
        let shape = MetricShape::of_point(&point.kind, point.monotonic);
        let name = names::family(&point.metric, point.unit.as_deref(), shape);
        if point.value.is_none() && point.count.is_none() {
            return self.close(&name, &labels);
        }
        let parts = parts(point);
        let Some(sample) = self.sample(kind, &point.metric, name, labels, parts.len()) else { return };
        let is_delta = point.cumulative == Some(false);
        let at = point.time_nanos.unwrap_or(0);
        // Requests can arrive out of order.
        if !is_delta && at < sample.at {
            return;
        }
        sample.at = sample.at.max(at);
        let (value, count) = (point.value.unwrap_or(0.0), point.count.unwrap_or(0));
        if !is_delta {
            (sample.points, sample.count, sample.parts) = (Some(value), count, parts);
            return;
        }
        sample.points = Some(sample.points.unwrap_or(0.0) + value);
        sample.count += count;
        if sample.parts.len() == parts.len() && sample.parts.iter().zip(&parts).all(|(old, new)| old.0 == new.0) {
            sample.parts.iter_mut().zip(&parts).for_each(|(old, new)| old.1 += new.1);
        } else {
            sample.parts = parts;
        }
    }

    /// Removes a series after a point flagged “no recorded value”.
    fn close(&mut self, name: &str, labels: &str) {
        let Some(family) = self.families.get_mut(name) else { return };
        if let Some(sample) = family.samples.remove(labels) {
            self.count -= 1;
            self.bytes -= page_bytes(name, labels, sample.places);
        }
        if family.samples.is_empty() {
            self.families.remove(name);
        }
    }

    /// The series with these labels, with room for so many parts.
    fn sample(&mut self, kind: Kind, metric: &str, name: String, labels: String, parts: usize) -> Option<&mut Sample> {
        let known = self.families.get(&name).and_then(|family| family.samples.get(&labels)).map(|sample| sample.places);
        let places = known.unwrap_or(0).max(parts);
        let before = known.map_or(0, |known| page_bytes(&name, &labels, known));
        let bytes = self.bytes - before + page_bytes(&name, &labels, places);
        let has_room = bytes <= MOST_BYTES && (known.is_some() || self.count < MOST);
        let family = has_room
            .then(|| self.families.entry(name).or_insert_with(|| Family { kind, metric: metric.to_owned(), samples: BTreeMap::new() }))
            .filter(|family| family.kind == kind);
        let Some(family) = family else {
            self.left_out += 1;
            return None;
        };
        self.bytes = bytes;
        self.count += usize::from(known.is_none());
        let sample = family.samples.entry(labels).or_default();
        sample.places = places;
        Some(sample)
    }
}

/// Buckets of a histogram, or quantiles of a summary.
fn parts(point: &MetricPoint) -> Vec<(f64, f64)> {
    let detail: serde_json::Value = point.detail.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let numbers = |key: &str| -> Vec<f64> {
        let list = detail.get(key).and_then(|list| list.as_array()).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(serde_json::Value::as_f64).collect()
    };
    if point.kind == "summary" {
        let quantiles = detail.get("quantiles").and_then(|list| list.as_array()).map(Vec::as_slice).unwrap_or_default();
        return quantiles.iter().filter_map(|it| Some((it.get("quantile")?.as_f64()?, it.get("value")?.as_f64()?))).collect();
    }
    let (bounds, counts) = (numbers("bounds"), numbers("counts"));
    if counts.len() == bounds.len() + 1 { bounds.into_iter().zip(counts).collect() } else { Vec::new() }
}

/// Labels in text format, sorted by name, with the service name if it is visible.
fn written(mut labels: Vec<(String, String)>, service: Option<&str>) -> String {
    if let Some(service) = service.filter(|name| name.chars().any(|letter| !letter.is_whitespace() && letter != '\u{200b}'))
        && let Err(place) = labels.binary_search_by(|(name, _)| name.as_str().cmp("service_name"))
    {
        labels.insert(place, ("service_name".to_owned(), service.to_owned()));
    }
    let written: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    written.join(",")
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu::transfer::{Signal, read_request};

    fn take(series: &mut Series, name: &str, data: &str) {
        let body = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"{name}",{data}}}]}}]}}]}}"#);
        series.take(&read_request(Signal::Metrics, true, body.as_bytes()).expect("OTLP"));
    }

    /// Name, value, count and parts of each series.
    fn shown(series: &Series) -> Vec<String> {
        let of = |(name, family): (&String, &Family)| {
            let samples = family.samples.values().map(|it| format!("{name} {} {} {:?}", it.value(), it.count, it.parts));
            samples.collect::<Vec<_>>()
        };
        series.families.iter().flat_map(of).collect()
    }

    #[test]
    fn deltas_are_summed_cumulative_points_are_the_last_and_overtaken_ones_are_passed_over() {
        let mut series = Series::default();
        for (at, amount) in [(1, 5), (2, 7)] {
            let points = format!(r#""dataPoints":[{{"timeUnixNano":"{at}","asInt":"{amount}"}}]"#);
            take(&mut series, "a", &format!(r#""sum":{{"aggregationTemporality":1,"isMonotonic":true,{points}}}"#));
        }
        for (at, amount) in [(2, 9), (3, 4), (1, 100)] {
            let points = format!(r#""dataPoints":[{{"timeUnixNano":"{at}","asInt":"{amount}"}}]"#);
            take(&mut series, "b", &format!(r#""sum":{{"aggregationTemporality":2,"isMonotonic":true,{points}}}"#));
        }
        for at in [1, 2] {
            let point = format!(r#"{{"timeUnixNano":"{at}","count":"3","sum":2.5,"explicitBounds":[1],"bucketCounts":["2","1"]}}"#);
            take(&mut series, "c", &format!(r#""histogram":{{"aggregationTemporality":1,"dataPoints":[{point}]}}"#));
        }
        assert_eq!(shown(&series), ["a 12 0 []", "b 4 0 []", "c 5 6 [(1.0, 4.0)]"]);
    }

    #[test]
    fn a_point_without_a_measurement_ends_its_series() {
        let mut series = Series::default();
        take(&mut series, "load", r#""gauge":{"dataPoints":[{"timeUnixNano":"1","asDouble":0.5}]}"#);
        assert_eq!((shown(&series).len(), series.count), (1, 1));
        take(&mut series, "load", r#""gauge":{"dataPoints":[{"timeUnixNano":"2","flags":1}]}"#);
        assert_eq!((shown(&series).len(), series.count), (0, 0));
    }

    #[test]
    fn buckets_and_long_labels_count_against_the_bound() {
        let histogram = |label: &str, buckets: usize| {
            let bounds: Vec<String> = (1..buckets).map(|bound| bound.to_string()).collect();
            let counts = vec!["1"; buckets];
            format!(
                r#""histogram":{{"aggregationTemporality":2,"dataPoints":[{{"timeUnixNano":"1","count":"{buckets}","sum":1,"explicitBounds":[{}],
                "bucketCounts":[{}],"attributes":[{{"key":"k","value":{{"stringValue":"{label}"}}}}]}}]}}"#,
                bounds.join(","),
                counts.join(",")
            )
        };
        let mut series = Series::default();
        for at in 0..10 {
            take(&mut series, "wide", &histogram(&format!("{at}{}", "x".repeat(10_000)), 500));
        }
        // 500 lines of 10 kB each are 5 MB.
        assert_eq!((series.count, series.left_out), (6, 4));
        assert!(series.bytes <= MOST_BYTES);
        take(&mut series, "wide", &histogram(&format!("0{}", "x".repeat(10_000)), 500));
        assert_eq!((series.count, series.left_out), (6, 4), "what is known goes on");
    }
}
