//! The comparison of a span's input with that of the previous span of its name, over real files.

use crate::support::{open, sql};
use quipu::protocol::CompareInput;
use quipu::render::sheet_text;

const AGENT: &str = "samples/agent_0.2.15.db";

fn compared(trace_id: &str, span_id: &str) -> String {
    let question = CompareInput { trace_id: trace_id.to_owned(), span_id: span_id.to_owned() };
    sheet_text(&open(AGENT).ask(question).expect("an answer"))
}

fn second_inference() -> (String, String) {
    let sql = sql(AGENT, "");
    let query = "
        SELECT trace_id, span_id FROM spans WHERE name = 'inference' AND trace_id IN
           (SELECT trace_id FROM spans WHERE name = 'inference' GROUP BY trace_id HAVING count(*) > 1 ORDER BY min(start_time) LIMIT 1)
         ORDER BY start_time DESC LIMIT 1";
    sql.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("a trace of two inferences")
}

#[test]
fn the_second_inference_was_asked_what_the_tool_answered_too() {
    let (trace_id, span_id) = second_inference();
    insta::assert_snapshot!(compared(&trace_id, &span_id));
}

#[test]
fn the_first_of_its_name_has_nothing_before_it() {
    let query = "SELECT trace_id, span_id FROM spans WHERE name = 'inference' ORDER BY start_time LIMIT 1";
    let (trace_id, span_id): (String, String) =
        sql(AGENT, "").query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("an inference");
    insta::assert_snapshot!(compared(&trace_id, &span_id), @"This is the first inference of its trace and of its session.");
}

#[test]
fn a_turn_is_compared_with_the_session_s_turn_before() {
    let query = "
        SELECT trace_id, span_id FROM spans AS later WHERE json_extract(attributes, '$.request') IS NOT NULL AND EXISTS
          (SELECT 1 FROM spans AS earlier WHERE earlier.name = later.name AND earlier.start_time < later.start_time
           AND json_extract(earlier.attributes, '$.session_id') = json_extract(later.attributes, '$.session_id')
           AND earlier.trace_id <> later.trace_id) LIMIT 1";
    let (trace_id, span_id): (String, String) =
        sql(AGENT, "").query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("a session of two turns");
    let text = compared(&trace_id, &span_id);
    assert!(text.contains("in the session’s earlier trace"), "{text}");
    assert!(text.contains("attribute request"), "{text}");
}
