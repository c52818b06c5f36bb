//! The command on real files.

use rusqlite::Connection;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const AGENT: &str = "samples/agent_0.2.15.db";
const METRICS: &str = "samples/metrics_0.2.23.db";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A temporary folder, removed on drop.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("quipu-command-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    fn copy(&self, from: &str) -> PathBuf {
        let from = repository().join(from);
        let to = self.0.join(from.file_name().expect("a file"));
        std::fs::write(&to, std::fs::read(from).expect("a fixture")).expect("a copy");
        to
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("the folder");
        let mut names: Vec<String> = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn quipu() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quipu"));
    command.current_dir(repository()).env("COLUMNS", "100").env_remove("NO_COLOR");
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    quipu().args(arguments).output().expect("the command runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The output of a successful command.
pub(crate) fn said(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout)
}

/// The message of a command that fails with code 1 and prints nothing else.
pub(crate) fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output.stdout));
    assert_eq!(text(&output.stdout), "");
    let message = text(&output.stderr);
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    message
}

#[test]
fn info_says_what_the_file_is() {
    insta::assert_snapshot!(said(&["info", AGENT]));
}

#[test]
fn traces_come_as_a_table() {
    insta::assert_snapshot!(said(&["traces", METRICS, "--failed", "--limit", "4"]));
    insta::assert_snapshot!(said(&["traces", AGENT, "--slowest", "--limit", "3"]));
}

#[test]
fn traces_are_filtered_by_one_text_or_several_words() {
    insta::assert_snapshot!(said(&["traces", AGENT, "{kind:inference model:llama} (error:true OR duration>100ms)", "--limit", "5"]));
    let whole = said(&["traces", METRICS, "--slowest", "kind:tool -root.name:turn"]);
    assert_eq!(said(&["traces", METRICS, "--slowest", "kind:tool", "NOT", "root.name:turn"]), whole);
    assert_eq!(said(&["traces", AGENT, "--", "-error:false"]).lines().count(), said(&["traces", AGENT, "error:true"]).lines().count());
    let json: serde_json::Value = serde_json::from_str(&said(&["traces", AGENT, "spans>20", "--json"])).expect("JSON");
    let spans: Vec<u64> = json["data"].as_array().expect("traces").iter().filter_map(|row| row["spans"].as_u64()).collect();
    assert!(json["total"] == spans.len() && !spans.is_empty() && spans.iter().all(|spans| *spans > 20), "{json:#}");
}

#[test]
fn a_wrong_filter_is_drawn_with_its_place() {
    for (filter, drawn) in [
        (
            vec!["error:true", "duration>abc"],
            "error:true duration>abc\n                    ^^^\nabc is not a duration; use a form such as 250ms, 2s or 1m30s.\n",
        ),
        (vec!["größe:1", "\u{1b}", "("], "größe:1   (\n          ^\nThis ( has no matching ).\n"),
        (vec!["(a"], "(a\n^\nThis ( has no matching ).\n"),
    ] {
        let output = run(&[vec!["traces", "no-such.db"], filter].concat());
        assert_eq!((output.status.code(), text(&output.stderr).as_str(), text(&output.stdout).as_str()), (Some(2), drawn, ""));
    }
}

#[test]
fn a_trace_comes_as_a_tree_with_bars() {
    insta::assert_snapshot!(said(&["trace", METRICS, "0af7651916cd43dd"]));
}

#[test]
fn a_span_comes_with_its_failure_and_its_events() {
    let failed = said(&["query", AGENT, "query_spans", r#"{"attribute_filters": [], "attributes_to_return": ["error"]}"#]);
    let answer: serde_json::Value = serde_json::from_str(&failed).expect("JSON");
    let span_id = answer["data"][0]["span_id"].as_str().expect("an id");
    insta::assert_snapshot!(said(&["span", AGENT, span_id]));
}

#[test]
fn a_search_prints_its_hits_newest_first() {
    insta::assert_snapshot!(said(&["search", METRICS, "WEATHER in", "--limit", "3"]));
    let marked = said(&["search", METRICS, "weather", "--limit", "1", "--color", "always"]);
    assert!(marked.contains("\u{1b}[1;33mweather\u{1b}[0m"), "{marked}");
    let lines = said(&["search", METRICS, "weather", "--json"]);
    let hits: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let all = hits.len();
    assert!(all > 3 && hits.iter().all(|hit| hit["match"].as_str().is_some_and(|text| text.eq_ignore_ascii_case("weather"))));
    let trace_id = hits[0]["trace_id"].as_str().expect("an id");
    let count = |arguments: &[&str]| said(&[&["search", METRICS, "weather", "--json"], arguments].concat()).lines().count();
    assert_eq!(count(&["--trace", &trace_id[..12]]), hits.iter().filter(|hit| hit["trace_id"] == trace_id).count());
    let filtered = count(&["--filter", "tokens>100"]);
    assert!(filtered > 0 && filtered < all, "{filtered} of {all}");
}

#[test]
fn traces_are_filtered_by_texts_too() {
    let json = |arguments: &[&str]| -> serde_json::Value { serde_json::from_str(&said(arguments)).expect("JSON") };
    let page = json(&["traces", METRICS, "\"Weather in\"", "--json", "--limit", "1000"]);
    let lines = said(&["search", METRICS, "weather in", "--json"]);
    let hits = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let mut expected: Vec<String> = hits.map(|hit| hit["trace_id"].to_string()).collect();
    let mut listed: Vec<String> = page["data"].as_array().expect("traces").iter().map(|row| row["trace_id"].to_string()).collect();
    expected.sort();
    expected.dedup();
    listed.sort();
    assert_eq!((listed, page["total"].as_u64()), (expected.clone(), Some(expected.len() as u64)));
}

#[test]
fn a_search_that_finds_nothing_says_so_and_exits_with_one() {
    assert_eq!(refused(&["search", METRICS, "no such text"]), "No span and no log record contains no such text.\n");
    assert!(refused(&["search", METRICS, ""]).contains("is empty"));
    assert_eq!(run(&["search", METRICS, "a", "--filter", "duration>soon"]).status.code(), Some(2));
    assert!(refused(&["search", METRICS, "a", "--trace", "ffff"]).contains("ffff"));
}

#[test]
fn json_has_the_numbers_of_the_tables() {
    let json = |arguments: &[&str]| -> serde_json::Value { serde_json::from_str(&said(arguments)).expect("JSON") };
    let info = json(&["info", AGENT, "--json"]);
    assert_eq!((&info["traces"], &info["spans"], &info["failed_spans"]), (&56.into(), &434.into(), &8.into()));
    assert_eq!(info["releases"], "0.2.13 to 0.2.24");
    let traces = json(&["--json", "traces", METRICS, "--failed", "--limit", "2"]);
    assert_eq!((traces["data"].as_array().map(Vec::len), &traces["total"]), (Some(2), &41.into()));
    let failed = traces["data"][0]["trace_id"].as_str().expect("an id");
    let trace = json(&["trace", METRICS, failed, "--json"]);
    let spans = trace["spans"].as_array().expect("spans");
    let count = spans.iter().filter(|span| span["marks"].as_array().is_some_and(|marks| marks.contains(&"failed".into()))).count();
    assert_eq!(Some(count as u64), traces["data"][0]["failed_spans"].as_u64());
    let span_id = spans[0]["span_id"].as_str().expect("an id");
    let span = json(&["span", METRICS, span_id, "--json"]);
    assert_eq!(span["attributes"]["__location__"], "server");
}

#[test]
fn a_query_prints_exactly_the_answer() {
    let params = r#"{"limit": 1, "order_by": ["-start_time"]}"#;
    let expected = "{\"data\":[{\"trace_id\":\"2aca8607c68cda5bf61a4d46dcec12bb\",\"root_span_id\":\"61e92bc446c122f6\",\"start_time\":\"2026-11-22T19:01:05.006555Z\",\"end_time\":\"2026-11-22T19:01:05.008443Z\"}]}\n";
    assert_eq!(said(&["query", METRICS, "query_traces", params]), expected);
    let mut child =
        quipu().args(["query", METRICS, "query_traces", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("runs");
    child.stdin.take().expect("stdin").write_all(params.as_bytes()).expect("it reads");
    assert_eq!(text(&child.wait_with_output().expect("it ends").stdout), expected);
}

#[test]
fn the_inputs_and_outputs_of_a_session_are_one_command() {
    let session = "7a4e0c32-2bdc-46ab-aabb-dbbc225ce760";
    let lines = said(&["export", METRICS, "--session", session]);
    let connection = Connection::open_in_memory().expect("SQLite");
    let path = repository().join(METRICS);
    connection.execute("ATTACH ?1 AS file", [format!("file:{}?immutable=1", path.display())]).expect("the file");
    let sql = "SELECT s.span_id FROM file.spans s WHERE json_extract(s.attributes, '$.input') IS NOT NULL AND json_extract(s.attributes, '$.output') IS NOT NULL
        AND s.trace_id IN (SELECT trace_id FROM file.spans WHERE json_extract(attributes, '$.session_id') = ?1)";
    let mut statement = connection.prepare(sql).expect("SQL");
    let mut expected: Vec<String> = statement.query_map([session], |row| row.get(0)).expect("rows").map(|id| id.expect("an id")).collect();
    let rows: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut found: Vec<String> = rows.iter().map(|row| row["span_id"].as_str().expect("an id").to_owned()).collect();
    expected.sort();
    found.sort();
    assert!(!found.is_empty());
    assert_eq!(found, expected);
    assert!(rows.iter().all(|row| row["input"].is_string() && row["output"].is_string()));
}

#[test]
fn csv_keeps_commas_quotes_and_line_breaks() {
    let folder = Folder::new();
    let path = folder.0.join("out.csv");
    let path_text = path.to_str().expect("a path");
    let arguments = [
        "export",
        "tests/fixtures/db/real_events.db",
        "--filter",
        "user=ann",
        "--attribute",
        "user",
        "--attribute",
        "json",
        "--format",
        "csv",
        "--output",
        path_text,
    ];
    assert_eq!(said(&arguments), "");
    let csv = std::fs::read_to_string(&path).expect("the file");
    insta::assert_snapshot!(csv.replace("\r\n", "\n"));
    assert!(refused(&arguments).contains("can't be created"), "an existing file is never written over");
}

#[test]
fn csv_tells_an_empty_text_from_none() {
    let folder = Folder::new();
    let file = folder.copy("tests/fixtures/db/real_events.db");
    let sql = Connection::open(&file).expect("SQLite opens it");
    let attributes = r#"{"chosen": "yes", "empty": "", "text": "a b"}"#;
    let changed = "UPDATE spans SET attributes = ?1, name = '', parent_span_id = NULL WHERE rowid = (SELECT min(rowid) FROM spans) RETURNING span_id, trace_id";
    let (span, trace): (String, String) = sql.query_row(changed, [attributes], |row| Ok((row.get(0)?, row.get(1)?))).expect("a span");
    drop(sql);
    let file = file.to_str().expect("a path");
    let arguments = [
        "export",
        file,
        "--filter",
        "chosen=yes",
        "--format",
        "csv",
        "--attribute",
        "empty",
        "--attribute",
        "text",
    ];
    let spans = said(&arguments);
    let row = spans.lines().nth(1).expect("a row");
    // No parent, an empty name, an empty attribute.
    assert!(row.starts_with(&format!("{trace},{span},,\"\",")) && row.ends_with(",\"\",a b"), "{row}");
    let traces = said(&["export", file, "--trace", &trace, "--format", "csv"]);
    assert!(traces.lines().any(|row| row.starts_with(&format!("{trace},{span},,\"\","))), "{traces}");
}

#[test]
fn chosen_traces_become_a_telemetry_file_of_their_own() {
    let folder = Folder::new();
    let original = Connection::open(folder.copy(AGENT)).expect("SQLite opens it");
    let sql = "SELECT trace_id, count(*) FROM spans GROUP BY trace_id ORDER BY count(*) DESC LIMIT 1";
    let (trace, spans): (String, i64) = original.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("a trace");
    let out = folder.0.join("one.db");
    let arguments = ["export", AGENT, "--trace", &trace[..12], "--db", out.to_str().expect("a path")];
    let sql = "SELECT count(*) FROM span_events JOIN spans USING (span_id) WHERE trace_id = ?1";
    let events: i64 = original.query_row(sql, [&trace], |row| row.get(0)).expect("a count");
    let words = if events == 1 { "1 event".to_owned() } else { format!("{events} events") };
    assert_eq!(said(&arguments), format!("{}: 1 trace, {spans} spans, {words}\n", out.display()));
    let copy = Connection::open(&out).expect("SQLite opens it");
    let check: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a check");
    assert_eq!(check, "ok");
    let shown = said(&["trace", out.to_str().expect("a path"), &trace]);
    assert_eq!(shown, said(&["trace", AGENT, &trace]), "the copy shows what the file shows");
    assert_eq!(refused(&arguments), format!("{} already exists; give a new name.\n", out.display()));
    assert_eq!(run(&["export", AGENT, "--db", "x.db", "--session", "s"]).status.code(), Some(2));
}

#[test]
fn packed_bodies_of_a_run_become_the_file_of_that_run() {
    let folder = Folder::new();
    let out = folder.0.join("run.db");
    let out = out.to_str().expect("a path");
    let body = "tests/fixtures/otlp/agent_0.2.15_traces.binpb.gz";
    assert_eq!(
        said(&["import", body, "--db", out, "--layout", "llama-stack"]),
        format!("{out}: 434 spans, 10 events, 0 log records, 0 metric points\n")
    );
    let imported = Connection::open(out).expect("SQLite opens it");
    imported.execute("ATTACH ?1 AS recorded", [folder.copy(AGENT).to_str().expect("a path")]).expect("SQLite opens both");
    for (table, columns) in [
        ("traces", "trace_id, service_name, root_span_id, start_time, end_time"),
        ("spans", "*"),
        ("span_events", "span_id, name, timestamp, attributes"),
    ] {
        for (one, two) in [("main", "recorded"), ("recorded", "main")] {
            let sql = format!("SELECT count(*) FROM (SELECT {columns} FROM {one}.{table} EXCEPT SELECT {columns} FROM {two}.{table})");
            let rows: i64 = imported.query_row(&sql, [], |row| row.get(0)).expect("a count");
            assert_eq!(rows, 0, "{table} of {one}");
        }
    }
    // All commands accept the OTLP file itself.
    for command in [["traces", "--slowest"], ["traces", "--failed"]] {
        assert_eq!(said(&[command[0], body, command[1]]), said(&[command[0], AGENT, command[1]]));
    }
    let refusal = refused(&["import", "README.md", "--db", folder.0.join("x.db").to_str().expect("a path")]);
    assert!(refusal.starts_with("README.md is a text file, such as a log"), "{refusal}");
    assert!(!folder.names().contains(&"x.db".to_owned()), "no half of a file is left");
}

#[test]
fn traces_leave_in_the_formats_of_other_programs() {
    let folder = Folder::new();
    let trace = &said(&["traces", AGENT, "--slowest", "--limit", "1", "--json"]);
    let trace: serde_json::Value = serde_json::from_str(trace).expect("JSON");
    let trace = trace["data"][0]["trace_id"].as_str().expect("an id").to_owned();
    let jaeger: serde_json::Value = serde_json::from_str(&said(&["export", AGENT, "--trace", &trace, "--format", "jaeger"])).expect("JSON");
    assert_eq!(jaeger["data"][0]["traceID"], trace.as_str());
    for (format, name) in [("otlp-json", "traces.jsonl"), ("otlp-proto", "traces.binpb"), ("jaeger", "traces.json")] {
        let out = folder.0.join(name);
        let out = out.to_str().expect("a path");
        assert_eq!(said(&["export", AGENT, "--format", format, "--output", out]), "");
        assert_eq!(said(&["traces", out, "--slowest"]), said(&["traces", AGENT, "--slowest"]), "{format} is read as the file is");
        assert!(refused(&["export", AGENT, "--format", format, "--output", out]).contains("can't be created"));
    }
    let lines = said(&["export", AGENT, "--trace", &trace, "--format", "jsonl"]);
    assert!(lines.lines().all(|line| line.contains(&trace)));
    assert_eq!(run(&["export", AGENT, "--format", "otlp-json", "--session", "s"]).status.code(), Some(2));
}

#[test]
fn odd_parameters_get_a_sentence_that_names_them() {
    let refused = |method: &str, params: &str| refused(&["query", AGENT, method, params]);
    let sentences = [
        refused("query_traces", r#"{"attribute_filters": [{"key": "a') OR 1=1 --", "op": "eq", "value": 1}]}"#),
        refused("query_traces", r#"{"attribute_filters": [{"key": "\"open", "op": "eq", "value": 1}]}"#),
        refused("query_traces", r#"{"attribute_filters": [{"key": "", "op": "eq", "value": 1}]}"#),
        refused("query_traces", r#"{"attribute_filters": [{"key": "a", "op": "like", "value": 1}]}"#),
        refused("query_traces", r#"{"attribute_filters": [{"key": "a", "op": "eq", "value": [1]}]}"#),
        refused("query_traces", r#"{"attribute_filters": {"key": "a"}}"#),
        refused("query_traces", r#"{"order_by": ["name; DROP TABLE spans"]}"#),
        refused("query_traces", r#"{"limit": "many"}"#),
        refused("query_traces", r#"{"limits": 3}"#),
        refused("query_traces", "[1]"),
        refused("query_traces", "{"),
        refused("get_trace", r#"{"trace_id": "not hex"}"#),
        refused("get_trace", "{}"),
        refused("get_span", r#"{"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "xyz"}"#),
        refused("get_span_tree", r#"{"span_id": 7}"#),
        refused("query_spans", r#"{"attribute_filters": []}"#),
        refused("save_spans_to_dataset", r#"{"attribute_filters": [], "attributes_to_save": ["a"], "dataset_id": "../../etc/passwd"}"#),
        refused("query_metrics", r#"{"metric_name": "prompt_tokens"}"#),
        refused("query_metrics", r#"{"metric_name": "m", "start_time": 0, "granularity": "soon"}"#),
        refused(
            "query_metrics",
            r#"{"metric_name": "m", "start_time": 0, "label_matchers": [{"name": "a", "value": "(", "operator": "=~"}]}"#,
        ),
        refused("drop_tables", "{}"),
    ];
    insta::assert_snapshot!(sentences.concat());
}

#[test]
fn what_is_no_telemetry_file_is_told() {
    assert!(refused(&["info", "README-that-is-not-there.db"]).contains("There is no file"));
    assert!(refused(&["info", "Cargo.toml"]).contains("Cargo.toml is a text file"));
    assert!(refused(&["traces", "samples"]).contains("is a folder"));
}

#[test]
fn a_wrong_command_line_exits_with_two() {
    for arguments in [vec!["list"], vec!["traces"], vec!["traces", AGENT, "--limit", "many"]] {
        assert_eq!(run(&arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn help_and_completions_are_there() {
    insta::assert_snapshot!(said(&["--help"]));
    let traces = said(&["traces", "--help"]);
    for info in quipu::filter::fields() {
        assert!(traces.contains(info.example), "{} is missing", info.name);
    }
    assert!(said(&["query", "--help"]).contains("query_metrics          metric_name, start_time"));
    assert!(said(&["completions", "bash"]).contains("_quipu()"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let params = r#"{"attribute_filters": [], "attributes_to_return": []}"#;
    let mut child =
        quipu().args(["query", METRICS, "query_spans", params]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let mut child = quipu().args(["search", METRICS, "a"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let mut child = quipu().args(["export", METRICS]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut first).expect("a line");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    assert!(first.starts_with("{\"trace_id\":"));
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    assert!(!said(&["traces", METRICS, "--failed"]).contains('\u{1b}'));
    assert!(said(&["traces", METRICS, "--failed", "--color", "always"]).contains("\u{1b}[31m"));
}

#[test]
fn lines_fit_the_width() {
    for width in ["60", "100", "160"] {
        let output = quipu().args(["traces", AGENT]).env("COLUMNS", width).output().expect("runs");
        let limit = width.parse::<usize>().expect("a number");
        assert!(text(&output.stdout).lines().all(|line| line.chars().count() <= limit), "{width}");
    }
}

#[test]
fn a_hot_journal_is_left_as_it_lies() {
    let folder = Folder::new();
    let path = folder.copy("tests/fixtures/db/real_live.db");
    let journal = folder.copy("tests/fixtures/db/real_live.db-journal");
    let before = (std::fs::read(&path).expect("the file"), std::fs::read(&journal).expect("the journal"));
    let info = said(&["info", path.to_str().expect("a path")]);
    assert!(info.contains("293 spans") && info.contains("real_live.db-journal was applied"), "{info}");
    assert_eq!(before, (std::fs::read(&path).expect("the file"), std::fs::read(&journal).expect("the journal")));
    assert_eq!(folder.names(), ["real_live.db", "real_live.db-journal"]);
}

/// A writer in another process (here: another connection) keeps its transaction open while the command reads, then commits.
#[test]
fn a_file_that_is_being_written_is_read_and_the_writer_goes_on() {
    let folder = Folder::new();
    let path = folder.copy("tests/fixtures/db/real_small.db");
    let path_text = path.to_str().expect("a path");
    let writer = Connection::open(&path).expect("the server's connection");
    let insert = |number: i32| {
        format!(
            "INSERT INTO spans VALUES ('{number:016x}', (SELECT trace_id FROM traces LIMIT 1), NULL, 'n', '2026-12-01T00:00:00+00:00', '2026-12-01T00:00:01+00:00', '{{}}', 'OK', 'INTERNAL');"
        )
    };
    writer.execute_batch(&format!("BEGIN IMMEDIATE; {}", insert(1))).expect("a transaction");
    assert!(said(&["info", path_text]).contains("136 spans"), "what is not committed is not there yet");
    writer.execute_batch("COMMIT").expect("the writer was not kept from it");
    assert!(said(&["info", path_text]).contains("137 spans"));

    // A concurrent writer: the command runs repeatedly at the same time.
    let thread = std::thread::spawn(move || {
        for number in 2..200 {
            writer.execute_batch(&insert(number)).expect("no write fails");
        }
    });
    let mut last = 0;
    while last < 135 + 200 {
        let answer: serde_json::Value = serde_json::from_str(&said(&["info", path_text, "--json"])).expect("JSON");
        let spans = answer["spans"].as_u64().expect("a count");
        assert!(spans >= last && spans <= 136 + 200);
        last = spans;
        if thread.is_finished() && spans >= 136 + 199 {
            break;
        }
    }
    thread.join().expect("the writer");
}

const TURN: &str = "cf1ea0dfb2d5602e420e32e4b45b6044";

/// Standard output and standard error of a successful command.
pub(crate) fn said_twice(arguments: &[&str]) -> (String, String) {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_link_stands_for_a_file_in_every_command() {
    let (link, notes) = said_twice(&[
        "export",
        AGENT,
        "--trace",
        "cf1ea0df",
        "--link",
        "--redact",
        "none",
        "--base",
        "https://quipu.example/page/#old",
    ]);
    assert!(link.starts_with("https://quipu.example/page/#v2/trace/cf1ea0dfb2d5602e420e32e4b45b6044?data="), "{link}");
    assert!(notes.contains("characters; a link of this length works in"), "{notes}");
    let link = link.trim_end();
    let folder = Folder::new();
    let mail = folder.0.join("mail.txt");
    std::fs::write(&mail, format!("Hello!\n# Trace\n<{link}>.\nRegards")).expect("a mail");
    let whole = said(&["trace", AGENT, TURN]);
    assert_eq!(said(&["trace", link, TURN]), whole);
    assert_eq!(said(&["trace", mail.to_str().expect("a path"), TURN]), whole);
    let cut = refused(&["info", &link[..link.len() - 9]]);
    assert!(cut.contains("The link is damaged"), "{cut}");
    let later = refused(&["info", "#v1/trace/a?data=AwAAAAAAAA"]);
    assert!(later.contains("made by a later Quipu: its data has version 3"), "{later}");
}

#[test]
fn a_link_of_structure_holds_nothing_that_was_said_and_is_short() {
    let (link, notes) = said_twice(&["export", AGENT, "--trace", TURN, "--link", "--redact", "structure"]);
    assert!(link.len() < 2_000, "{} letters", link.len());
    assert!(notes.contains("Prompts: ") && notes.contains("Discord"), "{notes}");
    let spans = said(&["--json", "trace", link.trim_end(), "00000000000000000000000000000001"]);
    assert!(spans.contains("InferenceRouter.chat_completion") && !spans.contains("docs again"));
}

#[test]
fn a_link_is_made_to_fit_or_refused() {
    let (link, notes) = said_twice(&["export", AGENT, "--trace", TURN, "--link", "--limit", "6000"]);
    assert!(link.trim_end().len() <= 6_000, "{}", link.len());
    assert!(notes.contains("Omitted to fit: "), "{notes}");
    let refusal = refused(&["export", AGENT, "--trace", TURN, "--link", "--limit", "400"]);
    assert!(refusal.contains("which is more than 400"), "{refusal}");
}

#[test]
fn markdown_is_written_and_kinds_are_taken_out_of_it_and_of_databases() {
    let (page, _) = said_twice(&["export", AGENT, "--trace", TURN, "--markdown", "--tokens", "2000"]);
    assert!(page.starts_with("# Trace `") && page.contains("docs again"), "{page}");
    let (page, notes) = said_twice(&["export", AGENT, "--trace", TURN, "--markdown", "--redact", "prompts,ids"]);
    assert!(!page.contains("docs again") && !page.contains(TURN), "{page}");
    assert!(notes.contains("Ids: "), "{notes}");
    let folder = Folder::new();
    let file = folder.0.join("one.db");
    said(&["export", AGENT, "--trace", TURN, "--db", file.to_str().expect("a path"), "--redact", "prompts"]);
    let bytes = std::fs::read(&file).expect("a database");
    assert!(!text(&bytes).contains("docs again") && text(&bytes).contains(TURN));
    let wrong = run(&["export", AGENT, "--trace", TURN, "--markdown", "--redact", "prompts,colour"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("--redact: unknown kind \"colour\""));
}

#[test]
fn promql_prints_a_table_and_the_document_of_prometheus() {
    let query = "sum by (model_id) (llama_stack_tokens_total)";
    insta::assert_snapshot!(said(&["promql", METRICS, query]));
    let json: serde_json::Value = serde_json::from_str(&said(&["promql", METRICS, query, "--json"])).expect("JSON");
    assert_eq!((&json["status"], &json["data"]["resultType"]), (&"success".into(), &"vector".into()));
    let steps = said(&["promql", METRICS, "sum(quipu_requests_total)", "--step", "1m", "--json"]);
    let steps: serde_json::Value = serde_json::from_str(&steps).expect("JSON");
    assert_eq!(steps["data"]["resultType"], "matrix");
    let values = steps["data"]["result"][0]["values"].as_array().expect("values");
    let times: Vec<i64> = values.iter().filter_map(|pair| pair[0].as_i64()).collect();
    assert!(times.len() > 1 && times.windows(2).all(|pair| pair[1] - pair[0] == 60), "{times:?}");
    let table = said(&["promql", METRICS, "sum(quipu_requests_total)", "--step", "60"]);
    assert_eq!(table.lines().count(), values.len() + 1, "{table}");
}

#[test]
fn promql_lists_the_exemplars_of_the_series_of_a_query() {
    let folder = Folder::new();
    let db = folder.0.join("points.db").to_string_lossy().into_owned();
    let fixture =
        |name: &str| quipu_tests::fixtures::repository().join("tests/fixtures/otlp/modern").join(name).to_string_lossy().into_owned();
    said(&["import", &fixture("traceloop-openai-047_metrics.binpb.gz"), "--db", &db]);
    let sql = rusqlite::Connection::open(&db).expect("SQLite opens the file");
    let of_sql = "SELECT (one.value ->> 'trace_id') || '  ' || (one.value ->> 'span_id')
        FROM quipu_metric_points, json_each(detail, '$.exemplars') AS one WHERE metric = 'gen_ai.client.token.usage'
        ORDER BY one.value ->> 'time_unix_nano' DESC";
    let recorded = quipu_tests::fixtures::texts(&sql, of_sql).expect("SQL");
    let table = said(&["promql", &db, "gen_ai_client_token_usage_sum", "--exemplars"]);
    let mut lines = table.lines();
    let heads: Vec<&str> = lines.next().expect("a heading").split_whitespace().collect();
    assert_eq!(heads, ["TIME", "(UTC)", "VALUE", "TRACE", "SPAN", "SERIES"]);
    assert!(lines.clone().count() == recorded.len() && lines.zip(&recorded).all(|(line, ids)| line.contains(ids.as_str())), "{table}");
    let json = said(&["promql", &db, "sum(rate(gen_ai_client_token_usage_sum[5m]))", "--exemplars", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let lengths = json["data"].as_array().expect("series").iter().map(|series| series["exemplars"].as_array().map_or(0, Vec::len));
    assert_eq!((&json["status"], lengths.sum::<usize>(), &json["warnings"]), (&"success".into(), recorded.len(), &serde_json::Value::Null));
    let none = "These series have no exemplar at that time.";
    assert_eq!(said(&["promql", &db, "gen_ai_client_token_usage_sum", "--exemplars", "--time", "90"]).trim(), none);
    assert_eq!(run(&["promql", &db, "sum(", "--exemplars"]).status.code(), Some(2));
    assert_eq!(run(&["promql", &db, "a", "--exemplars", "--step", "1m"]).status.code(), Some(2));
}

#[test]
fn promql_says_when_there_are_more_exemplars_than_it_lists() {
    let folder = Folder::new();
    let (body, db) = (folder.0.join("many.json"), folder.0.join("many.db").to_string_lossy().into_owned());
    let exemplars: Vec<serde_json::Value> =
        (1..=1_002).map(|at| serde_json::json!({ "timeUnixNano": format!("17000{at:05}000000000"), "asInt": at.to_string() })).collect();
    let point = serde_json::json!({ "timeUnixNano": "1700009999000000000", "asInt": "5", "exemplars": exemplars });
    let metric = serde_json::json!({ "name": "app.requests", "gauge": { "dataPoints": [point] } });
    let sent = serde_json::json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [metric] }] }] });
    std::fs::write(&body, sent.to_string()).expect("a file");
    said(&["import", &body.to_string_lossy(), "--db", &db]);
    let table = said(&["promql", &db, "app_requests", "--exemplars"]);
    assert_eq!((table.lines().count(), table.lines().last()), (1_002, Some("The latest 1,000 of 1,002 exemplars.")));
    let json: serde_json::Value = serde_json::from_str(&said(&["promql", &db, "app_requests", "--exemplars", "--json"])).expect("JSON");
    assert_eq!(json["warnings"], serde_json::json!(["The latest 1,000 of 1,002 exemplars."]));
    let list = json["data"][0]["exemplars"].as_array().expect("exemplars");
    assert_eq!((list.len(), &list[0]), (1_000, &serde_json::json!({ "labels": {}, "value": "3", "timestamp": 1_700_000_003.0 })));
}

#[test]
fn promql_reads_series_as_they_are() {
    let folder = Folder::new();
    let series = folder.0.join("series.txt");
    std::fs::write(&series, "a{b=\"1\"} 1 100\na{b=\"1\"} 7 160.5\n# EOF\n").expect("a file");
    let series = series.to_string_lossy().into_owned();
    let json: serde_json::Value = serde_json::from_str(&said(&["promql", "--openmetrics", &series, "a", "--json"])).expect("JSON");
    let expected = serde_json::json!([{ "metric": { "__name__": "a", "b": "1" }, "value": [160.5, "7"] }]);
    assert_eq!(json["data"]["result"], expected);
    assert_eq!(said(&["promql", "--openmetrics", &series, "scalar(a)", "--time", "1970-01-01T00:02:00Z"]).trim(), "1");
    assert_eq!(said(&["promql", "--openmetrics", &series, "a", "--time", "90"]).trim(), "No series has a value at that time.");
    let output = run(&["promql", "--openmetrics", &series, "increase(a[2m])", "--time", "170", "--exact"]);
    let exact = text(&output.stdout);
    assert!(exact.lines().nth(1).is_some_and(|line| line.trim_start().starts_with('6')), "{exact}");
    let note = "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"a\" (1:10)";
    assert_eq!(text(&output.stderr).trim(), note);
    let json: serde_json::Value =
        serde_json::from_str(&said(&["promql", "--openmetrics", &series, "increase(a[2m])", "--json"])).expect("JSON");
    assert_eq!(json["infos"], serde_json::json!([note]));
}

#[test]
fn wrong_promql_is_drawn_with_its_place_or_told_in_the_document() {
    let output = run(&["promql", METRICS, "rate(total_tokens)"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "rate(total_tokens)\n     ^^^^^^^^^^^^\nrate takes a range vector here, not an instant vector. Add a range after the metric: [5m].\n"
    );
    let output = run(&["promql", METRICS, "rate(total_tokens)", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&text(&output.stdout)).expect("JSON");
    assert_eq!((output.status.code(), &json["errorType"]), (Some(1), &"bad_data".into()));
    for arguments in [
        vec!["promql", "total_tokens"],
        vec!["promql", METRICS, "1", "--time", "yesterday"],
        vec!["promql", METRICS, "1", "--step", "often"],
        vec!["promql", METRICS, "1", "--scrape", "0s"],
    ] {
        let output = run(&arguments);
        assert_eq!((output.status.code(), text(&output.stderr).lines().count()), (Some(2), 1), "{arguments:?}");
    }
    assert!(refused(&["promql", "--openmetrics", "Cargo.toml", "1"]).contains("Line 1"), "no series");
}

#[test]
fn sql_prints_a_table_and_objects() {
    let query = "SELECT route, count(*) AS requests, max(duration_ms) AS slowest FROM requests GROUP BY route ORDER BY 2 DESC, 1 LIMIT 3";
    insta::assert_snapshot!(said(&["sql", METRICS, query]));
    insta::assert_snapshot!(said(&["sql", METRICS, query, "--json"]));
    assert_eq!(said(&["sql", METRICS, "SELECT span_id FROM spans", "--limit", "2"]).lines().count(), 4);
    assert!(refused(&["sql", METRICS, "DELETE FROM spans"]).contains("only read"));
}

/// A file of OTLP with a key in each place that can hold one: attributes, events, status messages, links, resources, scopes, loose records.
fn file_with_keys(folder: &Folder) -> PathBuf {
    let key = |number: usize| format!("sk-proj-{number:03}abcdEFGH5678");
    let text = |number: usize| serde_json::json!({ "stringValue": format!("using {} here", key(number)) });
    let attribute = |name: &str, number: usize| serde_json::json!([{ "key": name, "value": text(number) }]);
    let span = |id: &str, parent: &str, number: usize| {
        serde_json::json!({
            "traceId": "cf1ea0dfb2d5602e420e32e4b45b6044", "spanId": id, "parentSpanId": parent, "name": "inference", "kind": 1,
            "startTimeUnixNano": "1790000000000000000", "endTimeUnixNano": "1790000001000000000",
            "attributes": [
                { "key": "own", "value": text(number) },
                { "key": "password", "value": { "intValue": "31415926535" } },
                { "key": "formula", "value": { "stringValue": "=1+1" } }
            ],
            "events": [{ "timeUnixNano": "1790000000500000000", "name": "said", "attributes": attribute("message", number + 1) }],
            "links": [{ "traceId": "cf1ea0dfb2d5602e420e32e4b45b6045", "spanId": "77d3615b3d4bfbc1", "attributes": attribute("why", number + 2) }],
            "status": { "code": 2, "message": format!("password={}", key(number + 3)) }
        })
    };
    let spans = serde_json::json!([span("77d3615b3d4bfbc0", "", 0), span("fad0c33db941cd45", "77d3615b3d4bfbc0", 10)]);
    let resource = serde_json::json!({ "attributes": [
        { "key": "service.name", "value": { "stringValue": "atlantis" } },
        { "key": "process.command_line", "value": { "stringValue": format!("run --api-key {}", key(20)) } }
    ] });
    let scope = serde_json::json!({ "name": "tracer", "attributes": attribute("x", 21) });
    let record = serde_json::json!({ "timeUnixNano": "1790000000000000000", "severityNumber": 9, "body": text(22), "attributes": attribute("y", 23) });
    let point = serde_json::json!({ "timeUnixNano": "1790000000000000000", "asInt": "85000", "attributes": attribute("z", 24) });
    let lines = [
        serde_json::json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "scope": scope, "spans": spans }] }] }),
        serde_json::json!({ "resourceLogs": [{ "resource": resource, "scopeLogs": [{ "logRecords": [record] }] }] }),
        serde_json::json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [{ "name": "salary", "gauge": { "dataPoints": [point] } }] }] }] }),
    ];
    let path = folder.0.join("keys.jsonl");
    std::fs::write(&path, lines.map(|line| line.to_string()).join("\n")).expect("a file");
    path
}

#[test]
fn every_format_is_redacted_when_asked_and_warns_of_keys_otherwise() {
    let folder = Folder::new();
    let file = file_with_keys(&folder);
    let file = file.to_str().expect("a path");
    for format in ["jsonl", "csv", "otlp-json", "otlp-proto", "jaeger", "chrome"] {
        let out = |more: &[&str]| {
            let output = run(&[&["export", file, "--format", format], more].concat());
            assert!(output.status.success(), "{format}: {}", text(&output.stderr));
            (text(&output.stdout), text(&output.stderr))
        };
        let (whole, warning) = out(&[]);
        assert!(whole.contains("abcdEFGH5678") && whole.contains("31415926535") | (format == "otlp-proto"), "{format}: {whole}");
        assert!(warning.contains("values look like keys or passwords; --redact secrets removes them."), "{format}: {warning}");
        let (same, silence) = out(&["--redact", "none"]);
        assert_eq!(same, whole, "{format}");
        // Formats of spans say what they have no place for.
        let expected = match format {
            "otlp-json" => "",
            "csv" => {
                "Left out, because the format has no place for them: 2 events, 1 log record without a span, 1 metric point. --format otlp-json has everything.\n"
            }
            _ => {
                "Left out, because the format has no place for them: 1 log record without a span, 1 metric point. --format otlp-json has everything.\n"
            }
        };
        assert_eq!(silence, expected, "{format}");
        let (left, report) = out(&["--redact", "secrets"]);
        assert!(!left.contains("abcdEFGH5678") && !left.contains("31415926535") && left.contains("[key taken out]"), "{format}: {left}");
        assert!(report.contains("Keys and passwords: removed from") && !report.contains("look like"), "{format}: {report}");
        let (left, _) = out(&["--redact", "structure"]);
        for private in [
            "abcdEFGH5678",
            "31415926535",
            "using",
            "atlantis",
            "77d3615b3d4bfbc0",
            "cf1ea0dfb2d5602e420e32e4b45b6044",
            "85000",
            "salary",
            "formula",
        ] {
            assert!(!left.contains(private), "{format} holds {private}: {left}");
        }
        assert!(left.contains("taken out]"), "{format}: {left}");
    }
    // Chosen attributes, whose names are columns.
    let chosen = ["export", file, "--attribute", "own", "--format", "csv", "--redact", "structure"];
    let (left, _) = said_twice(&chosen);
    assert!(!left.contains("own") && !left.contains("EFGH") && left.starts_with("trace_id,") && left.lines().count() == 3, "{left}");
    let (_, warning) = said_twice(&["export", file, "--db", folder.0.join("whole.db").to_str().expect("a path")]);
    assert!(warning.contains("--redact secrets removes"), "{warning}");
}

#[test]
fn a_pseudonym_is_the_same_in_a_whole_export() {
    let (lines, _) = said_twice(&["export", AGENT, "--format", "otlp-json", "--redact", "ids"]);
    let spans: Vec<serde_json::Value> = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .flat_map(|line| line["resourceSpans"].as_array().cloned().unwrap_or_default())
        .flat_map(|resource| resource["scopeSpans"].as_array().cloned().unwrap_or_default())
        .flat_map(|scope| scope["spans"].as_array().cloned().unwrap_or_default())
        .collect();
    let of = |key: &str| spans.iter().filter_map(|span| span[key].as_str().map(str::to_owned)).collect::<Vec<_>>();
    let ids: std::collections::BTreeSet<String> = of("spanId").into_iter().collect();
    assert_eq!(ids.len(), spans.len(), "no two spans have the same pseudonym");
    assert!(spans.len() > 400 && of("parentSpanId").iter().filter(|parent| !parent.is_empty()).all(|parent| ids.contains(parent)));
}

#[test]
fn formulas_are_defused_in_csv_unless_it_is_raw() {
    let folder = Folder::new();
    let file = file_with_keys(&folder);
    let file = file.to_str().expect("a path");
    let chosen = ["export", file, "--attribute", "formula", "--format", "csv"];
    assert!(said(&chosen).lines().nth(1).is_some_and(|row| row.ends_with(",'=1+1")));
    assert!(said(&[&chosen[..], &["--raw"]].concat()).lines().nth(1).is_some_and(|row| row.ends_with(",=1+1")));
    let traces = ["export", AGENT, "--trace", TURN, "--format", "csv"];
    assert_eq!(said(&traces), said(&[&traces[..], &["--raw"]].concat()));
}

#[test]
fn a_redacted_trace_says_so_as_markdown_and_in_a_link() {
    for kinds in ["structure", "prompts,outputs,tools"] {
        let (page, _) = said_twice(&["export", AGENT, "--trace", TURN, "--markdown", "--redact", kinds]);
        assert!(page.contains("prompt taken out]") && page.contains("output taken out]"), "{page}");
        assert!(!page.contains("answer was not recorded"), "{page}");
        let (link, _) = said_twice(&["export", AGENT, "--trace", TURN, "--link", "--redact", kinds]);
        let (spans, _) = said_twice(&["export", link.trim_end(), "--format", "jsonl"]);
        assert!(spans.contains("output taken out]"), "{spans}");
    }
}

#[test]
fn log_records_are_listed_found_and_counted() {
    const LOGS: &str = "tests/fixtures/otlp/agent_logs.jsonl";
    let listed = said(&["logs", LOGS, "tool:Bash"]);
    assert!(listed.contains("claude_code.tool_result") && listed.ends_with("1 of 1 match\n"), "{listed}");
    let found = said(&["search", LOGS, "FIX THE bug"]);
    assert!(found.contains("claude_code.user_prompt") && found.contains("prompt: fix the bug"), "{found}");
    let json: serde_json::Value = serde_json::from_str(&said(&["logs", LOGS, "--oldest", "--limit", "1", "--json"])).expect("JSON");
    let record = &json["data"][0];
    assert_eq!(
        (&json["total"], &record["attributes"]["prompt"], &record["service_name"]),
        (&4.into(), &"fix the bug".into(), &"claude-code".into())
    );
    let info = said(&["info", LOGS]);
    assert!(info.contains("4 log records") && info.contains("2025-10-09 08:53:20.000 UTC to 2025-10-09 08:53:28.000 UTC"), "{info}");
    assert_eq!(run(&["logs", LOGS, "no such text"]).status.code(), Some(1));
    assert_eq!(run(&["logs", LOGS, "--severity", "loud"]).status.code(), Some(2));
    let warnings = said(&["logs", METRICS, "--severity", "warn", "--limit", "3"]);
    assert!(warnings.contains("warn") && !warnings.contains("info"), "{warnings}");
}

#[test]
fn a_trace_is_printed_with_the_logs_that_name_no_span_of_it() {
    let folder = Folder::new();
    let file = folder.0.join("all.json");
    let record = |rest: &str| format!(r#"{{"traceId":"0af7651916cd43dd8448eb211c80319c",{rest},"severityNumber":9}}"#);
    let logs = [
        record(r#""timeUnixNano":"1700000003000000000","body":{"stringValue":"later"}"#),
        record(r#""timeUnixNano":"1700000002000000000","spanId":"ffffffffffffffff","body":{"stringValue":"earlier"}"#),
        record(r#""timeUnixNano":"1700000001000000000","spanId":"b7ad6b7169203331","body":{"stringValue":"of the span"}"#),
    ];
    let span = r#"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"order",
        "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000009000000000"}"#;
    let body = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}],"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{}]}}]}}]}}"#,
        logs.join(",")
    );
    std::fs::write(&file, body).expect("a file");
    let file = file.to_string_lossy().into_owned();
    let printed = said(&["trace", &file, "0af7"]);
    let lines: Vec<&str> = printed.lines().collect();
    let [.., heading, first, second] = lines.as_slice() else { panic!("{printed}") };
    assert_eq!(*heading, "logs that belong to the trace, and to no span of the file");
    assert!(first.ends_with("earlier") && first.starts_with("2023-11-14 22:13:22") && second.ends_with("later"), "{printed}");
    let json: serde_json::Value = serde_json::from_str(&said(&["trace", &file, "0af7", "--json"])).expect("JSON");
    let messages: Vec<&str> = json["logs"].as_array().expect("logs").iter().filter_map(|log| log["message"].as_str()).collect();
    assert_eq!(messages, ["earlier", "later"]);
}
