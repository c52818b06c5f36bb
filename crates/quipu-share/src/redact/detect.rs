//! Finds private data inside any text: keys, e-mail addresses, paths, ids, and text that was redacted elsewhere.
//!
//! Detection is by shape: keys are recognized by the forms that services gave them (`rules`), by the name they are assigned to
//! (`assigned`), or by looking random (`shapes`). Base64 is decoded and searched, and so is text with its escapes undone. `classify`
//! decides about whole fields.
//!
//! Time is linear in the length of the text: a part that is passed remembers its end, so that it is not passed again from each of its
//! bytes.

use super::rules::{self, Letters, Rule};
use super::shapes::{colon_address, is_hex, is_uuid, looks_random};
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
    let mut finder = Finder::new(text.as_bytes(), sweep, 0);
    finder.run();
    sort_by_key(&mut finder.found, |finding| (finding.start, usize::MAX - finding.end));
    finder.found
}

/// The most secrets that are looked up as they stand in a text with escapes.
const MAX_LOOKED_UP: usize = 64;

/// The first kind in `wanted` that only shows after undoing escapes of JSON, Python and URLs in `text`. Secrets that stand in the text as
/// they are, but whose name or surroundings are escaped, are added to `found`.
pub(super) fn find_escaped(text: &str, sweep: &Sweep, wanted: KindSet, found: &mut Vec<Finding>) -> Option<PrivateKind> {
    let mut plain = unescaped(text)?;
    let mut looked_up = 0;
    for _ in 0..MAX_ESCAPED {
        for one in find(&plain, sweep).into_iter().filter(|one| wanted.has(one.kind)) {
            let part = plain.get(one.start..one.end).unwrap_or_default();
            let place = memchr::memmem::find(text.as_bytes(), part.as_bytes());
            if place.is_none() {
                return Some(one.kind);
            }
            let is_known =
                |known: &Finding| known.kind == Secrets && text.get(known.start..known.end).is_some_and(|text| text.contains(part));
            if one.kind != Secrets || found.iter().any(is_known) {
                continue;
            }
            looked_up += 1;
            if looked_up > MAX_LOOKED_UP || part.len() < 4 {
                return Some(Secrets);
            }
            let places = memchr::memmem::find_iter(text.as_bytes(), part.as_bytes());
            found.extend(places.map(|start| Finding { start, end: start + part.len(), kind: Secrets }));
        }
        plain = unescaped(&plain)?;
    }
    None
}

pub(super) struct Finder<'a> {
    pub(super) bytes: &'a [u8],
    sweep: &'a Sweep,
    found: Vec<Finding>,
    depth: usize,
    /// Ends of the runs passed last, so that no run is scanned again from each of its positions.
    pub(super) secret_end: usize,
    address_end: usize,
    key_end: usize,
    marked_end: usize,
    local_end: usize,
    pub(super) assigned: Assigned,
}

impl<'a> Finder<'a> {
    fn new(bytes: &'a [u8], sweep: &'a Sweep, depth: usize) -> Finder<'a> {
        Finder {
            bytes,
            sweep,
            found: Vec::new(),
            depth,
            secret_end: 0,
            address_end: 0,
            key_end: 0,
            marked_end: 0,
            local_end: 0,
            assigned: Assigned::default(),
        }
    }
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
                    b':' => self.colons(at),
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
        self.assigned(at);
        self.hex_or_uuid(at, end);
        self.address(at, end);
        if !before.is_some_and(joins) {
            self.email(at);
        }
        if !before.is_some_and(is_base64) {
            self.blob(at, self.end_of(at, is_base64));
        }
    }

    /// A key with the form of a service, or the token after `Bearer`.
    fn prefixed(&mut self, at: usize) {
        if at < self.secret_end {
            return;
        }
        let is_new = self.key_end <= at;
        if is_new {
            self.key_end = self.end_of(at, is_key_letter);
        }
        let first = self.bytes.get(at).copied().unwrap_or_default();
        let fitting = rules::starting_with(first).iter().filter(|(start, _)| self.rest(at).starts_with(start.as_bytes()));
        if let Some(end) = fitting.filter_map(|(start, rule)| self.fits(at, start, rule)).max() {
            return self.push_secret(at, end);
        }
        if is_new && at >= self.marked_end {
            self.marked_end = self.end_of(self.key_end, is_marked);
            let run = self.bytes.get(at..self.marked_end).unwrap_or_default();
            let has = |(mark, least): &(&str, usize)| run.len() >= *least && memchr::memmem::find(run, mark.as_bytes()).is_some();
            if run.len() >= 34 && rules::MARKS.iter().any(has) {
                return self.push_secret(at, self.marked_end);
            }
        }
        self.bot(at);
        for word in ["bearer ", "basic ", "token ", "apikey ", "negotiate ", "bot "] {
            let rest = self.rest(at);
            if rest.first().map(u8::to_ascii_lowercase) == word.bytes().next()
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

    /// The end of a key that has this rule's form, if it does.
    fn fits(&self, at: usize, start: &str, rule: &Rule) -> Option<usize> {
        let before = at.checked_sub(1).and_then(|before| self.bytes.get(before)).copied();
        // Short beginnings are also parts of names.
        if start.len() < 5 && rule.least >= 24 && matches!(before, Some(b'_' | b'-')) {
            return None;
        }
        let from = at + start.len();
        // No further than it takes to decide.
        let enough = if rule.most == u16::MAX { usize::from(rule.least).max(64) } else { usize::from(rule.most) + 1 };
        let length = self.rest(from).iter().take(enough).take_while(|byte| rule.letters.has(**byte)).count();
        let key = self.bytes.get(from..from + length).unwrap_or_default();
        let digits = key.iter().take(64).filter(|byte| byte.is_ascii_digit()).count();
        let fits = (usize::from(rule.least)..=usize::from(rule.most)).contains(&length) && digits >= usize::from(rule.digits);
        // A JWT has dots; without them it is other base64.
        if !fits || start == "eyJ" && !self.bytes.get(from..self.key_end)?.contains(&b'.') {
            return None;
        }
        let end = self.key_end.max(self.end_of(from, |byte| rule.letters.has(byte)));
        Some(end - usize::from(self.bytes.get(end - 1) == Some(&b'.')))
    }

    /// Tokens of bots: `123456789:AA…` and `MTA….G….…`.
    fn bot(&mut self, at: usize) {
        let digits = self.rest(at).iter().take(17).take_while(|byte| byte.is_ascii_digit()).count();
        let secret = at + digits + 1;
        if (6..=16).contains(&digits) && self.rest(at + digits).starts_with(b":A") {
            let length = self.rest(secret).iter().take(48).take_while(|byte| Letters::Word.has(**byte)).count();
            if (33..=40).contains(&length) {
                return self.push_secret(at, secret + length);
            }
        }
        if matches!(self.bytes.get(at), Some(b'M' | b'N' | b'O')) {
            let run = self.bytes.get(at..self.key_end).unwrap_or_default();
            let lengths: Vec<usize> = run.splitn(5, |byte| *byte == b'.').map(<[u8]>::len).collect();
            if matches!(lengths.as_slice(), [23..=28, 6, 27..=45]) {
                self.push_secret(at, self.key_end);
            }
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

    /// UUIDs, and hex digits as long as an id or a digest, are ids, but beside the name of a secret they are keys.
    fn hex_or_uuid(&mut self, at: usize, end: usize) {
        if self.bytes.get(at..at + 36).is_some_and(is_uuid) && !self.bytes.get(at + 36).is_some_and(|byte| is_letter(*byte)) {
            if at >= self.secret_end && self.is_beside_name(at) {
                return self.push_secret(at, at + 36);
            }
            return self.push(at, at + 36, Ids);
        }
        let word = self.bytes.get(at..end).unwrap_or_default();
        if word.len() >= 16 && is_hex(word) {
            if word.len() >= 24 && at >= self.secret_end && self.is_beside_name(at) {
                // `…-us12`: the data center of a key.
                let tail = self.end_of(end, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
                return self.push_secret(at, tail);
            }
            // A key that names its data center.
            let tail = self.rest(end);
            if word.len() == 32 && tail.starts_with(b"-us") && tail.get(3).is_some_and(u8::is_ascii_digit) {
                return self.push_secret(at, self.end_of(end, |byte| byte.is_ascii_alphanumeric() || byte == b'-'));
            }
            if matches!(word.len(), 16 | 32 | 40 | 56 | 64 | 96 | 128) {
                return self.push(at, end, Ids);
            }
        }
        self.labelled_id(at);
    }

    /// Ids such as `call_…` and `chatcmpl-…`.
    fn labelled_id(&mut self, at: usize) {
        if let Some(end) = self.labelled_end(at) {
            self.push(at, end, Ids);
        }
    }

    /// The end of an id with a label.
    fn labelled_end(&self, at: usize) -> Option<usize> {
        if !self.bytes.get(at).is_some_and(u8::is_ascii_lowercase) {
            return None;
        }
        let rest = self.rest(at);
        // The label ends where the longest listed one does; it has three words at most.
        let head = rest.get(..rest.len().min(20))?;
        let ends = head.iter().enumerate().filter(|(_, byte)| matches!(byte, b'_' | b'-')).map(|(place, _)| place).take(3);
        let label = ends.filter(|end| head.get(..*end).is_some_and(rules::is_label)).last()?;
        let run = rest.iter().take(512).take_while(|byte| Letters::Word.has(**byte)).count();
        let run = rest.get(..run)?;
        let id = run.get(label + 1..)?;
        let digits = id.iter().filter(|byte| byte.is_ascii_digit()).count();
        // Words do not make an id.
        let longest = id.split(|byte| matches!(byte, b'_' | b'-')).map(<[u8]>::len).max().unwrap_or(0);
        (id.len() >= 8 && digits >= 1 && (longest >= 8 || digits >= 4)).then_some(at + run.len())
    }

    /// An IPv6 address that begins with colons.
    fn colons(&mut self, at: usize) {
        let before = at.checked_sub(1).and_then(|before| self.bytes.get(before)).copied();
        if self.bytes.get(at + 1) == Some(&b':') && !before.is_some_and(|byte| is_letter(byte) || byte == b':') {
            self.colon_address(at);
        }
    }

    fn colon_address(&mut self, at: usize) -> bool {
        let length = colon_address(self.rest(at)).filter(|length| !self.bytes.get(at + length).is_some_and(|byte| is_letter(*byte)));
        length.inspect(|length| {
            self.push(at, at + length, Paths);
            self.address_end = at + length;
        });
        length.is_some()
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
            self.login(end + 3);
            return;
        }
        if rest.starts_with(b":\\") && end == at + 1 {
            self.address_end = self.end_of(at, |byte| byte == b'\\' || byte == b':' || !stops(byte));
            return self.push(at, self.address_end, Paths);
        }
        if self.rest(at).iter().take(5).any(|byte| *byte == b':')
            && self.bytes.get(at).is_some_and(u8::is_ascii_hexdigit)
            && self.colon_address(at)
        {
            return;
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

    /// User and password in a URL. A password may hold signs that end the name of a host: `anna:a/b@host`.
    fn login(&mut self, start: usize) {
        const LONGEST: usize = 400;
        let ends = |byte: u8| byte <= b' ' || matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b'<' | b'>');
        let length = self.rest(start).iter().take(LONGEST).take_while(|byte| !ends(**byte)).count();
        let url = self.bytes.get(start..start + length).unwrap_or_default();
        let is_end = |byte: &u8| matches!(byte, b'/' | b'?' | b'#');
        let authority = url.get(..url.iter().position(is_end).unwrap_or(length)).unwrap_or_default();
        let near = memchr::memrchr(b'@', authority);
        let far = memchr::memrchr(b'@', url).filter(|at| url.get(at + 1).is_some_and(u8::is_ascii_alphanumeric));
        let secret = memchr::memchr(b':', authority).and_then(|colon| authority.get(colon + 1..));
        let is_port = secret.is_none_or(|secret| secret.len() <= 5 && secret.iter().all(u8::is_ascii_digit));
        let login = match (near, far) {
            // Whether a host follows the first @, or more of the password.
            (Some(near), Some(far)) if near < far && !is_port => {
                let host = authority.get(near + 1..).unwrap_or_default();
                if host.contains(&b'.') || host.contains(&b':') || host.starts_with(b"localhost") { near } else { far }
            }
            (Some(near), _) => near,
            (None, Some(far)) if !is_port => far,
            _ => return,
        };
        if login > 0 {
            self.push_secret(start, start + login);
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
                let mut inner = Finder::new(text.as_bytes(), self.sweep, self.depth + 1);
                inner.run();
                for finding in inner.found {
                    self.push(at, end, finding.kind);
                }
            }
        }
        let is_file = self.bytes.get(..at).is_some_and(|head| head.ends_with(b"base64,"));
        if !is_text && !is_file && at >= self.secret_end && looks_random(run) && self.labelled_end(at).is_none() {
            self.push(at, end, Secrets);
        }
    }

    pub(super) fn push_secret(&mut self, start: usize, end: usize) {
        self.secret_end = end;
        self.push(start, end, Secrets);
    }

    pub(super) fn push(&mut self, start: usize, end: usize, kind: PrivateKind) {
        let finding = Finding { start, end, kind };
        if start < end && self.found.last() != Some(&finding) {
            self.found.push(finding);
        }
    }

    pub(super) fn rest(&self, at: usize) -> &[u8] {
        self.bytes.get(at..).unwrap_or_default()
    }

    /// Whether the position is inside a word.
    fn is_inside(&self, at: usize) -> bool {
        let is_letter_at = |at: usize| self.bytes.get(at).is_some_and(|byte| is_letter(*byte));
        is_letter_at(at) && at.checked_sub(1).is_some_and(is_letter_at)
    }

    pub(super) fn end_of(&self, at: usize, belongs: impl Fn(u8) -> bool) -> usize {
        at + self.rest(at).iter().take_while(|byte| belongs(**byte)).count()
    }

    /// The position after the bracket that closes the one at `at`, or the end.
    pub(super) fn end_of_brackets(&self, at: usize) -> usize {
        let (mut open, mut quote, mut slashes) = (0_usize, None, 0);
        for (length, byte) in self.rest(at).iter().enumerate() {
            match (byte, quote) {
                (b'\\', _) => {
                    slashes += 1;
                    continue;
                }
                // Brackets in strings count for nothing. A string ends at a quotation mark that is escaped as often as its first.
                (b'"' | b'\'', None) => {
                    let before = self.bytes.get((at + length).saturating_sub(1)).copied();
                    quote = (!before.is_some_and(is_letter)).then_some((*byte, slashes));
                }
                (b'"' | b'\'', Some((mark, escapes))) if *byte == mark && slashes <= escapes => quote = None,
                (b'{' | b'[' | b'(', None) => open += 1,
                (b'}' | b']' | b')', None) => open = open.saturating_sub(1),
                _ => {}
            }
            slashes = 0;
            if open == 0 {
                return at + length + 1;
            }
        }
        self.bytes.len()
    }
}

/// The state of [`Finder::assigned`].
#[derive(Default)]
pub(super) struct Assigned {
    /// The end of the last name that was looked at.
    pub(super) name_end: usize,
    /// The end of the last name of a secret.
    pub(super) secret_name: usize,
    /// The end of a secret's name that is itself a value: `"name": "DB_PASSWORD"`.
    pub(super) pair_end: usize,
    /// Where the last value of a pair began, whose name may follow.
    pub(super) value_start: usize,
    /// The end of `kind: Secret` in a manifest of Kubernetes.
    pub(super) manifest: usize,
    /// The end of the last command that takes a password by a short option.
    pub(super) command: usize,
}

pub(super) fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn is_key_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Letters of keys of Azure.
fn is_marked(byte: u8) -> bool {
    is_key_letter(byte) || byte == b'~'
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
