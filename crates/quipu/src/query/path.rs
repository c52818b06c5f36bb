//! The JSON path of a condition's key: what SQLite makes of `$.` and the key, over JSON as recorded.
//!
//! A dot descends, `[2]` and `[#-1]` index a list, and quotes keep a dotted key together: `"a.b"`. Where a path is malformed SQLite
//! complains only when it gets there; so does this. What is not here: comparing what was found (`value`).

use super::value::unescape;
use quipu_model::recorded::entries;
use std::borrow::Cow;

/// A parsed path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    steps: Vec<PathStep>,
    /// What follows the steps and can't be read as a path.
    malformed: Option<Malformed>,
}

/// Where the malformed end of a path is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Malformed {
    /// At whatever stands there.
    Always,
    /// It opens a bracket: SQLite looks inside only at a list, and finds nothing at anything else.
    AtList,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PathStep {
    Key(Box<str>),
    Index(u64),
    /// So many from the end; 0 is behind it.
    FromEnd(u64),
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup<'a> {
    /// The JSON value, as written.
    Value(&'a [u8]),
    /// Nothing: NULL to SQLite.
    Nothing,
    /// The malformed end of the path was reached.
    Malformed,
}

impl Path {
    /// Reads a condition's key.
    pub(crate) fn parse(key: &str) -> Path {
        let mut steps = Vec::new();
        let mut rest = key;
        // The key stands behind `$.`: its first step is a key.
        let mut after_dot = true;
        loop {
            if after_dot {
                let Some((step, tail)) = key_step(rest) else { return Path { steps, malformed: Some(Malformed::Always) } };
                steps.push(step);
                rest = tail;
            } else if let Some((step, tail)) = index_step(rest) {
                steps.push(step);
                rest = tail;
            } else {
                let malformed = if rest.starts_with('[') { Malformed::AtList } else { Malformed::Always };
                return Path { steps, malformed: Some(malformed) };
            }
            if rest.is_empty() {
                return Path { steps, malformed: None };
            }
            after_dot = rest.starts_with('.');
            if after_dot {
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }

    /// Whether not even its first step can be read, so that it fails on every span.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether it fails where its end is reached.
    pub(crate) fn is_malformed(&self) -> bool {
        self.malformed.is_some()
    }

    /// The key of the first step.
    pub(crate) fn first_key(&self) -> Option<&str> {
        match self.steps.first() {
            Some(PathStep::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// Whether it is one key and nothing more.
    pub(crate) fn is_plain(&self) -> bool {
        self.steps.len() == 1 && self.malformed.is_none()
    }

    /// What stands at this path in `attributes`. Of a key that stands twice the first counts, as for SQLite.
    pub(crate) fn find<'a>(&self, attributes: &'a [u8]) -> Lookup<'a> {
        let mut json = attributes;
        for step in &self.steps {
            let next = match step {
                PathStep::Key(key) => value_of(json, key),
                PathStep::Index(index) => item(json, *index),
                PathStep::FromEnd(back) => {
                    let count = items(json).count() as u64;
                    count.checked_sub(*back).and_then(|index| item(json, index))
                }
            };
            match next {
                Some(value) => json = value,
                None => return Lookup::Nothing,
            }
        }
        match self.malformed {
            None => Lookup::Value(json),
            Some(Malformed::AtList) if json.first() != Some(&b'[') => Lookup::Nothing,
            Some(_) => Lookup::Malformed,
        }
    }
}

fn key_step(rest: &str) -> Option<(PathStep, &str)> {
    if let Some(quoted) = rest.strip_prefix('"') {
        let mut at = 0;
        let bytes = quoted.as_bytes();
        while *bytes.get(at)? != b'"' {
            at += if bytes.get(at) == Some(&b'\\') && bytes.get(at + 1).is_some() { 2 } else { 1 };
        }
        let inner = quoted.get(..at)?;
        let key = if inner.contains('\\') { String::from_utf8_lossy(&unescape(inner.as_bytes())).into_owned() } else { inner.to_owned() };
        return Some((PathStep::Key(key.into()), quoted.get(at + 1..)?));
    }
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (key, tail) = rest.split_at(end);
    (!key.is_empty()).then(|| (PathStep::Key(key.into()), tail))
}

fn index_step(rest: &str) -> Option<(PathStep, &str)> {
    let inner = rest.strip_prefix('[')?;
    if let Some((index, tail)) = digits(inner) {
        return Some((PathStep::Index(index), tail.strip_prefix(']')?));
    }
    let behind = inner.strip_prefix('#')?;
    if let Some(tail) = behind.strip_prefix(']') {
        return Some((PathStep::FromEnd(0), tail));
    }
    let (back, tail) = digits(behind.strip_prefix('-')?)?;
    Some((PathStep::FromEnd(back), tail.strip_prefix(']')?))
}

/// The number a text begins with, and the rest. One that is larger than any list is larger than any list here too.
fn digits(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    (end > 0).then(|| (number.parse().unwrap_or(u64::MAX), rest))
}

fn value_of<'a>(json: &'a [u8], key: &str) -> Option<&'a [u8]> {
    if json.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return None;
    }
    // Damage behind the value that was found is not looked for: the pass over the file has counted it.
    for entry in entries(json) {
        let (name, value) = entry.ok()?;
        if name == key {
            return Some(value.bytes());
        }
    }
    None
}

fn item(json: &[u8], index: u64) -> Option<&[u8]> {
    items(json).nth(usize::try_from(index).ok()?)
}

/// The items of the list in `json`; none where it is no list.
fn items(json: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = if json.first() == Some(&b'[') { 1 } else { json.len() };
    std::iter::from_fn(move || {
        at = past_blanks(json, at);
        if json.get(at) == Some(&b',') {
            at = past_blanks(json, at + 1);
        }
        if matches!(json.get(at)?, b']') {
            return None;
        }
        let start = at;
        at = value_end(json, at)?;
        json.get(start..at)
    })
}

fn past_blanks(json: &[u8], mut at: usize) -> usize {
    while matches!(json.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

fn value_end(json: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut depth = 0_usize;
    loop {
        match json.get(at)? {
            b'"' => at = string_end(json, at)?,
            b'[' | b'{' => {
                depth += 1;
                at += 1;
            }
            b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            _ if depth == 0 => {
                let rest = json.get(at..)?;
                at += rest.iter().position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r')).unwrap_or(rest.len());
            }
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The place after the string that opens at `at`.
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

/// How `key` stands in an object that a JSON writer made: in quotes, where nothing in it needs an escape.
pub(crate) fn quoted(key: &str) -> Option<Cow<'static, [u8]>> {
    let is_plain = key.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\');
    is_plain.then(|| Cow::Owned(format!("\"{key}\"").into_bytes()))
}
