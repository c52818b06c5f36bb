//! Warnings about telemetry for the running program.

use std::fmt;

/// A problem with telemetry. Reported by the writer thread, so the program does not wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Events arrived faster than they could be written.
    QueueFull {
        /// Events dropped since the last such warning.
        dropped: u64,
        /// The queue's capacity in events.
        capacity: usize,
    },
    /// An event was dropped because its span is not open.
    UnknownSpan {
        /// `end of the span`, `log line`, or `metric NAME`.
        what: String,
        /// Span id, as given by the event.
        span_id: String,
        /// Trace id, as given by the event.
        trace_id: String,
    },
    /// A second start of an open span was dropped.
    StartedTwice {
        /// Span id, as given by the event.
        span_id: String,
        /// Trace id, as given by the event.
        trace_id: String,
    },
    /// A sink failed.
    SinkFailed {
        /// The sink's name, such as `sqlite`.
        sink: &'static str,
        /// The reason, as a sentence.
        why: String,
        /// Number of spans lost.
        lost: u64,
    },
    /// Spans were still open at shutdown and were not written.
    NeverEnded {
        /// Number of open spans.
        spans: u64,
        /// Name of the span that started first.
        first: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::QueueFull { dropped, capacity } => {
                write!(
                    f,
                    "{dropped} telemetry events were dropped because the queue of {capacity} was full. Log less, or increase the capacity."
                )
            }
            Warning::UnknownSpan { what, span_id, trace_id } => {
                write!(f, "The {what} was dropped: span {span_id} of trace {trace_id} is not open.")
            }
            Warning::StartedTwice { span_id, trace_id } => {
                write!(f, "A start of span {span_id} of trace {trace_id} was dropped: the span is already open.")
            }
            Warning::SinkFailed { sink, why, lost: 0 } => write!(f, "Telemetry sink {sink}: {why}"),
            Warning::SinkFailed { sink, why, lost } => write!(f, "Telemetry sink {sink}: {why} Spans lost: {lost}."),
            Warning::NeverEnded { spans, first } => {
                write!(f, "{spans} spans were still open at shutdown and were not written; the first is “{first}”.")
            }
        }
    }
}
