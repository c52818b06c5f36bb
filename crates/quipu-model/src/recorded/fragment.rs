//! Recognises parts of Python reprs: names, argument names, complex numbers, `<…>`.
//!
//! Not here: building values. These functions only measure or test.

/// Length in bytes of the (dotted) name at the start.
pub(super) fn name_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')).count()
}

/// Length in bytes of the type parameters in square brackets at the start; 0 if there are none followed by a call.
pub(super) fn parameters_length(bytes: &[u8]) -> usize {
    if bytes.first() != Some(&b'[') {
        return 0;
    }
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b',' | b' ' | b'[' | b']' | b'|');
    let length = bytes.iter().take_while(|byte| plain(byte)).count();
    if bytes.get(length) == Some(&b'(') && bytes.get(length - 1) == Some(&b']') { length } else { 0 }
}

/// Length in bytes of the argument name at the start, if it is followed by `=`.
pub(super) fn argument_name_length(bytes: &[u8]) -> Option<usize> {
    if !bytes.first()?.is_ascii_alphabetic() && bytes.first() != Some(&b'_') {
        return None;
    }
    let length = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    (bytes.get(length) == Some(&b'=')).then_some(length)
}

/// Length in bytes of a complex number such as `(1+2j)` at the start; at most 80.
pub(super) fn complex_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..bytes.len().min(80))?;
    let end = head.iter().position(|byte| *byte == b')')?;
    let inner = head.get(1..end)?;
    let digits = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'n' | b'a' | b'i' | b'f' | b'j');
    (inner.len() > 1 && inner.ends_with(b"j") && inner.iter().all(digits)).then_some(end + 1)
}

/// The position after the `>` that closes the `<` at `at`. If `strings` is set, quotes that do not follow a letter start strings, which are
/// skipped. Arrows (`->`) don't close.
pub(super) fn angle_end(bytes: &[u8], mut at: usize, strings: bool) -> Option<usize> {
    let mut open = 0_usize;
    let mut before = 0;
    loop {
        let byte = *bytes.get(at)?;
        match byte {
            b'<' => open += 1,
            b'>' if before != b'-' && before != b'=' => open -= 1,
            b'\'' | b'"' if strings && !before.is_ascii_alphanumeric() => {
                at += 1;
                while *bytes.get(at)? != byte {
                    at += if bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
                }
            }
            _ => {}
        }
        at += 1;
        before = byte;
        if open == 0 {
            return Some(at);
        }
    }
}

/// Whether a text in angle brackets is a Python repr rather than markup: it contains an object's address, a class, a module or an enum
/// member.
pub(super) fn is_object_repr(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')) else { return false };
    let name = name_length(inner.as_bytes());
    let after_name = inner.get(name..).unwrap_or_default();
    let member = inner.get(..name).is_some_and(|name| name.contains('.')) && after_name.starts_with(": ");
    let class = ["class '", "enum '", "module '", "function ", "built-in "].iter().any(|start| inner.starts_with(start));
    name > 0 && (member || class || inner.contains(" at 0x"))
}
