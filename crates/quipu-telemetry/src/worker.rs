//! The writer thread: takes batches of events from the queue, assembles spans, and passes them to the sinks.
//!
//! A batch is everything that arrived while the previous one was written, so commits are rare under load and prompt otherwise. The rules
//! for spans are in `spans`.

use crate::queue::{Batch, Logged, Queue};
use crate::sink::{Sink, SinkError};
use crate::spans::{End, OpenSpans, Start};
use crate::warning::Warning;
use quipu_model::{Event, StructuredLogPayload};

/// The warning handler.
pub(crate) type Warn = Box<dyn Fn(&Warning) + Send>;

pub(crate) struct Worker {
    pub(crate) sinks: Vec<Box<dyn Sink>>,
    pub(crate) warn: Warn,
    pub(crate) spans: OpenSpans,
    /// Events dropped since the last warning, because too much is open.
    pub(crate) dropped: u64,
}

impl Worker {
    /// Runs until the queue is closed and empty.
    pub(crate) fn run(mut self, queue: &Queue) {
        let mut retry = false;
        // An error that repeats with each retry is reported once.
        let mut reported: Vec<String> = Vec::new();
        loop {
            let Batch { events, asked, dropped, flush, last } = queue.next(retry);
            for Logged { event, ttl_seconds, told } in events {
                let warning = self.take(event, ttl_seconds, told.is_some());
                match (warning, told) {
                    // The caller may not wait.
                    (warning, Some(told)) => drop(told.send(warning)),
                    (Some(Warning::TooMuchOpen { dropped }), None) => self.dropped += dropped,
                    (Some(warning), None) => self.report(warning),
                    (None, None) => {}
                }
            }
            if self.dropped > 0 {
                let dropped = std::mem::take(&mut self.dropped);
                self.report(Warning::TooMuchOpen { dropped });
            }
            if dropped > 0 {
                self.report(Warning::QueueFull { dropped, capacity: queue.capacity });
            }
            if last && let Some((spans, first)) = self.spans.left() {
                let first = first.to_owned();
                self.report(Warning::NeverEnded { spans, first });
            }
            let failures = self.commit(&reported, flush, last);
            retry = !failures.is_empty() || self.sinks.iter().any(|sink| sink.is_behind());
            reported.clone_from(&failures);
            queue.finish(asked, failures);
            if last {
                return;
            }
        }
    }

    /// Commits all sinks and returns their errors.
    fn commit(&mut self, reported: &[String], flush: bool, last: bool) -> Vec<String> {
        let mut failures = Vec::new();
        let Worker { sinks, warn, .. } = self;
        let mut fail = |sink: &dyn Sink, error: SinkError| {
            let warning = Warning::SinkFailed { sink: sink.name(), why: error.why, lost: error.lost };
            let text = warning.to_string();
            if error.lost > 0 || !reported.contains(&text) {
                warn(&warning);
            }
            failures.push(text);
        };
        for sink in sinks.iter_mut() {
            match sink.commit() {
                // The flush below retries and reports.
                Err(error) if error.lost == 0 && flush && sink.is_behind() => {}
                Err(error) => fail(sink.as_ref(), error),
                Ok(()) => {}
            }
        }
        // Commit all sinks before waiting for the network.
        for sink in sinks.iter_mut().filter(|sink| flush && sink.is_behind()) {
            if let Err(error) = sink.flush(last) {
                fail(sink.as_ref(), error);
            }
        }
        failures
    }

    fn report(&self, warning: Warning) {
        (self.warn)(&warning);
    }

    /// Passes an event on. Returns why it was dropped, if it was. `is_asked` is whether somebody waits for that.
    fn take(&mut self, event: Event, ttl_seconds: i64, is_asked: bool) -> Option<Warning> {
        match event {
            Event::StructuredLog(event) => {
                let (span_id, trace_id) = (event.span_id.clone(), event.trace_id.clone());
                match event.payload.clone() {
                    StructuredLogPayload::SpanStart(_) if is_asked && self.sinks.iter_mut().any(|sink| sink.has_stored(&span_id)) => {
                        return Some(Warning::AlreadyWritten { span_id, trace_id });
                    }
                    StructuredLogPayload::SpanStart(start) => match self.spans.start(event, start, ttl_seconds) {
                        Start::New(span) => self.sinks.iter_mut().for_each(|sink| sink.start(span)),
                        Start::NotSampled => {}
                        Start::Twice => return Some(Warning::StartedTwice { span_id, trace_id }),
                        Start::TooMuch => return Some(Warning::TooMuchOpen { dropped: 1 }),
                    },
                    StructuredLogPayload::SpanEnd(end) => match self.spans.end(event, end, ttl_seconds) {
                        End::Ended(ended) => self.sinks.iter_mut().for_each(|sink| sink.end(&ended)),
                        End::NotSampled => {}
                        End::Unknown => return Some(Warning::UnknownSpan { what: "end of the span".into(), span_id, trace_id }),
                    },
                }
                None
            }
            Event::UnstructuredLog(event) => {
                let (span_id, trace_id) = (event.span_id.clone(), event.trace_id.clone());
                let unknown = Warning::UnknownSpan { what: "log line".into(), span_id, trace_id };
                self.spans.log(event, ttl_seconds).warning(unknown)
            }
            Event::Metric(event) => {
                let added = self.spans.metric(&event);
                self.sinks.iter_mut().for_each(|sink| sink.metric(&event));
                let what = format!("metric {}", event.metric);
                added.warning(Warning::UnknownSpan { what, span_id: event.span_id, trace_id: event.trace_id })
            }
        }
    }
}
