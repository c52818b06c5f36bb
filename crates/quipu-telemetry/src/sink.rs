//! Where telemetry goes: the trait every sink implements, and the spans it is given.
//!
//! What is not here: how events become spans (`spans`), and the sinks themselves (`console`, `sqlite`, `otlp`).

use quipu_model::{Attributes, MetricEvent, Primitive, SpanStatus, Timestamp};

/// A span that has started and not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct StartedSpan {
    /// The trace it belongs to, as its event said.
    pub trace_id: String,
    /// Its own id, as its event said.
    pub span_id: String,
    /// The span it is part of; need not be known here.
    pub parent_span_id: Option<String>,
    /// Whether that span is of another process, from which a W3C context came.
    pub has_remote_parent: bool,
    /// The `tracestate` that came with the context, for this span and all below it.
    pub trace_state: Option<String>,
    /// Its name.
    pub name: String,
    /// When it started.
    pub start: Timestamp,
    /// Its attributes so far, `__ttl__` among them; none is null.
    pub attributes: Attributes,
}

impl StartedSpan {
    /// Whether it is a traced method of a server, which consoles leave out.
    pub fn is_autotraced(&self) -> bool {
        self.is_marked("__autotraced__")
    }

    /// Whether it is the outermost span of this process in its trace.
    pub fn is_local_root(&self) -> bool {
        self.is_marked("__local_root_span__")
    }

    /// Whether Python would take the attribute for true, as the reference asks.
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
    /// What was known before, with the attributes of the end.
    pub span: StartedSpan,
    /// When it ended.
    pub end: Timestamp,
    /// How it went.
    pub status: SpanStatus,
    /// What was logged and measured in it, in the order it came.
    pub events: Vec<SpanEvent>,
}

/// Something that happened in a span.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanEvent {
    /// `unstructured_log`, or `metric.` and the metric's name.
    pub name: String,
    /// When it happened.
    pub at: Timestamp,
    /// Of a log: `message`, `severity`, `__ttl__` and what its event brought; of a metric: `value`, `unit` and its labels.
    pub attributes: Attributes,
}

/// Takes what happens, one after the other, in the one thread of a [`Telemetry`](crate::Telemetry), which also opens it: a sink need not
/// be [`Send`].
pub trait Sink {
    /// What warnings call it: `sqlite`.
    fn name(&self) -> &'static str;

    /// A span has started.
    fn start(&mut self, _span: &StartedSpan) {}

    /// A span has ended.
    fn end(&mut self, span: &EndedSpan);

    /// A number was measured, in a span or outside of any; one in a span is also among the events of its end.
    fn metric(&mut self, _metric: &MetricEvent) {}

    /// Makes safe what came since the last time. Called whenever the queue is empty, and by `flush`.
    ///
    /// # Errors
    /// What went wrong. What is not counted as lost is to be tried again by the next commit.
    fn commit(&mut self) -> Result<(), SinkError>;

    /// Whether `commit` leaves something to be done later, as a sink does that has a thread of its own. It is then asked to commit again
    /// within a second, so that what has gone wrong meanwhile is told.
    fn is_behind(&self) -> bool {
        false
    }

    /// Does now what `commit` left for later; nothing comes after the `last`, which is to wait for a bounded time only. Called by `flush` and
    /// `shutdown` where the sink is behind, when all sinks have committed.
    ///
    /// # Errors
    /// As `commit`.
    fn flush(&mut self, _last: bool) -> Result<(), SinkError> {
        Ok(())
    }
}

/// A sink can't do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct SinkError {
    /// A sentence.
    pub why: String,
    /// Spans that are lost by it; all others are kept by the sink, to be tried again.
    pub lost: u64,
}

impl SinkError {
    /// A failure by which nothing is lost yet.
    pub fn new(why: impl Into<String>) -> SinkError {
        SinkError { why: why.into(), lost: 0 }
    }
}
