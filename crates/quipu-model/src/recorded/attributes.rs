//! Attributes of a row in recorded order, as shown in the span panel.
//!
//! Not here: fast scanning of whole files, which is in `scan`.

use super::{Decoded, ScanError, decode, entries};
use crate::{Encoding, Number, Value};

/// An attribute of a span or event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedAttribute {
    /// The key, unescaped.
    pub key: String,
    /// The unescaped content of a JSON string, or any other JSON value as written.
    pub text: String,
    /// Whether the value is a JSON string: distinguishes `"7"` from `7`.
    pub is_string: bool,
}

impl RecordedAttribute {
    /// Decodes the value. Strings are decoded with [`decode`]; other JSON values are taken as they are.
    pub fn decoded(&self) -> Decoded {
        let scalar = match self.text.as_str() {
            _ if self.is_string => None,
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            text if super::json::number_length(text.as_bytes()) == Some(text.len()) => Some(Value::Number(Number(text.to_owned()))),
            _ => None,
        };
        match scalar {
            Some(value) => Decoded { encoding: Encoding::Json, value },
            None => decode(&self.text),
        }
    }
}

impl RecordedAttribute {
    /// Decodes the value like [`RecordedAttribute::decoded`], and keeps the text of a string that contains a list or map: what a message
    /// says is shown as it was said.
    pub fn nested(&self) -> Value {
        let Decoded { encoding, value } = self.decoded();
        if !self.is_string || encoding == Encoding::Text {
            return value;
        }
        Value::Nested { raw: self.text.clone(), encoding, value: Box::new(value) }
    }
}

/// Parses all attributes in recorded order, including duplicate keys.
///
/// # Errors
/// If `text` is not a JSON object.
pub fn attributes(text: &[u8]) -> Result<Vec<RecordedAttribute>, ScanError> {
    entries(text)
        .map(|entry| {
            let (key, value) = entry?;
            let is_string = value.is_string();
            let text = value.as_str().unwrap_or_else(|| value.as_written()).into_owned();
            Ok(RecordedAttribute { key: key.into_owned(), text, is_string })
        })
        .collect()
}
