//! Attributes as they are shown: decoded, long ones truncated.
//!
//! Not here: which attributes (`detail`, `beyond`), and the rest of a long one, which is read on demand.

use quipu_model::recorded::{RawJson, RecordedAttribute, decode, entries};
use quipu_protocol::{Attribute, RecordedText, TextRef};
use std::borrow::Cow;

/// Longer values are truncated; the rest is loaded on demand.
pub(super) const INLINE_BYTES: usize = 64 * 1024;
/// Maximum bytes of a text that is decoded on demand.
const DECODE_BYTES: usize = 256 * 1024;
/// Longer values are not searched for chat messages.
pub(super) const CHAT_BYTES: usize = 4 << 20;

/// An attribute as shown and as recorded; a text longer than [`CHAT_BYTES`] is truncated.
pub(super) struct Read {
    pub(super) key: String,
    pub(super) recorded: RecordedAttribute,
    pub(super) shown: Attribute,
}

/// The entries of a JSON object; or the text itself, if it is none.
pub(super) fn read_attributes(text: Option<&str>, text_ref: impl Fn(Option<String>) -> TextRef) -> (Vec<Read>, Option<RecordedText>) {
    let Some(text) = text else { return (Vec::new(), None) };
    match entries(text.as_bytes()).collect::<Result<Vec<_>, _>>() {
        Ok(list) => {
            let read = |(key, value): (Cow<'_, str>, RawJson<'_>)| {
                let key = key.into_owned();
                let whole = value.as_str().unwrap_or_else(|| value.as_written());
                let len = whole.len();
                // A value too long to be a conversation may have a hundred megabytes: only its visible part is copied.
                let text = if len <= CHAT_BYTES { whole.into_owned() } else { head(&whole).to_owned() };
                let recorded = RecordedAttribute { key: key.clone(), text, is_string: value.is_string() };
                let shown = Attribute {
                    key: key.clone(),
                    text: shorten(&recorded.text, len, || Some(recorded.decoded())),
                    text_ref: text_ref(Some(key.clone())),
                };
                Read { key, recorded, shown }
            };
            (list.into_iter().map(read).collect(), None)
        }
        Err(_) => (Vec::new(), Some(shorten(text, text.len(), || Some(decode(text))))),
    }
}

/// A whole text with its structure, if it is short enough to be decoded.
pub(super) fn recorded(text: String) -> RecordedText {
    let decoded = (text.len() <= DECODE_BYTES).then(|| decode(&text));
    let (encoding, value) = match decoded {
        Some(decoded) => (decoded.encoding, Some(decoded.value)),
        None => (quipu_model::Encoding::Text, None),
    };
    RecordedText { len_bytes: text.len() as u64, raw: text, complete: true, encoding, value }
}

/// The visible part of a text. `text` is the beginning of a value of `len` bytes, or all of it.
fn shorten(text: &str, len: usize, decoded: impl FnOnce() -> Option<quipu_model::recorded::Decoded>) -> RecordedText {
    let complete = len <= INLINE_BYTES;
    let decoded = if complete { decoded() } else { None };
    let (encoding, value) = match decoded {
        Some(decoded) => (decoded.encoding, Some(decoded.value)),
        None => (quipu_model::Encoding::Text, None),
    };
    RecordedText { raw: head(text).to_owned(), len_bytes: len as u64, complete, encoding, value }
}

/// The beginning of a text, of the length shown at first.
pub(super) fn head(text: &str) -> &str {
    let mut end = text.len().min(INLINE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
