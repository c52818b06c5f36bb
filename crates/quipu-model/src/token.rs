//! Token counts and their sources.

use super::{Cost, PriceTable};
use serde::{Deserialize, Serialize};

/// Where a token count was read.
///
/// Exhaustive on purpose: every source needs a code in packed columns and a decision in metrics, and the compiler finds the places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TokenSource {
    /// A `metric.*` span event (Llama Stack 0.2.18 and later).
    MetricEvent,
    /// `metrics` in the recorded output of the inference request (Llama Stack 0.2.15).
    OutputMetrics,
    /// `usage` in the recorded output, that is the provider's own count.
    OutputUsage,
    /// The recorded total minus the other recorded part.
    Difference,
    /// A span attribute: `gen_ai.usage.*`, `llm.token_count.*`.
    Attribute,
    /// The sum of both recorded parts.
    Sum,
}

impl TokenSource {
    /// All sources.
    pub const ALL: [TokenSource; 6] = [
        TokenSource::MetricEvent,
        TokenSource::OutputMetrics,
        TokenSource::OutputUsage,
        TokenSource::Difference,
        TokenSource::Attribute,
        TokenSource::Sum,
    ];

    /// Code in packed columns. At least 1, because 0 means no count.
    pub const fn code(self) -> u8 {
        match self {
            TokenSource::MetricEvent => 1,
            TokenSource::OutputMetrics => 2,
            TokenSource::OutputUsage => 3,
            TokenSource::Difference => 4,
            TokenSource::Attribute => 5,
            TokenSource::Sum => 6,
        }
    }

    /// The source with this [`code`](TokenSource::code); `None` if there is none.
    pub fn from_code(code: u8) -> Option<TokenSource> {
        TokenSource::ALL.into_iter().find(|source| source.code() == code)
    }

    /// Whether the count was derived from other data of the request instead of being recorded as a metric. Derived numbers have the label
    /// `source="derived"` in metrics.
    pub const fn is_derived(self) -> bool {
        match self {
            TokenSource::MetricEvent => false,
            TokenSource::OutputMetrics | TokenSource::OutputUsage | TokenSource::Difference | TokenSource::Attribute | TokenSource::Sum => {
                true
            }
        }
    }

    /// Description shown next to a count.
    pub fn label(self) -> &'static str {
        match self {
            TokenSource::MetricEvent => "metric event",
            TokenSource::OutputMetrics => "metrics in the output",
            TokenSource::OutputUsage => "usage in the output",
            TokenSource::Difference => "total minus the other part",
            TokenSource::Attribute => "attribute of the span",
            TokenSource::Sum => "prompt and completion together",
        }
    }
}

/// Which tokens a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenKind {
    /// `prompt_tokens`
    Prompt,
    /// `completion_tokens`
    Completion,
    /// `total_tokens`
    Total,
}

impl TokenKind {
    /// All kinds.
    pub const ALL: [TokenKind; 3] = [TokenKind::Prompt, TokenKind::Completion, TokenKind::Total];

    /// The kind counted by Llama Stack's metric of this name; `None` for other metrics.
    pub fn from_metric(name: &str) -> Option<TokenKind> {
        match name {
            "prompt_tokens" => Some(TokenKind::Prompt),
            "completion_tokens" => Some(TokenKind::Completion),
            "total_tokens" => Some(TokenKind::Total),
            _ => None,
        }
    }

    /// Name of the Prometheus counter in Llama Stack's documentation.
    pub const fn documented_name(self) -> &'static str {
        match self {
            TokenKind::Prompt => "llama_stack_prompt_tokens_total",
            TokenKind::Completion => "llama_stack_completion_tokens_total",
            TokenKind::Total => "llama_stack_tokens_total",
        }
    }
}

/// A token count and its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenCount {
    /// Number of tokens.
    pub tokens: u64,
    /// Where the number comes from.
    pub source: TokenSource,
}

/// Token counts of an inference request. Unknown counts are `None`, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Input tokens.
    pub prompt: Option<TokenCount>,
    /// Output tokens.
    pub completion: Option<TokenCount>,
    /// Input and output tokens together.
    pub total: Option<TokenCount>,
}

impl TokenRecord {
    /// Whether all counts are unknown.
    pub fn is_empty(&self) -> bool {
        self.prompt.is_none() && self.completion.is_none() && self.total.is_none()
    }

    /// Looks up a count by kind.
    pub fn get(&self, kind: TokenKind) -> Option<TokenCount> {
        match kind {
            TokenKind::Prompt => self.prompt,
            TokenKind::Completion => self.completion,
            TokenKind::Total => self.total,
        }
    }

    /// The known counts.
    pub fn counts(&self) -> impl Iterator<Item = TokenCount> {
        TokenKind::ALL.into_iter().filter_map(|kind| self.get(kind))
    }
}

impl PriceTable {
    /// The cost of one inference request.
    pub fn cost_of(&self, model: Option<&str>, tokens: &TokenRecord) -> Option<Cost> {
        self.cost(model?, tokens.prompt.map(|count| count.tokens as f64), tokens.completion.map(|count| count.tokens as f64))
    }
}

/// Further token counts of a model call, and its time to the first part. Unknown values are `None`, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallParts {
    /// Input tokens read from a cache; part of the prompt tokens.
    pub cached: Option<u64>,
    /// Input tokens written to a cache; part of the prompt tokens.
    pub cache_written: Option<u64>,
    /// Output tokens spent on reasoning; part of the completion tokens.
    pub reasoning: Option<u64>,
    /// Nanoseconds from the request to the first part of its stream.
    pub first_part_nanos: Option<u64>,
}

impl CallParts {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == CallParts::default()
    }

    /// Adds the tokens of another call; of the times, the first is kept.
    pub fn add(&mut self, other: &CallParts) {
        for (sum, more) in [
            (&mut self.cached, other.cached),
            (&mut self.cache_written, other.cache_written),
            (&mut self.reasoning, other.reasoning),
        ] {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        }
        self.first_part_nanos = self.first_part_nanos.or(other.first_part_nanos);
    }
}

/// What one inference request used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Token counts.
    pub tokens: TokenRecord,
    /// Cost at the user's prices; `None` without prices.
    pub cost: Option<Cost>,
}

/// Totals over inference requests. Each total covers only the requests with that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenTotals {
    /// Sum of prompt tokens; `None` if no request has the count.
    pub prompt: Option<u64>,
    /// Sum of completion tokens; `None` if no request has the count.
    pub completion: Option<u64>,
    /// Sum of total tokens; `None` if no request has the count.
    pub total: Option<u64>,
    /// Number of inference requests with at least one count.
    pub counted: u32,
    /// Number of all inference requests.
    pub requests: u32,
    /// Cost at the user's prices; `None` without prices.
    pub cost: Option<Cost>,
    /// Sums of the parts of these tokens, of the requests that say so; without a time.
    pub parts: CallParts,
}

impl TokenTotals {
    /// Adds an inference request and its counts, if any.
    pub fn add(&mut self, record: Option<&TokenRecord>) {
        self.requests += 1;
        let Some(record) = record.filter(|record| !record.is_empty()) else { return };
        self.counted += 1;
        for (sum, count) in [
            (&mut self.prompt, record.prompt),
            (&mut self.completion, record.completion),
            (&mut self.total, record.total),
        ] {
            if let Some(count) = count {
                *sum = Some(sum.unwrap_or(0).saturating_add(count.tokens));
            }
        }
    }

    /// Adds the totals of another group of requests.
    pub fn merge(&mut self, other: &TokenTotals) {
        // The cost of an empty group is zero, not unknown.
        let costs = [(self.requests, self.cost), (other.requests, other.cost)];
        self.cost = Cost::sum(costs.into_iter().filter(|(requests, _)| *requests > 0).map(|(_, cost)| cost));
        self.parts.add(&other.parts);
        self.requests += other.requests;
        self.counted += other.counted;
        for (sum, more) in [
            (&mut self.prompt, other.prompt),
            (&mut self.completion, other.completion),
            (&mut self.total, other.total),
        ] {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_comes_back_from_its_code() {
        // Serde numbers the variants independently, so none can be missing from the list.
        let variants: Vec<TokenSource> = (0..=u8::MAX).filter_map(|number| postcard::from_bytes(&[number]).ok()).collect();
        assert_eq!(variants, TokenSource::ALL);
        for source in variants {
            assert_ne!(source.code(), 0, "{source:?}");
            assert_eq!(TokenSource::from_code(source.code()), Some(source));
        }
        assert_eq!(TokenSource::from_code(0), None);
    }
}
