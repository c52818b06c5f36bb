//! Reassembles values recorded as many attributes, such as `llm.input_messages.0.message.role`.

use crate::Value;

/// Longer lists are cut off, because a key may contain any number.
const MAX_ITEMS: usize = 10_000;

/// The list below `prefix`: keys `prefix.N.rest` become its items, and `rest` maps and lists within them. Empty if there are no such keys.
pub(super) fn list_under(attributes: &[(String, Value)], prefix: &str) -> Vec<Value> {
    let mut root = Value::List(Vec::new());
    for (key, value) in attributes {
        let Some(rest) = key.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')) else { continue };
        if rest.split('.').count() <= 12 {
            put(&mut root, rest, value);
        }
    }
    match root {
        Value::List(items) => items,
        _ => Vec::new(),
    }
}

fn put(into: &mut Value, path: &str, value: &Value) {
    let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
    let slot = match (step.parse::<usize>(), &mut *into) {
        (Ok(at), Value::List(items)) if at < MAX_ITEMS => {
            if items.len() <= at {
                items.resize(at + 1, Value::Null);
            }
            items.get_mut(at)
        }
        (_, Value::Map(entries)) => {
            if !entries.iter().any(|(key, _)| key == step) {
                entries.push((step.to_owned(), Value::Null));
            }
            entries.iter_mut().find(|(key, _)| key == step).map(|(_, value)| value)
        }
        _ => None,
    };
    let Some(slot) = slot else { return };
    match rest {
        None => *slot = value.clone(),
        Some(rest) => {
            if *slot == Value::Null {
                let is_list = rest.split('.').next().is_some_and(|next| next.parse::<usize>().is_ok());
                *slot = if is_list { Value::List(Vec::new()) } else { Value::Map(Vec::new()) };
            }
            put(slot, rest, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded::json_text;

    #[test]
    fn flat_keys_become_one_list() {
        let text = |text: &str| Value::Text(text.into());
        let attributes = [
            ("m.1.message.role".to_owned(), text("assistant")),
            ("m.0.message.role".to_owned(), text("user")),
            ("m.1.message.tool_calls.0.tool_call.function.name".to_owned(), text("search")),
            ("m.x".to_owned(), text("no number")),
            ("m.0.message.role.deeper".to_owned(), text("under a text")),
            ("m.99999999999.a".to_owned(), text("too far")),
            ("mm.0".to_owned(), text("another")),
        ];
        let list = Value::List(list_under(&attributes, "m"));
        let expected =
            r#"[{"message":{"role":"user"}},{"message":{"role":"assistant","tool_calls":[{"tool_call":{"function":{"name":"search"}}}]}}]"#;
        assert_eq!(json_text(&list).replace(": ", ":").replace(", ", ","), expected);
    }
}
