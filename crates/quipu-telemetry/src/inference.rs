//! Logs the tokens of inference requests as the three documented metrics.

use crate::telemetry::{LogError, Telemetry};
use quipu_model::{Attributes, Event, EventTime, MetricEvent, MetricValue, Primitive};

/// Token counts of one request. Unknown counts are `None` and not written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the completion.
    pub completion_tokens: Option<u64>,
    /// Total tokens. If `None`, the sum of the other two, if both are known.
    pub total_tokens: Option<u64>,
}

/// The span of an inference request, and the time of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InferenceSpan<'a> {
    /// Id of the span's trace.
    pub trace_id: &'a str,
    /// Id of the span, which must be open.
    pub span_id: &'a str,
    /// Time of the response; for streams, of the last chunk.
    pub at: EventTime,
}

impl Telemetry {
    /// Logs `prompt_tokens`, `completion_tokens` and `total_tokens` of one request, in `tokens`, labelled with `model_id` and
    /// `provider_id`. Call it once per request, streaming or not.
    ///
    /// # Errors
    /// [`LogError`] if the metrics were rejected.
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
