//! A fast scan of the top level of a JSON object of attributes: keys, and values as raw slices.
//!
//! Indexing scans every row of a file. Long strings are skipped with `memchr`, and keys without escapes are not allocated. Not here:
//! decoding (`super::decode`), and full validation of nested lists and maps, where only strings and matching brackets are checked.
//!
//! Accepts the output of Python's `json.dumps` and of any JSON writer: one object, with `NaN`, `Infinity` and `-Infinity` among the
//! numbers. Control characters in strings are accepted; invalid UTF-8 is replaced by U+FFFD when a string is read.

use super::escape;
use std::borrow::Cow;

/// The text is not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The attributes are not a JSON object: expected {expected} at byte {offset}.")]
#[non_exhaustive]
pub struct ScanError {
    /// Byte offset of the error.
    pub offset: usize,
    /// What was expected there.
    pub expected: &'static str,
}

const AN_ESCAPE: &str = "an escape of JSON";

/// Iterates over the entries of the JSON object in `text`, in recorded order, including duplicate keys.
///
/// Yields an error where the text is not a valid JSON object, and nothing after it.
///
/// ```
/// let text = br#"{"__root__": true, "raw_path": "/v1/agents"}"#;
/// let entries: Vec<_> = quipu_model::recorded::entries(text).collect::<Result<_, _>>()?;
/// assert!(entries[0].1.is_true());
/// assert_eq!(entries[1].0, "raw_path");
/// assert_eq!(entries[1].1.as_str().as_deref(), Some("/v1/agents"));
/// # Ok::<(), quipu_model::recorded::ScanError>(())
/// ```
pub fn entries(text: &[u8]) -> Entries<'_> {
    Entries { text, at: 0, state: State::Start }
}

/// Iterates over the items of the JSON list in `text`, as raw slices. Yields an error where the text is not a valid list, and nothing after
/// it.
///
/// ```
/// let items: Vec<_> = quipu_model::recorded::items(br#"[1, {"a": [2]}]"#).collect::<Result<_, _>>()?;
/// assert_eq!(items[1].bytes(), br#"{"a": [2]}"#);
/// # Ok::<(), quipu_model::recorded::ScanError>(())
/// ```
pub fn items(text: &[u8]) -> Items<'_> {
    Items(Entries { text, at: 0, state: State::Start })
}

/// Iterator returned by [`items`].
#[derive(Clone, Debug)]
pub struct Items<'a>(Entries<'a>);

impl<'a> Iterator for Items<'a> {
    type Item = Result<RawJson<'a>, ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.state == State::Done {
            return None;
        }
        let item = self.0.read_item().transpose();
        if !matches!(item, Some(Ok(_))) {
            self.0.state = State::Done;
        }
        item
    }
}

/// Iterator returned by [`entries`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    text: &'a [u8],
    at: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    AfterEntry,
    Done,
}

/// How far the text matched the expected bytes.
pub enum Followed<'a> {
    /// No match; nothing was consumed.
    Not,
    /// The key matched and was consumed; its value is next.
    ToKey,
    /// Key and value matched and were consumed; holds the value.
    ToValue(&'a [u8]),
}

/// A JSON value as a slice of the recorded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawJson<'a> {
    bytes: &'a [u8],
    /// Whether it contains a backslash; only meaningful for strings.
    escaped: bool,
}

impl<'a> RawJson<'a> {
    /// Wraps a value that was previously taken from a text.
    pub fn from_written(bytes: &'a [u8]) -> RawJson<'a> {
        RawJson { bytes, escaped: memchr::memchr(b'\\', bytes).is_some() }
    }

    /// The bytes as written, including quotes.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Whether it is `true`.
    pub fn is_true(self) -> bool {
        self.bytes == b"true"
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.bytes == b"null"
    }

    /// Whether it is a string.
    pub fn is_string(self) -> bool {
        self.bytes.first() == Some(&b'"')
    }

    /// The unescaped string without quotes; `None` for other values. Allocates only if there are escapes or invalid UTF-8.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let inner = self.bytes.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some(read_string(inner, self.escaped))
    }

    /// A number as written, including `NaN` and `Infinity`; `None` for other values.
    pub fn as_number_text(self) -> Option<&'a str> {
        match self.bytes.first() {
            Some(b'-' | b'0'..=b'9' | b'N' | b'I') => std::str::from_utf8(self.bytes).ok(),
            _ => None,
        }
    }

    /// The text as written, with invalid UTF-8 replaced by U+FFFD.
    pub fn as_written(self) -> Cow<'a, str> {
        repaired(self.bytes)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<(Cow<'a, str>, RawJson<'a>), ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Done {
            return None;
        }
        let entry = self.read_entry().transpose();
        if !matches!(entry, Some(Ok(_))) {
            self.state = State::Done;
        }
        entry
    }
}

impl<'a> Entries<'a> {
    /// Number of bytes consumed, up to the end of the last value.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Skips the next key, or the next key and value, if the text continues with `expected`: bytes seen earlier from the end of one value
    /// to the end of the next, of which the first `lead` precede the value. Nothing is parsed, because equal bytes have equal meaning. Only
    /// valid where the bytes could have been seen: at the start, or after an entry.
    pub fn follow(&mut self, expected: &[u8], lead: usize) -> Followed<'a> {
        let rest = self.rest();
        // The following byte ensures that a number is not the prefix of a longer one.
        if expected.len() > lead && rest.starts_with(expected) && matches!(rest.get(expected.len()), Some(b',' | b'}')) {
            self.at += expected.len();
            self.state = State::AfterEntry;
            return Followed::ToValue(rest.get(lead..expected.len()).unwrap_or_default());
        }
        match expected.get(..lead) {
            Some(expected) if rest.starts_with(expected) => {
                self.at += lead;
                self.state = State::AfterEntry;
                self.skip_blanks();
                Followed::ToKey
            }
            _ => Followed::Not,
        }
    }

    /// Reads the value after a key that was matched by [`follow`](Entries::follow). `None` if it is invalid.
    pub fn read_value(&mut self) -> Option<RawJson<'a>> {
        let value = self.value().ok();
        if value.is_none() {
            self.state = State::Done;
        }
        value
    }

    fn read_entry(&mut self) -> Result<Option<(Cow<'a, str>, RawJson<'a>)>, ScanError> {
        self.skip_blanks();
        if self.state == State::Start {
            self.take(b'{', "an object")?;
            self.skip_blanks();
            if self.peek() == Some(b'}') {
                return self.close();
            }
        } else {
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => return self.close(),
                _ => return Err(self.error("a comma or the closing brace")),
            }
            self.skip_blanks();
        }
        self.state = State::AfterEntry;
        let key = self.string("a key in quotes")?;
        let inner = key.bytes.get(1..key.bytes.len().saturating_sub(1)).unwrap_or_default();
        self.skip_blanks();
        self.take(b':', "a colon after the key")?;
        self.skip_blanks();
        let value = self.value()?;
        Ok(Some((read_string(inner, key.escaped), value)))
    }

    fn read_item(&mut self) -> Result<Option<RawJson<'a>>, ScanError> {
        self.skip_blanks();
        if self.state == State::Start {
            self.take(b'[', "a list")?;
            self.skip_blanks();
            if self.peek() == Some(b']') {
                return self.close();
            }
        } else {
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => return self.close(),
                _ => return Err(self.error("a comma or the closing bracket")),
            }
            self.skip_blanks();
        }
        self.state = State::AfterEntry;
        self.value().map(Some)
    }

    fn close<T>(&mut self) -> Result<Option<T>, ScanError> {
        self.at += 1;
        self.skip_blanks();
        if self.at == self.text.len() { Ok(None) } else { Err(self.error("the end of the text")) }
    }

    fn value(&mut self) -> Result<RawJson<'a>, ScanError> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => return self.string("a value"),
            Some(b'{' | b'[') => self.nested()?,
            Some(b'-' | b'0'..=b'9' | b'N' | b'I') => {
                let length = super::json::number_length(self.rest()).ok_or_else(|| self.error("a number"))?;
                self.at += length;
            }
            _ => {
                let word = [b"true".as_slice(), b"false", b"null"].into_iter().find(|word| self.rest().starts_with(word));
                self.at += word.ok_or_else(|| self.error("a value"))?.len();
            }
        }
        Ok(RawJson { bytes: self.text.get(start..self.at).unwrap_or_default(), escaped: false })
    }

    /// Skips a list or map. Strings are skipped as a whole; brackets must match.
    fn nested(&mut self) -> Result<(), ScanError> {
        let mut closers = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string("a string")?;
                    continue;
                }
                b'{' => closers.push(b'}'),
                b'[' => closers.push(b']'),
                b'}' | b']' if closers.pop() != Some(byte) => {
                    return Err(self.error("the bracket that closes the last open one"));
                }
                _ => {}
            }
            self.at += 1;
            if closers.is_empty() {
                return Ok(());
            }
        }
        Err(self.error("a closing bracket"))
    }

    fn string(&mut self, expected: &'static str) -> Result<RawJson<'a>, ScanError> {
        if self.peek() != Some(b'"') {
            return Err(self.error(expected));
        }
        let start = self.at;
        let mut at = start + 1;
        let mut escaped = false;
        loop {
            at += plain_length(self.text.get(at..).unwrap_or_default());
            match self.text.get(at) {
                Some(b'"') => break,
                Some(_) => {
                    escaped = true;
                    at += self.escape_length(at).ok_or(ScanError { offset: at, expected: AN_ESCAPE })?;
                }
                None => return Err(ScanError { offset: at, expected: "the closing quote of a string" }),
            }
        }
        self.at = at + 1;
        Ok(RawJson { bytes: self.text.get(start..self.at).unwrap_or_default(), escaped })
    }

    fn escape_length(&self, at: usize) -> Option<usize> {
        let byte = *self.text.get(at + 1)?;
        if LETTERS.get(usize::from(byte)) == Some(&true) {
            return Some(2);
        }
        let is_number = byte == b'u' && self.text.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit);
        is_number.then_some(6)
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8, expected: &'static str) -> Result<(), ScanError> {
        if self.peek() != Some(byte) {
            return Err(self.error(expected));
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, expected: &'static str) -> ScanError {
        ScanError { offset: self.at, expected }
    }
}

/// Which characters are valid after a backslash. A table, because they are unpredictable for the branch predictor.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler; and a byte is below 256")]
const LETTERS: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < 8 {
        table[b"\"\\/bfnrt"[at] as usize] = true;
        at += 1;
    }
    table
};

/// Number of bytes before the first quote or backslash. Texts with many escapes have few bytes in between, so it starts with eight-byte
/// steps, which have no set-up cost.
fn plain_length(text: &[u8]) -> usize {
    const NEAR: usize = 4;
    const EACH: u64 = 0x0101_0101_0101_0101;
    let (words, _) = text.as_chunks::<8>();
    for (count, word) in words.iter().take(NEAR).enumerate() {
        let word = u64::from_le_bytes(*word);
        // The high bit of each byte that differs, whatever that byte's own high bit.
        let differs = |byte: u8| (((word ^ (EACH * u64::from(byte))) & (EACH * 0x7f)) + EACH * 0x7f) | word;
        let found = !(differs(b'"') & differs(b'\\')) & (EACH * 0x80);
        if found != 0 {
            return count * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let far = words.len().min(NEAR) * 8;
    let rest = text.get(far..).unwrap_or_default();
    far + memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len())
}

/// Converts to a string, replacing invalid UTF-8 by U+FFFD. Validating first is several times as fast as always repairing.
pub fn repaired(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

fn read_string(inner: &[u8], escaped: bool) -> Cow<'_, str> {
    let text = repaired(inner);
    if !escaped {
        return text;
    }
    // The scan has validated every escape, so the fallback is never used for recorded text.
    escape::unescape_json(&text).map_or_else(|| text.clone(), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads the string at the start byte by byte.
    fn walked(text: &[u8]) -> Result<(usize, bool), ScanError> {
        let (mut at, mut escaped) = (1, false);
        loop {
            match text.get(at) {
                Some(b'"') => return Ok((at + 1, escaped)),
                Some(b'\\') => {
                    escaped = true;
                    let length = match text.get(at + 1) {
                        Some(b'u') if text.get(at + 2..at + 6).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) => 6,
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                        _ => return Err(ScanError { offset: at, expected: AN_ESCAPE }),
                    };
                    at += length;
                }
                Some(_) => at += 1,
                None => return Err(ScanError { offset: text.len(), expected: "the closing quote of a string" }),
            }
        }
    }

    proptest! {
        #[test]
        fn a_string_ends_where_walking_along_it_does(
            parts in prop::collection::vec(
                prop_oneof![
                    8 => "[a-zä]{1,40}",
                    8 => prop::sample::select(vec!["\\\\", "\\\"", "\\n", "\\u00e9", "\\/"]).prop_map(str::to_owned),
                    1 => prop::sample::select(vec!["\\", "\"", "\\x", "\\u12", "\\u12g4"]).prop_map(str::to_owned),
                ],
                0..30,
            ),
            end in prop::sample::select(vec!["\"", "\"}", "", "\\"]),
        ) {
            let text = format!("\"{}{end}", parts.concat());
            let mut entries = entries(text.as_bytes());
            let read = entries.string("a string").map(|value| (value.bytes.len(), value.escaped));
            prop_assert_eq!(read, walked(text.as_bytes()), "{}", text);
        }
    }

    #[test]
    fn a_string_is_read_wherever_it_ends() {
        for length in 0..200 {
            for tail in ["", "\"", "\\", "\\\"", "\\\\\"", "\\u00e9\"", "\\u00\"", "\", "] {
                let text = format!("\"{}{tail}", "x".repeat(length));
                let read = entries(text.as_bytes()).string("a string").map(|value| (value.bytes.len(), value.escaped));
                assert_eq!(read, walked(text.as_bytes()), "{text}");
            }
        }
    }

    #[test]
    fn quotes_and_backslashes_are_found_anywhere_and_nothing_else_is() {
        for byte in 0..=255_u8 {
            for place in 0..80 {
                let mut text = [b'x'; 80];
                text[place] = byte;
                let expected = if matches!(byte, b'"' | b'\\') { place } else { text.len() };
                assert_eq!(plain_length(&text), expected, "{byte} in {place}");
                text[(place + 1)..].fill(b'"');
                assert_eq!(plain_length(&text), if expected == place { place } else { place + 1 }, "{byte} in {place}");
            }
        }
    }
}
