//! The entries of an attributes text as the span panel shows them, in recorded order.
//!
//! What is not here: speed. The pass over a whole file reads with `scan`.

use super::{Decoded, ScanError, decode, entries};
use crate::{Encoding, Number, Value};

/// One attribute of a span or an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedAttribute {
    /// As recorded.
    pub key: String,
    /// The text of a JSON string, without quotes and escapes; of any other JSON value, the value as written.
    pub text: String,
    /// Whether a JSON string was recorded: `"7"` is the text 7, `7` the number.
    pub is_string: bool,
}

impl RecordedAttribute {
    /// What the value holds. A string is decoded by the rules of [`decode`]; a recorded number, boolean, null, list or map
    /// is what its JSON says.
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

/// The attributes in `text`, in recorded order; a key that stands twice is there twice.
///
/// # Errors
/// Where `text` stops being a JSON object.
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
