//! Parses JSON into [`Value`]. Keeps the digits of numbers, the order of keys, and duplicate keys.
//!
//! As lenient as Python's `json`: `NaN`, `Infinity` and `-Infinity` are numbers. In addition, control characters may be unescaped in
//! strings, as in JSON written by models. Not here: decoding documents inside strings (`super::nest`).

use super::lex::Cursor;
use super::{MAX_DEPTH, escape};
use crate::{Number, Value};

/// Parses `text` as a single value; `None` if it isn't one. `depth` is the number of enclosing containers; those deeper than [`MAX_DEPTH`]
/// become [`Value::Opaque`].
pub(super) fn parse(text: &str, depth: usize) -> Option<Value> {
    let mut cursor = Cursor::new(text);
    cursor.skip_blanks();
    let value = value(&mut cursor, depth)?;
    cursor.skip_blanks();
    cursor.at_end().then_some(value)
}

fn value(cursor: &mut Cursor<'_>, depth: usize) -> Option<Value> {
    let start = cursor.at;
    match cursor.peek()? {
        b'[' | b'{' if depth >= MAX_DEPTH => {
            cursor.take_bracketed(b"\"")?;
            Some(Value::Opaque(cursor.since(start)?.to_owned()))
        }
        b'[' => list(cursor, depth),
        b'{' => map(cursor, depth),
        b'"' => string(cursor).map(Value::Text),
        b't' => cursor.take_word("true").then_some(Value::Bool(true)),
        b'f' => cursor.take_word("false").then_some(Value::Bool(false)),
        b'n' => cursor.take_word("null").then_some(Value::Null),
        _ => {
            cursor.at += number_length(cursor.rest())?;
            Some(Value::Number(Number(cursor.since(start)?.to_owned())))
        }
    }
}

fn list(cursor: &mut Cursor<'_>, depth: usize) -> Option<Value> {
    cursor.at += 1;
    let mut items = Vec::new();
    cursor.skip_blanks();
    if cursor.take(b']') {
        return Some(Value::List(items));
    }
    loop {
        cursor.skip_blanks();
        items.push(value(cursor, depth + 1)?);
        cursor.skip_blanks();
        if cursor.take(b']') {
            return Some(Value::List(items));
        }
        if !cursor.take(b',') {
            return None;
        }
    }
}

fn map(cursor: &mut Cursor<'_>, depth: usize) -> Option<Value> {
    cursor.at += 1;
    let mut entries = Vec::new();
    cursor.skip_blanks();
    if cursor.take(b'}') {
        return Some(Value::Map(entries));
    }
    loop {
        cursor.skip_blanks();
        if cursor.peek()? != b'"' {
            return None;
        }
        let key = string(cursor)?;
        cursor.skip_blanks();
        if !cursor.take(b':') {
            return None;
        }
        cursor.skip_blanks();
        entries.push((key, value(cursor, depth + 1)?));
        cursor.skip_blanks();
        if cursor.take(b'}') {
            return Some(Value::Map(entries));
        }
        if !cursor.take(b',') {
            return None;
        }
    }
}

fn string(cursor: &mut Cursor<'_>) -> Option<String> {
    let (inner, escaped) = cursor.take_string()?;
    if escaped { escape::unescape_json(inner) } else { Some(inner.to_owned()) }
}

/// Length in bytes of the number at the start, as written by JSON or Python's `json`. `None` if there is none.
pub(super) fn number_length(bytes: &[u8]) -> Option<usize> {
    for word in ["NaN", "Infinity", "-Infinity"] {
        if bytes.starts_with(word.as_bytes()) {
            return Some(word.len());
        }
    }
    let digits = |from: usize| bytes.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    at += match bytes.get(at)? {
        b'0' => 1,
        b'1'..=b'9' => digits(at),
        _ => return None,
    };
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
    }
    Some(at)
}
