//! A decoded value as a tree: children are built when their parent is opened, and in portions.

use crate::widgets::{Icon, IconName, Marking, TextBlock, marked};
use leptos::prelude::*;
use quipu::model::Value;
use quipu::view::{self, ValueKind};
use std::sync::Arc;

/// Children built at once.
const PORTION: usize = 100;
/// Containers nested deeper than this stay closed at first.
const OPEN_DEPTH: usize = 1;

/// The tree of `value`.
#[component]
pub(crate) fn ValueTree(
    /// The value.
    value: Arc<Value>,
) -> impl IntoView {
    // What is searched for is shown at once, where looking for it takes no time.
    let to_match = Marking::needle().and_then(|needle| view::path_to_match(&value, &needle)).unwrap_or_default();
    node(value, Vec::new(), None, to_match.into())
}

/// The value at `path` (places of children, from the root).
fn resolve<'a>(root: &'a Value, path: &[usize]) -> Option<&'a Value> {
    path.iter().try_fold(root, |value, place| view::child(value, *place))
}

fn node(root: Arc<Value>, path: Vec<usize>, label: Option<String>, to_match: Arc<[usize]>) -> AnyView {
    let Some(value) = resolve(&root, &path) else { return ().into_any() };
    let count = view::child_count(value);
    let label = label.map(|label| view! { <span class="value-key">{marked(label)}</span> });
    if count == 0 {
        return view! { <div class="value-leaf">{label}{leaf(value)}</div> }.into_any();
    }
    let preview = view::value_preview(value, 80);
    // The children on the way to the match, this value's own among them.
    let next = to_match.get(path.len()).filter(|_| to_match.starts_with(&path));
    let open = RwSignal::new(path.len() < OPEN_DEPTH || (count <= 3 && path.len() <= OPEN_DEPTH) || next.is_some());
    let shown = RwSignal::new(next.map_or(PORTION, |next| (next + 1).max(PORTION)));
    let children = move || {
        open.get().then(|| {
            let (root_for_each, path_for_each) = (root.clone(), path.clone());
            let each = move || {
                let value = resolve(&root_for_each, &path_for_each);
                (0..count.min(shown.get())).map(|place| (place, value.map(|value| view::child_label(value, place)))).collect::<Vec<_>>()
            };
            let (root, path, to_match) = (root.clone(), path.clone(), to_match.clone());
            let child = move |(place, label): (usize, Option<String>)| {
                let mut path = path.clone();
                path.push(place);
                node(root.clone(), path, label, to_match.clone())
            };
            let more = move || {
                let left = count.saturating_sub(shown.get());
                (left > 0).then(|| {
                    let label = format!("Show {} more of {}", left.min(PORTION), view::count(count as u64));
                    view! { <button type="button" class="more" on:click=move |_| shown.update(|shown| *shown += PORTION)>{label}</button> }
                })
            };
            view! {
                <div class="value-children">
                    <For each=each key=|(place, _)| *place children=child />
                    {more}
                </div>
            }
        })
    };
    view! {
        <div class="value-node">
            <button
                type="button"
                class="value-toggle"
                aria-expanded=move || if open.get() { "true" } else { "false" }
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <Icon name=IconName::Caret />
                {label}
                <span class="value-preview">{preview}</span>
            </button>
            {children}
        </div>
    }
    .into_any()
}

fn leaf(value: &Value) -> AnyView {
    let class = match view::value_kind(value) {
        ValueKind::Null => "value-null",
        ValueKind::Bool => "value-bool",
        ValueKind::Number => "value-number",
        ValueKind::Opaque => "value-opaque",
        ValueKind::Text | ValueKind::List | ValueKind::Map => "value-text",
    };
    match value {
        Value::Text(text) if text.is_empty() => view! { <span class="value-null">"empty text"</span> }.into_any(),
        Value::Text(text) | Value::Opaque(text) => {
            view! { <div class=class><TextBlock text=Arc::from(text.as_str()) head=600 /></div> }.into_any()
        }
        other => view! { <span class=class>{marked(view::value_preview(other, 400))}</span> }.into_any(),
    }
}
