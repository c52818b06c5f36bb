//! `LIKE` and `GLOB` with a limit. They replace SQLite's own, whose time is the product of the lengths of pattern and value and which can't be
//! interrupted.
//!
//! Results are SQLite's: `LIKE` ignores the case of ASCII letters only, and a text ends at its first NUL. Not here: putting them in SQLite's
//! place (`functions`).

use memchr::{memchr, memchr2};

/// Comparisons after which a value counts as too large for its pattern: a few seconds.
const MAX_STEPS: usize = 1_000_000_000;

/// What a pattern is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect<'a> {
    /// `%` and `_`; the character that makes the next one mean itself.
    Like(Option<&'a [u8]>),
    /// `*`, `?` and `[a-z]`.
    Glob,
}

/// A part of a pattern that stands for one character, or for any number of them.
enum Part<'p> {
    Many,
    One,
    Letter(&'p [u8]),
    /// What is between the brackets, and whether it is what may not be there.
    Set(&'p [u8], bool),
    /// A pattern that can't match anything.
    Nothing,
}

/// Whether the text matches the whole pattern; `None` if that takes too long.
pub(super) fn is_like(pattern: &[u8], text: &[u8], dialect: Dialect<'_>) -> Option<bool> {
    bounded(until_nul(pattern), until_nul(text), dialect, MAX_STEPS)
}

fn bounded(pattern: &[u8], text: &[u8], dialect: Dialect<'_>, max_steps: usize) -> Option<bool> {
    let (mut in_pattern, mut in_text, mut steps) = (pattern, text, 0);
    // Where to go on if what follows the last `%` does not match: after it in the pattern, one character later in the text.
    let mut again: Option<(&[u8], &[u8])> = None;
    loop {
        steps += 1;
        if steps > max_steps {
            return None;
        }
        let matched = match part(in_pattern, dialect) {
            None => {
                if in_text.is_empty() {
                    return Some(true);
                }
                None
            }
            Some((Part::Many, rest)) => {
                if rest.is_empty() {
                    return Some(true);
                }
                in_text = start_of(rest, in_text, dialect)?;
                again = Some((rest, in_text));
                in_pattern = rest;
                continue;
            }
            Some((part, rest)) => letter(in_text).filter(|(found, _)| is_one(&part, found, dialect)).map(|(_, left)| (rest, left)),
        };
        match (matched, again) {
            (Some((rest, left)), _) => (in_pattern, in_text) = (rest, left),
            (None, None) => return Some(false),
            (None, Some((rest, from))) => {
                let Some((_, left)) = letter(from) else { return Some(false) };
                in_pattern = rest;
                in_text = start_of(rest, left, dialect)?;
                again = Some((rest, in_text));
            }
        }
    }
}

/// The rest of the text from where the first part of the pattern can match, found faster than character by character.
fn start_of<'t>(pattern: &[u8], text: &'t [u8], dialect: Dialect<'_>) -> Option<&'t [u8]> {
    let Some((Part::Letter(wanted), _)) = part(pattern, dialect) else { return Some(text) };
    let Some(first) = wanted.first() else { return Some(text) };
    let at = match dialect {
        Dialect::Like(_) => memchr2(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text),
        Dialect::Glob => memchr(*first, text),
    };
    text.get(at.unwrap_or(text.len())..)
}

/// The first part of a pattern, and the rest; `None` at its end.
fn part<'p>(pattern: &'p [u8], dialect: Dialect<'_>) -> Option<(Part<'p>, &'p [u8])> {
    let (found, rest) = letter(pattern)?;
    Some(match (dialect, found) {
        // The escape comes first: it may be a wildcard itself.
        (Dialect::Like(Some(escape)), found) if found == escape => match letter(rest) {
            Some((next, rest)) => (Part::Letter(next), rest),
            None => (Part::Nothing, rest),
        },
        (Dialect::Like(_), b"%") | (Dialect::Glob, b"*") => (Part::Many, rest),
        (Dialect::Like(_), b"_") | (Dialect::Glob, b"?") => (Part::One, rest),
        (Dialect::Glob, b"[") => set(rest),
        (_, found) => (Part::Letter(found), rest),
    })
}

/// The characters between brackets. A `]` that comes first is one of them.
fn set(pattern: &[u8]) -> (Part<'_>, &[u8]) {
    let is_not = pattern.first() == Some(&b'^');
    let inside = pattern.get(usize::from(is_not)..).unwrap_or_default();
    let skipped = usize::from(inside.first() == Some(&b']'));
    match inside.get(skipped..).and_then(|rest| memchr(b']', rest)).map(|at| at + skipped) {
        Some(end) => (Part::Set(inside.get(..end).unwrap_or_default(), is_not), inside.get(end + 1..).unwrap_or_default()),
        None => (Part::Nothing, &[]),
    }
}

fn is_one(part: &Part<'_>, found: &[u8], dialect: Dialect<'_>) -> bool {
    match part {
        Part::One => true,
        Part::Letter(wanted) if dialect == Dialect::Glob => *wanted == found,
        Part::Letter(wanted) => wanted.eq_ignore_ascii_case(found),
        Part::Set(inside, is_not) => is_in(inside, found) != *is_not,
        Part::Many | Part::Nothing => false,
    }
}

/// Whether a character is one of those between brackets, or in a range of them. UTF-8 sorts like the characters.
fn is_in(inside: &[u8], found: &[u8]) -> bool {
    let (mut rest, mut before, mut is_found) = (inside, None::<&[u8]>, false);
    while let Some((next, left)) = letter(rest) {
        rest = left;
        match (next, before, letter(rest)) {
            (b"-", Some(first), Some((last, left))) => {
                is_found |= first <= found && found <= last;
                (rest, before) = (left, None);
            }
            _ => {
                is_found |= next == found;
                before = Some(next);
            }
        }
    }
    is_found
}

/// The bytes of the first character, and the rest.
fn letter(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = text.split_first()?;
    let more = if *first < 0xc0 { 0 } else { rest.iter().take_while(|byte| **byte & 0xc0 == 0x80).count() };
    text.split_at_checked(1 + more)
}

fn until_nul(text: &[u8]) -> &[u8] {
    memchr(0, text).and_then(|at| text.get(..at)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::Connection;

    fn of_sqlite(pattern: &str, text: &str, dialect: Dialect<'_>) -> bool {
        thread_local!(static PLAIN: Connection = Connection::open_in_memory().expect("SQLite"));
        PLAIN
            .with(|plain| match dialect {
                Dialect::Glob => plain.query_row("SELECT ?2 GLOB ?1", [pattern, text], |row| row.get(0)),
                Dialect::Like(None) => plain.query_row("SELECT ?2 LIKE ?1", [pattern, text], |row| row.get(0)),
                Dialect::Like(Some(escape)) => {
                    plain.query_row("SELECT ?2 LIKE ?1 ESCAPE ?3", [pattern, text, std::str::from_utf8(escape).expect("UTF-8")], |row| {
                        row.get(0)
                    })
                }
            })
            .expect("an answer")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn answers_are_those_of_sqlite(pattern in "[abAÄä%_*?\\[\\]^\\-x\\\\]{0,10}", text in "[abAÄäx%_\\-\\]^]{0,12}", kind in 0..4_usize) {
            let dialect = [Dialect::Like(None), Dialect::Glob, Dialect::Like(Some(b"x")), Dialect::Like(Some(b"%"))][kind];
            prop_assert_eq!(is_like(pattern.as_bytes(), text.as_bytes(), dialect), Some(of_sqlite(&pattern, &text, dialect)));
        }
    }

    #[test]
    fn a_product_of_lengths_ends_at_the_bound() {
        let text = vec![b'a'; 100_000];
        let pattern = [b"%".as_slice(), &vec![b'a'; 20_000], b"b"].concat();
        assert_eq!(bounded(&pattern, &text, Dialect::Like(None), 1_000_000), None);
        // Many wildcards are no more than one.
        let pattern = "%a_".repeat(50) + "b";
        assert_eq!(bounded(pattern.as_bytes(), &text, Dialect::Like(None), 1_000_000), Some(false));
    }
}
