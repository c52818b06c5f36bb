//! The output of `--json` for tables and trees. Times are ISO 8601, durations nanoseconds, unknown numbers null.

use quipu::model::{CallParts, EventTime, SpanFlags, Timestamp, TokenCount, TokenRecord, TokenTotals};
use quipu::protocol::{
    Attribute, Exemplars, FileSummary, LogDetail, MatchPlace, NO_ROW, SearchHit, SpanDetail, SpanLink, TraceColumns, TracePage, TraceRow,
    UNKNOWN_NANOS, Warning,
};
use quipu::query::{ReleaseGuess, Writers};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

fn time(at: Option<Timestamp>) -> Json {
    at.map_or(Json::Null, |at| json!(EventTime::utc(at).to_string()))
}

fn totals(tokens: &TokenTotals) -> Json {
    json!({
        "prompt": tokens.prompt,
        "completion": tokens.completion,
        "total": tokens.total,
        "inference_requests": tokens.requests,
        "counted": tokens.counted,
        "cached": tokens.parts.cached,
        "cache_written": tokens.parts.cache_written,
        "reasoning": tokens.parts.reasoning,
    })
}

fn call(parts: &CallParts) -> Json {
    json!({
        "cached": parts.cached,
        "cache_written": parts.cache_written,
        "reasoning": parts.reasoning,
        "time_to_first_part_nanos": parts.first_part_nanos,
    })
}

fn record(tokens: &TokenRecord) -> Json {
    let count = |count: Option<TokenCount>| count.map(|count| json!({ "tokens": count.tokens, "source": count.source.label() }));
    json!({ "prompt": count(tokens.prompt), "completion": count(tokens.completion), "total": count(tokens.total) })
}

fn warnings(warnings: &[Warning]) -> Vec<Json> {
    let warning = |warning: &Warning| json!({ "kind": format!("{:?}", warning.kind), "text": warning.text, "meaning": warning.meaning });
    warnings.iter().map(warning).collect()
}

pub(crate) fn file(file: &FileSummary, releases: &ReleaseGuess, writers: &Writers) -> Json {
    json!({
        "name": file.name,
        "size_bytes": file.size_bytes,
        "releases": releases.releases,
        "releases_because": releases.because,
        "sdks": writers.sdks,
        "instrumentations": writers.instrumentations,
        "traces": file.traces,
        "failed_traces": file.failed_traces,
        "spans": file.spans,
        "failed_spans": file.failed_spans,
        "events": file.events,
        "log_records": file.log_records,
        "metric_points": file.metric_points,
        "requests": file.requests,
        "tokens": file.tokens.as_ref().map(totals),
        "start_time": time(file.start),
        "end_time": time(file.end),
        "times": quipu::format::zone_sentence(file.zone),
        "service_names": file.service_names,
        "warnings": warnings(&file.warnings),
    })
}

pub(crate) fn hit(hit: &SearchHit) -> Json {
    let (attribute, event) = match &hit.first.place {
        MatchPlace::Name => (None, None),
        MatchPlace::Attribute(key) => (Some(key), None),
        MatchPlace::Event { id, key } => (key.as_ref(), Some(id)),
    };
    json!({
        "trace_id": hit.trace_id,
        "span_id": hit.span_id,
        "name": hit.name,
        "kind": hit.kind.label(),
        "marks": flags(hit.flags),
        "start_time": time(hit.start),
        "event": event,
        "attribute": attribute,
        "before": hit.first.before,
        "match": hit.first.matched,
        "after": hit.first.after,
        "more": hit.more,
    })
}

pub(crate) fn traces(page: &TracePage) -> Json {
    let row = |row: &TraceRow| {
        json!({
            "trace_id": row.trace_id,
            "start_time": time(row.start),
            "duration_nanos": row.duration_nanos,
            "root_name": row.root_name,
            "asked": row.asked,
            "root_kind": row.root_kind.map(|kind| kind.label()),
            "service_name": row.service,
            "more_services": row.more_services,
            "spans": row.spans,
            "failed_spans": row.failed,
            "requests": row.requests,
            "tokens": row.tokens.as_ref().map(totals),
        })
    };
    json!({ "total": page.total, "data": page.rows.iter().map(row).collect::<Vec<_>>() })
}

fn flags(flags: SpanFlags) -> Vec<&'static str> {
    let names = [
        (SpanFlags::ROOT, "root"),
        (SpanFlags::REQUEST, "request"),
        (SpanFlags::FAILED, "failed"),
        (SpanFlags::LOGGED_ERROR, "logged_error"),
        (SpanFlags::AUTOTRACED, "autotraced"),
        (SpanFlags::ORPHAN, "orphan"),
        (SpanFlags::CYCLE, "cycle"),
        (SpanFlags::INFERENCE_REQUEST, "inference_request"),
        (SpanFlags::EARLY_EVENT, "early_event"),
        (SpanFlags::RECORDED_ROOT, "recorded_root"),
        (SpanFlags::FAILURE_ORIGIN, "failure_origin"),
        (SpanFlags::SERVER, "server"),
    ];
    names.into_iter().filter(|(mark, _)| flags.has(*mark)).map(|(_, name)| name).collect()
}

/// `logs` are the log records that belong to the trace, and to no span of the file.
pub(crate) fn trace(trace: &TraceColumns, logs: &[LogDetail]) -> Json {
    let span = |at: usize| {
        let parent = trace.parent.get(at).copied().filter(|parent| *parent != NO_ROW);
        json!({
            "span_id": trace.span_id.get(at),
            "parent_span_id": parent.and_then(|parent| trace.span_id.get(parent as usize)),
            "name": trace.name_of(at),
            "kind": trace.kind.get(at).map(|kind| kind.label()),
            "depth": trace.depth.get(at),
            "start_nanos": trace.start_nanos.get(at),
            "duration_nanos": trace.duration.get(at).filter(|nanos| **nanos != UNKNOWN_NANOS),
            "marks": trace.flags.get(at).map(|found| flags(*found)),
            "tokens": u32::try_from(at).ok().and_then(|row| trace.tokens_of(row)).map(record),
        })
    };
    json!({
        "trace_id": trace.trace_id,
        "service_name": trace.service_name,
        "start_time": time(trace.start),
        "duration_nanos": trace.duration_nanos,
        "recorded_root_span_id": trace.recorded_root,
        "tokens": totals(&trace.token_totals),
        "spans": (0..trace.len()).map(span).collect::<Vec<_>>(),
        "logs": logs.iter().map(log).collect::<Vec<_>>(),
        "warnings": warnings(&trace.warnings),
    })
}

/// `api_span` and `api_events` are answers of the query API: attributes and events as recorded.
/// Log records in full.
pub(crate) fn logs(total: u32, details: &[LogDetail]) -> Json {
    json!({ "total": total, "data": details.iter().map(log).collect::<Vec<_>>() })
}

/// A log record in full.
pub(crate) fn log(log: &LogDetail) -> Json {
    json!({
            "time": time(log.item.time),
            "observed_time": time(log.observed),
            "severity": log.item.severity.map(|severity| severity.label()),
            "recorded_severity": log.severity_text,
            "name": log.item.name,
            "message": log.message.as_ref().map(|message| &message.raw),
            "attributes": attributes(&log.attributes),
            "trace_id": log.item.trace_id,
            "span_id": log.item.span_id,
            "span_name": log.item.span_name,
            "service_name": log.item.service,
            "resource": attributes(&log.resource),
            "scope": attributes(&log.scope),
            "notes": log.notes,
    })
}

/// Attributes as an object of their decoded values; the beginning of a long one.
fn attributes(list: &[Attribute]) -> Json {
    let entry = |attribute: &Attribute| {
        let value = serde_json::from_str(&attribute.text.raw).ok().filter(|value: &Json| !value.is_string());
        (attribute.key.clone(), value.unwrap_or_else(|| json!(attribute.text.raw)))
    };
    list.iter().map(entry).collect::<serde_json::Map<_, _>>().into()
}

fn link(link: &SpanLink) -> Json {
    let attributes: Json = serde_json::from_str(&link.attributes).unwrap_or_else(|_| json!({}));
    json!({ "trace_id": link.trace_id, "span_id": link.span_id, "attributes": attributes })
}

pub(crate) fn span(span: &SpanDetail, api_span: &Json, api_events: &Json) -> Json {
    let failures = span.failures.iter().map(|failure| json!({ "message": failure.message, "source": failure.source }));
    json!({
        "span_id": span.span_id,
        "trace_id": span.trace_id,
        "parent_span_id": span.parent_span_id,
        "name": span.name,
        "kind": span.kind.label(),
        "marks": flags(span.flags),
        "start_time": time(span.start),
        "end_time": time(span.end),
        "recorded_start_time": span.start_text,
        "recorded_end_time": span.end_text,
        "recorded_status": span.status,
        "failures": failures.collect::<Vec<_>>(),
        "tokens": span.tokens.as_ref().map(record),
        "call": span.tokens.as_ref().map(|_| call(&span.call)),
        "notes": span.notes,
        "service_name": span.service,
        "resource": attributes(&span.resource),
        "scope": attributes(&span.scope),
        "links": span.links.iter().map(link).collect::<Vec<_>>(),
        "trace_state": span.trace_state,
        "attributes": api_span["attributes"],
        "events": api_events["data"],
    })
}

/// Maximum number of exemplars in one answer.
pub(crate) const MOST_EXEMPLARS: u32 = 1_000;

/// Says how many exemplars are not in the answer; `None` if all are.
pub(crate) fn left_out(found: &Exemplars) -> Option<String> {
    let listed = found.list.len() as u64;
    (listed < found.total)
        .then(|| format!("The latest {} of {} exemplars.", quipu::format::count(listed), quipu::format::count(found.total)))
}

/// Prometheus' document of exemplars: by series, each with its exemplars by time.
pub(crate) fn exemplars(found: &Exemplars) -> Json {
    let text = |value: f64| match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    };
    let mut by_series: BTreeMap<&[(String, String)], Vec<Json>> = BTreeMap::new();
    for exemplar in found.list.iter().rev() {
        let ids = [("trace_id", &exemplar.trace_id), ("span_id", &exemplar.span_id)].into_iter().filter(|(_, id)| !id.is_empty());
        let labels: Map<String, Json> = ids.map(|(name, id)| (name.to_owned(), json!(id))).collect();
        let timestamp = exemplar.at_millis as f64 / 1e3;
        let one = json!({ "labels": labels, "value": text(exemplar.value), "timestamp": timestamp });
        by_series.entry(&exemplar.labels).or_default().push(one);
    }
    let object =
        |labels: &[(String, String)]| labels.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<String, Json>>();
    let series = |(labels, list): (&[(String, String)], Vec<Json>)| json!({ "seriesLabels": object(labels), "exemplars": list });
    let data: Vec<Json> = by_series.into_iter().map(series).collect();
    let mut document = json!({ "status": "success", "data": data });
    if let (Some(sentence), Some(fields)) = (left_out(found), document.as_object_mut()) {
        fields.insert("warnings".into(), json!([sentence]));
    }
    document
}
