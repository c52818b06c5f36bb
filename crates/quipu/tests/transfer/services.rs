//! Each span has its own service and scope: in the list, the filter, the panel and the file's warnings.

use super::tools::{import_as, session_of};
use quipu::Session;
use quipu::protocol::{GetFile, GetSpan, GetText, ListColumn, ListTraces, Suggest, TextRef, TraceOrder, TraceQuery};
use quipu::store::Layout;
use serde_json::{Value as Json, json};

const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_760_000_000 * SECOND;

fn span(trace: u8, number: u8, parent: u8, from: u64, to: u64) -> Json {
    let parent = if parent == 0 { String::new() } else { format!("{parent:016x}") };
    json!({
        "traceId": format!("{trace:032x}"), "spanId": format!("{number:016x}"), "parentSpanId": parent, "name": format!("step {number}"),
        "startTimeUnixNano": (START + from * SECOND).to_string(), "endTimeUnixNano": (START + to * SECOND).to_string(),
    })
}

fn of(service: &str, scope: &str, spans: Vec<Json>) -> Json {
    json!({
        "resource": { "attributes": [
            { "key": "host.name", "value": { "stringValue": "machine" } },
            { "key": "service.name", "value": { "stringValue": service } },
        ] },
        "scopeSpans": [{ "scope": { "name": scope, "version": "1.2" }, "spans": spans }],
    })
}

fn open(layout: Layout, resources: Vec<Json>) -> Session {
    let body = json!({ "resourceSpans": resources }).to_string();
    session_of(import_as(layout, &[("services.json", body.as_bytes())]).0)
}

/// Trace 1 goes from the front to a database, trace 2 stays in the front. The database's span is sent first.
fn two_services() -> Vec<Json> {
    vec![
        of("database", "driver", vec![span(1, 2, 1, 1, 2)]),
        of("front", "web", vec![span(1, 1, 0, 0, 3), span(2, 3, 0, 4, 5)]),
    ]
}

fn found(session: &mut Session, filter: &str) -> Vec<String> {
    let query = TraceQuery { filter: filter.into(), ..TraceQuery::default() };
    let page = session.ask(ListTraces(query)).expect("a filter");
    page.rows.into_iter().map(|row| row.trace_id.trim_start_matches('0').to_owned()).collect()
}

#[test]
fn traces_are_found_by_every_service_and_scope_in_them() {
    let mut session = open(Layout::Quipu, two_services());
    for (filter, traces) in [
        ("service:front", vec!["2", "1"]),
        ("service=database", vec!["1"]),
        ("-service:database", vec!["2"]),
        ("service:none", vec![]),
        ("root.service:front", vec!["2", "1"]),
        ("root.service:database", vec![]),
        ("{service:database duration:1s}", vec!["1"]),
        ("{service:database duration:3s}", vec![]),
        ("scope:driver", vec!["1"]),
        ("{service:front scope:driver}", vec![]),
    ] {
        assert_eq!(found(&mut session, filter), traces, "{filter}");
    }
    let offered = session.ask(Suggest { filter: "service:".into(), cursor: 8 }).expect("suggestions").items;
    let offered: Vec<(&str, Option<u64>)> = offered.iter().map(|item| (item.text.as_str(), item.spans)).collect();
    assert_eq!(offered, [("front", Some(2)), ("database", Some(1))]);
}

#[test]
fn lists_name_the_service_of_the_root_and_how_many_others_there_are() {
    let mut session = open(Layout::Quipu, two_services());
    let order = TraceOrder { column: ListColumn::Service, descending: false };
    let page = session.ask(ListTraces(TraceQuery { order, ..TraceQuery::default() })).expect("a list");
    let rows: Vec<_> = page.rows.iter().map(|row| (row.service.as_deref(), row.more_services)).collect();
    assert_eq!(rows, [(Some("front"), 0), (Some("front"), 1)]);
    assert_eq!(session.ask(GetFile).expect("the file").service_names, ["front", "database"]);
    // The reference's tables hold one service a trace: that of the span that came first.
    let mut session = open(Layout::Reference, two_services());
    assert_eq!(found(&mut session, "service:front"), ["2"]);
    assert_eq!(session.ask(GetFile).expect("the file").service_names, ["database", "front"]);
}

#[test]
fn a_span_shows_its_own_resource_and_scope() {
    let mut session = open(Layout::Quipu, two_services());
    let id = |number: u8| format!("{number:016x}");
    for (number, service, scope) in [(1, "front", "web"), (2, "database", "driver")] {
        let detail = session.ask(GetSpan { trace_id: format!("{:032x}", 1), span_id: id(number) }).expect("a span");
        assert_eq!(detail.service.as_deref(), Some(service));
        let pairs = |list: &[quipu::protocol::Attribute]| -> Vec<(String, String)> {
            list.iter().map(|attribute| (attribute.key.clone(), attribute.text.raw.clone())).collect()
        };
        assert_eq!(pairs(&detail.resource), [("service.name".into(), service.into()), ("host.name".into(), "machine".into())]);
        assert_eq!(pairs(&detail.scope), [("name".into(), scope.to_owned()), ("version".into(), "1.2".into())]);
        let text_ref = detail.resource[1].text_ref.clone();
        assert!(matches!(&text_ref, TextRef::Resource { key: Some(key), .. } if key == "host.name"));
        assert_eq!(session.ask(GetText(text_ref)).expect("its text"), "machine");
    }
}

#[test]
fn links_and_what_the_sender_dropped_are_told() {
    let mut linked = span(1, 1, 0, 0, 3);
    linked["links"] = json!([
        { "traceId": format!("{:032x}", 2), "spanId": format!("{:016x}", 3), "attributes": [{ "key": "why", "value": { "stringValue": "retry" } }] },
        { "traceId": format!("{:032x}", 9), "spanId": format!("{:016x}", 9) },
    ]);
    linked["droppedAttributesCount"] = json!(3);
    linked["droppedEventsCount"] = json!(1);
    linked["traceState"] = json!("vendor=1");
    let mut session = open(Layout::Quipu, vec![of("front", "web", vec![linked, span(2, 3, 0, 4, 5)])]);
    let detail = session.ask(GetSpan { trace_id: format!("{:032x}", 1), span_id: format!("{:016x}", 1) }).expect("a span");
    let links: Vec<_> =
        detail.links.iter().map(|link| (link.span_id.trim_start_matches('0'), link.attributes.as_str(), link.found)).collect();
    assert_eq!(links, [("3", r#"{"why": "retry"}"#, true), ("9", "", false)]);
    assert_eq!(detail.trace_state.as_deref(), Some("vendor=1"));
    let sent = "dropped by the program that sent this span.";
    assert_eq!(detail.notes, [format!("3 attributes were {sent}"), format!("1 event was {sent}")]);
}

#[test]
fn a_child_that_ends_before_its_parent_begins_is_reported() {
    let warned = |resources: Vec<Json>| {
        let warnings = open(Layout::Quipu, resources).ask(GetFile).expect("the file").warnings;
        warnings.into_iter().map(|warning| warning.text).filter(|text| text.contains("clocks")).collect::<Vec<_>>()
    };
    let told = ["One span ends before its parent begins: the clocks of the programs differ."];
    assert_eq!(warned(vec![of("front", "web", vec![span(1, 1, 0, 10, 13), span(1, 2, 1, 7, 8)])]), told);
    assert!(warned(two_services()).is_empty());
    // It started late, or outlived its parent, as background work does.
    assert!(warned(vec![of("front", "web", vec![span(1, 1, 0, 10, 13), span(1, 2, 1, 9, 11), span(1, 3, 1, 14, 15)])]).is_empty());
}
