//! A fast pass over the top level of an attributes text: keys, and the raw slices of their values.
//!
//! Every row of a file goes through here while it is indexed, so long strings are skipped with `memchr` and nothing is
//! allocated for a key without escapes. What is not here: decoding (`super::decode`), and the grammar inside a nested
//! list or map, of which only strings and the pairing of brackets are followed.
//!
//! Accepted is what Python's `json.dumps` and any JSON writer produce: one object, `NaN`, `Infinity` and `-Infinity`
//! among the numbers. A raw control character inside a string is let through, bytes that are no UTF-8 become U+FFFD
//! when a string is read.

use super::escape;
use std::borrow::Cow;

/// Why a text is no JSON object; where the reading stopped, in bytes from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The attributes are no JSON object: at byte {offset}, {expected} was expected.")]
#[non_exhaustive]
pub struct ScanError {
    /// Bytes before the place that could not be read.
    pub offset: usize,
    /// What should have stood there.
    pub expected: &'static str,
}

const AN_ESCAPE: &str = "an escape of JSON";

/// The entries of the JSON object in `text`, in recorded order, keys that stand twice twice.
///
/// Yields one error where the text stops being a JSON object, and nothing after it.
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

/// The iterator of [`entries`].
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

/// How far a text went on as expected.
pub enum Followed<'a> {
    /// It goes on otherwise; nothing was read.
    Not,
    /// The key is the same; its value is to be read.
    ToKey,
    /// The value is the same too, and was passed.
    ToValue(&'a [u8]),
}

/// A JSON value as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawJson<'a> {
    bytes: &'a [u8],
    /// Whether a backslash stands in it; only told for strings.
    escaped: bool,
}

impl<'a> RawJson<'a> {
    /// A value that was taken from a text before.
    pub fn from_written(bytes: &'a [u8]) -> RawJson<'a> {
        RawJson { bytes, escaped: memchr::memchr(b'\\', bytes).is_some() }
    }

    /// The bytes as written, quotes included.
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

    /// The string without its quotes and escapes; `None` for other values. Allocates only where there is an escape or
    /// bytes that are no UTF-8.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let inner = self.bytes.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some(read_string(inner, self.escaped))
    }

    /// The digits of a number as written, `NaN` and `Infinity` too; `None` for other values.
    pub fn as_number_text(self) -> Option<&'a str> {
        match self.bytes.first() {
            Some(b'-' | b'0'..=b'9' | b'N' | b'I') => std::str::from_utf8(self.bytes).ok(),
            _ => None,
        }
    }

    /// The text as written; bytes that are no UTF-8 become U+FFFD.
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
    /// Bytes read so far: up to the end of the last value.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Goes on to the next value, and past it, where the text goes on with `expected`: the bytes that once led from the end of a value to
    /// that of the next, of which `lead` came before it. Nothing is parsed: the same bytes mean the same. To be asked only in the place the
    /// bytes were once read in: at the beginning, or behind an entry.
    pub fn follow(&mut self, expected: &[u8], lead: usize) -> Followed<'a> {
        let rest = self.rest();
        // What follows keeps a number from being the beginning of a longer one.
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

    /// The value behind a key that was followed; `None` where there is none, and then the text stops being a JSON object.
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

    fn close(&mut self) -> Result<Option<(Cow<'a, str>, RawJson<'a>)>, ScanError> {
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

    /// Passes a list or map: strings are skipped whole, brackets must pair.
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

/// What makes an escape of two letters with the backslash before it. A table, because which of them comes next is not to be foreseen.
const LETTERS: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < 8 {
        table[b"\"\\/bfnrt"[at] as usize] = true;
        at += 1;
    }
    table
};

/// Bytes before the first quote or backslash. Texts with many escapes have few bytes between them, so the search begins eight by eight,
/// where starting it costs nothing.
fn plain_length(text: &[u8]) -> usize {
    const NEAR: usize = 4;
    const EACH: u64 = 0x0101_0101_0101_0101;
    let (words, _) = text.as_chunks::<8>();
    for (count, word) in words.iter().take(NEAR).enumerate() {
        let word = u64::from_le_bytes(*word);
        // The high bit of each byte that differs, whatever its own high bit says.
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

/// The text, with U+FFFD where bytes are no UTF-8. Checking first is several times as fast as repairing what needs none.
pub fn repaired(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

fn read_string(inner: &[u8], escaped: bool) -> Cow<'_, str> {
    let text = repaired(inner);
    if !escaped {
        return text;
    }
    // The scan has checked every escape, so this falls back for no recorded text.
    escape::unescape_json(&text).map_or_else(|| text.clone(), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The string at the beginning of a text, read letter by letter.
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
    fn quotes_and_backslashes_are_found_wherever_they_stand_and_nothing_else_is() {
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
