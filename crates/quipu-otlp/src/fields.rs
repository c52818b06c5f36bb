//! Looks up fields by name, however an exporter spells them: `traceId`, `trace_id`, `traceID`.

use quipu_model::Value;

/// Looks up a field by its name in lower camel case, ignoring letter case and underscores. The last one counts.
pub fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Map(entries) = value else { return None };
    entries.iter().rev().find(|(key, _)| same(key, name)).map(|(_, value)| value)
}

/// Whether two names are equal, ignoring letter case and underscores.
pub fn same(key: &str, name: &str) -> bool {
    let letters = key.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase());
    key == name || letters.eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// The items of a list field; empty if there is none.
pub fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    match field(value, name) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

/// The items of the list field with one of these names.
pub fn list_of<'v>(value: &'v Value, names: &[&str]) -> &'v [Value] {
    names.iter().map(|name| list(value, name)).find(|items| !items.is_empty()).unwrap_or_default()
}

/// A non-empty string field.
pub fn text(value: &Value, name: &str) -> Option<String> {
    field(value, name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An enumeration value, given as a number or as a name ending in one of `names`.
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
