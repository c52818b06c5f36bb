//! Sheets: the views that are read rather than moved about in, as trees of elements the page draws as they are.
//!
//! What they say and how it is arranged is decided here, where it can be tested without a browser; the page knows nothing of statistics or
//! conversations, and stays small. Tags and attributes are closed lists and every text is a text, so that nothing in a file can become
//! markup. What is not here: reading (`session`), colours, and what happens when something is pressed, beyond its name: [`Attr::Set`] names
//! the change of the view in the words of the URL.

#[cfg(feature = "store")]
mod compare;
mod conversation;
mod entry;
mod flame;
mod logs;
mod markdown;
mod metrics;
mod names;
mod statistics;

#[cfg(feature = "store")]
pub use compare::{Compared, compare_sheet, nothing_to_compare};
pub use conversation::conversation_sheet;
pub use flame::flame_sheet;
pub use flame::{FlameShown, FlameSource};
pub use logs::{LOGS_PAGE, logs_sheet};
pub use metrics::{answer_sheet, overview_page};
pub use names::{Attr, Sign, Tag};
pub use statistics::statistics_sheet;

use crate::model::{Timestamp, Value};
use crate::view::{count, counted};
use serde::{Deserialize, Serialize};

/// One thing on a sheet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Node {
    /// An element.
    El(El),
    /// A text.
    Text(String),
    /// An instant, by the clock the reader chose, cut to milliseconds.
    Time {
        /// The instant; `None` where it can't be read.
        at: Option<Timestamp>,
        /// What relative times count from.
        zero: Option<Timestamp>,
    },
    /// A text of any length: its head, the rest in steps.
    Long(String),
    /// A text of many lines, folded to the first and the last.
    Folded(String),
    /// A decoded value, to unfold.
    Tree(Value),
    /// A sign.
    Sign(Sign),
    /// Something that is built when it is opened.
    Fold {
        /// Classes.
        class: String,
        /// What is always seen.
        summary: Vec<Node>,
        /// What is seen when it is open.
        inside: Vec<Node>,
    },
    /// Something that can be seen as it was recorded instead.
    Twin {
        /// How it is drawn.
        drawn: Box<Node>,
        /// The recorded text.
        raw: String,
    },
}

/// An element with its attributes and what it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct El {
    /// What it is.
    pub tag: Tag,
    /// In any order, each once.
    pub attrs: Vec<(Attr, String)>,
    /// In order.
    pub inside: Vec<Node>,
}

/// An empty element.
#[inline(never)]
fn el(tag: Tag) -> El {
    El { tag, attrs: Vec::new(), inside: Vec::new() }
}

impl El {
    // Sheets are long chains of these: inlined, they would be half of the sheets' code.
    fn attr(self, attr: Attr, value: impl Into<String>) -> El {
        self.put_attr(attr, value.into())
    }

    #[inline(never)]
    fn put_attr(mut self, attr: Attr, value: String) -> El {
        self.attrs.push((attr, value));
        self
    }

    #[inline(never)]
    fn put(mut self, node: Node) -> El {
        self.inside.push(node);
        self
    }

    #[inline(never)]
    fn class(self, classes: &str) -> El {
        self.attr(Attr::Class, classes)
    }

    fn text(self, text: impl Into<String>) -> El {
        self.put(Node::Text(text.into()))
    }

    fn with(self, node: impl Into<Node>) -> El {
        self.put(node.into())
    }

    fn all(mut self, nodes: impl IntoIterator<Item = impl Into<Node>>) -> El {
        self.inside.extend(nodes.into_iter().map(Into::into));
        self
    }
}

impl From<El> for Node {
    fn from(el: El) -> Node {
        Node::El(el)
    }
}

/// A text that is less important than those around it.
fn soft(text: impl Into<String>) -> El {
    el(Tag::Span).class("soft").text(text)
}

/// A button that changes the view: `set` is what it says to the URL, `severity=error&page=`.
fn button(label: impl Into<String>, set: impl Into<String>) -> El {
    el(Tag::Button).attr(Attr::Set, set).text(label)
}

/// A button that selects a span.
fn span_link(span_id: &str, label: impl Into<String>) -> El {
    el(Tag::Button).class("quiet span-link").attr(Attr::Span, span_id).attr(Attr::Title, format!("Show span {span_id}")).text(label)
}

/// Buttons of which one is chosen.
fn choices(label: &str, choices: &[(&str, &str, &str)], chosen: &str) -> El {
    let one = |(name, title, set): &(&str, &str, &str)| {
        button(*name, *set).attr(Attr::Title, *title).attr(Attr::Pressed, if *name == chosen { "true" } else { "false" })
    };
    el(Tag::Div).class("segmented").attr(Attr::Role, "group").attr(Attr::Label, label).all(choices.iter().map(one))
}

/// Steps (id, parent, text) as lists in lists: those whose parent is `parent`, in each those it is made of.
#[cfg(feature = "store")]
pub(crate) fn list_sheet(steps: &[(i64, i64, String)], parent: i64) -> Node {
    let below = |(number, (id, of, text)): (usize, &(i64, i64, String))| {
        let item = (*of == parent).then(|| el(Tag::Li).with(el(Tag::Span).text(text.as_str())))?;
        // Steps stand behind what they are part of, so no cycle is followed.
        let rest = steps.get(number + 1..).filter(|rest| rest.iter().any(|(_, of, _)| of == id));
        Some(match rest {
            Some(rest) => item.with(list_sheet(rest, *id)),
            None => item,
        })
    };
    el(Tag::Ul).all(steps.iter().enumerate().filter_map(below)).into()
}

/// A sentence in place of what there is not.
fn nothing(sentences: &[&str]) -> El {
    el(Tag::Div).class("state").all(sentences.iter().map(|sentence| el(Tag::P).text(*sentence)))
}

/// Which of many rows are on a page of so many.
fn page_of(page: u32, size: usize, len: usize) -> std::ops::Range<usize> {
    let last = len.saturating_sub(1) / size.max(1);
    let start = (page as usize).min(last) * size;
    start..len.min(start + size)
}

/// Which rows are shown of how many, and the ways to the others; nothing where they are all here.
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

/// What a reader sees of the nodes, a line for each block: for tests, and wherever a sheet is wanted without a browser.
pub fn sheet_text(nodes: &[Node]) -> String {
    let mut out = String::new();
    nodes.iter().for_each(|node| write_text(node, &mut out));
    let lines: Vec<&str> = out.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn write_text(node: &Node, out: &mut String) {
    match node {
        Node::Text(text) | Node::Long(text) | Node::Folded(text) => *out += text,
        Node::Time { at, .. } => *out += &at.map_or_else(|| crate::view::DASH.to_owned(), |at| at.civil(0)),
        Node::Tree(value) => *out += &crate::view::value_preview(value, 200),
        Node::Sign(_) => *out += "! ",
        Node::Fold { summary, inside, .. } => {
            *out += "\n▸ ";
            summary.iter().chain(inside).for_each(|node| write_text(node, out));
            *out += "\n";
        }
        Node::Twin { drawn, .. } => write_text(drawn, out),
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
