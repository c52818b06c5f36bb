//! Recordings, and conversations as lists of what was said.

use crate::support::path;
use crate::transfer::tools::import;
use quipu::Session;
use quipu::llm::{Body, Message, ToolResult};
use quipu::model::Value;
use quipu::model::recorded::{json_text, parse_json};

/// What was said, one entry for each text, call and result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Text(String, String),
    Call(String),
    Result(String),
}

/// The folder of the recordings.
const FOLDER: &str = "tests/fixtures/otlp/modern";

/// The names of all recordings, each with what is expected of it.
pub(crate) fn recordings() -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(path(&format!("{FOLDER}/expected.json"))).expect("the fixture is there");
    match parse_json(&text) {
        Some(Value::Map(entries)) => entries,
        other => panic!("{other:?}"),
    }
}

/// What is expected of one recording.
pub(crate) fn expected(name: &str) -> Value {
    recordings().into_iter().find(|(found, _)| found == name).expect("a recording").1
}

/// The files of a recording, one a signal.
pub(crate) fn inputs(name: &str) -> Vec<(String, Vec<u8>)> {
    let read =
        |signal: &str| std::fs::read(path(&format!("{FOLDER}/{name}_{signal}.binpb.gz"))).ok().map(|bytes| (signal.to_owned(), bytes));
    ["logs", "traces", "metrics"].into_iter().filter_map(read).collect()
}

/// Imports a recording: all its signals.
pub(crate) fn open(name: &str) -> Session {
    let files = inputs(name);
    let inputs: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    import(&inputs).0
}

/// Everything said in the conversation of a trace, in order.
pub(crate) fn conversation(session: &mut Session, trace_id: &str) -> Vec<Said> {
    let page = session.conversation(trace_id, false).expect("a conversation");
    let mut out = Vec::new();
    for entry in page.conversation.turns.iter().flat_map(|turn| &turn.entries) {
        match &entry.body {
            Body::Earlier(messages) => messages.iter().for_each(|found| message(found, &[], &mut out)),
            Body::Message { message: found, results } => message(found, results, &mut out),
            Body::Ran { tool_name, result, .. } => {
                out.push(Said::Call(tool_name.clone()));
                out.extend(result.text.clone().map(Said::Result));
            }
            Body::Embedded(texts) => out.extend(texts.iter().map(|text| Said::Text("embedded".into(), text.clone()))),
            Body::Asked { .. } | Body::Checked(_) | Body::Retrieved { .. } | Body::Missing(_) | Body::Failed(_) | Body::Other { .. } => {}
        }
    }
    out
}

fn message(found: &Message, results: &[Option<ToolResult>], out: &mut Vec<Said>) {
    if found.role == "tool" {
        out.push(Said::Result(found.text.clone()));
    } else if !found.text.is_empty() {
        out.push(Said::Text(found.role.clone(), found.text.clone()));
    }
    out.extend(found.tool_calls.iter().map(|call| Said::Call(call.tool_name.clone())));
    out.extend(results.iter().flatten().filter_map(|result| result.text.clone()).map(Said::Result));
}

/// What a message of `expected.json` says.
pub(crate) fn said_in(message: &Value) -> Vec<Said> {
    let text = |value: &Value| value.as_str().map_or_else(|| json_text(value), str::to_owned);
    let role = message.get("role").and_then(Value::as_str).unwrap_or("embedded").to_owned();
    let mut out: Vec<Said> = message.get("text").map(|found| Said::Text(role, text(found))).into_iter().collect();
    let items = |key: &str| message.get(key).and_then(Value::items).unwrap_or_default();
    out.extend(items("calls").iter().filter_map(|call| Some(Said::Call(text(call.items()?.first()?)))));
    out.extend(items("results").iter().map(|result| Said::Result(text(result))));
    out
}

pub(crate) fn number(of: &Value, key: &str) -> u64 {
    of.get(key).and_then(Value::as_i64).and_then(|number| u64::try_from(number).ok()).expect("a number")
}
