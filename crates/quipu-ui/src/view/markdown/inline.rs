//! Inline elements of Markdown.

use std::cell::Cell;

/// An inline element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Plain text.
    Text(String),
    /// Inline code.
    Code(String),
    /// Emphasis.
    Emphasis(Vec<Inline>),
    /// Strong emphasis.
    Strong(Vec<Inline>),
    /// Struck through.
    Struck(Vec<Inline>),
    /// A link to an http or https URL.
    Link {
        /// The URL.
        url: String,
        /// The link text.
        text: Vec<Inline>,
    },
    /// A line break.
    Break,
}

/// Maximum nesting of emphasis.
const MAX_DEPTH: usize = 6;
/// Maximum distance to a closing delimiter; otherwise the delimiter is plain text.
const MAX_REACH: usize = 2_000;
/// Maximum number of bytes examined per byte of text: enough for prose, and a limit for text full of delimiters.
const LOOKS: usize = 100;

/// The remaining number of bytes to examine.
struct Fuel(Cell<usize>);

/// Parses inline elements.
pub(super) fn inlines(text: &str) -> Vec<Inline> {
    pieces(text, 0, &Fuel(Cell::new(text.len().saturating_mul(LOOKS).saturating_add(MAX_REACH))))
}

fn pieces(text: &str, depth: usize, fuel: &Fuel) -> Vec<Inline> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    let mut before = None;
    while let Some(letter) = rest.chars().next() {
        let found = if depth < MAX_DEPTH { piece(rest, before, depth, fuel) } else { None };
        if let Some((piece, taken)) = found {
            if !plain.is_empty() {
                out.push(Inline::Text(std::mem::take(&mut plain)));
            }
            before = rest.get(..taken).and_then(|taken| taken.chars().next_back());
            out.push(piece);
            rest = rest.get(taken..).unwrap_or_default();
            continue;
        }
        let mut after = rest.get(letter.len_utf8()..).unwrap_or_default();
        match (letter, after.chars().next()) {
            ('\\', Some(next)) if next.is_ascii_punctuation() => {
                plain.push(next);
                after = after.get(1..).unwrap_or_default();
            }
            // An image becomes its text: nothing is loaded.
            ('!', Some('[')) if link(after, depth, fuel).is_some() => {}
            _ => plain.push(letter),
        }
        before = Some(letter);
        rest = after;
    }
    if !plain.is_empty() {
        out.push(Inline::Text(plain));
    }
    out
}

fn piece(rest: &str, before: Option<char>, depth: usize, fuel: &Fuel) -> Option<(Inline, usize)> {
    match rest.chars().next()? {
        '`' => code(rest, fuel),
        '\n' => Some((Inline::Break, 1)),
        '[' => link(rest, depth, fuel),
        '<' => angle_link(rest, fuel),
        'h' if !before.is_some_and(char::is_alphanumeric) => bare_link(rest, fuel),
        '*' | '_' | '~' => emphasis(rest, before, depth, fuel),
        _ => None,
    }
}

/// The part of the text that is searched for a closing delimiter.
fn reach<'a>(text: &'a str, fuel: &Fuel) -> &'a str {
    let mut end = text.len().min(MAX_REACH).min(fuel.0.get());
    fuel.0.set(fuel.0.get() - end);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn code(rest: &str, fuel: &Fuel) -> Option<(Inline, usize)> {
    let ticks = rest.bytes().take_while(|byte| *byte == b'`').count();
    let inner = reach(rest.get(ticks..)?, fuel);
    let mut from = 0;
    loop {
        let at = from + inner.get(from..)?.find('`')?;
        let run = inner.get(at..)?.bytes().take_while(|byte| *byte == b'`').count();
        if run == ticks {
            let text = inner.get(..at)?;
            let trimmed = text.strip_prefix(' ').and_then(|text| text.strip_suffix(' ')).filter(|text| !text.trim().is_empty());
            return Some((Inline::Code(trimmed.unwrap_or(text).replace('\n', " ")), ticks * 2 + at));
        }
        from = at + run;
    }
}

/// Whether a URL is http or https.
fn is_web(url: &str) -> bool {
    let has = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    (has("http://") || has("https://")) && !url.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

fn link(rest: &str, depth: usize, fuel: &Fuel) -> Option<(Inline, usize)> {
    let inner = reach(rest.strip_prefix('[')?, fuel);
    let mut open = 1;
    let mut end = None;
    for (at, letter) in inner.char_indices() {
        match letter {
            '[' => open += 1,
            ']' => open -= 1,
            _ => {}
        }
        if open == 0 {
            end = Some(at);
            break;
        }
    }
    let end = end?;
    let target = reach(rest.get(end + 2..)?.strip_prefix('(')?, fuel);
    let mut open = 1;
    let close = target.char_indices().find(|(_, letter)| {
        open += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        open == 0
    })?;
    let target = target.get(..close.0)?;
    // A title can follow the URL.
    let url = target.split_whitespace().next().unwrap_or_default().trim_matches(['<', '>']);
    let taken = end + 2 + 1 + close.0 + 1;
    let text = pieces(inner.get(..end)?, depth + 1, fuel);
    is_web(url).then(|| (Inline::Link { url: url.to_owned(), text }, taken))
}

fn angle_link(rest: &str, fuel: &Fuel) -> Option<(Inline, usize)> {
    let inner = reach(rest.strip_prefix('<')?, fuel);
    let end = inner.find('>')?;
    let url = inner.get(..end).filter(|url| is_web(url))?;
    Some((Inline::Link { url: url.to_owned(), text: vec![Inline::Text(url.to_owned())] }, end + 2))
}

fn bare_link(rest: &str, fuel: &Fuel) -> Option<(Inline, usize)> {
    let near = Some(rest).filter(|rest| is_web(rest.split_whitespace().next().unwrap_or_default())).map(|rest| reach(rest, fuel))?;
    let end = near.find(|letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | '"' | '`')).unwrap_or(near.len());
    let mut url = near.get(..end)?.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~', ']']);
    while url.ends_with(')') && url.matches(')').count() > url.matches('(').count() {
        url = url.get(..url.len() - 1)?;
    }
    let has_host = url.split_once("://").is_some_and(|(_, host)| !host.is_empty());
    (is_web(url) && has_host).then(|| (Inline::Link { url: url.to_owned(), text: vec![Inline::Text(url.to_owned())] }, url.len()))
}

fn emphasis(rest: &str, before: Option<char>, depth: usize, fuel: &Fuel) -> Option<(Inline, usize)> {
    let mark = rest.chars().next()?;
    let run = rest.chars().take_while(|letter| *letter == mark).count();
    let width = if mark == '~' || run >= 2 { 2 } else { 1 };
    if run < width || (mark == '_' && before.is_some_and(char::is_alphanumeric)) {
        return None;
    }
    let inner = reach(rest.get(width..)?, fuel);
    if inner.starts_with(char::is_whitespace) {
        return None;
    }
    let marks = rest.get(..width)?;
    let mut from = 0;
    loop {
        let at = from + inner.get(from..)?.find(marks)?;
        let closes = {
            let inside = inner.get(..at)?;
            let after = inner.get(at + width..)?.chars().next();
            let is_word = mark == '_' && after.is_some_and(char::is_alphanumeric);
            // A single delimiter that is half of a double one does not close.
            let is_half = width == 1 && (after == Some(mark) || inside.ends_with(mark));
            !inside.is_empty() && !inside.ends_with(char::is_whitespace) && !inside.ends_with('\\') && !is_word && !is_half
        };
        if closes {
            let inside = pieces(inner.get(..at)?, depth + 1, fuel);
            let piece = match (mark, width) {
                ('~', _) => Inline::Struck(inside),
                (_, 2) => Inline::Strong(inside),
                _ => Inline::Emphasis(inside),
            };
            return Some((piece, width * 2 + at));
        }
        from = at + width;
    }
}
