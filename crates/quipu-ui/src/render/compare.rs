//! The difference between a span's input and that of the previous span of the same name.

use super::nothing;
use crate::view::{Change, Comparison};
use quipu_model::format::{counted, duration_text};
use quipu_protocol::markup::span_link;
use quipu_protocol::markup::{El, Node, Tag, el};

/// Number of equal lines shown around changes; others are collapsed.
const AROUND: usize = 3;

/// The inputs of two spans.
pub struct Compared<'a> {
    /// Name of both spans.
    pub name: &'a str,
    /// Id of the earlier span.
    pub before: &'a str,
    /// The trace of the earlier span, if it is another trace of the session, so that a link within this trace would lead nowhere.
    pub elsewhere: Option<&'a str>,
    /// Time between the starts in nanoseconds.
    pub nanos: Option<u64>,
    /// Attribute key.
    pub key: &'a str,
    /// The compared lines.
    pub comparison: &'a Comparison,
}

/// The diff, with equal lines collapsed.
pub fn compare_sheet(compared: &Compared<'_>) -> Vec<Node> {
    let comparison = compared.comparison;
    let (gone, new) = (comparison.count(Change::Gone), comparison.count(Change::New));
    let which = match compared.elsewhere {
        None => el(Tag::P).text("Compared with ").with(span_link(compared.before, compared.name)),
        Some(trace_id) => el(Tag::P).text(format!("Compared with {} in the session’s earlier trace {trace_id}", compared.name)),
    };
    let which = which.text(format!(", {} earlier; attribute {}.", duration_text(compared.nanos), compared.key));
    let words = match (gone, new) {
        (0, 0) => "The inputs are equal.".to_owned(),
        _ => format!(
            "{} and {}.",
            counted(Some(new as u64), "line added", "lines added"),
            counted(Some(gone as u64), "line removed", "lines removed")
        ),
    };
    let cut = comparison.cut.then(|| el(Tag::P).class("soft").text("The inputs are longer than this: only their beginnings are compared."));
    let count = comparison.runs.len();
    let runs = comparison.runs.iter().enumerate().flat_map(|(place, (change, lines))| match change {
        Change::Same => equal(lines, place > 0, place + 1 < count),
        Change::Gone => vec![run("gone", "Gone", lines)],
        Change::New => vec![run("new", "New", lines)],
    });
    let both = el(Tag::Div).class("compared mono").all(runs);
    let head = el(Tag::Div).class("compared-head").with(which).with(el(Tag::P).text(words)).all(cut);
    vec![head.into(), both.into()]
}

/// The message if there is nothing to compare with.
pub fn nothing_to_compare(sentence: &str) -> Vec<Node> {
    vec![nothing(&[sentence]).into()]
}

/// Equal lines. Those next to a change stay visible.
fn equal(lines: &[String], after: bool, before: bool) -> Vec<Node> {
    let first = if after { AROUND.min(lines.len()) } else { 0 };
    let last = if before { AROUND.min(lines.len() - first) } else { 0 };
    let (head, rest) = lines.split_at(first);
    let (middle, tail) = rest.split_at(rest.len() - last);
    let mut nodes = Vec::new();
    if !head.is_empty() {
        nodes.push(run("same", "", head));
    }
    match middle.len() {
        0 => {}
        1 | 2 => nodes.push(run("same", "", middle)),
        count => nodes.push(Node::Details {
            class: "equal-lines".to_owned(),
            summary: vec![Node::Text(counted(Some(count as u64), "equal line", "equal lines"))],
            inside: vec![run("same", "", middle)],
        }),
    }
    if !tail.is_empty() {
        nodes.push(run("same", "", tail));
    }
    nodes
}

fn run(class: &str, label: &str, lines: &[String]) -> Node {
    let text: El = el(Tag::Div).class(class).with(Node::Long(lines.join("\n")));
    // The style sheet adds a sign to each line; screen readers read the label once.
    if label.is_empty() {
        text.into()
    } else {
        text.attr(quipu_protocol::markup::Attr::Role, "group").attr(quipu_protocol::markup::Attr::Label, label).into()
    }
}
