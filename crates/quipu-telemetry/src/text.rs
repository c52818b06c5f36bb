//! Text of events on a terminal: no text of a client moves the cursor, or looks like a line of its own.

use std::fmt::Write as _;

/// One line: control characters, line breaks and marks that reorder text are written as escapes.
pub(crate) fn line(text: &str) -> String {
    escaped(text, |_| None)
}

/// Several lines, as they are; one that begins like a line of the console, with a time, is indented further than any of them.
pub(crate) fn lines(text: &str) -> String {
    let line = |line: &str| {
        let kept = escaped(line, |letter| (letter == '\t').then_some("\t"));
        if is_like_ours(line) { format!("        {kept}") } else { kept }
    };
    let mut parts = text.split('\n');
    // The first one goes on behind what is printed before it.
    let mut out = escaped(parts.next().unwrap_or_default(), |letter| (letter == '\t').then_some("\t"));
    for part in parts {
        out.push('\n');
        out.push_str(&line(part));
    }
    out
}

/// Whether a line begins with a time of day, `18:43:48.793`, after any blanks and controls.
fn is_like_ours(line: &str) -> bool {
    let time = line.trim_start_matches(|letter: char| letter.is_whitespace() || letter.is_control());
    let mut letters = time.chars();
    "dd:dd:dd.".chars().all(|form| letters.next().is_some_and(|letter| if form == 'd' { letter.is_ascii_digit() } else { letter == form }))
}

fn escaped(text: &str, keep: impl Fn(char) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_mark = matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        // Writing to a String can't fail.
        match keep(letter) {
            Some(kept) => out.push_str(kept),
            None if letter == '\n' => out.push_str("\\n"),
            None if letter == '\t' => out.push_str("\\t"),
            None if letter.is_control() => drop(write!(out, "\\x{:02x}", u32::from(letter))),
            None if is_mark => drop(write!(out, "\\u{{{:x}}}", u32::from(letter))),
            None => out.push(letter),
        }
    }
    out
}
