//! Rewrites JavaScript's object literals, as `console.dir` and `util.inspect` print them, as JSON: keys without quotation marks, single ones,
//! `undefined`, commas before a brace, texts in parts (`'a' + 'b'`), names of classes before a brace, and stand-ins such as `[Object]`.
//!
//! Lines stay lines, so that problems can be reported with theirs. Not here: what the objects mean (`console`).

use super::{Inside, Layer, Sink};
use crate::transfer::import::ImportError;

/// Longest text.
const MAX_TOKEN: usize = 64 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Between tokens.
    Between,
    /// In a text that ends with this mark; after a backslash, and in the digits after `\x`, `\u` or `\u{`.
    Text(u8),
    Escape(u8),
    Digits(u8),
    Word,
    /// After an opening bracket, which may begin a stand-in.
    Bracket,
    /// In a stand-in such as `[Object: null prototype]`.
    Stand,
}

/// A value or key that may still go on.
#[derive(PartialEq, Eq)]
enum Token {
    None,
    /// What is between the quotation marks in JSON.
    Text,
    /// Words, joined by blanks.
    Words,
}

pub(super) struct Rewriter {
    at: At,
    token: Token,
    held: Vec<u8>,
    /// Digits of an escape.
    digits: String,
    /// Of each bracket that is open, whether it is a brace.
    open: Vec<bool>,
    /// After a colon, up to the end of the value.
    in_value: bool,
    comma: bool,
    /// Lines in a text, which follow after it.
    lines: usize,
    out: Vec<u8>,
    too_long: bool,
}

impl Default for Rewriter {
    fn default() -> Rewriter {
        Rewriter {
            at: At::Between,
            token: Token::None,
            held: Vec::new(),
            digits: String::new(),
            open: Vec::new(),
            in_value: false,
            comma: false,
            lines: 0,
            out: Vec::new(),
            too_long: false,
        }
    }
}

impl Layer for Rewriter {
    fn push(&mut self, bytes: &[u8], sink: Sink<'_>) -> Result<Option<String>, ImportError> {
        for chunk in bytes.chunks(64 << 10) {
            for byte in chunk {
                self.byte(*byte);
            }
            sink(Inside::Bytes(&self.out))?;
            self.out.clear();
            if self.too_long {
                return Ok(Some("a text in it is longer than 64 MiB".into()));
            }
        }
        Ok(None)
    }

    fn finish(&mut self, sink: Sink<'_>) -> Result<Option<String>, ImportError> {
        self.flush(false);
        sink(Inside::Bytes(&std::mem::take(&mut self.out)))?;
        Ok(None)
    }
}

impl Rewriter {
    fn hold(&mut self, bytes: &[u8]) {
        if self.held.len() + bytes.len() > MAX_TOKEN {
            self.too_long = true;
        } else {
            self.held.extend_from_slice(bytes);
        }
    }

    /// Writes what is held: as a key, or as a value.
    fn flush(&mut self, is_key: bool) {
        let token = std::mem::replace(&mut self.token, Token::None);
        let held = std::mem::take(&mut self.held);
        if token == Token::None {
            return;
        }
        self.separate();
        // An entry of a set is a key without a value.
        let is_lone = !is_key && !self.in_value && self.open.last() == Some(&true);
        match token {
            Token::Words if !is_key && self.open.is_empty() => self.out.extend_from_slice(&held),
            Token::Words if !is_key && !is_lone => match word(&held) {
                Some(value) => self.out.extend_from_slice(value),
                None => self.quoted(&held),
            },
            _ => self.quoted(&held),
        }
        if is_lone {
            self.out.extend_from_slice(b":null");
        }
        self.in_value = is_key;
        self.out.resize(self.out.len() + std::mem::take(&mut self.lines), b'\n');
    }

    fn quoted(&mut self, held: &[u8]) {
        self.out.push(b'"');
        self.out.extend_from_slice(held);
        self.out.push(b'"');
    }

    fn separate(&mut self) {
        if std::mem::take(&mut self.comma) {
            self.out.push(b',');
        }
    }

    fn byte(&mut self, byte: u8) {
        match self.at {
            At::Text(mark) => self.in_text(mark, byte),
            At::Escape(mark) => self.escape(mark, byte),
            At::Digits(mark) => self.digit(mark, byte),
            At::Stand => {
                self.hold(&[byte]);
                if byte == b']' {
                    self.at = At::Between;
                }
            }
            At::Bracket if byte.is_ascii_uppercase() => {
                self.begin_words();
                self.hold(&[b'[', byte]);
                self.at = At::Stand;
            }
            At::Bracket => {
                self.open(b'[');
                self.at = At::Between;
                self.between(byte);
            }
            At::Word if byte.is_ascii_alphanumeric() || byte >= 0x80 || b"_$.-+*<>()&/@#%".contains(&byte) => self.hold(&[byte]),
            // As in a date.
            At::Word if byte == b':' && self.in_value => self.hold(&[byte]),
            At::Word => {
                self.at = At::Between;
                self.between(byte);
            }
            At::Between => self.between(byte),
        }
    }

    fn begin_words(&mut self) {
        match self.token {
            Token::Words => self.hold(b" "),
            _ => self.flush(false),
        }
        self.token = Token::Words;
    }

    /// A brace or bracket. Names before it are of its class.
    fn open(&mut self, byte: u8) {
        if self.token == Token::Words && !self.open.is_empty() {
            (self.token, self.held) = (Token::None, Vec::new());
        }
        self.flush(false);
        self.separate();
        self.out.push(byte);
        self.open.push(byte == b'{');
        self.in_value = false;
    }

    fn between(&mut self, byte: u8) {
        match byte {
            b'\'' | b'"' | b'`' => {
                // A text goes on after a plus sign.
                if self.token != Token::Text {
                    self.flush(false);
                }
                self.token = Token::Text;
                self.at = At::Text(byte);
            }
            b'[' => self.at = At::Bracket,
            b'{' => self.open(byte),
            b'}' | b']' => {
                self.flush(false);
                self.comma = false;
                self.out.push(byte);
                self.open.pop();
                self.in_value = false;
            }
            b':' => {
                self.flush(true);
                self.out.push(byte);
            }
            b',' => {
                self.flush(false);
                self.comma = !self.open.is_empty();
                self.in_value = false;
            }
            b'\n' => {
                if self.open.is_empty() {
                    self.flush(false);
                }
                self.out.push(byte);
            }
            b' ' | b'\t' | b'\r' => {}
            b'+' if self.token == Token::Text => {}
            // Entries of a map: `'a' => 1`.
            b'=' => self.flush(true),
            b'>' if self.token == Token::None && !self.open.is_empty() => self.out.push(b':'),
            _ => {
                self.begin_words();
                self.hold(&[byte]);
                self.at = At::Word;
            }
        }
    }

    fn in_text(&mut self, mark: u8, byte: u8) {
        match byte {
            _ if byte == mark => self.at = At::Between,
            b'\\' => self.at = At::Escape(mark),
            b'"' => self.hold(b"\\\""),
            b'\n' if mark == b'`' => {
                self.hold(b"\\n");
                self.lines += 1;
            }
            // Other texts have no line breaks.
            b'\n' => {
                self.at = At::Between;
                self.between(byte);
            }
            0..0x20 => self.hold(format!("\\u{byte:04x}").as_bytes()),
            _ => self.hold(&[byte]),
        }
    }

    fn escape(&mut self, mark: u8, byte: u8) {
        self.at = At::Text(mark);
        match byte {
            b'x' | b'u' => {
                self.digits = char::from(byte).to_string();
                self.at = At::Digits(mark);
            }
            b'n' | b't' | b'r' | b'b' | b'f' | b'\\' | b'"' | b'/' => self.hold(&[b'\\', byte]),
            b'v' => self.hold(b"\\u000b"),
            b'0' => self.hold(b"\\u0000"),
            // A text goes on in the next line.
            b'\n' => self.lines += 1,
            _ => self.in_text(0, byte),
        }
        if matches!(self.at, At::Text(0)) {
            self.at = At::Text(mark);
        }
    }

    fn digit(&mut self, mark: u8, byte: u8) {
        let is_open = self.digits.starts_with("u{");
        if byte.is_ascii_hexdigit() || (byte == b'{' && self.digits == "u") {
            self.digits.push(char::from(byte));
        }
        let digits = self.digits.get(1..).unwrap_or_default();
        let is_done = match (is_open, self.digits.starts_with('x')) {
            (true, _) => byte == b'}' || digits.len() > 8,
            (false, true) => digits.len() == 2,
            (false, false) => digits.len() == 4 && !digits.starts_with('{'),
        };
        if !is_done && (byte.is_ascii_hexdigit() || byte == b'{') {
            return;
        }
        self.at = At::Text(mark);
        let code = u32::from_str_radix(digits.trim_start_matches('{'), 16).unwrap_or(0xfffd);
        match char::from_u32(code) {
            Some(letter) if code >= 0x20 && !matches!(letter, '"' | '\\') => {
                let mut bytes = [0; 4];
                let bytes = letter.encode_utf8(&mut bytes).as_bytes().to_vec();
                self.hold(&bytes);
            }
            // Half of a pair too.
            _ => self.hold(format!("\\u{:04x}", code & 0xffff).as_bytes()),
        }
        if !is_done {
            self.byte(byte);
        }
    }
}

/// The value that a word stands for in JSON; `None` if it stands for itself.
fn word(word: &[u8]) -> Option<&[u8]> {
    match word {
        b"true" | b"false" | b"null" | b"NaN" | b"Infinity" | b"-Infinity" => Some(word),
        b"undefined" => Some(b"null"),
        _ => {
            // `12n` is a large integer.
            let digits = word.strip_suffix(b"n").unwrap_or(word);
            let begins = digits.strip_prefix(b"-").unwrap_or(digits).first().is_some_and(u8::is_ascii_digit);
            let is_number = begins && digits.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte));
            is_number.then_some(digits)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str, chunk: usize) -> String {
        let (mut rewriter, mut out) = (Rewriter::default(), Vec::new());
        let mut take = |inside: Inside<'_>| {
            if let Inside::Bytes(bytes) = inside {
                out.extend_from_slice(bytes);
            }
            Ok(())
        };
        for bytes in text.as_bytes().chunks(chunk) {
            rewriter.push(bytes, &mut take).expect("no failure");
        }
        rewriter.finish(&mut take).expect("no failure");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn what_node_prints_is_json() {
        let printed = r#"<ref *1> Resource {
  name: 'it\'s "x"', 'a.b': undefined, big: 12n, n: -1.5e+21, ok: true,
  list: [ 1, 'two', [Object], [Array], ],
  long: 'one\n' +
    'two',
  tick: `a
b`,
  Class: Map(1) { 'k' => [Object: null prototype] { v: Symbol(x) } },
  day: 1970-01-01T00:00:00.000Z, set: Set(2) { 1, 'a' }, buf: Buffer(2) [Uint8Array] [ 97, 98 ], f: [Function: foo],
  e: '\x1b[0m\u{1F600}é\u0041', self: [Circular *1], more: [ 1, ... 5 more items ],
}
a line of the program
{ b: {} }
"#;
        for chunk in [1, 3, 10_000] {
            let out = rewritten(printed, chunk);
            assert_eq!(out.lines().count(), printed.lines().count(), "{out}");
            let objects = out.split("a line of the program");
            let found: Vec<serde_json::Value> =
                objects.map(|text| serde_json::from_str(text.trim_start_matches("<ref *1> Resource")).expect(text)).collect();
            let expected = serde_json::json!({
                "name": "it's \"x\"", "a.b": null, "big": 12, "n": -1.5e21, "ok": true, "list": [1, "two", "[Object]", "[Array]"],
                "day": "1970-01-01T00:00:00.000Z", "set": { "1": null, "a": null }, "buf": [97, 98], "f": "[Function: foo]",
                "long": "one\ntwo", "tick": "a\nb", "Class": { "k": { "v": "Symbol(x)" } }, "e": "\u{1b}[0m😀éA",
                "self": "[Circular *1]", "more": [1, "... 5 more items"],
            });
            assert_eq!(found, [expected, serde_json::json!({ "b": {} })]);
        }
    }
}
