//! Recorded text as a template: in each copy, ids and some words are replaced.
//!
//! The text is split once; writing a copy concatenates pieces. Keys, quotes, numbers and escapes stay as the release wrote them.

use super::mixed;
use std::collections::HashSet;

/// Words in several scripts, as written by a JSON encoder that escapes non-ASCII characters.
const WORDS: [&str; 32] = [
    "river",
    "granite",
    "seven",
    "lantern",
    "harvest",
    "cotton",
    "signal",
    "orchard",
    "quiet",
    "maize",
    "copper",
    "window",
    "bridge",
    "thread",
    "valley",
    "market",
    "caf\\u00e9",
    "Z\\u00fcrich",
    "ni\\u00f1o",
    "\\u0440\\u0435\\u043a\\u0430",
    "\\u6cb3\\u6d41",
    "\\u05e0\\u05d4\\u05e8",
    "\\ud83d\\ude80",
    "na\\u00efve",
    "\\u00e9t\\u00e9",
    "summit",
    "condor",
    "ledger",
    "potato",
    "woven",
    "saffron",
    "knots",
];

/// Words that identify a server's error message.
const KEPT: [&str; 2] = ["executing", "endpoint"];

/// Minimum length of an id that is not in the file's id columns.
const SHORTEST_ID: usize = 8;

/// Makes a copy different from all others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Salt(u64);

impl Salt {
    /// The salt of a copy.
    pub(super) fn new(seed: u64, copy: u64) -> Salt {
        // An odd factor keeps different copies different.
        Salt(mixed(seed).wrapping_add(copy.wrapping_mul(0xd6e8_feb8_6659_fd93)))
    }

    /// The salt of another thing in the same copy.
    pub(super) fn with(self, number: u64) -> Salt {
        Salt(mixed(self.0 ^ mixed(number)))
    }

    /// A number below `bound` that only depends on the salt and `place`.
    pub(super) fn below(self, place: u64, bound: u64) -> u64 {
        mixed(self.0 ^ mixed(place)) % bound.max(1)
    }
}

/// An id of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id {
    text: String,
    hash: u64,
}

impl Id {
    /// Parses the recorded id.
    pub(super) fn new(text: &str) -> Id {
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Id { text: text.to_owned(), hash }
    }

    /// Writes the copy's id: same length, hyphens at the same positions.
    pub(super) fn write(&self, salt: Salt, to: &mut String) {
        let (mut digits, mut left, mut part) = (0, 0, self.hash.wrapping_add(salt.0));
        for byte in self.text.bytes() {
            if !byte.is_ascii_hexdigit() {
                to.push(char::from(byte));
                continue;
            }
            if left == 0 {
                digits = mixed(part);
                (left, part) = (16, part.wrapping_add(0x2545_f491_4f6c_dd1d));
            }
            to.push(char::from(b"0123456789abcdef"[(digits & 15) as usize]));
            (digits, left) = (digits >> 4, left - 1);
        }
    }

    /// The recorded id.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The copy's id as a string.
    pub(super) fn renewed(&self, salt: Salt) -> String {
        let mut text = String::with_capacity(self.text.len());
        self.write(salt, &mut text);
        text
    }
}

#[derive(Clone, Debug)]
enum Piece {
    Kept(String),
    Id(Id),
    Word(String),
}

/// Text split into constant and variable pieces.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Piece>);

impl Template {
    /// Splits text. `ids` are those of the file's id columns.
    pub(super) fn cut(text: &str, ids: &HashSet<String>) -> Template {
        let bytes = text.as_bytes();
        let mut pieces = Vec::new();
        let (mut kept_from, mut at) = (0, 0);
        while at < bytes.len() {
            if !bytes[at].is_ascii_alphanumeric() {
                at += 1;
                continue;
            }
            let end = end_of(bytes, at, u8::is_ascii_alphanumeric);
            let uuid_end = end_of(bytes, at, |byte| byte.is_ascii_hexdigit() || *byte == b'-');
            let run = &text[at..end];
            let (end, piece) = if is_uuid(&text[at..uuid_end]) {
                (uuid_end, Some(Piece::Id(Id::new(&text[at..uuid_end]))))
            } else if ids.contains(run) || looks_like_id(run) {
                (end, Some(Piece::Id(Id::new(run))))
            } else if is_word(text, at, end) {
                (end, Some(Piece::Word(run.to_owned())))
            } else {
                (end, None)
            };
            if let Some(piece) = piece {
                if kept_from < at {
                    pieces.push(Piece::Kept(text[kept_from..at].to_owned()));
                }
                pieces.push(piece);
                kept_from = end;
            }
            at = end;
        }
        if kept_from < text.len() {
            pieces.push(Piece::Kept(text[kept_from..].to_owned()));
        }
        Template(pieces)
    }

    /// Writes the copy's text to `to`.
    pub(super) fn write(&self, salt: Salt, to: &mut String) {
        to.clear();
        for (place, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Kept(text) => to.push_str(text),
                Piece::Id(id) => id.write(salt, to),
                Piece::Word(word) => {
                    let chosen = salt.below(place as u64, 80);
                    to.push_str(WORDS.get(chosen as usize).copied().unwrap_or(word));
                }
            }
        }
    }
}

/// About `bytes` bytes of prose, for a JSON string inside a JSON string.
pub(super) fn prose(salt: Salt, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 16);
    let mut place = 0;
    while text.len() < bytes {
        text.push_str(WORDS[salt.below(place, WORDS.len() as u64) as usize]);
        // Some sentences end with a line break, escaped twice.
        text.push_str(if place % 40 == 39 { ".\\\\n" } else { " " });
        place += 1;
    }
    text
}

fn end_of(bytes: &[u8], from: usize, belongs: impl Fn(&u8) -> bool) -> usize {
    bytes[from..].iter().position(|byte| !belongs(byte)).map_or(bytes.len(), |length| from + length)
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    text.len() == 36 && text.split('-').map(str::len).eq(lengths)
}

/// Whether a run of letters and digits looks like a generated id: hexadecimal, with both letters and digits.
fn looks_like_id(run: &str) -> bool {
    run.len() >= SHORTEST_ID
        && run.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && run.bytes().any(|byte| byte.is_ascii_digit())
        && run.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Whether it is a word in prose: lower-case letters between blanks.
fn is_word(text: &str, from: usize, end: usize) -> bool {
    let run = &text[from..end];
    let blank = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)) == Some(&b' ');
    (4..=12).contains(&run.len())
        && run.bytes().all(|byte| byte.is_ascii_lowercase())
        && blank(from.checked_sub(1))
        && blank(Some(end))
        && !KEPT.contains(&run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, copy: u64) -> String {
        let mut out = String::new();
        Template::cut(text, &HashSet::new()).write(Salt::new(1, copy), &mut out);
        out
    }

    #[test]
    fn ids_in_a_text_change_together_and_keep_their_form() {
        let text = r#"{"session_id": "fc4ebc11-1469-4c30-b834-24200bce92ed", "again": "fc4ebc11-1469-4c30-b834-24200bce92ed", "call": "call_5fdd8dfc", "__ttl__": 604800}"#;
        let copy = written(text, 3);
        let ids: Vec<&str> = copy.split('"').filter(|part| is_uuid(part)).collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0], ids[1]);
        assert_ne!(ids[0], "fc4ebc11-1469-4c30-b834-24200bce92ed");
        assert!(!copy.contains("5fdd8dfc") && copy.contains("\"call_") && copy.ends_with("\"__ttl__\": 604800}"), "{copy}");
        assert_ne!(copy, written(text, 4));
        assert_eq!(copy, written(text, 3));
    }

    #[test]
    fn words_change_only_amid_prose() {
        let text = r#"{"message": "Error executing endpoint route='/v1/x' method='post': the weather of this valley tomorrow is good"}"#;
        let copies: HashSet<String> = (0..50).map(|copy| written(text, copy)).collect();
        assert!(copies.len() > 40, "{}", copies.len());
        assert!(copies.iter().all(|copy| copy.starts_with("{\"message\": \"Error executing endpoint route='/v1/x' method='post': the ")));
        assert!(copies.iter().any(|copy| copy.contains("\\u")), "some words are not ASCII");
    }
}
