//! How long a link some programs take. Measured by others and rounded down; a program may have changed since.
//!
//! What is not here: how long a link is.

/// A program and the longest link it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkLimit {
    /// The program, or what it does with the link.
    pub name: &'static str,
    /// Letters at most.
    pub letters: usize,
}

/// Shortest first.
pub const LINK_LIMITS: [LinkLimit; 7] = [
    LinkLimit { name: "Discord", letters: 2_000 },
    LinkLimit { name: "Outlook and Excel", letters: 2_080 },
    LinkLimit { name: "Slack", letters: 4_000 },
    LinkLimit { name: "a GitHub comment", letters: 65_536 },
    LinkLimit { name: "Safari", letters: 80_000 },
    LinkLimit { name: "Firefox", letters: 1_000_000 },
    LinkLimit { name: "Chromium", letters: 2_000_000 },
];

/// Who takes a link of so many letters, and who cuts it, in a sentence.
pub fn length_text(letters: usize) -> String {
    let names = |takes: bool| {
        let names: Vec<&str> = taken_by(letters).filter(|(_, does)| *does == takes).map(|(limit, _)| limit.name).collect();
        names.join(", ")
    };
    let count = quipu_model::format::count(letters as u64);
    match (names(true), names(false)) {
        (all, cut) if cut.is_empty() => format!("{count} letters: {all} take it."),
        (none, _) if none.is_empty() => format!("{count} letters: no browser takes it. Leave out large values, or hand on a file."),
        (some, cut) => format!("{count} letters. Taken by {some}. Too long for {cut}."),
    }
}

/// Which of [`LINK_LIMITS`] take a link of so many letters, each with whether it does.
pub fn taken_by(letters: usize) -> impl Iterator<Item = (&'static LinkLimit, bool)> {
    LINK_LIMITS.iter().map(move |limit| (limit, letters <= limit.letters))
}
