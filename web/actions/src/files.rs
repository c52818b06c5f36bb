//! The files of one visit, so that an address or the Back button can reopen them without asking.

use quipu_protocol::address::Source;

/// The files that were opened in this visit, each with its source; `F` is a file as the platform has it.
pub struct VisitFiles<F> {
    files: Vec<(Source, Vec<F>)>,
    /// The source an address names, and the source the reader gave for it: the same file after it grew.
    given_for: Vec<(Source, Source)>,
}

impl<F> Default for VisitFiles<F> {
    fn default() -> VisitFiles<F> {
        VisitFiles { files: Vec::new(), given_for: Vec::new() }
    }
}

impl<F: Clone> VisitFiles<F> {
    /// What an address means by `source`, and its files: a source that was opened, or that the reader gave for it.
    pub fn known(&self, source: &Source) -> Option<(Source, Vec<F>)> {
        let find = |wanted: &Source| self.files.iter().rev().find(|(known, _)| means(wanted, known)).cloned();
        let given = || self.given_for.iter().find(|(asked, _)| asked == source).map(|(_, given)| given);
        find(source).or_else(|| find(given()?))
    }

    /// From now on, addresses that name `source` refer to `files`.
    pub fn remember(&mut self, source: Source, files: Vec<F>) {
        self.forget(&source);
        self.files.push((source, files));
    }

    /// Forgets the files of `source`.
    pub fn forget(&mut self, source: &Source) {
        self.files.retain(|(known, _)| known != source);
    }

    /// From now on, addresses that name `asked` mean `given`, the same file after it grew.
    pub fn take_for(&mut self, asked: Source, given: Source) {
        self.given_for.retain(|(earlier, _)| *earlier != asked);
        // A file may grow many times in a visit.
        for (_, earlier) in self.given_for.iter_mut().filter(|(_, earlier)| *earlier == asked) {
            *earlier = given.clone();
        }
        self.given_for.push((asked, given));
    }

    /// Whether an address that names `named` means `source` in this visit; the reader may have given a file that has grown since.
    pub fn stands_for(&self, named: &Source, source: &Source) -> bool {
        means(named, source) || self.known(named).is_some_and(|(known, _)| known == *source)
    }

    /// Whether an address that names `named` was waiting for `source`. Where no file was open before (`was_empty`), the reader was asked for
    /// the file of the address: one of that name is accepted, though it may have grown. While a file is open, a file of the same name and
    /// another size is another file.
    pub fn was_awaited(&self, named: &Source, source: &Source, was_empty: bool) -> bool {
        self.stands_for(named, source) || (was_empty && same_name(named, source) && self.known(named).is_none())
    }
}

/// Whether an address that names `named` means `source`: the same sample, or a file of that name and size.
pub fn means(named: &Source, source: &Source) -> bool {
    match (named, source) {
        // An address may leave out the size.
        (Source::File { size_bytes: None, .. }, Source::File { .. }) => same_name(named, source),
        _ => named == source,
    }
}

/// Whether both are the same sample, or files of one name.
pub fn same_name(one: &Source, other: &Source) -> bool {
    match (one, other) {
        (Source::Sample(one), Source::Sample(other)) => one == other,
        (Source::File { name: one, .. }, Source::File { name: other, .. }) => one == other,
        _ => false,
    }
}
