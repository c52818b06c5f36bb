//! Splits a filter into words, operators, quoted strings and values.
//!
//! `parse` combines them.

#![expect(missing_docs, reason = "the syntax tree of the filter language: names are its own words")]

use super::order::Order;

/// An operator between a name and a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `:`
    Has,
    /// `=`
    Is,
    /// `!=`
    Not,
    /// `>`, `>=`, `<` or `<=`.
    Order(Order),
}

const SIGNS: [(&str, Sign); 7] = [
    (">=", Sign::Order(Order::AtLeast)),
    ("<=", Sign::Order(Order::AtMost)),
    ("!=", Sign::Not),
    (":", Sign::Has),
    ("=", Sign::Is),
    (">", Sign::Order(Order::More)),
    ("<", Sign::Order(Order::Less)),
];

/// The operator at the start of `text` after optional blanks, and its length without blanks.
pub fn sign_at(text: &str) -> Option<(Sign, usize)> {
    let text = text.trim_start();
    SIGNS.iter().find(|(sign, _)| text.starts_with(sign)).map(|(sign, found)| (*found, sign.len()))
}

/// The end of a word in bytes: the next blank, bracket or quotation mark, or, except in values, operator. A route's `{parameter}` belongs
/// to its word.
pub fn word_end(text: &str, is_value: bool) -> usize {
    let mut open = 0_usize;
    for (at, letter) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        match letter {
            '{' => {
                let is_parameter = |length: usize| rest.get(1..length).is_some_and(|name| !name.contains(ends_word));
                if open > 0 || !rest.find('}').is_some_and(is_parameter) {
                    return at;
                }
                open = 1;
            }
            '}' if open > 0 => open -= 1,
            letter if letter == '}' || ends_word(letter) => return at,
            ':' | '=' | '<' | '>' | '!' if !is_value && (letter != '!' || rest.starts_with("!=")) => return at,
            _ => {}
        }
    }
    text.len()
}

fn ends_word(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '(' | ')' | '{' | '"')
}

/// The quoted string at the start of `text`, and its length in bytes. `\"` and `\\` are escapes.
pub fn quoted(text: &str) -> Option<(String, usize)> {
    let mut inside = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((inside, at + 1)),
            '\\' => inside.push(letters.next_if(|(_, next)| matches!(next, '"' | '\\')).map_or(letter, |(_, next)| next)),
            _ => inside.push(letter),
        }
    }
    None
}

/// A part of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Plain(String),
    Quoted(String),
    /// A `*` outside of quotes.
    Star,
}

/// Splits a word at its `*`.
pub fn stars(word: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (number, part) in word.split('*').enumerate() {
        if number > 0 {
            pieces.push(Piece::Star);
        }
        if !part.is_empty() {
            pieces.push(Piece::Plain(part.to_owned()));
        }
    }
    pieces
}

/// The value at the start of `text`, and its length in bytes. The error is the position of an unclosed quotation mark.
pub fn value_at(text: &str) -> Result<(Vec<Piece>, usize), usize> {
    let mut pieces = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with('"') {
            let (inside, length) = quoted(rest).ok_or(at)?;
            pieces.push(Piece::Quoted(inside));
            at += length;
        } else {
            let length = word_end(rest, true);
            if length == 0 {
                return Ok((pieces, at));
            }
            pieces.extend(stars(rest.get(..length).unwrap_or_default()));
            at += length;
        }
    }
}
