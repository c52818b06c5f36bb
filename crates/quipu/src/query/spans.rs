//! `get_span`, `query_spans`, `save_spans_to_dataset` and `list_span_events`.
//!
//! Not here: writing a dataset as JSON lines or CSV (`export`).

use super::condition::Conditions;
use super::error::QueryError;
use super::json::{AttributeMap, JsonText};
use super::matching::{MatchedTrace, Source};
use super::params::Object;
use super::path::Path;
use super::traces::no_trace;
use super::tree::{no_span, read_keys, read_tree, span};
use super::types::{DatasetRow, SavedDataset, Span, SpanEvent};
use hashbrown::HashSet;
use quipu_model::EventTime;
use quipu_model::ordered::sort_by_key;
use quipu_store::{EventColumns, StoreError, event_columns, span_row, span_rowid};
use serde_json::Value as Json;
use std::ops::ControlFlow;

/// One span with all its attributes.
pub(super) fn get_span(source: Source<'_>, params: &Json) -> Result<Span, QueryError> {
    let params = Object::read(params, &["trace_id", "span_id"])?;
    let (trace_id, span_id) = (params.required_text("trace_id")?, params.required_text("span_id")?);
    let (connection, schema) = (source.database.connection(), source.database.schema());
    let rowid = span_rowid(connection, schema, span_id)?.ok_or_else(|| no_span(span_id))?;
    let row = span_row(connection, schema, rowid)?.ok_or_else(|| no_span(span_id))?;
    if row.trace_id.as_deref() != Some(trace_id) {
        let recorded = row.trace_id.unwrap_or_default();
        return Err(QueryError::not_found("span_id", format!("The span {span_id} is not in the trace {trace_id:?} but in {recorded}.")));
    }
    span(row, &[], "span_id", false)
}

/// The parameters shared by `query_spans`, `save_spans_to_dataset` and the export.
pub(super) struct SpanQuery {
    conditions: Conditions,
    keys: Vec<(String, Path)>,
    keys_name: &'static str,
    /// Spans that lack an attribute can be left at once: no key is malformed, which would have to be told.
    all_or_none: bool,
    max_depth: Option<i64>,
}

impl SpanQuery {
    pub(super) fn read(params: &Object<'_>, keys_name: &'static str) -> Result<SpanQuery, QueryError> {
        let conditions = Conditions::read(params, "attribute_filters", true)?;
        let keys = read_keys(params, keys_name, true)?;
        Ok(SpanQuery {
            conditions,
            all_or_none: keys.iter().all(|(_, path)| !path.is_malformed()),
            keys,
            keys_name,
            max_depth: params.integer("max_depth")?,
        })
    }

    /// The names of the requested attributes, each once.
    pub(super) fn columns(&self) -> Vec<&str> {
        self.keys.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Calls `each` with every span of the matching traces that has all requested attributes, whether or not the span itself matches the
    /// filter. Traces come in the order of their first matching span, and in each the trees of its roots. Returns how many other spans
    /// these traces have.
    pub(super) fn visit(
        &self,
        source: Source<'_>,
        each: &mut dyn FnMut(Span) -> Result<ControlFlow<()>, QueryError>,
    ) -> Result<u64, QueryError> {
        let index = source.indexed()?;
        let mut seen = HashSet::new();
        let mut left_out = 0;
        source.matching_traces(&self.conditions, &mut |matched| {
            let MatchedTrace::Number(trace) = matched else { return Ok(ControlFlow::Continue(())) };
            if index.trace_rowid(trace).is_none() {
                return Ok(ControlFlow::Continue(()));
            }
            for root in index.roots(trace) {
                if seen.contains(&root) {
                    continue;
                }
                let (budget, before) = (source.database.budget(), source.database.budget().held());
                let tree = read_tree(source, index, root, self.max_depth, &mut seen)?;
                // The rows are dropped one by one as `each` takes what is asked of them.
                budget.release_to(before);
                for row in tree {
                    budget.read(1 + self.keys.len() as u64).map_err(StoreError::from)?;
                    let span = span(row, &self.keys, self.keys_name, self.all_or_none)?;
                    let given = span.attributes.as_ref().map(|attributes| attributes.0.as_slice()).unwrap_or_default();
                    let complete = !given.is_empty() && (self.keys.is_empty() || given.iter().all(|(_, value)| !value.is_null()));
                    left_out += u64::from(!complete);
                    if complete && each(span)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(left_out)
    }

    fn collect(&self, source: Source<'_>) -> Result<Vec<Span>, QueryError> {
        let mut spans = Vec::new();
        self.visit(source, &mut |span| {
            let attributes = span.attributes.iter().flat_map(|attributes| &attributes.0);
            let bytes = attributes.map(|(key, value)| key.len() + value.get().len() + 64).sum::<usize>() + 200;
            source.database.budget().hold(bytes as u64).map_err(StoreError::from)?;
            spans.push(span);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(spans)
    }
}

/// The spans of matching traces.
pub(super) fn query_spans(source: Source<'_>, params: &Json) -> Result<Vec<Span>, QueryError> {
    let params = Object::read(params, &["attribute_filters", "attributes_to_return", "max_depth"])?;
    SpanQuery::read(&params, "attributes_to_return")?.collect(source)
}

/// The rows that would be appended to a dataset: they are returned instead, since a file holds no datasets.
pub(super) fn save_spans_to_dataset(source: Source<'_>, params: &Json) -> Result<SavedDataset, QueryError> {
    let params = Object::read(params, &["attribute_filters", "attributes_to_save", "dataset_id", "max_depth"])?;
    let query = SpanQuery::read(&params, "attributes_to_save")?;
    let dataset_id = params.required_text("dataset_id")?;
    if dataset_id.is_empty() || dataset_id.contains("..") || dataset_id.chars().any(|letter| letter.is_control() || "/\\".contains(letter))
    {
        let problem = format!("is {dataset_id:?}; it is a plain name, without slashes, dots in a row or control characters");
        return Err(QueryError::parameter("dataset_id", problem));
    }
    let rows = query.collect(source)?.into_iter().map(dataset_row).collect();
    Ok(SavedDataset { dataset_id: dataset_id.to_owned(), rows })
}

pub(super) fn dataset_row(span: Span) -> DatasetRow {
    DatasetRow {
        trace_id: span.trace_id,
        span_id: span.span_id,
        parent_span_id: span.parent_span_id,
        name: span.name,
        start_time: span.start_time,
        end_time: span.end_time,
        attributes: span.attributes.unwrap_or_default(),
    }
}

/// The events of one span, or of all spans of a trace, by time.
pub(super) fn list_span_events(source: Source<'_>, params: &Json) -> Result<Vec<SpanEvent>, QueryError> {
    let params = Object::read(params, &["span_id", "trace_id", "limit", "offset"])?;
    let (span_id, trace_id) = (params.text("span_id")?, params.text("trace_id")?);
    let limit = usize::try_from(params.integer("limit")?.unwrap_or(1_000)).unwrap_or(usize::MAX);
    let offset = usize::try_from(params.integer("offset")?.unwrap_or(0)).unwrap_or(0);
    let index = source.indexed()?;
    let rows: Vec<u32> = match (span_id, trace_id) {
        (None, None) => return Err(QueryError::parameter("span_id", "is missing; give it, or a trace_id".into())),
        (Some(span_id), of) => {
            let row = index.find_span(span_id).ok_or_else(|| no_span(span_id))?;
            if of.is_some_and(|trace_id| index.find_trace(trace_id) != Some(index.trace_of(row))) {
                let trace_id = of.unwrap_or_default();
                return Err(QueryError::not_found("span_id", format!("The span {span_id} is not in the trace {trace_id:?}.")));
            }
            vec![row]
        }
        (None, Some(trace_id)) => index.trace_rows(index.find_trace(trace_id).ok_or_else(|| no_trace(trace_id))?).to_vec(),
    };
    let mut events = Vec::new();
    for row in rows {
        let trace_id = index.trace_id_of(row);
        for id in index.event_ids(row) {
            let read = |event: EventColumns<'_>| (event.attributes.len(), span_event(&trace_id, &event));
            if let Some((bytes, event)) = event_columns(source.database.connection(), source.database.schema(), id, read)? {
                source.database.budget().hold(bytes as u64 + 400).map_err(StoreError::from)?;
                events.push(event);
            }
        }
    }
    sort_by_key(&mut events, |event| (event.timestamp.map(|time| time.at), event.id));
    Ok(events.into_iter().skip(offset).take(limit).collect())
}

fn span_event(trace_id: &str, event: &EventColumns<'_>) -> SpanEvent {
    let name = event.name.as_deref().unwrap_or_default();
    let metric = name.strip_prefix("metric.");
    let mut attributes = AttributeMap::all(event.attributes);
    let mut take = |key: &str| -> Option<JsonText> {
        let list = &mut attributes.as_mut()?.0;
        let at = list.iter().position(|(name, _)| name == key)?;
        Some(list.remove(at).1)
    };
    let is_log = name == "unstructured_log";
    let text = |value: Option<JsonText>| value.map(|value| value.as_text().unwrap_or_else(|| value.get().to_owned()));
    let message = if is_log { text(take("message")) } else { None };
    let severity = if is_log { text(take("severity")) } else { None };
    let value = if metric.is_some() { take("value") } else { None };
    let unit = if metric.is_some() { text(take("unit")) } else { None };
    SpanEvent {
        kind: if metric.is_some() { "metric".into() } else { name.to_owned() },
        id: event.id,
        trace_id: trace_id.to_owned(),
        span_id: event.span_id.as_deref().unwrap_or_default().to_owned(),
        timestamp: event.timestamp.as_deref().and_then(EventTime::parse),
        message,
        severity,
        metric: metric.map(str::to_owned),
        value,
        unit,
        attributes,
    }
}
