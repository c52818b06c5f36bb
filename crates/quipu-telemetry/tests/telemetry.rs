//! Guarantees of the library: losses are reported, ids are kept, readers see consistent data.

use quipu::model::Event;
use quipu::store::OpenOptions;
use quipu_telemetry::{EndedSpan, InferenceSpan, LogError, Sink, SinkError, SqliteSink, Telemetry, TelemetryBuilder, Usage, Warning};
use quipu_tests::Scratch;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn event(span_id: &str, rest: &str) -> Event {
    let body = format!(r#"{{"trace_id": "{TRACE}", "span_id": "{span_id}", {rest}}}"#);
    serde_json::from_str(&body).expect("an event")
}

fn start(span_id: &str) -> Event {
    event(span_id, r#""type": "structured_log", "timestamp": "2026-01-05T10:00:00Z", "payload": {"type": "span_start", "name": "a step"}"#)
}

fn log(span_id: &str) -> Event {
    event(span_id, r#""type": "unstructured_log", "timestamp": "2026-01-05T10:00:01Z", "message": "here", "severity": "info""#)
}

fn metric(span_id: &str) -> Event {
    event(
        span_id,
        r#""type": "metric", "timestamp": "2026-01-05T10:00:01Z", "metric": "total_tokens", "value": 7, "unit": "tokens", "attributes": {"model_id": "m"}"#,
    )
}

fn end(span_id: &str) -> Event {
    event(span_id, r#""type": "structured_log", "timestamp": "2026-01-05T10:00:02Z", "payload": {"type": "span_end", "status": "error"}"#)
}

type Warnings = Arc<Mutex<Vec<Warning>>>;

/// A builder that collects warnings.
fn listening() -> (TelemetryBuilder, Warnings) {
    let warnings = Warnings::default();
    let heard = warnings.clone();
    (Telemetry::builder().on_warning(move |warning| heard.lock().expect("no panic").push(warning.clone())), warnings)
}

fn into_file(builder: TelemetryBuilder, scratch: &Scratch) -> (Telemetry, PathBuf) {
    let path = scratch.path().join("telemetry.db");
    let file = path.clone();
    (builder.sink(move || SqliteSink::open(&path, "service")).start().expect("it starts"), file)
}

fn count(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).expect("a number")
}

#[test]
fn what_was_logged_is_found_under_its_own_ids_by_the_query_api() {
    let scratch = Scratch::new().expect("a folder");
    let (telemetry, file) = into_file(Telemetry::builder(), &scratch);
    let body = format!(
        r#"{{"trace_id": "{TRACE}", "span_id": "a1", "type": "structured_log", "timestamp": "2026-01-05T11:00:00+01:00",
        "attributes": {{"__root__": true, "__local_root_span__": true, "n": 1}}, "payload": {{"type": "span_start", "name": "/v1/turn"}}}}"#
    );
    telemetry.log_event(serde_json::from_str(&body).expect("an event"), 60).expect("taken");
    for event in [metric("a1"), log("a1"), end("a1")] {
        telemetry.log_event(event, 60).expect("taken");
    }
    telemetry.flush().expect("written");
    let mut session = quipu::Session::open_path(&file, OpenOptions::with_clock(|| 0)).expect("it opens");
    session.complete_index().expect("an index");
    let mut ask = |method: &str, params: String| -> serde_json::Value {
        let answer = session.query(method, &params, None).expect("an answer");
        serde_json::from_str(&answer).expect("JSON")
    };
    let trace = ask("get_trace", format!(r#"{{"trace_id": "{TRACE}"}}"#));
    assert_eq!((&trace["trace_id"], &trace["root_span_id"]), (&TRACE.into(), &"a1".into()));
    assert_eq!((&trace["start_time"], &trace["end_time"]), (&"2026-01-05T10:00:00Z".into(), &"2026-01-05T10:00:02Z".into()));
    let tree = ask("get_span_tree", r#"{"span_id": "a1"}"#.into());
    assert_eq!((&tree["data"]["a1"]["name"], &tree["data"]["a1"]["status"]), (&"/v1/turn".into(), &"error".into()));
    assert_eq!(tree["data"]["a1"]["attributes"]["__ttl__"], 60);
    let sums =
        ask("query_metrics", r#"{"metric_name": "total_tokens", "start_time": 0, "query_type": "range", "granularity": null}"#.into());
    assert_eq!(sums["data"][0]["values"][0]["value"], 7.0);
}

#[test]
fn threads_lose_nothing_between_them_and_the_shutdown_waits_for_all() {
    let scratch = Scratch::new().expect("a folder");
    let (builder, warnings) = listening();
    let (telemetry, file) = into_file(builder, &scratch);
    std::thread::scope(|threads| {
        for thread in 0..8 {
            let telemetry = &telemetry;
            threads.spawn(move || {
                for number in 0..500 {
                    let id = format!("{thread}f{number:04}");
                    for event in [start(&id), log(&id), metric(&id), end(&id)] {
                        telemetry.log_event(event, 60).expect("there is room");
                    }
                }
            });
        }
    });
    telemetry.shutdown().expect("all is written");
    assert_eq!(telemetry.log_event(start("1"), 60), Err(LogError::ShutDown));
    telemetry.shutdown().expect("a second time changes nothing");
    let written = Connection::open(file).expect("SQLite opens it");
    assert_eq!(count(&written, "SELECT count(*) FROM spans WHERE status = 'ERROR'"), 4_000);
    assert_eq!(count(&written, "SELECT count(*) FROM span_events WHERE name = 'unstructured_log'"), 4_000);
    assert_eq!(count(&written, "SELECT count(*) FROM span_events WHERE name = 'metric.total_tokens'"), 4_000);
    assert_eq!(count(&written, "SELECT count(DISTINCT span_id) FROM span_events"), 4_000);
    assert_eq!((telemetry.dropped(), warnings.lock().expect("no panic").len()), (0, 0));
}

#[test]
fn dropping_telemetry_writes_what_was_taken() {
    let scratch = Scratch::new().expect("a folder");
    let (telemetry, file) = into_file(Telemetry::builder(), &scratch);
    telemetry.log_event(start("1"), 60).expect("taken");
    telemetry.log_event(end("1"), 60).expect("taken");
    drop(telemetry);
    assert_eq!(count(&Connection::open(file).expect("SQLite opens it"), "SELECT count(*) FROM spans"), 1);
}

/// Blocks until released, so that the queue fills up.
struct Gate(mpsc::Receiver<()>);

impl Sink for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn end(&mut self, _span: &EndedSpan) {
        let _ = self.0.recv();
    }

    fn commit(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

#[test]
fn a_full_queue_drops_counts_and_tells() {
    let (open, gate) = mpsc::channel();
    let (builder, warnings) = listening();
    let scratch = Scratch::new().expect("a folder");
    let (telemetry, file) = into_file(builder.capacity(4).sink(move || Ok(Gate(gate))), &scratch);
    // The end of the first span keeps the thread busy; the three others wait.
    for event in [start("1"), end("1"), start("2"), end("2")] {
        telemetry.log_event(event, 60).expect("there is room");
    }
    // Whether the start of the first span has been written depends on timing; four more events can't all fit.
    let refused = (0..8).filter(|_| telemetry.log_event(log("1"), 60) == Err(LogError::QueueFull { capacity: 4 })).count() as u64;
    assert!(refused >= 4, "{refused}");
    assert_eq!(telemetry.dropped(), refused);
    drop(open);
    telemetry.shutdown().expect("all that was taken is written");
    let warnings = warnings.lock().expect("no panic");
    let told = warnings.iter().map(|warning| match warning {
        Warning::QueueFull { dropped, capacity: 4 } => *dropped,
        _ => 0,
    });
    assert_eq!(told.sum::<u64>(), refused);
    assert_eq!(count(&Connection::open(file).expect("SQLite opens it"), "SELECT count(*) FROM spans"), 2);
}

#[test]
fn large_events_fill_a_queue_before_many_do() {
    let (open, gate) = mpsc::channel();
    let (builder, warnings) = listening();
    let telemetry = builder.capacity_bytes(100_000).sink(move || Ok(Gate(gate))).start().expect("it starts");
    for event in [start("1"), end("1"), start("2")] {
        telemetry.log_event(event, 60).expect("there is room");
    }
    let Event::UnstructuredLog(mut large) = log("2") else { panic!("a log") };
    large.message = "x".repeat(40_000);
    let results: Vec<_> = (0..6).map(|_| telemetry.log_event(Event::UnstructuredLog(large.clone()), 60)).collect();
    let refused = results.iter().filter(|result| matches!(result, Err(LogError::QueueFull { .. }))).count() as u64;
    assert!((2..=4).contains(&refused), "{refused}");
    assert_eq!(telemetry.dropped(), refused);
    drop(open);
    telemetry.flush().expect("written");
    assert!(warnings.lock().expect("no panic").iter().any(|warning| matches!(warning, Warning::QueueFull { dropped, .. } if *dropped > 0)));
}

#[test]
fn warnings_are_one_line_whatever_ids_are_in_them() {
    let warning = Warning::StartedTwice { span_id: "a\nforged\x1b[2J".into(), trace_id: "\u{202e}t".into() };
    assert_eq!(warning.to_string(), "A start of span a\\nforged\\x1b[2J of trace \\u{202e}t was dropped: the span is already open.");
}

#[test]
fn an_inference_request_is_three_metrics_or_what_is_known_of_them() {
    let scratch = Scratch::new().expect("a folder");
    let (telemetry, file) = into_file(Telemetry::builder(), &scratch);
    telemetry.log_event(start("1"), 60).expect("taken");
    let at = quipu::model::EventTime::parse("2026-01-05T10:00:01Z").expect("a time");
    let span = InferenceSpan { trace_id: TRACE, span_id: "1", at };
    let whole = Usage { prompt_tokens: Some(20), completion_tokens: Some(5), total_tokens: None };
    telemetry.record_inference(span, "m", "p", whole).expect("taken");
    telemetry.record_inference(span, "m", "p", Usage { prompt_tokens: None, ..whole }).expect("taken");
    telemetry.record_inference(span, "m", "p", Usage::default()).expect("nothing is known, nothing is written");
    telemetry.log_event(end("1"), 60).expect("taken");
    telemetry.shutdown().expect("written");
    let written = Connection::open(file).expect("SQLite opens it");
    let mut rows = written.prepare("SELECT name || ' ' || timestamp || ' ' || attributes FROM span_events ORDER BY id").expect("SQL");
    let rows: Vec<String> = rows.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect();
    let row = |name: &str, value: u64| {
        let labels = r#""unit": "tokens", "model_id": "m", "provider_id": "p""#;
        format!(r#"metric.{name} 2026-01-05T10:00:01+00:00 {{"value": {value}, {labels}}}"#)
    };
    let of_the_first = [row("prompt_tokens", 20), row("completion_tokens", 5), row("total_tokens", 25)];
    assert_eq!(rows, of_the_first.into_iter().chain([row("completion_tokens", 5)]).collect::<Vec<_>>());
}

#[test]
fn what_belongs_to_no_open_span_is_told_of() {
    let (builder, warnings) = listening();
    let telemetry = builder.start().expect("it starts");
    for event in [log("5"), metric("5"), end("5"), start("5"), start("05"), end("5"), log("5")] {
        telemetry.log_event(event, 60).expect("taken");
    }
    telemetry.flush().expect("done");
    let told: Vec<String> = warnings.lock().expect("no panic").iter().map(Warning::to_string).collect();
    let unknown = |what: &str| format!("The {what} was dropped: span 5 of trace {TRACE} is not open.");
    let twice = format!("A start of span 05 of trace {TRACE} was dropped: the span is already open.");
    assert_eq!(
        told,
        [
            unknown("log line"),
            unknown("metric total_tokens"),
            unknown("end of the span"),
            twice,
            unknown("log line")
        ]
    );
}

#[test]
fn events_that_cannot_be_written_are_refused_by_their_field() {
    let telemetry = Telemetry::builder().start().expect("it starts");
    let refused = |event| telemetry.log_event(event, 60).expect_err("refused").to_string();
    assert_eq!(refused(start("")), "The event was rejected: span_id is empty; 16 hex digits are usual.");
    let early = start("1");
    let Event::StructuredLog(mut early) = early else { panic!("a start") };
    early.timestamp = quipu::model::EventTime::utc(quipu::model::Timestamp(-1));
    assert_eq!(refused(Event::StructuredLog(early)), "The event was rejected: timestamp lies before 1970.");
}

#[test]
fn readers_beside_it_see_whole_transactions_and_lose_it_nothing() {
    let scratch = Scratch::new().expect("a folder");
    let (builder, warnings) = listening();
    let (telemetry, file) = into_file(builder, &scratch);
    let done = AtomicBool::new(false);
    let reads = std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let reader = Connection::open(&file).expect("SQLite opens it");
            reader.busy_timeout(std::time::Duration::from_secs(20)).expect("a setting");
            let mut reads = 0;
            while !done.load(Ordering::Acquire) {
                let torn = "SELECT count(*) FROM spans s WHERE (SELECT count(*) FROM span_events e WHERE e.span_id = s.span_id) != 1";
                assert_eq!(count(&reader, torn), 0);
                reads += 1;
            }
            reads
        });
        for number in 0..60 {
            let id = format!("b{number:04}");
            for event in [start(&id), log(&id), end(&id)] {
                telemetry.log_event(event, 60).expect("there is room");
            }
            telemetry.flush().expect("written");
        }
        done.store(true, Ordering::Release);
        reader.join().expect("no torn read")
    });
    assert!(reads > 0);
    assert_eq!(*warnings.lock().expect("no panic"), []);
    let written = Connection::open(&file).expect("SQLite opens it");
    assert_eq!(count(&written, "SELECT count(*) FROM spans"), 60);
    let left: Vec<_> = std::fs::read_dir(scratch.path()).expect("the folder").map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("-wal")), "{left:?}");
}

#[test]
fn what_a_file_does_not_take_is_kept_and_written_later() {
    let scratch = Scratch::new().expect("a folder");
    let (builder, warnings) = listening();
    let (telemetry, file) = into_file(builder, &scratch);
    let other = Connection::open(&file).expect("SQLite opens it");
    other.execute_batch("ALTER TABLE span_events RENAME TO away").expect("SQL");
    for event in [start("1"), log("1"), end("1")] {
        telemetry.log_event(event, 60).expect("taken");
    }
    let failed = telemetry.flush().expect_err("there is no table").to_string();
    assert!(failed.starts_with("Telemetry sink sqlite: ") && failed.contains("no such table: span_events"), "{failed}");
    assert!(failed.ends_with("Pending spans are kept and written later."), "{failed}");
    assert_eq!(count(&other, "SELECT count(*) FROM spans"), 0, "the transaction is whole or not at all");
    other.execute_batch("ALTER TABLE away RENAME TO span_events").expect("SQL");
    telemetry.flush().expect("written");
    assert_eq!(count(&other, "SELECT count(*) FROM spans JOIN span_events USING (span_id)"), 1);
    assert_eq!(warnings.lock().expect("no panic").len(), 1, "the same failure is told once");
}

#[test]
fn a_span_whose_id_is_in_the_file_already_is_told_of() {
    let scratch = Scratch::new().expect("a folder");
    let (builder, warnings) = listening();
    let (telemetry, file) = into_file(builder, &scratch);
    for event in [start("1"), end("1"), start("1"), end("1")] {
        telemetry.log_event(event, 60).expect("taken");
    }
    // Both may be in one transaction, so this call can have either outcome.
    let _ = telemetry.shutdown();
    let why = "Spans were skipped because the file has spans with the same ids.".to_owned();
    assert_eq!(*warnings.lock().expect("no panic"), [Warning::SinkFailed { sink: "sqlite", why, lost: 1 }]);
    assert_eq!(count(&Connection::open(file).expect("SQLite opens it"), "SELECT count(*) FROM spans"), 1);
}

#[test]
fn a_sink_that_cannot_be_opened_is_a_sentence_that_names_the_file() {
    let scratch = Scratch::new().expect("a folder");
    let file = scratch
        .write("notes.txt", "no database, but a text that is longer than a header of one hundred bytes. ".repeat(3))
        .expect("a file");
    let path = file.clone();
    let error = Telemetry::builder().sink(move || SqliteSink::open(&path, "s")).start().err().expect("no database").to_string();
    assert!(error.contains(&file.display().to_string()), "{error}");
    let below = file.join("telemetry.db");
    let error = Telemetry::builder().sink(move || SqliteSink::open(&below, "s")).start().err().expect("no folder").to_string();
    assert!(error.starts_with("The folder ") && error.contains("notes.txt"), "{error}");
}

/// Panics at the first span.
struct Broken;

impl Sink for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn end(&mut self, _span: &EndedSpan) {
        panic!("this sink is broken on purpose");
    }

    fn commit(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

#[test]
fn nobody_waits_for_a_sink_that_panicked() {
    let telemetry = Telemetry::builder().sink(|| Ok(Broken)).start().expect("it starts");
    telemetry.log_event(start("1"), 60).expect("taken");
    telemetry.log_event(end("1"), 60).expect("taken");
    assert!(telemetry.flush().expect_err("it panicked").to_string().contains("panic"));
    assert_eq!(telemetry.log_event(start("2"), 60), Err(LogError::ShutDown));
    assert!(telemetry.shutdown().expect_err("it panicked").to_string().contains("panic"));
}
