//! Finds chat messages in a decoded value.
//!
//! Not here: the text of a message's content (`content`).

use super::content::{content_images, content_text, plain_text};
use super::{Message, ToolCall};
use crate::Value;
use crate::recorded::json_text;

/// The chat messages in `value`, in recorded order; empty if it isn't a chat.
///
/// Accepts the following, as JSON, Python repr, or strings containing either:
/// - a list of messages, each `{role, content | tool_calls}` or a tool response `{call_id, content}`; a list with any other item is not a
///   chat;
/// - a single such message;
/// - a map with such a list in `messages` or `tool_responses` (arguments, request of a turn);
/// - outputs, which have the role `assistant`: `{content, tool_calls}`, `{content, stop_reason}`, `{completion_message}`, or OpenAI's
///   `{choices}`, each with a `message` or `text`.
pub fn messages(value: &Value) -> Vec<Message> {
    if let Some(items) = value.items() {
        return items.iter().map(message).collect::<Option<_>>().unwrap_or_default();
    }
    if let Some(message) = message(value) {
        return vec![message];
    }
    let lists: Vec<Message> = ["messages", "tool_responses"]
        .into_iter()
        .filter_map(|key| value.get(key)?.items())
        .filter_map(|items| items.iter().map(message).collect::<Option<Vec<_>>>())
        .flatten()
        .collect();
    if !lists.is_empty() {
        return lists;
    }
    if let Some(message) = value.get("completion_message").and_then(answer) {
        return vec![message];
    }
    if let Some(choices) = value.get("choices").and_then(Value::items) {
        return choices.iter().filter_map(choice).collect();
    }
    if is_output(value) { answer(value).into_iter().collect() } else { Vec::new() }
}

/// The last user message in a span's input, which comes after earlier messages. `None` if there is none.
pub fn last_user_message(value: &Value) -> Option<String> {
    let found = messages(value);
    let last = found.iter().rev().find(|message| message.role == "user" && !message.text.trim().is_empty());
    match last {
        Some(message) => Some(message.text.clone()),
        None if !found.is_empty() => None,
        // Arguments of a completion, or a bare prompt.
        None => ["content", "prompt"].into_iter().find_map(|key| value.get(key)).unwrap_or(value).as_str().map(str::to_owned),
    }
    .filter(|text| !text.trim().is_empty())
}

/// Reads a value that is recognisable as a message by itself.
fn message(value: &Value) -> Option<Message> {
    if let Some(role) = value.get("role").and_then(plain_text) {
        return has_words(value).then(|| read(value, role));
    }
    let responds = value.get("call_id").and_then(plain_text).is_some() && value.get("content").is_some();
    responds.then(|| read(value, "tool".to_owned()))
}

/// Reads a value that is a model's answer because of its position.
fn answer(value: &Value) -> Option<Message> {
    let role = value.get("role").and_then(plain_text).unwrap_or_else(|| "assistant".to_owned());
    has_words(value).then(|| read(value, role))
}

fn has_words(value: &Value) -> bool {
    ["content", "tool_calls", "parts"].into_iter().any(|key| value.get(key).is_some())
}

/// `{content, tool_calls}` of an agent's inference, or `{content, stop_reason}` of a completion. The arguments of a completion have
/// `content`, too, but neither of the others.
fn is_output(value: &Value) -> bool {
    value.get("content").is_some() && ["tool_calls", "stop_reason"].into_iter().any(|key| value.get(key).is_some())
}

fn choice(choice: &Value) -> Option<Message> {
    let mut message = match (choice.get("message"), choice.get("text").and_then(plain_text)) {
        (Some(message), _) => answer(message)?,
        (None, Some(text)) => blank("assistant".to_owned(), text),
        (None, None) => return None,
    };
    if message.stop_reason.is_none() {
        message.stop_reason = choice.get("finish_reason").and_then(plain_text);
    }
    Some(message)
}

fn read(value: &Value, role: String) -> Message {
    if let Some(parts) = value.get("parts").and_then(Value::items) {
        return read_parts(value, role, parts);
    }
    let text_of = |keys: [&str; 2]| keys.into_iter().find_map(|key| value.get(key).and_then(plain_text));
    Message {
        text: value.get("content").map(content_text).unwrap_or_default(),
        images: value.get("content").map(content_images).unwrap_or_default(),
        context: value.get("context").map(content_text).filter(|text| !text.is_empty()),
        tool_calls: value.get("tool_calls").and_then(Value::items).map(tool_calls).unwrap_or_default(),
        call_id: text_of(["call_id", "tool_call_id"]),
        tool_name: value.get("tool_name").and_then(plain_text),
        stop_reason: text_of(["stop_reason", "finish_reason"]),
        ..blank(role, String::new())
    }
}

/// Reads a message of the GenAI conventions: `{role, parts: [{type: text | tool_call | tool_call_response | …}]}`.
fn read_parts(value: &Value, role: String, parts: &[Value]) -> Message {
    let mut message = blank(role, String::new());
    let mut words: Vec<Value> = Vec::new();
    for part in parts {
        match part.get("type").and_then(plain_text).as_deref() {
            Some("tool_call") => message.tool_calls.extend(tool_call(part)),
            Some("tool_call_response") => {
                message.call_id = message.call_id.or_else(|| part.get("id").and_then(plain_text));
                words.extend(["result", "response"].into_iter().find_map(|key| part.get(key)).map(result_text));
            }
            // The text is in `content` here, but in `text` elsewhere.
            Some("text" | "reasoning") => words.push(part.get("content").unwrap_or(part).clone()),
            _ => words.push(part.clone()),
        }
    }
    let words = Value::List(words);
    message.text = content_text(&words);
    message.images = content_images(&words);
    message.stop_reason = value.get("finish_reason").and_then(plain_text);
    message
}

/// A tool result as text; other values are printed as JSON.
fn result_text(result: &Value) -> Value {
    if result.as_str().is_some() { result.clone() } else { Value::Text(json_text(result)) }
}

fn blank(role: String, text: String) -> Message {
    Message { role, text, ..Message::default() }
}

pub(super) fn tool_calls(items: &[Value]) -> Vec<ToolCall> {
    items.iter().filter_map(tool_call).collect()
}

/// Reads a call in the format of Llama Stack (`{call_id, tool_name, arguments}`) or OpenAI (`{id, function: {name, arguments}}`). A plain
/// string is the model's raw text, which the server could not parse.
fn tool_call(value: &Value) -> Option<ToolCall> {
    if let Value::Text(text) = value {
        return Some(ToolCall { call_id: None, tool_name: String::new(), arguments: text.clone() });
    }
    let value = value.get("tool_call").unwrap_or(value);
    let function = value.get("function").unwrap_or(value);
    let tool_name = ["tool_name", "name"].into_iter().find_map(|key| function.get(key).and_then(plain_text))?;
    let arguments = ["arguments_json", "arguments"]
        .into_iter()
        .find_map(|key| function.get(key).filter(|arguments| **arguments != Value::Null))
        .map(|arguments| arguments.as_str().map_or_else(|| json_text(arguments), str::to_owned));
    let call_id = ["call_id", "id"].into_iter().find_map(|key| value.get(key).and_then(plain_text));
    Some(ToolCall { call_id, tool_name, arguments: arguments.unwrap_or_default() })
}
