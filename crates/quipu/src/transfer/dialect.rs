//! The dialects of JSON that are imported: how each is recognized, and what reads it.
//!
//! A new dialect is a file with a [`Dialect`], and its line in [`DIALECTS`]. What is not here: protobuf, whose messages of OTLP are
//! recognized by their fields (`wire`); cutting a stream into items (`split`).

use super::DIALECTS;
use quipu_otlp::otlp::ListReader;

/// A dialect of JSON.
pub(super) struct Dialect {
    /// Its name, as in "it is no …".
    pub(super) name: &'static str,
    /// What its documents hold, as in "it holds no …".
    pub(super) content: &'static str,
    /// Members of a document that hold a list, and what reads an item of each. Items are read one by one, so that a document may be of any
    /// length.
    pub(super) lists: &'static [(&'static str, ListReader)],
    /// Documents that are an item without a list around it, where there are such.
    pub(super) bare: Option<Bare>,
}

/// A document that is one item.
pub(super) struct Bare {
    /// The member it is recognized by.
    pub(super) sign: &'static str,
    /// The members that are kept of it.
    pub(super) members: &'static [&'static str],
    /// The list whose items it is like.
    pub(super) list: &'static str,
}

/// What reads the items of the list with this name; `None` where no dialect has such a list.
pub(super) fn reader(list: &str) -> Option<ListReader> {
    let lists = DIALECTS.iter().flat_map(|dialect| dialect.lists);
    lists.into_iter().find(|(name, _)| *name == list).map(|(_, reader)| *reader)
}

/// Whether a member is kept, because its document may be an item itself.
pub(super) fn is_kept(member: &str) -> bool {
    bare().any(|bare| bare.members.contains(&member))
}

/// The list that a document with these members is an item of.
pub(super) fn list_of_bare<'m>(members: impl Iterator<Item = &'m str> + Clone) -> Option<&'static str> {
    bare().find(|bare| members.clone().any(|member| member == bare.sign)).map(|bare| bare.list)
}

fn bare() -> impl Iterator<Item = &'static Bare> {
    DIALECTS.iter().filter_map(|dialect| dialect.bare.as_ref())
}

/// Half a sentence: a file is of no dialect.
pub(super) fn is_none() -> String {
    let names: Vec<&str> = DIALECTS.iter().map(|dialect| dialect.name).collect();
    format!("it is no {}", names.join(" and no "))
}

/// Half a sentence: a document holds nothing that is read.
pub(super) fn holds_none() -> String {
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
