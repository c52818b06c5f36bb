//! The sink `otel_trace`: sends ended spans with their events, ids and times to a collector.
//!
//! The protobuf is in `quipu_otlp`, sending in `batch_queue`.

use super::batch_queue::{BatchQueue, PATIENCE, Pending};
use super::client::Client;
use super::schedule::Schedule;
use crate::sink::{EndedSpan, Sink, SinkError};
use crate::weight::of_attributes;
use quipu_otlp::{OtlpSource, OtlpSpan, otlp_id, traces_request};
use std::collections::VecDeque;
use std::time::Duration;

/// Maximum number of spans kept while the collector is unreachable, and of their bytes. The oldest are dropped and reported.
const KEPT: usize = 100_000;
const KEPT_BYTES: usize = 64 << 20;
/// Approximate maximum size of a request; collectors reject requests of some tens of megabytes.
const FULL_BYTES: usize = 4 << 20;

/// Sends ended spans to an OpenTelemetry collector.
pub struct OtlpTraceSink {
    queue: BatchQueue<Spans>,
}

struct Spans {
    waiting: VecDeque<(OtlpSpan, usize)>,
    bytes: usize,
    batch: usize,
}

impl OtlpTraceSink {
    /// Starts the sending thread. `source` is the resource and scope.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(client: Client, source: OtlpSource, schedule: Schedule) -> Result<OtlpTraceSink, SinkError> {
        OtlpTraceSink::with_patience(client, source, schedule, PATIENCE)
    }

    /// Like [`start`](OtlpTraceSink::start), with a shutdown timeout other than ten seconds.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn with_patience(client: Client, source: OtlpSource, schedule: Schedule, patience: Duration) -> Result<OtlpTraceSink, SinkError> {
        let pending = Spans { waiting: VecDeque::new(), bytes: 0, batch: schedule.batch };
        Ok(OtlpTraceSink { queue: BatchQueue::start(pending, client, source, schedule.delay, patience)? })
    }
}

impl Sink for OtlpTraceSink {
    fn name(&self) -> &'static str {
        "otel_trace"
    }

    fn end(&mut self, ended: &EndedSpan) {
        let span = outgoing(ended);
        self.queue.put(|spans| match span {
            Some(span) => spans.push(span),
            None => Some((1, "Spans without hexadecimal ids of 16 and 8 bytes can't be sent.".into())),
        });
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

/// Converts a span; `None` if an id is not valid in OTLP.
fn outgoing(ended: &EndedSpan) -> Option<OtlpSpan> {
    let span = &ended.span;
    Some(OtlpSpan {
        trace_id: otlp_id(&span.trace_id, 16)?,
        span_id: otlp_id(&span.span_id, 8)?,
        parent_span_id: span.parent_span_id.as_deref().and_then(|id| otlp_id(id, 8)),
        has_remote_parent: span.has_remote_parent,
        trace_state: span.trace_state.clone(),
        name: span.name.clone(),
        start: span.start,
        end: ended.end,
        attributes: span.attributes.clone(),
        status: ended.status,
        events: ended.events.iter().map(|event| (event.name.clone(), event.at, event.attributes.clone())).collect(),
    })
}

/// The approximate encoded size of a span.
fn weight(span: &OtlpSpan) -> usize {
    let events: usize = span.events.iter().map(|(name, _, attributes)| name.len() + of_attributes(attributes) + 16).sum();
    span.name.len() + of_attributes(&span.attributes) + events + 80
}

impl Spans {
    fn push(&mut self, span: OtlpSpan) -> Option<(u64, String)> {
        let weight = weight(&span);
        self.bytes += weight;
        self.waiting.push_back((span, weight));
        self.forget()
    }

    /// Drops the oldest spans beyond the limits.
    fn forget(&mut self) -> Option<(u64, String)> {
        let mut lost = 0;
        while self.waiting.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some((_, weight)) = self.waiting.pop_front() else { break };
            self.bytes -= weight;
            lost += 1;
        }
        let words = || format!("The collector is unreachable, and more than {KEPT} spans or {} MiB are pending.", KEPT_BYTES >> 20);
        (lost > 0).then(|| (lost, words()))
    }
}

impl Pending for Spans {
    type Batch = Vec<OtlpSpan>;

    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= self.batch || self.bytes >= FULL_BYTES
    }

    fn take(&mut self) -> Vec<OtlpSpan> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < self.batch && bytes < FULL_BYTES {
            let Some((span, weight)) = self.waiting.pop_front() else { break };
            bytes += weight;
            batch.push(span);
        }
        self.bytes -= bytes;
        batch
    }

    fn put_back(&mut self, batch: Vec<OtlpSpan>) {
        for span in batch.into_iter().rev() {
            let weight = weight(&span);
            self.bytes += weight;
            self.waiting.push_front((span, weight));
        }
    }

    fn give_up(&mut self) -> u64 {
        self.bytes = 0;
        self.waiting.drain(..).count() as u64
    }

    fn spans_in(batch: &Vec<OtlpSpan>) -> u64 {
        batch.len() as u64
    }

    fn request(source: &OtlpSource, batch: &Vec<OtlpSpan>) -> Vec<u8> {
        traces_request(source, batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_model::{Attributes, Primitive, SpanStatus, Timestamp};

    #[test]
    fn the_oldest_spans_go_when_too_many_bytes_are_pending() {
        let mut spans = Spans { waiting: VecDeque::new(), bytes: 0, batch: 512 };
        let span = || OtlpSpan {
            trace_id: "1".repeat(32),
            span_id: "1".repeat(16),
            parent_span_id: None,
            has_remote_parent: false,
            trace_state: None,
            name: "n".into(),
            start: Timestamp(0),
            end: Timestamp(0),
            attributes: Attributes(vec![("prompt".into(), Primitive::Text("x".repeat(1 << 20)))]),
            status: SpanStatus::Ok,
            events: Vec::new(),
        };
        let lost: u64 = (0..100).filter_map(|_| spans.push(span())).map(|(lost, _)| lost).sum();
        assert_eq!(spans.waiting.len() as u64 + lost, 100);
        assert!((60..64).contains(&spans.waiting.len()) && spans.bytes <= KEPT_BYTES, "{}", spans.waiting.len());
    }
}
