//! A small agent instrumented with `tracing`: one turn with a tool, and one whose tool fails. Its model is a table, so it needs no network.
//!
//! ```sh
//! cargo run -p quipu-telemetry --example traced_agent -- telemetry.db
//! quipu info telemetry.db      # or drop the file on the page
//! ```

use quipu_telemetry::{SqliteSink, Telemetry, TelemetryLayer, Usage, record_inference};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::field::{Empty, display};
use tracing::{Span, info, instrument};
use tracing_subscriber::layer::SubscriberExt;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("telemetry.db"), PathBuf::from);
    run(&path)?;
    println!("{} now holds two more traces.", path.display());
    Ok(())
}

/// Runs the agent's two turns and writes its telemetry to the file.
pub(crate) fn run(path: &Path) -> Result<(), Box<dyn Error>> {
    let file = path.to_owned();
    let telemetry = Arc::new(Telemetry::builder().sink(move || SqliteSink::open(&file, "example-agent")).start()?);
    let subscriber = tracing_subscriber::registry().with(TelemetryLayer::new(telemetry.clone()).with_location("library_client"));
    // A program that does nothing else calls `tracing::subscriber::set_global_default` once.
    tracing::subscriber::with_default(subscriber, || {
        turn("session-1", "How high does the condor fly?")?;
        turn("session-1", "How deep is the lake?")
    })?;
    Ok(telemetry.shutdown()?)
}

/// One turn: the model calls a tool, the tool answers or fails, the model answers.
#[instrument(skip(question), fields(otel.name = "/v1/agents/{agent_id}/session/{session_id}/turn", agent_name = "example"))]
fn turn(session_id: &str, question: &str) -> Result<(), Box<dyn Error>> {
    let asked = format!(r#"{{"role": "user", "content": "{question}"}}"#);
    let call = format!(r#"{{"call_id": "call_1", "tool_name": "encyclopedia", "arguments": {{"query": "{question}"}}}}"#);
    infer(&format!("[{asked}]"), &format!(r#"{{"content": "", "tool_calls": [{call}]}}"#))?;
    let message = format!(r#"{{"role": "assistant", "content": "", "stop_reason": "end_of_turn", "tool_calls": [{call}]}}"#);
    let found = look_up("encyclopedia", &message, question);
    let answer = found.as_ref().map_or("I don't know.".to_owned(), |found| format!("As far as I know: {found}"));
    let content = found.unwrap_or_else(|error| format!("error: {error}"));
    let known = format!(r#"[{asked}, {message}, {{"role": "tool", "call_id": "call_1", "content": "{content}"}}]"#);
    infer(&known, &format!(r#"{{"content": "{answer}", "tool_calls": []}}"#))
}

/// One request to the model. Its token counts are word counts.
#[instrument(name = "inference", skip(answer), fields(output = Empty, stop_reason = Empty))]
fn infer(input: &str, answer: &str) -> Result<(), Box<dyn Error>> {
    let words = |text: &str| Some(text.split_whitespace().count() as u64);
    let usage = Usage { prompt_tokens: words(input), completion_tokens: words(answer), total_tokens: None };
    record_inference("table-model", "example", usage)?;
    Span::current().record("output", answer).record("stop_reason", "end_of_turn");
    Ok(())
}

/// The tool.
#[instrument(name = "tool_execution", skip(question), fields(output = Empty), err)]
fn look_up(tool_name: &str, input: &str, question: &str) -> Result<String, String> {
    if !question.contains("condor") {
        return Err(format!("no article answers “{question}”"));
    }
    info!("found one article");
    let found = "Andean condors were seen at 5,500 metres.";
    let result = format!(r#"{{"role": "tool", "call_id": "call_1", "content": "{found}"}}"#);
    Span::current().record("output", display(result));
    Ok(found.to_owned())
}
