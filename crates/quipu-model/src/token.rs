//! Token counts and where each came from.

use super::{Cost, PriceTable};
use serde::{Deserialize, Serialize};

/// Where a token count was read.
///
/// Exhaustive on purpose: every source needs a code in packed columns and a decision in metrics, and the compiler finds the places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TokenSource {
    /// A `metric.*` span event (0.2.18 and later).
    MetricEvent,
    /// `metrics` in the recorded output of the inference request (0.2.15).
    OutputMetrics,
    /// `usage` in the recorded output: the provider's own count.
    OutputUsage,
    /// Total minus the other part, both recorded.
    Difference,
    /// An attribute of the span: `gen_ai.usage.*`, `llm.token_count.*`.
    Attribute,
    /// Both parts together, both recorded.
    Sum,
}

impl TokenSource {
    /// Every source.
    pub const ALL: [TokenSource; 6] = [
        TokenSource::MetricEvent,
        TokenSource::OutputMetrics,
        TokenSource::OutputUsage,
        TokenSource::Difference,
        TokenSource::Attribute,
        TokenSource::Sum,
    ];

    /// Its number in packed columns: from 1 on, because 0 means no count.
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

    /// The source with this [`code`](TokenSource::code).
    pub fn from_code(code: u8) -> Option<TokenSource> {
        TokenSource::ALL.into_iter().find(|source| source.code() == code)
    }

    /// Whether the count was taken from what else the file says of the request, and not recorded as a metric. Metrics count derived numbers
    /// with the label `source="derived"`.
    pub const fn is_derived(self) -> bool {
        match self {
            TokenSource::MetricEvent => false,
            TokenSource::OutputMetrics | TokenSource::OutputUsage | TokenSource::Difference | TokenSource::Attribute | TokenSource::Sum => {
                true
            }
        }
    }

    /// The words shown beside a count.
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

/// Which of the three counts a metric is.
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
    /// Every kind.
    pub const ALL: [TokenKind; 3] = [TokenKind::Prompt, TokenKind::Completion, TokenKind::Total];

    /// The kind that Llama Stack's metric of this name counts.
    pub fn from_metric(name: &str) -> Option<TokenKind> {
        match name {
            "prompt_tokens" => Some(TokenKind::Prompt),
            "completion_tokens" => Some(TokenKind::Completion),
            "total_tokens" => Some(TokenKind::Total),
            _ => None,
        }
    }

    /// The Prometheus counter that Llama Stack documents for it.
    pub const fn documented_name(self) -> &'static str {
        match self {
            TokenKind::Prompt => "llama_stack_prompt_tokens_total",
            TokenKind::Completion => "llama_stack_completion_tokens_total",
            TokenKind::Total => "llama_stack_tokens_total",
        }
    }
}

/// One count with its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenCount {
    /// Tokens.
    pub tokens: u64,
    /// Where the number was read.
    pub source: TokenSource,
}

/// The tokens of one inference request. An unknown count is `None`, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Tokens of the prompt.
    pub prompt: Option<TokenCount>,
    /// Tokens of the completion.
    pub completion: Option<TokenCount>,
    /// Both together, as recorded.
    pub total: Option<TokenCount>,
}

impl TokenRecord {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.prompt.is_none() && self.completion.is_none() && self.total.is_none()
    }

    /// The count of a kind.
    pub fn get(&self, kind: TokenKind) -> Option<TokenCount> {
        match kind {
            TokenKind::Prompt => self.prompt,
            TokenKind::Completion => self.completion,
            TokenKind::Total => self.total,
        }
    }

    /// The counts that there are.
    pub fn counts(&self) -> impl Iterator<Item = TokenCount> {
        TokenKind::ALL.into_iter().filter_map(|kind| self.get(kind))
    }
}

impl PriceTable {
    /// What one inference request cost.
    pub fn cost_of(&self, model: Option<&str>, tokens: &TokenRecord) -> Option<Cost> {
        self.cost(model?, tokens.prompt.map(|count| count.tokens as f64), tokens.completion.map(|count| count.tokens as f64))
    }
}

/// What one inference request used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Its tokens.
    pub tokens: TokenRecord,
    /// What they cost by the reader's prices.
    pub cost: Option<Cost>,
}

/// Sums over inference requests; each sum is over those that have the count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenTotals {
    /// Prompt tokens, `None` when no request has the count.
    pub prompt: Option<u64>,
    /// Completion tokens.
    pub completion: Option<u64>,
    /// Total tokens.
    pub total: Option<u64>,
    /// Inference requests with at least one count.
    pub counted: u32,
    /// Inference requests in all.
    pub requests: u32,
    /// What they cost by the reader's prices; `None` without any.
    pub cost: Option<Cost>,
}

impl TokenTotals {
    /// Counts one more inference request, with what is known of it.
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

    /// Adds the sums of another group of requests.
    pub fn merge(&mut self, other: &TokenTotals) {
        // A group without requests costs nothing, and its cost is not unknown.
        let costs = [(self.requests, self.cost), (other.requests, other.cost)];
        self.cost = Cost::sum(costs.into_iter().filter(|(requests, _)| *requests > 0).map(|(_, cost)| cost));
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
        // Serde numbers the variants by itself, so that none can be missing in the list.
        let variants: Vec<TokenSource> = (0..=u8::MAX).filter_map(|number| postcard::from_bytes(&[number]).ok()).collect();
        assert_eq!(variants, TokenSource::ALL);
        for source in variants {
            assert_ne!(source.code(), 0, "{source:?}");
            assert_eq!(TokenSource::from_code(source.code()), Some(source));
        }
        assert_eq!(TokenSource::from_code(0), None);
    }
}
