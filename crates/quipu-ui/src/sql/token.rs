//! A tokenizer for SQL, for colours and completion. Accepts any string; the tokens cover it without gaps.

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Blanks and line breaks.
    Blank,
    /// An SQL keyword.
    Keyword,
    /// An identifier, quoted or not.
    Name,
    /// A string or blob literal.
    Text,
    /// A numeric literal.
    Number,
    /// A comment.
    Comment,
    /// Any other character.
    Sign,
}

impl TokenKind {
    /// The name of its CSS class.
    pub fn name(self) -> &'static str {
        match self {
            TokenKind::Blank => "blank",
            TokenKind::Keyword => "keyword",
            TokenKind::Name => "name",
            TokenKind::Text => "text",
            TokenKind::Number => "number",
            TokenKind::Comment => "comment",
            TokenKind::Sign => "sign",
        }
    }
}

/// A token and its position in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqlToken {
    /// The kind.
    pub kind: TokenKind,
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

/// Keywords of reading statements, in alphabetical order.
pub(super) const KEYWORDS: [&str; 71] = [
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COLLATE",
    "CROSS",
    "CURRENT",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXCLUDE",
    "EXISTS",
    "EXPLAIN",
    "FILTER",
    "FIRST",
    "FOLLOWING",
    "FROM",
    "FULL",
    "GLOB",
    "GROUP",
    "GROUPS",
    "HAVING",
    "IN",
    "INDEXED",
    "INNER",
    "INTERSECT",
    "IS",
    "ISNULL",
    "JOIN",
    "LAST",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MATERIALIZED",
    "NATURAL",
    "NOT",
    "NOTNULL",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PLAN",
    "PRAGMA",
    "PRECEDING",
    "QUERY",
    "RANGE",
    "RECURSIVE",
    "REGEXP",
    "RIGHT",
    "ROW",
    "ROWS",
    "SELECT",
    "THEN",
    "UNBOUNDED",
    "UNION",
    "USING",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Whether a word is a keyword.
pub fn is_keyword(word: &str) -> bool {
    word.len() < 16 && KEYWORDS.binary_search(&word.to_ascii_uppercase().as_str()).is_ok()
}

/// An identifier as written in a query: quoted unless it is a plain word.
pub fn quoted_name(name: &str) -> String {
    let is_plain =
        name.bytes().enumerate().all(|(at, byte)| byte.is_ascii_alphabetic() || byte == b'_' || (at > 0 && byte.is_ascii_digit()));
    // Keywords of writing statements also need quotes.
    let is_taken = is_keyword(name)
        || ["INDEX", "TABLE", "VALUES", "TO", "SET", "ADD", "CHECK", "DEFAULT", "TRANSACTION", "UNIQUE"]
            .iter()
            .any(|word| word.eq_ignore_ascii_case(name));
    if is_plain && !name.is_empty() && !is_taken { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The tokens of a query, in order and without gaps.
pub fn tokens(text: &str) -> Vec<SqlToken> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let (kind, len) = first(rest);
        let end = start + len.max(1);
        found.push(SqlToken { kind, start, end });
        start = end;
    }
    found
}

/// The kind and length of the first token.
fn first(text: &str) -> (TokenKind, usize) {
    let mut letters = text.chars();
    let (one, two) = (letters.next().unwrap_or(' '), letters.next());
    let run = |accepts: &dyn Fn(char) -> bool| text.find(|letter| !accepts(letter)).unwrap_or(text.len());
    // SQLite's rule: every letter beyond ASCII may be part of a name.
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || !letter.is_ascii() || letter == '_' || letter == '$';
    match (one, two) {
        (one, _) if one.is_whitespace() => (TokenKind::Blank, run(&char::is_whitespace)),
        ('-', Some('-')) => (TokenKind::Comment, text.find('\n').unwrap_or(text.len())),
        ('/', Some('*')) => (TokenKind::Comment, text.get(2..).and_then(|rest| rest.find("*/")).map_or(text.len(), |at| at + 4)),
        ('\'', _) => (TokenKind::Text, closed(text, '\'', 1)),
        ('x' | 'X', Some('\'')) => (TokenKind::Text, closed(text, '\'', 2)),
        ('"' | '`', _) => (TokenKind::Name, closed(text, one, 1)),
        ('[', _) => (TokenKind::Name, text.find(']').map_or(text.len(), |at| at + 1)),
        ('0'..='9', _) => (TokenKind::Number, number(text)),
        ('.', Some('0'..='9')) => (TokenKind::Number, number(text)),
        (one, _) if is_word(one) => {
            let len = run(&is_word);
            let kind = if is_keyword(text.get(..len).unwrap_or_default()) { TokenKind::Keyword } else { TokenKind::Name };
            (kind, len)
        }
        (one, _) => (TokenKind::Sign, one.len_utf8()),
    }
}

/// The length of a quoted token. A doubled quote is an escape; an unclosed token extends to the end.
fn closed(text: &str, mark: char, from: usize) -> usize {
    let mut letters = text.char_indices().skip(from).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == mark && letters.next_if(|(_, next)| *next == mark).is_none() {
            return at + 1;
        }
    }
    text.len()
}

/// The length of a number: digits, fraction and exponent, or hexadecimal.
fn number(text: &str) -> usize {
    let mut last = ' ';
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    let end = text.find(|letter: char| {
        let goes_on = letter.is_ascii_alphanumeric()
            || matches!(letter, '.' | '_')
            || (!is_hex && matches!(letter, '+' | '-') && matches!(last, 'e' | 'E'));
        last = letter;
        !goes_on
    });
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> String {
        let word = |token: &SqlToken| format!("{}:{}", token.kind.name(), text.get(token.start..token.end).unwrap_or("?"));
        tokens(text).iter().filter(|token| token.kind != TokenKind::Blank).map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_query_is_told_apart() {
        assert_eq!(
            told("select s.\"na\"\"me\", [a b], 'it''s', x'00', 1.5e-3+0xE-2 -- all\nFROM spans /* c */ WHERE a->>'$.x'>=?1"),
            "keyword:select name:s sign:. name:\"na\"\"me\" sign:, name:[a b] sign:, text:'it''s' sign:, text:x'00' sign:, number:1.5e-3 \
             sign:+ number:0xE sign:- number:2 comment:-- all keyword:FROM name:spans comment:/* c */ keyword:WHERE name:a sign:- sign:> \
             sign:> text:'$.x' sign:> sign:= sign:? number:1"
        );
        assert_eq!(told("'open"), "text:'open");
        assert_eq!(told("/*/"), "comment:/*/");
    }

    #[test]
    fn keywords_are_in_the_order_of_the_alphabet() {
        assert!(KEYWORDS.is_sorted());
        assert!(is_keyword("select") && is_keyword("With") && !is_keyword("spans"));
    }

    #[test]
    fn names_are_quoted_where_they_need_it() {
        assert_eq!(
            ["spans", "order", "a b", "", "1a", "q\"q", "ü"].map(quoted_name),
            ["spans", "\"order\"", "\"a b\"", "\"\"", "\"1a\"", "\"q\"\"q\"", "\"ü\""]
        );
    }

    proptest! {
        #[test]
        fn tokens_cover_any_text(text in prop_oneof![".*", "[-'\"`\\[\\]/* xX0-9eE.+\n;a-z]*"]) {
            let found = tokens(&text);
            let mut at = 0;
            for token in &found {
                prop_assert_eq!(token.start, at);
                prop_assert!(token.end > at && text.is_char_boundary(token.end));
                at = token.end;
            }
            prop_assert_eq!(at, text.len());
        }
    }
}
