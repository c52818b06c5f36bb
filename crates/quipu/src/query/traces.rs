//! `query_traces` and `get_trace`.
//!
//! Without an order, traces come in the order of their first matching span, which is what SQLite's plan for the reference's statement
//! produces. With one, they are sorted by columns of `traces` as SQLite sorts them, ties in that same order.

use super::condition::Conditions;
use super::error::QueryError;
use super::error::kind_of;
use super::matching::{MatchedTrace, Source};
use super::params::Object;
use super::types::Trace;
use hashbrown::{HashMap, HashSet};
use quipu_model::ordered::sort_by;
use quipu_model::{EventTime, RecordedTime};
use quipu_store::{TraceColumn, TraceFull, scan_links, trace_by_id};
use serde_json::Value as Json;
use std::cmp::Ordering;
use std::ops::ControlFlow;

/// A page of traces.
pub(super) fn query_traces(source: Source<'_>, params: &Json) -> Result<Vec<Trace>, QueryError> {
    let params = Object::read(params, &["attribute_filters", "limit", "offset", "order_by"])?;
    let conditions = Conditions::read(&params, "attribute_filters", false)?;
    let limit = params.integer("limit")?.unwrap_or(100);
    let offset = usize::try_from(params.integer("offset")?.unwrap_or(0)).unwrap_or(0);
    let order = read_order(&params)?;
    // A negative limit means no limit.
    let limit = usize::try_from(limit).ok();
    let wanted = limit.map(|limit| offset.saturating_add(limit));
    let columns: Vec<TraceColumn> = order.iter().map(|(column, _)| *column).collect();

    let mut page: Vec<Ranked> = Vec::new();
    let mut rank = 0;
    let mut each = |matched: MatchedTrace| {
        if order.is_empty() && wanted.is_some_and(|wanted| page.len() >= wanted) {
            return Ok(ControlFlow::Break(()));
        }
        if let Some(row) = source.trace_row(&matched, &columns)? {
            page.push(Ranked { row, rank, matched });
            rank += 1;
        }
        match wanted {
            Some(wanted) if order.is_empty() && page.len() >= wanted => Ok(ControlFlow::Break(())),
            // Only the best are kept: the rest of a large file would not fit in memory.
            Some(wanted) if !order.is_empty() && page.len() > wanted.saturating_mul(2).saturating_add(1_000) => {
                sort_by(&mut page, |one, two| compare(one, two, &order));
                page.truncate(wanted);
                Ok(ControlFlow::Continue(()))
            }
            _ => Ok(ControlFlow::Continue(())),
        }
    };
    if wanted != Some(0) {
        source.matching_traces(&conditions, &mut each)?;
    }
    if !order.is_empty() {
        sort_by(&mut page, |one, two| compare(one, two, &order));
    }
    let page: Vec<Ranked> = page.into_iter().skip(offset).take(limit.unwrap_or(usize::MAX)).collect();
    let roots = derived_roots(source, &page)?;
    Ok(page.into_iter().zip(roots).map(|(ranked, root)| trace(ranked.row, root)).collect())
}

/// One trace, by its row in `traces`.
pub(super) fn get_trace(source: Source<'_>, params: &Json) -> Result<Trace, QueryError> {
    let params = Object::read(params, &["trace_id"])?;
    let trace_id = params.required_text("trace_id")?;
    let (connection, schema) = (source.database.connection(), source.database.schema());
    let Some(row) = trace_by_id(connection, schema, trace_id, &[])? else { return Err(no_trace(trace_id)) };
    let matched = match source.index.and_then(|index| index.find_trace(trace_id)) {
        Some(number) => MatchedTrace::Number(number),
        None => MatchedTrace::Id(trace_id.to_owned()),
    };
    let ranked = Ranked { row, rank: 0, matched };
    let root = derived_roots(source, std::slice::from_ref(&ranked))?.pop().flatten();
    Ok(trace(ranked.row, root))
}

pub(super) fn no_trace(trace_id: &str) -> QueryError {
    let is_id = trace_id.len() == 32 && trace_id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let hint = if is_id { "." } else { "; a trace id has 32 lower-case hex digits." };
    QueryError::not_found("trace_id", format!("There is no trace {trace_id:?} in this file{hint}"))
}

struct Ranked {
    row: TraceFull,
    rank: u32,
    matched: MatchedTrace,
}

fn trace(row: TraceFull, derived_root: Option<String>) -> Trace {
    let time = |text: Option<String>| text.as_deref().and_then(EventTime::parse);
    Trace {
        trace_id: row.trace_id.unwrap_or_default(),
        root_span_id: row.root_span_id.or(derived_root),
        start_time: time(row.start),
        end_time: time(row.end),
    }
}

fn compare(one: &Ranked, two: &Ranked, order: &[(TraceColumn, bool)]) -> Ordering {
    let pairs = one.row.order.iter().zip(&two.row.order).zip(order);
    let by_columns = pairs.map(|((one, two), (_, descending))| if *descending { two.order(one) } else { one.order(two) });
    by_columns.into_iter().find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal).then(one.rank.cmp(&two.rank))
}

fn read_order(params: &Object<'_>) -> Result<Vec<(TraceColumn, bool)>, QueryError> {
    let Some(list) = params.list("order_by", false)? else { return Ok(Vec::new()) };
    let read = |(number, item): (usize, &Json)| {
        let place = format!("order_by[{number}]");
        let Some(text) = item.as_str() else { return Err(QueryError::parameter(&place, format!("is {}, not a text", kind_of(item)))) };
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let column = TraceColumn::ALL.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        column.map(|(_, column)| (column, descending)).ok_or_else(|| {
            let known = TraceColumn::ALL.map(|(known, _)| known).join(", ");
            QueryError::parameter(
                &place,
                format!("is {text:?}, which is not a column of traces; columns are {known}, each with - in front for descending"),
            )
        })
    };
    list.iter().enumerate().map(read).collect()
}

/// The derived roots of the traces of a page, for those without a recorded one.
fn derived_roots(source: Source<'_>, page: &[Ranked]) -> Result<Vec<Option<String>>, QueryError> {
    let lacks = |ranked: &Ranked| ranked.row.root_span_id.is_none();
    if let Some(index) = source.index {
        let root = |ranked: &Ranked| match &ranked.matched {
            MatchedTrace::Number(number) if lacks(ranked) => index.derived_root(*number),
            _ => None,
        };
        return Ok(page.iter().map(root).collect());
    }
    let id = |ranked: &Ranked| ranked.row.trace_id.clone().unwrap_or_default();
    let mut spans: HashMap<String, Vec<Link>> = page.iter().filter(|ranked| lacks(ranked)).map(|ranked| (id(ranked), Vec::new())).collect();
    if spans.is_empty() {
        return Ok(page.iter().map(|_| None).collect());
    }
    scan_links(source.database.connection(), source.database.schema(), |trace, span_id, parent, start| {
        let Some(links) = std::str::from_utf8(trace).ok().and_then(|trace| spans.get_mut(trace)) else { return };
        links.push(Link {
            span_id: span_id.unwrap_or_default().into_owned(),
            parent: parent.map(|parent| parent.into_owned()),
            start: start.and_then(|text| RecordedTime::parse(&text).ok()).map(|time| time.at.0),
        });
    })?;
    Ok(page.iter().map(|ranked| spans.get(&id(ranked)).and_then(|links| root_of(links))).collect())
}

/// The part of a span that determines the shape of its trace.
struct Link {
    span_id: String,
    parent: Option<String>,
    start: Option<i64>,
}

/// The root that started first: a span without a parent in its trace or, if all have one, the first span of a cycle of parents.
fn root_of(links: &[Link]) -> Option<String> {
    let places: HashMap<&str, usize> = links.iter().enumerate().rev().map(|(place, link)| (link.span_id.as_str(), place)).collect();
    let parent = |place: usize| links.get(place).and_then(|link| link.parent.as_deref()).and_then(|parent| places.get(parent).copied());
    let mut roots: Vec<usize> = (0..links.len()).filter(|place| parent(*place).is_none()).collect();
    let age = |place: &usize| (links.get(*place).and_then(|link| link.start).unwrap_or(i64::MIN), *place);
    let mut passed: HashSet<usize> = HashSet::new();
    for first in 0..links.len() {
        let mut walk = Vec::new();
        let mut at = Some(first);
        while let Some(place) = at.filter(|place| passed.insert(*place)) {
            walk.push(place);
            at = parent(place);
        }
        // The walk has returned to a span it visited: the cycle starts there.
        if let Some(start) = at.and_then(|place| walk.iter().position(|walked| *walked == place)) {
            roots.extend(walk.get(start..).unwrap_or_default().iter().min_by_key(|place| age(place)));
        }
    }
    roots.iter().min_by_key(|place| age(place)).and_then(|place| links.get(*place)).map(|link| link.span_id.clone())
}
