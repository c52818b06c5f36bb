//! Extracts messages, tool calls and the like from one span, in any dialect: Llama Stack's agents and routers of all releases, `gen_ai.*`,
//! OpenInference.
//!
//! Not here: relations between spans (`build`). Attributes that are not understood are passed on unchanged.

use super::content::{content_text, plain_text};
use super::conversation::{Chunk, SpanMessages, ToolDefinition, Verdict};
use super::unflatten::list_under;
use super::{Message, messages};
use crate::recorded::json_text;
use crate::{SpanKind, Value, is_marker};

/// Role of a span in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A request that contains other parts.
    Turn,
    /// A model call.
    Inference,
    /// A tool execution.
    Tool,
    /// A safety check.
    Shield,
    /// A retrieval.
    Retrieval,
}

/// A tool execution as recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ToolUse {
    pub(super) name: Option<String>,
    pub(super) call_id: Option<String>,
    pub(super) arguments: Option<String>,
    pub(super) result: Option<String>,
}

/// Everything extracted from one span.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Extracted {
    pub(super) input: Vec<Message>,
    pub(super) output: Vec<Message>,
    /// The output was a stream, which is not recorded.
    pub(super) streamed: bool,
    /// Whether any output was recorded.
    pub(super) has_output: bool,
    pub(super) model: Option<String>,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) tools: Vec<ToolDefinition>,
    pub(super) tool: ToolUse,
    pub(super) shield_id: Option<String>,
    pub(super) verdict: Option<Verdict>,
    pub(super) query: Option<String>,
    pub(super) chunks: Vec<Chunk>,
    pub(super) agent: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) turn_id: Option<String>,
    pub(super) other: Vec<(String, Value)>,
}

/// The role of a span; `None` if it is not part of a conversation.
pub(super) fn part(span: &SpanMessages) -> Option<Part> {
    let text = |key: &str| span.attributes.iter().find(|(name, _)| name == key).and_then(|(_, value)| plain_text(value));
    match text("openinference.span.kind").as_deref() {
        Some("LLM") => return Some(Part::Inference),
        Some("TOOL") => return Some(Part::Tool),
        Some("GUARDRAIL") => return Some(Part::Shield),
        Some("RETRIEVER" | "RERANKER") => return Some(Part::Retrieval),
        Some("AGENT" | "CHAIN" | "PROMPT") => return Some(Part::Turn),
        _ => {}
    }
    match text("gen_ai.operation.name").as_deref() {
        Some("chat" | "generate_content" | "text_completion" | "embeddings") => return Some(Part::Inference),
        Some("execute_tool") => return Some(Part::Tool),
        Some("retrieval") => return Some(Part::Retrieval),
        Some(_) => return Some(Part::Turn),
        None => {}
    }
    match span.kind {
        _ if span.is_request => Some(Part::Turn),
        SpanKind::Turn | SpanKind::Request => Some(Part::Turn),
        SpanKind::Inference => Some(Part::Inference),
        SpanKind::Tool => Some(Part::Tool),
        SpanKind::Safety => Some(Part::Shield),
        SpanKind::Retrieval => Some(Part::Retrieval),
        SpanKind::Routing | SpanKind::Storage | SpanKind::Other => None,
    }
}

/// Extracts everything from a span with this role.
pub(super) fn extract(span: &SpanMessages, part: Part) -> Extracted {
    let mut out = Extracted::default();
    for (key, value) in &span.attributes {
        read(&mut out, part, key, value);
    }
    let flat = |prefix: &str, inner: &str| -> Vec<Message> {
        let items = list_under(&span.attributes, prefix);
        items.iter().flat_map(|item| messages(item.get(inner).unwrap_or(item))).collect()
    };
    if out.input.is_empty() {
        out.input = flat("llm.input_messages", "message");
    }
    if out.output.is_empty() {
        out.output = flat("llm.output_messages", "message");
        out.has_output |= !out.output.is_empty();
    }
    out.tools.extend(list_under(&span.attributes, "llm.tools").iter().filter_map(|item| {
        let schema = item.get("tool").and_then(|tool| tool.get("json_schema")).unwrap_or(item);
        definition(schema)
    }));
    out.chunks
        .extend(list_under(&span.attributes, "retrieval.documents").iter().filter_map(|item| chunk(item.get("document").unwrap_or(item))));
    if let Some(reason) = out.parameters.iter().position(|(key, _)| key == "stop_reason") {
        let (_, reason) = out.parameters.remove(reason);
        if let Some(message) = out.output.last_mut() {
            message.stop_reason.get_or_insert(reason);
        }
    }
    out
}

/// Keys that describe the telemetry itself, or are shown elsewhere on the page.
const SILENT: [&str; 14] = [
    "raw_path",
    "error",
    "chunk_count",
    "traceparent",
    "tracestate",
    "agent_id",
    "input.mime_type",
    "output.mime_type",
    "metadata",
    "user.id",
    "gen_ai.response.id",
    "gen_ai.operation.name",
    "gen_ai.response.model",
    "openinference.span.kind",
];

fn read(out: &mut Extracted, part: Part, key: &str, value: &Value) {
    let text = || plain_text(value);
    match key {
        "__args__" => arguments(out, part, value),
        "request" => request(out, value),
        "input" | "gen_ai.input.messages" | "input.value" => input(out, part, key, value),
        "output" | "gen_ai.output.messages" | "output.value" => output(out, part, key, value),
        "gen_ai.system_instructions" => {
            let text = value.items().map_or_else(|| text().unwrap_or_default(), |_| content_text(&parts_as_content(value)));
            out.input.insert(0, Message { role: "system".into(), text, ..Message::default() });
        }
        "gen_ai.tool.definitions" | "llm.tools" => out.tools.extend(definitions(value)),
        "tool_name" | "gen_ai.tool.name" | "tool.name" => out.tool.name = text(),
        "gen_ai.tool.call.id" | "tool_call.id" => out.tool.call_id = text(),
        "gen_ai.tool.call.arguments" | "tool.parameters" => out.tool.arguments = Some(written(value)),
        "gen_ai.tool.call.result" => out.tool.result = Some(written(value)),
        "session_id" | "session.id" | "gen_ai.conversation.id" => out.session_id = text(),
        "turn_id" => out.turn_id = text(),
        "agent_name" | "gen_ai.agent.name" => out.agent = text(),
        "gen_ai.request.model" | "llm.model_name" => out.model = text(),
        "stop_reason" => out.parameters.extend(text().map(|reason| ("stop_reason".to_owned(), reason))),
        "gen_ai.response.finish_reasons" => {
            let first = value.items().and_then(|items| items.first()).and_then(plain_text).or_else(text);
            out.parameters.extend(first.map(|reason| ("stop_reason".to_owned(), reason)));
        }
        "llm.invocation_parameters" => out.parameters.extend(set_entries(value)),
        _ if key.starts_with("__") || SILENT.contains(&key) => {}
        _ if key.starts_with("gen_ai.request.") => {
            out.parameters.push((key["gen_ai.request.".len()..].to_owned(), written(value)));
        }
        _ if ["llm.input_messages.", "llm.output_messages.", "llm.tools.", "retrieval.documents."]
            .iter()
            .any(|flat| key.starts_with(flat)) => {}
        _ if ["llm.", "gen_ai.", "server.", "http.", "url.", "service.", "telemetry."].iter().any(|prefix| key.starts_with(prefix)) => {}
        _ => out.other.push((key.to_owned(), value.clone())),
    }
}

/// `input` of an agent's step, or its equivalent in other dialects.
fn input(out: &mut Extracted, part: Part, key: &str, value: &Value) {
    let found = messages(value);
    match part {
        Part::Tool if key == "input" => {
            // An agent's tool step records the message that contains the call.
            if let Some(call) = found.iter().flat_map(|message| &message.tool_calls).next() {
                out.tool.call_id = out.tool.call_id.take().or_else(|| call.call_id.clone());
                out.tool.arguments = Some(call.arguments.clone());
                out.tool.name.get_or_insert_with(|| call.tool_name.clone());
            } else {
                out.tool.arguments = Some(written(value));
            }
        }
        Part::Tool => out.tool.arguments = out.tool.arguments.take().or_else(|| Some(written(value))),
        Part::Retrieval => out.query = plain_text(value),
        _ if !found.is_empty() => out.input.extend(found),
        Part::Inference | Part::Turn if value.items().is_none() && value.as_str().is_some() => out.input.push(user(written(value))),
        _ => out.other.push((key.to_owned(), value.clone())),
    }
}

fn output(out: &mut Extracted, part: Part, key: &str, value: &Value) {
    out.has_output = true;
    if is_stream(value) {
        out.streamed = true;
        return;
    }
    match part {
        Part::Tool => {
            let answer = messages(value).into_iter().next();
            out.tool.call_id = out.tool.call_id.take().or_else(|| answer.as_ref().and_then(|answer| answer.call_id.clone()));
            let content = value.get("content").map(content_text);
            let text = answer.map(|answer| answer.text).or(content).unwrap_or_else(|| written(value));
            out.tool.result.get_or_insert(text);
        }
        Part::Shield => out.verdict = Some(verdict(value)),
        Part::Retrieval if is_taken_out(value) => out.chunks.push(Chunk { text: written(value), document: None, score: None }),
        Part::Inference if is_taken_out(value) => {
            out.output.push(Message { role: "assistant".into(), text: written(value), ..Message::default() });
        }
        Part::Retrieval => {
            out.chunks.extend(chunks(value));
            out.tool.result = value.get("content").map(content_text);
        }
        Part::Inference | Part::Turn => {
            let found = messages(value);
            if !found.is_empty() {
                out.output.extend(found);
            } else if let (Part::Inference, Some(message)) = (part, old_output(value)) {
                out.output.push(message);
            } else if key == "output.value" && value.items().is_none() && value.as_str().is_some() {
                out.output.push(Message { role: "assistant".into(), text: written(value), ..Message::default() });
            } else if !matches!(value, Value::Null) && value.as_str() != Some("") {
                out.other.push((key.to_owned(), value.clone()));
            }
        }
    }
}

/// Whether a value is what redaction left in place of another one.
fn is_taken_out(value: &Value) -> bool {
    value.as_str().is_some_and(is_marker)
}

/// `content: … tool_calls: …`, the inference output of agents up to 0.1.4, with tool calls printed by Python.
fn old_output(value: &Value) -> Option<Message> {
    let rest = value.as_str()?.strip_prefix("content: ")?;
    let (text, calls) = rest.rsplit_once(" tool_calls: ").unwrap_or((rest, ""));
    let mut message = Message { role: "assistant".into(), text: text.trim_end().to_owned(), ..Message::default() };
    let decoded = crate::recorded::decode(calls).value;
    message.tool_calls = super::read::tool_calls(decoded.items().unwrap_or_default());
    Some(message)
}

/// Arguments of a traced method.
fn arguments(out: &mut Extracted, part: Part, value: &Value) {
    let text = |key: &str| value.get(key).and_then(plain_text);
    match part {
        Part::Inference | Part::Turn => {
            out.input.extend(messages(value));
            if let Some(prompt) = text("content").or_else(|| text("prompt")).filter(|_| out.input.is_empty()) {
                out.input.push(user(prompt));
            }
            for key in ["contents", "input", "input_texts"] {
                out.other.extend(value.get(key).filter(|value| is_set(value)).map(|value| (key.to_owned(), value.clone())));
            }
            out.model = text("model_id").or_else(|| text("model"));
            out.tools.extend(value.get("tools").map(definitions).unwrap_or_default());
            let asked = [
                "messages",
                "content",
                "prompt",
                "contents",
                "input",
                "input_texts",
                "model_id",
                "model",
                "tools",
                "stream",
            ];
            for (key, value) in set_entries(value).into_iter().filter(|(key, _)| !asked.contains(&key.as_str())) {
                out.parameters.push((key, value));
            }
        }
        Part::Tool => {
            out.tool.name = text("tool_name");
            out.tool.arguments = ["kwargs", "args"].into_iter().find_map(|key| value.get(key)).map(written);
        }
        Part::Shield => {
            out.shield_id = text("shield_id");
            out.input.extend(messages(value));
        }
        Part::Retrieval => {
            let kwargs = value.get("kwargs").unwrap_or(value);
            out.query = ["query", "content"].into_iter().find_map(|key| kwargs.get(key)).map(content_text);
            out.tool.name = text("tool_name");
        }
    }
}

/// Request body of a turn.
fn request(out: &mut Extracted, value: &Value) {
    out.input.extend(messages(value));
    if let Some(sampling) = value.get("sampling_params") {
        out.parameters.extend(set_entries(sampling));
    }
    out.tools.extend(value.get("client_tools").map(definitions).unwrap_or_default());
}

fn user(text: String) -> Message {
    Message { role: "user".into(), text, ..Message::default() }
}

/// Whether a field was set. In the repr of arguments, unset fields are empty strings or `None`.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Text(text) => !text.is_empty() && text != "None" && text != "{}" && text != "[]",
        other => !matches!(other.unwrapped(), Value::Null) && !(other.items().is_some_and(<[Value]>::is_empty)),
    }
}

/// The set entries of a map as text. A map named `sampling_params` is flattened.
fn set_entries(value: &Value) -> Vec<(String, String)> {
    let Value::Map(entries) = value.unwrapped() else { return Vec::new() };
    let mut out = Vec::new();
    for (key, value) in entries.iter().filter(|(_, value)| is_set(value)) {
        if key == "sampling_params" {
            out.extend(set_entries(value));
        } else {
            out.push((key.clone(), written(value)));
        }
    }
    out
}

/// A value as text: strings as they are, others as JSON.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| json_text(value), str::to_owned)
}

/// `<async_generator object … at 0x…>`, the recorded output of a streaming method.
fn is_stream(value: &Value) -> bool {
    let written = match value {
        Value::Opaque(text) => text,
        Value::Text(text) => text,
        _ => return false,
    };
    written.starts_with('<') && written.contains("generator")
}

fn definitions(value: &Value) -> Vec<ToolDefinition> {
    value.items().unwrap_or_default().iter().filter_map(definition).collect()
}

/// `{tool_name, description, parameters}` (Llama Stack), `{function: {…}}` (OpenAI) or `{name, …}`.
fn definition(value: &Value) -> Option<ToolDefinition> {
    let inner = value.get("function").unwrap_or(value);
    let name = ["tool_name", "name", "identifier"].into_iter().find_map(|key| inner.get(key).and_then(plain_text))?;
    let parameters = ["parameters", "input_schema"].into_iter().find_map(|key| inner.get(key)).filter(|value| is_set(value)).cloned();
    Some(ToolDefinition { name, description: inner.get("description").and_then(plain_text), parameters })
}

fn verdict(value: &Value) -> Verdict {
    match value.as_str() {
        Some("no shields") => return Verdict::NoShields,
        Some("no violations") => return Verdict::Passed,
        _ if is_taken_out(value) || value.get("violation").is_some_and(is_taken_out) => return Verdict::TakenOut,
        _ => {}
    }
    let found = match value.get("violation") {
        Some(violation) if *violation.unwrapped() == Value::Null || violation.as_str() == Some("None") => return Verdict::Passed,
        Some(violation) => violation,
        None => value,
    };
    let text = |key: &str| found.get(key).and_then(plain_text);
    let (level, message) = (text("violation_level"), text("user_message"));
    if level.is_none() && message.is_none() {
        return Verdict::Unknown;
    }
    Verdict::Violation { level, message, facts: found.get("metadata").map(set_entries).unwrap_or_default() }
}

fn chunks(value: &Value) -> Vec<Chunk> {
    let scores = value.get("scores").and_then(Value::items).unwrap_or_default();
    let found = value.get("chunks").and_then(Value::items).unwrap_or_default();
    let scored = |(at, item): (usize, &Value)| {
        let mut chunk = chunk(item)?;
        chunk.score = chunk.score.or_else(|| scores.get(at).map(written));
        Some(chunk)
    };
    found.iter().enumerate().filter_map(scored).collect()
}

/// `{content, metadata: {document_id}}` (Llama Stack) or `{document.content, document.id, document.score}` (OpenInference).
fn chunk(value: &Value) -> Option<Chunk> {
    let text = value.get("content").map(content_text)?;
    let named = |of: &Value| ["document_id", "id", "source"].into_iter().find_map(|key| of.get(key).and_then(plain_text));
    let document = value.get("metadata").and_then(named).or_else(|| named(value));
    Some(Chunk { text, document, score: value.get("score").map(written) })
}

/// Converts the parts of `gen_ai.system_instructions` to a content.
fn parts_as_content(value: &Value) -> Value {
    let text = |part: &Value| part.get("content").unwrap_or(part).clone();
    Value::List(value.items().unwrap_or_default().iter().map(text).collect())
}
