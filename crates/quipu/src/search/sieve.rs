//! Rejects recorded bytes that can't contain a string, without decoding anything.
//!
//! A character of a decoded string appears in the bytes as itself or as an escape; escapes may be escaped again, at any level. So a
//! substring of plain ASCII characters either appears in the bytes, ignoring case, or there is an escape that may produce one of its
//! characters, or vanish from between them. The sieve looks for that substring and for such escapes; if it finds neither, decoding can't
//! reveal the string. Not here: the decoding (`matcher`).

use memchr::{memchr, memmem};
use quipu_model::fold::{AsciiFinder, Needle, disguises, unfolded};

/// The traces that a string leaves in the bytes it is recorded in.
pub(super) struct Sieve {
    probe: Probe,
    /// The non-ASCII characters that a `\u` or `\x` escape may produce: code points, or the first UTF-16 unit of those beyond 0xFFFF.
    units: Vec<u32>,
    /// The same characters as UTF-8.
    utf8: Vec<memmem::Finder<'static>>,
}

enum Probe {
    /// This substring appears in the bytes, or is hidden by escapes.
    Ascii(AsciiFinder),
    /// One of the non-ASCII characters.
    Letter,
    /// Nothing can be ruled out.
    Unknown,
}

/// Whether writers never escape a character, at any level.
fn is_plain(letter: char) -> bool {
    matches!(letter, ' '..='~') && !matches!(letter, '"' | '\'' | '\\' | '/')
}

/// The longest run of plain characters.
fn longest_plain(letters: &[char]) -> String {
    let runs = letters.split(|letter| !is_plain(*letter));
    runs.max_by_key(|run| run.len()).unwrap_or_default().iter().collect()
}

impl Sieve {
    pub(super) fn new(needle: &Needle) -> Sieve {
        let plain = longest_plain(needle.letters());
        // U+FFFD also stands for bytes that could not be decoded.
        let beyond = needle.letters().iter().find(|letter| !letter.is_ascii() && **letter != char::REPLACEMENT_CHARACTER);
        let (probe, letters): (Probe, Vec<char>) = match (AsciiFinder::new(plain.as_bytes()), beyond) {
            (Some(finder), None) => (Probe::Ascii(finder), disguises(&plain).collect()),
            (Some(finder), Some(_)) if finder.len() > 2 => (Probe::Ascii(finder), disguises(&plain).collect()),
            (_, Some(letter)) => (Probe::Letter, unfolded(*letter).collect()),
            (None, None) => (Probe::Unknown, Vec::new()),
        };
        let unit = |letter: &char| u32::from(letter.encode_utf16(&mut [0; 2]).first().copied().unwrap_or_default());
        Sieve {
            probe,
            units: letters.iter().map(unit).collect(),
            utf8: letters.iter().map(|letter| memmem::Finder::new(&letter.to_string()).into_owned()).collect(),
        }
    }

    /// Whether the string may be contained in what `bytes` decode to, at any level. Has no false negatives.
    pub(super) fn may_hold(&self, bytes: &[u8]) -> bool {
        match &self.probe {
            Probe::Ascii(finder) => finder.find(bytes, 0).is_some() || self.may_hide(bytes),
            Probe::Letter => self.may_hide(bytes),
            Probe::Unknown => true,
        }
    }

    fn may_hide(&self, bytes: &[u8]) -> bool {
        self.has_escape(bytes) || (!bytes.is_ascii() && self.utf8.iter().any(|letter| letter.find(bytes).is_some()))
    }

    /// Whether there is an escape that may produce a character of the probe, produce another escape, or vanish.
    fn has_escape(&self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while let Some(at) = memchr(b'\\', rest) {
            let run = rest.get(at..).unwrap_or_default();
            let slashes = run.iter().take_while(|byte| **byte == b'\\').count();
            let escape = run.get(slashes..).unwrap_or_default();
            let counts = match escape {
                [b'"' | b'\'', ..] => false,
                [b'n', ..] => breaks_line(slashes),
                [b'u', digits @ ..] => hex(digits, 4).is_some_and(|unit| self.is_wanted(unit)),
                [b'x', digits @ ..] => hex(digits, 2).is_some_and(|unit| self.is_wanted(unit)),
                [b'U' | b'0'..=b'7' | b'\n', ..] => true,
                _ => false,
            };
            if counts {
                return true;
            }
            rest = escape;
        }
        false
    }

    fn is_wanted(&self, unit: u32) -> bool {
        matches!(unit, 0x0a | 0x20..=0x7e) || self.units.contains(&unit)
    }
}

/// Whether this many backslashes before an `n` become, at some level, a backslash before a line break, which Python drops.
fn breaks_line(slashes: usize) -> bool {
    // Each level halves an even number; with an odd one, a line break follows half of the remaining ones.
    slashes >> slashes.trailing_zeros() >= 3
}

fn hex(bytes: &[u8], len: usize) -> Option<u32> {
    bytes.get(..len)?.iter().try_fold(0, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_hold(text: &str, bytes: &str) -> bool {
        Sieve::new(&Needle::new(text).expect("a text")).may_hold(bytes.as_bytes())
    }

    #[test]
    fn ordinary_bytes_are_decided_without_decoding() {
        assert!(!may_hold("weather", r#"{"input": "the \"wind\"\nin Z\u00fcrich \\n \\\\n \\u6771 \ud83e\udd99"}"#));
        assert!(may_hold("WIND", r#"{"input": "the \"wind\""}"#));
        assert!(!may_hold("東京", r#"{"input": "Z\u00fcrich, the \"wind\""}"#));
        assert!(may_hold("東京", r#"{"input": "in \\u6771\\u4eac"}"#));
        assert!(!may_hold("привет", r#"{"input": "\u0432\u0441"}"#));
        assert!(may_hold("привет", r#"{"input": "\u041fривет"}"#));
        assert!(may_hold("é", r#"{"input": "caf\\xc9"}"#));
        assert!(!may_hold("🦙", r#"{"input": "\u041f"}"#) && may_hold("🦙", r#"{"input": "\ud83e\udd99"}"#));
    }

    #[test]
    fn hidden_matches_are_not_rejected() {
        for recorded in [
            r"\u0077ind",
            r"w\\x69nd",
            r"w\\151nd",
            r"w\\U00000069nd",
            r"w\\\nind",
            r"w\\\\\\nind",
            "w\\\\\nind",
            r"w\u0131nd",
        ] {
            assert!(may_hold("wind", recorded), "{recorded}");
        }
        assert!(may_hold("masse", "Maße") && may_hold("masse", r"Ma\\xdfe") && !may_hold("wind", "Maße"));
        assert!(may_hold("\"", "") && may_hold("\u{fffd}", "x"));
    }

    #[test]
    fn line_breaks_after_backslashes_are_recognised_at_every_level() {
        let counts: Vec<usize> = (1..=16).filter(|slashes| breaks_line(*slashes)).collect();
        assert_eq!(counts, [3, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15]);
    }
}
