//! Questions with very many names or very large answers: work is linear, and the answer is bounded.

use super::support::repository;
use quipu::Session;
use quipu::store::OpenOptions;
use serde_json::json;
use std::time::{Duration, Instant};

fn session() -> Session {
    let options = OpenOptions { deadline_ms: 60_000, ..OpenOptions::with_clock(now) };
    let mut session = Session::open_path(&repository().join("samples/agent_0.2.15.db"), options).expect("a file");
    session.complete_index().expect("an index");
    session
}

fn now() -> u64 {
    static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGIN.get_or_init(Instant::now).elapsed().as_millis() as u64
}

#[test]
fn a_hundred_thousand_names_take_linear_work() {
    let mut session = session();
    let names: Vec<String> = (0..100_000).map(|number| format!("name_{number}")).collect();
    let some: Vec<&str> = ["__autotraced__"; 100_000].to_vec();
    let began = Instant::now();
    for names in [json!(names), json!(some)] {
        for (method, params) in [
            ("query_spans", json!({ "attribute_filters": [], "attributes_to_return": names })),
            ("save_spans_to_dataset", json!({ "attribute_filters": [], "attributes_to_save": names, "dataset_id": "d" })),
        ] {
            session.query(method, &params.to_string(), None).expect(method);
        }
    }
    let filters: Vec<_> = (0..100_000).map(|number| json!({ "key": format!("k{number}"), "op": "eq", "value": number })).collect();
    let answer = session.query("query_traces", &json!({ "attribute_filters": filters }).to_string(), None).expect("an answer");
    assert_eq!(answer, r#"{"data":[]}"#);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn names_read_at_once_are_found_as_one_by_one() {
    let mut session = session();
    let ask = |session: &mut Session, names: &[&str]| {
        let params = json!({ "attribute_filters": [], "attributes_to_return": names }).to_string();
        let answer = session.query("query_spans", &params, None).map_err(|failure| failure.message)?;
        Ok::<_, String>(serde_json::from_str::<serde_json::Value>(&answer).expect("JSON"))
    };
    let few = ["__autotraced__", "__args__", "__class__", "output"];
    let many = [
        few.as_slice(),
        few.as_slice(),
        &["__module__", "__method__", "__async__", "__type__", "__location__"],
    ]
    .concat();
    let (few, many) = (ask(&mut session, &few).expect("an answer"), ask(&mut session, &many[..]).expect("an answer"));
    assert!(!few["data"].as_array().expect("a list").is_empty());
    for span in many["data"].as_array().expect("a list") {
        let same = few["data"].as_array().expect("a list").iter().find(|other| other["span_id"] == span["span_id"]).expect("the same");
        assert_eq!(same["attributes"]["output"], span["attributes"]["output"]);
    }
}

#[test]
fn an_answer_that_would_take_all_memory_ends_at_a_limit() {
    let mut session = session();
    let file = rusqlite::Connection::open(repository().join("samples/agent_0.2.15.db")).expect("a file");
    let parent = "SELECT span_id FROM spans AS root WHERE parent_span_id IS NULL
        ORDER BY (SELECT count(*) FROM spans WHERE trace_id = root.trace_id) DESC LIMIT 1";
    let span_id: String = file.query_row(parent, [], |row| row.get(0)).expect("a root");
    let names: Vec<String> = (0..100_000).map(|number| format!("{}{number}", "n".repeat(300))).collect();
    let params = json!({ "span_id": span_id, "attributes_to_return": names }).to_string();
    // A failed expectation would print an answer of hundreds of megabytes.
    let Err(failure) = session.query("get_span_tree", &params, None) else { panic!("no limit") };
    assert_eq!(failure.message, "The answer would take more than 500 MB of memory. Ask for less.");
}
