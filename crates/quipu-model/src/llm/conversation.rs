//! What a conversation is made of: turns, and in each what was said, called, checked and found.
//!
//! What is not here: how it is read (`said`) and joined (`build`).

use super::Message;
use crate::{SpanKind, Spent, Timestamp, Value};

/// A span that may say something, with its attributes decoded: what [`conversation`](super::conversation) is built from.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanMessages {
    /// As recorded.
    pub span_id: String,
    /// As recorded.
    pub name: String,
    /// What it is.
    pub kind: SpanKind,
    /// Whether it is a request of its own, also where the server put it under another's span.
    pub is_request: bool,
    /// Its nearest ancestor in the same list, which stands before it.
    pub parent: Option<usize>,
    /// When it started.
    pub start: Option<Timestamp>,
    /// How long it took.
    pub duration_nanos: Option<u64>,
    /// The text of its failure; empty where only its status says so.
    pub failure: Option<String>,
    /// Its tokens, where it is the inference request they are counted for.
    pub spent: Option<Spent>,
    /// Keys and decoded values, in recorded order.
    pub attributes: Vec<(String, Value)>,
}

/// What was said in a trace, or in the traces of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversation {
    /// In order of time.
    pub turns: Vec<Turn>,
}

/// A conversation, and where it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConversationPage {
    /// The conversation.
    pub conversation: Conversation,
    /// The traces it was read from, by start; more than one for a session.
    pub trace_ids: Vec<String>,
    /// How many traces the agent session has that the trace belongs to; 0 where it belongs to none.
    pub session_traces: u32,
    /// What could not be told of, in sentences: too many spans, values too large.
    pub notes: Vec<String>,
}

/// One request that says something: an agent's turn, a resume of it, or a call of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// The span it is read from.
    pub span_id: String,
    /// That span's name.
    pub name: String,
    /// What the span is.
    pub kind: SpanKind,
    /// When it started.
    pub start: Option<Timestamp>,
    /// How long it took.
    pub duration_nanos: Option<u64>,
    /// The agent, where it is named.
    pub agent: Option<String>,
    /// The agent's session.
    pub session_id: Option<String>,
    /// The turn; a resume has that of the turn it goes on with.
    pub turn_id: Option<String>,
    /// What failed in the request itself.
    pub failure: Option<String>,
    /// What could not be told of whose it is, as a sentence.
    pub note: Option<String>,
    /// What happened, in order.
    pub entries: Vec<Entry>,
}

/// One thing in a turn, and the span that tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The span.
    pub span_id: String,
    /// When the span started.
    pub start: Option<Timestamp>,
    /// How long it took.
    pub duration_nanos: Option<u64>,
    /// Tokens of the inference this is the answer of.
    pub spent: Option<Spent>,
    /// What it is.
    pub body: Body,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Messages that went to the model again, or come from before this conversation; folded.
    Earlier(Vec<Message>),
    /// A model was asked: its name, the parameters that were set, and the tools it was offered, where they differ from the call before.
    Asked {
        /// As recorded.
        model: Option<String>,
        /// `temperature` and its like; only those that were set.
        parameters: Vec<(String, String)>,
        /// The tools.
        tools: Vec<ToolDefinition>,
    },
    /// A message for the first time.
    Message {
        /// The message.
        message: Message,
        /// What came of each of its tool calls, in their order; `None` where nothing was recorded.
        results: Vec<Option<ToolResult>>,
    },
    /// A tool ran, and the call it answers was not recorded.
    Ran {
        /// The tool.
        tool_name: String,
        /// What it was given, as JSON-like text; `None` where that was not recorded.
        arguments: Option<String>,
        /// What came of it.
        result: ToolResult,
    },
    /// A shield looked at messages.
    Checked(Shield),
    /// Chunks were looked up.
    Retrieved {
        /// What was looked for.
        query: Option<String>,
        /// What was found, best first.
        chunks: Vec<Chunk>,
    },
    /// Something that is known to be missing: a sentence.
    Missing(String),
    /// The step failed: the error's text, empty where only the status says so.
    Failed(String),
    /// What was recorded and is none of the above.
    Other {
        /// The attribute.
        key: String,
        /// Its value.
        value: Value,
    },
}

/// A tool that a model was offered.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolDefinition {
    /// Its name.
    pub name: String,
    /// What it says it does.
    pub description: Option<String>,
    /// Its parameters, as recorded.
    pub parameters: Option<Value>,
}

/// What came of a tool call.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    /// The span that ran it, or that handed the result in.
    pub span_id: String,
    /// What the tool answered.
    pub text: Option<String>,
    /// Why it failed, where it did.
    pub failure: Option<String>,
    /// How long it took, where the span ran it.
    pub duration_nanos: Option<u64>,
    /// What it looked up on its way.
    pub chunks: Vec<Chunk>,
}

impl ToolResult {
    /// A result that stands in a message. A client whose tool fails can tell so only in the text; these are the words of Llama Stack's.
    pub(super) fn handed_in(span_id: String, text: String) -> ToolResult {
        let failure = text.starts_with("Error when running tool").then(|| text.clone());
        ToolResult { span_id, text: Some(text), failure, duration_nanos: None, chunks: Vec::new() }
    }
}

/// What a shield said.
#[derive(Clone, Debug, PartialEq)]
pub struct Shield {
    /// The shields; none where only the step was recorded.
    pub shield_ids: Vec<String>,
    /// Its answer.
    pub verdict: Verdict,
}

/// The answer of a shield.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// There was none to run.
    NoShields,
    /// Nothing was found.
    Passed,
    /// Something was.
    Violation {
        /// `error`, `warn`, `info`.
        level: Option<String>,
        /// What the user is told.
        message: Option<String>,
        /// Further facts: `violation_type` and its like.
        facts: Vec<(String, String)>,
    },
    /// The answer was not recorded.
    Unknown,
}

/// A chunk of a document that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// Its text.
    pub text: String,
    /// The document, where it is named.
    pub document: Option<String>,
    /// How well it fits, as recorded.
    pub score: Option<String>,
}
