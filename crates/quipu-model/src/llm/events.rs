//! Messages recorded as events instead of attributes: `gen_ai.user.message` and the like, which newer servers send as log records.
//!
//! Such an event is converted to the equivalent span attributes. Not here: reading those (`extract`).

use crate::Value;

/// Whether events of this name contain messages.
pub fn is_message_event(name: &str) -> bool {
    name.starts_with("gen_ai.")
}

/// Converts an event to equivalent span attributes. `attributes` are the decoded attributes of the event; fields of a log record's body are
/// in `body`.
pub fn event_attributes(name: &str, attributes: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let body = attributes.iter().find(|(key, _)| key == "body" || key == "gen_ai.event.content").map(|(_, value)| value.unwrapped());
    let mut fields = match body {
        Some(Value::Map(entries)) => entries.clone(),
        _ => attributes.clone(),
    };
    let role = match name {
        "gen_ai.system.message" => "system",
        "gen_ai.user.message" => "user",
        "gen_ai.assistant.message" => "assistant",
        "gen_ai.tool.message" => "tool",
        "gen_ai.choice" => return choice(fields),
        "gen_ai.content.prompt" => return renamed(attributes, "gen_ai.prompt", "gen_ai.input.messages"),
        "gen_ai.content.completion" => return renamed(attributes, "gen_ai.completion", "gen_ai.output.messages"),
        // Newer events have the same attributes as a span.
        _ => return attributes.into_iter().filter(|(key, _)| key.starts_with("gen_ai.")).collect(),
    };
    if role == "tool" && !fields.iter().any(|(key, _)| key == "tool_call_id") {
        let id = fields.iter().find(|(key, _)| key == "id").map(|(_, id)| ("tool_call_id".to_owned(), id.clone()));
        fields.extend(id);
    }
    set_default(&mut fields, "role", role);
    set_default(&mut fields, "content", "");
    vec![("gen_ai.input.messages".to_owned(), Value::List(vec![Value::Map(fields)]))]
}

/// `{index, finish_reason, message: {role, content, tool_calls}}`; the message's fields may also be at the top level.
fn choice(fields: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let reason = fields.iter().find(|(key, _)| key == "finish_reason").cloned();
    let message = fields.iter().find(|(key, _)| key == "message").map(|(_, message)| message.unwrapped().clone());
    let mut fields = match message {
        Some(Value::Map(entries)) => entries,
        Some(text @ Value::Text(_)) => vec![("content".to_owned(), text)],
        _ => fields,
    };
    fields.extend(reason);
    set_default(&mut fields, "role", "assistant");
    set_default(&mut fields, "content", "");
    vec![("gen_ai.output.messages".to_owned(), Value::List(vec![Value::Map(fields)]))]
}

fn set_default(fields: &mut Vec<(String, Value)>, key: &str, value: &str) {
    if !fields.iter().any(|(name, _)| name == key) {
        fields.push((key.to_owned(), Value::Text(value.to_owned())));
    }
}

fn renamed(attributes: Vec<(String, Value)>, from: &str, to: &str) -> Vec<(String, Value)> {
    attributes.into_iter().filter(|(key, _)| key == from).map(|(_, value)| (to.to_owned(), value)).collect()
}
