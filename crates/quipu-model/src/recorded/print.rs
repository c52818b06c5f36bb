//! Prints decoded values on one line, as JSON-like text or Python repr.
//!
//! Not here: the recorded text itself, which is kept next to every decoded value and is what exports contain.

use crate::Value;

/// Prints `value` as compact JSON. Numbers keep their digits and nested strings stay strings. Values that JSON lacks are written like in
/// Python: `Foo(…)` around the JSON of its arguments; fragments as recorded.
pub fn json_text(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&number.0),
        Value::Text(text) | Value::Nested { raw: text, .. } => write_json_string(text, out),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write(item, out);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_json_string(key, out);
                out.push_str(": ");
                write(item, out);
            }
            out.push('}');
        }
        Value::Tagged { tag, value } => {
            out.push_str(tag);
            out.push('(');
            write(value, out);
            out.push(')');
        }
        Value::Opaque(written) => out.push_str(written),
    }
}

/// Appends `text` as a quoted JSON string. Non-ASCII characters are not escaped.
pub fn write_json_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Prints `value` as the `repr` of a Python object, which [`decode`](super::decode) reads as the same value. Map keys become strings;
/// fragments are printed as recorded.
pub fn python_text(value: &Value) -> String {
    let mut out = String::new();
    write_python(value, &mut out);
    out
}

fn write_python(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => out.push_str(&number.0),
        Value::Text(text) | Value::Nested { raw: text, .. } => write_python_string(text, out),
        Value::List(items) => write_items(items, ["[", "]"], out),
        Value::Map(entries) => {
            out.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_python_string(key, out);
                out.push_str(": ");
                write_python(item, out);
            }
            out.push('}');
        }
        Value::Tagged { tag, value } => write_tagged(tag, value, out),
        Value::Opaque(written) => out.push_str(written),
    }
}

fn write_items(items: &[Value], brackets: [&str; 2], out: &mut String) {
    out.push_str(brackets[0]);
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { ", " });
        write_python(item, out);
    }
    out.push_str(brackets[1]);
}

fn write_tagged(tag: &str, value: &Value, out: &mut String) {
    let is_name = |key: &str| !key.is_empty() && super::fragment::argument_name_length(format!("{key}=").as_bytes()) == Some(key.len());
    match (tag, value) {
        ("tuple", Value::List(items)) => write_items(items, ["(", if items.len() == 1 { ",)" } else { ")" }], out),
        ("set", Value::List(items)) if !items.is_empty() => write_items(items, ["{", "}"], out),
        // The inside was kept as written.
        ("bytes", Value::Text(inner)) => {
            let quote = if inner.contains('\'') && !inner.contains('"') { '"' } else { '\'' };
            out.push('b');
            out.push(quote);
            out.push_str(inner);
            out.push(quote);
        }
        (_, Value::Map(entries)) if entries.iter().all(|(key, _)| is_name(key)) => {
            out.push_str(tag);
            out.push('(');
            for (index, (key, item)) in entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                out.push_str(key);
                out.push('=');
                write_python(item, out);
            }
            out.push(')');
        }
        ("frozenset", Value::List(items)) if !items.is_empty() => write_items(items, ["frozenset({", "})"], out),
        (_, Value::List(items)) => {
            out.push_str(tag);
            write_items(items, ["(", ")"], out);
        }
        _ => {
            out.push_str(tag);
            out.push('(');
            write_python(value, out);
            out.push(')');
        }
    }
}

fn write_python_string(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            same if same == quote => {
                out.push('\\');
                out.push(quote);
            }
            control if control.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded::decode;

    #[test]
    fn what_is_written_as_python_is_read_as_the_same() {
        for text in [
            r#"{'a': "it's", 'b': 'say "x"', 'c': 'both \' and "', 'd': None, 'e': [True, 1.50, -inf]}"#,
            r"[(1,), (), {1, 2}, set(), frozenset({1}), b'\x00\'', Foo(a=1, b='x'), Foo(1, 2), Foo()]",
            r#"{'messages': '[{"role": "user", "content": "a\\nb"}]', 'x': <HealthStatus.OK: 'OK'>, 'y': NOT_GIVEN}"#,
        ] {
            let value = decode(text).value;
            let written = python_text(&value);
            assert_eq!(decode(&written).value, value, "{written}");
        }
    }
}
