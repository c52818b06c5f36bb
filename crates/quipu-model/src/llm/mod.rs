//! Chat messages recorded by inference requests and agent turns, and the conversation they form.
//!
//! `read` finds messages in a value; `extract` reads a span in any dialect; `build` joins the spans of a trace or session into a
//! [`Conversation`]. Not here: token counts (`tokens`), decoding (`recorded`), rendering (the page).

mod build;
mod content;
mod conversation;
mod events;
mod extract;
mod lines;
mod read;
mod unflatten;

pub use build::conversation;
pub use conversation::{
    Body, Chunk, Conversation, ConversationPage, Entry, Shield, SpanMessages, ToolDefinition, ToolResult, Turn, Verdict,
};
pub use events::{event_attributes, is_message_event};
pub use lines::conversation_lines;
pub use read::last_user_message;
pub use read::messages;

use serde::{Deserialize, Serialize};

/// Attributes that contain a span's input in the various conventions: Llama Stack's steps, traced methods and agent turns, GenAI,
/// OpenInference.
const INPUTS: [&str; 7] = [
    "input",
    "__args__",
    "request",
    "gen_ai.input.messages",
    "input.value",
    "gen_ai.tool.call.arguments",
    "gen_ai.prompt",
];

/// Whether a span with this name is a step of an agent's turn. The server runs these one after another, never nested.
pub fn is_agent_step(name: &str) -> bool {
    matches!(name, "inference" | "tool_execution" | "run_shields")
}

/// The key, among those of a span's attributes, that contains its input.
pub fn input_key<'a>(keys: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    INPUTS.iter().find_map(|name| keys.clone().find(|key| key == name))
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
