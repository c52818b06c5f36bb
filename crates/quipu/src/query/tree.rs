//! `get_span_tree`, and the tree walk it shares with `query_spans`.
//!
//! Children are found by parent id in any trace, as in the reference implementation. A span is visited once, even if parents form a cycle.

use super::condition::read_key;
use super::error::QueryError;
use super::json::AttributeMap;
use super::matching::Source;
use super::params::Object;
use super::path::Path;
use super::types::{Span, SpanTree, SpanWithStatus};
use crate::index::Index;
use hashbrown::{HashMap, HashSet};
use quipu_model::ordered::sort_by;
use quipu_model::{EventTime, SpanStatus};
use quipu_store::{SpanRow, StoreError, span_row};
use serde_json::Value as Json;

/// A span and its descendants.
pub(super) fn get_span_tree(source: Source<'_>, params: &Json) -> Result<SpanTree, QueryError> {
    let params = Object::read(params, &["span_id", "attributes_to_return", "max_depth"])?;
    let span_id = params.required_text("span_id")?;
    let keys = read_keys(&params, "attributes_to_return", false)?;
    let max_depth = params.integer("max_depth")?;
    let index = source.indexed()?;
    let Some(row) = index.find_span(span_id) else { return Err(no_span(span_id)) };
    let mut spans = Vec::new();
    let budget = source.database.budget();
    for found in read_tree(source, index, row, max_depth, &mut HashSet::new())? {
        // Each requested attribute is in the answer, if only as null.
        budget.read(keys.len() as u64).map_err(StoreError::from)?;
        budget.hold(keys.iter().map(|(key, _)| key.len() as u64 + 64).sum()).map_err(StoreError::from)?;
        let status = found.status.as_deref().and_then(SpanStatus::from_recorded);
        spans.push(SpanWithStatus { span: span(found, &keys, "attributes_to_return", false)?, status });
    }
    Ok(SpanTree(spans))
}

pub(super) fn no_span(span_id: &str) -> QueryError {
    let is_id = span_id.len() == 16 && span_id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let hint = if is_id { "." } else { "; a span id has 16 lower-case hex digits." };
    QueryError::not_found("span_id", format!("There is no span {span_id:?} in this file{hint}"))
}

/// The attributes to return: each key once, with its path.
pub(super) fn read_keys(params: &Object<'_>, name: &'static str, required: bool) -> Result<Vec<(String, Path)>, QueryError> {
    let keys = params.texts(name, required)?.unwrap_or_default();
    let mut known = HashSet::new();
    let mut list = Vec::new();
    for (number, key) in keys.into_iter().enumerate() {
        if known.insert(key) {
            list.push((key.to_owned(), read_key(&format!("{name}[{number}]"), key)?));
        }
    }
    Ok(list)
}

/// Converts a recorded row to the API's span. Without keys it has all attributes; with `all_or_none`, none if one that is asked for is null.
pub(super) fn span(row: SpanRow, keys: &[(String, Path)], name: &'static str, all_or_none: bool) -> Result<Span, QueryError> {
    let recorded = row.attributes.unwrap_or_default();
    let attributes = if !keys.is_empty() {
        let bad = |key: &str| QueryError::parameter(name, format!("has the key {key:?}, which is not a path"));
        AttributeMap::chosen(recorded.as_bytes(), keys, all_or_none).map_err(bad)?
    } else {
        AttributeMap::all(recorded.as_bytes())
    };
    let time = |text: Option<String>| text.as_deref().and_then(EventTime::parse);
    Ok(Span {
        span_id: row.span_id.unwrap_or_default(),
        trace_id: row.trace_id.unwrap_or_default(),
        parent_span_id: row.parent_span_id,
        name: row.name.unwrap_or_default(),
        start_time: time(row.start),
        end_time: time(row.end),
        attributes,
    })
}

/// The rows of the span in `root` and its descendants, by depth, then by recorded start. Skips spans in `seen`, and adds those it visits. A
/// `max_depth` of 1 or less means the span alone.
pub(super) fn read_tree(
    source: Source<'_>,
    index: &Index,
    root: u32,
    max_depth: Option<i64>,
    seen: &mut HashSet<u32>,
) -> Result<Vec<SpanRow>, QueryError> {
    let mut pairs: HashMap<u32, Vec<(u32, u32)>> = HashMap::new();
    let mut level = vec![root];
    let mut depth = 1;
    let mut tree = Vec::new();
    seen.insert(root);
    while !level.is_empty() {
        let mut rows: Vec<(SpanRow, u32)> = Vec::with_capacity(level.len());
        for row in &level {
            if let Some(recorded) = span_row(source.database.connection(), source.database.schema(), index.rowid_of(*row))? {
                let bytes = recorded.attributes.as_ref().map_or(0, String::len) as u64 + 200;
                source.database.budget().hold(bytes).and_then(|()| source.database.budget().look()).map_err(StoreError::from)?;
                rows.push((recorded, *row));
            }
        }
        let mut next = Vec::new();
        if max_depth.is_none_or(|max| depth < max) {
            for row in &level {
                let trace = index.trace_of(*row);
                let of_trace = pairs.entry(trace).or_insert_with(|| index.child_pairs(trace));
                let start = of_trace.partition_point(|(parent, _)| parent < row);
                let near = of_trace.iter().skip(start).take_while(|(parent, _)| parent == row).map(|(_, child)| *child);
                let mut children: Vec<u32> = near.chain(index.stray_children(*row)).collect();
                children.sort_unstable();
                children.dedup();
                next.extend(children.into_iter().filter(|child| seen.insert(*child)));
            }
        }
        // Stable: spans with the same start keep the order of the reference's recursion.
        sort_by(&mut rows, |(one, _), (two, _)| one.start.cmp(&two.start));
        tree.extend(rows.into_iter().map(|(recorded, _)| recorded));
        level = next;
        depth += 1;
    }
    Ok(tree)
}
