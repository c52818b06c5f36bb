//! What an attribute says about its span, as data: the one place that knows the conventions by which programs describe model calls, agents
//! and tools.
//!
//! Each dialect is a file with tables: attributes by key or by the beginning of their keys, words that state what a span is, names of spans,
//! events that hold messages, and metrics that count tokens. The index, conversations, the span panel and the SQL functions all read attributes by [`says`], and decide
//! by [`Evidence`] what a span is. An attribute that no table knows is shown as it is.
//!
//! Not here: reading values (`llm`, `tokens`), which spans failed (`failure`), and which of several nested calls is counted (the index).

mod bedrock;
mod claude_code;
mod codex;
mod database;
mod evidence;
mod gemini;
mod gen_ai;
mod http;
mod langchain;
mod langfuse;
mod llama_index;
mod llama_stack;
mod microsoft;
mod mlflow;
mod names;
mod ogx;
mod openai_agents;
mod openinference;
mod openlit;
mod pydantic_ai;
mod traceloop;
mod vercel;
mod vllm;

pub use evidence::{Evidence, Role};
pub use names::{has_bare_method, kind_of_name};

use crate::ordered::sort_by_key;
use crate::{SpanKind, TokenKind};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// All dialects. Where two have a rule for one key, the first counts.
const DIALECTS: [&Dialect; 21] = [
    &llama_stack::RULES,
    &ogx::RULES,
    &gen_ai::RULES,
    &openinference::RULES,
    &traceloop::RULES,
    &openlit::RULES,
    &vercel::RULES,
    &langchain::RULES,
    &llama_index::RULES,
    &pydantic_ai::RULES,
    &microsoft::RULES,
    &openai_agents::RULES,
    &gemini::RULES,
    &claude_code::RULES,
    &codex::RULES,
    &bedrock::RULES,
    &vllm::RULES,
    &mlflow::RULES,
    &langfuse::RULES,
    &http::RULES,
    &database::RULES,
];

/// The rules of one dialect.
struct Dialect {
    /// Attributes by key.
    keys: &'static [(&'static str, Says)],
    /// Attributes by the beginning of their key. The longest that fits counts.
    prefixes: &'static [(&'static str, Says)],
    /// Words of the attributes that say [`Says::Role`].
    words: &'static [(&'static str, Role)],
    /// Kinds of spans by name; a name that ends in `*` stands for all that begin so.
    names: &'static [(&'static str, SpanKind)],
    /// Events that hold messages.
    events: &'static [(&'static str, Told)],
    /// Metrics that count tokens.
    metrics: &'static [TokenMetric],
}

const NO_RULES: Dialect = Dialect { keys: &[], prefixes: &[], words: &[], names: &[], events: &[], metrics: &[] };

/// A metric that counts the tokens of model calls, which the spans of these calls may count, too.
#[derive(Debug, PartialEq, Eq)]
pub struct TokenMetric {
    /// Its name in OTLP.
    pub name: &'static str,
    /// Whether it is a histogram, of which the sum is the number of tokens, and not a counter.
    pub is_histogram: bool,
    /// The attribute that says which tokens a point counts.
    pub key: &'static str,
    /// What its values mean: [`Says::Tokens`] or [`Says::Part`].
    pub values: &'static [(&'static str, Says)],
    /// Attributes that name the model.
    pub models: &'static [&'static str],
    /// Attributes that name the provider.
    pub providers: &'static [&'static str],
}

/// What an attribute says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// That the span is a request to a Llama Stack server, if the value is true.
    Request,
    /// That the span was traced automatically, if the value is true.
    Autotraced,
    /// What the span is, in a word of its dialect. If several attributes say so, the one with the lowest number counts.
    Role(u8),
    /// The model that was asked for.
    Model,
    /// The model that answered, which counts where none was asked for by name.
    ResponseModel,
    /// The provider of the model.
    Provider,
    /// A number of tokens.
    Tokens(TokenKind),
    /// A number of tokens that is part of another one.
    Part(TokenPart),
    /// Time from the request to the first part of a stream, in seconds.
    FirstPartSeconds,
    /// The same in milliseconds.
    FirstPartMillis,
    /// That the span computes embeddings.
    Embeds,
    /// That the span is a call of a database.
    Database,
    /// The address or path of an HTTP request.
    Address,
    /// Name of the tool that ran.
    Tool,
    /// Id of the tool call.
    ToolCallId,
    /// Arguments of the tool call.
    ToolArguments,
    /// What the tool answered.
    ToolResult,
    /// Tools offered to the model.
    Tools,
    /// The same, one attribute each field.
    FlatTools,
    /// Id of the session or conversation.
    Session,
    /// Id of the turn.
    Turn,
    /// Id of the agent.
    AgentId,
    /// Name of the agent.
    AgentName,
    /// Arguments of a traced method of Llama Stack.
    Arguments,
    /// Body of a request for a turn.
    Body,
    /// Input of a step of Llama Stack.
    Input,
    /// Messages sent to a model.
    InputMessages,
    /// The same, one attribute each field.
    FlatInput,
    /// Input in any form; messages elsewhere count instead.
    RawInput,
    /// Output of a step of Llama Stack.
    Output,
    /// Messages from a model.
    OutputMessages,
    /// The same, one attribute each field.
    FlatOutput,
    /// Output in any form; messages elsewhere count instead.
    RawOutput,
    /// Text of the model's answer, in a dialect that has no messages for it.
    AnswerText,
    /// Tool calls of that answer.
    AnswerCalls,
    /// What the model thought before that answer.
    AnswerReasoning,
    /// Instructions for the model.
    System,
    /// Query of a retrieval.
    Query,
    /// Retrieved documents, one attribute each field.
    FlatDocuments,
    /// Retrieved documents.
    Documents,
    /// Texts to compute embeddings of, one attribute each field.
    FlatTexts,
    /// Id of a shield.
    Shield,
    /// How serious a violation is.
    ViolationLevel,
    /// What the user is told about a violation.
    ViolationMessage,
    /// Other facts about a violation.
    ViolationFacts,
    /// Why the model stopped.
    StopReason,
    /// A parameter of the model call, named by the rest of the key.
    Parameter,
    /// A map of parameters.
    Parameters,
    /// Nothing that belongs into a conversation: it describes the telemetry, or is shown elsewhere.
    Aside,
}

/// Tokens that are contained in another count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenPart {
    /// Read from a cache; part of the input.
    Cached,
    /// Written to a cache; part of the input.
    CacheWritten,
    /// Spent on reasoning; part of the output.
    Reasoning,
}

/// What an event holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A message of this role.
    Message(&'static str),
    /// An answer of the model.
    Choice,
    /// Attributes like those of a span.
    Attributes,
}

/// A rule for a key, and whether it is of another program's instrumentation than Llama Stack's own telemetry.
#[derive(Clone, Copy)]
struct Rule {
    key: &'static str,
    says: Says,
    is_instrumentation: bool,
}

struct Tables {
    /// Sorted by key.
    keys: Vec<Rule>,
    /// Longest first.
    prefixes: Vec<Rule>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
    for (at, dialect) in DIALECTS.into_iter().enumerate() {
        let rule = |(key, says): &(&'static str, Says)| Rule { key, says: *says, is_instrumentation: at > 0 };
        keys.extend(dialect.keys.iter().map(rule));
        prefixes.extend(dialect.prefixes.iter().map(rule));
    }
    sort_by_key(&mut keys, |rule| rule.key);
    keys.dedup_by_key(|rule| rule.key);
    sort_by_key(&mut prefixes, |rule| std::cmp::Reverse(rule.key.len()));
    Tables { keys, prefixes }
});

fn rule(key: &str) -> Option<Rule> {
    let tables = &*TABLES;
    let place = tables.keys.partition_point(|rule| rule.key < key);
    let exact = tables.keys.get(place).filter(|rule| rule.key == key);
    exact.or_else(|| tables.prefixes.iter().find(|rule| key.starts_with(rule.key))).copied()
}

/// What the attribute with this key says; `None` if no dialect has a rule for it.
///
/// ```
/// use quipu_model::TokenKind;
/// use quipu_model::dialect::{Says, says};
/// assert_eq!(says("gen_ai.usage.input_tokens"), Some(Says::Tokens(TokenKind::Prompt)));
/// assert_eq!(says("llm.input_messages.0.message.role"), Some(Says::FlatInput));
/// assert_eq!(says("favourite.colour"), None);
/// ```
pub fn says(key: &str) -> Option<Says> {
    rule(key).map(|rule| rule.says)
}

/// Whether an attribute with this key marks its span as part of a conversation: instrumentation states with it what the span is, or what was
/// said. The attributes of Llama Stack's own telemetry do not: its spans are known by name.
pub fn speaks(key: &str) -> bool {
    rule(key).is_some_and(|rule| rule.is_instrumentation && rule.says.is_words())
}

/// The beginning of `key` that the rule for a list of flat attributes is about, without its dot: `llm.input_messages`. `None` if there is no
/// such rule.
pub fn list_prefix(key: &str) -> Option<&'static str> {
    rule(key).filter(|rule| rule.key.len() < key.len()).and_then(|rule| rule.key.strip_suffix('.'))
}

/// The rules for a metric that counts tokens; `None` if no dialect has any for this name.
pub fn token_metric(name: &str) -> Option<&'static TokenMetric> {
    DIALECTS.into_iter().flat_map(|dialect| dialect.metrics).find(|metric| metric.name == name)
}

/// What the event with this name holds; `None` if it holds no messages.
pub fn told(name: &str) -> Option<Told> {
    let mut events = DIALECTS.into_iter().flat_map(|dialect| dialect.events);
    events.find(|(known, _)| fits(known, name)).map(|(_, told)| *told)
}

/// The role a word states.
fn role_of(word: &str) -> Option<Role> {
    let mut words = DIALECTS.into_iter().flat_map(|dialect| dialect.words);
    words.find(|(known, _)| *known == word).map(|(_, role)| *role)
}

/// Whether `name` is `known`, or begins so if that ends in `*`.
fn fits(known: &str, name: &str) -> bool {
    known.strip_suffix('*').map_or(known == name, |start| name.starts_with(start))
}

impl Says {
    /// Whether it can be an attribute of a model call, or of an agent with the sums of its calls.
    pub fn is_of_calls(self) -> bool {
        matches!(self, Says::Role(_) | Says::Tokens(_))
    }

    /// Whether it states what the span is, or what was said.
    fn is_words(self) -> bool {
        use Says as S;
        matches!(
            self,
            S::Role(_)
                | S::Tool
                | S::ToolCallId
                | S::ToolArguments
                | S::ToolResult
                | S::Tools
                | S::FlatTools
                | S::Input
                | S::InputMessages
                | S::FlatInput
                | S::RawInput
                | S::Arguments
                | S::Body
                | S::System
                | S::FlatTexts
                | S::Output
                | S::OutputMessages
                | S::FlatOutput
                | S::RawOutput
                | S::AnswerText
                | S::AnswerCalls
                | S::AnswerReasoning
                | S::Query
                | S::FlatDocuments
                | S::Documents
                | S::Shield
                | S::Model
                | S::ResponseModel
        )
    }

    /// How soon an attribute with this meaning is taken for a span's output, when it has several; `None` if it is none.
    pub fn output_rank(self) -> Option<u8> {
        let order = [
            Says::Output,
            Says::OutputMessages,
            Says::FlatOutput,
            Says::AnswerText,
            Says::AnswerCalls,
            Says::RawOutput,
        ];
        order.into_iter().zip(0..).find(|(says, _)| *says == self).map(|(_, rank)| rank)
    }

    /// How soon an attribute with this meaning is taken for a span's input, when it has several; `None` if it is none.
    pub fn input_rank(self) -> Option<u8> {
        let order = [
            Says::Input,
            Says::Arguments,
            Says::Body,
            Says::InputMessages,
            Says::FlatInput,
            Says::RawInput,
            Says::ToolArguments,
        ];
        order.into_iter().zip(0..).find(|(says, _)| *says == self).map(|(_, rank)| rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_found_by_its_key() {
        for dialect in DIALECTS {
            for (key, expected) in dialect.keys {
                let first = DIALECTS.into_iter().flat_map(|dialect| dialect.keys).find(|(known, _)| known == key);
                assert_eq!(says(key), Some(first.map_or(*expected, |(_, says)| *says)), "{key}");
            }
            for (prefix, _) in dialect.prefixes {
                assert!(prefix.ends_with('.') || *prefix == "__", "{prefix}");
                assert!(says(&format!("{prefix}zzz")).is_some(), "{prefix}");
            }
        }
    }

    #[test]
    fn a_word_has_one_meaning() {
        let words: Vec<_> = DIALECTS.into_iter().flat_map(|dialect| dialect.words).collect();
        for (word, role) in &words {
            assert!(words.iter().all(|(other, meant)| other != word || meant == role), "{word}");
        }
    }

    #[test]
    fn the_longest_beginning_counts() {
        assert_eq!(says("gen_ai.request.model"), Some(Says::Model));
        assert_eq!(says("gen_ai.request.temperature"), Some(Says::Parameter));
        assert_eq!(says("gen_ai.prompt.0.content"), Some(Says::FlatInput));
        assert_eq!(says("gen_ai.something.new"), None);
        assert_eq!(list_prefix("gen_ai.prompt.0.content"), Some("gen_ai.prompt"));
        assert!(speaks("gen_ai.operation.name") && !speaks("__args__") && !speaks("http.url") && !speaks("favourite.colour"));
    }
}
