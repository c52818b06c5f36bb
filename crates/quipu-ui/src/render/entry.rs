//! Renders one entry of a conversation.

use super::markdown::drawn;
use quipu_model::format::{bytes, cost_text, count, counted, duration_text, role_class};
use quipu_model::llm::{Body, Chunk, Entry, Message, Shield, ToolCall, ToolDefinition, ToolResult, Verdict};
use quipu_model::recorded::decode;
use quipu_model::{Encoding, Spent};
use quipu_protocol::markup::{Attr, El, Icon, Node, Tag, el};
use quipu_protocol::markup::{soft, span_link};

/// Longer texts are cut; the span panel has all of it.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// Whether an entry reports a failure.
pub(super) fn tells_failure(entry: &Entry) -> bool {
    match &entry.body {
        Body::Failed(text) => !text.is_empty(),
        Body::Ran { result, .. } => result.failure.is_some(),
        Body::Message { results, .. } => results.iter().flatten().any(|result| result.failure.is_some()),
        _ => false,
    }
}

/// Renders an entry.
pub(super) fn entry(entry: &Entry) -> El {
    let about = |title: String| head(title, entry);
    match &entry.body {
        Body::Earlier(messages) => earlier(messages, entry),
        Body::Asked { model, parameters, tools } => asked(model.as_deref(), parameters, tools, entry),
        Body::Message { message, results } => {
            let calls = message.tool_calls.iter().zip(results).map(|(call, result)| tool_call(call, Some(result.as_ref())));
            article(&message.role).with(about(title(message))).all(words(message, &entry.span_id)).all(calls)
        }
        Body::Ran { tool_name, arguments, result } => {
            let call = ToolCall { call_id: None, tool_name: tool_name.clone(), arguments: arguments.clone().unwrap_or_default() };
            article("tool").with(about("tool".into())).with(tool_call(&call, Some(Some(result))))
        }
        Body::Checked(shield) => checked(entry, shield),
        Body::Retrieved { query, chunks } => {
            let title = format!("retrieved {}", counted(Some(chunks.len() as u64), "chunk", "chunks"));
            let query = query.iter().map(|query| el(Tag::P).text(format!("“{query}”")));
            el(Tag::Article).class("message role-retrieval").with(about(title)).all(query).all(chunk_list(chunks))
        }
        Body::Embedded(texts) => {
            let title = format!("embedded {}", counted(Some(texts.len() as u64), "text", "texts"));
            let texts = texts.iter().map(|text| Node::Long(text.clone()));
            el(Tag::Article).class("message role-retrieval").with(about(title)).all(texts)
        }
        Body::Missing(text) => el(Tag::Article)
            .class("message role-missing")
            .with(about("assistant".into()))
            .with(el(Tag::P).class("soft").text(text.as_str())),
        Body::Failed(text) => {
            let text = if text.is_empty() { "Failed without a recorded message." } else { text.as_str() };
            let inside = el(Tag::Div).with(about("failed".into())).with(Node::Folded(text.to_owned()));
            el(Tag::Article).class("message entry-failed").with(Node::Icon(Icon::Failed)).with(inside)
        }
        Body::Other { key, value } => {
            let inside = vec![Node::Tree(value.clone()), link(&entry.span_id)];
            fold("entry-other", vec![Node::Text(format!("Other: {key}"))], inside)
        }
    }
}

/// Renders an error message.
pub(super) fn failure(text: &str) -> El {
    let text = if text.is_empty() { "Failed without a recorded message." } else { text };
    el(Tag::Div).class("entry-failed").with(Node::Icon(Icon::Failed)).with(el(Tag::Div).with(Node::Folded(text.to_owned())))
}

fn article(role: &str) -> El {
    el(Tag::Article).class(&format!("message role-{}", role_class(role)))
}

fn fold(class: &str, summary: Vec<Node>, inside: Vec<Node>) -> El {
    el(Tag::Div).class(class).with(Node::Details { class: String::new(), summary, inside })
}

fn link(span_id: &str) -> Node {
    span_link(span_id, "span").into()
}

fn head(title: String, entry: &Entry) -> El {
    let mut head = el(Tag::P).class("entry-head").with(el(Tag::Span).class("message-role").text(title));
    if let Some(words) = entry.spent.as_ref().and_then(spent_words) {
        head = head.with(soft(words).attr(Attr::Title, "Tokens of the inference this is the answer of"));
    }
    head.with(link(&entry.span_id))
}

fn spent_words(Spent { tokens, cost }: &Spent) -> Option<String> {
    let parts: Vec<String> = [("prompt", tokens.prompt), ("completion", tokens.completion), ("total", tokens.total)]
        .into_iter()
        .filter_map(|(name, found)| Some(format!("{} {name}", count(found?.tokens))))
        .collect();
    let cost = if cost.is_some() { format!(" · {}", cost_text(*cost)) } else { String::new() };
    (!parts.is_empty()).then(|| format!("{} tokens{cost}", parts.join(", ")))
}

fn title(message: &Message) -> String {
    let mut title = message.role.clone();
    if let Some(tool) = &message.tool_name {
        title = format!("{title} {tool}");
    }
    if let Some(reason) = &message.stop_reason {
        title = format!("{title} · stopped: {reason}");
    }
    title
}

/// Collapsed earlier messages that were sent to the model again.
fn earlier(messages: &[Message], entry: &Entry) -> El {
    let label = counted(Some(messages.len() as u64), "earlier message", "earlier messages");
    let one = |message: &Message| {
        let calls = message.tool_calls.iter().map(|call| tool_call(call, None));
        Node::from(
            article(&message.role)
                .with(el(Tag::P).class("message-role").text(title(message)))
                .all(words(message, &entry.span_id))
                .all(calls),
        )
    };
    fold("entry-earlier", vec![Node::Text(label)], messages.iter().map(one).chain([link(&entry.span_id)]).collect())
}

fn asked(model: Option<&str>, parameters: &[(String, String)], tools: &[ToolDefinition], entry: &Entry) -> El {
    let mut summary = vec![Node::Text("Asked ".into()), el(Tag::Strong).text(model.unwrap_or("a model")).into()];
    if !tools.is_empty() {
        summary.push(Node::Text(format!(" with {}", counted(Some(tools.len() as u64), "tool", "tools"))));
    }
    let short: Vec<String> =
        parameters.iter().filter(|(_, value)| value.len() <= 12).take(4).map(|(key, value)| format!("{key} {value}")).collect();
    if !short.is_empty() {
        summary.push(soft(format!(" · {}", short.join(" · "))).into());
    }
    let mut facts = el(Tag::Dl).class("facts-table");
    for (key, value) in parameters {
        facts = facts.with(el(Tag::Dt).text(key.as_str())).with(el(Tag::Dd).with(text_or_tree(value, &entry.span_id)));
    }
    let mut inside: Vec<Node> = if parameters.is_empty() { vec![soft("No parameters were recorded.").into()] } else { vec![facts.into()] };
    for tool in tools {
        let summary = vec![
            el(Tag::Strong).text(tool.name.as_str()).into(),
            soft(format!(" {}", tool.description.as_deref().unwrap_or_default())).into(),
        ];
        let parameters = tool.parameters.clone().map_or_else(|| soft("No parameters.").into(), Node::Tree);
        inside.push(Node::Details { class: String::new(), summary, inside: vec![parameters] });
    }
    inside.push(link(&entry.span_id));
    fold("entry-asked", summary, inside)
}

/// The text of a message: as Markdown, as a tree if it is data, or as recorded.
fn words(message: &Message, span_id: &str) -> Vec<Node> {
    let thought = |text: &String| fold("entry-other", vec![Node::Text("Reasoning".into())], vec![text_or_tree(text, span_id)]).into();
    let mut nodes: Vec<Node> = message.reasoning.iter().map(thought).collect();
    if message.text.is_empty() {
        let is_empty = message.tool_calls.is_empty() && message.images.is_empty() && message.reasoning.is_none();
        nodes.extend(is_empty.then(|| soft("(no text)").into()));
        nodes.extend(images(message));
        return nodes;
    }
    let is_prose = matches!(message.role.as_str(), "assistant" | "user" | "system");
    let text = match text_or_tree(&message.text, span_id) {
        Node::Long(text) if is_prose => match drawn(&text) {
            Some(drawn) => Node::RawToggle { drawn: Box::new(drawn.into()), raw: text },
            None => Node::Long(text),
        },
        other => other,
    };
    nodes.push(text);
    nodes.extend(images(message));
    if let Some(context) = &message.context {
        let inside = vec![text_or_tree(context, span_id)];
        nodes.push(fold("entry-other", vec![Node::Text("Context that retrieval added".into())], inside).into());
    }
    nodes
}

fn images(message: &Message) -> impl Iterator<Item = Node> {
    message
        .images
        .iter()
        .map(|image| el(Tag::Img).class("message-image").attr(Attr::Src, image.as_str()).attr(Attr::Alt, "An image in the message").into())
}

/// A tool call. `result` is `None` if not shown, `Some(None)` if none was recorded.
fn tool_call(call: &ToolCall, result: Option<Option<&ToolResult>>) -> El {
    let name = if call.tool_name.is_empty() { "a call that could not be read" } else { call.tool_name.as_str() };
    let mut line = el(Tag::P).with(soft("calls ")).with(el(Tag::Strong).text(name));
    if let Some(id) = &call.call_id {
        line = line.with(el(Tag::Span).class("soft mono").text(format!(" {id}")));
    }
    let mut shown = el(Tag::Div).class("tool-call").with(line);
    if !call.arguments.is_empty() {
        shown = shown.with(text_or_tree(&call.arguments, ""));
    }
    match result {
        None => shown,
        Some(None) => shown.with(el(Tag::P).class("soft").text("No result was recorded in this trace.")),
        Some(Some(result)) => shown.with(tool_result(result)),
    }
}

fn tool_result(result: &ToolResult) -> El {
    let mut head = el(Tag::P).class("entry-head").with(el(Tag::Span).class("message-role").text("result"));
    if result.duration_nanos.is_some() {
        head = head.with(el(Tag::Span).class("soft number").text(duration_text(result.duration_nanos)));
    }
    let nothing = (result.failure.is_none() && result.text.is_none() && result.chunks.is_empty())
        .then(|| el(Tag::P).class("soft").text("It ran; the result was not recorded."));
    el(Tag::Div)
        .class("tool-result")
        .with(head.with(link(&result.span_id)))
        .all(result.failure.iter().map(|text| failure(text)))
        .all(
            result
                .text
                .iter()
                .filter(|text| result.failure.as_ref() != Some(text))
                .map(|text| if text.is_empty() { soft("empty text").into() } else { text_or_tree(text, &result.span_id) }),
        )
        .all(nothing)
        .all(chunk_list(&result.chunks))
}

/// A list or map as a tree with a switch to the recorded text; other texts as they are.
fn text_or_tree(text: &str, span_id: &str) -> Node {
    if text.len() > MAX_TEXT_BYTES {
        let mut end = MAX_TEXT_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let note = format!("First part of {}; the span panel shows all of it. ", bytes(text.len() as u64));
        let note = el(Tag::P).class("soft").text(note);
        let note = if span_id.is_empty() { note } else { note.with(link(span_id)) };
        return el(Tag::Div).with(Node::Long(text.get(..end).unwrap_or_default().to_owned())).with(note).into();
    }
    let decoded = decode(text);
    if decoded.encoding == Encoding::Text || crate::view::child_count(&decoded.value) == 0 {
        return Node::Long(text.to_owned());
    }
    Node::RawToggle { drawn: Box::new(Node::Tree(decoded.value)), raw: text.to_owned() }
}

fn chunk_list(chunks: &[Chunk]) -> Option<El> {
    let item = |chunk: &Chunk| {
        let about: Vec<String> =
            [chunk.document.clone(), chunk.score.as_ref().map(|score| format!("score {score}"))].into_iter().flatten().collect();
        el(Tag::Li).with(soft(about.join(" · "))).with(Node::Long(chunk.text.clone()))
    };
    let label = counted(Some(chunks.len() as u64), "chunk", "chunks");
    let list = el(Tag::Ol).class("chunks").all(chunks.iter().map(item));
    (!chunks.is_empty()).then(|| fold("entry-other", vec![Node::Text(label)], vec![list.into()]))
}

fn checked(entry: &Entry, shield: &Shield) -> El {
    let who = if shield.shield_ids.is_empty() { "Shields".to_owned() } else { shield.shield_ids.join(", ") };
    let text = match &shield.verdict {
        Verdict::Violation { level, message, facts } => {
            let about = [level.clone().unwrap_or_default()].into_iter().chain(facts.iter().map(|(key, value)| format!("{key}: {value}")));
            let about: Vec<String> = about.filter(|fact| !fact.is_empty()).collect();
            let head = el(Tag::P)
                .class("entry-head")
                .with(Node::Icon(Icon::Odd))
                .with(el(Tag::Span).class("message-role").text(format!("{who} found a violation")))
                .with(soft(about.join(", ")))
                .with(link(&entry.span_id));
            let said = message.iter().map(|message| el(Tag::P).text(message.as_str()));
            return el(Tag::Article).class("message role-safety entry-violation").with(head).all(said);
        }
        Verdict::Passed => "passed",
        Verdict::NoShields => "were not set",
        Verdict::TakenOut => "ran; the result was taken out",
        Verdict::Unknown => "ran; the result was not recorded",
    };
    el(Tag::P)
        .class("entry-checked")
        .with(el(Tag::I).class("kind-mark kind-safety"))
        .text(format!("{who} {text}"))
        .with(link(&entry.span_id))
}
