//! Parses the `repr` of Python objects into [`Value`]: plain data, tuples, sets, bytes, `Foo(a=1)` as printed by pydantic and dataclasses,
//! and fragments such as `<HealthStatus.OK: 'OK'>`, which stay as written.
//!
//! Not here: the Python language. No expressions, no adjacent strings, and no names other than those in a repr (`NOT_GIVEN` as the value of
//! a key or argument).

use super::lex::Cursor;
use super::{MAX_DEPTH, escape, fragment};
use crate::{Number, Value};

const QUOTES: &[u8] = b"'\"";

/// Parses `text` as a single value; `None` if it isn't one. `depth` is the number of enclosing containers; those deeper than [`MAX_DEPTH`]
/// become [`Value::Opaque`].
pub(super) fn parse(text: &str, depth: usize) -> Option<Value> {
    let mut parser = Parser { cursor: Cursor::new(text), quotes_mislead: false };
    parser.cursor.skip_blanks();
    let value = parser.value(depth, Context::Outermost)?;
    parser.cursor.skip_blanks();
    parser.cursor.at_end().then_some(value)
}

/// Context of a value, which decides how a bare name is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    /// The whole text. `Vienna(Austria)` and `<b>` are text, not Python.
    Outermost,
    /// An item of a list, tuple or set. `[citation]` is text.
    Item,
    /// The value of a key or argument. `NOT_GIVEN` is a value.
    Named,
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    /// Set once a quote inside `<…>` turns out not to start a string, so that the text is searched to its end only once.
    quotes_mislead: bool,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize, context: Context) -> Option<Value> {
        match self.cursor.peek()? {
            b'[' | b'{' | b'(' if depth >= MAX_DEPTH => self.opaque_brackets(self.cursor.at),
            b'[' => {
                self.cursor.at += 1;
                self.items(Vec::new(), b']', depth).map(|(items, _)| Value::List(items))
            }
            b'{' => self.map_or_set(depth),
            b'(' => self.tuple(depth),
            b'<' => self.angle_fragment(context),
            b'\'' | b'"' => self.string(Prefix::default()).map(Value::Text),
            b'0'..=b'9' | b'-' | b'.' => self.number(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(depth, context),
            _ => None,
        }
    }

    fn opaque_brackets(&mut self, start: usize) -> Option<Value> {
        self.cursor.take_bracketed(QUOTES)?;
        Some(Value::Opaque(self.cursor.since(start)?.to_owned()))
    }

    /// Parses further items up to and including `closer`. Also returns whether there was a trailing comma.
    fn items(&mut self, mut items: Vec<Value>, closer: u8, depth: usize) -> Option<(Vec<Value>, bool)> {
        let mut comma = false;
        loop {
            if !items.is_empty() {
                self.cursor.skip_blanks();
                comma = self.cursor.take(b',');
            }
            self.cursor.skip_blanks();
            if self.cursor.take(closer) {
                return Some((items, comma));
            }
            if !items.is_empty() && !comma {
                return None;
            }
            items.push(self.value(depth + 1, Context::Item)?);
        }
    }

    fn tuple(&mut self, depth: usize) -> Option<Value> {
        if let Some(length) = fragment::complex_length(self.cursor.rest()) {
            let start = self.cursor.at;
            self.cursor.at += length;
            return Some(Value::Opaque(self.cursor.since(start)?.to_owned()));
        }
        self.cursor.at += 1;
        let (items, comma) = self.items(Vec::new(), b')', depth)?;
        // A single value in parentheses is not a tuple, and occurs in no repr.
        if items.len() == 1 && !comma {
            return None;
        }
        Some(tagged("tuple", Value::List(items)))
    }

    fn map_or_set(&mut self, depth: usize) -> Option<Value> {
        self.cursor.at += 1;
        self.cursor.skip_blanks();
        if self.cursor.take(b'}') {
            return Some(Value::Map(Vec::new()));
        }
        let mut entries = Vec::new();
        loop {
            let start = self.cursor.at;
            let key = self.value(depth + 1, Context::Item)?;
            let written = self.cursor.since(start)?;
            self.cursor.skip_blanks();
            if !self.cursor.take(b':') {
                // No colon after the first value means that it is a set.
                return if entries.is_empty() { self.set(key, depth) } else { None };
            }
            let key = match key {
                Value::Text(text) => text,
                _ => written.to_owned(),
            };
            self.cursor.skip_blanks();
            entries.push((key, self.value(depth + 1, Context::Named)?));
            self.cursor.skip_blanks();
            let comma = self.cursor.take(b',');
            self.cursor.skip_blanks();
            if self.cursor.take(b'}') {
                return Some(Value::Map(entries));
            }
            if !comma {
                return None;
            }
        }
    }

    fn set(&mut self, first: Value, depth: usize) -> Option<Value> {
        self.items(vec![first], b'}', depth).map(|(items, _)| tagged("set", Value::List(items)))
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.cursor.at;
        self.cursor.take(b'-');
        if self.cursor.take_word("inf") || self.cursor.take_word("nan") {
            return Some(Value::Number(Number(self.cursor.since(start)?.to_owned())));
        }
        let leading_zero = self.cursor.peek() == Some(b'0');
        let whole = self.digits();
        if leading_zero && whole > 1 {
            return None;
        }
        let fraction = if self.cursor.take(b'.') { self.digits() } else { 0 };
        if whole + fraction == 0 {
            return None;
        }
        if self.cursor.take(b'e') || self.cursor.take(b'E') {
            let _sign = self.cursor.take(b'-') || self.cursor.take(b'+');
            if self.digits() == 0 {
                return None;
            }
        }
        let imaginary = self.cursor.take(b'j');
        let written = self.cursor.since(start)?.to_owned();
        Some(if imaginary { Value::Opaque(written) } else { Value::Number(Number(written)) })
    }

    fn digits(&mut self) -> usize {
        let count = self.cursor.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.cursor.at += count;
        count
    }

    /// Parses something that starts with a letter: a constant, a prefixed string, a call, a name.
    fn word(&mut self, depth: usize, context: Context) -> Option<Value> {
        let start = self.cursor.at;
        self.cursor.at += fragment::name_length(self.cursor.rest());
        let name = self.cursor.since(start)?;
        if matches!(self.cursor.peek(), Some(b'\'' | b'"')) {
            let prefix = Prefix::read(name)?;
            let text = self.string(prefix)?;
            return Some(if prefix.bytes { tagged("bytes", Value::Text(text)) } else { Value::Text(text) });
        }
        match name {
            "True" => return Some(Value::Bool(true)),
            "False" => return Some(Value::Bool(false)),
            "None" => return Some(Value::Null),
            "nan" | "inf" | "NaN" | "Infinity" => return Some(Value::Number(Number(name.to_owned()))),
            _ => {}
        }
        // Type parameters of a generic class: `Page[int](data=…)`.
        self.cursor.at += fragment::parameters_length(self.cursor.rest());
        if self.cursor.peek() == Some(b'(') {
            let tag = self.cursor.since(start)?;
            return if depth >= MAX_DEPTH { self.opaque_brackets(start) } else { self.call(tag, depth, context) };
        }
        if context == Context::Named || matches!(name, "Ellipsis" | "NotImplemented") && context == Context::Item {
            return Some(Value::Opaque(self.cursor.since(start)?.to_owned()));
        }
        None
    }

    /// `Foo(1, b=2)`: keyword arguments become a map; a single positional one is taken as it is; several become a list, with a map of the
    /// keyword arguments last.
    fn call(&mut self, tag: &str, depth: usize, context: Context) -> Option<Value> {
        let inner = if context == Context::Outermost { Context::Item } else { Context::Named };
        self.cursor.at += 1;
        let (mut plain, mut named) = (Vec::new(), Vec::new());
        let mut comma = true;
        loop {
            self.cursor.skip_blanks();
            if self.cursor.take(b')') {
                break;
            }
            if !comma {
                return None;
            }
            if let Some(length) = fragment::argument_name_length(self.cursor.rest()) {
                let start = self.cursor.at;
                self.cursor.at += length;
                let name = self.cursor.since(start)?.to_owned();
                self.cursor.at += 1;
                named.push((name, self.value(depth + 1, Context::Named)?));
            } else if named.is_empty() {
                plain.push(self.value(depth + 1, inner)?);
            } else {
                return None;
            }
            self.cursor.skip_blanks();
            comma = self.cursor.take(b',');
        }
        let value = match (tag, plain.len(), named.is_empty()) {
            ("set" | "frozenset", 0, true) => Value::List(plain),
            (_, 0, _) => Value::Map(named),
            (_, 1, true) => match plain.pop()? {
                Value::Tagged { tag: inner, value } if tag == "frozenset" && inner == "set" => *value,
                only => only,
            },
            (_, _, true) => Value::List(plain),
            (_, _, false) => {
                plain.push(Value::Map(named));
                Value::List(plain)
            }
        };
        Some(tagged(tag, value))
    }

    fn string(&mut self, prefix: Prefix) -> Option<String> {
        let (inner, escaped) = self.cursor.take_string()?;
        // The inside of a bytes literal stays as written, because it may not be valid text.
        if escaped && !prefix.raw && !prefix.bytes { escape::unescape_python(inner) } else { Some(inner.to_owned()) }
    }

    fn angle_fragment(&mut self, context: Context) -> Option<Value> {
        let start = self.cursor.at;
        let bytes = self.cursor.bytes();
        let mut end = if self.quotes_mislead { None } else { fragment::angle_end(bytes, start, true) };
        if end.is_none() {
            self.quotes_mislead = true;
            end = fragment::angle_end(bytes, start, false);
        }
        self.cursor.at = end?;
        let written = self.cursor.since(start)?;
        let known = if context == Context::Outermost {
            fragment::is_object_repr(written)
        } else {
            written.as_bytes().get(1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        };
        known.then(|| Value::Opaque(written.to_owned()))
    }
}

fn tagged(tag: &str, value: Value) -> Value {
    Value::Tagged { tag: tag.to_owned(), value: Box::new(value) }
}

/// The prefix of a string literal.
#[derive(Clone, Copy, Default)]
struct Prefix {
    raw: bool,
    bytes: bool,
}

impl Prefix {
    fn read(letters: &str) -> Option<Prefix> {
        let prefix = match letters.to_ascii_lowercase().as_str() {
            "r" | "fr" | "rf" => Prefix { raw: true, bytes: false },
            "b" => Prefix { raw: false, bytes: true },
            "br" | "rb" => Prefix { raw: true, bytes: true },
            "u" | "f" => Prefix::default(),
            _ => return None,
        };
        Some(prefix)
    }
}
