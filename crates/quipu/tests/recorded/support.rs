//! Shared helpers: the recorded values, readable trees, printers of JSON and Python.

use quipu::model::{Encoding, Value};
use quipu::recorded::Decoded;
use std::fmt::Write;
use std::path::Path;

/// The files of `tests/data/recorded/FOLDER`: name without extension, and content.
pub(crate) fn recorded_files(folder: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recorded").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// A decoded value as an indented tree, one value per line; long strings are shown by their beginning and length.
pub(crate) fn tree(decoded: &Decoded) -> String {
    let mut out = format!("{}: ", decoded.encoding.label());
    draw(&decoded.value, 1, &mut out);
    out
}

fn draw(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null\n"),
        Value::Bool(is) => writeln!(out, "{is}").unwrap(),
        Value::Number(number) => writeln!(out, "{}", number.0).unwrap(),
        Value::Text(text) if text.chars().count() > 150 => {
            writeln!(out, "{:?}… ({} bytes)", text.chars().take(100).collect::<String>(), text.len()).unwrap();
        }
        Value::Text(text) => writeln!(out, "{text:?}").unwrap(),
        Value::Opaque(written) => writeln!(out, "opaque {written}").unwrap(),
        Value::Nested { raw, encoding, value } => {
            write!(out, "text of {} bytes, {}: ", raw.len(), encoding.label()).unwrap();
            draw(value, indent, out);
        }
        Value::Tagged { tag, value } => {
            write!(out, "{tag} ").unwrap();
            draw(value, indent, out);
        }
        Value::List(items) => {
            writeln!(out, "list of {}", items.len()).unwrap();
            for item in items {
                write!(out, "{:width$}- ", "", width = indent * 2).unwrap();
                draw(item, indent + 1, out);
            }
        }
        Value::Map(entries) => {
            writeln!(out, "map of {}", entries.len()).unwrap();
            for (key, item) in entries {
                write!(out, "{:width$}{key}: ", "", width = indent * 2).unwrap();
                draw(item, indent + 1, out);
            }
        }
    }
}

/// `value` before the strings inside it were decoded.
pub(crate) fn without_nesting(value: Value) -> Value {
    match value {
        Value::Nested { raw, .. } => Value::Text(raw),
        Value::List(items) => Value::List(items.into_iter().map(without_nesting).collect()),
        Value::Map(entries) => Value::Map(entries.into_iter().map(|(key, value)| (key, without_nesting(value))).collect()),
        Value::Tagged { tag, value } => Value::Tagged { tag, value: Box::new(without_nesting(*value)) },
        other => other,
    }
}

/// Prints `value` like Python's `json.dumps`, ASCII only.
pub(crate) fn as_json(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(is) => write!(out, "{is}").unwrap(),
        Value::Text(text) => json_string(text, out),
        Value::List(items) => between(out, "[]", items, as_json),
        Value::Map(entries) => between(out, "{}", entries, |(key, value), out| {
            json_string(key, out);
            out.push_str(": ");
            as_json(value, out);
        }),
        Value::Number(number) => out.push_str(&number.0),
        other => panic!("JSON has no {other:?}"),
    }
}

pub(crate) fn json_string(text: &str, out: &mut String) {
    out.push('"');
    for unit in text.encode_utf16() {
        match u8::try_from(unit).map(char::from) {
            Ok(quoted @ ('"' | '\\')) => write!(out, "\\{quoted}").unwrap(),
            Ok('\n') => out.push_str("\\n"),
            Ok(plain @ ' '..='~') => out.push(plain),
            _ => write!(out, "\\u{unit:04x}").unwrap(),
        }
    }
    out.push('"');
}

/// Prints `value` like Python's `repr`.
pub(crate) fn as_python(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(is) => out.push_str(if *is { "True" } else { "False" }),
        Value::Number(number) => out.push_str(&number.0),
        Value::Text(text) => python_string(text, out),
        Value::List(items) => between(out, "[]", items, as_python),
        Value::Map(entries) => between(out, "{}", entries, |(key, value), out| {
            python_string(key, out);
            out.push_str(": ");
            as_python(value, out);
        }),
        Value::Tagged { tag, value } => match (tag.as_str(), &**value) {
            ("tuple", Value::List(items)) if items.len() == 1 => {
                out.push('(');
                as_python(&items[0], out);
                out.push_str(",)");
            }
            ("tuple", Value::List(items)) => between(out, "()", items, as_python),
            ("set", Value::List(items)) if items.is_empty() => out.push_str("set()"),
            ("set", Value::List(items)) => between(out, "{}", items, as_python),
            (tag, Value::Map(entries)) => {
                out.push_str(tag);
                between(out, "()", entries, |(key, value), out| {
                    write!(out, "{key}=").unwrap();
                    as_python(value, out);
                });
            }
            other => panic!("not printed here: {other:?}"),
        },
        Value::Opaque(written) => out.push_str(written),
        Value::Nested { .. } => panic!("texts are printed before they are decoded"),
    }
}

fn python_string(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            same if same == quote => write!(out, "\\{same}").unwrap(),
            control if control < ' ' || ('\x7f'..'\u{a0}').contains(&control) => write!(out, "\\x{:02x}", u32::from(control)).unwrap(),
            other => out.push(other),
        }
    }
    out.push(quote);
}

fn between<T>(out: &mut String, brackets: &str, items: &[T], print: impl Fn(&T, &mut String)) {
    out.push_str(&brackets[..1]);
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { ", " });
        print(item, out);
    }
    out.push_str(&brackets[1..]);
}

/// Checks that every decoded string decodes to the same value on its own, and that an undecoded value has the text of the input.
pub(crate) fn assert_faithful(text: &str, decoded: &Decoded) {
    if decoded.encoding == Encoding::Text {
        assert_eq!(decoded.value, Value::Text(text.to_owned()));
    }
    check(&decoded.value, text);
}

fn check(value: &Value, text: &str) {
    match value {
        Value::Opaque(written) => assert!(text.contains(written.as_str()), "{written:?} is not in {text:?}"),
        Value::Number(number) => assert!(text.contains(&number.0), "{number:?} is not in {text:?}"),
        Value::Nested { raw, encoding, value } => {
            assert_ne!(*encoding, Encoding::Text);
            check(value, raw);
        }
        Value::List(items) => items.iter().for_each(|item| check(item, text)),
        Value::Map(entries) => entries.iter().for_each(|(_, item)| check(item, text)),
        Value::Tagged { value, .. } => check(value, text),
        Value::Null | Value::Bool(_) | Value::Text(_) => {}
    }
}
