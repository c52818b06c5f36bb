//! Parameters of a call: a JSON object of named values. Each value is checked, and each error names its parameter.
//!
//! Integers may be given as strings, as the API's own validation allows; null means the default.

use super::error::QueryError;
use super::error::kind_of;
use quipu_model::number::truncated;
use serde_json::{Map, Value as Json};

/// The parameters of one call.
pub(crate) struct Object<'a> {
    entries: &'a Map<String, Json>,
}

impl<'a> Object<'a> {
    /// Checks that `json` is an object with no other names than `known`.
    pub(crate) fn read(json: &'a Json, known: &[&'static str]) -> Result<Object<'a>, QueryError> {
        let Some(entries) = json.as_object() else {
            return Err(QueryError::parameter("The parameters", format!("are {}, not an object such as {{\"limit\": 10}}", kind_of(json))));
        };
        if let Some(unknown) = entries.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(QueryError::parameter(unknown, format!("is not a parameter of this method; it takes {}", known.join(", "))));
        }
        Ok(Object { entries })
    }

    /// The value of a parameter; null counts as absent.
    fn given(&self, name: &'static str) -> Option<&'a Json> {
        self.entries.get(name).filter(|value| !value.is_null())
    }

    fn missing(&self, name: &'static str) -> QueryError {
        let what = if self.entries.contains_key(name) { "is null, and has no default" } else { "is missing" };
        QueryError::parameter(name, what.into())
    }

    /// A string; `None` if absent.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<&'a str>, QueryError> {
        match self.given(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(QueryError::parameter(name, format!("is {}, not a text", kind_of(other)))),
        }
    }

    /// A required string.
    pub(crate) fn required_text(&self, name: &'static str) -> Result<&'a str, QueryError> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// An integer; `None` if absent.
    pub(crate) fn integer(&self, name: &'static str) -> Result<Option<i64>, QueryError> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let whole = match value {
            Json::Bool(flag) => Some(i64::from(*flag)),
            Json::String(text) => text.trim().parse().ok(),
            Json::Number(number) => number.as_i64().or_else(|| {
                let real = number.as_f64()?;
                (real.fract() == 0.0 && real.abs() < 9e15).then_some(truncated::<i64>(real))
            }),
            _ => None,
        };
        whole.map(Some).ok_or_else(|| {
            let shown = if value.is_array() || value.is_object() { kind_of(value).to_owned() } else { value.to_string() };
            QueryError::parameter(name, format!("is {shown}, not a whole number"))
        })
    }

    /// A required integer.
    pub(crate) fn required_integer(&self, name: &'static str) -> Result<i64, QueryError> {
        self.integer(name)?.ok_or_else(|| self.missing(name))
    }

    /// A list; `None` if absent and not `required`.
    pub(crate) fn list(&self, name: &'static str, required: bool) -> Result<Option<&'a [Json]>, QueryError> {
        match self.given(name) {
            None if required => Err(self.missing(name)),
            None => Ok(None),
            Some(Json::Array(items)) => Ok(Some(items)),
            Some(other) => Err(QueryError::parameter(name, format!("is {}, not a list", kind_of(other)))),
        }
    }

    /// A list of strings; `None` if absent and not `required`.
    pub(crate) fn texts(&self, name: &'static str, required: bool) -> Result<Option<Vec<&'a str>>, QueryError> {
        let Some(list) = self.list(name, required)? else { return Ok(None) };
        let read = |(number, item): (usize, &'a Json)| {
            item.as_str().ok_or_else(|| QueryError::parameter(&format!("{name}[{number}]"), format!("is {}, not a text", kind_of(item))))
        };
        Ok(Some(list.iter().enumerate().map(read).collect::<Result<_, _>>()?))
    }
}
