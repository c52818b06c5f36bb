//! The current span of a thread, as recorded by a [`TelemetryLayer`](crate::TelemetryLayer), for headers of outgoing requests and for
//! inference metrics.

use crate::inference::{InferenceSpan, Usage};
use crate::telemetry::{LogError, Telemetry};
use crate::w3c::TraceParent;
use quipu_model::{EventTime, Timestamp};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::SystemTime;

/// A span that the thread has entered.
#[derive(Clone)]
pub(crate) struct Current {
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) place: TraceParent,
    pub(crate) trace_state: Option<String>,
}

thread_local! {
    /// Spans entered on this thread and not left, innermost last.
    static ENTERED: RefCell<Vec<Current>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn enter(current: Current) {
    // The thread-local is gone while the thread ends.
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(current));
}

/// Spans may be left in a different order than entered.
pub(crate) fn leave(span_id: &str) {
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        if let Some(at) = entered.iter().rposition(|current| current.place.span_id == span_id) {
            entered.remove(at);
        }
    });
}

fn current() -> Option<Current> {
    ENTERED.try_with(|entered| entered.borrow().last().cloned()).ok().flatten()
}

/// The W3C `traceparent` header of the current span, so that the called service can continue the trace. `None` outside of recorded spans.
pub fn current_traceparent() -> Option<String> {
    Some(current()?.place.header())
}

/// The `tracestate` header that belongs to [`current_traceparent`], if the caller sent one.
pub fn current_tracestate() -> Option<String> {
    current()?.trace_state
}

/// Logs `prompt_tokens`, `completion_tokens` and `total_tokens` of one inference request in the current span, labelled with `model_id` and
/// `provider_id`. Call it once per request; for streams, after the last chunk.
///
/// # Errors
/// [`LogError`] if the metrics were rejected; [`LogError::NoSpan`] outside of recorded spans.
pub fn record_inference(model_id: &str, provider_id: &str, usage: Usage) -> Result<(), LogError> {
    let Current { telemetry, place, .. } = current().ok_or(LogError::NoSpan)?;
    let span = InferenceSpan { trace_id: &place.trace_id, span_id: &place.span_id, at: now() };
    telemetry.record_inference(span, model_id, provider_id, usage)
}

/// The current UTC time.
pub(crate) fn now() -> EventTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    EventTime::utc(Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)))
}
