//! A model call as its attributes state it: the index reads the same while it passes over a file, the SQL views one span at a time.

use super::{InferenceRole, add_up, set_count, set_part};
use crate::decimal::read_f64;
use crate::dialect::{Evidence, Role, Says, says};
use crate::recorded::{RawJson, entries};
use crate::{CallParts, TokenRecord, TokenSource};
use std::borrow::Cow;

/// What the attributes of a span say about a model call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatedCall {
    /// What the span is; `None` if no attribute says so.
    pub role: Option<Role>,
    /// Its token counts, even if it is not a model call.
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
        let (mut evidence, mut asked_for, mut answered_by) = (Evidence::default(), None, None);
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
                Says::Parameters => asked_for = asked_for.or_else(|| model_in(value).map(str::to_owned)),
                Says::Model => call.model = call.model.or_else(text),
                Says::ResponseModel => answered_by = answered_by.or_else(text),
                Says::Provider => call.provider = call.provider.or_else(text),
                _ => {}
            }
            evidence.note(says, || value.as_str());
        }
        call.role = evidence.role();
        call.model = asked_for.or(call.model).or(answered_by);
        add_up(&mut call.tokens, call.role == Some(Role::Embedding));
        call
    }

    /// Whether a span of this name with these attributes is a model call. Spans that Llama Stack's own telemetry names are judged by name.
    pub fn is_call(&self, name: &str) -> bool {
        self.role.is_some_and(Role::is_call) && InferenceRole::from_name(name).is_none()
    }
}

/// The model in recorded parameters of a call, which are a JSON object as text. Where the model's own attribute names the one that answered,
/// with its date, this is the one that was asked for.
pub fn model_in(parameters: RawJson<'_>) -> Option<&str> {
    let written = parameters.bytes();
    let start = MODEL_KEYS.iter().find_map(|key| Some(memchr::memmem::find(written, key)? + key.len()))?;
    let rest = written.get(start..)?;
    let end = rest.iter().take(MAX_MODEL_BYTES).position(|byte| matches!(byte, b'\\' | b'"'))?;
    std::str::from_utf8(rest.get(..end)?).ok().filter(|model| !model.is_empty())
}

/// How the model stands in an object that is JSON text within JSON.
const MODEL_KEYS: [&[u8]; 2] = [br#"\"model\": \""#, br#"\"model\":\""#];
/// Longer names are not taken for one.
const MAX_MODEL_BYTES: usize = 256;

/// A number, also if it was recorded as text.
pub fn number_in(value: RawJson<'_>) -> Option<f64> {
    let text: Option<Cow<'_, str>> = value.as_str();
    text.as_deref().or(value.as_number_text()).and_then(read_f64)
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
    fn the_model_that_was_asked_for_names_the_call() {
        let call = StatedCall::of(br#"{"llm.model_name": "m-2026-01-01", "llm.invocation_parameters": "{\"model\": \"m\", \"n\": 1}"}"#);
        assert_eq!(call.model.as_deref(), Some("m"));
        let call = StatedCall::of(br#"{"llm.model_name": "m-2026-01-01", "llm.invocation_parameters": "{\"n\": 1}"}"#);
        assert_eq!(call.model.as_deref(), Some("m-2026-01-01"));
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
