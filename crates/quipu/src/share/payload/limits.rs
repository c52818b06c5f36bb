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

/// Which of [`LINK_LIMITS`] take a link of so many letters, each with whether it does.
pub fn taken_by(letters: usize) -> impl Iterator<Item = (&'static LinkLimit, bool)> {
    LINK_LIMITS.iter().map(move |limit| (limit, letters <= limit.letters))
}
