//! Decodes what Llama Stack wrote as text: JSON, the `repr` of Python objects, or plain text.
//!
//! Nothing is lost and nothing fails: what can't be read stays text, and the text is always at hand beside what it holds.
//! Work and memory grow with the text's length, whatever it holds: each text is read at most twice (as JSON, then as
//! Python), texts inside texts at most [`MAX_NESTED`] levels deep and at most four times the whole's length, containers
//! at most [`MAX_DEPTH`] deep. What lies deeper stays as written.
//!
//! The rules of [`decode`]:
//! - A text is decoded when the whole of it is a list or a map, or a Python tuple, set, `Foo(a=1)` or `<… at 0x…>`.
//! - Everything else is text: `hello`, `7`, `True`, `null`, `""`, `end_of_turn`. A number that was recorded as a JSON
//!   number never comes here; one that was recorded as a string is a text.
//! - A text that is itself a string in quotes counts only if the string holds a list or a map, at whatever level of quoting;
//!   it is then [`Value::Nested`]. `"foo"` in quotes stays the text with its quotes.
//! - Texts inside decoded values follow the same rules and become [`Value::Nested`], except `<…>`, which stays text there.
//! - A Python call alone (`Foo(…)`) needs arguments that are values: `Vienna(Austria)` is text.
//!
//! What is not here: what the values mean (`llm`, `tokens`).

mod attributes;
mod escape;
mod fragment;
mod json;
mod lex;
mod nest;
mod print;
mod python;
mod scan;

pub use attributes::{RecordedAttribute, attributes};
pub use print::json_text;
pub use print::{python_text, write_json_string};
pub use scan::{Entries, RawJson, ScanError, entries};
pub use scan::{Followed, repaired};

use crate::{Encoding, Value};

/// Lists, maps and Python objects inside each other at most, texts inside texts included. Deeper ones are [`Value::Opaque`].
pub const MAX_DEPTH: usize = 128;

/// Texts inside texts at most. Deeper ones stay [`Value::Text`].
pub const MAX_NESTED: usize = 8;

/// A recorded text as it was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// How it was understood.
    pub encoding: Encoding,
    /// What it holds: [`Value::Text`] with the whole text when the encoding is [`Encoding::Text`].
    pub value: Value,
}

/// A JSON document as it stands; texts inside it are not looked into. `None` where it is none.
pub fn parse_json(text: &str) -> Option<Value> {
    json::parse(text, 0)
}

/// Decodes a recorded text; the module's page has the rules. Never fails and never panics.
///
/// ```
/// use quipu_model::Encoding;
/// let decoded = quipu_model::recorded::decode("{'messages': \"[{'role': 'user', 'content': 'hi'}]\", 'stream': 'False'}");
/// assert_eq!(decoded.encoding, Encoding::Python);
/// let messages = decoded.value.get("messages").and_then(|value| value.items()).unwrap_or_default();
/// assert_eq!(messages[0].get("content").and_then(|value| value.as_str()), Some("hi"));
/// ```
pub fn decode(text: &str) -> Decoded {
    match nest::decode_document(text) {
        Some((encoding, value)) => Decoded { encoding, value },
        None => Decoded { encoding: Encoding::Text, value: Value::Text(text.to_owned()) },
    }
}
