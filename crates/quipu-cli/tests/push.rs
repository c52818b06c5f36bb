//! `quipu push` to a local collector. Requests are decoded with OpenTelemetry's generated code; expected values come from plain SQL.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::{metric, number_data_point};
use prost::Message;
use quipu_tests::Scratch;
use quipu_tests::collector::{Answer, Collector, Request, TAKEN};
use quipu_tests::fixtures::{AGENT, Fixture, METRICS, SMALL, number, open_as_it_lies, texts};
use std::collections::BTreeMap;
use std::process::{Command, Output};

const BAD: Answer = Answer("400 Bad Request\r\ncontent-type: text/plain\r\n", b"not now");

fn push(scratch: &Scratch, fixture: Fixture, collector: &Collector, arguments: &[&str]) -> Output {
    push_file(scratch, fixture.path().to_str().expect("text"), &["--endpoint", &collector.endpoint()], arguments)
}

fn push_file(scratch: &Scratch, file: &str, endpoint: &[&str], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quipu"));
    command.arg("push").arg(file).args(endpoint).args(arguments).env("XDG_STATE_HOME", scratch.path()).env("COLUMNS", "100");
    command.output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each span as a line, in the order of arrival.
fn lines(requests: &[Request]) -> Vec<String> {
    let mut lines = Vec::new();
    for request in requests {
        let message = ExportTraceServiceRequest::decode(request.message().as_slice()).expect("a request");
        for span in message.resource_spans.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans) {
            let micros = |nanos: u64| nanos / 1_000;
            let (trace, id, parent) = (hex(&span.trace_id), hex(&span.span_id), hex(&span.parent_span_id));
            let times = format!("{} {}", micros(span.start_time_unix_nano), micros(span.end_time_unix_nano));
            lines.push(format!("{trace} {id} {parent} {times} {} {} {}", span.attributes.len(), span.events.len(), span.name));
        }
    }
    lines
}

/// The same from SQL, in file order.
fn rows(fixture: Fixture) -> Vec<String> {
    // SQLite's time functions only have milliseconds, so they are used for the seconds and the fraction is taken from the text.
    let micros = |column: &str| {
        format!(
            "(CAST(strftime('%s', {column}) AS INTEGER) * 1000000
            + CASE WHEN substr({column}, 20, 1) = '.' THEN CAST(substr({column}, 21, 6) AS INTEGER) ELSE 0 END)"
        )
    };
    let sql = format!(
        "SELECT trace_id || ' ' || span_id || ' ' || coalesce(parent_span_id, '') || ' ' || {} || ' ' || {} || ' '
            || (SELECT count(*) FROM json_each(s.attributes)) || ' '
            || (SELECT count(*) FROM span_events e WHERE e.span_id = s.span_id) || ' ' || name FROM spans s ORDER BY rowid",
        micros("start_time"),
        micros("end_time")
    );
    texts(&open_as_it_lies(&fixture.path()).expect("the fixture"), &sql).expect("rows")
}

#[test]
fn every_span_arrives_once_under_its_ids_and_times() {
    let (scratch, collector) = (Scratch::new().expect("a folder"), Collector::start(Vec::new()));
    let output = push(&scratch, AGENT, &collector, &["--batch", "100", "--header", "authorization=Bearer a%20b"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), format!("434 spans sent to {}/v1/traces in 5 requests.\n", collector.endpoint()));
    assert_eq!(text(&output.stderr), "");
    let requests = collector.requests();
    assert_eq!(requests.len(), 5);
    assert!(requests.iter().all(|request| request.header("authorization") == Some("Bearer a%20b")));
    let (mut found, mut expected) = (lines(&requests), rows(AGENT));
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let state: Vec<_> = std::fs::read_dir(scratch.path().join("quipu/push")).expect("the folder").collect();
    assert_eq!(state.len(), 0, "nothing is kept of a push that is done");
}

#[test]
fn an_interrupted_push_goes_on_where_it_was() {
    let scratch = Scratch::new().expect("a folder");
    let collector = Collector::start(vec![TAKEN, TAKEN, BAD]);
    let output = push(&scratch, SMALL, &collector, &["--batch", "40"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    let words = "/v1/traces answered 400 Bad Request: not now. 80 of 136 spans were sent. Run the same command again to continue.\n";
    assert_eq!(text(&output.stderr), format!("{}{words}", collector.endpoint()));
    let output = push(&scratch, SMALL, &collector, &["--batch", "40"]);
    let words = format!("56 spans sent to {}/v1/traces in 2 requests; 80 spans were sent before.\n", collector.endpoint());
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), words));
    let mut requests = collector.requests();
    assert_eq!(requests.len(), 5);
    assert_eq!(requests.remove(2).body, requests[2].body, "what was not taken is sent again");
    let (mut found, mut expected) = (lines(&requests), rows(SMALL));
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_named_state_lets_the_same_command_send_only_what_is_new() {
    let (scratch, collector) = (Scratch::new().expect("a folder"), Collector::start(Vec::new()));
    let file = SMALL.copy(&scratch, false).expect("a copy");
    let state = scratch.path().join("pushed.json");
    let again = |more: &[&str]| {
        let endpoint = collector.endpoint();
        let arguments = [&["--resume", state.to_str().expect("text")], more].concat();
        let output = push_file(&scratch, file.to_str().expect("text"), &["--endpoint", &endpoint], &arguments);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let url = format!("{}/v1/traces", collector.endpoint());
    assert_eq!(again(&[]).1, format!("136 spans sent to {url} in 1 request.\n"));
    assert_eq!(again(&[]).1, format!("0 spans sent to {url} in 0 requests; 136 spans were sent before.\n"));
    let server = rusqlite::Connection::open(&file).expect("SQLite opens it");
    let one = "INSERT INTO spans SELECT 'abcdef0123456789', trace_id, parent_span_id, name, start_time, end_time, attributes, status, kind
        FROM spans WHERE rowid = 1";
    server.execute(one, []).expect("written");
    assert_eq!(again(&[]).1, format!("1 span sent to {url} in 1 request; 136 spans were sent before.\n"));
    assert!(lines(&collector.requests()[1..])[0].contains("abcdef0123456789"));
    assert_eq!(again(&["--restart"]).1, format!("137 spans sent to {url} in 1 request.\n"));
    server.execute("DELETE FROM spans WHERE span_id = 'abcdef0123456789'", []).expect("deleted");
    let (code, said, warned) = again(&[]);
    assert_eq!((code, said), (Some(0), format!("136 spans sent to {url} in 1 request.\n")));
    assert_eq!(warned, "Stored progress belongs to a different file; everything is sent again.\n");
    let names: Vec<_> = std::fs::read_dir(scratch.path()).expect("the folder").map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn refused_spans_are_told_of() {
    // partial_success { rejected_spans: 2, error_message: "no name" }
    let partial = Answer("200 OK\r\ncontent-type: application/x-protobuf\r\n", b"\x0a\x0b\x08\x02\x12\x07no name");
    let (scratch, collector) = (Scratch::new().expect("a folder"), Collector::start(vec![partial]));
    let output = push(&scratch, SMALL, &collector, &[]);
    let url = format!("{}/v1/traces", collector.endpoint());
    let words = format!("136 spans sent to {url} in 1 request.\n2 spans rejected by the collector: no name\n");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), words));
    let output = push(&scratch, SMALL, &collector, &["--json", "--gzip"]);
    assert!(output.status.success());
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let expected =
        serde_json::json!({ "traces": { "url": url, "spans": 136, "spans_before": 0, "requests": 1, "refused": 0, "left_out": 0 } });
    assert_eq!(told, expected);
    let requests = collector.requests();
    assert_eq!(requests[1].header("content-encoding"), Some("gzip"));
    assert_eq!(requests[0].message(), requests[1].message());
}

#[test]
fn one_trace_and_imported_files_can_be_pushed() {
    let (scratch, collector) = (Scratch::new().expect("a folder"), Collector::start(Vec::new()));
    let file = open_as_it_lies(&SMALL.path()).expect("the fixture");
    let trace = texts(&file, "SELECT trace_id FROM spans ORDER BY rowid DESC LIMIT 1").expect("rows").remove(0);
    let output = push(&scratch, SMALL, &collector, &["--trace", &trace[..20]]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let expected: Vec<String> = rows(SMALL).into_iter().filter(|line| line.starts_with(&trace)).collect();
    assert_eq!(lines(&collector.requests()), expected);

    let otlp = quipu_tests::fixtures::repository().join("tests/fixtures/otlp/openinference_traces.binpb");
    let recorded = Request { body: std::fs::read(&otlp).expect("the fixture"), ..Request::default() };
    let output = push_file(&scratch, otlp.to_str().expect("text"), &["--endpoint", &collector.endpoint()], &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let (mut found, mut expected) = (lines(&collector.requests()[1..]), lines(&[recorded]));
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn recorded_metrics_become_counters() {
    let (scratch, collector) = (Scratch::new().expect("a folder"), Collector::start(Vec::new()));
    let output = push(&scratch, METRICS, &collector, &["--signal", "metrics", "--batch", "100"]);
    let words = format!("186 metric points sent to {}/v1/metrics in 2 requests.\n", collector.endpoint());
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), words));
    let mut sums: BTreeMap<String, (u64, u64, i64)> = BTreeMap::new();
    for request in collector.requests() {
        let message = ExportMetricsServiceRequest::decode(request.message().as_slice()).expect("a request");
        for metric in message.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics).flat_map(|scope| &scope.metrics) {
            let Some(metric::Data::Sum(sum)) = &metric.data else { panic!("no sum") };
            assert_eq!((metric.unit.as_str(), sum.aggregation_temporality, sum.is_monotonic), ("tokens", 2, true));
            for point in &sum.data_points {
                let labels = point.attributes.iter().map(|label| match label.value.as_ref().and_then(|value| value.value.as_ref()) {
                    Some(Value::StringValue(text)) => format!(" {}={text}", label.key),
                    other => panic!("{other:?} is no text"),
                });
                let series = metric.name.clone() + &labels.collect::<String>();
                let Some(number_data_point::Value::AsInt(value)) = point.value else { panic!("no whole number") };
                let last = sums.entry(series).or_default();
                assert!(last.1 <= point.time_unix_nano && last.2 <= value && point.start_time_unix_nano <= point.time_unix_nano);
                *last = (last.0 + 1, point.time_unix_nano, value);
            }
        }
    }
    let found: Vec<String> = sums.iter().map(|(series, (points, _, value))| format!("{series} {points} {value}")).collect();
    let sql = "SELECT substr(name, 8) || ' model_id=' || json_extract(attributes, '$.model_id') || ' provider_id=' ||
            json_extract(attributes, '$.provider_id') || ' ' || count(*) || ' ' || sum(json_extract(attributes, '$.value'))
        FROM span_events WHERE name LIKE 'metric.%'
        GROUP BY name, json_extract(attributes, '$.model_id'), json_extract(attributes, '$.provider_id') ORDER BY 1";
    let file = open_as_it_lies(&METRICS.path()).expect("the fixture");
    assert_eq!(number(&file, "SELECT count(*) FROM span_events WHERE name LIKE 'metric.%'").expect("a count"), 186);
    assert_eq!(found, texts(&file, sql).expect("rows"));
}

/// A file with spans, log records without a span, and points, imported from recorded requests.
fn imported(scratch: &Scratch) -> std::path::PathBuf {
    let db = scratch.path().join("imported.db");
    let folder = quipu_tests::fixtures::repository().join("tests/fixtures/otlp");
    let files = ["small_0.2.15_traces.binpb", "small_0.2.15_metrics.binpb", "genai_events_logs.binpb"].map(|name| folder.join(name));
    let mut command = Command::new(env!("CARGO_BIN_EXE_quipu"));
    assert!(command.arg("import").args(files).arg("--db").arg(&db).output().expect("it runs").status.success());
    db
}

#[test]
fn log_records_and_points_that_were_imported_go_as_they_came() {
    let (scratch, collector) = (Scratch::new().expect("a folder"), Collector::start(vec![TAKEN, TAKEN, BAD]));
    let db = imported(&scratch);
    let file = open_as_it_lies(&db).expect("the file");
    let count = |table: &str| number(&file, &format!("SELECT count(*) FROM {table}")).expect("a count");
    let (records, points) = (count("quipu_log_records"), count("quipu_metric_points"));
    assert!(records > 3 && points > 3, "{records} {points}");
    let (endpoint, state) = (collector.endpoint(), scratch.path().join("state"));
    let again = |more: &[&str]| {
        let arguments = [&["--resume", state.to_str().expect("text")], more].concat();
        let output = push_file(&scratch, db.to_str().expect("text"), &["--endpoint", &endpoint], &arguments);
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    // Only spans by default, with a note about the rest.
    let words = format!(
        "136 spans sent to {endpoint}/v1/traces in 1 request.\n\
         The file also contains {points} metric points; use --signal metrics to send them.\n\
         The file also contains {records} log records without a span; use --signal logs to send them.\n"
    );
    assert_eq!(again(&[]), (Some(0), words));
    // Interrupted after the first request, and continued.
    let (code, said) = again(&["--signal", "logs", "--batch", "1"]);
    assert!(code == Some(1) && said.contains(&format!(" 1 of {records} log records without a span were sent.")), "{said}");
    let words = format!(
        "{} log records without a span sent to {endpoint}/v1/logs in 1 request; 1 log record without a span was sent before.\n",
        records - 1
    );
    let (code, said) = again(&["--signal", "logs"]);
    assert!(code == Some(0) && said.starts_with(&words), "{said}");
    let (code, said) = again(&["--signal", "metrics"]);
    assert!(
        code == Some(0) && said.starts_with(&format!("{points} metric points sent to {endpoint}/v1/metrics in 1 request.\n")),
        "{said}"
    );
    let mut names = Vec::new();
    let mut sums = Vec::new();
    for request in collector.requests() {
        if request.target.ends_with("/v1/logs") {
            let message = ExportLogsServiceRequest::decode(request.message().as_slice()).expect("a request");
            let records = message.resource_logs.iter().flat_map(|resource| &resource.scope_logs).flat_map(|scope| &scope.log_records);
            names.extend(records.map(|record| format!("{} {}", record.event_name, record.time_unix_nano)));
        } else if request.target.ends_with("/v1/metrics") {
            let message = ExportMetricsServiceRequest::decode(request.message().as_slice()).expect("a request");
            for metric in message.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics).flat_map(|scope| &scope.metrics) {
                let Some(metric::Data::Sum(sum)) = &metric.data else { panic!("no sum") };
                for point in &sum.data_points {
                    let Some(number_data_point::Value::AsInt(value)) = point.value else { panic!("no whole number") };
                    sums.push(format!("{} {} {} {value}", metric.name, sum.aggregation_temporality, point.time_unix_nano));
                }
            }
        }
    }
    // A name that was sent as an attribute leaves as one.
    let sent = "SELECT iif(json_extract(more, '$.no_event_name'), '', name) || ' ' || time_unix_nano FROM quipu_log_records ORDER BY id";
    // The record rejected by the collector was sent again.
    names.dedup();
    assert_eq!(names, texts(&file, sent).expect("rows"));
    let sql = "SELECT metric || ' ' || (1 + cumulative) || ' ' || time_unix_nano || ' ' || CAST(value AS INTEGER) FROM quipu_metric_points
        ORDER BY id";
    assert_eq!(sums, texts(&file, sql).expect("rows"));
}

#[test]
fn records_that_became_events_and_new_ones_do_not_confuse_a_push() {
    let (scratch, collector) = (Scratch::new().expect("a folder"), Collector::start(Vec::new()));
    let db = imported(&scratch);
    let (endpoint, state) = (collector.endpoint(), scratch.path().join("state"));
    let again = || {
        let arguments = ["--signal", "logs", "--resume", state.to_str().expect("text")];
        let output = push_file(&scratch, db.to_str().expect("text"), &["--endpoint", &endpoint], &arguments);
        let said = text(&output.stdout) + &text(&output.stderr);
        said.lines().map(|line| line.split(" sent to").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let server = rusqlite::Connection::open(&db).expect("SQLite opens it");
    let all = number(&server, "SELECT count(*) FROM quipu_log_records").expect("a count");
    assert_eq!(again()[0], format!("{all} log records without a span"));
    // Their span arrived later, as with a collector; then other records arrived.
    let gone = "DELETE FROM quipu_log_records WHERE id > (SELECT max(id) - 2 FROM quipu_log_records)";
    server.execute(gone, []).expect("deleted");
    assert_eq!(again()[0], "0 log records without a span");
    server.execute("INSERT INTO quipu_log_records (name, attributes) VALUES ('new', '{}'), ('newer', '{}')", []).expect("written");
    assert_eq!(again()[0], "2 log records without a span");
    // A different file with the same name.
    server.execute("UPDATE quipu_log_records SET attributes = '{\"a\": 1}' WHERE name = 'newer'", []).expect("changed");
    let said = again();
    assert_eq!(said[0], format!("{all} log records without a span"));
    assert!(said.iter().any(|line| line.starts_with("Stored progress belongs to a different file")), "{said:?}");
}

#[test]
fn events_are_counted_until_points_of_their_series_begin() {
    let (scratch, collector) = (Scratch::new().expect("a folder"), Collector::start(Vec::new()));
    let file = METRICS.copy(&scratch, false).expect("a copy");
    let server = rusqlite::Connection::open(&file).expect("SQLite opens it");
    // A point of the series of one of the events, in the middle.
    let series =
        "name = 'metric.prompt_tokens' AND json_remove(attributes, '$.value', '$.unit') = (SELECT json_remove(attributes, '$.value',
        '$.unit') FROM span_events WHERE name = 'metric.prompt_tokens' LIMIT 1)";
    let half = texts(&server, &format!("SELECT timestamp FROM span_events WHERE {series} ORDER BY timestamp")).expect("rows");
    let half = half.get(half.len() / 2).expect("an event").clone();
    let behind = number(&server, &format!("SELECT count(*) FROM span_events WHERE {series} AND timestamp >= '{half}'")).expect("a count");
    server
        .execute_batch(&format!(
            "CREATE TABLE quipu_metric_points (id INTEGER PRIMARY KEY, metric TEXT, unit TEXT, kind TEXT, cumulative INTEGER,
                monotonic INTEGER, start_unix_nano INTEGER, time_unix_nano INTEGER, attributes TEXT, value REAL, count INTEGER, detail TEXT,
                source_id INTEGER);
            INSERT INTO quipu_metric_points (metric, unit, kind, cumulative, monotonic, start_unix_nano, time_unix_nano, attributes, value)
                SELECT 'prompt_tokens', 'tokens', 'sum', 1, 1, unixepoch(timestamp) * 1000000000 + substr(timestamp, 21, 6) * 1000,
                    unixepoch(timestamp) * 1000000000 + 999999999, json_remove(attributes, '$.value', '$.unit'), 5
                FROM span_events WHERE {series} AND timestamp = '{half}' LIMIT 1"
        ))
        .expect("written");
    let output = push_file(&scratch, file.to_str().expect("text"), &["--endpoint", &collector.endpoint()], &["--signal", "metrics"]);
    assert!(behind > 1);
    let words = format!("{} metric points sent to ", 186 - behind + 1);
    assert!(text(&output.stdout).starts_with(&words), "{} {}, not {words}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn what_cant_be_pushed_is_a_sentence() {
    let scratch = Scratch::new().expect("a folder");
    let file = SMALL.path();
    let file = file.to_str().expect("text");
    let gone = Collector::start(Vec::new());
    let endpoint = gone.endpoint();
    drop(gone);
    let said = |endpoint: &[&str], more: &[&str]| {
        let output = push_file(&scratch, file, endpoint, more);
        assert_eq!(text(&output.stdout), "");
        (output.status.code(), text(&output.stderr))
    };
    let (code, words) = said(&["--endpoint", &endpoint], &[]);
    assert_eq!(code, Some(1));
    assert!(
        words.starts_with(&format!("{endpoint}/v1/traces can't be reached (")) && words.ends_with("0 of 136 spans were sent.\n"),
        "{words}"
    );
    let no_scheme = "--endpoint is “localhost:4318”; it must be a URL that starts with http:// or https://.\n";
    assert_eq!(said(&["--endpoint", "localhost:4318"], &[]), (Some(2), no_scheme.to_owned()));
    let no_value = "--header has an entry without “=”; write name=value.\n";
    assert_eq!(said(&["--endpoint", &endpoint], &["--header", "secret"]), (Some(2), no_value.to_owned()));
    assert_eq!(said(&["--endpoint", &endpoint], &["--signal", "metrics", "--trace", "a"]).0, Some(2));
    let other = scratch.write("other.json", b"{}").expect("written");
    let (code, words) = said(&["--endpoint", &endpoint], &["--resume", other.to_str().expect("text")]);
    assert_eq!((code, words.contains("was not written by quipu push; choose another file, or add --restart.")), (Some(1), true), "{words}");
}

#[test]
fn a_push_is_redacted_when_asked_and_warns_of_keys_otherwise() {
    let (scratch, collector) = (Scratch::new().expect("a folder"), Collector::start(Vec::new()));
    let span = |id: &str, parent: &str| {
        format!(
            r#"{{"traceId": "cf1ea0dfb2d5602e420e32e4b45b6044", "spanId": "{id}", "parentSpanId": "{parent}", "name": "inference",
                "startTimeUnixNano": "1790000000000000000", "endTimeUnixNano": "1790000001000000000",
                "attributes": [{{"key": "own", "value": {{"stringValue": "password=hunter2secret"}}}}],
                "status": {{"message": "token: hunter2secret"}}}}"#
        )
        .replace('\n', " ")
    };
    let spans = format!(
        r#"{{"resourceSpans": [{{"resource": {{"attributes": [{{"key": "api_key", "value": {{"stringValue": "hunter2secret"}}}}]}}, "scopeSpans": [{{"spans": [{}, {}]}}]}}]}}"#,
        span("77d3615b3d4bfbc0", ""),
        span("fad0c33db941cd45", "77d3615b3d4bfbc0")
    );
    let record = r#"{"timeUnixNano": "1790000000000000000", "body": {"stringValue": "login --password hunter2secret"}}"#;
    let logs = format!(r#"{{"resourceLogs": [{{"scopeLogs": [{{"logRecords": [{record}]}}]}}]}}"#);
    let file = scratch.path().join("keys.jsonl");
    std::fs::write(&file, format!("{spans}\n{logs}\n")).expect("a file");
    let file = file.to_str().expect("text");
    let send = |arguments: &[&str]| {
        let output = push_file(&scratch, file, &["--endpoint", &collector.endpoint()], arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let bytes: Vec<u8> = collector.requests().into_iter().flat_map(|request| request.body).collect();
        (text(&bytes), text(&output.stderr))
    };
    let both = ["--signal", "traces,logs"];
    let (_, report) = send(&[&both[..], &["--redact", "secrets"]].concat());
    assert!(report.contains("Keys and passwords: removed from"), "{report}");
    let (sent, _) = send(&[&both[..], &["--redact", "structure"]].concat());
    assert!(!sent.contains("hunter2secret") && sent.contains("[key taken out]"), "{sent}");
    let (sent, warning) = send(&both);
    assert!(sent.contains("hunter2secret"));
    assert!(warning.contains("look like keys or passwords; --redact secrets removes them."), "{warning}");
    let refused = push_file(&scratch, file, &["--endpoint", &collector.endpoint()], &["--redact", "ids", "--resume", "x.json"]);
    assert_eq!(refused.status.code(), Some(2));
}
