//! Tokens of inference requests as the three documented metrics.
//!
//! What is not here: counting tokens; whoever answered the request says how many there were.

use crate::telemetry::{LogError, Telemetry};
use quipu_model::{Attributes, Event, EventTime, MetricEvent, MetricValue, Primitive};

/// Tokens of one request. What is not known is `None`, and nothing is written of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of what was asked.
    pub prompt_tokens: Option<u64>,
    /// Tokens of what was answered.
    pub completion_tokens: Option<u64>,
    /// Both together; where it is `None` and both are known, their sum.
    pub total_tokens: Option<u64>,
}

/// The span an inference request was made in, and when it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InferenceSpan<'a> {
    /// The span's trace.
    pub trace_id: &'a str,
    /// The span, which has not ended.
    pub span_id: &'a str,
    /// When the request was answered; of a stream, when its last piece came.
    pub at: EventTime,
}

impl Telemetry {
    /// Logs `prompt_tokens`, `completion_tokens` and `total_tokens` of one request, in `tokens`, labelled with `model_id` and `provider_id`. To
    /// be called once a request, streaming or not.
    ///
    /// # Errors
    /// [`LogError`]: none of them was taken.
    pub fn record_inference(&self, span: InferenceSpan<'_>, model_id: &str, provider_id: &str, usage: Usage) -> Result<(), LogError> {
        let sum = || usage.prompt_tokens?.checked_add(usage.completion_tokens?);
        let counts = [
            ("prompt_tokens", usage.prompt_tokens),
            ("completion_tokens", usage.completion_tokens),
            ("total_tokens", usage.total_tokens.or_else(sum)),
        ];
        let metric = |(name, count): (&str, Option<u64>)| {
            Some(Event::Metric(MetricEvent {
                trace_id: span.trace_id.to_owned(),
                span_id: span.span_id.to_owned(),
                timestamp: span.at,
                attributes: Attributes(vec![
                    ("model_id".into(), Primitive::Text(model_id.into())),
                    ("provider_id".into(), Primitive::Text(provider_id.into())),
                ]),
                metric: name.to_owned(),
                value: MetricValue::Integer(i64::try_from(count?).unwrap_or(i64::MAX)),
                unit: "tokens".into(),
            }))
        };
        self.log_all(counts.into_iter().filter_map(metric).collect())
    }
}
