//! Unescaping of JSON and Python string literals.
//!
//! Not here: finding the end of a literal, which parsers and scanner do.

/// Unescapes the inside of a JSON string literal. `None` if it has an invalid escape. A lone surrogate becomes U+FFFD.
pub(super) fn unescape_json(inner: &str) -> Option<String> {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(rest.get(..at)?);
        let kind = *rest.as_bytes().get(at + 1)?;
        // The second character of an escape is ASCII, otherwise the literal is invalid.
        match kind {
            b'"' | b'\\' | b'/' => out.push(char::from(kind)),
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let unit = hex(rest.get(at + 2..at + 6)?)?;
                rest = rest.get(at + 6..)?;
                push_unit(&mut out, unit, &mut rest);
                continue;
            }
            _ => return None,
        }
        rest = rest.get(at + 2..)?;
    }
    out.push_str(rest);
    Some(out)
}

/// Unescapes the inside of a Python string literal. `None` if Python would reject it. Unknown escapes are kept as written, as in Python; so
/// is `\N{…}`, because the table of names is not available.
pub(super) fn unescape_python(inner: &str) -> Option<String> {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(rest.get(..at)?);
        let kind = rest.get(at + 1..)?.chars().next()?;
        let mut used = 1 + kind.len_utf8();
        match kind {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(kind),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\u{b}'),
            'x' => {
                out.push(char::from_u32(hex(rest.get(at + 2..at + 4)?)?)?);
                used = 4;
            }
            'u' => {
                let unit = hex(rest.get(at + 2..at + 6)?)?;
                rest = rest.get(at + 6..)?;
                // Python keeps surrogate pairs apart; joined they are the intended character.
                push_unit(&mut out, unit, &mut rest);
                continue;
            }
            'U' => {
                let code = hex(rest.get(at + 2..at + 10)?)?;
                if code > 0x10_ffff {
                    return None;
                }
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                used = 10;
            }
            '0'..='7' => {
                let digits = rest.get(at + 1..)?.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                let code = u32::from_str_radix(rest.get(at + 1..at + 1 + digits)?, 8).ok()?;
                out.push(char::from_u32(code)?);
                used = 1 + digits;
            }
            other => {
                out.push('\\');
                out.push(other);
            }
        }
        rest = rest.get(at + used..)?;
    }
    out.push_str(rest);
    Some(out)
}

/// Appends the UTF-16 unit `unit`, joined with the `\uXXXX` at the start of `rest` if they form a surrogate pair.
fn push_unit(out: &mut String, unit: u32, rest: &mut &str) {
    if (0xd800..0xdc00).contains(&unit) {
        let low = rest.strip_prefix("\\u").and_then(|after| Some((hex(after.get(..4)?)?, after.get(4..)?)));
        if let Some((low, after)) = low.filter(|(low, _)| (0xdc00..0xe000).contains(low)) {
            let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            *rest = after;
            return;
        }
    }
    out.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
}

/// Parses hexadecimal digits. Unlike `from_str_radix`, rejects signs.
fn hex(digits: &str) -> Option<u32> {
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_escapes_are_undone_and_lone_surrogates_replaced() {
        let read = |text| unescape_json(text);
        assert_eq!(read(r#"Z\u00fcrich \u2600 \uD83D\uDE00"#).as_deref(), Some("Zürich ☀ 😀"));
        assert_eq!(read(r"a\ud83dz \ude00").as_deref(), Some("a\u{fffd}z \u{fffd}"));
        assert_eq!(read(r"\ud83d\u0041").as_deref(), Some("\u{fffd}A"));
        assert_eq!(read(r#"\"\\\/\b\f\n\r\t"#).as_deref(), Some("\"\\/\u{8}\u{c}\n\r\t"));
        assert_eq!(read(r"\q"), None);
        assert_eq!(read(r"\u12"), None);
        assert_eq!(read(r"\u+123"), None);
        assert_eq!(read("\\"), None);
        assert_eq!(read("\\é"), None);
    }

    #[test]
    fn python_escapes_are_undone_as_python_does() {
        let read = |text| unescape_python(text);
        assert_eq!(read(r#"it\'s \"x\" \x1b[0m \u6771 \U0001F999 \101\0\7z"#).as_deref(), Some("it's \"x\" \u{1b}[0m 東 🦙 A\0\u{7}z"));
        assert_eq!(read(r"back\\slash \d \N{BULLET}").as_deref(), Some(r"back\slash \d \N{BULLET}"));
        assert_eq!(read("a\\\nb").as_deref(), Some("ab"));
        assert_eq!(read(r"\ud83e\udd99").as_deref(), Some("🦙"));
        assert_eq!(read(r"\xzz"), None);
        assert_eq!(read(r"\U00110000"), None);
        assert_eq!(read(r"\U0000d800").as_deref(), Some("\u{fffd}"));
    }
}
