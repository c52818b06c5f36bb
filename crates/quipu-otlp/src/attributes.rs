//! Writes attributes like the reference: a JSON object as printed by Python's `json.dumps`, with non-ASCII characters escaped.

#![expect(missing_docs, reason = "fields and variants are named like in OTLP's messages")]

use super::fields::{field, list};
use super::numbers::{python_float, real};
use quipu_model::{Attributes, Primitive, Value};
use std::fmt::Write;

/// Maximum nesting of values; deeper ones become `null`.
/// How many lists and maps may be nested in an attribute. The value that is nested more deeply becomes a text that says so.
pub const MAX_NESTING: usize = 24;

/// Stands for a list or map that is nested too deeply.
const TOO_DEEP: &str = "[nested deeper than 24 levels]";

/// A JSON object being written.
pub struct Object {
    text: String,
}

impl Default for Object {
    fn default() -> Object {
        Object::new()
    }
}

impl Object {
    pub fn new() -> Object {
        Object { text: "{".into() }
    }

    /// An empty object with room for this many bytes.
    pub(crate) fn with_room(bytes: usize) -> Object {
        let mut text = String::with_capacity(bytes);
        text.push('{');
        Object { text }
    }

    /// Starts an entry. Its value must be written next.
    pub(crate) fn key(&mut self, key: &str) -> &mut String {
        write_key(key, 0, &mut self.text);
        &mut self.text
    }

    pub fn put_text(&mut self, key: &str, value: &str) {
        write_text(value, self.key(key));
    }

    /// Adds an entry with a value in JSON.
    pub fn put_json(&mut self, key: &str, json: &str) {
        self.key(key).push_str(json);
    }

    /// Adds an entry with an OTLP `AnyValue`.
    pub fn put_any(&mut self, key: &str, value: &Value) {
        write_any(value, self.key(key), 0);
    }

    /// Adds the entries of an OTLP list of `{key, value}`.
    pub fn put_all(&mut self, attributes: &[Value]) {
        for attribute in attributes {
            if let Some(key) = field(attribute, "key").and_then(Value::as_str) {
                self.put_any(key, field(attribute, "value").unwrap_or(&Value::Null));
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.text.len() == 1
    }

    pub fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// Starts an entry of the object that begins at byte `begin`.
pub(crate) fn write_key(key: &str, begin: usize, out: &mut String) {
    if out.len() > begin + 1 {
        out.push_str(", ");
    }
    write_text(key, out);
    out.push_str(": ");
}

/// Prints the attributes of an event like the reference's sink.
///
/// ```
/// use quipu_model::{Attributes, Primitive};
/// let attributes = Attributes(vec![("city".into(), Primitive::Text("Köln".into())), ("ratio".into(), Primitive::Float(1e16))]);
/// assert_eq!(quipu_otlp::attributes_text(&attributes), r#"{"city": "K\u00f6ln", "ratio": 1e+16}"#);
/// ```
pub fn attributes_text(attributes: &Attributes) -> String {
    let mut object = Object::new();
    for (key, value) in &attributes.0 {
        match value {
            Primitive::Null => object.put_json(key, "null"),
            Primitive::Bool(truth) => object.put_json(key, if *truth { "true" } else { "false" }),
            Primitive::Integer(number) => object.put_json(key, &number.to_string()),
            Primitive::Float(number) => object.put_json(key, &python_float(*number)),
            Primitive::Text(text) => object.put_text(key, text),
        }
    }
    object.finish()
}

/// Converts an OTLP list of `{key, value}` to a JSON object.
pub fn object(attributes: &[Value]) -> String {
    let mut object = Object::new();
    object.put_all(attributes);
    object.finish()
}

/// The value of a string attribute. `None` if it is missing or not a string.
pub fn text_of<'v>(attributes: &'v [Value], key: &str) -> Option<&'v str> {
    let found = attributes.iter().find(|attribute| field(attribute, "key").and_then(Value::as_str) == Some(key))?;
    field(field(found, "value")?, "stringValue")?.as_str()
}

/// Whether an attribute is truthy in Python. False if it is missing.
pub fn is_true(attributes: &[Value], key: &str) -> bool {
    let found = attributes.iter().find(|attribute| field(attribute, "key").and_then(Value::as_str) == Some(key));
    let Some(value) = found.and_then(|found| field(found, "value")) else { return false };
    match value {
        Value::Map(entries) => entries.iter().any(|(_, value)| match value {
            Value::Bool(truth) => *truth,
            Value::Text(text) => !text.is_empty() && text != "0",
            Value::Number(number) => number.as_f64() != Some(0.0),
            _ => false,
        }),
        _ => false,
    }
}

/// Whether an attribute exists.
pub fn has(attributes: &[Value], key: &str) -> bool {
    attributes.iter().any(|attribute| field(attribute, "key").and_then(Value::as_str) == Some(key))
}

/// The only key of the object that stands for bytes, with their base64.
pub const BYTES: &str = "$bytes";

/// An `AnyValue` as JSON.
pub fn any_json(value: &Value) -> String {
    let mut out = String::new();
    write_any(value, &mut out, 0);
    out
}

/// Writes an `AnyValue`. Plain JSON is also accepted and written as it is.
fn write_any(value: &Value, out: &mut String, depth: usize) {
    let Value::Map(entries) = value else { return write_plain(value, out, depth) };
    let Some((kind, inner)) = entries.first() else { return out.push_str("null") };
    let kind = kind.replace('_', "").to_ascii_lowercase();
    match (kind.as_str(), inner) {
        ("stringvalue", Value::Text(text)) => write_text(text, out),
        ("bytesvalue", Value::Text(text)) => write_bytes(text, out),
        ("boolvalue", Value::Bool(truth)) => write_bool(*truth, out),
        ("intvalue", Value::Number(number)) => out.push_str(&number.0),
        ("intvalue", Value::Text(text)) if text.parse::<i64>().is_ok() => out.push_str(text),
        ("doublevalue", number) => out.push_str(&real(Some(number)).map_or_else(|| "null".to_owned(), python_float)),
        ("arrayvalue" | "kvlistvalue", _) if depth >= MAX_NESTING => write_text(TOO_DEEP, out),
        ("arrayvalue", _) => {
            out.push('[');
            for (at, item) in list(inner, "values").iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write_any(item, out, depth + 1);
            }
            out.push(']');
        }
        ("kvlistvalue", _) => {
            let mut object = Object::new();
            for entry in list(inner, "values") {
                if let Some(key) = field(entry, "key").and_then(Value::as_str) {
                    write_any(field(entry, "value").unwrap_or(&Value::Null), object.key(key), depth + 1);
                }
            }
            out.push_str(&object.finish());
        }
        _ => write_plain(value, out, depth),
    }
}

/// Writes bytes, given their base64.
pub(crate) fn write_bytes(base64: &str, out: &mut String) {
    let mut object = Object::new();
    object.put_text(BYTES, base64);
    out.push_str(&object.finish());
}

pub(crate) fn write_bool(truth: bool, out: &mut String) {
    out.push_str(if truth { "true" } else { "false" });
}

/// Writes a plain JSON value.
pub fn write_plain(value: &Value, out: &mut String, depth: usize) {
    match value.unwrapped() {
        Value::List(_) | Value::Map(_) | Value::Opaque(_) if depth >= MAX_NESTING => write_text(TOO_DEEP, out),
        Value::Bool(truth) => write_bool(*truth, out),
        Value::Number(number) => out.push_str(&number.0),
        Value::Text(text) => write_text(text, out),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write_plain(item, out, depth + 1);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            let mut object = Object::new();
            for (key, value) in entries {
                write_plain(value, object.key(key), depth + 1);
            }
            out.push_str(&object.finish());
        }
        _ => out.push_str("null"),
    }
}

/// Whether a byte stands for itself in a JSON string.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// Writes a JSON string with non-ASCII characters escaped.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    // What needs no escape is copied in runs.
    while let Some((plain, after)) = rest.bytes().position(|byte| !is_plain(byte)).and_then(|at| rest.split_at_checked(at)) {
        out.push_str(plain);
        let mut letters = after.chars();
        if let Some(letter) = letters.next() {
            write_escape(letter, out);
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn write_escape(letter: char, out: &mut String) {
    match letter {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        other => {
            for unit in other.encode_utf16(&mut [0; 2]) {
                // Writing to a `String` can't fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}
