//! Prometheus's JSON for results and errors of queries.

use super::eval::{Evaluated, NativeWindow, Row, Steps, Value};
use super::labels::Labels;
use super::native::{Bucket, Histogram, exponent_number};
use super::series::{HistogramSample, Sample};
use crate::{PromqlAnswer, PromqlError, PromqlHistogram, PromqlPoint, PromqlSeries};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

impl PromqlAnswer {
    pub(super) fn of_value(value: Value, steps: Steps, is_instant: bool) -> PromqlAnswer {
        match value {
            Value::Text(text) => PromqlAnswer::Text(steps.start, text),
            Value::Scalar(values) if is_instant => {
                PromqlAnswer::Scalar(PromqlPoint { at_millis: steps.start, value: values.first().copied().unwrap_or(f64::NAN) })
            }
            Value::Scalar(values) => {
                let row = Row::new(Labels::default(), values.into_iter().map(Some).collect());
                PromqlAnswer::Matrix(vec![series(row, steps)])
            }
            Value::Vector(mut rows) => {
                rows.retain(|row| !row.is_empty());
                if !is_instant {
                    rows.sort_by(|one, other| one.labels.cmp(&other.labels));
                }
                let list = rows.into_iter().map(|row| series(row, steps)).collect();
                if is_instant { PromqlAnswer::Vector(list) } else { PromqlAnswer::Matrix(list) }
            }
        }
    }

    pub(super) fn of_samples(list: Vec<(Labels, NativeWindow)>) -> PromqlAnswer {
        let point = |(at_millis, value): Sample| PromqlPoint { at_millis, value };
        let histogram = |(at_millis, histogram): HistogramSample| PromqlHistogram { at_millis, histogram };
        let series = |(labels, (floats, histograms)): (Labels, NativeWindow)| PromqlSeries {
            labels: owned(&labels),
            points: floats.into_iter().map(point).collect(),
            histograms: histograms.into_iter().map(histogram).collect(),
        };
        PromqlAnswer::Matrix(list.into_iter().map(series).collect())
    }

    /// The response of Prometheus's query API for this result.
    pub fn to_json(&self) -> String {
        self.to_json_with(&[], &[])
    }

    /// The response with warnings and remarks. Written piece by piece: a tree of it would take ten times the memory.
    fn to_json_with(&self, warnings: &[String], infos: &[String]) -> String {
        let mut out = String::from(r#"{"status":"success","data":{"resultType":"#);
        match self {
            PromqlAnswer::Vector(list) => {
                out.push_str(r#""vector","result":["#);
                items(&mut out, list, |out, series| {
                    metric(out, series);
                    match (series.points.first(), series.histograms.first()) {
                        (Some(point), _) => {
                            out.push_str(r#","value":"#);
                            push_point(out, point);
                        }
                        (None, Some(point)) => {
                            out.push_str(r#","histogram":"#);
                            push_histogram(out, point);
                        }
                        (None, None) => out.push_str(r#","value":null"#),
                    }
                    out.push('}');
                });
                out.push(']');
            }
            PromqlAnswer::Matrix(list) => {
                out.push_str(r#""matrix","result":["#);
                items(&mut out, list, |out, series| {
                    metric(out, series);
                    if !series.points.is_empty() || series.histograms.is_empty() {
                        out.push_str(r#","values":["#);
                        items(out, &series.points, push_point);
                        out.push(']');
                    }
                    if !series.histograms.is_empty() {
                        out.push_str(r#","histograms":["#);
                        items(out, &series.histograms, push_histogram);
                        out.push(']');
                    }
                    out.push('}');
                });
                out.push(']');
            }
            PromqlAnswer::Scalar(value) => {
                out.push_str(r#""scalar","result":"#);
                push_point(&mut out, value);
            }
            PromqlAnswer::Text(at, text) => {
                out.push_str(r#""string","result":["#);
                push(&mut out, &Seconds(*at));
                out.push(',');
                push(&mut out, text);
                out.push(']');
            }
        }
        out.push('}');
        for (name, list) in [("warnings", warnings), ("infos", infos)].into_iter().filter(|(_, list)| !list.is_empty()) {
            out.push_str(&format!(",\"{name}\":["));
            items(&mut out, list, push);
            out.push(']');
        }
        out.push('}');
        out
    }
}

impl Evaluated {
    /// The response of Prometheus's query API.
    pub fn to_json(&self) -> String {
        self.answer.to_json_with(&self.warnings, &self.infos)
    }
}

/// Writes the items with commas between them.
fn items<T>(out: &mut String, list: &[T], write: impl Fn(&mut String, &T)) {
    for (number, item) in list.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        write(out, item);
    }
}

/// Opens the object of a series with its labels.
fn metric(out: &mut String, series: &PromqlSeries) {
    out.push_str(r#"{"metric":{"#);
    items(out, &series.labels, |out, (name, value)| {
        push(out, name);
        out.push(':');
        push(out, value);
    });
    out.push('}');
}

fn push_point(out: &mut String, point: &PromqlPoint) {
    out.push('[');
    push(out, &Seconds(point.at_millis));
    out.push(',');
    push(out, &number(point.value));
    out.push(']');
}

fn push_histogram(out: &mut String, PromqlHistogram { at_millis, histogram }: &PromqlHistogram) {
    out.push('[');
    push(out, &Seconds(*at_millis));
    out.push_str(r#",{"count":"#);
    push(out, &number(histogram.count));
    out.push_str(r#","sum":"#);
    push(out, &number(histogram.sum));
    let buckets: Vec<Bucket> = histogram.buckets().collect();
    if !buckets.is_empty() {
        out.push_str(r#","buckets":["#);
        items(out, &buckets, |out, bucket| {
            let rule = match (bucket.has_lower, bucket.has_upper) {
                (false, true) => 0,
                (true, false) => 1,
                (false, false) => 2,
                (true, true) => 3,
            };
            push(out, &(rule, number(bucket.lower), number(bucket.upper), number(bucket.count)));
        });
        out.push(']');
    }
    out.push_str("}]");
}

fn push<T: Serialize>(out: &mut String, value: &T) {
    // Texts and numbers can always be written.
    out.push_str(&serde_json::to_string(value).unwrap_or_default());
}

/// The response of Prometheus's query API for a failed query.
pub fn error_json(error: &PromqlError) -> String {
    let kind = if error.is_bad_query { "bad_data" } else { "execution" };
    json!({ "status": "error", "errorType": kind, "error": error.message }).to_string()
}

/// Milliseconds, printed as seconds without a superfluous fraction.
struct Seconds(i64);

impl Serialize for Seconds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1_000 == 0 { serializer.serialize_i64(self.0 / 1_000) } else { serializer.serialize_f64(self.0 as f64 / 1_000.0) }
    }
}

/// Formats a number like Go: as short as possible, with an exponent of at least two digits if it is very large or small.
fn number(value: f64) -> String {
    exponent_number(value, 1e-6..1e21)
}

fn owned(labels: &Labels) -> Vec<(String, String)> {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn series(row: Row, steps: Steps) -> PromqlSeries {
    let point = |(step, value): (usize, Option<f64>)| Some(PromqlPoint { at_millis: steps.at(step), value: value? });
    let histogram =
        |(step, histogram): (usize, Option<Arc<Histogram>>)| Some(PromqlHistogram { at_millis: steps.at(step), histogram: histogram? });
    PromqlSeries {
        labels: owned(&row.labels),
        points: row.values.into_iter().enumerate().filter_map(point).collect(),
        histograms: row.histograms.into_iter().enumerate().filter_map(histogram).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_written_as_prometheus_writes_them() {
        let numbers = [1.0, 0.1, 1e21, 1.5e-7, -0.0, f64::INFINITY, f64::NAN, 123_456_789.25].map(number);
        assert_eq!(numbers, ["1", "0.1", "1e+21", "1.5e-07", "-0", "+Inf", "NaN", "123456789.25"]);
        let answer = PromqlAnswer::Scalar(PromqlPoint { at_millis: 1_435_781_451_781, value: 1.0 });
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&answer.to_json()).ok(),
            Some(json!({"status": "success", "data": {"resultType": "scalar", "result": [1_435_781_451.781, "1"]}}))
        );
    }
}
