//! Tokens of a query and their locations, for highlighting, completion and error messages. Accepts any text.

use super::error::TextRange;
use super::operator::Operator;

/// Kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Name of a metric, label or function.
    Name,
    /// A keyword: `by`, `offset`, `bool`…
    Keyword,
    /// An aggregation operator: `sum`, `topk`…
    Aggregation,
    /// A number.
    Number,
    /// A duration such as `5m`.
    Duration,
    /// A string with its quotes; an unclosed one has no closing quote.
    Text,
    /// A unary or binary operator, a matcher's operator, or `@`.
    Operator,
    /// A bracket, comma or colon.
    Mark,
    /// `#` and the rest of the line.
    Comment,
    /// Anything else.
    Unknown,
}

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Kind of the token.
    pub kind: TokenKind,
    /// Location in the query.
    pub location: TextRange,
}

impl Token {
    /// Text of the token in the query it comes from.
    pub fn text<'q>(&self, query: &'q str) -> &'q str {
        query.get(self.location.start..self.location.end).unwrap_or_default()
    }
}

/// Keywords.
pub const KEYWORDS: [&str; 9] = ["by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "fill"];

/// Aggregation operators.
pub const AGGREGATIONS: [&str; 14] = [
    "sum",
    "avg",
    "count",
    "min",
    "max",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "count_values",
    "quantile",
    "limitk",
    "limit_ratio",
];

/// Tokens of a query without comments.
pub(super) fn tokens(query: &str) -> Vec<Token> {
    let mut list = lex(query);
    list.retain(|token| token.kind != TokenKind::Comment);
    list
}

/// Tokens of a query, including comments.
pub fn lex(query: &str) -> Vec<Token> {
    let mut list = Vec::new();
    let (mut at, mut brackets) = (0, 0_usize);
    while let Some(rest) = query.get(at..).filter(|rest| !rest.is_empty()) {
        let letter = rest.chars().next().unwrap_or(' ');
        if letter.is_whitespace() {
            at += letter.len_utf8();
            continue;
        }
        let (kind, len) = piece(rest, letter, brackets > 0);
        match letter {
            '[' => brackets += 1,
            ']' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        list.push(Token { kind, location: TextRange { start: at, end: at + len } });
        at += len;
    }
    list
}

fn piece(rest: &str, letter: char, in_brackets: bool) -> (TokenKind, usize) {
    let until = |stops: &dyn Fn(char) -> bool| rest.find(stops).unwrap_or(rest.len());
    match letter {
        '#' => (TokenKind::Comment, until(&|letter| letter == '\n')),
        '"' | '\'' | '`' => (TokenKind::Text, quoted(rest, letter)),
        '(' | ')' | '{' | '}' | '[' | ']' | ',' => (TokenKind::Mark, 1),
        ':' if in_brackets => (TokenKind::Mark, 1),
        '0'..='9' | '.' => number(rest),
        _ if letter == '_' || letter == ':' || letter.is_ascii_alphabetic() => {
            let len = until(&|letter| !(letter == '_' || letter == ':' && !in_brackets || letter.is_ascii_alphanumeric()));
            (word(rest.get(..len).unwrap_or_default()), len)
        }
        _ => {
            const SYMBOLS: [&str; 19] = [
                "</", ">/", "==", "!=", ">=", "<=", "=~", "!~", "+", "-", "*", "/", "%", "^", "=", ">", "<", "@", "!",
            ];
            match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                Some(symbol) => (TokenKind::Operator, symbol.len()),
                None => (TokenKind::Unknown, letter.len_utf8()),
            }
        }
    }
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        if !escaped && letter == quote {
            return at + quote.len_utf8();
        }
        escaped = !escaped && letter == '\\' && quote != '`';
    }
    rest.len()
}

/// Reads a number or duration.
fn number(rest: &str) -> (TokenKind, usize) {
    let mut end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '.' || letter == '_')).unwrap_or(rest.len());
    let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
    // The sign of an exponent.
    if !is_hex
        && rest.get(..end).is_some_and(|text| text.ends_with(['e', 'E']))
        && rest.get(end..).is_some_and(|rest| rest.starts_with(['+', '-']))
    {
        let digits = rest.get(end + 1..).unwrap_or_default();
        end += 1 + digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    }
    let text = rest.get(..end).unwrap_or_default();
    let is_duration = !is_hex && text.ends_with(['s', 'm', 'h', 'd', 'w', 'y']);
    (if is_duration { TokenKind::Duration } else { TokenKind::Number }, end)
}

fn word(text: &str) -> TokenKind {
    let is_in = |list: &[&str]| list.iter().any(|word| word.eq_ignore_ascii_case(text));
    if Operator::from_text(text).is_some() {
        TokenKind::Operator
    } else if is_in(&KEYWORDS) {
        TokenKind::Keyword
    } else if is_in(&AGGREGATIONS) {
        TokenKind::Aggregation
    } else if is_in(&["inf", "nan"]) {
        TokenKind::Number
    } else {
        TokenKind::Name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_their_kinds() {
        let query = "sum by (a) (rate(x:y{b=~\"c\\\"d\"}[5m:30s] offset -1h30m @ 1.5e-3)) >= 0x1F # end";
        let shown: Vec<String> = lex(query).iter().map(|token| format!("{:?} {}", token.kind, token.text(query))).collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        Aggregation sum
        Keyword by
        Mark (
        Name a
        Mark )
        Mark (
        Name rate
        Mark (
        Name x:y
        Mark {
        Name b
        Operator =~
        Text "c\"d"
        Mark }
        Mark [
        Duration 5m
        Mark :
        Duration 30s
        Mark ]
        Keyword offset
        Operator -
        Duration 1h30m
        Operator @
        Number 1.5e-3
        Mark )
        Mark )
        Operator >=
        Number 0x1F
        Comment # end
        "#);
    }

    #[test]
    fn pieces_cover_any_text() {
        for text in ["\"open", "é ∞ [", "1e", "..", "`a\\`", "!"] {
            let list = lex(text);
            assert!(list.windows(2).all(|pair| pair[0].location.end <= pair[1].location.start));
            assert_eq!(list.last().map(|token| token.location.end), Some(text.len()), "{text}");
        }
    }
}
