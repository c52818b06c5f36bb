//! Sheets: read-only views as trees of elements that the page renders as they are.
//!
//! Content and structure are decided here, where they can be tested without a browser; the page stays small. Tags and attributes are closed
//! enums and all text becomes text nodes, so nothing in a file can become markup. [`Attr::Set`] describes the effect of a button as URL
//! parameters.

mod compare;
mod conversation;
mod entry;
mod flame;
mod logs;
mod markdown;
mod metrics;
mod statistics;

pub use compare::{Compared, compare_sheet, nothing_to_compare};
pub use conversation::conversation_sheet;
pub use flame::flame_sheet;
pub use flame::{FlameShown, FlameSource};
pub use logs::{LOGS_PAGE, logs_sheet};
pub use metrics::{answer_sheet, overview_page};
pub use statistics::statistics_sheet;

use quipu_model::format::{count, counted};
use quipu_protocol::markup::{Attr, El, Node, Tag, button, el};

/// Renders steps `(id, parent, text)` as nested lists: the children of `parent` and their descendants.
pub fn list_sheet(steps: &[(i64, i64, String)], parent: i64) -> Node {
    let below = |(number, (id, of, text)): (usize, &(i64, i64, String))| {
        let item = (*of == parent).then(|| el(Tag::Li).with(el(Tag::Span).text(text.as_str())))?;
        // Steps come after their parents, so cycles are not followed.
        let rest = steps.get(number + 1..).filter(|rest| rest.iter().any(|(_, of, _)| of == id));
        Some(match rest {
            Some(rest) => item.with(list_sheet(rest, *id)),
            None => item,
        })
    };
    el(Tag::Ul).all(steps.iter().enumerate().filter_map(below)).into()
}

/// A message shown instead of content.
fn nothing(sentences: &[&str]) -> El {
    el(Tag::Div).class("state").all(sentences.iter().map(|sentence| el(Tag::P).text(*sentence)))
}

/// The range of rows on a page of `size` rows.
fn page_of(page: u32, size: usize, len: usize) -> std::ops::Range<usize> {
    let last = len.saturating_sub(1) / size.max(1);
    let start = (page as usize).min(last) * size;
    start..len.min(start + size)
}

/// The visible range and links to other pages; `None` if all rows are visible.
fn pages(range: std::ops::Range<usize>, size: usize, len: usize, singular: &str, plural: &str) -> Option<El> {
    if range.len() >= len {
        return None;
    }
    let at = range.start / size.max(1);
    let last = len.saturating_sub(1) / size.max(1);
    let to = |label: &str, page: usize, is_here: bool| {
        let way = button(label, format!("page={}", page + 1));
        if is_here { way } else { way.attr(Attr::Disabled, "") }
    };
    let words = format!("{}–{} of {}", count(range.start as u64 + 1), count(range.end as u64), counted(Some(len as u64), singular, plural));
    let ways = el(Tag::Nav)
        .class("pages")
        .attr(Attr::Label, "Pages")
        .with(to("First", 0, at > 0).attr(Attr::Id, "page-first"))
        .with(to("Previous", at.saturating_sub(1), at > 0).attr(Attr::Id, "page-previous"))
        .with(el(Tag::Span).class("number").attr(Attr::Role, "status").text(words))
        .with(to("Next", at + 1, at < last).attr(Attr::Id, "page-next"))
        .with(to("Last", last, at < last).attr(Attr::Id, "page-last"));
    Some(ways)
}

/// The visible text of the nodes, one line per block. For tests.
pub fn sheet_text(nodes: &[Node]) -> String {
    let mut out = String::new();
    nodes.iter().for_each(|node| write_text(node, &mut out));
    let lines: Vec<&str> = out.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn write_text(node: &Node, out: &mut String) {
    match node {
        Node::Text(text) | Node::Long(text) | Node::Folded(text) => *out += text,
        Node::Time { at, .. } => *out += &at.map_or_else(|| quipu_model::format::DASH.to_owned(), |at| at.civil(0)),
        Node::Tree(value) => *out += &crate::view::value_preview(value, 200),
        Node::Icon(_) => *out += "! ",
        Node::Details { summary, inside, .. } => {
            *out += "\n▸ ";
            summary.iter().chain(inside).for_each(|node| write_text(node, out));
            *out += "\n";
        }
        Node::RawToggle { drawn, .. } => write_text(drawn, out),
        Node::El(el) => {
            let (before, after) = match el.tag {
                Tag::Button => ("[", "] "),
                Tag::Td | Tag::Th | Tag::Dt | Tag::Dd | Tag::Span | Tag::Label | Tag::Option => ("", " "),
                Tag::Strong | Tag::Em | Tag::S | Tag::Code | Tag::A | Tag::I => ("", ""),
                _ => ("\n", "\n"),
            };
            *out += before;
            el.inside.iter().for_each(|node| write_text(node, out));
            *out += after;
        }
    }
}
