//! The file written by the `tracing` example, read with plain SQL and with the core library.

#[path = "../examples/traced_agent.rs"]
#[expect(dead_code, reason = "the example's main is called by nobody here")]
mod example;

use quipu::protocol::GetFile;
use quipu::store::OpenOptions;
use quipu_tests::Scratch;
use quipu_tests::fixtures::{number, texts};
use rusqlite::Connection;
use serde_json::{Value, json};

#[test]
fn the_examples_file_opens_and_tells_of_its_turns() {
    let scratch = Scratch::new().expect("a folder");
    let path = scratch.path().join("telemetry.db");
    example::run(&path).expect("the agent does its turns");

    let plain = Connection::open(&path).expect("SQLite opens it");
    let one = |sql: &str| number(&plain, sql).expect("a number");
    assert_eq!(one("SELECT count(*) FROM traces JOIN spans ON span_id = root_span_id WHERE parent_span_id IS NULL"), 2);
    let names = texts(&plain, "SELECT name FROM spans ORDER BY rowid").expect("names");
    let turn = ["inference", "tool_execution", "inference", "/v1/agents/{agent_id}/session/{session_id}/turn"];
    assert_eq!(names, [turn, turn].concat());
    let failed = "SELECT json_extract(attributes, '$.error') FROM spans WHERE status = 'ERROR'";
    assert_eq!(texts(&plain, failed).expect("texts"), ["no article answers “How deep is the lake?”"]);
    assert_eq!(one("SELECT count(*) FROM span_events WHERE name LIKE 'metric.%_tokens'"), 12);
    let inputs = "SELECT count(*) FROM spans WHERE name = 'inference' AND json_valid(json_extract(attributes, '$.input'))
        AND json_valid(json_extract(attributes, '$.output'))";
    assert_eq!(one(inputs), 4, "inputs and outputs are JSON");

    let mut session = quipu::Session::open_path(&path, OpenOptions::with_clock(|| 0)).expect("it opens");
    session.complete_index().expect("it is read");
    let file = session.ask(GetFile).expect("the file");
    assert_eq!((file.traces, file.spans, file.failed_spans), (Some(2), Some(8), Some(1)));
    let params = json!({"attribute_filters": [{"key": "session_id", "op": "eq", "value": "session-1"}],
        "attributes_to_return": ["input", "output", "stop_reason"]})
    .to_string();
    let found: Value = serde_json::from_str(&session.query("query_spans", &params, None).expect("an answer")).expect("JSON");
    assert_eq!(found["data"].as_array().map(Vec::len), Some(4), "the inferences of the session");
}
