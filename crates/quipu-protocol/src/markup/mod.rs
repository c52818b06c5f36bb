//! Views as trees of elements: the worker builds them, the page renders them without interpreting them.
//!
//! Tags and attributes are closed enums and all text becomes text nodes, so nothing in a file can become markup. The content is made by
//! `quipu_ui::render`. Buttons describe a change of the view as URL parameters in [`Attr::Set`].

mod names;

pub use names::{Attr, Icon, Tag};

use quipu_model::{Timestamp, Value};
use serde::{Deserialize, Serialize};

/// A node of a view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Node {
    /// An element.
    El(El),
    /// Plain text.
    Text(String),
    /// A time, shown in the user's time style with milliseconds.
    Time {
        /// The time; `None` if it can't be parsed.
        at: Option<Timestamp>,
        /// The origin of relative times.
        zero: Option<Timestamp>,
    },
    /// A string of any length. The page shows its beginning and loads the rest in steps.
    Long(String),
    /// A string of many lines, collapsed to the first and last ones.
    Folded(String),
    /// A decoded value as an expandable tree.
    Tree(Value),
    /// An icon.
    Icon(Icon),
    /// A `<details>` element whose content is built when it is opened.
    Details {
        /// CSS classes, separated by spaces.
        class: String,
        /// Content of the `<summary>`.
        summary: Vec<Node>,
        /// Content shown when open.
        inside: Vec<Node>,
    },
    /// A node with a button that switches to the recorded text.
    RawToggle {
        /// The rendered form.
        drawn: Box<Node>,
        /// The recorded text.
        raw: String,
    },
}

/// An element.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct El {
    /// The tag, which selects the HTML element.
    pub tag: Tag,
    /// Attributes, each at most once, in any order.
    pub attrs: Vec<(Attr, String)>,
    /// Child nodes in document order.
    pub inside: Vec<Node>,
}

/// Creates an element without attributes and children.
#[inline(never)]
pub fn el(tag: Tag) -> El {
    El { tag, attrs: Vec::new(), inside: Vec::new() }
}

impl El {
    // Not inlined: views are long chains of these calls, and inlining would double their code size.
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

    /// Sets the CSS classes, separated by spaces.
    #[inline(never)]
    pub fn class(self, classes: &str) -> El {
        self.attr(Attr::Class, classes)
    }

    /// Appends a text node.
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

/// Less prominent text.
pub fn soft(text: impl Into<String>) -> El {
    el(Tag::Span).class("soft").text(text)
}

/// A button that changes the view. `set` is the change as URL parameters, such as `severity=error&page=`.
pub fn button(label: impl Into<String>, set: impl Into<String>) -> El {
    el(Tag::Button).attr(Attr::Set, set).text(label)
}

/// A button that selects a span.
pub fn span_link(span_id: &str, label: impl Into<String>) -> El {
    el(Tag::Button).class("quiet span-link").attr(Attr::Span, span_id).attr(Attr::Title, format!("Show span {span_id}")).text(label)
}

/// A group of buttons, one of which is selected. Each choice is `(label, title, set)`.
pub fn choices(label: &str, choices: &[(&str, &str, &str)], chosen: &str) -> El {
    let one = |(name, title, set): &(&str, &str, &str)| {
        button(*name, *set).attr(Attr::Title, *title).attr(Attr::Pressed, if *name == chosen { "true" } else { "false" })
    };
    el(Tag::Div).class("segmented").attr(Attr::Role, "group").attr(Attr::Label, label).all(choices.iter().map(one))
}
