//! A file that is written while it is served.

use super::support::Server;
use quipu::model::Event;
use quipu_telemetry::{DEFAULT_TTL_SECONDS, SqliteSink, Telemetry};
use quipu_tests::fixtures::{SMALL, number};
use serde_json::{Value as Json, json};

/// Writes a trace with one span, like another program.
pub(crate) fn write_trace(server: &Server, trace_id: &str) {
    let file = server.file.clone();
    let telemetry = Telemetry::builder().sink(move || SqliteSink::open(&file, "another")).start().expect("it starts");
    let payloads = [
        json!({ "type": "span_start", "name": "a late step" }),
        json!({ "type": "span_end", "status": "ok" }),
    ];
    for (payload, second) in payloads.into_iter().zip(0..) {
        let event = json!({
            "type": "structured_log", "trace_id": trace_id, "span_id": &trace_id[..16], "timestamp": format!("2027-01-05T10:00:0{second}Z"),
            "attributes": { "__local_root_span__": true }, "payload": payload,
        });
        let event: Event = serde_json::from_value(event).expect("an event");
        telemetry.log_event(event, DEFAULT_TTL_SECONDS).expect("it is taken");
    }
    telemetry.shutdown().expect("it is written");
}

#[test]
fn what_another_program_writes_is_answered_by_every_interface() {
    let server = Server::of(SMALL, &[]);
    let traces =
        |server: &Server| server.post("/v1/telemetry/traces", &json!({ "limit": -1 })).json()["data"].as_array().expect("a list").len();
    let before = number(&server.sql(), "SELECT count(DISTINCT trace_id) FROM spans").expect("a count");
    assert_eq!(traces(&server) as i64, before);
    for (round, letter) in (1..).zip(["a", "b", "c"]) {
        let trace_id = letter.repeat(32);
        write_trace(&server, &trace_id);
        let path = format!("/v1/telemetry/traces/{trace_id}");
        let trace = server.wait("the trace", |server| Some(server.get(&path)).filter(|reply| reply.status == 200)).json();
        assert_eq!((&trace["root_span_id"], &trace["start_time"]), (&json!(letter.repeat(16)), &json!("2027-01-05T10:00:00Z")));
        let path = format!("/v1/telemetry/spans/{}/tree", letter.repeat(16));
        let tree = server.wait("the tree", |server| Some(server.post(&path, &Json::Null)).filter(|reply| reply.status == 200)).json();
        assert_eq!(tree["data"][letter.repeat(16)]["name"], "a late step");
        assert_eq!(traces(&server) as i64, before + round);
        let names = server.get("/api/v1/label/span_name/values").json();
        assert!(names["data"].as_array().is_some_and(|names| names.contains(&json!("a late step"))), "{names}");
    }
}

#[test]
fn a_file_that_is_replaced_by_a_broken_one_is_served_as_it_was() {
    let server = Server::of(SMALL, &[]);
    let whole = std::fs::read(&server.file).expect("the file");
    let count = || server.post("/v1/telemetry/traces", &json!({ "limit": -1 })).json()["data"].as_array().map(Vec::len);
    let before = count();
    let beside = server.file.with_extension("new");
    std::fs::write(&beside, b"no database").expect("a file");
    std::fs::rename(&beside, &server.file).expect("a new file in its place");
    assert_eq!(count(), before);
    // A complete file is served again.
    std::fs::write(&beside, whole).expect("a file");
    std::fs::rename(&beside, &server.file).expect("a new file in its place");
    write_trace(&server, &"d".repeat(32));
    let path = format!("/v1/telemetry/traces/{}", "d".repeat(32));
    server.wait("the trace", |server| Some(server.get(&path)).filter(|reply| reply.status == 200));
}
