//! Data that an import keeps in additional tables survives an export to OTLP: nanoseconds, links, status messages, resources and scopes.

use super::tools::{export, import_bytes, rows, sql_of};
use crate::support;
use proptest::prelude::*;
use quipu::Selection;
use quipu::protocol::FileFormat;
use quipu::store::{MemorySource, NamedSource, OpenOptions};
use serde_json::{Value as Json, json};

const TABLES: [&str; 4] = [
    "SELECT trace_id, service_name, root_span_id, start_time, end_time FROM traces ORDER BY trace_id",
    "SELECT * FROM spans ORDER BY span_id",
    "SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY id",
    "SELECT e.span_id, start_unix_nano, end_unix_nano, status_message, trace_state, links, event_unix_nanos, resource, scope
        FROM quipu_span_extra e LEFT JOIN quipu_sources s ON s.id = source_id ORDER BY 1",
];

fn tables(bytes: &[u8]) -> Vec<Vec<Vec<String>>> {
    let connection = sql_of(bytes);
    // The additional tables may be empty.
    let has_extra = !rows(&connection, "SELECT 1 FROM sqlite_schema WHERE name = 'quipu_span_extra'").is_empty();
    let has_sources = !rows(&connection, "SELECT 1 FROM sqlite_schema WHERE name = 'quipu_sources'").is_empty();
    TABLES.iter().take(if has_extra && has_sources { 4 } else { 3 }).map(|table| rows(&connection, table)).collect()
}

fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        "\\PC{0,6}".prop_map(|text| json!({ "stringValue": text })),
        any::<bool>().prop_map(|truth| json!({ "boolValue": truth })),
        any::<i64>().prop_map(|number| json!({ "intValue": number.to_string() })),
        any::<f64>().prop_filter("a number", |number| number.is_finite()).prop_map(|number| json!({ "doubleValue": number })),
        Just(json!({})),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|list| json!({ "arrayValue": { "values": list } })),
            prop::collection::vec(("[a-z]{1,3}", inner), 0..3).prop_map(|list| json!({ "kvlistValue": { "values": entries(list) } })),
        ]
    })
}

/// Entries with unique keys, as OTLP requires.
fn entries(list: Vec<(String, Json)>) -> Vec<Json> {
    let list: std::collections::BTreeMap<String, Json> = list.into_iter().collect();
    list.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

fn attributes() -> impl Strategy<Value = Vec<Json>> {
    prop::collection::vec(("[a-z_.]{1,5}", value()), 0..4).prop_map(entries)
}

/// A time of this century, in nanoseconds.
fn nanos() -> impl Strategy<Value = u64> {
    946_684_800_000_000_000_u64..4_102_444_800_000_000_000
}

fn span() -> impl Strategy<Value = Json> {
    let ids = (1..u64::MAX, prop::option::of(1..u64::MAX), 1..u128::MAX);
    let event = (nanos(), "\\PC{1,5}", attributes())
        .prop_map(|(at, name, attributes)| json!({ "timeUnixNano": at.to_string(), "name": name, "attributes": attributes }));
    let link = (1..u128::MAX, 1..u64::MAX, "([a-z]=[a-z])?", attributes()).prop_map(|(trace, span, state, attributes)| {
        json!({ "traceId": format!("{trace:032x}"), "spanId": format!("{span:016x}"), "traceState": state, "attributes": attributes })
    });
    let lists = (attributes(), prop::collection::vec(event, 0..3), prop::collection::vec(link, 0..3));
    let status = (0..3_u8, prop::option::of("\\PC{1,5}"), "([a-z]=[a-z])?");
    (ids, "\\PC{1,8}", 0..6_u8, (nanos(), nanos()), lists, status).prop_map(
        |((id, parent, trace), name, kind, (start, end), (attributes, events, links), (code, message, state))| {
            json!({
                "traceId": format!("{trace:032x}"), "spanId": format!("{id:016x}"), "name": name, "kind": kind,
                "parentSpanId": parent.map_or(String::new(), |parent| format!("{parent:016x}")),
                "startTimeUnixNano": start.to_string(), "endTimeUnixNano": end.to_string(), "attributes": attributes,
                "events": events, "links": links, "traceState": state,
                "status": { "code": code, "message": message.unwrap_or_default() },
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn everything_an_import_keeps_of_a_span_comes_back_from_otlp(
        resource in attributes(),
        scope in prop::option::of("[a-z]{1,5}"),
        spans in prop::collection::vec(span(), 1..5),
        json in any::<bool>(),
    ) {
        let body = json!({ "resourceSpans": [{
            "resource": { "attributes": resource },
            "scopeSpans": [{ "scope": { "name": scope.unwrap_or_default(), "version": "1" }, "spans": spans }],
        }] });
        let (first, report) = import_bytes(&[("traces", body.to_string().as_bytes())]);
        prop_assert_eq!(report.problem_count, 0, "{:?}", report.problems);
        let format = if json { FileFormat::OtlpJson } else { FileFormat::OtlpProtobuf };
        let out = export(&mut support::of_bytes(first.clone()), Selection::All, format);
        let (second, report) = import_bytes(&[("export", &out)]);
        prop_assert_eq!(report.problem_count, 0, "{:?}", report.problems);
        prop_assert_eq!(tables(&second), tables(&first));
    }
}

#[test]
fn times_without_a_zone_come_back_in_utc_and_all_else_as_it_was() {
    // The server's clock was an hour ahead of UTC.
    let name = "tests/fixtures/db/real_old_0.0.58.db";
    let out = export(&mut support::open(name), Selection::All, FileFormat::OtlpJson);
    let (back, original) = (sql_of(&import_bytes(&[("export", &out)]).0), support::sql(name, ""));
    let rest = "SELECT span_id, trace_id, parent_span_id, name, attributes, status, kind FROM spans ORDER BY span_id";
    assert_eq!(rows(&back, rest), rows(&original, rest));
    let zone = |hours: &str| {
        format!(
            "SELECT span_id, unixepoch(substr(start_time, 1, 19), '{hours}'), substr(start_time, 20, 7),
            unixepoch(substr(end_time, 1, 19), '{hours}'), substr(end_time, 20, 7) FROM spans ORDER BY span_id"
        )
    };
    assert_eq!(rows(&back, &zone("+0 hours")), rows(&original, &zone("-1 hours")));
    assert_eq!(rows(&back, "SELECT count(*) FROM spans WHERE start_time NOT LIKE '%+00:00'"), [["0"]]);
}

#[test]
fn a_file_with_a_hot_journal_is_exported_as_committed() {
    let read = |name: &str| NamedSource {
        name: name.into(),
        source: Box::new(MemorySource(super::tools::read(&format!("tests/fixtures/db/{name}")))),
    };
    let files = vec![read("real_live.db"), read("real_live.db-journal")];
    let mut session = quipu::Session::open(files, OpenOptions::with_clock(|| 0)).expect("it opens");
    session.complete_index().expect("an index");
    let out = export(&mut session, Selection::All, FileFormat::OtlpProtobuf);
    let (back, report) = import_bytes(&[("export", &out)]);
    // The file has 294 spans, of which the journal rolls one back.
    assert_eq!((report.spans, report.problem_count), (293, 0));
    assert_eq!(rows(&sql_of(&back), "SELECT count(*) FROM spans"), [["293"]]);
}
