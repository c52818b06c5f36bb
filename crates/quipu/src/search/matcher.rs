//! Decides whether recorded attributes contain a string as a reader sees them: in keys, in values without their escapes, and in the strings
//! inside values that are JSON or Python repr.
//!
//! Most attributes are rejected or accepted by their bytes alone. Not here: the positions of matches (`places`).

use super::sieve::Sieve;
use quipu_model::Value;
use quipu_model::fold::{AsciiFinder, Needle};
use quipu_model::recorded::{RawJson, decode, entries};

/// Of longer values only the text is searched, not the strings inside: decoded they would take many times their size.
pub(super) const MAX_INSIDE_BYTES: usize = 4 << 20;

/// A string, prepared for searching recorded attributes.
pub(crate) struct TextMatcher {
    pub(super) needle: Needle,
    sieve: Sieve,
    /// The whole string, if it consists of characters that are never escaped.
    plain: Option<AsciiFinder>,
}

impl TextMatcher {
    /// A matcher for `text`; `None` if it is empty.
    pub(crate) fn new(text: &str) -> Option<TextMatcher> {
        let needle = Needle::new(text)?;
        let letters = needle.letters().iter().map(|letter| (letter.is_ascii_alphanumeric() || *letter == ' ').then_some(*letter as u8));
        let plain: Option<Vec<u8>> = letters.collect();
        Some(TextMatcher { sieve: Sieve::new(&needle), plain: AsciiFinder::new(&plain.unwrap_or_default()), needle })
    }

    /// Whether a name contains it.
    pub(crate) fn is_in_name(&self, name: &str) -> bool {
        self.needle.is_in(name)
    }

    /// Whether attributes contain it. If they are not a JSON object, they are searched as text, including the strings inside.
    pub(crate) fn is_in_attributes(&self, attributes: &[u8]) -> bool {
        if !self.sieve.may_hold(attributes) {
            return false;
        }
        let mut entries = entries(attributes);
        while let Some(entry) = entries.next() {
            let Ok((key, value)) = entry else { return self.is_in_text(&String::from_utf8_lossy(attributes)) };
            if self.needle.is_in(&key) || self.is_in_value(value) {
                return entries.all(|entry| entry.is_ok()) || self.is_in_text(&String::from_utf8_lossy(attributes));
            }
        }
        false
    }

    fn is_in_value(&self, value: RawJson<'_>) -> bool {
        if value.is_string() && self.stands_as_written(value.bytes()) {
            return true;
        }
        self.is_in_text(&value.as_str().unwrap_or_else(|| value.as_written()))
    }

    /// Whether it occurs in `string` where no escape is nearby.
    fn stands_as_written(&self, string: &[u8]) -> bool {
        let Some(plain) = &self.plain else { return false };
        let Some(at) = plain.find(string, 0) else { return false };
        // The longest JSON escape has six bytes, of which the last five may be letters or digits.
        string.get(at.saturating_sub(5)..at).is_some_and(|before| !before.contains(&b'\\'))
    }

    /// Whether the text of a value contains it, or a string inside.
    pub(super) fn is_in_text(&self, text: &str) -> bool {
        if self.needle.is_in(text) {
            return true;
        }
        // Without a backslash, the strings inside are substrings of the text.
        let bytes = text.as_bytes();
        bytes.len() <= MAX_INSIDE_BYTES
            && memchr::memchr(b'\\', bytes).is_some()
            && self.sieve.may_hold(bytes)
            && self.is_inside(&decode(text).value)
    }

    fn is_inside(&self, value: &Value) -> bool {
        match value {
            Value::Text(text) => self.needle.is_in(text),
            Value::Nested { raw, value, .. } => self.needle.is_in(raw) || self.is_inside(value),
            Value::List(items) => items.iter().any(|item| self.is_inside(item)),
            Value::Map(entries) => entries.iter().any(|(key, item)| self.needle.is_in(key) || self.is_inside(item)),
            Value::Tagged { value, .. } => self.is_inside(value),
            // These appear in the text as they are.
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Opaque(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use quipu_model::recorded::attributes;

    fn fold(text: &str) -> String {
        text.chars()
            .flat_map(|letter| letter.to_string().to_lowercase().to_uppercase().to_lowercase().chars().collect::<Vec<_>>())
            .collect()
    }

    fn texts_inside(value: &Value, texts: &mut Vec<String>) {
        match value {
            Value::Text(text) => texts.push(text.clone()),
            Value::Nested { raw, value, .. } => {
                texts.push(raw.clone());
                texts_inside(value, texts);
            }
            Value::List(items) => items.iter().for_each(|item| texts_inside(item, texts)),
            Value::Map(entries) => entries.iter().for_each(|(key, item)| {
                texts.push(key.clone());
                texts_inside(item, texts);
            }),
            Value::Tagged { value, .. } => texts_inside(value, texts),
            _ => {}
        }
    }

    /// Reference implementation: decodes and folds everything, without shortcuts.
    fn holds(needle: &str, recorded: &str) -> bool {
        let (mut texts, values): (Vec<String>, Vec<String>) = match attributes(recorded.as_bytes()) {
            Ok(list) => list.into_iter().map(|attribute| (attribute.key, attribute.text)).unzip(),
            Err(_) => (Vec::new(), vec![recorded.to_owned()]),
        };
        for value in values {
            texts_inside(&decode(&value).value, &mut texts);
            texts.push(value);
        }
        texts.iter().any(|text| fold(text).contains(&fold(needle)))
    }

    fn is_in(needle: &str, recorded: &str) -> bool {
        TextMatcher::new(needle).expect("a text").is_in_attributes(recorded.as_bytes())
    }

    /// A character as itself or as a JSON escape.
    fn json_letter() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => "[a-dA-DsSkKnux0-9 {}\\[\\]:,'\\-]",
            1 => "[éЖжß東\u{212a}ſİ🦙]",
            1 => prop::sample::select(vec![r#"\""#, r"\\", r"\n", r"\/", r"\u0061", r"\u0041", r"\u005c", r"\u00e9", r"\u212a", r"\u00df", r"\u0416", r"\ud83e\udd99", r"\u000a", r"\u0131"])
                .prop_map(str::to_owned),
            1 => prop::sample::select(vec![r"\\x61", r"\\xe9", r"\\u0061", r"\\n", r"\\\n", r"\\101", r"\\U00000061", r"\\'", r#"\\\""#, r"\\\\n", r"\\\\\\n", r"\\\\x61"])
                .prop_map(str::to_owned),
        ]
    }

    fn json_string() -> impl Strategy<Value = String> {
        prop::collection::vec(json_letter(), 0..14).prop_map(|letters| format!("\"{}\"", letters.concat()))
    }

    /// A value that is text, or a Python or JSON document in a string, escaped at two levels.
    fn recorded() -> impl Strategy<Value = String> {
        let inside = || prop::collection::vec(json_letter(), 0..10).prop_map(|letters| letters.concat());
        let value = prop_oneof![
            json_string(),
            inside().prop_map(|text| format!("\"{{'k': '{text}'}}\"")),
            inside().prop_map(|text| format!(r#""[\"{text}\", 1]""#)),
            inside().prop_map(|text| format!(r#""Foo(a='{text}', b=None)""#)),
            json_string().prop_map(|text| format!("[{text}, null]")),
        ];
        let end = prop_oneof![9 => Just("}"), 1 => Just(", ")];
        (json_string(), value, json_string(), end).prop_map(|(key, value, other, end)| format!("{{{key}: {value}, \"z\": {other}{end}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn the_matcher_agrees_with_decoding_everything(
            recorded in recorded(),
            needle in prop_oneof![4 => "[a-cA-Cs1]{1,3}", 2 => "[abkéжß東🦙 ]{1,3}", 1 => "[ab\"'\\\\\n{]{1,2}", 1 => "ssa?|a\u{fffd}?"],
        ) {
            prop_assert_eq!(is_in(&needle, &recorded), holds(&needle, &recorded), "{} in {}", needle, recorded);
        }
    }

    #[test]
    fn escapes_are_decoded_at_every_level() {
        let recorded = r#"{"input": "{'content': \"[{'text': 'in Z\\\\xfcrich\\\\nrain'}]\"}", "n": 42, "list": ["caf\u00e9"]}"#;
        for found in ["ZÜRICH", "zürich\nrain", "42", "Café", "list", "content"] {
            assert!(is_in(found, recorded), "{found}");
        }
        assert!(!is_in("zurich", recorded) && !is_in("nrain\\", recorded));
        assert!(!is_in("u00e9 ", r#"{"a": "caf\u00e9 x"}"#), "an escape is not text");
        assert!(is_in("broken", r#"{"a": "broken"#));
    }
}
