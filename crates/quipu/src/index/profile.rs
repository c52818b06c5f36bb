//! What attribute filters ask most, kept small: each span's profile, two bytes that name its keys and its values of few kinds.
//!
//! Spans of one method have the same keys and the same class, method and location: a file of a million spans has some hundred profiles.
//! A filter is decided once per profile; only spans whose profile can't tell (a value of many kinds, a nested path) are read again.
//! For texts of many kinds four more bytes hold a hint: one bit for the beginning of each, so that a search for one text passes over
//! nearly all spans that hold another. What is not here: those texts themselves, which stay in the file.

use super::column::Column;
use super::spans::mix;
use hashbrown::HashMap;
use quipu_model::recorded::RawJson;

/// The profile of a span of which nothing is known: its attributes are no JSON object, or there were too many profiles.
pub(crate) const UNKNOWN_PROFILE: u16 = 0;
/// Different values of one key that are kept; a key with more has values of many kinds.
const MAX_VALUES: u32 = 128;
/// Longer values are never kept.
const MAX_VALUE_BYTES: usize = 64;
/// Different keys of a file at most, and bytes of one: what a hostile file can make this take stays below 100 MB.
const MAX_DIFFERENT_KEYS: usize = 4_096;
const MAX_KEY_BYTES: usize = 256;
/// Keys of a span at most.
const MAX_KEYS: usize = 64;

/// One key of a profile, and the value as written where it is kept.
pub(crate) struct ProfileEntry<'a> {
    /// As recorded.
    pub(crate) key: &'a str,
    /// The raw JSON; `None` where spans of this profile differ.
    pub(crate) value: Option<&'a [u8]>,
}

#[derive(Clone)]
struct Key {
    text: Box<str>,
    values: HashMap<Box<[u8]>, u32>,
    texts: Vec<Box<[u8]>>,
}

/// The value number of a value that is not kept.
const OTHER: u32 = u32::MAX;

/// Whether this is the number of a value that is kept.
pub(super) fn is_kept(value: u32) -> bool {
    value != OTHER
}

/// The profiles of a file, and each span's.
#[derive(Clone, Default)]
pub(crate) struct Profiles {
    keys: Vec<Key>,
    key_numbers: HashMap<Box<str>, u32>,
    /// Keys and values by number, by profile; the first is the unknown one.
    profiles: Vec<Box<[(u32, u32)]>>,
    numbers: HashMap<Box<[(u32, u32)]>, u16>,
    of_span: Column<u16>,
    hints: Column<u32>,
    /// The span that is being read.
    current: Vec<(u32, u32)>,
    current_hint: u32,
    is_unknown: bool,
}

impl Profiles {
    /// Takes in one attribute of the span that is being read. Answers the numbers of its key and its value; `None` where there are too many.
    pub(super) fn add(&mut self, key: &str, value: RawJson<'_>) -> Option<(u32, u32)> {
        if self.is_unknown || self.current.len() >= MAX_KEYS || key.len() > MAX_KEY_BYTES {
            self.is_unknown = true;
            return None;
        }
        let number = match self.key_numbers.get(key) {
            Some(number) => *number,
            None if self.keys.len() >= MAX_DIFFERENT_KEYS => {
                self.is_unknown = true;
                return None;
            }
            None => {
                let number = self.keys.len() as u32;
                self.keys.push(Key { text: key.into(), values: HashMap::new(), texts: Vec::new() });
                self.key_numbers.insert(key.into(), number);
                number
            }
        };
        Some((number, self.add_value(number, value)))
    }

    /// Takes in the value of a key by its number, one of those that [`Profiles::add`] answered for as many attributes before it.
    pub(super) fn add_value(&mut self, key: u32, value: RawJson<'_>) -> u32 {
        let written = value.bytes();
        let value = self.keys.get_mut(key as usize).map_or(OTHER, |key| key.number(written));
        if value == OTHER {
            self.current_hint |= recorded_beginning(written).map_or(ANY_TEXT, |beginning| hint(key, beginning));
        }
        self.current.push((key, value));
        value
    }

    /// The same of a value that is kept, by its number.
    pub(super) fn add_known(&mut self, key: u32, value: u32) {
        self.current.push((key, value));
    }

    /// Ends the span that is being read; `readable` is false where its attributes are no JSON object.
    #[cfg(test)]
    pub(super) fn finish(&mut self, readable: bool) {
        self.finish_like(readable, UNKNOWN_PROFILE);
    }

    /// Ends the span that is being read, and answers its profile, which may be `likely` and is then found at once.
    pub(super) fn finish_like(&mut self, readable: bool, likely: u16) -> u16 {
        let known = readable && !self.is_unknown;
        let number = if known { self.number(likely) } else { UNKNOWN_PROFILE };
        self.of_span.push(number);
        self.hints.push(if known { self.current_hint } else { ANY_TEXT });
        self.current_hint = 0;
        self.current.clear();
        self.is_unknown = false;
        number
    }

    fn number(&mut self, likely: u16) -> u16 {
        if likely != UNKNOWN_PROFILE && self.profiles.get(usize::from(likely)).is_some_and(|profile| **profile == *self.current) {
            return likely;
        }
        if let Some(number) = self.numbers.get(self.current.as_slice()) {
            return *number;
        }
        if self.profiles.is_empty() {
            self.profiles.push(Box::default());
        }
        let Ok(number) = u16::try_from(self.profiles.len()) else { return UNKNOWN_PROFILE };
        let profile: Box<[(u32, u32)]> = self.current.as_slice().into();
        self.profiles.push(profile.clone());
        self.numbers.insert(profile, number);
        number
    }

    /// The profile of the span in `row`.
    pub(crate) fn of(&self, row: u32) -> u16 {
        *self.of_span.at(row)
    }

    /// The profiles of all spans, by row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u16> {
        self.of_span.iter().copied()
    }

    /// Whether the span in `row` may hold texts that gave these hints.
    pub(crate) fn may_hold(&self, row: u32, hints: u32) -> bool {
        *self.hints.at(row) & hints == hints
    }

    /// The hint of a text under a key, for [`Profiles::may_hold`].
    pub(crate) fn hint_of(&self, key: &str, text: &[u8]) -> u32 {
        self.key_numbers.get(key).map_or(0, |number| hint(*number, beginning(text)))
    }

    /// For every profile, whether one of its keys is as asked; the unknown one counts as having it.
    pub(crate) fn with_keys(&self, is_asked: impl Fn(&str) -> bool) -> Vec<bool> {
        let asked: Vec<bool> = self.keys.iter().map(|key| is_asked(&key.text)).collect();
        let has = |pairs: &[(u32, u32)]| pairs.iter().any(|(key, _)| asked.get(*key as usize).copied().unwrap_or(false));
        (0..self.len())
            .map(|profile| profile == usize::from(UNKNOWN_PROFILE) || self.profiles.get(profile).is_some_and(|pairs| has(pairs)))
            .collect()
    }

    /// Profiles in all, the unknown one among them.
    pub(crate) fn len(&self) -> usize {
        self.profiles.len().max(1)
    }

    /// Keys and values of a profile, in recorded order; nothing for the unknown one.
    pub(crate) fn entries(&self, profile: u16) -> impl Iterator<Item = ProfileEntry<'_>> {
        let pairs = self.profiles.get(usize::from(profile)).map(|pairs| pairs.as_ref()).unwrap_or_default();
        pairs.iter().filter_map(|(key, value)| {
            let key = self.keys.get(*key as usize)?;
            let value = key.texts.get(*value as usize).map(|text| text.as_ref());
            Some(ProfileEntry { key: &key.text, value })
        })
    }
}

/// The hint of a span that may hold any text.
const ANY_TEXT: u32 = u32::MAX;
/// Bytes of a text that count for its hint.
const BEGINNING: usize = 16;

/// The bytes a text begins with, up to the first that a writer might put as an escape.
pub(crate) fn beginning(text: &[u8]) -> &[u8] {
    let text = text.get(..BEGINNING).unwrap_or(text);
    let (words, tail) = text.as_chunks::<8>();
    let mut end = 0;
    for word in words {
        let others = others(u64::from_le_bytes(*word));
        if others != 0 {
            return text.get(..end + others.trailing_zeros() as usize / 8).unwrap_or_default();
        }
        end += 8;
    }
    let is_plain = |byte: &u8| (0x20..0x7f).contains(byte) && !matches!(byte, b'"' | b'\\');
    end += tail.iter().position(|byte| !is_plain(byte)).unwrap_or(tail.len());
    text.get(..end).unwrap_or_default()
}

/// The high bit of each of eight bytes that is no printable ASCII letter, or is a quote or a backslash.
fn others(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low = word & (EACH * 0x7f);
    let is_control = !(low + EACH * 0x60);
    let is_delete = low + EACH;
    let is = |byte: u8| !((low ^ (EACH * u64::from(byte))) + EACH * 0x7f);
    (word | is_control | is_delete | is(b'"') | is(b'\\')) & (EACH * 0x80)
}

/// The same of a text as written in JSON; `None` for what is no text, or where a plain letter is written as an escape.
fn recorded_beginning(json: &[u8]) -> Option<&[u8]> {
    let inner = json.strip_prefix(b"\"")?;
    let found = beginning(inner);
    let escape = inner.get(found.len()..).unwrap_or_default();
    let hides_letter = match escape {
        [b'\\', b'/', ..] => true,
        [b'\\', b'u', b'0', b'0', digit, ..] => matches!(digit, b'2'..=b'7'),
        _ => false,
    };
    (!hides_letter).then_some(found)
}

fn hint(key: u32, beginning: &[u8]) -> u32 {
    // Zeros stand in no beginning, so no two make the same 16 bytes.
    let mut bytes = [0; BEGINNING];
    bytes.iter_mut().zip(beginning).for_each(|(to, from)| *to = *from);
    let letters = u128::from_le_bytes(bytes);
    let number = mix(letters as u64 ^ mix(u64::from(key))) ^ mix((letters >> 64) as u64);
    1 << (mix(number) & 31)
}

impl Key {
    fn number(&mut self, value: &[u8]) -> u32 {
        if value.len() > MAX_VALUE_BYTES {
            return OTHER;
        }
        if let Some(number) = self.values.get(value) {
            return *number;
        }
        let number = self.texts.len() as u32;
        if number >= MAX_VALUES {
            return OTHER;
        }
        self.texts.push(value.into());
        self.values.insert(value.into(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_model::recorded::entries;

    #[test]
    fn a_text_is_never_passed_over_where_it_stands() {
        let mut profiles = Profiles::default();
        let mut texts: Vec<(String, String)> =
            (0..300).map(|number| (format!("{number} is no other"), format!("\"{number} is no other\""))).collect();
        for (text, json) in [
            ("café", r#""caf\u00e9""#),
            ("café", "\"café\""),
            ("Abc", r#""\u0041bc""#),
            ("a/b", r#""a\/b""#),
            ("a\nb", r#""a\nb""#),
            ("", r#""""#),
        ] {
            texts.push((text.to_owned(), json.to_owned()));
        }
        for (_, json) in &texts {
            let attributes = format!("{{\"key\": {json}}}");
            for (key, value) in entries(attributes.as_bytes()).flatten() {
                profiles.add(&key, value);
            }
            profiles.finish(true);
        }
        let mut passed = 0;
        for (row, (text, _)) in texts.iter().enumerate().skip(MAX_VALUES as usize) {
            assert!(profiles.may_hold(row as u32, profiles.hint_of("key", text.as_bytes())), "{text}");
            passed += usize::from(!profiles.may_hold(row as u32, profiles.hint_of("key", b"something else")));
        }
        assert!(passed > 150, "{passed}");
    }

    #[test]
    fn a_beginning_ends_before_what_may_be_an_escape() {
        for byte in 0..=255_u8 {
            for place in 0..20 {
                let mut text = *b"abcdefghijklmnopqrst";
                text[place] = byte;
                let is_plain = (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
                let length = if is_plain || place >= BEGINNING { BEGINNING } else { place };
                assert_eq!(beginning(&text), &text[..length], "{byte} in {place}");
                assert_eq!(beginning(&text[..place + 1]).len(), if is_plain { BEGINNING.min(place + 1) } else { BEGINNING.min(place) });
            }
        }
    }
}
