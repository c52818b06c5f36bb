//! The span this thread is in, where a [`TelemetryLayer`](crate::TelemetryLayer) records it: for headers of outgoing requests, and for the
//! metrics of inference requests.
//!
//! What is not here: making spans (`layer`).

use crate::inference::{InferenceSpan, Usage};
use crate::telemetry::{LogError, Telemetry};
use crate::w3c::TraceParent;
use quipu_model::{EventTime, Timestamp};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::SystemTime;

/// A span that code is in.
#[derive(Clone)]
pub(crate) struct Current {
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) place: TraceParent,
    pub(crate) trace_state: Option<String>,
}

thread_local! {
    /// Spans that were entered on this thread and not left, the innermost last.
    static ENTERED: RefCell<Vec<Current>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn enter(current: Current) {
    // While a thread ends there may be nothing left to enter.
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(current));
}

/// Spans may be left in another order than they were entered.
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

/// W3C's `traceparent` of the span this thread is in, for the headers of a request; whoever answers it can go on with the trace. `None` outside of
/// spans that are recorded.
pub fn current_traceparent() -> Option<String> {
    Some(current()?.place.header())
}

/// The `tracestate` that came with the context this thread's span goes on with, to be handed on beside [`current_traceparent`].
pub fn current_tracestate() -> Option<String> {
    current()?.trace_state
}

/// Logs `prompt_tokens`, `completion_tokens` and `total_tokens` of one inference request, labelled with `model_id` and `provider_id`, in the
/// span this thread is in. To be called once a request, streaming or not; of a stream, when its last piece has come.
///
/// # Errors
/// [`LogError`]: none of them was taken; [`LogError::NoSpan`] outside of spans that are recorded.
pub fn record_inference(model_id: &str, provider_id: &str, usage: Usage) -> Result<(), LogError> {
    let Current { telemetry, place, .. } = current().ok_or(LogError::NoSpan)?;
    let span = InferenceSpan { trace_id: &place.trace_id, span_id: &place.span_id, at: now() };
    telemetry.record_inference(span, model_id, provider_id, usage)
}

/// The time, in UTC.
pub(crate) fn now() -> EventTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    EventTime::utc(Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)))
}
