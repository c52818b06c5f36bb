//! JSON paths of condition keys: evaluates `$.` + key over recorded JSON the way SQLite does.
//!
//! A dot descends, `[2]` and `[#-1]` index a list, and quotes keep a dotted key together: `"a.b"`. SQLite reports a malformed path only
//! when evaluation reaches the malformed part, and so does this module. Not here: comparing values (`value`).

use super::value::{string_end, unescape};
use hashbrown::HashMap;
use quipu_model::recorded::entries;
use std::borrow::Cow;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    steps: Vec<PathStep>,
    /// Set if the rest of the key after the steps is malformed.
    malformed: Option<Malformed>,
}

/// When the malformed part of a path is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Malformed {
    /// At any value.
    Always,
    /// At a list only: the part starts with a bracket, and SQLite finds nothing at other values.
    AtList,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PathStep {
    Key(Box<str>),
    Index(u64),
    /// Counted from the end; 0 is the position after the last item.
    FromEnd(u64),
}

/// The result of evaluating a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup<'a> {
    /// The JSON value, as written.
    Value(&'a [u8]),
    /// No value; NULL in SQLite.
    Nothing,
    /// Evaluation reached the malformed part of the path.
    Malformed,
}

impl Path {
    /// Parses the key of a condition.
    pub(crate) fn parse(key: &str) -> Path {
        let mut steps = Vec::new();
        let mut rest = key;
        // SQLite sees `$.` before the key, so the first step is always a key.
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

    /// Whether not even the first step is valid, so that evaluation fails on every span.
    pub(crate) fn is_always_malformed(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether evaluation may fail at the end of the path.
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

    /// Whether the path consists of a single key.
    pub(crate) fn is_plain(&self) -> bool {
        self.steps.len() == 1 && self.malformed.is_none()
    }

    /// Evaluates the path over `attributes`. Of duplicate keys the first counts, as in SQLite.
    pub(crate) fn find<'a>(&self, attributes: &'a [u8]) -> Lookup<'a> {
        self.follow(attributes, &self.steps)
    }

    /// Evaluates the path over attributes of which the value under [`Path::first_key`] is known.
    pub(crate) fn find_below<'a>(&self, first: Option<&'a [u8]>) -> Lookup<'a> {
        first.map_or(Lookup::Nothing, |json| self.follow(json, self.steps.get(1..).unwrap_or_default()))
    }

    fn follow<'a>(&self, mut json: &'a [u8], steps: &[PathStep]) -> Lookup<'a> {
        for step in steps {
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
    let after = inner.strip_prefix('#')?;
    if let Some(tail) = after.strip_prefix(']') {
        return Some((PathStep::FromEnd(0), tail));
    }
    let (back, tail) = digits(after.strip_prefix('-')?)?;
    Some((PathStep::FromEnd(back), tail.strip_prefix(']')?))
}

/// Parses leading digits and returns the rest. Saturates on overflow: no list has that many items.
fn digits(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    (end > 0).then(|| (number.parse().unwrap_or(u64::MAX), rest))
}

/// The values of a map by key; none if it is not a map. Of duplicate keys the first counts.
pub(crate) fn values_of(json: &[u8]) -> HashMap<Cow<'_, str>, &[u8]> {
    let mut values = HashMap::new();
    if json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') {
        // Values before damage are found, as by `find`.
        for (name, value) in entries(json).map_while(Result::ok) {
            values.entry(name).or_insert_with(|| value.bytes());
        }
    }
    values
}

fn value_of<'a>(json: &'a [u8], key: &str) -> Option<&'a [u8]> {
    if json.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return None;
    }
    // Damage after the value goes unnoticed here; the pass over the file has counted it.
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

/// The items of the list in `json`; none if it is not a list.
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

/// `key` in quotes, as a JSON writer writes it; `None` if it may need escapes.
pub(crate) fn quoted(key: &str) -> Option<Cow<'static, [u8]>> {
    let is_plain = key.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\');
    is_plain.then(|| Cow::Owned(format!("\"{key}\"").into_bytes()))
}
