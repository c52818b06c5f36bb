//! Prints a filter in its canonical form, which parses as the same filter.

use super::amount;
use super::attribute::{AttributeTest, ValueTest};
use super::expression::{Compare, Condition, Expression, Test};
use super::fields::{Field, NumberField, find, name_of};
use super::lex::word_end;
use super::pattern::{Pattern, TextTest};
use std::fmt::{Display, Formatter, Result, Write};

/// The context of an expression: determines whether it needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Around {
    Nothing,
    Choices,
    Terms,
    Sign,
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        print(self, Around::Nothing, f)
    }
}

fn print(expression: &Expression, around: Around, f: &mut Formatter<'_>) -> Result {
    let (parts, between, own) = match expression {
        Expression::Test(test) => return write!(f, "{test}"),
        Expression::Span(inner) => {
            f.write_char('{')?;
            print(inner, Around::Nothing, f)?;
            return f.write_char('}');
        }
        Expression::Not(inner) => {
            f.write_char('-')?;
            return print(inner, Around::Sign, f);
        }
        Expression::All(parts) => (parts, " ", Around::Terms),
        Expression::Any(parts) => (parts, " OR ", Around::Choices),
    };
    let needs_brackets = around >= own;
    if needs_brackets {
        f.write_char('(')?;
    }
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            f.write_str(between)?;
        }
        print(part, own, f)?;
    }
    if needs_brackets { f.write_char(')') } else { Ok(()) }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.root {
            f.write_str("root.")?;
        }
        match &self.condition {
            Condition::Number(field, compare) => number(*field, compare, f),
            Condition::Text(field, test) => text_test(name_of(Field::Text(*field)), test, f),
            Condition::Kind { kind, is } => {
                write!(f, "{}{}{}", name_of(Field::Kind), if *is { ":" } else { "!=" }, kind.label())
            }
            Condition::Failed(failed) => write!(f, "{}:{failed}", name_of(Field::Error)),
            Condition::Id { of, text, whole } => {
                f.write_str(name_of(Field::Id(*of)))?;
                f.write_char(if *whole { '=' } else { ':' })?;
                value(text, f)
            }
            Condition::Attribute(test) => write!(f, "{test}"),
            Condition::Word(pattern) => word(pattern, f),
            Condition::Holds(text) => quoted(text, f),
        }
    }
}

impl Display for AttributeTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let key = key_text(&self.key);
        match &self.test {
            ValueTest::Text(test) => text_test(&key, test, f),
            ValueTest::Number(order, number) => write!(f, "{key}{}{}", order.sign(), number.text()),
        }
    }
}

/// A key in filter syntax; adds `attr.` if it would be read as a field.
pub fn key_text(key: &str) -> String {
    let mut out = String::new();
    let is_plain = word_end(key, false) == key.len() && !key.is_empty() && !key.contains('*') && !key.starts_with('-');
    if !is_plain {
        // Writing to a string can't fail.
        let _ = quoted(key, &mut out);
    } else {
        // A brace at the start of a term opens a group.
        if find(key).is_some() || ["root.", "attr.", "{"].iter().any(|prefix| key.starts_with(prefix)) {
            out.push_str("attr.");
        }
        out.push_str(key);
    }
    out
}

fn number(field: NumberField, compare: &Compare, f: &mut Formatter<'_>) -> Result {
    f.write_str(name_of(Field::Number(field)))?;
    let unit = field.unit();
    let (sign, amount) = match compare {
        Compare::Is(amount) => ("=", amount),
        Compare::Not(amount) => ("!=", amount),
        Compare::Order(order, amount) => (order.sign(), amount),
        Compare::Between(from, to) => {
            f.write_char(':')?;
            if let Some(from) = from {
                amount::print(unit, *from, f)?;
            }
            f.write_str("..")?;
            return to.map_or(Ok(()), |to| amount::print(unit, to, f));
        }
    };
    f.write_str(sign)?;
    amount::print(unit, *amount, f)
}

fn text_test(name: &str, test: &TextTest, f: &mut Formatter<'_>) -> Result {
    f.write_str(name)?;
    let (sign, text) = match test {
        TextTest::Present => return f.write_str("=*"),
        TextTest::Is(text) => ('=', text),
        TextTest::IsNot(text) => {
            f.write_char('!')?;
            ('=', text)
        }
        TextTest::Like(pattern) => {
            f.write_char(':')?;
            return like(pattern, f);
        }
    };
    f.write_char(sign)?;
    value(text, f)
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && word_end(text, true) == text.len() && !text.contains('*')
}

fn value(text: &str, f: &mut Formatter<'_>) -> Result {
    if is_plain(text) { f.write_str(text) } else { quoted(text, f) }
}

fn like(pattern: &Pattern, f: &mut Formatter<'_>) -> Result {
    if let (true, true, [only]) = (pattern.open_start, pattern.open_end, pattern.parts.as_slice())
        && is_plain(only)
    {
        return f.write_str(only);
    }
    between_stars(pattern, f, value)
}

fn word(pattern: &Pattern, f: &mut Formatter<'_>) -> Result {
    if let (true, true, [only]) = (pattern.open_start, pattern.open_end, pattern.parts.as_slice()) {
        // Between stars, these characters are not an operator, keyword or prefix.
        let is_word = word_end(only, false) == only.len() && !only.starts_with(['-', '{']) && !only.starts_with("root.");
        if is_word && !["OR", "AND", "NOT"].contains(&only.as_str()) {
            return f.write_str(only);
        }
    }
    between_stars(pattern, f, |part, f| f.write_str(part))
}

fn between_stars(pattern: &Pattern, f: &mut Formatter<'_>, print: fn(&str, &mut Formatter<'_>) -> Result) -> Result {
    if pattern.open_start {
        f.write_char('*')?;
    }
    for (number, part) in pattern.parts.iter().enumerate() {
        if number > 0 {
            f.write_char('*')?;
        }
        print(part, f)?;
    }
    if pattern.open_end && !pattern.parts.is_empty() { f.write_char('*') } else { Ok(()) }
}

/// Prints a quoted string.
pub fn quoted(text: &str, out: &mut impl Write) -> Result {
    out.write_char('"')?;
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            out.write_char('\\')?;
        }
        out.write_char(letter)?;
    }
    out.write_char('"')
}

/// A value in filter syntax: unquoted if it parses back to the same string.
pub fn value_text(text: &str) -> String {
    let mut out = text.to_owned();
    if !is_plain(text) {
        out.clear();
        let _ = quoted(text, &mut out);
    }
    out
}
