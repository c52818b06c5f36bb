//! What a span says that was sent twice: once as it started and once ended, or by two exporters.
//!
//! The ended one wins; what only the other has is added.

use super::super::layout::id;
use super::own::OwnSpan;
use quipu_model::recorded::{entries, write_json_string};
use quipu_model::{SPAN_KINDS, STATUS_CODES};
use rusqlite::Row;
use rusqlite::types::ValueRef;
use std::collections::HashSet;

/// A row of `quipu_spans`, without its ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    parent_span_id: Option<String>,
    pub(super) name: Option<String>,
    start: Option<u64>,
    end: Option<u64>,
    status: Option<String>,
    kind: Option<String>,
    source: Option<i64>,
    attributes: String,
    more: Option<String>,
}

/// The columns that [`Stored::read`] expects, after the two ids.
pub(super) const COLUMNS: &str = concat!(
    "trace_id, span_id, ",
    id!("parent_span_id"),
    ", (SELECT n.name FROM main.quipu_names n WHERE n.id = name_id), start_unix_nano, end_unix_nano, status, kind, source_id, attributes, more"
);

impl Stored {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Stored> {
        let nanos = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.and_then(|nanos| u64::try_from(nanos).ok()));
        Ok(Stored {
            parent_span_id: row.get(2)?,
            name: row.get(3)?,
            start: nanos(4)?,
            end: nanos(5)?,
            status: named(row.get_ref(6)?, &STATUS_CODES),
            kind: named(row.get_ref(7)?, &SPAN_KINDS),
            source: row.get(8)?,
            attributes: row.get::<_, Option<String>>(9)?.unwrap_or_default(),
            more: row.get(10)?,
        })
    }

    /// With the ids of `span`.
    pub(super) fn as_span<'a>(&'a self, span: &OwnSpan<'a>) -> OwnSpan<'a> {
        OwnSpan {
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_span_id: self.parent_span_id.as_deref(),
            name: self.name.as_deref(),
            start: self.start,
            end: self.end,
            status: self.status.as_deref(),
            kind: self.kind.as_deref(),
            source: self.source,
            attributes: &self.attributes,
            more: self.more.as_deref(),
        }
    }

    fn of(span: &OwnSpan<'_>) -> Stored {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Stored {
            parent_span_id: owned(span.parent_span_id),
            name: owned(span.name),
            start: span.start,
            end: span.end,
            status: owned(span.status),
            kind: owned(span.kind),
            source: span.source,
            attributes: span.attributes.to_owned(),
            more: owned(span.more),
        }
    }
}

fn named(value: ValueRef<'_>, names: &[&str]) -> Option<String> {
    match value {
        ValueRef::Integer(number) => usize::try_from(number).ok().and_then(|at| names.get(at)).map(|name| (*name).to_owned()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    }
}

/// What the row becomes; `None` if nothing is added.
pub(super) fn merged(stored: &Stored, span: &OwnSpan<'_>) -> Option<Stored> {
    let sent = Stored::of(span);
    let (mut first, second) = if stored.end.is_none() && sent.end.is_some() { (sent, stored.clone()) } else { (stored.clone(), sent) };
    first.parent_span_id = first.parent_span_id.or(second.parent_span_id);
    first.name = first.name.or(second.name);
    first.start = first.start.or(second.start);
    first.end = first.end.or(second.end);
    if first.status.as_deref().is_none_or(|status| status == STATUS_CODES[0]) {
        first.status = second.status.or(first.status);
    }
    first.kind = first.kind.or(second.kind);
    first.source = first.source.or(second.source);
    first.attributes = union(first.attributes, &second.attributes);
    first.more = match (first.more, second.more) {
        (Some(first), Some(second)) => Some(union(first, &second)),
        (first, second) => first.or(second),
    };
    (first != *stored).then_some(first)
}

/// A JSON object with the entries of `first`, and those of `second` whose keys it lacks. A text that is no JSON object stays as it is.
fn union(first: String, second: &str) -> String {
    if first == second {
        return first;
    }
    let mut keys = HashSet::new();
    for entry in entries(first.as_bytes()) {
        match entry {
            Ok((key, _)) => keys.insert(key.into_owned()),
            Err(_) => return first,
        };
    }
    let mut added = String::new();
    for (key, value) in entries(second.as_bytes()).map_while(Result::ok) {
        if !keys.contains(key.as_ref()) {
            added.push_str(if keys.is_empty() && added.is_empty() { "" } else { ", " });
            write_json_string(&key, &mut added);
            added.push_str(": ");
            added.push_str(&value.as_written());
        }
    }
    match first.trim_end().strip_suffix('}') {
        Some(open) if !added.is_empty() => format!("{open}{added}}}"),
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_one_has_is_added() {
        assert_eq!(union(r#"{"a": 1}"#.into(), r#"{"a": 2, "b": [3]}"#), r#"{"a": 1, "b": [3]}"#);
        assert_eq!(union("{}".into(), r#"{"b": "x", "c": null}"#), r#"{"b": "x", "c": null}"#);
        assert_eq!(union("[1]".into(), r#"{"b": 1}"#), "[1]");
        assert_eq!(union(r#"{"a": 1}"#.into(), "nothing"), r#"{"a": 1}"#);
    }
}
