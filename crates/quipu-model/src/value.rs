//! Values as recorded by Llama Stack: JSON, Python repr or plain text, in a lossless tree.
//!
//! Not here: decoding, which is in `recorded`.

use crate::decimal::read_f64;
use serde::{Deserialize, Serialize};

/// How a string was decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Encoding {
    /// A JSON document.
    Json,
    /// The `repr` of a Python object.
    Python,
    /// Neither; shown as is.
    Text,
}

impl Encoding {
    /// Display name: `JSON`, `Python`, `text`.
    pub fn label(self) -> &'static str {
        match self {
            Encoding::Json => "JSON",
            Encoding::Python => "Python",
            Encoding::Text => "text",
        }
    }
}

/// A number in its recorded spelling, so that no digit is lost (`9007199254740993` and `1e400` are kept).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Number(pub String);

impl Number {
    /// The value, if it is an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The nearest double. Accepts the spellings of NaN and infinity in JSON and Python (`nan`, `inf`, `NaN`, `Infinity`).
    pub fn as_f64(&self) -> Option<f64> {
        read_f64(&self.0)
    }
}

/// A recorded value. Keeps the order of keys, duplicate keys, and the digits of numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// JSON `null`, Python `None`.
    Null,
    /// `true`/`false`, `True`/`False`.
    Bool(bool),
    /// A number in its recorded spelling.
    Number(Number),
    /// A string without nested data.
    Text(String),
    /// A string that itself contains a list or map as JSON or Python repr.
    Nested {
        /// The string, exactly as recorded.
        raw: String,
        /// How it was decoded; never [`Encoding::Text`].
        encoding: Encoding,
        /// The list or map.
        value: Box<Value>,
    },
    /// A list. Python tuples and sets are lists inside `Tagged`.
    List(Vec<Value>),
    /// A map in recorded order. JSON keys are strings; other Python keys appear as written.
    Map(Vec<(String, Value)>),
    /// A Python value other than plain data: `Foo(a=1, b=2)` (the fields as a map or list), a tuple, a set, `b'…'`.
    Tagged {
        /// The name before the parenthesis, or `tuple`, `set`, `bytes`.
        tag: String,
        /// The contents.
        value: Box<Value>,
    },
    /// A fragment that can't be decoded, as written: `<HealthStatus.OK: 'OK'>`, `<async_generator object … at 0x…>`.
    Opaque(String),
}

impl Value {
    /// The string of a `Text` or `Nested` value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) | Value::Nested { raw: text, .. } => Some(text),
            _ => None,
        }
    }

    /// Unwraps `Nested` values down to the innermost one.
    pub fn unwrapped(&self) -> &Value {
        match self {
            Value::Nested { value, .. } => value.unwrapped(),
            other => other,
        }
    }

    /// Looks up a key in a map, including nested and tagged ones. The last of duplicate keys counts, as in JSON and Python.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self.unwrapped() {
            Value::Map(entries) => entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value),
            Value::Tagged { value, .. } => value.get(key),
            _ => None,
        }
    }

    /// The items of a list, tuple or set, including nested ones.
    pub fn items(&self) -> Option<&[Value]> {
        match self.unwrapped() {
            Value::List(items) => Some(items),
            Value::Tagged { value, .. } => value.items(),
            _ => None,
        }
    }

    /// The value, if it is an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// Whether there are no children to expand.
    pub fn is_leaf(&self) -> bool {
        match self.unwrapped() {
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => entries.is_empty(),
            Value::Tagged { value, .. } => value.is_leaf(),
            _ => true,
        }
    }
}
