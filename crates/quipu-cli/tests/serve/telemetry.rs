//! Llama Stack's routes, compared with answers recorded from a server of 0.2.15, and received events.

use super::support::Server;
use quipu_tests::fixtures::{AGENT, SMALL, repository};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Recorded {
    method: String,
    path: String,
    body: Json,
    status: u16,
    content_type: String,
    answer: Json,
}

/// The id of the deviation and the status, for cases with a different status. docs/query.md and docs/serving.md describe them.
fn deviation(case: &Recorded) -> Option<(&'static str, u16)> {
    let path = case.path.as_str();
    Some(match case.status {
        500 if path.ends_with("/export") => ("D6", 200),
        500 if case.body["order_by"].is_array() => ("D8", 400),
        500 => ("D10", 400),
        501 => ("D7", 200),
        400 if path.ends_with("/events") && case.body["event"]["type"] != "bogus" => ("D9", 200),
        400 if path.contains("/spans/") && case.method == "GET" && case.answer["detail"]["errors"].is_array() => ("D2", 200),
        _ => return None,
    })
}

#[test]
fn recorded_requests_are_answered_alike_or_deviate_by_a_known_rule() {
    let text = std::fs::read_to_string(repository().join("tests/fixtures/oracle/http_0.2.15.json")).expect("the record");
    let cases: Vec<Recorded> = serde_json::from_str(&text).expect("the record");
    // Events go to a separate file, so that the queried one does not change.
    let (server, log) = (Server::of(AGENT, &[]), Server::of_nothing(&["--accept-events"]));
    let known = |trace: &Json| {
        let id = trace["trace_id"].as_str().expect("an id");
        let count = server.sql().query_row("SELECT count(*) FROM traces WHERE trace_id = ?", [id], |row| row.get::<_, i64>(0));
        count.expect("a count") > 0
    };
    let mut deviating: BTreeMap<&str, u32> = BTreeMap::new();
    for case in &cases {
        let asked = if case.path.ends_with("/events") { &log } else { &server };
        let reply = match (case.method.as_str(), &case.body) {
            ("GET", _) => asked.get(&case.path),
            (_, Json::Null) => asked.send("POST", &case.path, &[], &[]),
            (_, body) => asked.post(&case.path, body),
        };
        let name = format!("{} {} {}", case.method, case.path, case.body);
        assert_eq!(reply.header("content-type"), case.content_type, "{name}");
        if let Some((id, status)) = deviation(case) {
            assert_eq!(reply.status, status, "{id} {name}: {}", reply.text());
            *deviating.entry(id).or_default() += 1;
            continue;
        }
        assert_eq!(reply.status, case.status, "{name}: {}", reply.text());
        let (ours, theirs) = (reply.json(), &case.answer);
        if case.status == 200 {
            same_answer(&name, &ours, theirs, &known);
        } else if theirs["error"].is_object() {
            let place = |answer: &Json| answer["error"]["detail"]["errors"][0]["loc"].clone();
            assert_eq!(place(&ours), place(theirs), "{name}");
        } else {
            assert_eq!(ours, *theirs, "{name}");
        }
    }
    let expected = [("D10", 1), ("D2", 1), ("D6", 1), ("D7", 3), ("D8", 1), ("D9", 3)];
    assert_eq!(deviating, BTreeMap::from(expected));
}

/// The recorded calls left data in the server's file that is not in its copy.
fn same_answer(name: &str, ours: &Json, theirs: &Json, known: &dyn Fn(&Json) -> bool) {
    match (&ours["data"], &theirs["data"]) {
        (Json::Array(list), Json::Array(recorded)) if name.contains("/traces ") => {
            let recorded: Vec<&Json> = recorded.iter().filter(|trace| known(trace)).collect();
            assert!(recorded.iter().all(|trace| list.contains(trace)) || name.contains("limit") || name.contains("order_by"), "{name}");
            let fields = |trace: &Json| trace.as_object().expect("a trace").keys().cloned().collect::<Vec<_>>();
            assert!(list.iter().all(|trace| recorded.first().is_none_or(|other| fields(trace) == fields(other))), "{name}");
            assert_eq!(list.is_empty(), theirs["data"].as_array().is_some_and(Vec::is_empty), "{name}");
        }
        (Json::Array(list), Json::Array(recorded)) => {
            // D4: the trace's id where Llama Stack has its root span's.
            let ids = |list: &[Json]| list.iter().map(|span| span["span_id"].clone()).collect::<Vec<_>>();
            assert!(ids(recorded).iter().all(|id| ids(list).contains(id)), "{name}");
        }
        (Json::Object(tree), Json::Object(recorded)) => {
            assert_eq!(tree.keys().collect::<Vec<_>>(), recorded.keys().collect::<Vec<_>>(), "{name}");
            // D3: booleans stay booleans if attributes are selected.
            if !name.contains("attributes_to_return") {
                assert_eq!(tree, recorded, "{name}");
            }
        }
        _ => assert_eq!(ours, theirs, "{name}"),
    }
}

fn event(rest: Json) -> Json {
    let mut event = json!({ "trace_id": "1".repeat(32), "span_id": "a".repeat(16), "timestamp": "2025-07-01T00:00:00Z" });
    event.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
    json!({ "event": event, "ttl_seconds": 60 })
}

/// A span with a log line and a metric, as sent by programs.
fn events() -> [Json; 4] {
    [
        event(json!({ "type": "structured_log", "attributes": { "a": 1 }, "payload": { "type": "span_start", "name": "my_span" } })),
        event(json!({ "type": "unstructured_log", "message": "hello", "severity": "info" })),
        event(json!({ "type": "metric", "metric": "total_tokens", "value": 42, "unit": "tokens", "attributes": { "model_id": "m" } })),
        event(json!({ "type": "structured_log", "timestamp": "2025-07-01T00:00:01Z", "payload": { "type": "span_end", "status": "ok" } })),
    ]
}

#[test]
fn logged_events_are_written_and_found_by_every_route() {
    let server = Server::of_nothing(&["--accept-events"]);
    for body in events() {
        let reply = server.post("/v1/telemetry/events", &body);
        assert_eq!((reply.status, reply.json()), (200, Json::Null), "{}", reply.text());
    }
    // The end of a span is acknowledged once it is in the file.
    let rows: (String, String) = server
        .sql()
        .query_row("SELECT name, end_time FROM spans WHERE span_id = ?", ["a".repeat(16)], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("the span");
    assert_eq!(rows, ("my_span".into(), "2025-07-01T00:00:01+00:00".into()));
    let path = format!("/v1/telemetry/traces/{}", "1".repeat(32));
    // No span is marked as root, so the index derives it.
    let root = json!("a".repeat(16));
    server.wait("the trace with its root", |server| {
        let reply = server.get(&path);
        (reply.status == 200 && reply.json()["root_span_id"] == root).then_some(())
    });
    let path = format!("{path}/spans/{}", "a".repeat(16));
    let span = server.wait("the span", |server| Some(server.get(&path)).filter(|reply| reply.status == 200)).json();
    assert_eq!((&span["name"], &span["attributes"]["a"], &span["attributes"]["__ttl__"]), (&json!("my_span"), &json!(1), &json!(60)));
    let metrics = server.post("/v1/telemetry/metrics/total_tokens", &json!({ "start_time": 1751328000, "end_time": 1751330000 })).json();
    assert_eq!(metrics["data"][0]["values"], json!([{ "timestamp": 1751328000, "value": 42.0, "unit": "tokens" }]));
}

#[test]
fn a_file_that_is_served_for_reading_takes_no_events_and_stays_as_it_is() {
    let server = Server::of(SMALL, &[]);
    let before = std::fs::read(&server.file).expect("the file");
    for body in events() {
        let reply = server.post("/v1/telemetry/events", &body);
        assert_eq!(reply.status, 403);
        assert!(reply.json()["detail"].as_str().is_some_and(|words| words.contains("--accept-events")), "{}", reply.text());
    }
    assert_eq!(server.post("/v1/telemetry/traces", &json!({})).status, 200);
    assert!(std::fs::read(&server.file).expect("the file") == before, "The file is the same to the byte.");
    let names: Vec<_> = std::fs::read_dir(server.file.parent().expect("a folder")).expect("a folder").collect();
    assert_eq!(names.len(), 1, "Nothing lies beside it: {names:?}");
}

#[test]
fn an_event_that_can_not_be_read_is_told_by_its_place() {
    let server = Server::of_nothing(&["--accept-events"]);
    let error = |body: Json| {
        let reply = server.post("/v1/telemetry/events", &body);
        assert_eq!(reply.status, 400, "{}", reply.text());
        reply.json()["error"]["detail"]["errors"][0].clone()
    };
    assert_eq!(error(json!({}))["loc"], json!(["body", "event"]));
    assert_eq!(error(event(json!({ "type": "unstructured_log", "message": "m" })))["loc"], json!(["body", "event"]));
    let empty = error(event(json!({ "type": "unstructured_log", "message": "m", "severity": "info", "span_id": "" })));
    assert_eq!(empty["loc"], json!(["body", "event", "span_id"]));
}

#[test]
fn an_event_that_is_dropped_is_answered_as_what_it_is() {
    let server = Server::of_nothing(&["--accept-events"]);
    let [start, log, metric, end] = events();
    let refused = |body: &Json, words: &str| {
        let reply = server.post("/v1/telemetry/events", body);
        assert_eq!(reply.status, 400, "{}", reply.text());
        let error = &reply.json()["error"]["detail"]["errors"][0];
        assert_eq!(error["loc"], json!(["body", "event", "span_id"]), "{error}");
        assert!(error["msg"].as_str().is_some_and(|said| said.contains(words)), "{error}");
    };
    let taken = |body: &Json| assert_eq!(server.post("/v1/telemetry/events", body).status, 200);
    for body in [&end, &log, &metric] {
        refused(body, "names no open span");
    }
    taken(&start);
    refused(&start, "is open already");
    taken(&end);
    refused(&end, "it has ended already");
    refused(&start, "is in the file already");
    let count: i64 = server.sql().query_row("SELECT count(*) FROM spans", [], |row| row.get(0)).expect("a count");
    assert_eq!(count, 1);
}
