//! Finds what is assigned to the name of a secret: in prose, JSON, Python, URLs, headers, command lines, XML, YAML, and pairs of a name
//! and a value.
//!
//! A value is taken whole: what is quoted to its quotation mark, however often its text was escaped; what is not, to the next blank, or to
//! a sign that begins another assignment. If in doubt, more is taken. Each byte is passed a bounded number of times: a value that was
//! taken is not searched again, and a value that may be rejected is only read for [`MAX_DOUBTFUL`] bytes. Not here: which names are those
//! of secrets (`names`), and keys that are known by their form (`rules`, `shapes`).

use super::detect::Finder;
use super::names::{Wants, may_be_secret, wanted};
use super::shapes::{is_uuid, looks_like_key};
use quipu_model::MARKER_END;

/// The most bytes of a value that has to look like a key.
const MAX_DOUBTFUL: usize = 400;

/// The most bytes between the name and the value of a pair.
const MAX_PAIR: usize = 240;

/// Values that say nothing, in lower case.
const NOTHING: &str = "none null nil undefined true false yes no required optional string str int bool unset empty n/a na tbd todo \
redacted hidden masked removed basic bearer digest negotiate oauth oauth2 token apikey any expired invalid missing wrong \
incorrect secretstr basemodel";

/// How sentences begin that say something about a secret, in lower case.
const REMARKS: &str = "required optional must should is was has are not none null missing invalid incorrect wrong expired cannot can \
will field rejected denied";

/// Words between a name and its value in a sentence.
const JOINTS: [&str; 11] = ["is ", "was ", "to ", "as ", "equals ", "= ", "-> ", "of ", "is: ", "was: ", "is = "];

/// A value: from where to where, and how it was assigned.
struct Found {
    start: usize,
    end: usize,
    wants: Wants,
}

impl Finder<'_> {
    /// Called at the first letter of a name.
    pub(super) fn assigned(&mut self, at: usize) {
        if at < self.assigned.name_end || at < self.secret_end {
            return;
        }
        let name_end = self.end_of(at, |byte| super::detect::is_letter(byte) || matches!(byte, b'_' | b'-'));
        self.assigned.name_end = name_end;
        let name = self.text(at, name_end);
        if name.len() < 2 || name == "user" {
            return self.short_option(at, name_end);
        }
        self.command(name, name_end);
        // Most words are neither names of secrets nor followed by a sign.
        let is_prose = self.bytes.get(name_end).is_none_or(|byte| *byte == b' ')
            && self.bytes.get(name_end + 1).is_none_or(|byte| byte.is_ascii_lowercase() || byte.is_ascii_uppercase());
        if is_prose && !may_be_secret(name) {
            return;
        }
        if self.manifest(at, name, name_end) {
            return;
        }
        if self.pair(at, name_end) {
            return;
        }
        let Some(wants) = self.wants(at, name_end) else { return };
        self.assigned.secret_name = name_end;
        let Some(mut found) = self.value_after(at, name_end, wants) else { return };
        // Not the sign at the end of a sentence.
        if found.wants != Wants::Anything {
            while found.end > found.start && matches!(self.bytes.get(found.end - 1), Some(b'.' | b',' | b';' | b':' | b'!' | b'?')) {
                found.end -= 1;
            }
        }
        if self.is_secret(&found) && !self.is_piece(name, found.end) {
            self.push_secret(found.start, found.end);
        }
    }

    /// How the value under the name at `at` must look. `key` and `token` are read with the words before them: “the API key”.
    fn wants(&self, at: usize, name_end: usize) -> Option<Wants> {
        let name = self.text(at, name_end);
        let is_short = name.len() <= 7 && ["key", "token", "pass", "phrase", "code", "id"].iter().any(|word| starts_as(name, word));
        let mut from = at;
        for _ in 0..if is_short { 2 } else { 0 } {
            let Some(blank) = from.checked_sub(1).filter(|before| self.bytes.get(*before) == Some(&b' ')) else { break };
            let head = self.bytes.get(blank.saturating_sub(24)..blank).unwrap_or_default();
            let letters = head.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
            if letters == 0 || letters == 24 {
                break;
            }
            from = blank - letters;
        }
        wanted(self.text(from, name_end))
    }

    /// Where the value of a name stands.
    fn value_after(&self, at: usize, name_end: usize, wants: Wants) -> Option<Found> {
        let before = at.checked_sub(1).and_then(|before| self.bytes.get(before)).copied();
        let found = |start: usize, end: usize| Some(Found { start, end, wants });
        // <password>…</password>, <db:password type="plain">…</db:password>
        if matches!(before, Some(b'<' | b':')) && matches!(self.bytes.get(name_end), Some(b'>' | b' ')) && self.is_tag(at) {
            let head = self.bytes.get(name_end..self.bytes.len().min(name_end + MAX_PAIR))?;
            if let Some(length) = head.iter().position(|byte| *byte == b'>') {
                return self.element(name_end + length + 1).and_then(|(start, end)| found(start, end));
            }
        }
        let after_quotes = self.end_of(name_end, is_mark);
        let after_name = self.end_of(after_quotes, |byte| is_mark(byte) || matches!(byte, b' ' | b'\t' | b']' | b'*'));
        let sign = self.bytes.get(after_name).copied();
        if matches!(sign, Some(b':' | b'=')) {
            let is_colon = sign == Some(b':');
            let start = self.end_of(after_name + 1, |byte| matches!(byte, b' ' | b'\t' | b':' | b'=' | b'>' | b'*'));
            // password:\n  X
            let is_folded = self.rest(start).starts_with(b"-\n") || self.rest(start).starts_with(b"+\n");
            if is_folded || matches!(self.bytes.get(start), Some(b'\n' | b'\r' | b'|')) || start >= self.bytes.len() {
                return if is_colon { self.block(at, start).and_then(|(start, end)| found(start, end)) } else { None };
            }
            let (start, end) = self.value(at, name_end, start, is_colon, wants)?;
            return found(start, end);
        }
        // --password X
        if before == Some(b'-') && (after_name > name_end || sign == Some(b',')) {
            let start = self.end_of(after_name, |byte| matches!(byte, b' ' | b','));
            if !matches!(self.bytes.get(start), None | Some(b'-' | b'\n' | b'[' | b'|')) {
                let (start, end) = self.value(at, name_end, start, false, wants)?;
                return found(start, end);
            }
            return None;
        }
        // ('password', 'X')
        if after_quotes > name_end && sign == Some(b',') {
            return self.tuple(at, after_name).and_then(|(start, end)| found(start, end));
        }
        // The password is X.
        if after_quotes == name_end && sign.is_some() && self.bytes.get(name_end) == Some(&b' ') {
            return self.told(at, name_end + 1);
        }
        None
    }

    /// A value that begins at `start`: quoted, in brackets, or bare.
    fn value(&self, at: usize, name_end: usize, start: usize, is_colon: bool, wants: Wants) -> Option<(usize, usize)> {
        let most = if wants == Wants::Anything { usize::MAX } else { start + MAX_DOUBTFUL };
        // b'…', r"…", and what escaped quotes begin with.
        let marks = self.end_of(start, |byte| byte == b'\\');
        let prefix = matches!(self.bytes.get(marks), Some(b'b' | b'r' | b'u' | b'f' | b'L')) as usize;
        let quote = if matches!(self.bytes.get(marks + prefix), Some(b'"' | b'\'' | b'`')) { marks + prefix } else { marks };
        if matches!(self.bytes.get(quote), Some(b'"' | b'\'' | b'`')) {
            return Some(self.quoted(quote, marks - start, most));
        }
        // <your password>, {{ .password }}
        for (open, close) in [("<", ">"), ("{{", "}}")] {
            let rest = self.bytes.get(start..self.bytes.len().min(start + 80)).unwrap_or_default();
            let length = memchr::memmem::find(rest, close.as_bytes()).map(|length| length + close.len());
            let is_place = |text: &[u8]| text.iter().all(|byte| byte.is_ascii_alphabetic() || b" _-.<>{}'$".contains(byte));
            if let Some(length) = length.filter(|length| rest.starts_with(open.as_bytes()) && rest.get(..*length).is_some_and(is_place)) {
                return Some((start, start + length));
            }
        }
        if matches!(self.bytes.get(start), Some(b'{' | b'[' | b'(')) {
            return (wants == Wants::Anything).then(|| (start, self.end_of_brackets(start)));
        }
        let name = self.text(at, name_end).to_ascii_lowercase();
        let to_line_end = name.ends_with("authorization") || name.ends_with("cookie") || name.ends_with("phrase") || name == "mnemonic";
        if to_line_end || is_colon && wants == Wants::Anything && self.begins_line(at) {
            let end = self.end_of(start, |byte| !matches!(byte, b'\n' | b'\r'));
            return Some((start, self.line_end(start, end)));
        }
        Some((start, self.bare_end(start, most)))
    }

    /// The text in the quotation marks that begin at `quote`, which `escapes` backslashes precede.
    fn quoted(&self, quote: usize, escapes: usize, most: usize) -> (usize, usize) {
        let mark = self.bytes.get(quote).copied().unwrap_or_default();
        // """…"""
        let is_triple = self.rest(quote).starts_with(&[mark; 3]) && self.bytes.get(quote + 3).is_some_and(|byte| *byte != mark);
        let start = if is_triple { quote + 3 } else { quote + 1 };
        let mut slashes = 0;
        let mut at = start;
        while let Some(byte) = self.bytes.get(at).copied().filter(|_| at < most) {
            if byte == b'\\' {
                slashes += 1;
            } else {
                let is_own = byte == mark && slashes <= escapes;
                if is_own {
                    let next = self.bytes.get(at + 1).copied();
                    let goes_on = next.is_some_and(|next| next.is_ascii_alphanumeric()) && at > start;
                    // 'it''s'
                    let is_doubled =
                        next == Some(mark) && escapes == 0 && self.bytes.get(at + 2).is_some_and(u8::is_ascii_alphanumeric) && at > start;
                    if is_doubled {
                        at += 1;
                    } else if !goes_on {
                        return (start, at - slashes);
                    }
                }
                slashes = 0;
            }
            at += 1;
        }
        (start, at.min(self.bytes.len()))
    }

    /// The end of a value without quotation marks.
    fn bare_end(&self, start: usize, most: usize) -> usize {
        let mut at = start;
        while let Some(byte) = self.bytes.get(at).copied().filter(|_| at < most) {
            let next = self.bytes.get(at + 1).copied();
            let ends = match byte {
                b' ' | b'\n' | b'\r' | b'\t' => true,
                // An escaped line end, or the quotation mark around the whole.
                b'\\' => next.is_none_or(|next| matches!(next, b'n' | b'r' | b't' | b'"' | b'\'' | b'\\')),
                b'"' | b'\'' | b'`' => {
                    next.is_none_or(|next| matches!(next, b' ' | b',' | b'}' | b']' | b')' | b':' | b';' | b'\n' | b'\r' | b'\\' | b'>'))
                }
                b';' | b',' | b'&' => next.is_none_or(|next| next <= b' ' || is_mark(next)) || self.assigns(at + 1),
                b'<' => next == Some(b'/'),
                b'}' | b']' | b')' => {
                    next.is_some_and(|next| matches!(next, b',' | b'}' | b']' | b')' | b' ' | b'"' | b'\'')) && self.closes(start, at)
                }
                _ => false,
            };
            if ends {
                break;
            }
            at += 1;
        }
        at
    }

    /// Whether the bracket at `at` closes one from before the value.
    fn closes(&self, start: usize, at: usize) -> bool {
        let value = self.bytes.get(start..at).unwrap_or_default();
        value.len() < 200
            && !value.iter().any(|byte| matches!(byte, b'{' | b'[' | b'('))
            && !value.iter().any(|byte| matches!(byte, b'}' | b']' | b')'))
    }

    /// The end of a value that reaches to the end of its line, without the quotation mark around the whole.
    fn line_end(&self, start: usize, end: usize) -> usize {
        let line = self.bytes.get(start..end).unwrap_or_default();
        // In text that is still escaped, the line ends at `\n` or at a quotation mark.
        let stop = line.iter().enumerate().position(|(place, byte)| match byte {
            b'\\' => line.get(place + 1).is_none_or(|next| matches!(next, b'n' | b'r' | b'"' | b'\'')),
            b'"' | b'\'' => line.get(place + 1).is_none_or(|next| matches!(next, b',' | b'}' | b']' | b')' | b' ')),
            _ => false,
        });
        start + stop.unwrap_or(line.len())
    }

    /// Whether another assignment begins at `at`: `Server=`.
    fn assigns(&self, at: usize) -> bool {
        let name = self
            .rest(at)
            .iter()
            .take(40)
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'%'))
            .count();
        let is_name = name > 0 && self.bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
        is_name && self.bytes.get(at + name) == Some(&b'=')
    }

    /// Whether the name at `at` begins a tag, perhaps after a namespace.
    fn is_tag(&self, at: usize) -> bool {
        let head = self.bytes.get(at.saturating_sub(24)..at).unwrap_or_default();
        let letters = head.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-')).count();
        letters < head.len() && head.get(head.len() - letters - 1) == Some(&b'<')
    }

    /// Whether only blanks and signs precede the name on its line.
    fn begins_line(&self, at: usize) -> bool {
        let head = self.bytes.get(at.saturating_sub(16)..at).unwrap_or_default();
        let blanks = head.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t' | b'-' | b'>' | b'#' | b'*')).count();
        at == blanks || blanks < head.len() && head.get(head.len() - blanks - 1) == Some(&b'\n')
    }

    /// The content of an element whose tag ends before `start`.
    fn element(&self, start: usize) -> Option<(usize, usize)> {
        const DATA: &[u8] = b"<![CDATA[";
        let rest = self.rest(start);
        if rest.starts_with(DATA) {
            let length = memchr::memmem::find(rest, b"]]>").unwrap_or(rest.len());
            return Some((start + DATA.len(), start + length.max(DATA.len())));
        }
        let length = memchr::memmem::find(rest, b"</").unwrap_or(rest.len());
        (length > 0).then_some((start, start + length))
    }

    /// The lines below a name that are indented deeper than it, or a list right below it.
    fn block(&self, at: usize, start: usize) -> Option<(usize, usize)> {
        let line_start = memchr::memrchr(b'\n', self.bytes.get(at.saturating_sub(200)..at)?)
            .map_or(at.saturating_sub(200), |before| at.saturating_sub(200) + before + 1);
        let indent = self.end_of(line_start, |byte| byte == b' ') - line_start;
        let is_in_block = |line: usize| {
            let text = self.end_of(line, |byte| byte == b' ' || byte == b'\t');
            let item = self.bytes.get(text) == Some(&b'-') && self.bytes.get(text + 1) == Some(&b' ');
            let width = text - line;
            !matches!(self.bytes.get(text), None | Some(b'\n' | b'\r')) && (width > indent || item && width == indent)
        };
        let mut line = start + self.rest(start).iter().position(|byte| *byte == b'\n')? + 1;
        let first = line;
        while is_in_block(line) {
            line += memchr::memchr(b'\n', self.rest(line)).map_or(self.bytes.len() - line, |length| length + 1);
        }
        if line > first {
            let start = self.end_of(first, |byte| matches!(byte, b' ' | b'\t'));
            let is_break = |byte: Option<&u8>| matches!(byte, Some(b'\n' | b'\r'));
            while line > start && is_break(self.bytes.get(line - 1)) {
                line -= 1;
            }
            return Some((start, line));
        }
        // A line that is no deeper: only what is one word and looks like a key.
        let end = self.end_of(first, |byte| byte > b' ');
        let value = self.bytes.get(first..end.min(first + MAX_DOUBTFUL))?;
        (looks_like_key(value) && self.bytes.get(end).is_none_or(|byte| *byte == b'\n')).then_some((first, end))
    }

    /// The second of two strings in brackets: `('password', 'X')`, `["--password", "X"]`.
    fn tuple(&self, at: usize, comma: usize) -> Option<(usize, usize)> {
        let head = self.bytes.get(at.saturating_sub(12)..at).unwrap_or_default();
        let opens = head.iter().rev().find(|byte| !matches!(byte, b'"' | b'\'' | b'\\' | b' ' | b'b' | b'-'));
        let is_option = head.ends_with(b"-");
        if !is_option && !matches!(opens, Some(b'(' | b'[')) {
            return None;
        }
        let start = self.end_of(comma, |byte| matches!(byte, b',' | b' '));
        let marks = self.end_of(start, |byte| byte == b'\\');
        let quote = if self.bytes.get(marks) == Some(&b'b') { marks + 1 } else { marks };
        if !matches!(self.bytes.get(quote), Some(b'"' | b'\'')) {
            return None;
        }
        let (from, end) = self.quoted(quote, marks - start, start + 4 * MAX_DOUBTFUL);
        let after = self.end_of(end, |byte| is_mark(byte) || byte == b' ');
        let is_name = wanted(self.text(from, end)).is_some();
        (is_option || matches!(self.bytes.get(after), Some(b')' | b']')) && !is_name).then_some((from, end))
    }

    /// A value in a sentence: `is X`, `for anna is X`. It has to look like one.
    fn told(&self, name: usize, at: usize) -> Option<Found> {
        let mut at = at;
        let told = self.text(name, at - 1).to_ascii_lowercase();
        let is_password = ["password", "passwd", "passwort", "pwd", "passphrase"].iter().any(|word| told.ends_with(word));
        if self.rest(at).starts_with(b"for ") {
            let who = self.end_of(at + 4, |byte| byte > b' ');
            at = (who - at < 80).then_some(who + 1)?;
        }
        let joint = JOINTS.iter().find(|joint| self.rest(at).starts_with(joint.as_bytes()));
        // PASSWORD 'X', login with password X
        if joint.is_none() && !is_password {
            return None;
        }
        let mut start = at + joint.map_or(0, |joint| joint.len());
        for word in ["now ", "set ", "to "] {
            start += if self.rest(start).starts_with(word.as_bytes()) { word.len() } else { 0 };
        }
        if matches!(self.bytes.get(start), Some(b'"' | b'\'' | b'`')) {
            let (start, end) = self.quoted(start, 0, start + MAX_DOUBTFUL);
            let is_word = self.bytes.get(start..end).is_some_and(|value| value.iter().all(|byte| byte.is_ascii_lowercase()));
            return (!is_word || end - start > 5).then_some(Found { start, end, wants: Wants::Anything });
        }
        let mut end = self.bare_end(start, start + MAX_DOUBTFUL);
        while end > start && matches!(self.bytes.get(end - 1), Some(b'.' | b',' | b';' | b':' | b'!' | b'?' | b')' | b'"' | b'\'')) {
            end -= 1;
        }
        let value = self.bytes.get(start..end)?;
        let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
        let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
        let signs = value.iter().filter(|byte| b"!@#$%^&*+=?~".contains(byte)).count();
        let has_case = value.iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_lowercase);
        let is_telling = match joint {
            Some(_) => value.len() >= 5 && (digits >= 6 || letters > 2 && digits + signs > 0),
            // What follows a name at once has to tell more.
            None => value.len() >= 6 && digits > 0 && letters > 2 && (has_case || signs > 0),
        };
        is_telling.then_some(Found { start, end, wants: Wants::Anything })
    }

    /// A name and its value apart from each other: `"name": "DB_PASSWORD", "value": "X"`. Returns whether this is part of one.
    fn pair(&mut self, at: usize, name_end: usize) -> bool {
        let name = self.text(at, name_end);
        let is_name = matches!(
            name,
            "name" | "key" | "field" | "variable" | "header" | "param" | "parameter" | "label" | "Name" | "Key" | "id" | "type"
        );
        let is_value = matches!(name, "value" | "val" | "content" | "text" | "default" | "Value" | "new_value" | "old_value");
        if !is_name && !is_value {
            return false;
        }
        let after_name = self.end_of(name_end, |byte| is_mark(byte) || byte == b' ');
        if !matches!(self.bytes.get(after_name), Some(b':' | b'=')) {
            return false;
        }
        let start = self.end_of(after_name + 1, |byte| is_mark(byte) || matches!(byte, b' ' | b'='));
        if is_name {
            let end = start
                + self
                    .rest(start)
                    .iter()
                    .take(80)
                    .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
                    .count();
            // `"type": "token"` is a piece of a model's text.
            let is_piece = matches!(name, "id" | "type") && self.text(start, end).ends_with("oken");
            if end - start < 3 || is_piece || wanted(self.text(start, end)) != Some(Wants::Anything) {
                return false;
            }
            // What follows the name could be its value: `key=password=…`.
            if matches!(self.bytes.get(end), Some(b':' | b'=')) {
                return false;
            }
            self.assigned.pair_end = end;
            self.assigned.name_end = end;
            // <property name="password">X</property>
            let tag = self.end_of(end, |byte| is_mark(byte) || byte == b' ');
            let value = self.assigned.value_start;
            if self.bytes.get(tag) == Some(&b'>')
                && let Some((start, end)) = self.element(tag + 1)
            {
                self.push_secret(start, end);
            } else if value > 0
                && at.saturating_sub(value) < MAX_PAIR
                && !self.bytes.get(value..at).unwrap_or_default().iter().any(|byte| matches!(byte, b'{' | b'}' | b'\n'))
            {
                // The value came first.
                let (start, end) = self.pair_value(value);
                self.assigned.value_start = 0;
                if end < at {
                    self.push(start, end, quipu_protocol::PrivateKind::Secrets);
                }
            }
            return true;
        }
        let is_near = self.assigned.pair_end > 0 && at.saturating_sub(self.assigned.pair_end) < MAX_PAIR;
        let apart = self.bytes.get(self.assigned.pair_end..at).unwrap_or_default();
        if is_near && !apart.iter().any(|byte| matches!(byte, b'{' | b'}')) {
            self.assigned.pair_end = 0;
            let (start, end) = self.pair_value(after_name + 1);
            let found = Found { start, end, wants: Wants::Anything };
            if self.is_secret(&found) {
                self.push_secret(start, end);
            }
            return true;
        }
        self.assigned.value_start = after_name + 1;
        false
    }

    fn pair_value(&self, after: usize) -> (usize, usize) {
        let start = self.end_of(after, |byte| matches!(byte, b' ' | b'='));
        self.value(start, start, start, false, Wants::Anything).unwrap_or((start, start))
    }

    /// Remembers commands that take a password by an option of one letter.
    fn command(&mut self, name: &str, name_end: usize) {
        let is_command = matches!(
            name,
            "sshpass"
                | "login"
                | "mysql"
                | "mysqldump"
                | "mysqladmin"
                | "mongo"
                | "mongosh"
                | "redis-cli"
                | "curl"
                | "wget"
                | "http"
                | "ftp"
                | "lftp"
        );
        if is_command {
            self.assigned.command = name_end;
        }
        // IDENTIFIED BY 'X'
        let by = self.bytes.get(name_end..name_end + 5).unwrap_or_default();
        if name.eq_ignore_ascii_case("identified") && by.eq_ignore_ascii_case(b" by '") {
            let (start, end) = self.quoted(name_end + 4, 0, usize::MAX);
            self.push_secret(start, end);
        }
    }

    /// The data of a secret in Kubernetes, whose keys may have any name. Returns whether this was some.
    fn manifest(&mut self, at: usize, name: &str, name_end: usize) -> bool {
        if name == "kind" && self.rest(name_end).starts_with(b": Secret\n") {
            self.assigned.manifest = name_end;
        }
        let is_near = self.assigned.manifest > 0 && at.saturating_sub(self.assigned.manifest) < 8 * MAX_PAIR;
        if is_near
            && matches!(name, "data" | "stringData")
            && self.rest(name_end).starts_with(b":\n")
            && let Some((start, end)) = self.block(at, name_end + 1)
        {
            self.push_secret(start, end);
            return true;
        }
        false
    }

    /// `curl -u anna:X`, `sshpass -p X`, `redis-cli -a X`.
    fn short_option(&mut self, at: usize, name_end: usize) {
        let option = self.bytes.get(at).copied();
        let is_option = at.checked_sub(1).and_then(|before| self.bytes.get(before)) == Some(&b'-');
        let is_near = self.assigned.command > 0 && at.saturating_sub(self.assigned.command) < 400;
        if !is_option || !is_near || !matches!(option, Some(b'u' | b'p' | b'a')) {
            return;
        }
        let start = self.end_of(name_end, |byte| matches!(byte, b' ' | b'=' | b'"' | b'\'' | b'\\' | b','));
        let mut end = self.bare_end(start, start + MAX_DOUBTFUL);
        if let Some(mark) = start.checked_sub(1).and_then(|before| self.bytes.get(before)).filter(|mark| is_mark(**mark)) {
            let value = self.bytes.get(start..(start + MAX_DOUBTFUL).min(self.bytes.len())).unwrap_or_default();
            end = start + value.iter().position(|byte| byte == mark).unwrap_or(value.len());
        }
        let value = self.bytes.get(start..end).unwrap_or_default();
        // `--user` takes what `-u` does.
        let has_login = value.iter().position(|byte| *byte == b':').is_some_and(|colon| colon + 1 < value.len());
        let is_number = value.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
        if start > name_end && value.len() >= 3 && !value.starts_with(b"-") && !is_number && (option != Some(b'u') || has_login) {
            self.push_secret(start, end);
        }
    }

    /// Whether a value is one.
    fn is_secret(&self, found: &Found) -> bool {
        let value = self.bytes.get(found.start..found.end).unwrap_or_default().trim_ascii();
        match found.wants {
            _ if value.len() < 3 || says_nothing(value) => false,
            Wants::Anything => true,
            Wants::Digit => value.len() <= 12 && value.iter().any(u8::is_ascii_digit) && !value.contains(&b' '),
            Wants::Key => looks_like_key(value),
        }
    }

    /// Whether `token` names a piece of a model's text: its probability follows.
    fn is_piece(&self, name: &str, end: usize) -> bool {
        let near = self.bytes.get(end..(end + MAX_PAIR).min(self.bytes.len())).unwrap_or_default();
        name.eq_ignore_ascii_case("token") && memchr::memmem::find(near, b"logprob").is_some()
    }

    /// Whether the hex digits or UUID at `at` closely follow the name of a secret, with no other name in between.
    pub(super) fn is_beside_name(&self, at: usize) -> bool {
        let name = self.assigned.secret_name;
        if name == 0 || at < name || at - name > 48 {
            return false;
        }
        let between = self.bytes.get(name..at).unwrap_or_default();
        let others = [
            "trace", "span", "request", "session", " id", "user", "turn", "agent", "call", "sha", "commit", "digest", "md5", "hash",
            "etag", "run", "job", "file", "model",
        ];
        let has = |word: &&str| memchr::memmem::find(between, word.as_bytes()).is_some();
        !between.contains(&b'\n') && !between.contains(&b'}') && !others.iter().any(has)
    }
}

impl<'a> Finder<'a> {
    fn text(&self, start: usize, end: usize) -> &'a str {
        self.bytes.get(start..end).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'\\' | b'`')
}

/// Whether a name is this word or its plural, in any case.
fn starts_as(name: &str, word: &str) -> bool {
    name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)) && name.len() <= word.len() + 2
}

/// Whether a value is a word for “nothing”, or stands for a value that is elsewhere.
pub(super) fn says_nothing(value: &[u8]) -> bool {
    if is_uuid(value) {
        return false;
    }
    let is_wrapped = |open: &[u8], close: u8| value.starts_with(open) && value.last() == Some(&close) && value.len() < 80;
    let is_marker = value.starts_with(b"[") && memchr::memmem::find(value, MARKER_END.as_bytes()).is_some();
    let is_masked = value.iter().all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X' | b'#' | b'-' | b'_' | b' '))
        || value.iter().all(|byte| !byte.is_ascii());
    let is_elsewhere =
        ["os.environ", "os.getenv", "process.env", "getenv(", "env.", "ENV["].iter().any(|head| value.starts_with(head.as_bytes()));
    // Code in a traceback: `self._get_key()`.
    let is_chain = |text: &[u8]| text.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.'));
    let is_code = value.strip_suffix(b"()").is_some_and(is_chain) || value.strip_prefix(b"self.").is_some_and(is_chain);
    if is_code || is_masked && !value.is_empty() || is_marker || is_elsewhere {
        return true;
    }
    let is_type = value.starts_with(b"Optional[") || value.starts_with(b"str |") || value.starts_with(b"SecretStr |");
    if is_type && value.ends_with(b"None") {
        return true;
    }
    let is_name = |text: &[u8]| text.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    if is_wrapped(b"<", b'>') || is_wrapped(b"${", b'}') || is_wrapped(b"{{", b'}') {
        return !value.get(1..value.len() - 1).unwrap_or_default().iter().any(|byte| matches!(byte, b'<' | b'>'));
    }
    if value.first() == Some(&b'$') && value.len() > 3 && is_name(value.get(1..).unwrap_or_default()) {
        return true;
    }
    let lower = value.to_ascii_lowercase();
    let first = lower.split(|byte| matches!(byte, b' ' | b',' | b'\n')).next().unwrap_or_default();
    let is_listed = |list: &str, word: &[u8]| list.split(' ').any(|listed| listed.as_bytes() == word);
    is_listed(NOTHING, &lower) || first.len() < lower.len() && is_listed(REMARKS, first)
}
