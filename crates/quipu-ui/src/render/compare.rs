//! What a span was given beside what the one of its name before it was given.

use super::nothing;
use crate::view::{Change, Comparison};
use quipu_model::format::{counted, duration_text};
use quipu_protocol::markup::span_link;
use quipu_protocol::markup::{El, Node, Tag, el};

/// Equal lines shown around what changed; the others are folded.
const AROUND: usize = 3;

/// Two spans' inputs.
pub struct Compared<'a> {
    /// The name both have.
    pub name: &'a str,
    /// The earlier span.
    pub before: &'a str,
    /// The earlier one is in another trace of the session: a link within this trace would lead nowhere.
    pub elsewhere: Option<&'a str>,
    /// How much earlier it started, in nanoseconds.
    pub nanos: Option<u64>,
    /// The attribute.
    pub key: &'a str,
    /// Line by line.
    pub comparison: &'a Comparison,
}

/// The lines of both, what is equal folded.
pub fn compare_sheet(compared: &Compared<'_>) -> Vec<Node> {
    let comparison = compared.comparison;
    let (gone, new) = (comparison.count(Change::Gone), comparison.count(Change::New));
    let which = match compared.elsewhere {
        None => el(Tag::P).text("Beside ").with(span_link(compared.before, compared.name)),
        Some(trace_id) => el(Tag::P).text(format!("Beside {} of the session’s earlier trace {trace_id}", compared.name)),
    };
    let which = which.text(format!(", {} earlier; the attribute {}.", duration_text(compared.nanos), compared.key));
    let words = match (gone, new) {
        (0, 0) => "Both are equal.".to_owned(),
        _ => format!(
            "{} and {}.",
            counted(Some(new as u64), "line is new", "lines are new"),
            counted(Some(gone as u64), "line is gone", "lines are gone")
        ),
    };
    let cut = comparison.cut.then(|| el(Tag::P).class("soft").text("They are longer: only their beginnings are compared."));
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

/// The sentence where there is nothing to compare with.
pub fn nothing_to_compare(sentence: &str) -> Vec<Node> {
    vec![nothing(&[sentence]).into()]
}

/// Lines that are the same in both; those next to a change are seen.
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
    // The sign before every line is drawn by the style sheet; a screen reader hears the word once.
    if label.is_empty() {
        text.into()
    } else {
        text.attr(quipu_protocol::markup::Attr::Role, "group").attr(quipu_protocol::markup::Attr::Label, label).into()
    }
}
