//! Chat messages recorded by inference requests and agent turns, and the conversation they form.
//!
//! `read` finds messages in a value; `extract` reads a span in any dialect; `build` joins the spans of a trace or session into a
//! [`Conversation`], `repeats` those that repeat others. Not here: token counts (`tokens`), decoding (`recorded`), rendering (the page).

mod build;
mod content;
mod conversation;
mod events;
mod extract;
mod lines;
mod read;
mod repeats;
mod unflatten;

pub use build::conversation;
pub use conversation::{
    Body, Chunk, Conversation, ConversationPage, Entry, Shield, SpanMessages, ToolDefinition, ToolResult, Turn, Verdict,
};
pub use events::{event_attributes, is_message_event};
pub use extract::{Said, said};
pub use lines::conversation_lines;
pub use read::last_user_message;
pub use read::messages;

use crate::Value;
use crate::dialect::{Says, says};
use serde::{Deserialize, Serialize};

/// Whether a span with this name is a step of an agent's turn. The server runs these one after another, never nested.
pub fn is_agent_step(name: &str) -> bool {
    matches!(name, "inference" | "tool_execution" | "run_shields")
}

/// The key, among those of a span's attributes, that contains its input: of several, the one whose dialect says so most directly. `None`
/// also if the input has one attribute for each field.
pub fn input_key<'a>(keys: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let read = |key: &'a str| Some((says(key).filter(|says| *says != Says::FlatInput)?.input_rank()?, key));
    keys.filter_map(read).min_by_key(|(rank, _)| *rank).map(|(_, key)| key)
}

/// A chat message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant`, `tool`, or another role as recorded.
    pub role: String,
    /// The text. Parts of other types are represented by a short note in brackets.
    pub text: String,
    /// Inline images as `data:` URLs: PNG, JPEG, GIF, WebP.
    pub images: Vec<String>,
    /// `context` of a user message: text added by a retrieval.
    pub context: Option<String>,
    /// Tool calls in the message.
    pub tool_calls: Vec<ToolCall>,
    /// Id of the call that a `tool` message answers.
    pub call_id: Option<String>,
    /// Name of the tool, if a `tool` message has it.
    pub tool_name: Option<String>,
    /// `stop_reason` or `finish_reason`.
    pub stop_reason: Option<String>,
    /// What the model thought before it answered, if recorded. Not part of the answer.
    pub reasoning: Option<String>,
}

/// A tool call by a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Id of the call.
    pub call_id: Option<String>,
    /// Tool name; empty if only the model's raw text for the call was recorded.
    pub tool_name: String,
    /// Arguments as JSON-like text.
    pub arguments: String,
}
