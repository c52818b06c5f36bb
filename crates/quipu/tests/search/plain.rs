//! A naive search without the core: unescapes every text repeatedly, lowercases it, and looks for the string.

use rusqlite::Connection;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// A span with everything a reader can find in it, in lower case.
pub(crate) struct PlainSpan {
    pub(crate) rowid: i64,
    pub(crate) span_id: String,
    pub(crate) texts: Vec<String>,
}

/// Undoes one level of escapes.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let digits = |from: usize, len: usize| rest.get(from..from + len).and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let (unit, used) = match (rest.get(..2), digits(2, 4), digits(2, 2)) {
            (Some("\\u"), Some(unit), _) => (Some(unit), 6),
            (Some("\\x"), _, Some(unit)) => (Some(unit), 4),
            _ => (None, 0),
        };
        if let Some(unit) = unit {
            units.push(unit);
            rest = &rest[used..];
            continue;
        }
        out.push_str(&String::from_utf16_lossy(&std::mem::take(&mut units)));
        let next = rest[letter.len_utf8()..].chars().next();
        if letter == '\\'
            && let Some(escaped) = next
        {
            match escaped {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                '"' | '\'' | '\\' | '/' => out.push(escaped),
                // Not an escape at this level.
                other => out.extend(['\\', other]),
            }
            rest = &rest[1 + escaped.len_utf8()..];
        } else {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    out.push_str(&String::from_utf16_lossy(&units));
    out
}

fn take(text: &str, texts: &mut Vec<String>) {
    let mut text = text.to_owned();
    for _ in 0..4 {
        texts.push(text.to_lowercase());
        let inside = unescape(&text);
        if inside == text {
            break;
        }
        text = inside;
    }
}

fn take_attributes(text: &str, texts: &mut Vec<String>) {
    match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(object)) => {
            for (key, value) in &object {
                take(key, texts);
                match value {
                    Json::String(value) => take(value, texts),
                    other => take(&other.to_string(), texts),
                }
            }
        }
        _ => take(text, texts),
    }
}

/// Every span of a file, newest first.
pub(crate) fn read(file: &std::path::Path) -> Vec<PlainSpan> {
    let connection = Connection::open(file).expect("SQLite opens it");
    let mut spans: BTreeMap<String, PlainSpan> = BTreeMap::new();
    let mut statement = connection.prepare("SELECT rowid, span_id, name, attributes FROM spans").expect("spans");
    let mut rows = statement.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let span_id: String = row.get(1).expect("an id");
        let mut texts = Vec::new();
        take(&row.get::<_, String>(2).expect("a name"), &mut texts);
        take_attributes(&row.get::<_, String>(3).expect("attributes"), &mut texts);
        spans.insert(span_id.clone(), PlainSpan { rowid: row.get(0).expect("a rowid"), span_id, texts });
    }
    let mut statement = connection.prepare("SELECT span_id, name, attributes FROM span_events").expect("events");
    let mut rows = statement.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let Some(span) = spans.get_mut(&row.get::<_, String>(0).expect("an id")) else { continue };
        take(&row.get::<_, String>(1).expect("a name"), &mut span.texts);
        take_attributes(&row.get::<_, String>(2).expect("attributes"), &mut span.texts);
    }
    let mut spans: Vec<PlainSpan> = spans.into_values().collect();
    spans.sort_by_key(|span| std::cmp::Reverse(span.rowid));
    spans
}

/// Ids of the spans that contain `text`, newest first.
pub(crate) fn hits(spans: &[PlainSpan], text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    spans.iter().filter(|span| span.texts.iter().any(|held| held.contains(&text))).map(|span| span.span_id.clone()).collect()
}

/// Words of a file: some of all lengths and frequencies, and every one that is not ASCII.
pub(crate) fn words(spans: &[PlainSpan]) -> Vec<String> {
    let mut words: BTreeSet<&str> = BTreeSet::new();
    for span in spans {
        for text in &span.texts {
            words.extend(text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.chars().count() > 3));
        }
    }
    let (plain, other): (Vec<&str>, Vec<&str>) = words.into_iter().partition(|word| word.is_ascii());
    let step = (plain.len() / 24).max(1);
    let picked = plain.into_iter().step_by(step).chain(other.into_iter().take(16));
    picked.enumerate().map(|(at, word)| if at % 2 == 0 { word.to_uppercase() } else { word.to_owned() }).collect()
}
