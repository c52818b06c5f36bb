//! Answers for files that no server writes: cycles, children in other traces, values that JSON lacks.

use super::support::{Opened, Tree};
use serde_json::{Value as Json, json};

fn span(id: &str, trace: &str, parent: &str, second: u32, attributes: &str) -> String {
    let parent = if parent.is_empty() { "NULL".to_owned() } else { format!("'{parent}'") };
    format!(
        "INSERT INTO spans VALUES ('{id}', '{trace}', {parent}, 'name {id}', '2026-01-01T00:00:{second:02}+00:00', '2026-01-01T00:01:00+00:00', '{attributes}', 'UNSET', 'INTERNAL');"
    )
}

fn trace(id: &str) -> String {
    format!(
        "INSERT INTO traces VALUES ('{id}', 's', NULL, '2026-01-01T00:00:00+00:00', '2026-01-01T00:01:00+00:00', '2026-01-01 00:00:00');"
    )
}

fn ids(file: &mut Opened, params: Json) -> Vec<String> {
    let answer = file.session.query("get_span_tree", &params.to_string(), None).expect("a tree");
    let tree: Tree = serde_json::from_str(&answer).expect("a tree");
    tree.data.0.into_iter().map(|(id, _)| id).collect()
}

/// Deviation D11: the reference never terminates here.
#[test]
fn a_cycle_of_parents_is_walked_once() {
    let rows = [
        "PRAGMA foreign_keys=OFF;".to_owned(),
        trace("t"),
        span("a", "t", "c", 1, r#"{"k": 1}"#),
        span("b", "t", "a", 2, r#"{"k": 2}"#),
        span("c", "t", "b", 3, r#"{"k": 3}"#),
        span("self", "t", "self", 4, r#"{"k": 4}"#),
        span("late", "t", "c", 5, r#"{"k": 5}"#),
    ];
    let mut file = Opened::made(&rows.concat());
    assert_eq!(ids(&mut file, json!({ "span_id": "b" })), ["b", "c", "a", "late"]);
    assert_eq!(ids(&mut file, json!({ "span_id": "b", "max_depth": 2 })), ["b", "c"]);
    assert_eq!(ids(&mut file, json!({ "span_id": "self" })), ["self"]);
    let spans = file.data("query_spans", json!({ "attribute_filters": [], "attributes_to_return": ["k"] }));
    let mut found: Vec<i64> = spans.iter().map(|span| span["attributes"]["k"].as_i64().expect("a number")).collect();
    found.sort();
    assert_eq!(found, [1, 2, 3, 4, 5]);
    // If every span has a parent, the root is the first of a cycle, both by scan and by index.
    assert_eq!(file.query("get_trace", json!({ "trace_id": "t" })).expect("a trace")["root_span_id"], "a");
    let mut unindexed = Opened::made(&rows.concat());
    assert_eq!(unindexed.query("get_trace", json!({ "trace_id": "t" })).expect("a trace")["root_span_id"], "a");
}

#[test]
fn children_are_found_whatever_their_trace() {
    let rows = [
        "PRAGMA foreign_keys=OFF;".to_owned(),
        trace("t"),
        trace("u"),
        span("root", "t", "", 1, "{}"),
        span("near", "t", "root", 3, "{}"),
        span("far", "u", "root", 2, "{}"),
        span("further", "u", "far", 4, "{}"),
        span("back", "t", "further", 5, "{}"),
    ];
    let mut file = Opened::made(&rows.concat());
    assert_eq!(ids(&mut file, json!({ "span_id": "root" })), ["root", "far", "near", "further", "back"]);
    let tree = file.query("get_span_tree", json!({ "span_id": "back" })).expect("a tree");
    assert_eq!(tree["data"]["back"]["status"], Json::Null, "UNSET is neither ok nor error");
}

#[test]
fn values_that_json_lacks_are_null_and_digits_are_kept() {
    let attributes = r#"{"nan": NaN, "list": [1, -Infinity, "NaN"], "big": 123456789012345678901234567890, "twice": 1, "twice": 2}"#;
    let mut file = Opened::made(&[trace("t"), span("s", "t", "", 1, attributes), span("broken", "t", "", 2, "{not json")].concat());
    let answer = file.session.query("get_span", r#"{"trace_id": "t", "span_id": "s"}"#, None).expect("a span");
    let expected = r#""attributes":{"nan":null,"list":[1, null, "NaN"],"big":123456789012345678901234567890,"twice":2}"#;
    assert!(answer.contains(expected), "{answer}");
    let broken = file.query("get_span", json!({ "trace_id": "t", "span_id": "broken" })).expect("a span");
    assert_eq!(broken["attributes"], Json::Null);
    let params = json!({ "attribute_filters": [{ "key": "twice", "op": "eq", "value": 1 }] });
    assert_eq!(file.data("query_traces", params).len(), 1, "of duplicate keys the first is compared");
}

#[test]
fn events_are_sorted_by_time_and_equal_sql() {
    let mut file = Opened::fixture("real_events.db");
    let events = file.data("list_span_events", json!({ "trace_id": "3a38f8f155d7202a1d45b9920570356c" }));
    let sql = "SELECT e.id, json_extract(e.attributes, '$.severity'), json_extract(e.attributes, '$.message') FROM span_events e
        JOIN spans s ON s.span_id = e.span_id WHERE s.trace_id = '3a38f8f155d7202a1d45b9920570356c' ORDER BY e.timestamp, e.id";
    let mut statement = file.connection.prepare(sql).expect("SQL");
    let rows = statement.query_map([], |row| Ok(json!([row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?])));
    let expected: Vec<Json> = rows.expect("rows").collect::<Result<_, _>>().expect("events");
    let found: Vec<Json> = events.iter().map(|event| json!([event["id"], event["severity"], event["message"]])).collect();
    assert_eq!(found, expected);
    assert_eq!(events[0]["timestamp"], "2026-11-22T17:43:48.793946Z");
    assert_eq!(events[1]["attributes"], json!({ "__ttl__": 604800, "lvl": "verbose", "i": 0 }));
}
