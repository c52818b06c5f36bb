//! JSON values as returned by SQLite's `json_extract`, and SQLite's comparison of them.
//!
//! true and false are 1 and 0; an integer that does not fit 64 bits is a double; a list or a map is its JSON without blanks. Values are
//! never converted: text is greater than any number, text compares by bytes, and NULL compares with nothing.

use quipu_store::compare_integer_real;
use std::borrow::Cow;
use std::cmp::Ordering;

/// A value in SQLite's type system.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SqlValue<'a> {
    Null,
    Integer(i64),
    Real(f64),
    /// Bytes, because a lone surrogate is not valid UTF-8.
    Text(Cow<'a, [u8]>),
}

impl<'a> SqlValue<'a> {
    /// Parses one JSON value.
    pub(crate) fn read(json: &'a [u8]) -> SqlValue<'a> {
        match json.first() {
            Some(b'"') => {
                let inner = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
                SqlValue::Text(if memchr::memchr(b'\\', inner).is_some() { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) })
            }
            Some(b'[' | b'{') => SqlValue::Text(Cow::Owned(without_blanks(json))),
            Some(b't') => SqlValue::Integer(1),
            Some(b'f') => SqlValue::Integer(0),
            Some(b'-' | b'0'..=b'9' | b'I') => number(json),
            // `null`, and `NaN`, which SQLite reads as null.
            _ => SqlValue::Null,
        }
    }

    /// SQLite's order; `None` if either value is NULL.
    pub(crate) fn compare(&self, other: &SqlValue<'_>) -> Option<Ordering> {
        Some(match (self, other) {
            (SqlValue::Null, _) | (_, SqlValue::Null) => return None,
            (SqlValue::Integer(one), SqlValue::Integer(two)) => one.cmp(two),
            (SqlValue::Integer(one), SqlValue::Real(two)) => compare_integer_real(*one, *two),
            (SqlValue::Real(one), SqlValue::Integer(two)) => compare_integer_real(*two, *one).reverse(),
            (SqlValue::Real(one), SqlValue::Real(two)) => one.partial_cmp(two)?,
            (SqlValue::Text(one), SqlValue::Text(two)) => one.cmp(two),
            (SqlValue::Text(_), _) => Ordering::Greater,
            (_, SqlValue::Text(_)) => Ordering::Less,
        })
    }
}

fn number<'a>(json: &[u8]) -> SqlValue<'a> {
    let Ok(text) = std::str::from_utf8(json) else { return SqlValue::Null };
    match text {
        "Infinity" => return SqlValue::Real(f64::INFINITY),
        "-Infinity" => return SqlValue::Real(f64::NEG_INFINITY),
        _ => {}
    }
    if let Ok(whole) = text.parse() {
        return SqlValue::Integer(whole);
    }
    text.parse().map_or(SqlValue::Null, SqlValue::Real)
}

/// Decodes the inside of a JSON string to bytes. Like SQLite, encodes a lone surrogate in three bytes and drops an invalid escape.
pub(crate) fn unescape(inner: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let (code, used) = match rest.get(1) {
            Some(b'u') => unicode(rest),
            Some(b'b') => (Some(8), 2),
            Some(b'f') => (Some(12), 2),
            Some(b'n') => (Some(10), 2),
            Some(b'r') => (Some(13), 2),
            Some(b't') => (Some(9), 2),
            Some(byte @ (b'"' | b'/' | b'\\' | b'\'')) => (Some(u32::from(*byte)), 2),
            _ => (None, 2),
        };
        if let Some(code) = code {
            push_code(&mut out, code);
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

fn unicode(rest: &[u8]) -> (Option<u32>, usize) {
    let hex = |at: usize| {
        let digits = rest.get(at..at + 4)?;
        digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
    };
    let Some(unit) = hex(2) else { return (None, 2) };
    if unit & 0xfc00 == 0xd800
        && rest.get(6..8) == Some(b"\\u")
        && let Some(low) = hex(8).filter(|low| low & 0xfc00 == 0xdc00)
    {
        return (Some(((unit & 0x3ff) << 10) + (low & 0x3ff) + 0x1_0000), 12);
    }
    (Some(unit), 6)
}

fn push_code(out: &mut Vec<u8>, code: u32) {
    let tail = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
    match code {
        0..0x80 => out.push((code & 0x7f) as u8),
        0x80..0x800 => out.extend([0xc0 | (code >> 6 & 0x1f) as u8, tail(0)]),
        0x800..0x1_0000 => out.extend([0xe0 | (code >> 12 & 0xf) as u8, tail(6), tail(0)]),
        _ => out.extend([0xf0 | (code >> 18 & 7) as u8, tail(12), tail(6), tail(0)]),
    }
}

/// A list or a map as SQLite prints it: without blanks between tokens, and with JSON's substitutes for `NaN` and `Infinity`.
fn without_blanks(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => {
                let end = string_end(json, at).unwrap_or(json.len());
                out.extend_from_slice(json.get(at..end).unwrap_or_default());
                at = end;
                continue;
            }
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'N' => {
                out.extend_from_slice(b"null");
                at += 3;
                continue;
            }
            b'I' => {
                out.extend_from_slice(b"9.0e999");
                at += 8;
                continue;
            }
            other => out.push(*other),
        }
        at += 1;
    }
    out
}

/// The offset after the string that opens at `at`.
pub(super) fn string_end(json: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', json.get(at..)?)?;
        if json.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}
