//! Decides which strings are documents, and decodes documents in strings inside documents.
//!
//! A document is parsed completely before its strings are, so an error near the end of a string costs one pass, not one per level. Not
//! here: the grammars (`json`, `python`).

use super::{MAX_DEPTH, MAX_NESTED, json, python};
use crate::{Encoding, Value};

/// Decodes `text` and the strings inside it; `None` if it is plain text.
pub(super) fn decode_document(text: &str) -> Option<(Encoding, Value)> {
    let mut nesting = Nesting { bytes_left: text.len().saturating_mul(4).saturating_add(4096) };
    nesting.document(text, 0, 0)
}

struct Nesting {
    /// Remaining budget for nested strings, in bytes.
    bytes_left: usize,
}

impl Nesting {
    fn document(&mut self, text: &str, depth: usize, level: usize) -> Option<(Encoding, Value)> {
        let (encoding, mut value) = parse(text, depth)?;
        self.descend(&mut value, depth, level);
        // A quoted string is a document only if it contains one.
        (!matches!(value, Value::Text(_))).then_some((encoding, value))
    }

    fn descend(&mut self, value: &mut Value, depth: usize, level: usize) {
        match value {
            Value::List(items) => items.iter_mut().for_each(|item| self.descend(item, depth + 1, level)),
            Value::Map(entries) => entries.iter_mut().for_each(|(_, item)| self.descend(item, depth + 1, level)),
            Value::Tagged { tag, .. } if tag == "bytes" => {}
            Value::Tagged { value, .. } => self.descend(value, depth, level),
            Value::Text(text) => {
                if level >= MAX_NESTED || depth + 1 >= MAX_DEPTH || !may_nest(text) || text.len() > self.bytes_left {
                    return;
                }
                self.bytes_left -= text.len();
                if let Some((encoding, inner)) = self.document(text, depth + 1, level + 1) {
                    let raw = std::mem::take(text);
                    *value = Value::Nested { raw, encoding, value: Box::new(inner) };
                }
            }
            _ => {}
        }
    }
}

/// Whether a string inside a document is worth parsing. `<…>` says nothing more once it is taken out of its string.
fn may_nest(text: &str) -> bool {
    kind(text).is_some_and(|kind| kind != Kind::Angle)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `[…]`, `{…}`: JSON or Python.
    Brackets,
    /// `"…"`: JSON or Python.
    Quoted,
    /// `(…)`, `'…'`, `Foo(…)`: Python only.
    Python,
    /// `<…>`: Python only.
    Angle,
}

/// What a string may be, judging from its first and last characters.
fn kind(text: &str) -> Option<Kind> {
    let text = text.trim_matches([' ', '\t', '\n', '\r']).as_bytes();
    if text.len() < 2 {
        return None;
    }
    match (*text.first()?, *text.last()?) {
        (b'[', b']') | (b'{', b'}') => Some(Kind::Brackets),
        (b'"', b'"') => Some(Kind::Quoted),
        (b'(', b')') | (b'\'', b'\'') => Some(Kind::Python),
        (b'<', b'>') => Some(Kind::Angle),
        (b'A'..=b'Z' | b'a'..=b'z' | b'_', b')') => {
            let name = super::fragment::name_length(text);
            matches!(text.get(name)?, b'(' | b'[').then_some(Kind::Python)
        }
        _ => None,
    }
}

fn parse(text: &str, depth: usize) -> Option<(Encoding, Value)> {
    let as_python = |value| (Encoding::Python, value);
    match kind(text)? {
        Kind::Brackets | Kind::Quoted => match json::parse(text, depth) {
            Some(value) => Some((Encoding::Json, value)),
            None => python::parse(text, depth).map(as_python),
        },
        Kind::Python | Kind::Angle => python::parse(text, depth).map(as_python),
    }
}
