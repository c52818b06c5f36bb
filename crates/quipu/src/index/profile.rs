//! A compact summary of span attributes for attribute filters: each span has a profile, a `u16` that stands for its keys and the values of
//! low-cardinality keys.
//!
//! Spans of one method have the same keys and the same class, method and location, so a file of a million spans has a few hundred profiles.
//! A filter is evaluated once per profile; only spans whose profile can't decide (a high-cardinality value, a nested path) are read from
//! the file. Four more bytes per span hold hints for high-cardinality strings: one bit for the prefix of each, like a Bloom filter, so that
//! a search for one string skips nearly all spans that hold others. Not here: those strings themselves, which stay in the file.

use super::column::Column;
use super::ids::halves;
use super::spans::mix;
use hashbrown::HashMap;
use quipu_model::number::narrow;
use quipu_model::recorded::RawJson;

/// The profile of spans about which nothing is known: their attributes are not a JSON object, or there were too many profiles.
pub(crate) const UNKNOWN_PROFILE: u16 = 0;
/// Distinct values kept per key; a key with more is high-cardinality.
const MAX_VALUES: u32 = 128;
/// Longer values are never kept.
const MAX_VALUE_BYTES: usize = 64;
/// Limits on the number of distinct keys in a file and the length of one: they bound the memory a hostile file can claim to 100 MB.
const MAX_DIFFERENT_KEYS: usize = 4_096;
const MAX_KEY_BYTES: usize = 256;
/// Maximum number of keys per span.
const MAX_KEYS: usize = 64;

/// One key of a profile, with its value as raw JSON if that is kept.
pub(crate) struct ProfileEntry<'a> {
    pub(crate) key: &'a str,
    /// Raw JSON; `None` if the value differs among the spans of this profile.
    pub(crate) value: Option<&'a [u8]>,
}

#[derive(Clone)]
struct Key {
    text: Box<str>,
    values: HashMap<Box<[u8]>, u32>,
    texts: Vec<Box<[u8]>>,
}

/// The number of values that are not kept.
const OTHER: u32 = u32::MAX;

/// Whether `value` is the number of a kept value.
pub(super) fn is_kept(value: u32) -> bool {
    value != OTHER
}

/// The profiles of a file, and the profile of each span.
#[derive(Clone, Default)]
pub(crate) struct Profiles {
    keys: Vec<Key>,
    key_numbers: HashMap<Box<str>, u32>,
    /// Numbers of keys and values, by profile; the first profile is the unknown one.
    profiles: Vec<Box<[(u32, u32)]>>,
    numbers: HashMap<Box<[(u32, u32)]>, u16>,
    of_span: Column<u16>,
    hints: Column<u32>,
    /// Keys and values of the span being read.
    current: Vec<(u32, u32)>,
    current_hint: u32,
    is_unknown: bool,
}

impl Profiles {
    /// Adds an attribute of the span being read. Returns the numbers of its key and value, or `None` if there are too many.
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
                let number = narrow(self.keys.len());
                self.keys.push(Key { text: key.into(), values: HashMap::new(), texts: Vec::new() });
                self.key_numbers.insert(key.into(), number);
                number
            }
        };
        Some((number, self.add_value(number, value)))
    }

    /// Adds the value of a key by the key's number, as returned by [`Profiles::add`] for the same prefix of keys.
    pub(super) fn add_value(&mut self, key: u32, value: RawJson<'_>) -> u32 {
        let written = value.bytes();
        let value = self.keys.get_mut(key as usize).map_or(OTHER, |key| key.number(written));
        if value == OTHER {
            self.current_hint |= recorded_hint_prefix(written).map_or(ANY_TEXT, |prefix| hint(key, prefix));
        }
        self.current.push((key, value));
        value
    }

    /// Like [`Profiles::add_value`], for a kept value given by its number.
    pub(super) fn add_known(&mut self, key: u32, value: u32) {
        self.current.push((key, value));
    }

    /// Ends the span being read; `readable` is false if its attributes are not a JSON object.
    #[cfg(test)]
    pub(super) fn finish(&mut self, readable: bool) {
        self.finish_like(readable, UNKNOWN_PROFILE);
    }

    /// Ends the span being read and returns its profile. `likely` is a guess, which is checked first.
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

    pub(crate) fn of(&self, row: u32) -> u16 {
        *self.of_span.at(row)
    }

    /// The profiles of all spans, by row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u16> {
        self.of_span.iter().copied()
    }

    /// Whether the span in `row` may hold strings with these hints.
    pub(crate) fn may_hold(&self, row: u32, hints: u32) -> bool {
        *self.hints.at(row) & hints == hints
    }

    /// The hint of a string under a key, for [`Profiles::may_hold`].
    pub(crate) fn hint_of(&self, key: &str, text: &[u8]) -> u32 {
        self.key_numbers.get(key).map_or(0, |number| hint(*number, hint_prefix(text)))
    }

    /// For every profile, whether one of its keys passes the test; the unknown profile always does.
    pub(crate) fn with_keys(&self, is_asked: impl Fn(&str) -> bool) -> Vec<bool> {
        let asked: Vec<bool> = self.keys.iter().map(|key| is_asked(&key.text)).collect();
        let has = |pairs: &[(u32, u32)]| pairs.iter().any(|(key, _)| asked.get(*key as usize).copied().unwrap_or(false));
        (0..self.len())
            .map(|profile| profile == usize::from(UNKNOWN_PROFILE) || self.profiles.get(profile).is_some_and(|pairs| has(pairs)))
            .collect()
    }

    /// Number of profiles, including the unknown one.
    pub(crate) fn len(&self) -> usize {
        self.profiles.len().max(1)
    }

    /// Keys and values of a profile, in recorded order; empty for the unknown one.
    pub(crate) fn entries(&self, profile: u16) -> impl Iterator<Item = ProfileEntry<'_>> {
        let pairs = self.profiles.get(usize::from(profile)).map(|pairs| pairs.as_ref()).unwrap_or_default();
        pairs.iter().filter_map(|(key, value)| {
            let key = self.keys.get(*key as usize)?;
            let value = key.texts.get(*value as usize).map(|text| text.as_ref());
            Some(ProfileEntry { key: &key.text, value })
        })
    }
}

/// The hint of a span that may hold any string.
const ANY_TEXT: u32 = u32::MAX;
/// Number of bytes of a string that are hashed into its hint.
const HINT_PREFIX_BYTES: usize = 16;

/// The prefix of a string that is hashed: up to the first character that a JSON writer might escape.
pub(crate) fn hint_prefix(text: &[u8]) -> &[u8] {
    let text = text.get(..HINT_PREFIX_BYTES).unwrap_or(text);
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

/// Marks, by its high bit, each of eight bytes that is not printable ASCII, or is a quote or a backslash.
fn others(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low = word & (EACH * 0x7f);
    let is_control = !(low + EACH * 0x60);
    let is_delete = low + EACH;
    let is = |byte: u8| !((low ^ (EACH * u64::from(byte))) + EACH * 0x7f);
    (word | is_control | is_delete | is(b'"') | is(b'\\')) & (EACH * 0x80)
}

/// Like [`hint_prefix`], of a JSON value as written; `None` if it is not a string, or if an ordinary character is escaped.
fn recorded_hint_prefix(json: &[u8]) -> Option<&[u8]> {
    let inner = json.strip_prefix(b"\"")?;
    let found = hint_prefix(inner);
    let escape = inner.get(found.len()..).unwrap_or_default();
    let hides_letter = match escape {
        [b'\\', b'/', ..] => true,
        [b'\\', b'u', b'0', b'0', digit, ..] => matches!(digit, b'2'..=b'7'),
        _ => false,
    };
    (!hides_letter).then_some(found)
}

fn hint(key: u32, prefix: &[u8]) -> u32 {
    // Prefixes contain no zero bytes, so zero padding keeps them distinct.
    let mut bytes = [0; HINT_PREFIX_BYTES];
    bytes.iter_mut().zip(prefix).for_each(|(to, from)| *to = *from);
    let letters = u128::from_le_bytes(bytes);
    let (low, high) = halves(letters);
    let number = mix(low ^ mix(u64::from(key))) ^ mix(high);
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
        let number = narrow(self.texts.len());
        if number >= MAX_VALUES {
            return OTHER;
        }
        self.texts.push(value.into());
        self.values.insert(value.into(), number);
        number
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use quipu_model::recorded::entries;

    #[test]
    fn hints_never_exclude_a_match() {
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
    fn a_hint_prefix_ends_before_a_possible_escape() {
        for byte in 0..=255_u8 {
            for place in 0..20 {
                let mut text = *b"abcdefghijklmnopqrst";
                text[place] = byte;
                let is_plain = (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
                let length = if is_plain || place >= HINT_PREFIX_BYTES { HINT_PREFIX_BYTES } else { place };
                assert_eq!(hint_prefix(&text), &text[..length], "{byte} in {place}");
                assert_eq!(
                    hint_prefix(&text[..place + 1]).len(),
                    if is_plain { HINT_PREFIX_BYTES.min(place + 1) } else { HINT_PREFIX_BYTES.min(place) }
                );
            }
        }
    }
}
