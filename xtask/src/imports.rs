//! Shortens the names by which a program calls its script. Each of wasm-bindgen's contains 16 random digits, in both files: 9 KB in brotli of
//! what a first visit loads.
//!
//! Not here: the names of exports, which are few.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// The section of a WebAssembly file that names what it imports.
const IMPORTS: u8 = 2;
/// The kind of an imported function.
const FUNCTION: u8 = 0;

/// Renames the imported functions of a program in dist/, as wasm-bindgen wrote it.
pub(crate) fn shorten(dist: &Path, program: &str) -> Result<()> {
    let (code, script) = (dist.join(format!("{program}_bg.wasm")), dist.join(format!("{program}.js")));
    let read = || -> Result<_> { Ok((fs::read(&code)?, fs::read_to_string(&script)?)) };
    let (wasm, js) = read().with_context(|| format!("{program} cannot be read."))?;
    let (wasm, names) = renamed(&wasm).with_context(|| format!("The imports of {program} are not as wasm-bindgen writes them."))?;
    let js = replaced(&js, &names).with_context(|| format!("{program} imports what its script does not define."))?;
    fs::write(&code, wasm)?;
    Ok(fs::write(&script, js)?)
}

/// The program with short names, and the names that it had, in the order of [`short`].
fn renamed(wasm: &[u8]) -> Option<(Vec<u8>, Vec<String>)> {
    let (header, mut rest) = wasm.split_at_checked(8)?;
    let (mut out, mut names) = (header.to_vec(), Vec::new());
    while let Some(section) = take(&mut rest, 1) {
        let length = number(&mut rest)?;
        let mut body = take(&mut rest, length)?;
        let mut short_body = Vec::new();
        if section == [IMPORTS] {
            let count = number(&mut body)?;
            push_number(count, &mut short_body);
            for _ in 0..count {
                let module = text(&mut body)?;
                let name = text(&mut body)?;
                let kind = take(&mut body, 1)?;
                let of = number(&mut body)?;
                push_text(module, &mut short_body);
                push_text(&short(names.len()), &mut short_body);
                short_body.extend_from_slice(kind);
                push_number(of, &mut short_body);
                names.push((kind == [FUNCTION]).then(|| name.to_owned())?);
            }
            body = &short_body;
        }
        out.extend_from_slice(section);
        push_number(body.len(), &mut out);
        out.extend_from_slice(body);
    }
    Some((out, names))
}

/// The script with short names.
fn replaced(script: &str, names: &[String]) -> Result<String> {
    let mut script = script.to_owned();
    for (at, name) in names.iter().enumerate() {
        // They end with a hash or a number with leading zeros, so none contains another.
        let definition = format!("{name}: function");
        if script.matches(name.as_str()).count() != 1 || !script.contains(&definition) {
            bail!("{name} has no single definition in the script.");
        }
        script = script.replace(&definition, &format!("{}: function", short(at)));
    }
    Ok(script)
}

/// A name of letters: `a` to `z`, then `ba`, `bb` and so on.
fn short(mut number: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.insert(0, ('a'..='z').nth(number % 26).unwrap_or('a'));
        number /= 26;
        if number == 0 {
            return letters.into_iter().collect();
        }
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

/// A number in groups of seven bits, the lowest first.
fn number(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for group in 0..5 {
        let byte = *take(bytes, 1)?.first()?;
        value |= usize::from(byte & 0x7f) << (group * 7);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = number(bytes)?;
    std::str::from_utf8(take(bytes, length)?).ok()
}

fn push_number(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(low(value) | 0x80);
        value >>= 7;
    }
    out.push(low(value));
}

/// The lowest seven bits.
fn low(value: usize) -> u8 {
    u8::try_from(value & 0x7f).unwrap_or(0)
}

fn push_text(text: &str, out: &mut Vec<u8>) {
    push_number(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_imports_are_short_in_both_files() {
        let mut wasm = b"\0asm\x01\0\0\0".to_vec();
        // A section before, two imports of functions with the types 3 and 200, and a section after.
        wasm.extend_from_slice(b"\x01\x02xy\x02\x18\x02\x02m1\x05f_0aa\0\x03\x02m1\x05g_0bb\0\xc8\x01\x0a\x01z");
        let (short, names) = renamed(&wasm).expect("imports");
        assert_eq!(short, b"\0asm\x01\0\0\0\x01\x02xy\x02\x10\x02\x02m1\x01a\0\x03\x02m1\x01b\0\xc8\x01\x0a\x01z");
        assert_eq!(names, ["f_0aa", "g_0bb"]);
        let script = "m1: { f_0aa: function(x) {}, g_0bb: function() { return a; } }";
        assert_eq!(replaced(script, &names).expect("definitions"), "m1: { a: function(x) {}, b: function() { return a; } }");
        assert!(replaced("f_0aa: function() {}", &names).is_err());
    }

    #[test]
    fn anything_but_a_function_is_refused() {
        assert!(renamed(b"\0asm\x01\0\0\0\x02\x08\x01\x01m\x01t\x02\0\x10").is_none());
        assert!(renamed(b"\0asm\x01\0\0\0\x02\xff").is_none());
    }

    #[test]
    fn short_names_differ() {
        let names: std::collections::BTreeSet<String> = (0..2_000).map(short).collect();
        assert_eq!((names.len(), short(0), short(25), short(26)), (2_000, "a".to_owned(), "z".to_owned(), "ba".to_owned()));
    }
}
