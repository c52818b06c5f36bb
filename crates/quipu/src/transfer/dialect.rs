//! The JSON dialects that can be imported: how to recognize each, and the readers of its items.
//!
//! A new dialect needs a module with a [`Dialect`], and an entry in [`DIALECTS`]. Not here: OTLP in protobuf, which is recognized by its
//! fields (`wire`); splitting a stream into items (`split`).

use super::DIALECTS;
use quipu_model::Value;
use quipu_model::recorded::entries;
use quipu_otlp::fields::same;
use quipu_otlp::rows::Rows;
use quipu_store::other_json;

pub(super) struct Dialect {
    /// Its name, for messages such as "it is no …".
    pub(super) name: &'static str,
    /// The content of its documents, for messages such as "it holds no …".
    pub(super) content: &'static str,
    /// Members of a document that hold a list of items. Items are read one by one, so that documents may be of any length.
    pub(super) lists: &'static [&'static str],
    /// A document that has all of these members, in any spelling of their letters, is itself an item of the list with this name.
    pub(super) signs: &'static [(&'static [&'static str], &'static str)],
    /// Starts reading an input.
    pub(super) start: fn(Input) -> Box<dyn Reader>,
}

/// What is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Input {
    /// How many inputs the import had before it.
    pub(super) number: u64,
}

/// Reads the items of one input.
pub(super) trait Reader {
    /// Converts an item of the list with this name to rows. Items that can't be kept are added to the problems.
    fn take(&mut self, rows: &mut Rows, list: &str, item: &Value);

    /// Adds the rows of items that wait for others, at the end of the input. The result names what was left out, as ends of sentences.
    fn finish(&mut self, _rows: &mut Rows) -> Vec<String> {
        Vec::new()
    }
}

/// A reader that keeps nothing from one item to the next.
pub(super) struct Each(pub(super) fn(&mut Rows, &str, &Value));

impl Reader for Each {
    fn take(&mut self, rows: &mut Rows, list: &str, item: &Value) {
        (self.0)(rows, list, item);
    }
}

/// Lists that several programs answer with: their items are recognized one by one.
const SHARED: [&str; 3] = ["data", "hits", "traces"];

/// Members that may have a whole document inside, as answers of servers do.
const WRAPPERS: [&str; 5] = ["data", "hits", "result", "trace", "_source"];

/// How deeply documents may be wrapped.
pub(super) const MAX_WRAPPERS: u32 = 4;

/// Whether the list with this name is split into its items.
pub(super) fn is_list(list: &str) -> bool {
    SHARED.contains(&list) || of_list(list).is_some()
}

/// Whether this member may have a whole document inside.
pub(super) fn is_wrapper(member: &str) -> bool {
    WRAPPERS.contains(&member)
}

/// The number of the dialect that has a list with this name.
pub(super) fn of_list(list: &str) -> Option<usize> {
    DIALECTS.iter().position(|dialect| dialect.lists.contains(&list))
}

/// A document of a known dialect.
pub(super) struct Recognized<'j> {
    /// The dialect's number.
    pub(super) dialect: usize,
    /// The list that it could be an item of.
    pub(super) list: &'static str,
    /// The document, out of its wrappers.
    pub(super) json: &'j [u8],
}

/// Recognizes a document by its members, or says what it is, as the end of a sentence.
pub(super) fn recognize(json: &[u8]) -> Result<Recognized<'_>, String> {
    within(json, 0).ok_or_else(|| match other_json(&members(json)) {
        Some(what) => format!("it is {what}"),
        None => no_content_message(),
    })
}

fn members(json: &[u8]) -> Vec<String> {
    entries(json).map_while(Result::ok).map(|(key, _)| key.into_owned()).collect()
}

fn within(json: &[u8], depth: u32) -> Option<Recognized<'_>> {
    let names = members(json);
    let has = |sign: &&str| names.iter().any(|name| same(name, sign));
    for (dialect, found) in DIALECTS.iter().enumerate() {
        if let Some((_, list)) = found.signs.iter().find(|(sign, _)| sign.iter().all(has)) {
            return Some(Recognized { dialect, list, json });
        }
    }
    if depth == MAX_WRAPPERS {
        return None;
    }
    let wrapped = entries(json).map_while(Result::ok).filter(|(key, value)| is_wrapper(key) && value.bytes().first() == Some(&b'{'));
    wrapped.into_iter().find_map(|(_, value)| within(value.bytes(), depth + 1))
}

/// Whether a document is an answer without content.
pub(super) fn is_empty(json: &[u8]) -> bool {
    let is_none = |value: &[u8]| matches!(value, b"{}" | b"[]" | b"null");
    let mut wrapped = entries(json).map_while(Result::ok).filter(|(key, _)| is_wrapper(key) || SHARED.contains(&key.as_ref()));
    wrapped.any(|(_, value)| is_none(value.bytes()))
}

/// The end of a sentence, for a file of no known dialect.
pub(super) fn unknown_message() -> String {
    format!("it is none of {}", joined(DIALECTS.iter().map(|dialect| dialect.name)))
}

/// The end of a sentence, for a document without any known content.
pub(super) fn no_content_message() -> String {
    format!("it holds none of these: {}", joined(DIALECTS.iter().map(|dialect| dialect.content)))
}

fn joined(names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_of_one_dialect() {
        let names: Vec<&str> = DIALECTS.iter().flat_map(|dialect| dialect.lists).copied().chain(SHARED).collect();
        for name in &names {
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
    }
}
