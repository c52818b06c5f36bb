//! Reads token counts from all sources into one record per inference request, with the source of each count.
//!
//! Sources: `metric.*` span events (0.2.18 and later), `metrics` in the recorded output (0.2.15), `usage` in the output (reported by the
//! provider), and attributes, whose keys are in `dialect`. Not here: totals (`index`), time series.

mod attach;
mod call;

pub use attach::{Group, SpanNode, attach};

pub use crate::TokenKind;
use crate::dialect::{Says, TokenPart};
use crate::number::truncated;
use crate::{CallParts, TokenCount, TokenRecord, TokenSource, Value};
pub use call::{StatedCall, model_in, number_in, without_quotes};

/// Role of a span in an inference request, decided by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InferenceRole {
    /// A method of the inference router, which is the request itself.
    Router,
    /// A provider's method: the same request again, below the router's span or, when streaming, next to it.
    Provider,
    /// The agent's `inference` step, which contains a request.
    AgentStep,
}

/// Inference methods of the API in all releases. Helpers such as `get_model` or `stream_tokens_and_compute_metrics` are not among them.
const METHODS: [&str; 10] = [
    "completion",
    "chat_completion",
    "batch_completion",
    "batch_chat_completion",
    "embeddings",
    "openai_completion",
    "openai_chat_completion",
    "openai_embeddings",
    "rerank",
    "generate",
];

impl InferenceRole {
    /// The role of a span with this name: `InferenceRouter.chat_completion`, `VLLMInferenceAdapter.completion`, `inference`.
    pub fn from_name(name: &str) -> Option<InferenceRole> {
        if name == "inference" {
            return Some(InferenceRole::AgentStep);
        }
        let (class, method) = name.split_once('.')?;
        if !class.contains("Inference") || !METHODS.contains(&method) {
            return None;
        }
        Some(if class == "InferenceRouter" { InferenceRole::Router } else { InferenceRole::Provider })
    }
}

/// Computes the total if only the parts are recorded, as these conventions do. Of embeddings it is the input, since there is no output.
pub fn add_up(record: &mut TokenRecord, embeds: bool) {
    if embeds && record.completion.is_none() {
        record.total = record.total.or(record.prompt);
    }
    if let (None, Some(prompt), Some(completion)) = (record.total, record.prompt, record.completion) {
        let tokens = prompt.tokens.saturating_add(completion.tokens);
        record.total = Some(TokenCount { tokens, source: TokenSource::Sum });
    }
}

/// The counts of two calls together. A count that one of them lacks is that of the other.
pub fn add(one: TokenRecord, other: TokenRecord) -> TokenRecord {
    let sum = |one: Option<TokenCount>, other: Option<TokenCount>| match (one, other) {
        (Some(one), Some(other)) => Some(TokenCount { tokens: one.tokens.saturating_add(other.tokens), ..one }),
        (one, other) => one.or(other),
    };
    TokenRecord {
        prompt: sum(one.prompt, other.prompt),
        completion: sum(one.completion, other.completion),
        total: sum(one.total, other.total),
    }
}

/// Sets a count unless it is already known. Ignores negative and fractional numbers: providers write -1 for unknown.
pub fn set_count(record: &mut TokenRecord, kind: TokenKind, tokens: f64, source: TokenSource) {
    let slot = match kind {
        TokenKind::Prompt => &mut record.prompt,
        TokenKind::Completion => &mut record.completion,
        TokenKind::Total => &mut record.total,
    };
    if slot.is_none() && tokens >= 0.0 && tokens.fract() == 0.0 && tokens < 9e15 {
        *slot = Some(TokenCount { tokens: truncated(tokens), source });
    }
}

/// Sets a part of a call, in the unit of the attribute's meaning, unless it is already known. Ignores meanings that are none, and numbers that
/// can't be counts or times.
pub fn set_part(parts: &mut CallParts, says: Says, number: f64) {
    let (slot, factor) = match says {
        Says::Part(TokenPart::Cached) => (&mut parts.cached, 1.0),
        Says::Part(TokenPart::CacheWritten) => (&mut parts.cache_written, 1.0),
        Says::Part(TokenPart::Reasoning) => (&mut parts.reasoning, 1.0),
        Says::FirstPartSeconds => (&mut parts.first_part_nanos, 1e9),
        Says::FirstPartMillis => (&mut parts.first_part_nanos, 1e6),
        _ => return,
    };
    let number = (number * factor).round();
    if slot.is_none() && (0.0..9e15).contains(&number) {
        *slot = Some(truncated(number));
    }
}

/// Reads the counts in the decoded output of an inference request: from `metrics`, or else from `usage`.
pub fn from_output(output: &Value) -> TokenRecord {
    let mut record = TokenRecord::default();
    for metric in output.get("metrics").and_then(Value::items).unwrap_or_default() {
        let kind = metric.get("metric").and_then(Value::as_str).and_then(TokenKind::from_metric);
        if let (Some(kind), Some(tokens)) = (kind, number(metric.get("value"))) {
            set_count(&mut record, kind, tokens, TokenSource::OutputMetrics);
        }
    }
    if let Some(usage) = output.get("usage") {
        for (key, kind) in [
            ("prompt_tokens", TokenKind::Prompt),
            ("completion_tokens", TokenKind::Completion),
            ("total_tokens", TokenKind::Total),
        ] {
            if let Some(tokens) = number(usage.get(key)) {
                set_count(&mut record, kind, tokens, TokenSource::OutputUsage);
            }
        }
    }
    record
}

fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}

/// Merges the counts from events and output of one request; events take precedence. A missing part is computed from the total and the other
/// part.
pub fn join(events: TokenRecord, output: TokenRecord) -> TokenRecord {
    let mut record = TokenRecord {
        prompt: events.prompt.or(output.prompt),
        completion: events.completion.or(output.completion),
        total: events.total.or(output.total),
    };
    let rest = |total: Option<TokenCount>, part: Option<TokenCount>| {
        let tokens = total?.tokens.checked_sub(part?.tokens)?;
        Some(TokenCount { tokens, source: TokenSource::Difference })
    };
    if record.prompt.is_none() {
        record.prompt = rest(record.total, record.completion);
    }
    if record.completion.is_none() {
        record.completion = rest(record.total, record.prompt);
    }
    record
}
