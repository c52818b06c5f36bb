//! Maximum link lengths of some programs, measured by others and rounded down. Programs may have changed since.

/// A program and its maximum link length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkLimit {
    /// The program, or how it uses the link.
    pub name: &'static str,
    /// Maximum number of characters.
    pub letters: usize,
}

/// Sorted by length, shortest first.
pub const LINK_LIMITS: [LinkLimit; 7] = [
    LinkLimit { name: "Discord", letters: 2_000 },
    LinkLimit { name: "Outlook and Excel", letters: 2_080 },
    LinkLimit { name: "Slack", letters: 4_000 },
    LinkLimit { name: "a GitHub comment", letters: 65_536 },
    LinkLimit { name: "Safari", letters: 80_000 },
    LinkLimit { name: "Firefox", letters: 1_000_000 },
    LinkLimit { name: "Chromium", letters: 2_000_000 },
];

/// A sentence about which programs accept a link of this length and which truncate it.
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

/// The [`LINK_LIMITS`], each with whether it accepts a link of this length.
pub fn taken_by(letters: usize) -> impl Iterator<Item = (&'static LinkLimit, bool)> {
    LINK_LIMITS.iter().map(move |limit| (limit, letters <= limit.letters))
}
