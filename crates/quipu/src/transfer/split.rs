//! Splits a stream of JSON into pieces that fit into memory. Accepts JSON lines, one object in any formatting, or a list of objects; the
//! lists that a dialect reads are split into their items, also inside the objects that servers wrap their answers in.
//!
//! Only brackets and strings are tracked; the consumer parses each piece. Malformed input is reported with its line, and splitting
//! continues on the next line. Not here: the meaning of pieces.

use super::dialect;

/// A piece of the stream.
pub(super) enum Piece<'b> {
    /// An item of the list with this name, and the number of its first byte in the stream.
    Item { list: &'b str, json: &'b [u8], line: u64, byte: u64 },
    /// A document without any such list.
    Document { json: &'b [u8], line: u64, byte: u64 },
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
    piece: Vec<u8>,
    too_long: bool,
    /// The document so far, as long as it may be an item by itself.
    document: Vec<u8>,
    document_too_long: bool,
    /// Number of objects around the current one in the document.
    nest: u32,
    /// The object had a list that is split.
    understood: bool,
    /// The list that is split has had an item.
    has_item: bool,
    empty: bool,
    /// The last byte that is neither whitespace nor in a string.
    last: u8,
    /// Numbers of the current byte, and of the first ones of the object and the piece.
    offset: u64,
    object_byte: u64,
    piece_byte: u64,
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
            piece: Vec::new(),
            too_long: false,
            document: Vec::new(),
            document_too_long: false,
            nest: 0,
            understood: false,
            has_item: false,
            empty: true,
            last: 0,
            offset: 0,
            object_byte: 0,
            piece_byte: 0,
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
                    self.offset += run as u64;
                    continue;
                }
            }
            self.byte(byte, take)?;
            from += 1;
            self.offset += 1;
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
        let (limit, line, offset) = (self.limit, self.line, self.offset);
        *self = Splitter { line, offset, fresh: Fresh::No, ..Splitter::new(limit) };
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.at == At::Key && self.in_string && self.key.len() < 200 {
            self.key.extend_from_slice(bytes);
        }
        let (held, too_long) = match (self.in_item, self.understood) {
            (true, _) => (&mut self.piece, &mut self.too_long),
            (false, false) => (&mut self.document, &mut self.document_too_long),
            (false, true) => return,
        };
        if *too_long {
            return;
        }
        if held.len() + bytes.len() > self.limit {
            *too_long = true;
            *held = Vec::new();
        } else {
            held.extend_from_slice(bytes);
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
                self.begin_object();
                At::Key
            }
            _ => At::Line,
        };
        Ok(())
    }

    fn begin_object(&mut self) {
        (self.object_line, self.object_byte) = (self.line, self.offset);
        (self.understood, self.empty, self.nest) = (false, true, 0);
        self.document.clear();
        self.document.push(b'{');
        (self.document_too_long, self.in_item) = (false, false);
    }

    /// Whether a line starts a new document while another one is open: the one before was truncated.
    fn begins_document(&mut self, byte: u8) -> bool {
        self.fresh = match (std::mem::replace(&mut self.fresh, Fresh::No), byte) {
            (_, b'\n') => Fresh::Line,
            (Fresh::Line, b'{') => Fresh::Brace(!matches!(self.at, At::Top | At::Line)),
            (Fresh::Brace(open), b'"') => Fresh::Key(Vec::new(), open),
            (Fresh::Key(key, true), b'"') if key.starts_with(b"resource") && std::str::from_utf8(&key).is_ok_and(dialect::is_list) => {
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
            self.begin_object();
            self.at = At::Colon;
            self.empty = false;
            // Its list is split, and the rest is not needed.
            self.understood = true;
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
        let before = if blank { self.last } else { std::mem::replace(&mut self.last, byte) };
        match self.at {
            At::Line => {
                if byte == b'\n' {
                    self.at = At::Top;
                }
            }
            At::Top => match byte {
                b'{' => {
                    self.at = At::Key;
                    self.begin_object();
                }
                // Brackets and commas of a list of documents, or a byte order mark.
                b'[' | b']' | b',' | 0xef | 0xbb | 0xbf => {}
                _ if blank => {}
                _ => return self.bad(byte, take),
            },
            At::Key => match byte {
                b'"' => {
                    self.hold(&[byte]);
                    self.key.clear();
                    self.empty = false;
                    self.in_string = true;
                }
                b'}' | b',' => return self.after_member(byte, take),
                _ if blank => {}
                _ => return self.bad(byte, take),
            },
            At::Colon => match byte {
                b':' => {
                    self.hold(&[byte]);
                    self.at = At::Value;
                }
                _ if blank => {}
                _ => return self.bad(byte, take),
            },
            At::Value => {
                if blank {
                    return Ok(());
                }
                let key = std::str::from_utf8(&self.key).unwrap_or_default();
                if byte == b'[' && dialect::is_list(key) {
                    (self.at, self.has_item) = (At::Item, false);
                    return Ok(());
                }
                if byte == b'{' && self.nest < dialect::MAX_WRAPPERS && dialect::is_wrapper(key) {
                    self.hold(&[byte]);
                    (self.at, self.nest) = (At::Key, self.nest + 1);
                    return Ok(());
                }
                (self.at, self.depth, self.in_item) = (At::Inside, 0, false);
                return self.inside(byte, before, take);
            }
            At::Item => match byte {
                b']' => {
                    self.at = At::Key;
                    self.understood |= std::str::from_utf8(&self.key).is_ok_and(|key| dialect::of_list(key).is_some());
                    self.hold(b"[]");
                }
                b',' => {}
                _ if blank => {}
                b'{' => {
                    self.begin_item();
                    return self.inside(byte, before, take);
                }
                // A list of the same name, but of other values.
                _ if !self.has_item => {
                    (self.at, self.depth) = (At::Inside, 1);
                    self.hold(b"[");
                    return self.inside(byte, before, take);
                }
                _ => return self.bad(byte, take),
            },
            At::Inside => return self.inside(byte, before, take),
        }
        Ok(())
    }

    fn begin_item(&mut self) {
        (self.at, self.depth, self.in_item) = (At::Inside, 0, true);
        (self.piece_line, self.piece_byte, self.too_long) = (self.line, self.offset, false);
        self.piece.clear();
        // The rest of the document is not needed.
        (self.understood, self.has_item) = (true, true);
        self.document = Vec::new();
    }

    fn inside<E>(&mut self, byte: u8, before: u8, take: &mut dyn FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        match byte {
            b'"' => self.in_string = true,
            // A line that starts an object where none may be: the one before was truncated.
            b'{' if matches!(self.fresh, Fresh::Brace(true)) && !matches!(before, b'{' | b'[' | b',' | b':') => {
                return self.bad(byte, take);
            }
            b'{' | b'[' => self.depth += 1,
            // A number or word ends at a comma or at the end of the object.
            b',' | b'}' if self.depth == 0 && !self.in_item => {
                self.at = At::Key;
                return self.after_member(byte, take);
            }
            b'}' | b']' if self.depth == 0 => return self.bad(byte, take),
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.hold(&[byte]);
        if self.in_item && self.depth == 0 && byte == b'}' {
            let piece = std::mem::take(&mut self.piece);
            (self.at, self.in_item) = (At::Item, false);
            let list = String::from_utf8_lossy(&self.key).into_owned();
            if self.too_long {
                let what = format!("it is longer than {}", quipu_model::format::bytes(self.limit as u64));
                return take(Piece::Bad { line: self.piece_line, what });
            }
            take(Piece::Item { list: &list, json: &piece, line: self.piece_line, byte: self.piece_byte })?;
            self.piece = piece;
        }
        Ok(())
    }

    /// The comma or brace after a member.
    fn after_member<E>(&mut self, byte: u8, take: &mut dyn FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        self.hold(&[byte]);
        if byte == b'}' {
            match self.nest.checked_sub(1) {
                Some(outer) => self.nest = outer,
                None => return self.end_object(take),
            }
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
                // Held as the end of the key, not as part of it.
                self.at = At::Colon;
            }
        }
        self.hold(&[byte]);
        Ok(())
    }

    fn end_object<E>(&mut self, take: &mut dyn FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        let (line, byte) = (self.object_line, self.object_byte);
        self.at = At::Top;
        if self.understood || self.empty {
            return Ok(());
        }
        if self.document_too_long {
            let what = format!("it is longer than {}", quipu_model::format::bytes(self.limit as u64));
            return take(Piece::Bad { line, what });
        }
        let document = std::mem::take(&mut self.document);
        take(Piece::Document { json: &document, line, byte })?;
        self.document = document;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
