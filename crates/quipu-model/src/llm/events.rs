//! Messages recorded as events instead of attributes: `gen_ai.user.message` and the like, which newer servers send as log records.
//!
//! Such an event is converted to the equivalent span attributes. Not here: reading those (`extract`).

use crate::Value;
use crate::dialect::{Told, says, told};

/// Whether events of this name contain messages.
pub fn is_message_event(name: &str) -> bool {
    told(name).is_some()
}

/// Converts an event to equivalent span attributes. `attributes` are the decoded attributes of the event; fields of a log record's body are
/// in `body`.
pub fn event_attributes(name: &str, attributes: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let body = attributes.iter().find(|(key, _)| key == "body" || key == "gen_ai.event.content").map(|(_, value)| value.unwrapped());
    let mut fields = match body {
        Some(Value::Map(entries)) => entries.clone(),
        _ => attributes.clone(),
    };
    let role = match told(name) {
        Some(Told::Message(role)) => role,
        Some(Told::Choice) => return choice(fields),
        // Newer events have the same attributes as a span.
        _ => return attributes.into_iter().filter(|(key, _)| says(key).is_some()).collect(),
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
