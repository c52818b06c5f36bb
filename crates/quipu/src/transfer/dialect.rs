//! The JSON dialects that can be imported: how to recognize each, and the parsers of its items.
//!
//! A new dialect needs a module with a [`Dialect`], and an entry in [`DIALECTS`]. Not here: OTLP in protobuf, which is recognized by its
//! fields (`wire`); splitting a stream into items (`split`).

use super::DIALECTS;
use quipu_otlp::otlp::ListReader;

pub(super) struct Dialect {
    /// Its name, for messages such as "it is no …".
    pub(super) name: &'static str,
    /// The content of its documents, for messages such as "it holds no …".
    pub(super) content: &'static str,
    /// Members of a document that hold a list, with the parser of their items. Items are parsed one by one, so that documents may be of any
    /// length.
    pub(super) lists: &'static [(&'static str, ListReader)],
    /// Set if a document may also be a single item without a list around it.
    pub(super) bare: Option<Bare>,
}

/// A document that is a single item.
pub(super) struct Bare {
    /// The member it is recognized by.
    pub(super) sign: &'static str,
    /// The members to keep.
    pub(super) members: &'static [&'static str],
    /// The list whose items have the same form.
    pub(super) list: &'static str,
}

/// The parser for items of the list with this name; `None` if no dialect has such a list.
pub(super) fn reader(list: &str) -> Option<ListReader> {
    let lists = DIALECTS.iter().flat_map(|dialect| dialect.lists);
    lists.into_iter().find(|(name, _)| *name == list).map(|(_, reader)| *reader)
}

/// Whether a member must be kept, because its document may be a single item.
pub(super) fn is_kept(member: &str) -> bool {
    bare().any(|bare| bare.members.contains(&member))
}

/// The list that a document with these members could be an item of.
pub(super) fn list_of_bare<'m>(members: impl Iterator<Item = &'m str> + Clone) -> Option<&'static str> {
    bare().find(|bare| members.clone().any(|member| member == bare.sign)).map(|bare| bare.list)
}

fn bare() -> impl Iterator<Item = &'static Bare> {
    DIALECTS.iter().filter_map(|dialect| dialect.bare.as_ref())
}

/// The end of a sentence, for a file of no known dialect.
pub(super) fn unknown_message() -> String {
    let names: Vec<&str> = DIALECTS.iter().map(|dialect| dialect.name).collect();
    format!("it is no {}", names.join(" and no "))
}

/// The end of a sentence, for a document without any known content.
pub(super) fn no_content_message() -> String {
    let contents: Vec<&str> = DIALECTS.iter().map(|dialect| dialect.content).collect();
    format!("it holds no {}", contents.join(", and no "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_one_reader_and_every_bare_document_a_list() {
        let names: Vec<&str> = DIALECTS.iter().flat_map(|dialect| dialect.lists).map(|(name, _)| *name).collect();
        for name in &names {
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
        for bare in bare() {
            assert!(reader(bare.list).is_some() && bare.members.contains(&bare.sign), "{}", bare.list);
        }
    }
}
