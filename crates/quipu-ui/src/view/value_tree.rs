//! A recorded value as an expandable tree: labels, children and one-line previews, computed on demand.

use quipu_model::Value;
use quipu_model::format::counted;

/// The type of a value, for its colour and brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Null or missing.
    Null,
    /// A boolean.
    Bool,
    /// A number.
    Number,
    /// A string.
    Text,
    /// A list.
    List,
    /// A map.
    Map,
    /// An unparsed fragment, shown as written.
    Opaque,
}

/// The type of `value`, ignoring tags and nested strings.
pub fn value_kind(value: &Value) -> ValueKind {
    match inner(value) {
        Value::Null => ValueKind::Null,
        Value::Bool(_) => ValueKind::Bool,
        Value::Number(_) => ValueKind::Number,
        Value::List(_) => ValueKind::List,
        Value::Map(_) => ValueKind::Map,
        Value::Opaque(_) => ValueKind::Opaque,
        Value::Text(_) | Value::Nested { .. } | Value::Tagged { .. } => ValueKind::Text,
    }
}

/// The value without tags and nested strings.
fn inner(value: &Value) -> &Value {
    match value {
        Value::Nested { value, .. } | Value::Tagged { value, .. } => inner(value),
        other => other,
    }
}

/// The text of a string or number.
pub(super) fn leaf_text(value: &Value) -> Option<&str> {
    match inner(value) {
        Value::Text(text) | Value::Opaque(text) => Some(text),
        Value::Number(number) => Some(&number.0),
        _ => None,
    }
}

/// The number of children.
pub fn child_count(value: &Value) -> usize {
    match inner(value) {
        Value::List(items) => items.len(),
        Value::Map(entries) => entries.len(),
        _ => 0,
    }
}

/// The child at index `place`.
pub fn child(value: &Value, place: usize) -> Option<&Value> {
    match inner(value) {
        Value::List(items) => items.get(place),
        Value::Map(entries) => entries.get(place).map(|(_, value)| value),
        _ => None,
    }
}

/// The label of the child at index `place`: its key or index.
pub fn child_label(value: &Value, place: usize) -> String {
    match inner(value) {
        Value::Map(entries) => entries.get(place).map(|(key, _)| key.clone()).unwrap_or_default(),
        _ => place.to_string(),
    }
}

/// A one-line summary of `value`: the value of a leaf, or the first entries of a list or map, cut to `at_most` characters each.
pub fn value_preview(value: &Value, at_most: usize) -> String {
    let text = match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.0.clone(),
        Value::Text(text) | Value::Opaque(text) => one_line(text, at_most),
        Value::Nested { value, .. } => value_preview(value, at_most),
        Value::Tagged { tag, value } => format!("{tag} {}", value_preview(value, at_most)),
        Value::List(items) if items.is_empty() => "[]".into(),
        Value::Map(entries) if entries.is_empty() => "{}".into(),
        Value::List(items) => format!("[{}]", counted(Some(items.len() as u64), "item", "items")),
        Value::Map(entries) => {
            let mut keys = String::new();
            for (key, _) in entries {
                if keys.chars().count() + key.chars().count() > at_most {
                    keys += ", …";
                    break;
                }
                if !keys.is_empty() {
                    keys += ", ";
                }
                keys += key;
            }
            format!("{{{keys}}}")
        }
    };
    clip(&text, at_most).map_or(text.clone(), |head| format!("{head}…"))
}

/// The first `at_most` characters of `text`; `None` if it is not longer.
pub fn clip(text: &str, at_most: usize) -> Option<&str> {
    text.char_indices().nth(at_most).map(|(end, _)| text.get(..end).unwrap_or(text))
}

/// The beginning of a text on one line, with line breaks as blanks.
fn one_line(text: &str, at_most: usize) -> String {
    text.chars().take(at_most.saturating_add(1)).map(|found| if found.is_control() { ' ' } else { found }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_model::{Encoding, Number};

    fn message() -> Value {
        let content = Value::Map(vec![
            ("role".into(), Value::Text("user".into())),
            ("content".into(), Value::Text("first line\nsecond line".into())),
        ]);
        Value::Nested { raw: "…".into(), encoding: Encoding::Json, value: Box::new(Value::List(vec![content, Value::Null])) }
    }

    #[test]
    fn nested_texts_and_tags_are_looked_through() {
        let tagged = Value::Tagged { tag: "UserMessage".into(), value: Box::new(message()) };
        assert_eq!(value_kind(&tagged), ValueKind::List);
        assert_eq!(child_count(&tagged), 2);
        assert_eq!(child_label(&tagged, 1), "1");
        let first = child(&tagged, 0).expect("the list has a first item");
        assert_eq!(child_label(first, 1), "content");
        assert_eq!(value_preview(&tagged, 40), "UserMessage [2 items]");
        assert_eq!(value_preview(first, 40), "{role, content}");
        assert_eq!(child(first, 9), None);
    }

    #[test]
    fn previews_fit_one_line() {
        assert_eq!(value_preview(&Value::Text("first line\nsecond line".into()), 14), "first line sec…");
        assert_eq!(value_preview(&Value::Number(Number("9007199254740993".into())), 40), "9007199254740993");
        assert_eq!(value_preview(&Value::Map(Vec::new()), 40), "{}");
        assert_eq!(clip("naïve", 3), Some("naï"));
        assert_eq!(clip("naïve", 5), None);
    }
}
