//! Recorded JSON values in answers: passed through as written, so that numbers keep all digits.

use super::path::{Lookup, Path, values_of};
use hashbrown::HashMap;
use quipu_model::recorded::entries;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// One JSON value as text. `NaN` and `Infinity`, which JSON lacks, become null.
#[derive(Clone, Debug)]
pub struct JsonText(Box<RawValue>);

impl JsonText {
    /// Takes a value as recorded.
    pub(crate) fn recorded(json: &[u8]) -> JsonText {
        let text = String::from_utf8_lossy(json);
        let raw = RawValue::from_string(text.clone().into_owned());
        let raw = raw.or_else(|_| RawValue::from_string(made_valid(&text)));
        // If it is still not JSON, it becomes a JSON string.
        let raw = raw.or_else(|_| RawValue::from_string(serde_json::Value::String(text.into_owned()).to_string()));
        raw.map_or_else(|_| JsonText::null(), JsonText)
    }

    pub(crate) fn null() -> JsonText {
        JsonText(RawValue::NULL.to_owned())
    }

    /// Whether the value is `null`.
    pub fn is_null(&self) -> bool {
        self.0.get() == "null"
    }

    /// The JSON text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// The decoded string, if the value is one.
    pub fn as_text(&self) -> Option<String> {
        serde_json::from_str(self.0.get()).ok()
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Replaces Python's extensions of JSON by null, and escapes raw control characters.
fn made_valid(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some(letter) = rest.chars().next() {
        if in_string {
            match letter {
                '\\' => {
                    let two = rest.chars().nth(1).map_or(1, |second| 1 + second.len_utf8());
                    out.push_str(rest.get(..two).unwrap_or_default());
                    rest = rest.get(two..).unwrap_or_default();
                    continue;
                }
                '"' => in_string = false,
                control if (control as u32) < 0x20 => {
                    out.push_str(&format!("\\u{:04x}", control as u32));
                    rest = rest.get(1..).unwrap_or_default();
                    continue;
                }
                _ => {}
            }
        } else if let Some(word) = ["-Infinity", "Infinity", "NaN"].into_iter().find(|word| rest.starts_with(word)) {
            out.push_str("null");
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        } else if letter == '"' {
            in_string = true;
        }
        out.push(letter);
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    out
}

/// Keys that are each looked for in the attributes.
const FEW_KEYS: usize = 8;

/// Attributes in recorded order, or the requested ones in the order of the request; keys are unique.
#[derive(Clone, Debug, Default)]
pub struct AttributeMap(pub Vec<(String, JsonText)>);

impl AttributeMap {
    /// All attributes; of duplicate keys the last value counts, as in Python. `None` if they are not a JSON object.
    pub(crate) fn all(attributes: &[u8]) -> Option<AttributeMap> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut list: Vec<(String, JsonText)> = Vec::new();
        for entry in entries(attributes) {
            let (key, value) = entry.ok()?;
            let value = JsonText::recorded(value.bytes());
            match places.get(key.as_ref()).and_then(|place| list.get_mut(*place)) {
                Some((_, old)) => *old = value,
                None => {
                    places.insert(key.to_string(), list.len());
                    list.push((key.into_owned(), value));
                }
            }
        }
        Some(AttributeMap(list))
    }

    /// The attributes at the paths of `keys`, which are unique: null where there is none. Fails with the key whose malformed part was reached.
    /// With `all_or_none`, `None` as soon as one is null.
    pub(crate) fn chosen<'k>(attributes: &[u8], keys: &'k [(String, Path)], all_or_none: bool) -> Result<Option<AttributeMap>, &'k str> {
        let mut list: Vec<(String, JsonText)> = Vec::with_capacity(if all_or_none { 0 } else { keys.len() });
        // For many keys, the attributes are read once instead of once for each.
        let values = (keys.len() > FEW_KEYS).then(|| values_of(attributes));
        for (key, path) in keys {
            let found = match &values {
                None => path.find(attributes),
                Some(values) => path.find_below(path.first_key().and_then(|first| values.get(first)).copied()),
            };
            let value = match found {
                Lookup::Value(json) => JsonText::recorded(json),
                Lookup::Nothing => JsonText::null(),
                Lookup::Malformed => return Err(key),
            };
            if all_or_none && value.is_null() {
                return Ok(None);
            }
            list.push((key.clone(), value));
        }
        Ok(Some(AttributeMap(list)))
    }

    /// The value of `key`; `None` if there is no such attribute.
    pub fn get(&self, key: &str) -> Option<&JsonText> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

impl Serialize for AttributeMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
