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
pub struct ScanError {
    /// Bytes before the place that could not be read.
    pub offset: usize,
    /// What should have stood there.
    pub expected: &'static str,
}

/// The entries of the JSON object in `text`, in recorded order, keys that stand twice twice.
///
/// Yields one error where the text stops being a JSON object, and nothing after it.
///
/// ```
/// let text = br#"{"__root__": true, "raw_path": "/v1/agents"}"#;
/// let entries: Vec<_> = quipu::recorded::entries(text).collect::<Result<_, _>>()?;
/// assert!(entries[0].1.is_true());
/// assert_eq!(entries[1].0, "raw_path");
/// assert_eq!(entries[1].1.as_str().as_deref(), Some("/v1/agents"));
/// # Ok::<(), quipu::recorded::ScanError>(())
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

/// A JSON value as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawJson<'a> {
    bytes: &'a [u8],
    /// Whether a backslash stands in it; only told for strings.
    escaped: bool,
}

impl<'a> RawJson<'a> {
    /// A value that was taken from a text before.
    #[cfg(feature = "store")]
    pub(crate) fn from_written(bytes: &'a [u8]) -> RawJson<'a> {
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
            // A run of escapes is followed step by step; a search would cost more than it skips.
            match self.text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at += self.escape_length(at).ok_or(ScanError { offset: at, expected: "an escape of JSON" })?;
                }
                Some(_) => {
                    let rest = self.text.get(at..).unwrap_or_default();
                    at += memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                }
                None => return Err(ScanError { offset: at, expected: "the closing quote of a string" }),
            }
        }
        self.at = at + 1;
        Ok(RawJson { bytes: self.text.get(start..self.at).unwrap_or_default(), escaped })
    }

    fn escape_length(&self, at: usize) -> Option<usize> {
        match self.text.get(at + 1)? {
            b'u' => self.text.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
            _ => None,
        }
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

/// The text, with U+FFFD where bytes are no UTF-8. Checking first is several times as fast as repairing what needs none.
pub(crate) fn repaired(bytes: &[u8]) -> Cow<'_, str> {
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
