//! The sink `otel_metric`: aggregates metrics into cumulative sums and sends them at an interval.
//!
//! As in Llama Stack, integers are monotonic counters and floats are up-down counters. Sums are cumulative, so a request that was not
//! delivered is covered by the next. A collector's Prometheus exporter with the namespace `llama_stack` produces the documented metric
//! names. The protobuf is in `quipu_otlp`, sending in `batch_queue`.

use super::batch_queue::{BatchQueue, PATIENCE, Pending};
use super::client::Client;
use super::schedule::Schedule;
use crate::sink::{EndedSpan, Sink, SinkError};
use crate::weight::of_attributes;
use quipu_model::{MetricEvent, MetricValue, Primitive, Timestamp};
use quipu_otlp::{OtlpPoint, OtlpSource, OtlpSum, metrics_request};
use std::time::{Duration, SystemTime};

/// Maximum number of label sets. A typical program has some dozens.
const MOST_SETS: usize = 10_000;
/// Maximum memory of names and label sets in bytes.
const MOST_BYTES: usize = 16 << 20;

/// Aggregates metrics and sends the sums.
pub struct OtlpMetricSink {
    queue: BatchQueue<Sums>,
}

struct Sums {
    start: Timestamp,
    sums: Vec<OtlpSum>,
    sets: usize,
    bytes: usize,
    changed: bool,
}

impl OtlpMetricSink {
    /// Starts the sending thread. `source` is the resource and scope. Sums start at zero now.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(client: Client, source: OtlpSource, schedule: Schedule) -> Result<OtlpMetricSink, SinkError> {
        OtlpMetricSink::with_patience(client, source, schedule, PATIENCE)
    }

    /// Like [`start`](OtlpMetricSink::start), with a shutdown timeout other than ten seconds.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn with_patience(client: Client, source: OtlpSource, schedule: Schedule, patience: Duration) -> Result<OtlpMetricSink, SinkError> {
        let pending = Sums { start: now(), sums: Vec::new(), sets: 0, bytes: 0, changed: false };
        Ok(OtlpMetricSink { queue: BatchQueue::start(pending, client, source, schedule.interval, patience)? })
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

impl Sink for OtlpMetricSink {
    fn name(&self) -> &'static str {
        "otel_metric"
    }

    fn end(&mut self, _span: &EndedSpan) {}

    fn metric(&mut self, metric: &MetricEvent) {
        self.queue.put(|sums| sums.add(metric).map(|why| (0, why)));
    }

    fn commit(&mut self) -> Result<(), SinkError> {
        self.queue.report()
    }

    fn flush(&mut self, last: bool) -> Result<(), SinkError> {
        self.queue.flush(last)
    }

    fn is_behind(&self) -> bool {
        self.queue.is_behind()
    }
}

impl Sums {
    /// Adds a value; returns the reason if it is dropped.
    fn add(&mut self, metric: &MetricEvent) -> Option<String> {
        let name = &metric.metric;
        let is_monotonic = matches!(metric.value, MetricValue::Integer(_));
        if matches!(metric.value, MetricValue::Integer(amount) if amount < 0) {
            return Some(format!("A negative value of {name} was dropped: integers are counters, which never decrease."));
        }
        let mut labels = metric.attributes.clone();
        labels.0.retain(|(_, value)| *value != Primitive::Null);
        labels.0.sort_by(|a, b| a.0.cmp(&b.0));
        let bytes = of_attributes(&labels) + name.len() + metric.unit.len();
        let is_full = self.sets >= MOST_SETS || self.bytes + bytes > MOST_BYTES;
        let dropped =
            || format!("A value of a metric was dropped: there are at most {MOST_SETS} label sets, of {} MiB together.", MOST_BYTES >> 20);
        let known = self.sums.iter().position(|sum| sum.name == *name && sum.unit == metric.unit && sum.is_monotonic == is_monotonic);
        if known.is_none() && is_full {
            return Some(dropped());
        }
        let at = known.unwrap_or_else(|| {
            let kind = if is_monotonic { "Counter" } else { "UpDownCounter" };
            let description = format!("{kind} for {name}");
            self.sums.push(OtlpSum { name: name.clone(), description, unit: metric.unit.clone(), is_monotonic, points: Vec::new() });
            self.sums.len() - 1
        });
        let sum = self.sums.get_mut(at)?;
        self.changed = true;
        match sum.points.iter_mut().find(|point| point.attributes == labels) {
            Some(point) => point.value = point.value.plus(metric.value),
            None if is_full => return Some(dropped()),
            None => {
                self.sets += 1;
                self.bytes += bytes;
                sum.points.push(OtlpPoint { attributes: labels, start: self.start, at: self.start, value: metric.value });
            }
        }
        None
    }
}

impl Pending for Sums {
    type Batch = Vec<OtlpSum>;

    fn is_empty(&self) -> bool {
        !self.changed
    }

    fn is_full(&self) -> bool {
        false
    }

    fn take(&mut self) -> Vec<OtlpSum> {
        self.changed = false;
        let at = now().max(self.start);
        let mut sums = self.sums.clone();
        sums.iter_mut().flat_map(|sum| &mut sum.points).for_each(|point| point.at = at);
        sums
    }

    fn put_back(&mut self, _batch: Vec<OtlpSum>) {
        self.changed = true;
    }

    /// Sums are sent again even if unchanged, because consumers treat a series as stale after a few minutes.
    fn repeat(&mut self) {
        self.changed = !self.sums.is_empty();
    }

    fn give_up(&mut self) -> u64 {
        0
    }

    fn spans_in(_batch: &Vec<OtlpSum>) -> u64 {
        0
    }

    fn request(source: &OtlpSource, batch: &Vec<OtlpSum>) -> Vec<u8> {
        metrics_request(source, batch)
    }
}
