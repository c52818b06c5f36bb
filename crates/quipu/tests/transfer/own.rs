//! Quipu's own layout against the reference's: what is imported into either reads the same, by plain SQL and through a session. Where the
//! reference's tables can't hold what was sent, the own ones do.

use super::tools::{export, import_as, read, rows, session_of, sql_of};
use quipu::Selection;
use quipu::protocol::{DescribeSql, FileFormat, GetTrace, TraceScope};
use quipu::store::Layout;
use serde_json::Value as Json;
use std::collections::BTreeMap;

const BODIES: [&str; 7] = [
    "agent_0.2.15_traces.binpb.gz",
    "direct_0.2.23_traces.json",
    "genai_messages_traces.binpb",
    "genai_traceloop_traces.binpb",
    "openinference_traces.binpb",
    "small_0.2.15_traces.binpb",
    "small_0.2.15_traces.jsonl.gz",
];

/// The reference's queries, with every column it reads.
const QUERIES: [&str; 4] = [
    "SELECT trace_id, service_name, root_span_id, created_at FROM traces ORDER BY trace_id",
    "SELECT span_id, trace_id, parent_span_id, name, attributes, status, kind FROM spans ORDER BY trace_id, span_id",
    "SELECT span_id, name, attributes FROM span_events ORDER BY span_id, name, attributes",
    "SELECT s.name, count(*), count(e.id) FROM spans s LEFT JOIN span_events e ON e.span_id = s.span_id
        WHERE s.trace_id IN (SELECT trace_id FROM traces) GROUP BY s.name ORDER BY s.name",
];

/// Times. The reference rounds nanoseconds in a double, which may be a microsecond beside the true one.
const TIMES: [&str; 3] = [
    "SELECT start_time, end_time FROM traces ORDER BY trace_id",
    "SELECT start_time, end_time FROM spans ORDER BY trace_id, span_id",
    "SELECT timestamp, timestamp FROM span_events ORDER BY span_id, name, attributes",
];

fn micros(text: &str) -> i64 {
    quipu::model::RecordedTime::parse(text).expect("a time").at.0 / 1_000
}

fn spans_of(export: &[u8]) -> BTreeMap<(String, String), Json> {
    let mut spans = BTreeMap::new();
    let documents: Vec<Json> = serde_json::Deserializer::from_slice(export).into_iter().collect::<Result<_, _>>().expect("JSON");
    for resource in documents.iter().flat_map(|document| document["resourceSpans"].as_array().expect("a list")) {
        for scope in resource["scopeSpans"].as_array().expect("a list") {
            for span in scope["spans"].as_array().expect("a list") {
                let text = |key: &str| span[key].as_str().expect("an id").to_owned();
                let whole = serde_json::json!({ "span": span, "resource": resource["resource"], "scope": scope["scope"] });
                spans.insert((text("traceId"), text("spanId")), whole);
            }
        }
    }
    spans
}

#[test]
fn bodies_read_the_same_in_either_layout() {
    for name in BODIES {
        let body = read(&format!("tests/fixtures/otlp/{name}"));
        let [own, reference] = [Layout::Quipu, Layout::Reference].map(|layout| import_as(layout, &[(name, &body)]));
        assert_eq!((own.1.spans, own.1.events), (reference.1.spans, reference.1.events), "{name}");
        let [own_sql, reference_sql] = [&own.0, &reference.0].map(|bytes| sql_of(bytes));
        for query in QUERIES {
            assert_eq!(rows(&own_sql, query), rows(&reference_sql, query), "{name}: {query}");
        }
        for query in TIMES {
            for (own, reference) in rows(&own_sql, query).iter().flatten().zip(rows(&reference_sql, query).iter().flatten()) {
                assert!(micros(own).abs_diff(micros(reference)) <= 1, "{name}: {own} for {reference}");
            }
        }
        let [mut own, mut reference] = [own.0, reference.0].map(session_of);
        let format = FileFormat::OtlpJson;
        let [own, reference] = [&mut own, &mut reference].map(|session| {
            let mut spans = spans_of(&export(session, Selection::All, format));
            // What the reference's tables can't hold.
            spans.values_mut().for_each(|span| drop(span["span"].as_object_mut().and_then(|span| span.remove("flags"))));
            spans
        });
        assert!(!own.is_empty(), "{name}");
        assert_eq!(own, reference, "{name}");
    }
}

#[test]
fn the_reference_finds_a_trace_and_its_spans_by_their_ids() {
    let body = read("tests/fixtures/otlp/openinference_traces.binpb");
    let sql = sql_of(&import_as(Layout::Quipu, &[("body", &body)]).0);
    for trace in rows(&sql, "SELECT trace_id, root_span_id FROM traces") {
        let by_trace = format!("SELECT count(*) FROM spans WHERE trace_id = '{}' AND span_id = '{}'", trace[0], trace[1]);
        assert_eq!(rows(&sql, &by_trace), [["1"]]);
    }
}

#[test]
fn the_page_lists_the_tables_that_queries_name() {
    let body = read("tests/fixtures/otlp/openinference_traces.binpb");
    let mut session = session_of(import_as(Layout::Quipu, &[("body", &body)]).0);
    let tables = session.ask(DescribeSql).expect("the schema").tables;
    for (name, first, count) in [("traces", "trace_id", 6), ("spans", "span_id", 9), ("span_events", "id", 5)] {
        let table = tables.iter().find(|table| table.name == name).expect(name);
        // The reference's columns in its order, and then the row's number.
        assert_eq!((table.columns[0].name.as_str(), table.columns[count].name.as_str()), (first, "rowid"), "{name}");
    }
}

#[test]
fn a_copy_holds_everything() {
    let files = [
        "genai_events_traces.binpb",
        "genai_events_logs.binpb",
        "small_0.2.15_metrics.binpb",
        "direct_0.2.23_traces.json",
    ];
    let bodies = files.map(|name| (name, read(&format!("tests/fixtures/otlp/{name}"))));
    let inputs = bodies.each_ref().map(|(name, bytes)| (*name, bytes.as_slice()));
    let (bytes, _) = import_as(Layout::Quipu, &inputs);
    let copy = session_of(bytes.clone()).database_bytes(Selection::All).expect("a copy");
    let [original, copy] = [&bytes, &copy].map(|bytes| sql_of(bytes));
    for query in [
        "SELECT span_id, trace_id, parent_span_id, name, start_time, end_time, attributes, status, kind FROM spans ORDER BY trace_id, span_id",
        "SELECT * FROM traces ORDER BY trace_id",
        "SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY id",
        "SELECT e.span_id, start_unix_nano, end_unix_nano, status_message, trace_state, links, event_unix_nanos, resource, scope
            FROM quipu_span_extra e LEFT JOIN quipu_sources s ON s.id = e.source_id ORDER BY e.span_id",
        "SELECT metric, time_unix_nano, attributes, value, count, detail, resource FROM quipu_metric_points p
            LEFT JOIN quipu_sources s ON s.id = p.source_id ORDER BY p.id",
    ] {
        let expected = rows(&original, query);
        assert!(!expected.is_empty(), "{query}");
        assert_eq!(rows(&copy, query), expected, "{query}");
    }
}

/// Two traces of one exporter with the same span ids, as test programs and some gateways send them.
const SAME_IDS: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"one"}}]},"scopeSpans":[{"spans":[
    {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"0000000000000001","name":"first","startTimeUnixNano":"1760000000000000000","endTimeUnixNano":"1760000001000000000"},
    {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"0000000000000002","parentSpanId":"0000000000000001","name":"below","startTimeUnixNano":"1760000000000000400","endTimeUnixNano":"1760000000000000800"}]}]},
  {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"two"}}]},"scopeSpans":[{"spans":[
    {"traceId":"1af7651916cd43dd8448eb211c80319c","spanId":"0000000000000001","name":"second","startTimeUnixNano":"1760000005000000000","endTimeUnixNano":"1760000006000000000"},
    {"traceId":"1af7651916cd43dd8448eb211c80319c","spanId":"0000000000000002","parentSpanId":"0000000000000001","name":"below","startTimeUnixNano":"1760000005000000000","endTimeUnixNano":"1760000005500000000"}]}]}]}"#;

#[test]
fn spans_of_two_traces_may_have_the_same_ids() {
    let (bytes, report) = import_as(Layout::Quipu, &[("body", SAME_IDS.as_bytes())]);
    assert_eq!((report.spans, report.repeated_spans), (4, 0));
    let mut session = session_of(bytes);
    let spans = spans_of(&export(&mut session, Selection::All, FileFormat::OtlpJson));
    assert_eq!(spans.len(), 4);
    let one = &spans[&("0af7651916cd43dd8448eb211c80319c".to_owned(), "0000000000000002".to_owned())];
    assert_eq!(one["span"]["endTimeUnixNano"], "1760000000000000800", "nanoseconds are kept");
    let two = &spans[&("1af7651916cd43dd8448eb211c80319c".to_owned(), "0000000000000001".to_owned())];
    assert_eq!(two["span"]["startTimeUnixNano"], "1760000005000000000");
    assert_eq!(two["resource"]["attributes"][0]["value"]["stringValue"], "two", "each span has its own service");
    for (trace, name) in [("0af7651916cd43dd8448eb211c80319c", "first"), ("1af7651916cd43dd8448eb211c80319c", "second")] {
        let columns = session.ask(GetTrace { trace_id: trace.into(), scope: TraceScope::default() }).expect("the trace");
        let names: Vec<&str> = columns.name.iter().filter_map(|name| columns.names.get(*name as usize)).collect();
        assert_eq!(names, [name, "below"]);
        assert_eq!(columns.parent.to_vec(), [quipu::protocol::NO_ROW, 0], "a parent is in its own trace");
    }
}
