//! Decodes strings recorded by Llama Stack: JSON, the `repr` of Python objects, or plain text.
//!
//! Decoding is lossless and never fails: anything that can't be parsed stays text, and nested values keep their original string. Time and
//! memory are linear in the length of the input: each string is parsed at most twice (as JSON, then as Python), strings within strings are
//! decoded up to [`MAX_NESTED`] levels and up to four times the total length, containers up to [`MAX_DEPTH`] levels. Anything deeper stays
//! as written.
//!
//! The rules of [`decode`]:
//! - A string is decoded if all of it is a list or a map, or a Python tuple, set, `Foo(a=1)` or `<… at 0x…>`.
//! - Everything else is text: `hello`, `7`, `True`, `null`, `""`, `end_of_turn`. Numbers recorded as JSON numbers are not passed to it; a
//!   number recorded as a string is text.
//! - A quoted string is decoded only if it contains a list or map, at any level of quoting, and then becomes [`Value::Nested`]. `"foo"`
//!   stays text, including its quotes.
//! - The same rules apply to strings inside decoded values, which become [`Value::Nested`], except that `<…>` stays text there.
//! - A bare Python call (`Foo(…)`) must have values as arguments: `Vienna(Austria)` is text.
//!
//! Not here: what the values mean (`llm`, `tokens`).

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
pub use scan::{Entries, Items, RawJson, ScanError, entries, items};
pub use scan::{Followed, repaired};

use crate::{Encoding, Value};

/// Maximum nesting of lists, maps and Python objects, including those in nested strings. Deeper ones are [`Value::Opaque`].
pub const MAX_DEPTH: usize = 128;

/// Maximum nesting of strings within strings. Deeper ones stay [`Value::Text`].
pub const MAX_NESTED: usize = 8;

/// A decoded string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The format of the string.
    pub encoding: Encoding,
    /// The value; [`Value::Text`] with the whole string if the format is [`Encoding::Text`].
    pub value: Value,
}

/// Parses a JSON document without decoding the strings in it. `None` if it is not valid JSON.
pub fn parse_json(text: &str) -> Option<Value> {
    json::parse(text, 0)
}

/// Decodes a recorded string by the rules in the module documentation. Never fails and never panics.
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
