//! A small agent that writes its telemetry: one turn with a tool, and one whose tool fails. Its model is a table, so it needs no network.
//!
//! ```sh
//! cargo run -p quipu-telemetry --example agent -- telemetry.db
//! quipu info telemetry.db      # or drop the file on the page
//! ```

use quipu::model::{
    Attributes, Event, EventTime, LogSeverity, Primitive, SpanEndPayload, SpanStartPayload, SpanStatus, StructuredLogEvent,
    StructuredLogPayload, Timestamp, UnstructuredLogEvent,
};
use quipu_telemetry::{DEFAULT_TTL_SECONDS, InferenceSpan, SqliteSink, Telemetry, Usage};
use std::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("telemetry.db"), PathBuf::from);
    run(&path)?;
    println!("{} now holds two more traces.", path.display());
    Ok(())
}

/// Runs the agent's two turns and writes its telemetry to the file.
pub(crate) fn run(path: &Path) -> Result<(), Box<dyn Error>> {
    let file = path.to_owned();
    let telemetry = Telemetry::builder().sink(move || SqliteSink::open(&file, "example-agent")).start()?;
    let session_id = format!("{:016x}", random());
    turn(&telemetry, &session_id, "How high does the condor fly?")?;
    turn(&telemetry, &session_id, "How deep is the lake?")?;
    Ok(telemetry.shutdown()?)
}

/// One turn: the model calls a tool, the tool answers or fails, the model answers.
fn turn(telemetry: &Telemetry, session_id: &str, question: &str) -> Result<(), Box<dyn Error>> {
    let trace_id = format!("{:016x}{:016x}", random(), random());
    let turn_id = format!("{:016x}", random());
    let marks = ["__root__", "__root_span__", "__local_root_span__"].map(|mark| (mark, Primitive::Bool(true)));
    let said = [("session_id", text(session_id)), ("turn_id", text(&turn_id)), ("agent_name", text("example"))];
    let root = Span::start(telemetry, &trace_id, None, "/v1/agents/{agent_id}/session/{session_id}/turn", marks.into_iter().chain(said))?;

    let asked = format!(r#"[{{"role": "user", "content": "{question}"}}]"#);
    let query = question.trim_end_matches('?');
    let call = format!(r#"{{"call_id": "call_1", "tool_name": "encyclopedia", "arguments": {{"query": "{query}"}}}}"#);
    infer(&root, &asked, &format!(r#"{{"content": "", "tool_calls": [{call}]}}"#))?;

    let message = format!(r#"{{"role": "assistant", "content": "", "stop_reason": "end_of_turn", "tool_calls": [{call}]}}"#);
    let tool = root.child("tool_execution", [("tool_name", text("encyclopedia")), ("input", text(&message))])?;
    let found = look_up(question);
    let content = match found {
        Some(found) => {
            tool.log(LogSeverity::Info, "Found one article.")?;
            found
        }
        None => {
            tool.log(LogSeverity::Error, &format!("No article answers “{question}”."))?;
            "error: no article"
        }
    };
    let result = format!(r#"{{"role": "tool", "call_id": "call_1", "content": "{content}"}}"#);
    tool.end(if found.is_some() { SpanStatus::Ok } else { SpanStatus::Error }, [("output", text(&result))])?;

    let known = format!(r#"{}, {message}, {result}]"#, asked.trim_end_matches(']'));
    let answer = found.map_or("I don't know.".to_owned(), |found| format!("As far as I know: {found}"));
    infer(&root, &known, &format!(r#"{{"content": "{answer}", "tool_calls": []}}"#))?;
    root.end(SpanStatus::Ok, [])
}

/// One request to the model. Its token counts are word counts.
fn infer(root: &Span<'_>, input: &str, output: &str) -> Result<(), Box<dyn Error>> {
    let span = root.child("inference", [("input", text(input))])?;
    let words = |text: &str| Some(text.split_whitespace().count() as u64);
    let usage = Usage { prompt_tokens: words(input), completion_tokens: words(output), total_tokens: None };
    let place = InferenceSpan { trace_id: &span.trace_id, span_id: &span.span_id, at: now()? };
    span.telemetry.record_inference(place, "table-model", "example", usage)?;
    span.end(SpanStatus::Ok, [("output", text(output)), ("stop_reason", text("end_of_turn"))])
}

/// The tool.
fn look_up(question: &str) -> Option<&'static str> {
    question.contains("condor").then_some("Andean condors were seen at 5,500 metres.")
}

/// An open span. Dropping it without an end is reported as a span that never ended.
struct Span<'t> {
    telemetry: &'t Telemetry,
    trace_id: String,
    span_id: String,
}

impl<'t> Span<'t> {
    fn start(
        telemetry: &'t Telemetry,
        trace_id: &str,
        parent: Option<&str>,
        name: &str,
        facts: impl IntoIterator<Item = (&'static str, Primitive)>,
    ) -> Result<Span<'t>, Box<dyn Error>> {
        let span = Span { telemetry, trace_id: trace_id.to_owned(), span_id: format!("{:016x}", random()) };
        let start = SpanStartPayload { name: name.to_owned(), parent_span_id: parent.map(str::to_owned) };
        span.say(StructuredLogPayload::SpanStart(start), facts)?;
        Ok(span)
    }

    fn child(&self, name: &str, facts: impl IntoIterator<Item = (&'static str, Primitive)>) -> Result<Span<'t>, Box<dyn Error>> {
        Span::start(self.telemetry, &self.trace_id, Some(&self.span_id), name, facts)
    }

    fn log(&self, severity: LogSeverity, message: &str) -> Result<(), Box<dyn Error>> {
        let (trace_id, span_id, message) = (self.trace_id.clone(), self.span_id.clone(), message.to_owned());
        let event = UnstructuredLogEvent { trace_id, span_id, timestamp: now()?, attributes: Attributes::default(), message, severity };
        Ok(self.telemetry.log_event(Event::UnstructuredLog(event), DEFAULT_TTL_SECONDS)?)
    }

    fn end(self, status: SpanStatus, facts: impl IntoIterator<Item = (&'static str, Primitive)>) -> Result<(), Box<dyn Error>> {
        self.say(StructuredLogPayload::SpanEnd(SpanEndPayload { status }), facts)
    }

    fn say(&self, payload: StructuredLogPayload, facts: impl IntoIterator<Item = (&'static str, Primitive)>) -> Result<(), Box<dyn Error>> {
        let attributes = Attributes(facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
        let (trace_id, span_id) = (self.trace_id.clone(), self.span_id.clone());
        let event = StructuredLogEvent { trace_id, span_id, timestamp: now()?, attributes, payload };
        Ok(self.telemetry.log_event(Event::StructuredLog(event), DEFAULT_TTL_SECONDS)?)
    }
}

fn text(text: &str) -> Primitive {
    Primitive::Text(text.to_owned())
}

fn now() -> Result<EventTime, Box<dyn Error>> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(EventTime::utc(Timestamp(i64::try_from(since.as_nanos())?)))
}

/// A random number: the standard library seeds its hash maps randomly.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
