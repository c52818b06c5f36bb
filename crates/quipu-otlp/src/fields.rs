//! Fields of a tree of values by their name, however an exporter spells it: `traceId`, `trace_id`, `traceID`.

use quipu_model::Value;

/// The field of a map with this name in lower camel case. Letter case and underscores do not count; the last of several does.
pub fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Map(entries) = value else { return None };
    entries.iter().rev().find(|(key, _)| same(key, name)).map(|(_, value)| value)
}

/// Whether two names are one, but for letter case and underscores.
pub fn same(key: &str, name: &str) -> bool {
    let letters = key.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase());
    key == name || letters.eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// The items of a list; none where there is no list.
pub fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    match field(value, name) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

/// The items of the list that has one of these names.
pub fn list_of<'v>(value: &'v Value, names: &[&str]) -> &'v [Value] {
    names.iter().map(|name| list(value, name)).find(|items| !items.is_empty()).unwrap_or_default()
}

/// A text that is not empty.
pub fn text(value: &Value, name: &str) -> Option<String> {
    field(value, name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An enumeration's number, from the number or from the end of its name in `names`.
pub fn number_of(value: Option<&Value>, names: &[&str]) -> Option<usize> {
    match value?.unwrapped() {
        Value::Number(number) => number.0.parse().ok(),
        Value::Text(text) => {
            let upper = text.to_ascii_uppercase();
            let named = names.iter().position(|name| upper == *name || upper.ends_with(&format!("_{name}")));
            named.or_else(|| text.parse().ok())
        }
        _ => None,
    }
}
