//! Splits a stream of JSON into pieces that fit into memory. Accepts JSON lines, one object in any formatting, or a list of objects; the
//! lists that a dialect reads are split into their items.
//!
//! Only brackets and strings are tracked; the consumer parses each piece. Malformed input is reported with its line, and splitting
//! continues on the next line. Not here: the meaning of pieces.

use super::dialect;

/// A piece of the stream.
pub(super) enum Piece<'b> {
    /// An item of the list with this name. A document that is an item by itself is reported the same way.
    Item { list: &'b str, json: &'b [u8], line: u64 },
    /// Malformed input, described by the end of a sentence.
    Bad { line: u64, what: String },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Between documents.
    Top,
    /// In an object, before a key or the closing brace.
    Key,
    /// After a key.
    Colon,
    /// After a colon.
    Value,
    /// In a value of the object, until the bracket depth returns to this number.
    Inside,
    /// In a list that is split into items, before an item or the closing bracket.
    Item,
    /// Skipping the rest of a line.
    Line,
}

/// State of the splitter.
pub(super) struct Splitter {
    at: At,
    limit: usize,
    line: u64,
    /// Lines on which the object and the piece began.
    object_line: u64,
    piece_line: u64,
    /// Number of open brackets within the value or item.
    depth: u32,
    in_string: bool,
    escaped: bool,
    key: Vec<u8>,
    /// The piece is an item of a list, not a member of the object.
    in_item: bool,
    keep: bool,
    piece: Vec<u8>,
    too_long: bool,
    /// Members that are kept of a document that may be an item by itself.
    members: Vec<(String, Vec<u8>)>,
    /// The object had a member that some dialect reads.
    understood: bool,
    empty: bool,
    /// At the start of a line: how much of `{"` was seen, and the key after it.
    fresh: Fresh,
}

#[derive(PartialEq, Eq)]
enum Fresh {
    No,
    Line,
    /// Whether a document was open before the brace.
    Brace(bool),
    Key(Vec<u8>, bool),
}

impl Splitter {
    /// Pieces longer than `limit` bytes are reported and skipped.
    pub(super) fn new(limit: usize) -> Splitter {
        Splitter {
            at: At::Top,
            limit,
            line: 1,
            object_line: 1,
            piece_line: 1,
            depth: 0,
            in_string: false,
            escaped: false,
            key: Vec::new(),
            in_item: false,
            keep: false,
            piece: Vec::new(),
            too_long: false,
            members: Vec::new(),
            understood: false,
            empty: true,
            fresh: Fresh::Line,
        }
    }

    /// Consumes bytes, and calls `take` with every completed piece.
    pub(super) fn push<E>(&mut self, bytes: &[u8], take: &mut dyn FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut from = 0;
        while let Some(byte) = bytes.get(from).copied() {
            // Most bytes are inside strings, so these are consumed as a run.
            if self.in_string && !self.escaped && matches!(self.fresh, Fresh::No) {
                let rest = bytes.get(from..).unwrap_or_default();
                let run = memchr::memchr3(b'"', b'\\', b'\n', rest).unwrap_or(rest.len());
                if run > 0 {
                    self.hold(rest.get(..run).unwrap_or_default());
                    from += run;
                    continue;
                }
            }
            self.byte(byte, take)?;
            from += 1;
        }
        Ok(())
    }

    /// Ends the stream. An incomplete piece is reported.
    pub(super) fn finish<E>(&mut self, take: &mut dyn FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        if !matches!(self.at, At::Top | At::Line) {
            take(Piece::Bad { line: self.object_line, what: "it ends in the middle; it was cut off".into() })?;
        }
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        let (limit, line) = (self.limit, self.line);
        *self = Splitter { line, fresh: Fresh::No, ..Splitter::new(limit) };
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.at == At::Key {
            if self.key.len() < 200 {
                self.key.extend_from_slice(bytes);
            }
        } else if self.keep && !self.too_long {
            if self.piece.len() + bytes.len() > self.limit {
                self.too_long = true;
                self.piece = Vec::new();
            } else {
                self.piece.extend_from_slice(bytes);
            }
        }
    }

    fn bad<E>(&mut self, byte: u8, take: &mut dyn FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        let line = if self.at == At::Top { self.line } else { self.object_line };
        take(Piece::Bad { line, what: "it is not valid JSON".into() })?;
        let begins = matches!(self.fresh, Fresh::Brace(_));
        self.reset();
        self.at = match byte {
            b'\n' => At::Top,
            // The line before was truncated where no object may start.
            b'{' if begins => {
                self.object_line = self.line;
                At::Key
            }
            _ => At::Line,
        };
        Ok(())
    }

    /// Whether a line starts a new document while another one is open: the one before was truncated.
    fn begins_document(&mut self, byte: u8) -> bool {
        self.fresh = match (std::mem::replace(&mut self.fresh, Fresh::No), byte) {
            (_, b'\n') => Fresh::Line,
            (Fresh::Line, b'{') => Fresh::Brace(!matches!(self.at, At::Top | At::Line)),
            (Fresh::Brace(open), b'"') => Fresh::Key(Vec::new(), open),
            (Fresh::Key(key, true), b'"') if key.starts_with(b"resource") && is_list(&key) => {
                self.key = key;
                return true;
            }
            (Fresh::Key(mut key, open), byte) if byte != b'"' && key.len() < 40 => {
                key.push(byte);
                Fresh::Key(key, open)
            }
            _ => Fresh::No,
        };
        false
    }

    fn byte<E>(&mut self, byte: u8, take: &mut dyn FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        if self.begins_document(byte) {
            let key = std::mem::take(&mut self.key);
            take(Piece::Bad { line: self.object_line, what: "it ends in the middle; it was cut off".into() })?;
            self.reset();
            self.at = At::Colon;
            self.object_line = self.line;
            self.empty = false;
            self.key = key;
            return Ok(());
        }
        if self.in_string {
            return self.in_text(byte, take);
        }
        if byte == b'\n' {
            self.line += 1;
        }
        let blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        match self.at {
            At::Line => {
                if byte == b'\n' {
                    self.at = At::Top;
                }
            }
            At::Top => match byte {
                b'{' => {
                    self.at = At::Key;
                    self.object_line = self.line;
                    self.understood = false;
                    self.empty = true;
                }
                // Brackets and commas of a list of documents, or a byte order mark.
                b'[' | b']' | b',' | 0xef | 0xbb | 0xbf => {}
                _ if blank => {}
                _ => return self.bad(byte, take),
            },
            At::Key => match byte {
                b'"' => {
                    self.key.clear();
                    self.empty = false;
                    self.in_string = true;
                }
                b'}' => return self.end_object(take),
                b',' => {}
                _ if blank => {}
                _ => return self.bad(byte, take),
            },
            At::Colon => match byte {
                b':' => self.at = At::Value,
                _ if blank => {}
                _ => return self.bad(byte, take),
            },
            At::Value => {
                if blank {
                    return Ok(());
                }
                let key = std::str::from_utf8(&self.key).unwrap_or_default();
                if byte == b'[' && is_list(&self.key) {
                    self.understood = true;
                    self.at = At::Item;
                    return Ok(());
                }
                self.begin(dialect::is_kept(key), false);
                return self.inside(byte, take);
            }
            At::Item => match byte {
                b']' => self.at = At::Key,
                b',' => {}
                _ if blank => {}
                b'{' => {
                    self.begin(true, true);
                    return self.inside(byte, take);
                }
                _ => return self.bad(byte, take),
            },
            At::Inside => return self.inside(byte, take),
        }
        Ok(())
    }

    fn begin(&mut self, keep: bool, in_item: bool) {
        (self.at, self.depth, self.keep, self.in_item) = (At::Inside, 0, keep, in_item);
        (self.piece_line, self.too_long) = (self.line, false);
        self.piece.clear();
    }

    fn inside<E>(&mut self, byte: u8, take: &mut dyn FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            // A number or word ends at a comma or at the end of the object.
            b',' | b'}' if self.depth == 0 && !self.in_item => {
                self.end_member();
                return if byte == b'}' { self.end_object(take) } else { Ok(()) };
            }
            b'}' | b']' if self.depth == 0 => return self.bad(byte, take),
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.hold(&[byte]);
        if self.in_item && self.depth == 0 && byte == b'}' {
            let piece = std::mem::take(&mut self.piece);
            self.at = At::Item;
            let list = String::from_utf8_lossy(&self.key).into_owned();
            if self.too_long {
                let what = format!("it is longer than {}", quipu_model::format::bytes(self.limit as u64));
                return take(Piece::Bad { line: self.piece_line, what });
            }
            take(Piece::Item { list: &list, json: &piece, line: self.piece_line })?;
            self.piece = piece;
        }
        Ok(())
    }

    fn in_text<E>(&mut self, byte: u8, take: &mut dyn FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        if byte == b'\n' {
            // JSON strings contain no line breaks: the line was truncated within one.
            self.line += 1;
            return self.bad(byte, take);
        }
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.in_string = false;
            if self.at == At::Key {
                self.at = At::Colon;
                return Ok(());
            }
        }
        self.hold(&[byte]);
        Ok(())
    }

    fn end_member(&mut self) {
        if self.keep && !self.too_long {
            let key = String::from_utf8_lossy(&self.key).into_owned();
            self.members.push((key, std::mem::take(&mut self.piece)));
        }
        self.at = At::Key;
    }

    fn end_object<E>(&mut self, take: &mut dyn FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        let members = std::mem::take(&mut self.members);
        let (line, known) = (self.object_line, self.understood || self.empty);
        self.at = At::Top;
        if let Some(list) = dialect::list_of_bare(members.iter().map(|(key, _)| key.as_str())) {
            let mut json = b"{".to_vec();
            for (at, (key, value)) in members.iter().enumerate() {
                json.extend_from_slice(if at == 0 { b"\"" } else { b",\"" });
                json.extend_from_slice(key.as_bytes());
                json.extend_from_slice(b"\":");
                json.extend_from_slice(value);
            }
            json.push(b'}');
            return take(Piece::Item { list, json: &json, line });
        }
        if known { Ok(()) } else { take(Piece::Bad { line, what: dialect::no_content_message() }) }
    }
}

fn is_list(key: &[u8]) -> bool {
    std::str::from_utf8(key).is_ok_and(|key| dialect::reader(key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Items as `list line: json`, problems as `! line: what`.
    fn split(text: &str, chunk: usize, limit: usize) -> Vec<String> {
        let (mut splitter, mut out) = (Splitter::new(limit), Vec::new());
        let mut take = |piece: Piece<'_>| {
            out.push(match piece {
                Piece::Item { list, json, line } => format!("{list} {line}: {}", String::from_utf8_lossy(json)),
                Piece::Bad { line, what } => format!("! {line}: {what}"),
            });
            Ok::<(), ()>(())
        };
        for bytes in text.as_bytes().chunks(chunk) {
            splitter.push(bytes, &mut take).expect("no failure");
        }
        splitter.finish(&mut take).expect("no failure");
        out
    }

    const CUT: &str = "it ends in the middle; it was cut off";
    const NO_JSON: &str = "it is not valid JSON";

    #[test]
    fn every_form_of_a_file_gives_its_items() {
        let expected = ["resourceSpans 1: {\"a\":[1,\"]}\"]}", "resourceSpans 1: {\"b\":2}", "resourceLogs 1: {\"c\":{}}"];
        let one = r#"{"resourceSpans":[{"a":[1,"]}"]},{"b":2}]} {"resourceLogs" : [ {"c":{}} ], "other": [1, {"d": 2}], "n": 3}"#;
        let list = format!("[{}]", one.replace("} {", "}, {"));
        for text in [one, &list] {
            for chunk in [1, 2, 7, 1_000] {
                assert_eq!(split(text, chunk, 1_000), expected, "{text}");
            }
        }
        let pretty = "{\n  \"resourceSpans\": [\n    {\n      \"b\": 2\n    }\n  ]\n}\n";
        assert_eq!(split(pretty, 3, 1_000), ["resourceSpans 3: {\n      \"b\": 2\n    }"]);
        let by_item = "{\"data\":[\n{\"traceID\":\"1\",\"spans\":[]},\n{\"traceID\":\"2\"}\n]}";
        assert_eq!(split(by_item, 5, 1_000), ["data 2: {\"traceID\":\"1\",\"spans\":[]}", "data 3: {\"traceID\":\"2\"}"]);
        let bare = r#"{"processes": {"p1": {}}, "x": 1, "spans": [{}], "traceID": "t"}"#;
        assert_eq!(split(bare, 4, 1_000), [r#"data 1: {"processes":{"p1": {}},"spans":[{}],"traceID":"t"}"#]);
    }

    #[test]
    fn a_malformed_line_is_reported_and_the_next_ones_are_read() {
        let good = "{\"resourceSpans\":[{\"a\":1}]}\n";
        let bad = |line: &str| split(&format!("{good}{line}\n{good}"), 6, 60);
        let [before, after] = ["resourceSpans 1: {\"a\":1}", "resourceSpans 3: {\"a\":1}"].map(str::to_owned);
        for (line, what) in [
            ("{\"resourceSpans\":[{\"a\":\"cut off in a te", NO_JSON),
            ("{\"resourceSpans\":[{\"a\":[1,", CUT),
            ("{\"resourceSpans\":[{\"a\":1}],", NO_JSON),
            ("a line of a log", NO_JSON),
            ("{\"resourceSpans\":[{\"a\":1]]]]}", NO_JSON),
            ("{\"level\":\"info\"}", "it holds no resourceSpans, resourceLogs or resourceMetrics, and no trace of Jaeger's"),
            (
                "{\"resourceSpans\":[{\"a\":\"much longer than a piece may be, as the limit of this test says\"}]}",
                "it is longer than 60 bytes",
            ),
        ] {
            let found = bad(line);
            assert_eq!(found.first(), Some(&before), "{line}");
            assert_eq!(found.last(), Some(&after), "{line}: {found:?}");
            assert!(found.contains(&format!("! 2: {what}")), "{line}: {found:?}");
        }
        assert_eq!(split("{\"resourceSpans\":[{\"a\":1}", 9, 60), ["resourceSpans 1: {\"a\":1}".to_owned(), format!("! 1: {CUT}")]);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_consumed_to_the_end(text in "[\\[\\]{}\",:\\\\a\n ]{0,80}", chunk in 1_usize..9) {
            let whole = split(&text, 1_000, 50);
            prop_assert_eq!(split(&text, chunk, 50), whole);
        }
    }
}
