//! Values as Llama Stack recorded them: JSON, Python repr or plain text, in one tree that loses nothing.
//!
//! What is not here: the decoding itself, which is `recorded`.

use serde::{Deserialize, Serialize};

/// How a text was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Encoding {
    /// A JSON document.
    Json,
    /// The `repr` of a Python object.
    Python,
    /// Neither: shown as it is.
    Text,
}

impl Encoding {
    /// The name shown to people: `JSON`, `Python`, `text`.
    pub fn label(self) -> &'static str {
        match self {
            Encoding::Json => "JSON",
            Encoding::Python => "Python",
            Encoding::Text => "text",
        }
    }
}

/// A number by its own text, so that no digit is lost (`9007199254740993` and `1e400` stay what they were).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Number(pub String);

impl Number {
    /// The integer, where the text is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The nearest double; `NaN` and `Infinity` are understood as Python writes them (`nan`, `inf`, `NaN`, `Infinity`).
    pub fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok()
    }
}

/// A recorded value. Order of keys, duplicates of keys and the digits of numbers are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// JSON `null`, Python `None`.
    Null,
    /// `true`/`false`, `True`/`False`.
    Bool(bool),
    /// A number, by its text.
    Number(Number),
    /// A text that holds nothing further.
    Text(String),
    /// A text that is itself JSON or Python repr of a list or a map: the text as it was, and what it holds.
    Nested {
        /// The text, exactly.
        raw: String,
        /// How it was understood; never [`Encoding::Text`].
        encoding: Encoding,
        /// What it holds.
        value: Box<Value>,
    },
    /// A list; a Python tuple or set is one too, named by `Tagged`.
    List(Vec<Value>),
    /// A map, in recorded order. Keys of JSON are texts; Python's may be anything, and stand here as written.
    Map(Vec<(String, Value)>),
    /// A Python value that is more than plain data: `Foo(a=1, b=2)` (fields as a map or list), a tuple, a set, `b'…'`.
    Tagged {
        /// The name before the bracket, or `tuple`, `set`, `bytes`.
        tag: String,
        /// What is inside.
        value: Box<Value>,
    },
    /// A fragment that can't be read further, as written: `<HealthStatus.OK: 'OK'>`, `<async_generator object … at 0x…>`.
    Opaque(String),
}

impl Value {
    /// The text of a `Text` or `Nested` value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) | Value::Nested { raw: text, .. } => Some(text),
            _ => None,
        }
    }

    /// The value without the wrapping of a nested text: what the text holds.
    pub fn unwrapped(&self) -> &Value {
        match self {
            Value::Nested { value, .. } => value.unwrapped(),
            other => other,
        }
    }

    /// The entry `key` of a map (nested texts are looked through), the last one if the key stands twice, as in JSON and Python.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self.unwrapped() {
            Value::Map(entries) => entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value),
            Value::Tagged { value, .. } => value.get(key),
            _ => None,
        }
    }

    /// The items of a list, tuple or set (nested texts are looked through).
    pub fn items(&self) -> Option<&[Value]> {
        match self.unwrapped() {
            Value::List(items) => Some(items),
            Value::Tagged { value, .. } => value.items(),
            _ => None,
        }
    }

    /// The whole number, if this is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// Whether there is nothing below it to unfold.
    pub fn is_leaf(&self) -> bool {
        match self.unwrapped() {
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => entries.is_empty(),
            Value::Tagged { value, .. } => value.is_leaf(),
            _ => true,
        }
    }
}
