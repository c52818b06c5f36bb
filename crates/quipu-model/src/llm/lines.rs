//! Prints a conversation as JSON lines, one turn per line, for datasets and scoring.

use super::{Body, Conversation, Entry, Message, ToolCall, ToolResult, Turn, Verdict};
use crate::recorded::json_text;
use crate::{Number, Value};

/// One line per turn, each ending in a line break. Contains the turn's origin, `input_query` (last user message) and `generated_answer`
/// (last assistant message) as Llama Stack's scoring functions name them, all `tool_calls` with results, `violations`, `failures`, and all
/// `messages` in order. Keys without a value are omitted.
pub fn conversation_lines(conversation: &Conversation) -> String {
    let mut out = String::new();
    for turn in &conversation.turns {
        out += &json_text(&line(turn));
        out.push('\n');
    }
    out
}

/// Parts of a line.
#[derive(Default)]
struct Parts {
    messages: Vec<Value>,
    calls: Vec<Value>,
    violations: Vec<Value>,
    failures: Vec<Value>,
    asked: Option<String>,
    answered: Option<String>,
    model: Option<String>,
}

fn line(turn: &Turn) -> Value {
    let mut parts = Parts::default();
    parts.failures.extend(turn.failure.as_deref().map(text));
    turn.entries.iter().for_each(|entry| parts.take(entry));
    let fields = [
        ("span_id", text(&turn.span_id)),
        ("name", text(&turn.name)),
        ("start_time", some(turn.start.map(|start| start.civil(0)).as_ref())),
        ("duration_ms", turn.duration_nanos.map_or(Value::Null, |nanos| Value::Number(Number((nanos as f64 / 1e6).to_string())))),
        ("agent", some(turn.agent.as_ref())),
        ("session_id", some(turn.session_id.as_ref())),
        ("turn_id", some(turn.turn_id.as_ref())),
        ("model", some(parts.model.as_ref())),
        ("input_query", some(parts.asked.as_ref())),
        ("generated_answer", some(parts.answered.as_ref())),
        ("tool_calls", Value::List(parts.calls)),
        ("violations", Value::List(parts.violations)),
        ("failures", Value::List(parts.failures)),
        ("messages", Value::List(parts.messages)),
    ];
    map(fields.into())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn some(found: Option<&String>) -> Value {
    found.map_or(Value::Null, |found| text(found))
}

/// A map without null values and empty lists.
fn map(fields: Vec<(&str, Value)>) -> Value {
    let is_there = |value: &Value| !matches!(value, Value::Null) && value.items().is_none_or(|items| !items.is_empty());
    Value::Map(fields.into_iter().filter(|(_, value)| is_there(value)).map(|(key, value)| (key.to_owned(), value)).collect())
}

impl Parts {
    fn take(&mut self, entry: &Entry) {
        match &entry.body {
            Body::Earlier(messages) => self.messages.extend(messages.iter().map(message)),
            Body::Asked { model, .. } => self.model = model.clone().or(self.model.take()),
            Body::Message { message: found, results } => {
                match found.role.as_str() {
                    "user" => self.asked = Some(found.text.clone()),
                    "assistant" if !found.text.is_empty() => self.answered = Some(found.text.clone()),
                    _ => {}
                }
                self.messages.push(message(found));
                for (call, result) in found.tool_calls.iter().zip(results) {
                    self.call(call, result.as_ref());
                }
            }
            Body::Ran { tool_name, arguments, result } => {
                let call = ToolCall { call_id: None, tool_name: tool_name.clone(), arguments: arguments.clone().unwrap_or_default() };
                self.call(&call, Some(result));
            }
            Body::Checked(shield) => {
                if let Verdict::Violation { level, message, facts } = &shield.verdict {
                    let facts = facts.iter().map(|(key, value)| (key.as_str(), text(value))).collect();
                    let shields = shield.shield_ids.iter().map(|id| text(id)).collect();
                    let fields = [
                        ("shields", Value::List(shields)),
                        ("level", some(level.as_ref())),
                        ("message", some(message.as_ref())),
                    ];
                    self.violations.push(map(fields.into_iter().chain([("facts", map(facts))]).collect()));
                }
            }
            Body::Failed(found) => self.failures.push(text(found)),
            Body::Retrieved { .. } | Body::Embedded(_) | Body::Missing(_) | Body::Other { .. } => {}
        }
    }

    fn call(&mut self, call: &ToolCall, result: Option<&ToolResult>) {
        let mut fields = call_fields(call);
        if let Some(result) = result {
            fields.extend([("result", some(result.text.as_ref())), ("failure", some(result.failure.as_ref()))]);
            if let Some(answer) = &result.text {
                let id = some(call.call_id.as_ref());
                let fields = vec![
                    ("role", text("tool")),
                    ("call_id", id),
                    ("tool_name", text(&call.tool_name)),
                    ("content", text(answer)),
                ];
                self.messages.push(map(fields));
            }
        }
        self.calls.push(map(fields));
    }
}

fn message(message: &Message) -> Value {
    map(vec![
        ("role", text(&message.role)),
        ("content", text(&message.text)),
        ("reasoning", some(message.reasoning.as_ref())),
        ("context", some(message.context.as_ref())),
        ("call_id", some(message.call_id.as_ref())),
        ("tool_name", some(message.tool_name.as_ref())),
        ("stop_reason", some(message.stop_reason.as_ref())),
        ("tool_calls", Value::List(message.tool_calls.iter().map(|call| map(call_fields(call))).collect())),
        ("images", Value::List(message.images.iter().map(|image| text(image)).collect())),
    ])
}

fn call_fields(call: &ToolCall) -> Vec<(&'static str, Value)> {
    vec![
        ("call_id", some(call.call_id.as_ref())),
        ("tool_name", text(&call.tool_name)),
        ("arguments", text(&call.arguments)),
    ]
}
