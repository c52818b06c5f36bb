//! What attribute filters ask most, kept small: each span's profile, two bytes that name its keys and its values of few kinds.
//!
//! Spans of one method have the same keys and the same class, method and location: a file of a million spans has some hundred profiles.
//! A filter is decided once per profile; only spans whose profile can't tell (a value of many kinds, a nested path) are read again.
//! What is not here: long or numerous values, which stay in the file.

use super::column::Column;
use crate::recorded::RawJson;
use hashbrown::HashMap;

/// The profile of a span of which nothing is known: its attributes are no JSON object, or there were too many profiles.
pub(crate) const UNKNOWN_PROFILE: u16 = 0;
/// Different values of one key that are kept; a key with more has values of many kinds.
const MAX_VALUES: u32 = 128;
/// Longer values are never kept.
const MAX_VALUE_BYTES: usize = 64;
/// Keys of a span at most.
const MAX_KEYS: usize = 64;

/// One key of a profile, and the value as written where it is kept.
pub(crate) struct ProfileEntry<'a> {
    /// As recorded.
    pub(crate) key: &'a str,
    /// The raw JSON; `None` where spans of this profile differ.
    pub(crate) value: Option<&'a [u8]>,
}

struct Key {
    text: Box<str>,
    values: HashMap<Box<[u8]>, u32>,
    texts: Vec<Box<[u8]>>,
}

/// The value number of a value that is not kept.
const OTHER: u32 = u32::MAX;

/// The profiles of a file, and each span's.
#[derive(Default)]
pub(crate) struct Profiles {
    keys: Vec<Key>,
    key_numbers: HashMap<Box<str>, u32>,
    /// Keys and values by number, by profile; the first is the unknown one.
    profiles: Vec<Box<[(u32, u32)]>>,
    numbers: HashMap<Box<[(u32, u32)]>, u16>,
    of_span: Column<u16>,
    /// The span that is being read.
    current: Vec<(u32, u32)>,
    is_unknown: bool,
}

impl Profiles {
    /// Takes in one attribute of the span that is being read.
    pub(super) fn add(&mut self, key: &str, value: RawJson<'_>) {
        if self.is_unknown || self.current.len() >= MAX_KEYS {
            self.is_unknown = true;
            return;
        }
        let number = match self.key_numbers.get(key) {
            Some(number) => *number,
            None if self.keys.len() >= usize::from(u16::MAX) => {
                self.is_unknown = true;
                return;
            }
            None => {
                let number = self.keys.len() as u32;
                self.keys.push(Key { text: key.into(), values: HashMap::new(), texts: Vec::new() });
                self.key_numbers.insert(key.into(), number);
                number
            }
        };
        let value = self.keys.get_mut(number as usize).map_or(OTHER, |key| key.number(value.bytes()));
        self.current.push((number, value));
    }

    /// Ends the span that is being read; `readable` is false where its attributes are no JSON object.
    pub(super) fn finish(&mut self, readable: bool) {
        let known = readable && !self.is_unknown;
        let number = if known { self.number() } else { UNKNOWN_PROFILE };
        self.of_span.push(number);
        self.current.clear();
        self.is_unknown = false;
    }

    fn number(&mut self) -> u16 {
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
