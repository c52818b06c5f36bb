//! Chat messages out of whatever an inference or a turn recorded, and the conversation they make.
//!
//! `read` finds messages in one value; `said` reads what one span says, whatever its dialect; `build` joins the spans of a trace or of
//! a session into one [`Conversation`]. What is not here: token counts (`tokens`), decoding (`recorded`), drawing (the page).

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
pub use read::asked_in;
pub use read::messages;

use serde::{Deserialize, Serialize};

/// Where spans keep what they were given, by convention: Llama Stack's steps, its traced methods and agent turns, GenAI, OpenInference.
const INPUTS: [&str; 7] = [
    "input",
    "__args__",
    "request",
    "gen_ai.input.messages",
    "input.value",
    "gen_ai.tool.call.arguments",
    "gen_ai.prompt",
];

/// Whether a span of this name is a step of an agent's turn: the server opens these one after the other, never one inside another.
pub fn is_agent_step(name: &str) -> bool {
    matches!(name, "inference" | "tool_execution" | "run_shields")
}

/// The attribute that holds what a span was given, among the keys of its attributes.
pub fn input_key<'a>(keys: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    INPUTS.iter().find_map(|name| keys.clone().find(|key| key == name))
}

/// One message of a chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant`, `tool`, or as recorded.
    pub role: String,
    /// The text; parts of other kinds stand as a short note in brackets.
    pub text: String,
    /// Images whose data was recorded, as `data:` addresses: PNG, JPEG, GIF, WebP.
    pub images: Vec<String>,
    /// `context` of a user message: what a retrieval added to it.
    pub context: Option<String>,
    /// Tools the message calls.
    pub tool_calls: Vec<ToolCall>,
    /// The call this message answers, for `tool` messages.
    pub call_id: Option<String>,
    /// The tool that answers, for `tool` messages that name it.
    pub tool_name: Option<String>,
    /// `stop_reason` or `finish_reason`.
    pub stop_reason: Option<String>,
}

/// A call of a tool by a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The call's id.
    pub call_id: Option<String>,
    /// The tool's name; empty where only the model's own words for the call were recorded.
    pub tool_name: String,
    /// Its arguments, as JSON-like text.
    pub arguments: String,
}
