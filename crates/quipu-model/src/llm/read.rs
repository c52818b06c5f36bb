//! Finds the messages in a decoded value.
//!
//! What is not here: the text of a message's content (`content`).

use super::content::{content_images, content_text, plain_text};
use super::{Message, ToolCall};
use crate::Value;
use crate::recorded::json_text;

/// The chat messages in `value`, in recorded order; none when it is no chat.
///
/// Understood, as JSON, as a Python repr or as texts holding either:
/// - a list of messages, each `{role, content | tool_calls}` or a tool's response `{call_id, content}`; one element of another
///   kind makes the list no chat;
/// - one such message;
/// - a map with such a list under `messages` or `tool_responses` (arguments, a turn's request);
/// - outputs, whose role is `assistant`: `{content, tool_calls}` and `{content, stop_reason}`, `{completion_message}`,
///   OpenAI's `{choices}` with a `message` or a `text` each.
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

/// The words of the user in what a span was given: the last ones, before which stands what was said earlier. `None` where there are none.
pub fn asked_in(value: &Value) -> Option<String> {
    let found = messages(value);
    let last = found.iter().rev().find(|message| message.role == "user" && !message.text.trim().is_empty());
    match last {
        Some(message) => Some(message.text.clone()),
        None if !found.is_empty() => None,
        // A completion's arguments, or a prompt by itself.
        None => ["content", "prompt"].into_iter().find_map(|key| value.get(key)).unwrap_or(value).as_str().map(str::to_owned),
    }
    .filter(|text| !text.trim().is_empty())
}

/// A value that says of itself that it is a message.
fn message(value: &Value) -> Option<Message> {
    if let Some(role) = value.get("role").and_then(plain_text) {
        return has_words(value).then(|| read(value, role));
    }
    let responds = value.get("call_id").and_then(plain_text).is_some() && value.get("content").is_some();
    responds.then(|| read(value, "tool".to_owned()))
}

/// A value that is a model's answer by where it stands.
fn answer(value: &Value) -> Option<Message> {
    let role = value.get("role").and_then(plain_text).unwrap_or_else(|| "assistant".to_owned());
    has_words(value).then(|| read(value, role))
}

fn has_words(value: &Value) -> bool {
    ["content", "tool_calls", "parts"].into_iter().any(|key| value.get(key).is_some())
}

/// `{content, tool_calls}` of an agent's inference, `{content, stop_reason}` of a completion. The arguments of a completion
/// have `content` too, and none of the others.
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

/// A message of the GenAI conventions: `{role, parts: [{type: text | tool_call | tool_call_response | …}]}`.
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
            // A text stands under `content` there, elsewhere under `text`.
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

/// A result that is no text stands as JSON.
fn result_text(result: &Value) -> Value {
    if result.as_str().is_some() { result.clone() } else { Value::Text(json_text(result)) }
}

fn blank(role: String, text: String) -> Message {
    Message { role, text, ..Message::default() }
}

pub(super) fn tool_calls(items: &[Value]) -> Vec<ToolCall> {
    items.iter().filter_map(tool_call).collect()
}

/// A call of Llama Stack (`{call_id, tool_name, arguments}`) or OpenAI (`{id, function: {name, arguments}}`); a text alone is
/// what the model said where the server could not read the call.
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
