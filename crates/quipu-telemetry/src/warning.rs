//! Warnings about telemetry for the running program.

use crate::text::line;
use std::fmt;

/// A problem with telemetry. Reported by the writer thread, so the program does not wait for it. As text it is one line, whatever ids and
/// names are in it.
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
    /// A start was dropped: a sink has stored a span with its id already.
    AlreadyWritten {
        /// Span id, as given by the event.
        span_id: String,
        /// Trace id, as given by the event.
        trace_id: String,
    },
    /// Events were dropped because too many spans are open, or too much was logged in them.
    TooMuchOpen {
        /// Events dropped since the last such warning.
        dropped: u64,
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
                write!(f, "The {} was dropped: span {} of trace {} is not open.", line(what), line(span_id), line(trace_id))
            }
            Warning::StartedTwice { span_id, trace_id } => {
                write!(f, "A start of span {} of trace {} was dropped: the span is already open.", line(span_id), line(trace_id))
            }
            Warning::AlreadyWritten { span_id, trace_id } => {
                write!(
                    f,
                    "A start of span {} of trace {} was dropped: a span with this id was written before.",
                    line(span_id),
                    line(trace_id)
                )
            }
            Warning::TooMuchOpen { dropped } => {
                write!(f, "{dropped} telemetry events were dropped because too many spans are open, or hold too much. End spans earlier.")
            }
            Warning::SinkFailed { sink, why, lost: 0 } => write!(f, "Telemetry sink {sink}: {}", line(why)),
            Warning::SinkFailed { sink, why, lost } => write!(f, "Telemetry sink {sink}: {} Spans lost: {lost}.", line(why)),
            Warning::NeverEnded { spans, first } => {
                write!(f, "{spans} spans were still open at shutdown and were not written; the first is “{}”.", line(first))
            }
        }
    }
}
