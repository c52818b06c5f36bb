//! Extracts messages, tool calls and the like from one span, in any dialect.
//!
//! Not here: what an attribute means (`dialect`), relations between spans (`build`). Attributes that are not understood are passed on
//! unchanged.

use super::content::{content_text, plain_text};
use super::conversation::{Chunk, SpanMessages, ToolDefinition, Verdict};
use super::unflatten::list_under;
use super::{Message, messages};
use crate::dialect::{Evidence, Role, Says, list_prefix, says};
use crate::recorded::json_text;
use crate::{SpanKind, Value, is_marker};
use std::borrow::Cow;

/// Role of a span in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A request that contains other parts.
    Turn,
    /// A model call.
    Inference,
    /// A model call that computes embeddings. It says nothing.
    Embedding,
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
    /// Texts that embeddings were computed of.
    pub(super) texts: Vec<String>,
    pub(super) chunks: Vec<Chunk>,
    pub(super) agent: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) turn_id: Option<String>,
    pub(super) other: Vec<(String, Value)>,
}

/// What the attributes of a span state about its role.
pub(super) fn evidence(attributes: &[(String, Value)]) -> Evidence {
    let mut evidence = Evidence::default();
    for (key, value) in attributes {
        if let Some(says) = says(key) {
            evidence.note(says, || plain_text(value).map(Cow::Owned));
        }
    }
    evidence
}

/// The role of a span in a conversation, and whether instrumentation states it rather than its name; `None` if it has no part in it.
pub(super) fn part(span: &SpanMessages) -> Option<(Part, bool)> {
    let evidence = evidence(&span.attributes);
    let of_role = |role: Role| match role {
        Role::Call => Some(Part::Inference),
        Role::Embedding => Some(Part::Embedding),
        Role::Tool => Some(Part::Tool),
        Role::Shield => Some(Part::Shield),
        Role::Retrieval => Some(Part::Retrieval),
        Role::Agent | Role::Step => Some(Part::Turn),
        Role::Database => None,
    };
    if let Some(role) = evidence.stated() {
        return of_role(role).map(|part| (part, true));
    }
    if evidence.is_unknown() {
        return Some((Part::Turn, true));
    }
    let derived = evidence.role().filter(|role| role.is_call()).and_then(of_role);
    Some(match (span.kind, derived) {
        _ if span.is_request => (Part::Turn, false),
        (SpanKind::Inference, Some(part)) => (part, true),
        (SpanKind::Turn | SpanKind::Request, _) => (Part::Turn, false),
        (SpanKind::Inference, None) => (Part::Inference, false),
        (SpanKind::Tool, _) => (Part::Tool, false),
        (SpanKind::Safety, _) => (Part::Shield, false),
        (SpanKind::Retrieval, _) => (Part::Retrieval, false),
        (SpanKind::Routing | SpanKind::Storage | SpanKind::Other, _) => return None,
    })
}

/// Extracts everything from a span with this role.
pub(super) fn extract(span: &SpanMessages, part: Part) -> Extracted {
    extract_from(&span.attributes, part)
}

fn extract_from(attributes: &[(String, Value)], part: Part) -> Extracted {
    let mut out = Extracted::default();
    let mut later = Later::default();
    for (key, value) in attributes {
        match says(key) {
            Some(says) => read(&mut out, &mut later, part, (key, says), value),
            None => out.other.push((key.clone(), value.clone())),
        }
    }
    later.finish(&mut out, part, attributes);
    if let Some(reason) = out.parameters.iter().position(|(key, _)| key == "stop_reason") {
        let (_, reason) = out.parameters.remove(reason);
        if let Some(message) = out.output.last_mut() {
            message.stop_reason.get_or_insert(reason);
        }
    }
    out
}

/// The messages that the attributes of one span hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Messages sent to the model, or by the user.
    pub input: Vec<Message>,
    /// Messages from the model.
    pub output: Vec<Message>,
}

/// What is said in a span with these decoded attributes.
pub fn said(attributes: &[(String, Value)]) -> Said {
    let found = extract_from(attributes, Part::Turn);
    Said { input: found.input, output: found.output }
}

/// What counts only if nothing better is recorded, and what several attributes say together.
#[derive(Default)]
struct Later<'a> {
    raw_input: Vec<(&'a str, &'a Value)>,
    raw_output: Vec<(&'a str, &'a Value)>,
    /// Beginnings of flat keys, each once.
    flat_input: Vec<&'static str>,
    flat_output: Vec<&'static str>,
    flat_tools: Vec<&'static str>,
    flat_documents: Vec<&'static str>,
    flat_texts: Vec<&'static str>,
    answer: Message,
    /// The model among the parameters; its own attribute may name the one that answered.
    asked_for: Option<String>,
    system: Option<String>,
    level: Option<String>,
    told: Option<String>,
    facts: Vec<(String, String)>,
}

impl Later<'_> {
    fn finish(self, out: &mut Extracted, part: Part, attributes: &[(String, Value)]) {
        let flat =
            |prefixes: &[&'static str]| -> Vec<Value> { prefixes.iter().flat_map(|prefix| list_under(attributes, prefix)).collect() };
        if part == Part::Embedding {
            out.texts.extend(flat(&self.flat_input).iter().chain(&flat(&self.flat_texts)).filter_map(embedded));
        } else if out.input.is_empty() {
            out.input = flat(&self.flat_input).iter().flat_map(|item| flat_message(item, "user")).collect();
        }
        let has_words = !out.input.is_empty();
        for (key, value) in self.raw_input {
            if !has_words || !matches!(part, Part::Inference | Part::Turn) {
                input(out, part, key, value);
            }
        }
        if out.output.is_empty() {
            out.output = flat(&self.flat_output).iter().flat_map(|item| flat_message(item, "assistant")).collect();
        }
        if out.output.is_empty() && self.answer != Message::default() {
            out.output.push(Message { role: "assistant".into(), ..self.answer });
        }
        let has_words = !out.output.is_empty();
        out.has_output |= has_words;
        for (key, value) in self.raw_output {
            if !has_words || !matches!(part, Part::Inference | Part::Turn) {
                output(out, part, key, value);
            }
        }
        out.tools.extend(flat(&self.flat_tools).iter().filter_map(|item| {
            let schema = item.get("tool").and_then(|tool| tool.get("json_schema")).unwrap_or(item);
            definition(schema)
        }));
        out.chunks.extend(flat(&self.flat_documents).iter().filter_map(|item| chunk(item.get("document").unwrap_or(item))));
        out.model = self.asked_for.or(out.model.take());
        let is_system = |message: &Message| message.role == "system";
        if let Some(text) = self.system.filter(|_| !out.input.iter().any(is_system)) {
            out.input.insert(0, Message { role: "system".into(), text, ..Message::default() });
        }
        if self.level.is_some() || self.told.is_some() {
            out.verdict = Some(Verdict::Violation { level: self.level, message: self.told, facts: self.facts });
        }
    }
}

/// A message of one attribute each field: OpenInference's, whose fields are in `message`, Traceloop's, or the text of a completion.
fn flat_message(item: &Value, role: &str) -> Vec<Message> {
    let text = ["prompt", "completion"].into_iter().find_map(|key| item.get(key)?.get("text")).and_then(Value::as_str);
    let content = item.get("content").filter(|_| item.get("role").is_none()).map(content_text);
    match text.map(str::to_owned).or(content) {
        Some(text) => vec![Message { role: role.into(), text, ..Message::default() }],
        None => messages(item.get("message").unwrap_or(item)),
    }
}

/// The text that an embedding was computed of.
fn embedded(item: &Value) -> Option<String> {
    let of = item.get("embedding").and_then(|of| of.get("text")).or_else(|| item.get("content"));
    of.map(content_text).filter(|text| !text.is_empty())
}

fn read<'a>(out: &mut Extracted, later: &mut Later<'a>, part: Part, (key, says): (&'a str, Says), value: &'a Value) {
    let text = || plain_text(value);
    let flat = |list: &mut Vec<&'static str>| {
        if let Some(prefix) = list_prefix(key).filter(|prefix| !list.contains(prefix)) {
            list.push(prefix);
        }
    };
    match says {
        Says::Arguments => arguments(out, part, value),
        Says::Body => request(out, value),
        Says::Input | Says::InputMessages => input(out, part, key, value),
        Says::RawInput => later.raw_input.push((key, value)),
        Says::FlatInput => flat(&mut later.flat_input),
        Says::Output | Says::OutputMessages => output(out, part, key, value),
        Says::RawOutput => later.raw_output.push((key, value)),
        Says::FlatOutput => flat(&mut later.flat_output),
        Says::AnswerText => later.answer.text = written(value),
        Says::AnswerCalls => later.answer.tool_calls = super::read::tool_calls(value.items().unwrap_or_default()),
        Says::AnswerReasoning => later.answer.reasoning = text(),
        Says::System => {
            let content = value.items().map_or_else(|| text().unwrap_or_default(), |_| content_text(&parts_as_content(value)));
            later.system = Some(content).filter(|text| !text.is_empty());
        }
        Says::Tools => out.tools.extend(definitions(value)),
        Says::FlatTools => flat(&mut later.flat_tools),
        Says::FlatDocuments => flat(&mut later.flat_documents),
        Says::FlatTexts => flat(&mut later.flat_texts),
        Says::Documents => out.chunks.extend(value.items().unwrap_or_default().iter().filter_map(chunk)),
        Says::Query => out.query = Some(content_text(value)),
        Says::Tool => out.tool.name = text(),
        Says::ToolCallId => out.tool.call_id = text(),
        Says::ToolArguments => out.tool.arguments = Some(written(value)),
        Says::ToolResult => out.tool.result = Some(tool_text(value)),
        Says::Session => out.session_id = out.session_id.take().or_else(text),
        Says::Turn => out.turn_id = text(),
        Says::AgentName => out.agent = text(),
        Says::Model => out.model = text().map(|model| model.trim_matches('"').to_owned()),
        Says::Shield => out.shield_id = text(),
        Says::ViolationLevel => later.level = text(),
        Says::ViolationMessage => later.told = text(),
        Says::ViolationFacts => later.facts = set_entries(value),
        Says::StopReason => {
            let first = value.items().and_then(|items| items.first()).and_then(plain_text).or_else(text);
            out.parameters.extend(first.map(|reason| ("stop_reason".to_owned(), reason)));
        }
        Says::Parameter => {
            let name = list_prefix(key).and_then(|prefix| key.get(prefix.len() + 1..)).unwrap_or(key);
            out.parameters.push((name.to_owned(), written(value)));
        }
        Says::Parameters => {
            later.asked_for = value.get("model").and_then(plain_text);
            out.parameters.extend(set_entries(value));
        }
        Says::Request
        | Says::Autotraced
        | Says::Role(_)
        | Says::ResponseModel
        | Says::Provider
        | Says::Tokens(_)
        | Says::Part(_)
        | Says::FirstPartSeconds
        | Says::FirstPartMillis
        | Says::Embeds
        | Says::Database
        | Says::Address
        | Says::AgentId
        | Says::Aside => {}
    }
}

/// A tool's answer as text. LangChain wraps it into one of its messages.
fn tool_text(value: &Value) -> String {
    let inner = value.get("output").filter(|output| output.get("kwargs").is_some() || output.get("data").is_some()).unwrap_or(value);
    messages(inner).into_iter().next().map(|answer| answer.text).unwrap_or_else(|| written(value))
}

/// Input of a span: that of an agent's step, or its equivalent in other dialects.
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
        Part::Embedding if found.is_empty() => out.texts.push(written(value)),
        Part::Embedding => out.texts.extend(found.into_iter().map(|message| message.text)),
        _ if !found.is_empty() => out.input.extend(found),
        Part::Inference | Part::Turn if is_prompt(value) => {
            out.input
                .push(user(["prompt", "content"].into_iter().find_map(|key| value.get(key)).map_or_else(|| written(value), content_text)));
        }
        _ => out.other.push((key.to_owned(), value.clone())),
    }
}

/// Whether a value is the user's words: a text, or an object that holds nothing but a prompt.
fn is_prompt(value: &Value) -> bool {
    (value.items().is_none() && value.as_str().is_some()) || value.get("prompt").is_some_and(|prompt| prompt.as_str().is_some())
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
        // Vectors are not read.
        Part::Embedding => {}
        Part::Retrieval if is_taken_out(value) => out.chunks.push(Chunk { text: written(value), document: None, score: None }),
        Part::Inference if is_taken_out(value) => {
            out.output.push(Message { role: "assistant".into(), text: written(value), ..Message::default() });
        }
        Part::Retrieval => {
            if out.chunks.is_empty() {
                out.chunks.extend(chunks(value));
            }
            out.tool.result = value.get("content").map(content_text);
        }
        Part::Inference | Part::Turn => {
            let found = messages(value);
            if !found.is_empty() {
                out.output.extend(found);
            } else if let (Part::Inference, Some(message)) = (part, old_output(value)) {
                out.output.push(message);
            } else if key != "output" && value.items().is_none() && value.as_str().is_some() {
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
        Part::Inference | Part::Embedding | Part::Turn => {
            out.input.extend(messages(value));
            if let Some(prompt) = text("content").or_else(|| text("prompt")).filter(|_| out.input.is_empty()) {
                out.input.push(user(prompt));
            }
            let is_read = !out.input.is_empty() && value.get("messages").is_none();
            for key in ["contents", "input", "input_texts"].into_iter().filter(|_| !is_read) {
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
    let found = ["chunks", "documents"].into_iter().find_map(|key| value.get(key)).and_then(Value::items).unwrap_or_default();
    let scored = |(at, item): (usize, &Value)| {
        let mut chunk = chunk(item)?;
        chunk.score = chunk.score.or_else(|| scores.get(at).map(written));
        Some(chunk)
    };
    found.iter().enumerate().filter_map(scored).collect()
}

/// `{content, metadata: {document_id}}` (Llama Stack) or `{document.content, document.id, document.score}` (OpenInference).
fn chunk(value: &Value) -> Option<Chunk> {
    let text = ["content", "page_content", "text"].into_iter().find_map(|key| value.get(key)).map(content_text)?;
    let named = |of: &Value| ["document_id", "id", "source"].into_iter().find_map(|key| of.get(key).and_then(plain_text));
    let document = value.get("metadata").and_then(named).or_else(|| named(value));
    Some(Chunk { text, document, score: value.get("score").map(written) })
}

/// Converts the parts of `gen_ai.system_instructions` to a content.
fn parts_as_content(value: &Value) -> Value {
    let text = |part: &Value| part.get("content").unwrap_or(part).clone();
    Value::List(value.items().unwrap_or_default().iter().map(text).collect())
}
