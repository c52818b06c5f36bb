//! The file written by the example, read with the core library.

#[path = "../examples/agent.rs"]
#[expect(dead_code, reason = "the example's main is called by nobody here")]
mod example;

use quipu::store::OpenOptions;
use quipu_tests::Scratch;
use rusqlite::Connection;
use serde_json::{Value, json};

#[test]
fn the_examples_file_opens_and_answers_questions_about_its_agent() {
    let scratch = Scratch::new().expect("a folder");
    let path = scratch.path().join("telemetry.db");
    example::run(&path).expect("the agent does its turns");
    example::run(&path).expect("and again, into the same file");

    let plain = Connection::open(&path).expect("SQLite opens it");
    let one = |sql: &str| plain.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    assert_eq!(one("SELECT count(*) FROM traces JOIN spans ON span_id = root_span_id WHERE parent_span_id IS NULL"), 4);
    assert_eq!((one("SELECT count(*) FROM spans"), one("SELECT count(DISTINCT trace_id) FROM spans")), (16, 4));
    assert_eq!(one("SELECT count(*) FROM spans WHERE name = 'tool_execution' AND status = 'ERROR'"), 2);
    // Two requests per turn, three metrics per request.
    assert_eq!(one("SELECT count(*) FROM span_events WHERE name LIKE 'metric.%_tokens'"), 24);
    let total = "SELECT sum(json_extract(attributes, '$.value')) FROM span_events WHERE name = 'metric.total_tokens'";
    let parts = "SELECT sum(json_extract(attributes, '$.value')) FROM span_events WHERE name IN ('metric.prompt_tokens', 'metric.completion_tokens')";
    assert_eq!(one(total), one(parts));
    let valid = "SELECT count(*) FROM spans WHERE json_valid(json_extract(attributes, '$.output')) AND json_valid(json_extract(attributes, '$.input'))";
    assert_eq!(one(valid), 12, "inputs and outputs of the steps are JSON");

    let mut session = quipu::Session::open_path(&path, OpenOptions::with_clock(|| 0)).expect("it opens");
    let params = json!({"attribute_filters": [{"key": "agent_name", "op": "eq", "value": "example"}]}).to_string();
    let found: Value = serde_json::from_str(&session.query("query_traces", &params, None).expect("an answer")).expect("JSON");
    assert_eq!(found["data"].as_array().map(Vec::len), Some(4));
    let params = json!({"attribute_filters": [], "attributes_to_return": ["tool_name", "output"]}).to_string();
    let found: Value = serde_json::from_str(&session.query("query_spans", &params, None).expect("an answer")).expect("JSON");
    assert_eq!(found["data"].as_array().map(Vec::len), Some(4));
}
