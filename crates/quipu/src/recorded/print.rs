//! A decoded value as one line of JSON-like text, to show or copy.
//!
//! What is not here: the recorded text itself, which stands beside every decoded value and is what to export.

use crate::model::Value;

/// `value` as compact JSON. Numbers keep their digits and nested texts stay strings; what JSON cannot say is written as
/// Python does: `Foo(…)` around the JSON of its arguments, and fragments as recorded.
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
        Value::Text(text) | Value::Nested { raw: text, .. } => write_string(text, out),
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
                write_string(key, out);
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

fn write_string(text: &str, out: &mut String) {
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
