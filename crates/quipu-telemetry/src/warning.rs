//! What a program is told about its telemetry while it runs.

use std::fmt;

/// Something about the telemetry that somebody should know. It is told by the thread that writes, so the program does not wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Events came faster than they could be written.
    QueueFull {
        /// How many were dropped since the last such warning.
        dropped: u64,
        /// How many can wait.
        capacity: usize,
    },
    /// The end of a span, or something in it, came before its start or after its end; it was dropped.
    UnknownSpan {
        /// `end of the span`, `log line`, `metric NAME`.
        what: String,
        /// The span's id, as the event said.
        span_id: String,
        /// The trace's id, as the event said.
        trace_id: String,
    },
    /// A span that has started and not ended was started again; the second start was dropped.
    StartedTwice {
        /// The span's id, as the event said.
        span_id: String,
        /// The trace's id, as the event said.
        trace_id: String,
    },
    /// A sink could not do its work.
    SinkFailed {
        /// Its name.
        sink: &'static str,
        /// A sentence.
        why: String,
        /// Spans that are lost by it.
        lost: u64,
    },
    /// At the shutdown there were spans that had not ended, so they were not written.
    NeverEnded {
        /// How many.
        spans: u64,
        /// The name of the one that started first.
        first: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::QueueFull { dropped, capacity } => {
                write!(
                    f,
                    "{dropped} telemetry events were dropped: {capacity} were waiting already. Log fewer, or give the queue more room."
                )
            }
            Warning::UnknownSpan { what, span_id, trace_id } => {
                write!(f, "The {what} was dropped: no span {span_id} of trace {trace_id} has started and not ended.")
            }
            Warning::StartedTwice { span_id, trace_id } => {
                write!(f, "The second start of span {span_id} of trace {trace_id} was dropped: a span of this id has not ended yet.")
            }
            Warning::SinkFailed { sink, why, lost: 0 } => write!(f, "Telemetry sink {sink}: {why}"),
            Warning::SinkFailed { sink, why, lost } => write!(f, "Telemetry sink {sink}: {why} Spans lost: {lost}."),
            Warning::NeverEnded { spans, first } => {
                write!(f, "{spans} spans had not ended when telemetry was shut down, and were not written; the first is “{first}”.")
            }
        }
    }
}
