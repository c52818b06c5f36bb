//! A model call as its attributes state it: the index reads the same while it passes over a file, the SQL views one span at a time.

use super::{InferenceRole, add_up, set_count, set_part};
use crate::dialect::{Evidence, Role, Says, says};
use crate::recorded::{RawJson, entries};
use crate::{CallParts, TokenRecord, TokenSource};
use std::borrow::Cow;

/// What the attributes of a span say about a model call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatedCall {
    /// What the span is; `None` if no attribute says so.
    pub role: Option<Role>,
    /// Its token counts, also if it is no model call.
    pub tokens: TokenRecord,
    /// Parts of the counts, and its speed.
    pub parts: CallParts,
    /// The model, by the name it was asked for.
    pub model: Option<String>,
    /// The provider.
    pub provider: Option<String>,
}

impl StatedCall {
    /// Reads a span's attributes, a recorded JSON object. Attributes that are invalid from some point on count up to that point.
    pub fn of(attributes: &[u8]) -> StatedCall {
        let mut call = StatedCall::default();
        let (mut evidence, mut answered_by) = (Evidence::default(), None);
        for (key, value) in entries(attributes).map_while(Result::ok) {
            let Some(says) = says(&key) else { continue };
            let text = || value.as_str().map(|text| without_quotes(&text).to_owned()).filter(|text| !text.is_empty());
            match says {
                Says::Tokens(kind) => {
                    if let Some(number) = number_in(value) {
                        set_count(&mut call.tokens, kind, number, TokenSource::Attribute);
                    }
                }
                Says::Part(_) | Says::FirstPartSeconds | Says::FirstPartMillis => {
                    if let Some(number) = number_in(value) {
                        set_part(&mut call.parts, says, number);
                    }
                }
                Says::Model => call.model = call.model.or_else(text),
                Says::ResponseModel => answered_by = answered_by.or_else(text),
                Says::Provider => call.provider = call.provider.or_else(text),
                _ => {}
            }
            evidence.note(says, || value.as_str());
        }
        call.role = evidence.role();
        call.model = call.model.or(answered_by);
        add_up(&mut call.tokens, call.role == Some(Role::Embedding));
        call
    }

    /// Whether a span of this name with these attributes is a model call. Spans that Llama Stack's own telemetry names are judged by name.
    pub fn is_call(&self, name: &str) -> bool {
        self.role.is_some_and(Role::is_call) && InferenceRole::from_name(name).is_none()
    }
}

/// A number, also if it was recorded as text.
pub fn number_in(value: RawJson<'_>) -> Option<f64> {
    let text: Option<Cow<'_, str>> = value.as_str();
    text.as_deref().or(value.as_number_text()).and_then(|text| text.parse().ok())
}

/// A value without the quotes that remain where a program encodes every value as JSON before it is recorded as text.
pub fn without_quotes(text: &str) -> &str {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.filter(|inner| !inner.is_empty() && !inner.contains(['"', '\\'])).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_from_its_attributes() {
        let call = StatedCall::of(
            br#"{"gen_ai.response.model": "m-2026-01-01", "gen_ai.request.model": "\"m\"", "gen_ai.usage.input_tokens": "7", "gen_ai.usage.output_tokens": 2,
            "gen_ai.usage.cache_read.input_tokens": 3, "gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.system": "openai"}"#,
        );
        assert_eq!((call.role, call.model.as_deref(), call.provider.as_deref()), (Some(Role::Call), Some("m"), Some("openai")));
        assert_eq!(call.tokens.total.map(|count| count.tokens), Some(9));
        assert_eq!((call.parts.cached, call.parts.first_part_nanos), (Some(3), Some(250_000_000)));
        assert!(call.is_call("chat m") && !call.is_call("InferenceRouter.chat_completion"));
    }

    #[test]
    fn the_total_of_an_embedding_is_its_input() {
        let call = StatedCall::of(br#"{"gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 27}"#);
        assert_eq!(call.tokens.total.map(|count| count.tokens), Some(27));
        // A chat without a count of its answer has no known total.
        let call = StatedCall::of(br#"{"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 27}"#);
        assert_eq!(call.tokens.total, None);
    }
}
