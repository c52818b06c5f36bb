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
/// - a list of messages, each `{role, content | tool_calls | parts}`, a tool response `{call_id, content}`, an item of OpenAI's Responses
///   API, or one of LangChain's messages; a list with any other item is not a chat;
/// - a single such message;
/// - a map with such a list, or a list of such lists, under one of the keys that requests and answers have;
/// - outputs, which have the role `assistant`: `{content, tool_calls}`, `{content, stop_reason}`, `{completion_message}`, OpenAI's
///   `{choices}`, each with a `message` or `text`, or LangChain's `{generations}`.
pub fn messages(value: &Value) -> Vec<Message> {
    if let Some(items) = value.items() {
        return chat(items).unwrap_or_default();
    }
    if let Some(messages) = message(value) {
        return messages;
    }
    let lists: Vec<Message> = LISTS.into_iter().filter_map(|key| value.get(key)?.items()).filter_map(chat).flatten().collect();
    if !lists.is_empty() {
        return with_instructions(value, lists);
    }
    if let Some(message) = value.get("completion_message").and_then(answer) {
        return message;
    }
    for key in ["choices", "generations", "candidates"] {
        if let Some(choices) = value.get(key).and_then(Value::items) {
            return choices.iter().flat_map(choice).collect();
        }
    }
    if is_output(value) { answer(value).unwrap_or_default() } else { Vec::new() }
}

/// Keys under which requests and answers have lists of messages: arguments, requests of a turn, Gemini's and the Responses API's requests.
const LISTS: [&str; 5] = ["messages", "tool_responses", "contents", "input", "output"];

/// The messages in a list of messages, or in a list of such lists; `None` if an item is neither.
fn chat(items: &[Value]) -> Option<Vec<Message>> {
    let read = |item: &Value| match item.unwrapped() {
        Value::List(items) => items.iter().map(message).collect::<Option<Vec<_>>>().map(|found| found.concat()),
        _ => message(item),
    };
    items.iter().map(read).collect::<Option<Vec<_>>>().map(|found| found.concat())
}

/// Adds the instructions that a request has beside its messages, as the AI SDK and the Responses API have them.
fn with_instructions(value: &Value, mut messages: Vec<Message>) -> Vec<Message> {
    if messages.iter().all(|message| message.role != "system")
        && let Some(text) = value.get("system").and_then(Value::as_str).filter(|text| !text.is_empty())
    {
        messages.insert(0, blank("system".to_owned(), text.to_owned()));
    }
    messages
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

/// Reads a value that is recognisable as a message by itself. Some conventions put several tool answers into one message; they become
/// messages of their own.
fn message(value: &Value) -> Option<Vec<Message>> {
    if let Some((role, inner)) = langchain(value) {
        return Some(read(inner, role));
    }
    if let Some(role) = value.get("role").and_then(plain_text) {
        return has_words(value).then(|| read(value, role_name(&role)));
    }
    if let Some(found) = response_item(value) {
        return Some(vec![found]);
    }
    let responds = value.get("call_id").and_then(plain_text).is_some() && value.get("content").is_some();
    responds.then(|| read(value, "tool".to_owned()))
}

/// The role under the name that most conventions use.
fn role_name(role: &str) -> String {
    match role {
        "model" | "ai" => "assistant",
        "human" => "user",
        other => other,
    }
    .to_owned()
}

/// Role and fields of one of LangChain's messages: `{type: "human", data: {…}}`, `{type: "human", content}`, or a constructor with `kwargs`.
fn langchain(value: &Value) -> Option<(String, &Value)> {
    let inner = value.get("data").or_else(|| value.get("kwargs")).unwrap_or(value);
    inner.get("content")?;
    let kind =
        value.get("type").and_then(plain_text).filter(|kind| kind != "constructor").or_else(|| inner.get("type").and_then(plain_text))?;
    let role = match kind.as_str() {
        "human" | "ai" => role_name(&kind),
        "system" | "tool" => kind,
        _ => return None,
    };
    value.get("role").is_none().then_some((role, inner))
}

/// An item of the Responses API that is not a message: a call, its output, or reasoning.
fn response_item(value: &Value) -> Option<Message> {
    let text = |key: &str| value.get(key).and_then(plain_text);
    match text("type")?.as_str() {
        "function_call" => {
            Some(Message { tool_calls: tool_call(value).into_iter().collect(), ..blank("assistant".to_owned(), String::new()) })
        }
        "function_call_output" => {
            let answer = value.get("output").map(content_text).unwrap_or_default();
            Some(Message { call_id: text("call_id"), ..blank("tool".to_owned(), answer) })
        }
        "reasoning" => {
            let summary =
                ["summary", "content"].into_iter().filter_map(|key| value.get(key)).map(content_text).find(|text| !text.is_empty());
            Some(Message { reasoning: summary, ..blank("assistant".to_owned(), String::new()) })
        }
        _ => None,
    }
}

/// Reads a value that is a model's answer because of its position.
fn answer(value: &Value) -> Option<Vec<Message>> {
    if let Some((role, inner)) = langchain(value) {
        return Some(read(inner, role));
    }
    let role = value.get("role").and_then(plain_text).map_or_else(|| "assistant".to_owned(), |role| role_name(&role));
    has_words(value).then(|| read(value, role))
}

fn has_words(value: &Value) -> bool {
    ["content", "tool_calls", "parts", "contents"].into_iter().any(|key| value.get(key).is_some())
}

/// `{content, tool_calls}` of an agent's inference, or `{content, stop_reason}` of a completion. The arguments of a completion have
/// `content`, too, but neither of the others.
fn is_output(value: &Value) -> bool {
    value.get("content").is_some() && ["tool_calls", "stop_reason"].into_iter().any(|key| value.get(key).is_some())
}

fn choice(choice: &Value) -> Vec<Message> {
    // LangChain has a list of answers for each request.
    if let Some(items) = choice.items() {
        return items.iter().flat_map(self::choice).collect();
    }
    let inner = choice.get("message").or_else(|| choice.get("content").filter(|content| content.get("parts").is_some()));
    let mut messages = match (inner, choice.get("text").and_then(plain_text)) {
        (Some(message), _) => answer(message).unwrap_or_default(),
        (None, Some(text)) => vec![blank("assistant".to_owned(), text)],
        (None, None) => Vec::new(),
    };
    let reason = ["finish_reason", "finishReason"].into_iter().find_map(|key| choice.get(key)).and_then(plain_text);
    if let (Some(message), Some(reason)) = (messages.last_mut(), reason) {
        message.stop_reason.get_or_insert(reason);
    }
    messages
}

fn read(value: &Value, role: String) -> Vec<Message> {
    if let Some(parts) = value.get("parts").and_then(Value::items) {
        return read_parts(value, role, parts);
    }
    let text_of = |keys: [&str; 2]| keys.into_iter().find_map(|key| value.get(key).and_then(plain_text));
    let content = flat_parts(value).or_else(|| value.get("content").cloned()).unwrap_or(Value::Null);
    let (content, thought) = without_reasoning(content);
    let said = ["reasoning_content", "reasoning"].into_iter().find_map(|key| value.get(key).and_then(plain_text));
    let is_tool = role == "tool";
    vec![Message {
        text: content_text(&content),
        images: content_images(&content),
        context: value.get("context").map(content_text).filter(|text| !text.is_empty()),
        tool_calls: value.get("tool_calls").and_then(Value::items).map(tool_calls).unwrap_or_default(),
        call_id: text_of(["call_id", "tool_call_id"]),
        tool_name: value.get("tool_name").or_else(|| value.get("name").filter(|_| is_tool)).and_then(plain_text),
        stop_reason: text_of(["stop_reason", "finish_reason"]),
        reasoning: thought.or(said),
        ..blank(role, String::new())
    }]
}

/// OpenInference's `contents`, as a list of parts. `content` may stand beside it, and repeats its texts.
fn flat_parts(value: &Value) -> Option<Value> {
    let parts = value.get("contents")?.items()?;
    Some(Value::List(parts.iter().map(|part| part.get("message_content").unwrap_or(part).clone()).collect()))
}

/// Takes the parts in which a model thinks out of a content.
fn without_reasoning(content: Value) -> (Value, Option<String>) {
    let is_thought = |part: &Value| {
        matches!(
            part.get("type").and_then(plain_text).as_deref(),
            Some("reasoning" | "thinking" | "redacted_thinking" | "reasoning_content")
        )
    };
    let Some(items) = content.items().filter(|items| items.iter().any(is_thought)) else { return (content, None) };
    let thoughts: Vec<String> = items.iter().filter(|part| is_thought(part)).map(thought_text).filter(|text| !text.is_empty()).collect();
    let rest = items.iter().filter(|part| !is_thought(part)).cloned().collect();
    (Value::List(rest), (!thoughts.is_empty()).then(|| thoughts.join("\n")))
}

fn thought_text(part: &Value) -> String {
    let text = ["content", "text", "thinking", "reasoning", "summary"].into_iter().find_map(|key| part.get(key));
    text.map(content_text).unwrap_or_default()
}

/// Reads a message of the GenAI conventions: `{role, parts: [{type: text | tool_call | tool_call_response | …}]}`, or of Gemini, whose parts
/// have no type. Answers of tools become messages of their own, whatever the role of the message around them.
fn read_parts(value: &Value, role: String, parts: &[Value]) -> Vec<Message> {
    let mut message = blank(role, String::new());
    let mut answers = Vec::new();
    let mut words: Vec<Value> = Vec::new();
    let mut thoughts: Vec<String> = Vec::new();
    for part in parts {
        let called = ["function_call", "functionCall"].into_iter().find_map(|key| part.get(key));
        let answered = ["function_response", "functionResponse"].into_iter().find_map(|key| part.get(key));
        match part.get("type").and_then(plain_text).as_deref() {
            Some("tool_call") => message.tool_calls.extend(tool_call(part)),
            Some("server_tool_call") => message.tool_calls.extend(server_call(part)),
            Some("tool_call_response" | "server_tool_call_response") => answers.push(tool_answer(part)),
            Some("reasoning" | "thinking") => thoughts.push(thought_text(part)),
            // The text is in `content` here, but in `text` elsewhere.
            Some("text") => words.push(part.get("content").unwrap_or(part).clone()),
            None if called.is_some() => message.tool_calls.extend(called.and_then(tool_call)),
            None if answered.is_some() => answers.extend(answered.map(tool_answer)),
            _ => words.push(part.clone()),
        }
    }
    let words = Value::List(words);
    message.text = content_text(&words);
    message.images = content_images(&words);
    message.stop_reason = value.get("finish_reason").and_then(plain_text);
    thoughts.retain(|text| !text.is_empty());
    message.reasoning = (!thoughts.is_empty()).then(|| thoughts.join("\n"));
    let says_more = !message.text.is_empty() || !message.tool_calls.is_empty() || !message.images.is_empty() || message.reasoning.is_some();
    if says_more || answers.is_empty() {
        answers.push(message);
    }
    answers
}

fn tool_answer(part: &Value) -> Message {
    let text = |key: &str| part.get(key).and_then(plain_text);
    let answer = ["result", "response", "server_tool_call_response"].into_iter().find_map(|key| part.get(key)).map(result_text);
    Message {
        call_id: text("id").or_else(|| text("call_id")),
        tool_name: text("name"),
        ..blank("tool".to_owned(), answer.as_ref().map(content_text).unwrap_or_default())
    }
}

/// A call that the server ran itself: `{name, id, server_tool_call: {type, …}}`.
fn server_call(part: &Value) -> Option<ToolCall> {
    let tool_name = part.get("name").and_then(plain_text)?;
    let inner = part.get("server_tool_call").unwrap_or(part);
    let arguments = inner.get("arguments").unwrap_or(inner);
    let arguments = arguments.as_str().map_or_else(|| json_text(arguments), str::to_owned);
    Some(ToolCall { call_id: part.get("id").and_then(plain_text), tool_name, arguments })
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

/// Reads a call in the format of Llama Stack (`{call_id, tool_name, arguments}`), OpenAI (`{id, function: {name, arguments}}`), LangChain
/// (`{id, name, args}`) or the AI SDK (`{toolCallId, toolName, input}`). A plain
/// string is the model's raw text, which the server could not parse.
fn tool_call(value: &Value) -> Option<ToolCall> {
    if let Value::Text(text) = value {
        return Some(ToolCall { call_id: None, tool_name: String::new(), arguments: text.clone() });
    }
    let value = value.get("tool_call").unwrap_or(value);
    let function = value.get("function").unwrap_or(value);
    let tool_name = ["tool_name", "name", "toolName"].into_iter().find_map(|key| function.get(key).and_then(plain_text))?;
    let arguments = ["arguments_json", "arguments", "args", "input"]
        .into_iter()
        .find_map(|key| function.get(key).filter(|arguments| **arguments != Value::Null))
        .map(|arguments| arguments.as_str().map_or_else(|| json_text(arguments), str::to_owned));
    let call_id = ["call_id", "id", "toolCallId"].into_iter().find_map(|key| value.get(key).and_then(plain_text));
    Some(ToolCall { call_id, tool_name, arguments: arguments.unwrap_or_default() })
}
