//! Attribute filters: conditions that must all hold for one span.
//!
//! Not here: which spans are tested (`matching`).

use super::error::{QueryError, kind_of};
use super::params::Object;
use super::path::{Lookup, Path, quoted};
use super::value::SqlValue;
use crate::index::{Profiles, hint_prefix};
use memchr::memmem::Finder;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::cmp::Ordering;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Eq,
    Ne,
    Gt,
    Lt,
}

/// One condition on an attribute.
pub(crate) struct Condition {
    key: String,
    path: Path,
    op: Op,
    value: SqlValue<'static>,
    /// Finds the quoted key in JSON; set if the key needs no escapes.
    finder: Option<Finder<'static>>,
    /// Finds the start of the wanted string; set if only that string can match.
    wanted: Option<Finder<'static>>,
}

/// What the profile of a span says about a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Holds,
    Fails,
    /// The span's attributes must be read.
    Unknown,
}

/// All conditions of a query.
#[derive(Default)]
pub(crate) struct Conditions(Vec<Condition>);

impl Conditions {
    /// Parses the parameter `attribute_filters`.
    pub(crate) fn read(params: &Object<'_>, name: &'static str, required: bool) -> Result<Conditions, QueryError> {
        let Some(list) = params.list(name, required)? else { return Ok(Conditions::default()) };
        let read = |(number, item): (usize, &Json)| Condition::read(&format!("{name}[{number}]"), item);
        Ok(Conditions(list.iter().enumerate().map(read).collect::<Result<_, _>>()?))
    }

    /// What testing a span costs, in rows of a budget.
    pub(crate) fn count(&self) -> u64 {
        1 + self.0.len() as u64
    }

    /// Whether there are no conditions, so that every span matches.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all conditions hold for these attributes.
    ///
    /// # Errors
    /// When evaluation reaches the malformed part of a key.
    pub(crate) fn hold(&self, attributes: &[u8]) -> Result<bool, QueryError> {
        for condition in &self.0 {
            if !condition.holds(attributes)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// For each profile of a file, the verdict and the hints that spans of an undecided profile must have.
    pub(crate) fn verdicts(&self, profiles: &Profiles) -> Vec<(Verdict, u32)> {
        let of = |number: usize| {
            let profile = u16::try_from(number).unwrap_or(crate::index::UNKNOWN_PROFILE);
            let hints = self.0.iter().fold(0, |hints, condition| hints | condition.hint(profiles, profile));
            (self.verdict(profiles, profile), hints)
        };
        (0..profiles.len()).map(of).collect()
    }

    fn verdict(&self, profiles: &Profiles, profile: u16) -> Verdict {
        if profile == crate::index::UNKNOWN_PROFILE {
            return Verdict::Unknown;
        }
        let mut all = Verdict::Holds;
        for condition in &self.0 {
            match condition.verdict(profiles, profile) {
                Verdict::Holds => {}
                // A condition before this one may still reach a malformed path, which must be reported.
                Verdict::Fails => return if all == Verdict::Holds { Verdict::Fails } else { all },
                Verdict::Unknown => all = Verdict::Unknown,
            }
        }
        all
    }
}

impl Condition {
    fn read(place: &str, item: &Json) -> Result<Condition, QueryError> {
        let Some(object) = item.as_object() else {
            return Err(QueryError::parameter(place, format!("is {}, not an object with key, op and value", kind_of(item))));
        };
        let field = |name: &str| object.get(name).ok_or_else(|| QueryError::parameter(&format!("{place}.{name}"), "is missing".into()));
        let key = match field("key")? {
            Json::String(key) => key.clone(),
            other => return Err(QueryError::parameter(&format!("{place}.key"), format!("is {}, not a text", kind_of(other)))),
        };
        let path = read_key(&format!("{place}.key"), &key)?;
        let op_place = format!("{place}.op");
        let op = match field("op")? {
            Json::String(op) if op == "eq" => Op::Eq,
            Json::String(op) if op == "ne" => Op::Ne,
            Json::String(op) if op == "gt" => Op::Gt,
            Json::String(op) if op == "lt" => Op::Lt,
            other => return Err(QueryError::parameter(&op_place, format!("is {other}; it is one of eq, ne, gt, lt"))),
        };
        let value = read_value(&format!("{place}.value"), field("value")?)?;
        let finder = path.first_key().and_then(quoted).map(|needle| Finder::new(&needle).into_owned());
        let wanted = if op == Op::Eq && !path.is_malformed() { wanted_text(&value) } else { None };
        Ok(Condition { key, path, op, value, finder, wanted })
    }

    fn compares(&self, found: &[u8]) -> bool {
        let Some(order) = SqlValue::read(found).compare(&self.value) else { return false };
        match self.op {
            Op::Eq => order == Ordering::Equal,
            Op::Ne => order != Ordering::Equal,
            Op::Gt => order == Ordering::Greater,
            Op::Lt => order == Ordering::Less,
        }
    }

    fn holds(&self, attributes: &[u8]) -> Result<bool, QueryError> {
        // Byte searches are several times faster than parsing. They miss only strings that are escaped without need.
        let lacks = |finder: &Option<Finder<'_>>| finder.as_ref().is_some_and(|finder| finder.find(attributes).is_none());
        let has = |escape: &[u8]| memchr::memmem::find(attributes, escape).is_some();
        if (lacks(&self.finder) || lacks(&self.wanted)) && !has(b"\\u00") && !has(b"\\/") {
            return Ok(false);
        }
        match self.path.find(attributes) {
            Lookup::Value(json) => Ok(self.compares(json)),
            Lookup::Nothing => Ok(false),
            Lookup::Malformed => Err(bad_path("attribute_filters", &self.key)),
        }
    }

    /// The hint of the wanted string, if spans of this profile hold high-cardinality strings under the key.
    fn hint(&self, profiles: &Profiles, profile: u16) -> u32 {
        let (Op::Eq, SqlValue::Text(text), true, Some(key)) = (self.op, &self.value, self.path.is_plain(), self.path.first_key()) else {
            return 0;
        };
        let entry = profiles.entries(profile).find(|entry| entry.key == key);
        if entry.is_some_and(|entry| entry.value.is_none()) { profiles.hint_of(key, text) } else { 0 }
    }

    fn verdict(&self, profiles: &Profiles, profile: u16) -> Verdict {
        let Some(entry) = profiles.entries(profile).find(|entry| Some(entry.key) == self.path.first_key()) else { return Verdict::Fails };
        match entry.value {
            Some(value) if self.path.is_plain() => {
                if self.compares(value) {
                    Verdict::Holds
                } else {
                    Verdict::Fails
                }
            }
            _ => Verdict::Unknown,
        }
    }
}

/// A finder of the quoted start of a string. `None` for a string that looks like a list or a map, since it may equal one written without
/// quotes.
fn wanted_text(value: &SqlValue<'_>) -> Option<Finder<'static>> {
    let SqlValue::Text(text) = value else { return None };
    if text.starts_with(b"[") || text.starts_with(b"{") {
        return None;
    }
    let needle = [b"\"", hint_prefix(text)].concat();
    (needle.len() > 3).then(|| Finder::new(&needle).into_owned())
}

/// Parses a key as a path. A bare quotation mark would match itself only; it is refused because the reference implementation fails on it.
pub(crate) fn read_key(place: &str, key: &str) -> Result<Path, QueryError> {
    if key.contains('\'') {
        return Err(QueryError::parameter(place, format!("is {key:?}; a key can't hold a single quote")));
    }
    let path = Path::parse(key);
    if path.is_always_malformed() {
        return Err(bad_path(place, key));
    }
    Ok(path)
}

fn bad_path(place: &str, key: &str) -> QueryError {
    QueryError::parameter(
        place,
        format!("has the key {key:?}, which is not a path; a key is like session_id, request.model, tools[0], or \"a.b\" in double quotes"),
    )
}

fn read_value(place: &str, value: &Json) -> Result<SqlValue<'static>, QueryError> {
    Ok(match value {
        Json::Null => SqlValue::Null,
        Json::Bool(flag) => SqlValue::Integer(i64::from(*flag)),
        Json::String(text) => SqlValue::Text(Cow::Owned(text.clone().into_bytes())),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => SqlValue::Integer(whole),
            (_, Some(_), _) => return Err(QueryError::parameter(place, format!("is {number}; whole numbers end at {}", i64::MAX))),
            (_, _, Some(real)) => SqlValue::Real(real),
            _ => return Err(QueryError::parameter(place, format!("is {number}, which is not a supported number"))),
        },
        Json::Array(_) | Json::Object(_) => {
            return Err(QueryError::parameter(place, format!("is {}; only texts, numbers, booleans and null compare", kind_of(value))));
        }
    })
}
