//! Shared by the JSON and the Python parser: a cursor, and finding the ends of strings and bracketed fragments.
//!
//! Not here: the grammars.

/// A position in a text. It advances by whole ASCII tokens and strings, so it is always on a character boundary.
pub(super) struct Cursor<'a> {
    text: &'a str,
    /// Byte offset.
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes().get(self.at..).unwrap_or_default()
    }

    /// The text from `start` to the cursor.
    pub(super) fn since(&self, start: usize) -> Option<&'a str> {
        self.text.get(start..self.at)
    }

    /// Skips `byte` if it is next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Skips `word` if it is next.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found
    }

    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Skips a string in any quotes. Returns its inside, and whether it contains a backslash.
    pub(super) fn take_string(&mut self) -> Option<(&'a str, bool)> {
        let (start, quote) = (self.at + 1, self.peek()?);
        let (end, escaped) = string_end(self.bytes(), start, quote)?;
        self.at = end + 1;
        Some((self.text.get(start..end)?, escaped))
    }

    /// Skips a bracketed fragment.
    pub(super) fn take_bracketed(&mut self, quotes: &[u8]) -> Option<()> {
        self.at = bracketed_end(self.bytes(), self.at, quotes)?;
        Some(())
    }
}

/// The position of the closing `quote` of a string that started before `at`, and whether the string contains a backslash.
fn string_end(bytes: &[u8], mut at: usize, quote: u8) -> Option<(usize, bool)> {
    let mut escaped = false;
    loop {
        match *bytes.get(at)? {
            byte if byte == quote => return Some((at, escaped)),
            b'\\' => {
                escaped = true;
                at += 2;
            }
            _ => at += memchr::memchr2(quote, b'\\', bytes.get(at..)?)?,
        }
    }
}

/// The position after the bracket that closes the one at `at`. Brackets must match by kind; those inside strings are ignored.
fn bracketed_end(bytes: &[u8], mut at: usize, quotes: &[u8]) -> Option<usize> {
    let mut closers = Vec::new();
    loop {
        let byte = *bytes.get(at)?;
        match byte {
            b'[' => closers.push(b']'),
            b'{' => closers.push(b'}'),
            b'(' => closers.push(b')'),
            b']' | b'}' | b')' if closers.pop() != Some(byte) => return None,
            quote if quotes.contains(&quote) => at = string_end(bytes, at + 1, quote)?.0,
            _ => {}
        }
        at += 1;
        if closers.is_empty() {
            return Some(at);
        }
    }
}
