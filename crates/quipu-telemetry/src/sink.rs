//! The trait that sinks implement, and the spans they receive.
//!
//! `spans` makes spans from events; the sinks are `console`, `sqlite` and `otlp`.

use quipu_model::{Attributes, MetricEvent, Primitive, SpanStatus, Timestamp};

/// A span that has started but not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct StartedSpan {
    /// Trace id, as given by the start event.
    pub trace_id: String,
    /// Span id, as given by the start event.
    pub span_id: String,
    /// Id of the parent span, which need not be known.
    pub parent_span_id: Option<String>,
    /// Whether the parent is in another process, given by a W3C trace context.
    pub has_remote_parent: bool,
    /// The W3C `tracestate` for this span and its descendants.
    pub trace_state: Option<String>,
    /// Span name, as given by the start event.
    pub name: String,
    /// Start time, as given by the start event.
    pub start: Timestamp,
    /// Attributes so far, including `__ttl__`; never null.
    pub attributes: Attributes,
}

impl StartedSpan {
    /// Whether the span is an automatically traced method, which the console skips.
    pub fn is_autotraced(&self) -> bool {
        self.is_marked("__autotraced__")
    }

    /// Whether the span is the outermost one of this process in its trace.
    pub fn is_local_root(&self) -> bool {
        self.is_marked("__local_root_span__")
    }

    /// Whether the attribute is truthy in Python, the test Llama Stack uses.
    fn is_marked(&self, key: &str) -> bool {
        match self.attributes.get(key) {
            None | Some(Primitive::Null) => false,
            Some(Primitive::Bool(truth)) => *truth,
            Some(Primitive::Integer(number)) => *number != 0,
            Some(Primitive::Float(number)) => *number != 0.0,
            Some(Primitive::Text(text)) => !text.is_empty(),
        }
    }
}

/// A span that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct EndedSpan {
    /// The span, including attributes of the end event.
    pub span: StartedSpan,
    /// End time, as given by the end event.
    pub end: Timestamp,
    /// Status, as given by the end event.
    pub status: SpanStatus,
    /// Logs and metrics of the span, in the order of arrival.
    pub events: Vec<SpanEvent>,
}

/// A span event.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanEvent {
    /// `unstructured_log`, or `metric.` followed by the metric's name.
    pub name: String,
    /// Time of the event.
    pub at: Timestamp,
    /// For logs: `message`, `severity`, `__ttl__` and the event's attributes; for metrics: `value`, `unit` and the labels.
    pub attributes: Attributes,
}

/// Receives spans and metrics one after the other, in the writer thread of a [`Telemetry`](crate::Telemetry), which also opens it. A sink
/// need not be [`Send`].
pub trait Sink {
    /// The sink's name in warnings, such as `sqlite`.
    fn name(&self) -> &'static str;

    /// A span has started. Does nothing by default.
    fn start(&mut self, _span: &StartedSpan) {}

    /// A span has ended.
    fn end(&mut self, span: &EndedSpan);

    /// A metric was logged, in a span or outside of any. Metrics of a span are also among its events.
    fn metric(&mut self, _metric: &MetricEvent) {}

    /// Whether the sink has stored a span with this id, as far as it can tell.
    fn has_stored(&mut self, _span_id: &str) -> bool {
        false
    }

    /// Stores everything received since the last commit. Called when the queue is empty, and by `flush`.
    ///
    /// # Errors
    /// The problem. Data not counted as lost must be retried by the next commit.
    fn commit(&mut self) -> Result<(), SinkError>;

    /// Whether the sink has unfinished work, for example in a thread of its own. Then it is asked to commit again within a second, so that
    /// errors are reported.
    fn is_behind(&self) -> bool {
        false
    }

    /// Finishes work that `commit` left for later. After the `last` flush nothing follows; it must only wait for a limited time. Called by
    /// `flush` and `shutdown` if the sink has unfinished work, after all sinks have committed.
    ///
    /// # Errors
    /// As for `commit`.
    fn flush(&mut self, _last: bool) -> Result<(), SinkError> {
        Ok(())
    }
}

/// A sink failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct SinkError {
    /// The reason, as a sentence.
    pub why: String,
    /// Number of spans lost. The sink keeps all others and retries.
    pub lost: u64,
}

impl SinkError {
    /// A failure without loss of data.
    pub fn new(why: impl Into<String>) -> SinkError {
        SinkError { why: why.into(), lost: 0 }
    }
}
