//! Finds private data inside any text: keys, e-mail addresses, paths, ids, and text that was redacted elsewhere.
//!
//! Detection is by shape: keys are recognized by the prefixes of common services, by the name they are assigned to, or by looking random.
//! Base64 is decoded and searched, and so is text with its escapes undone. `classify` decides about whole fields.

use super::classify::is_secret_key;
use super::pseudonyms::is_uuid;
use super::sweep::Sweep;
use PrivateKind::{Emails, Ids, Paths, Secrets};
use quipu_model::encoding::from_base64;
use quipu_model::ordered::sort_by_key;
use quipu_protocol::{KindSet, PrivateKind};

/// Maximum nesting of base64.
const MAX_BASE64: usize = 3;

/// Maximum nesting of escapes.
const MAX_ESCAPED: usize = 4;

/// The shortest base64 of eight bytes.
const MIN_BASE64: usize = 11;

/// Longer runs of base64 are only searched from their beginning: they are images, not words joined to data.
const MAX_ALIGNED: usize = 4096;

/// A range of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: PrivateKind,
}

/// The private parts of `text`, sorted by start. Findings can be nested.
pub(super) fn find(text: &str, sweep: &Sweep) -> Vec<Finding> {
    let mut finder =
        Finder { bytes: text.as_bytes(), sweep, found: Vec::new(), depth: 0, secret_end: 0, address_end: 0, key_end: 0, local_end: 0 };
    finder.run();
    sort_by_key(&mut finder.found, |finding| (finding.start, usize::MAX - finding.end));
    finder.found
}

/// The first kind in `wanted` that only shows after undoing escapes of JSON, Python and URLs in `text`.
pub(super) fn find_escaped(text: &str, sweep: &Sweep, wanted: KindSet) -> Option<PrivateKind> {
    let mut plain = unescaped(text)?;
    for _ in 0..MAX_ESCAPED {
        let is_hidden = |one: &Finding| wanted.has(one.kind) && !plain.get(one.start..one.end).is_some_and(|part| text.contains(part));
        if let Some(found) = find(&plain, sweep).into_iter().find(is_hidden) {
            return Some(found.kind);
        }
        plain = unescaped(&plain)?;
    }
    None
}

struct Finder<'a> {
    bytes: &'a [u8],
    sweep: &'a Sweep,
    found: Vec<Finding>,
    depth: usize,
    /// Ends of the runs passed last, so that no run is scanned again from each of its positions.
    secret_end: usize,
    address_end: usize,
    key_end: usize,
    local_end: usize,
}

impl Finder<'_> {
    fn run(&mut self) {
        let mut at = 0;
        let mut swept = 0;
        while let Some(byte) = self.bytes.get(at).copied() {
            if at >= swept
                && let Some((length, kind)) = self.sweep.find(self.rest(at))
            {
                self.push(at, at + length, kind);
                swept = at + length;
            }
            if !self.is_inside(at) {
                match byte {
                    b'-' => self.private_key(at),
                    b'/' | b'~' | b'.' => self.path(at),
                    _ if is_letter(byte) => self.word(at),
                    _ => {}
                }
            }
            at += 1;
        }
    }

    /// Called at the start of a word.
    fn word(&mut self, at: usize) {
        let end = self.end_of(at, is_letter);
        let before = at.checked_sub(1).and_then(|before| self.bytes.get(before)).copied();
        let joins = |byte: u8| is_letter(byte) || matches!(byte, b'_' | b'-');
        self.prefixed(at);
        self.hex_or_uuid(at, end);
        self.address(at, end);
        if !before.is_some_and(joins) {
            self.assigned(at, self.end_of(at, joins));
            self.email(at);
        }
        if !before.is_some_and(is_base64) {
            self.blob(at, self.end_of(at, is_base64));
        }
    }

    /// A key with the prefix of a service, or the token after `Bearer`.
    fn prefixed(&mut self, at: usize) {
        const PREFIXES: [&str; 34] = [
            "sk-",
            "sk_",
            "pk_",
            "rk_",
            "hf_",
            "gsk_",
            "tvly-",
            "xai-",
            "fw_",
            "ghp_",
            "gho_",
            "ghu_",
            "ghs_",
            "ghr_",
            "github_pat_",
            "glpat-",
            "xoxb-",
            "xoxp-",
            "xoxa-",
            "xoxs-",
            "xapp-",
            "AIza",
            "AKIA",
            "ASIA",
            "nvapi-",
            "r8_",
            "pplx-",
            "ya29.",
            "npm_",
            "pypi-",
            "dop_v1_",
            "SG.",
            "eyJ",
            "BSA",
        ];
        if at < self.secret_end {
            return;
        }
        if let Some(prefix) = PREFIXES.iter().find(|prefix| begins(self.rest(at), prefix)) {
            if self.key_end <= at {
                self.key_end = self.end_of(at, is_key_letter);
            }
            let key = self.bytes.get(at + prefix.len()..self.key_end).unwrap_or_default();
            let digits = key.iter().take(64).filter(|byte| byte.is_ascii_digit()).count();
            let long = match *prefix {
                // A JWT; without dots it is other base64.
                "eyJ" => key.len() >= 16 && key.contains(&b'.'),
                // Ordinary words can start like this too.
                "AKIA" | "ASIA" | "BSA" | "SG." | "AIza" => key.len() >= 16 && digits >= 1,
                _ => key.len() >= 20 || key.len() >= 8 && digits >= 1,
            };
            if long {
                let end = self.key_end - usize::from(key.ends_with(b"."));
                return self.push_secret(at, end);
            }
        }
        for word in ["bearer ", "basic ", "token "] {
            let rest = self.rest(at);
            if matches!(rest.first(), Some(b'b' | b'B' | b't' | b'T'))
                && rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
            {
                let value = rest.get(word.len()..).unwrap_or_default();
                let length = value.iter().take_while(|byte| is_key_letter(**byte) || matches!(byte, b'+' | b'/' | b'=' | b'~')).count();
                let digits = value.iter().take(length).filter(|byte| byte.is_ascii_digit()).count();
                if length >= 20 || length >= 8 && digits >= 1 {
                    return self.push_secret(at + word.len(), at + word.len() + length);
                }
            }
        }
    }

    /// Values assigned to a secret name, with any quoting: `api_key = …`, `"password": "…"`, `provider_data: {…}`.
    fn assigned(&mut self, at: usize, name_end: usize) {
        let is_quote = |byte: u8| matches!(byte, b'"' | b'\'' | b'\\' | b'`');
        let after_name = self.end_of(name_end, |byte| is_quote(byte) || byte == b' ');
        if at < self.secret_end || !matches!(self.bytes.get(after_name), Some(b':' | b'=')) {
            return;
        }
        let name = self.bytes.get(at..name_end).unwrap_or_default();
        let is_secret = |name: &str| is_secret_key(&name.to_ascii_lowercase());
        if name.len() < 3 || name.len() > 64 || !std::str::from_utf8(name).is_ok_and(is_secret) {
            return;
        }
        let blanks = self.end_of(after_name + 1, |byte| matches!(byte, b' ' | b':' | b'='));
        let start = self.end_of(blanks, is_quote);
        let quote = start.checked_sub(1).filter(|at| *at >= blanks).and_then(|at| self.bytes.get(at)).copied();
        let lower = name.to_ascii_lowercase();
        let to_line_end = lower.ends_with(b"authorization") || lower.ends_with(b"cookie");
        let end = match (quote, self.bytes.get(start)) {
            (Some(quote), _) => self.end_of(start, |byte| byte != quote && byte != b'\\'),
            (None, Some(b'{' | b'[' | b'(')) => self.end_of_brackets(start),
            (None, _) if to_line_end => self.end_of(start, |byte| !matches!(byte, b'\n' | b'\r' | b'"' | b'\'' | b'\\')),
            (None, _) => self.end_of(start, |byte| {
                !matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b';' | b'}' | b')' | b']' | b'&' | b'"' | b'\'' | b'\\')
            }),
        };
        let value = self.bytes.get(start..end).unwrap_or_default();
        let says_nothing = [&b"None"[..], b"null", b"True", b"False", b"true", b"false"].contains(&value)
            || value.starts_with(b"<")
            || value.starts_with(b"[key taken");
        if value.len() >= 3 && !says_nothing {
            self.push_secret(start, end);
        }
    }

    /// A PEM private key.
    fn private_key(&mut self, at: usize) {
        let rest = self.rest(at);
        let is_private = rest.get(..40).is_some_and(|head| memchr::memmem::find(head, b"PRIVATE").is_some());
        if at < self.secret_end || !rest.starts_with(b"-----BEGIN ") || !is_private {
            return;
        }
        let end = memchr::memmem::find(rest, b"-----END ").map_or(rest.len(), |end| {
            let tail = rest.get(end + 9..).unwrap_or_default();
            end + 9 + memchr::memmem::find(tail, b"-----").map_or(tail.len(), |at| at + 5)
        });
        self.push_secret(at, at + end);
    }

    fn email(&mut self, at: usize) {
        if self.local_end <= at {
            self.local_end = self.end_of(at, |byte| is_letter(byte) || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-'));
        }
        let local = self.local_end;
        if self.bytes.get(local) != Some(&b'@') {
            return;
        }
        let mut end = self.end_of(local + 1, |byte| is_letter(byte) || matches!(byte, b'.' | b'-'));
        while matches!(self.bytes.get(end - 1), Some(b'.' | b'-')) {
            end -= 1;
        }
        if self.bytes.get(local + 1..end).is_some_and(|domain| domain.contains(&b'.')) {
            self.push(at, end, Emails);
        }
    }

    /// 16 or 32 hex digits and UUIDs are ids, 40 and more are digests or keys.
    fn hex_or_uuid(&mut self, at: usize, end: usize) {
        if self.bytes.get(at..at + 36).is_some_and(is_uuid) && !self.bytes.get(at + 36).is_some_and(|byte| is_letter(*byte)) {
            return self.push(at, at + 36, Ids);
        }
        let word = self.bytes.get(at..end).unwrap_or_default();
        let is_hex = word.iter().all(u8::is_ascii_hexdigit) && word.iter().any(u8::is_ascii_digit);
        match word.len() {
            16 | 32 if is_hex => self.push(at, end, Ids),
            40.. if is_hex => self.push(at, end, Secrets),
            _ => self.labelled_id(at),
        }
    }

    /// Ids such as `call_…` and `chatcmpl-…`.
    fn labelled_id(&mut self, at: usize) {
        const LABELS: [&str; 10] = ["call_", "chatcmpl-", "cmpl-", "resp_", "msg_", "toolu_", "run_", "thread_", "asst_", "file-"];
        let rest = self.rest(at);
        if let Some(label) = LABELS.iter().find(|label| begins(rest, label)) {
            let id = rest.get(label.len()..).unwrap_or_default();
            let length = id.iter().take(128).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
            let (id, end) = (id.get(..length).unwrap_or_default(), at + label.len() + length);
            if length >= 8 && id.iter().any(u8::is_ascii_digit) {
                self.push(at, end, Ids);
            }
        }
    }

    /// URLs, IP addresses, Windows paths, and relative paths that end in a file name.
    fn address(&mut self, at: usize, end: usize) {
        if at < self.address_end {
            return;
        }
        let rest = self.rest(end);
        let stops = |byte: u8| byte <= b' ' || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b')' | b']' | b'}' | b'`' | b'\\' | b',');
        if rest.starts_with(b"://") {
            let stop = self.end_of(end + 3, |byte| !stops(byte));
            self.push(at, stop, Paths);
            self.address_end = stop;
            // User and password in a URL.
            let authority = self.end_of(end + 3, |byte| !stops(byte) && !matches!(byte, b'/' | b'?' | b'#'));
            let login = self.bytes.get(end + 3..authority).unwrap_or_default();
            if let Some(length) = memchr::memrchr(b'@', login) {
                self.push(end + 3, end + 3 + length, Secrets);
            }
            return;
        }
        if rest.starts_with(b":\\") && end == at + 1 {
            self.address_end = self.end_of(at, |byte| byte == b'\\' || byte == b':' || !stops(byte));
            return self.push(at, self.address_end, Paths);
        }
        let dotted = at + self.rest(at).iter().take(16).take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let groups = self.bytes.get(at..dotted).unwrap_or_default();
        if groups.split(|byte| *byte == b'.').filter(|group| (1..=3).contains(&group.len())).count() == 4 {
            return self.push(at, self.end_of(dotted, |byte| byte.is_ascii_digit() || byte == b':'), Paths);
        }
        if self.bytes.get(at..end) == Some(b"localhost") {
            return self.push(at, self.end_of(end, |byte| byte.is_ascii_digit() || byte == b':'), Paths);
        }
        let before = at.checked_sub(1).and_then(|before| self.bytes.get(before)).copied();
        if !before.is_some_and(is_path) {
            let stop = self.end_of(at, is_path);
            let run = self.bytes.get(at..stop).unwrap_or_default();
            if run.contains(&b'/') && has_extension(run) {
                self.push(at, stop, Paths);
            }
        }
    }

    /// A path that starts with its root or the home folder, or that contains one.
    fn path(&mut self, at: usize) {
        let before = at.checked_sub(1).and_then(|before| self.bytes.get(before)).copied();
        if before.is_some_and(|byte| is_path(byte) || matches!(byte, b'<' | b':')) {
            return;
        }
        let end = self.end_of(at, is_path);
        let run = self.bytes.get(at..end).unwrap_or_default();
        let slashes = run.windows(2).filter(|pair| pair.first() == Some(&b'/') && pair.get(1) != Some(&b'/')).count();
        let begins = run.starts_with(b"/") || run.starts_with(b"~/") || run.starts_with(b"./") || run.starts_with(b"../");
        if begins && (slashes >= 2 || slashes == 1 && (has_extension(run) || !run.starts_with(b"/"))) {
            self.push(at, end, Paths);
        }
    }

    /// A run of base64 characters: decoded and searched, or a key if it looks random.
    fn blob(&mut self, at: usize, end: usize) {
        let run = self.bytes.get(at..end).unwrap_or_default();
        if run.len() < MIN_BASE64 {
            return;
        }
        let mut is_text = false;
        if self.depth < MAX_BASE64 {
            let offsets = if run.len() > MAX_ALIGNED { 1 } else { 4 };
            for offset in 0..offsets {
                let part = run.get(offset..).unwrap_or_default();
                let part = if part.len() % 4 == 1 { part.get(..part.len() - 1).unwrap_or_default() } else { part };
                let Some(bytes) = from_base64(part) else { continue };
                let text = String::from_utf8_lossy(&bytes);
                is_text |=
                    offset == 0 && !text.contains(|letter: char| letter == '\u{fffd}' || letter.is_control() && !letter.is_whitespace());
                let mut inner = Finder {
                    bytes: text.as_bytes(),
                    sweep: self.sweep,
                    found: Vec::new(),
                    depth: self.depth + 1,
                    secret_end: 0,
                    address_end: 0,
                    key_end: 0,
                    local_end: 0,
                };
                inner.run();
                for finding in inner.found {
                    self.push(at, end, finding.kind);
                }
            }
        }
        if !is_text && looks_random(run) {
            self.push(at, end, Secrets);
        }
    }

    fn push_secret(&mut self, start: usize, end: usize) {
        self.secret_end = end;
        self.push(start, end, Secrets);
    }

    fn push(&mut self, start: usize, end: usize, kind: PrivateKind) {
        let finding = Finding { start, end, kind };
        if start < end && self.found.last() != Some(&finding) {
            self.found.push(finding);
        }
    }

    fn rest(&self, at: usize) -> &[u8] {
        self.bytes.get(at..).unwrap_or_default()
    }

    /// Whether the position is inside a word.
    fn is_inside(&self, at: usize) -> bool {
        let is_letter_at = |at: usize| self.bytes.get(at).is_some_and(|byte| is_letter(*byte));
        is_letter_at(at) && at.checked_sub(1).is_some_and(is_letter_at)
    }

    fn end_of(&self, at: usize, belongs: impl Fn(u8) -> bool) -> usize {
        at + self.rest(at).iter().take_while(|byte| belongs(**byte)).count()
    }

    /// The position after the bracket that closes the one at `at`, or the end.
    fn end_of_brackets(&self, at: usize) -> usize {
        let mut open = 0_usize;
        for (length, byte) in self.rest(at).iter().enumerate() {
            match byte {
                b'{' | b'[' | b'(' => open += 1,
                b'}' | b']' | b')' => open = open.saturating_sub(1),
                _ => {}
            }
            if open == 0 {
                return at + length + 1;
            }
        }
        self.bytes.len()
    }
}

/// The first byte mostly decides, so it is compared first.
fn begins(text: &[u8], start: &str) -> bool {
    text.first() == start.as_bytes().first() && text.starts_with(start.as_bytes())
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn is_key_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-')
}

fn is_path(byte: u8) -> bool {
    is_letter(byte) || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'~' | b'+' | b'@' | b'%' | b'=' | b'{' | b'}')
}

fn has_extension(path: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', path) else { return false };
    let extension = path.get(dot + 1..).unwrap_or_default();
    (1..=6).contains(&extension.len()) && extension.iter().all(u8::is_ascii_alphabetic)
}

/// Whether a run looks random: lower case, upper case and digits alternate about as often as in a key.
fn looks_random(run: &[u8]) -> bool {
    if !(20..=512).contains(&run.len()) {
        return false;
    }
    let class = |byte: u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    let (mut changes, mut digits) = (0, 0);
    for pair in run.windows(2) {
        let [first, second] = pair else { continue };
        let (from, to) = (class(*first), class(*second));
        // An upper-case letter before lower-case ones is normal in names.
        changes += usize::from(from != to && from != 3 && to != 3 && !(from == 2 && to == 1));
        digits += usize::from(to == 0);
    }
    digits >= 3 && changes * 4 >= run.len() && !is_ids(run)
}

/// Whether a run has the shape of ids: hex digits in parts no longer than an id.
fn is_ids(run: &[u8]) -> bool {
    run.split(|byte| !byte.is_ascii_alphanumeric()).all(|part| part.len() <= 32 && part.iter().all(u8::is_ascii_hexdigit))
}

/// Undoes `\n`, `\uXXXX`, `\xXX`, `%XX` and escaped quotes as far as possible; `None` if there are none.
fn unescaped(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    memchr::memchr2(b'\\', b'%', bytes)?;
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let digits = |count: usize, skip: usize| {
            let digits = text.get(at + skip..at + skip + count).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            u32::from_str_radix(digits, 16).ok()
        };
        let (undone, length) = match (byte, bytes.get(at + 1).copied()) {
            (b'%', Some(_)) => (digits(2, 1), 3),
            (b'\\', Some(b'u')) => (digits(4, 2), 6),
            (b'\\', Some(b'x')) => (digits(2, 2), 4),
            (b'\\', Some(b'n')) => (Some(10), 2),
            (b'\\', Some(b't')) => (Some(9), 2),
            (b'\\', Some(escaped @ (b'\\' | b'"' | b'\'' | b'/'))) => (Some(u32::from(escaped)), 2),
            _ => (None, 1),
        };
        match undone {
            // The bytes of a character are percent-encoded one by one.
            Some(code) if byte == b'%' => plain.push(u8::try_from(code).unwrap_or(b'?')),
            Some(code) => plain.extend_from_slice(char::from_u32(code).unwrap_or('\u{fffd}').encode_utf8(&mut [0; 4]).as_bytes()),
            None => plain.push(byte),
        }
        at += if undone.is_some() { length } else { 1 };
    }
    Some(String::from_utf8_lossy(&plain).into_owned()).filter(|plain| plain != text)
}
