//! The conversation of a trace or of its agent session as a chat.
//!
//! `llm` extracts the messages, `entry` renders one of them.

use super::entry::{entry, failure, tells_failure};
use super::{nothing, page_of, pages};
use quipu_model::Timestamp;
use quipu_model::format::{counted, duration_text};
use quipu_model::llm::{ConversationPage, Turn};
use quipu_protocol::SheetView;
use quipu_protocol::markup::{Attr, El, Icon, Node, Tag, el};
use quipu_protocol::markup::{choices, soft, span_link};

/// Entries per page.
const PAGE: usize = 60;

/// Renders the chat. `zero` is the origin of relative times.
pub fn conversation_sheet(page: &ConversationPage, zero: Option<Timestamp>, view: &SheetView) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    let turns = &page.conversation.turns;
    if !turns.is_empty() || page.session_traces > 1 {
        nodes.push(tools(page, view).into());
    }
    nodes.extend(page.notes.iter().map(|note| el(Tag::P).class("soft").attr(Attr::Role, "note").text(note.as_str()).into()));
    if turns.is_empty() {
        let sentences = [
            "This trace has no recorded messages, tool calls, shields or retrieved chunks.",
            "The timeline shows all of its spans.",
        ];
        nodes.push(nothing(&sentences).into());
        return nodes;
    }
    // A turn of which only the failure is known counts as one entry.
    let len = turns.iter().map(|turn| turn.entries.len().max(1)).sum();
    let range = page_of(view.page, PAGE, len);
    let mut first = 0;
    for turn in turns {
        let (start, end) = (first, first + turn.entries.len().max(1));
        first = end;
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            nodes.push(turn_section(turn, from - start, to - start, zero).into());
        }
    }
    nodes.extend(pages(range, PAGE, len, "entry", "entries").map(Node::from));
    nodes
}

fn tools(page: &ConversationPage, view: &SheetView) -> El {
    let mut tools = el(Tag::Div).class("sheet-tools");
    if page.session_traces > 1 {
        let ways = [
            ("This trace", "Only what this trace recorded", "told=&page="),
            ("Whole session", "All traces of the agent session in order", "told=session&page="),
        ];
        let traces = counted(Some(page.session_traces.into()), "trace", "traces");
        tools = tools
            .with(choices("Conversation of", &ways, if view.whole_session { "Whole session" } else { "This trace" }))
            .with(soft(format!("The agent session has {traces}.")));
    }
    let title = "One line per turn: question, answer, tool calls and all messages";
    tools.with(el(Tag::Button).attr(Attr::Do, "export").text("Export as JSON lines").attr(Attr::Title, title))
}

/// A range of a turn's entries, under the turn's heading.
fn turn_section(turn: &Turn, from: usize, to: usize, zero: Option<Timestamp>) -> El {
    let kind = turn.kind.label();
    let failed = turn.failure.is_some();
    let mut head = el(Tag::Header)
        .class(if failed { "turn-head failed" } else { "turn-head" })
        .with(el(Tag::I).class(&format!("kind-mark kind-{kind}")).attr(Attr::Title, kind));
    if failed {
        head = head.with(Node::Icon(Icon::Failed));
    }
    head = head.with(span_link(&turn.span_id, turn.name.as_str()));
    if let Some(agent) = turn.agent.as_ref().filter(|agent| **agent != turn.name) {
        head = head.with(el(Tag::Span).class("turn-agent").text(agent.as_str()));
    }
    head = head
        .with(el(Tag::Span).class("soft number").with(Node::Time { at: turn.start, zero }))
        .with(el(Tag::Span).class("soft number").text(duration_text(turn.duration_nanos)));
    if from > 0 {
        head = head.with(soft("continued"));
    }
    let mut section = el(Tag::Section).class("turn").attr(Attr::Label, turn.name.as_str()).with(head);
    if let Some(note) = turn.note.as_ref().filter(|_| from == 0) {
        section = section.with(el(Tag::P).class("soft").attr(Attr::Role, "note").text(note.as_str()));
    }
    // A failed step below reports the same error closer to its cause.
    if let Some(text) = turn.failure.as_ref().filter(|_| from == 0 && !turn.entries.iter().any(tells_failure)) {
        section = section.with(failure(text));
    }
    section.all(turn.entries.get(from..to.min(turn.entries.len())).unwrap_or_default().iter().map(entry))
}
