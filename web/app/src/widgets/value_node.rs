//! A decoded value as a tree: children are built when their parent is opened, and in portions.

use crate::dom::{El, append, el};
use crate::widgets::Build;
use crate::widgets::icon::{IconName, icon};
use crate::widgets::text_block::{more, text_block};
use quipu_model::Value;
use quipu_model::format;
use quipu_ui::view;
use quipu_ui::view::ValueKind;
use std::sync::Arc;
use web_sys::Element;

/// Children built at once.
const PORTION: usize = 100;
/// Containers nested deeper than this stay closed at first.
const OPEN_DEPTH: usize = 1;

/// A tree that is being drawn.
#[derive(Clone)]
struct Tree {
    build: Build,
    root: Arc<Value>,
    /// The path of children to the match.
    to_match: Arc<[usize]>,
}

/// The tree of `value`.
pub(crate) fn value_tree(build: &Build, value: Arc<Value>) -> El {
    // The match is shown at once, unless the value is too large to search.
    let to_match = build.needle().and_then(|needle| view::path_to_match(&value, &needle)).unwrap_or_default();
    Tree { build: build.clone(), root: value, to_match: to_match.into() }.node(Vec::new(), None)
}

impl Tree {
    /// The value at `path` (indexes of children, from the root).
    fn at(&self, path: &[usize]) -> Option<&Value> {
        path.iter().try_fold(&*self.root, |value, place| view::child(value, *place))
    }

    fn node(&self, path: Vec<usize>, label: Option<String>) -> El {
        let Some(value) = self.at(&path) else { return el("div") };
        let count = view::child_count(value);
        let label = label.map(|label| self.build.marked("span", &label).class("value-key"));
        if count == 0 {
            return el("div").class("value-leaf").maybe(label).child(self.leaf(value));
        }
        // The next child on the path to the match, if the match is in here.
        let next = self.to_match.get(path.len()).filter(|_| self.to_match.starts_with(&path)).copied();
        let open = path.len() < OPEN_DEPTH || (count <= 3 && path.len() <= OPEN_DEPTH) || next.is_some();
        let shown = next.map_or(PORTION, |next| (next + 1).max(PORTION));
        let children = open.then(|| el("div").class("value-children").children(self.portion(&path, 0, shown)));
        let (tree, of_press) = (self.clone(), path);
        let toggle = el("button")
            .attr("type", "button")
            .class("value-toggle")
            .attr("aria-expanded", if open { "true" } else { "false" })
            .child(icon(IconName::Caret))
            .maybe(label)
            .child(el("span").class("value-preview").text(&view::value_preview(value, 80)))
            .on_press(&self.build.handlers, move |button| tree.turn(button, &of_press, shown));
        el("div").class("value-node").child(toggle).maybe(children)
    }

    /// Opens or closes a container.
    fn turn(&self, button: &Element, path: &[usize], shown: usize) {
        let opens = match button.next_element_sibling() {
            Some(children) => {
                children.remove();
                false
            }
            None => {
                let children = el("div").class("value-children").children(self.portion(path, 0, shown));
                if let Some(node) = button.parent_element() {
                    append(&node, vec![children]);
                }
                true
            }
        };
        let _ = button.set_attribute("aria-expanded", if opens { "true" } else { "false" });
    }

    /// The children `from..to`, and a button for the rest.
    fn portion(&self, path: &[usize], from: usize, to: usize) -> Vec<El> {
        let Some(value) = self.at(path) else { return Vec::new() };
        let count = view::child_count(value);
        let child = |place| {
            let mut below = path.to_vec();
            below.push(place);
            self.node(below, Some(view::child_label(value, place)))
        };
        let mut found: Vec<El> = (from..to.min(count)).map(child).collect();
        let left = count.saturating_sub(to);
        if left > 0 {
            let label = format!("Show {} more of {}", left.min(PORTION), format::count(count as u64));
            let (tree, path) = (self.clone(), path.to_vec());
            found.push(more(&label).on_press(&self.build.handlers, move |button| {
                if let Some(children) = button.parent_element() {
                    button.remove();
                    append(&children, tree.portion(&path, to, to + PORTION));
                }
            }));
        }
        found
    }

    fn leaf(&self, value: &Value) -> El {
        let class = match view::value_kind(value) {
            ValueKind::Null => "value-null",
            ValueKind::Bool => "value-bool",
            ValueKind::Number => "value-number",
            ValueKind::Opaque => "value-opaque",
            ValueKind::Text | ValueKind::List | ValueKind::Map => "value-text",
        };
        match value {
            Value::Text(text) if text.is_empty() => el("span").class("value-null").text("empty text"),
            Value::Text(text) | Value::Opaque(text) => el("div").class(class).child(text_block(&self.build, Arc::from(text.as_str()), 600)),
            other => self.build.marked("span", &view::value_preview(other, 400)).class(class),
        }
    }
}
