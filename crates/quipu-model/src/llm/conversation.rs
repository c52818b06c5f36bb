//! Data types of a conversation: turns, and their messages, tool calls, safety checks and retrieved chunks.
//!
//! Not here: extracting (`extract`) and joining (`build`) them.

use super::Message;
use crate::{SpanKind, Spent, Timestamp, Value};

/// A span that may contain messages, with decoded attributes: the input of [`conversation`](super::conversation).
#[derive(Clone, Debug, PartialEq)]
pub struct SpanMessages {
    /// Span id, as recorded.
    pub span_id: String,
    /// Span name, as recorded.
    pub name: String,
    /// Kind of the span.
    pub kind: SpanKind,
    /// Whether it is a request of its own, even if the server recorded it below another request's span.
    pub is_request: bool,
    /// Index of the nearest ancestor in the same list, which precedes it.
    pub parent: Option<usize>,
    /// Start time.
    pub start: Option<Timestamp>,
    /// Duration in nanoseconds.
    pub duration_nanos: Option<u64>,
    /// Reason of its failure; empty if only its status says that it failed, `None` if it did not fail.
    pub failure: Option<String>,
    /// Tokens and cost, if it is the inference request they are counted for.
    pub spent: Option<Spent>,
    /// Decoded attributes in recorded order.
    pub attributes: Vec<(String, Value)>,
}

/// The conversation of a trace or session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversation {
    /// Turns in chronological order.
    pub turns: Vec<Turn>,
}

/// A conversation and the traces it was read from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConversationPage {
    /// The turns.
    pub conversation: Conversation,
    /// Ids of those traces, by start; more than one for a session.
    pub trace_ids: Vec<String>,
    /// Number of traces in the agent session of this trace; 0 if it belongs to none.
    pub session_traces: u32,
    /// Sentences on what was left out: too many spans, values too large.
    pub notes: Vec<String>,
}

/// A request with messages: an agent's turn, a resumed turn, or a model call.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Id of the span it is read from.
    pub span_id: String,
    /// Name of that span.
    pub name: String,
    /// Kind of that span.
    pub kind: SpanKind,
    /// Start time.
    pub start: Option<Timestamp>,
    /// Duration in nanoseconds.
    pub duration_nanos: Option<u64>,
    /// Agent name, if recorded.
    pub agent: Option<String>,
    /// Id of the agent session.
    pub session_id: Option<String>,
    /// Turn id; a resumed turn has the id of the original turn.
    pub turn_id: Option<String>,
    /// Failure of the request itself.
    pub failure: Option<String>,
    /// A sentence, if it is unclear which turn a step or message belongs to.
    pub note: Option<String>,
    /// Entries in chronological order.
    pub entries: Vec<Entry>,
}

/// An entry of a turn, and the span it was recorded in.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Id of the span.
    pub span_id: String,
    /// Start time of the span.
    pub start: Option<Timestamp>,
    /// Duration of the span in nanoseconds.
    pub duration_nanos: Option<u64>,
    /// Tokens and cost, if this is the answer of an inference request.
    pub spent: Option<Spent>,
    /// Content of the entry.
    pub body: Body,
}

/// Content of an [`Entry`].
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Messages sent to the model again, or from before this conversation; folded.
    Earlier(Vec<Message>),
    /// A model call whose settings differ from those of the previous call.
    Asked {
        /// Model name, as recorded.
        model: Option<String>,
        /// Parameters that were set, such as `temperature`.
        parameters: Vec<(String, String)>,
        /// Tools offered to the model.
        tools: Vec<ToolDefinition>,
    },
    /// A message, when it is shown for the first time.
    Message {
        /// The message, including its tool calls.
        message: Message,
        /// Result of each tool call, in the same order; `None` if not recorded.
        results: Vec<Option<ToolResult>>,
    },
    /// A tool execution without a recorded call.
    Ran {
        /// Name of the tool.
        tool_name: String,
        /// Arguments as JSON-like text; `None` if not recorded.
        arguments: Option<String>,
        /// Result of the execution.
        result: ToolResult,
    },
    /// A safety check by shields.
    Checked(Shield),
    /// A retrieval.
    Retrieved {
        /// Search query, if recorded.
        query: Option<String>,
        /// Retrieved chunks, best first.
        chunks: Vec<Chunk>,
    },
    /// Texts that embeddings were computed of.
    Embedded(Vec<String>),
    /// Something that is known to be missing, described by a sentence.
    Missing(String),
    /// The step failed. Holds the error message; empty if there is only a status.
    Failed(String),
    /// An attribute that fits none of the above.
    Other {
        /// Attribute key.
        key: String,
        /// Attribute value.
        value: Value,
    },
}

/// A tool offered to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolDefinition {
    /// Tool name.
    pub name: String,
    /// Description for the model.
    pub description: Option<String>,
    /// Parameter schema, as recorded.
    pub parameters: Option<Value>,
}

/// Result of a tool call.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    /// Id of the span that executed the tool, or whose input contains the result.
    pub span_id: String,
    /// The tool's output.
    pub text: Option<String>,
    /// Error message, if the tool failed.
    pub failure: Option<String>,
    /// Duration of the execution in nanoseconds; `None` if the result comes from a message.
    pub duration_nanos: Option<u64>,
    /// Chunks retrieved by the tool.
    pub chunks: Vec<Chunk>,
}

impl ToolResult {
    /// A result found in a message. A client reports a failed tool only in the text; the prefix is that of Llama Stack's client.
    pub(super) fn handed_in(span_id: String, text: String) -> ToolResult {
        let failure = text.starts_with("Error when running tool").then(|| text.clone());
        ToolResult { span_id, text: Some(text), failure, duration_nanos: None, chunks: Vec::new() }
    }
}

/// Result of a safety check.
#[derive(Clone, Debug, PartialEq)]
pub struct Shield {
    /// Ids of the shields; empty if not recorded.
    pub shield_ids: Vec<String>,
    /// Outcome of the check.
    pub verdict: Verdict,
}

/// Outcome of a safety check.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// No shields were configured.
    NoShields,
    /// No violation.
    Passed,
    /// A violation.
    Violation {
        /// `error`, `warn` or `info`.
        level: Option<String>,
        /// Message for the user.
        message: Option<String>,
        /// Metadata, such as `violation_type`.
        facts: Vec<(String, String)>,
    },
    /// The outcome was taken out by redaction.
    TakenOut,
    /// The outcome was not recorded.
    Unknown,
}

/// A retrieved chunk of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// Text of the chunk.
    pub text: String,
    /// Document id, if recorded.
    pub document: Option<String>,
    /// Relevance score, as recorded.
    pub score: Option<String>,
}
