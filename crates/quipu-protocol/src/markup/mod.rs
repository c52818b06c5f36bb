//! Views as trees of elements: what the worker sends, and the page draws without knowing its meaning.
//!
//! Tags and attributes are closed lists and every text is a text, so that nothing in a file can become markup. What is not here: what is
//! written in them (`quipu_ui::render`), colours, and what happens when a button is pressed: [`Attr::Set`] names the change of the view in
//! the words of the address.

mod names;

pub use names::{Attr, Icon, Tag};

use quipu_model::{Timestamp, Value};
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
    Icon(Icon),
    /// Something that is built when it is opened.
    Details {
        /// Classes.
        class: String,
        /// What is always seen.
        summary: Vec<Node>,
        /// What is seen when it is open.
        inside: Vec<Node>,
    },
    /// Something that can be seen as it was recorded instead.
    RawToggle {
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
pub fn el(tag: Tag) -> El {
    El { tag, attrs: Vec::new(), inside: Vec::new() }
}

impl El {
    // Sheets are long chains of these: inlined, they would be half of the sheets' code.
    /// Adds an attribute.
    pub fn attr(self, attr: Attr, value: impl Into<String>) -> El {
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

    /// Sets the classes, separated by blanks.
    #[inline(never)]
    pub fn class(self, classes: &str) -> El {
        self.attr(Attr::Class, classes)
    }

    /// Appends a text.
    pub fn text(self, text: impl Into<String>) -> El {
        self.put(Node::Text(text.into()))
    }

    /// Appends a node.
    pub fn with(self, node: impl Into<Node>) -> El {
        self.put(node.into())
    }

    /// Appends several nodes.
    pub fn all(mut self, nodes: impl IntoIterator<Item = impl Into<Node>>) -> El {
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
pub fn soft(text: impl Into<String>) -> El {
    el(Tag::Span).class("soft").text(text)
}

/// A button that changes the view: `set` is what it says to the URL, `severity=error&page=`.
pub fn button(label: impl Into<String>, set: impl Into<String>) -> El {
    el(Tag::Button).attr(Attr::Set, set).text(label)
}

/// A button that selects a span.
pub fn span_link(span_id: &str, label: impl Into<String>) -> El {
    el(Tag::Button).class("quiet span-link").attr(Attr::Span, span_id).attr(Attr::Title, format!("Show span {span_id}")).text(label)
}

/// Buttons of which one is chosen.
pub fn choices(label: &str, choices: &[(&str, &str, &str)], chosen: &str) -> El {
    let one = |(name, title, set): &(&str, &str, &str)| {
        button(*name, *set).attr(Attr::Title, *title).attr(Attr::Pressed, if *name == chosen { "true" } else { "false" })
    };
    el(Tag::Div).class("segmented").attr(Attr::Role, "group").attr(Attr::Label, label).all(choices.iter().map(one))
}
