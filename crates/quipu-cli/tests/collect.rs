//! `quipu collect` over HTTP, with a file that is read at the same time.

use crate::support::{Collecting, GZIP, JSON, PROTOBUF, answer, count, deflate, fresh, gzip, quipu, read, rows};
use quipu_tests::collector::Collector;
use quipu_tests::load::{Load, Protocol};
use quipu_tests::{Scratch, fixtures};
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const TRACES: &str = "tests/fixtures/otlp/small_0.2.15_traces.binpb";
/// All columns except `created_at`, the time of writing. Rows by id: the two sinks wrote in their own order.
const TABLES: [&str; 3] = [
    "SELECT trace_id, service_name, root_span_id, start_time, end_time FROM traces ORDER BY trace_id",
    "SELECT * FROM spans ORDER BY span_id",
    "SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY span_id, timestamp, attributes",
];
/// All columns, in file order.
const ALL: [&str; 3] = ["SELECT * FROM traces", "SELECT * FROM spans", "SELECT * FROM span_events"];

#[test]
fn bodies_of_a_run_become_the_database_of_that_run_in_any_encoding_and_however_often_they_come() {
    let lines = {
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(read("tests/fixtures/otlp/small_0.2.15_traces.jsonl.gz").as_slice())
            .read_to_string(&mut text)
            .expect("gzip");
        text
    };
    let protobuf = read(TRACES);
    let json: Vec<Vec<u8>> = lines.lines().map(|line| line.as_bytes().to_vec()).collect();
    let packed: Vec<Vec<u8>> = json.iter().map(|body| gzip(body)).collect();
    let recorded = fixtures::repository().join("tests/fixtures/db/real_small.db");
    for (headers, bodies) in [
        (vec![PROTOBUF], vec![protobuf.clone()]),
        (vec![PROTOBUF, GZIP], vec![gzip(&protobuf)]),
        (vec![JSON], json),
        (vec![JSON, GZIP], packed),
        (vec![PROTOBUF, ("content-encoding", "deflate")], vec![deflate(&protobuf)]),
        (vec![PROTOBUF, ("content-encoding", "zstd")], vec![zstd::encode_all(protobuf.as_slice(), 0).expect("memory")]),
    ] {
        let (_folder, db) = fresh();
        let collecting = Collecting::start(&db, &["--layout", "llama-stack"]);
        for _ in 0..2 {
            for body in &bodies {
                let answer = collecting.post("/v1/traces", &headers, body);
                assert_eq!((answer.status, answer.header("content-type")), (200, Some(headers[0].1)), "{}", answer.text());
                assert_eq!(answer.text(), if headers[0] == JSON { "{}" } else { "" });
            }
            // Acknowledged data is in the file while the collector runs.
            for table in TABLES {
                assert_eq!(rows(&db, table), rows(&recorded, table), "{headers:?} {table}");
            }
        }
        collecting.end();
        let schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'quipu_%' AND tbl_name NOT LIKE 'quipu_%' ORDER BY name";
        assert_eq!(rows(&db, schema), rows(&recorded, schema), "the schema to the byte");
    }
}

#[test]
fn what_is_collected_is_what_an_import_makes_of_the_same_bodies() {
    for name in [
        "agent_0.2.15_traces.binpb.gz",
        "direct_0.2.23_traces.binpb",
        "genai_messages_traces.binpb",
        "openinference_traces.binpb",
    ] {
        let (folder, db) = fresh();
        let path = fixtures::repository().join("tests/fixtures/otlp").join(name);
        let imported = folder.path().join("imported.db");
        let done = quipu().args(["import"]).arg(&path).arg("--db").arg(&imported).stdout(Stdio::null()).status().expect("it runs");
        assert!(done.success());
        let collecting = Collecting::start(&db, &[]);
        let headers: &[(&str, &str)] = if name.ends_with(".gz") { &[PROTOBUF, GZIP] } else { &[PROTOBUF] };
        assert_eq!(collecting.post("/v1/traces", headers, &std::fs::read(&path).expect("the fixture")).status, 200);
        collecting.end();
        for table in ALL.into_iter().chain(["SELECT * FROM quipu_sources", "SELECT * FROM quipu_span_extra"]) {
            assert_eq!(rows(&db, table), rows(&imported, table), "{name} {table}");
        }
    }
}

#[test]
fn logged_prompts_join_their_spans_whichever_comes_first() {
    let bodies = [
        ("/v1/logs", read("tests/fixtures/otlp/genai_events_logs.binpb")),
        ("/v1/traces", read("tests/fixtures/otlp/genai_events_traces.binpb")),
    ];
    let events = "SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY span_id, timestamp, name, attributes";
    let (folder, imported) = fresh();
    let files = bodies.iter().enumerate().map(|(at, (_, body))| folder.write(&at.to_string(), body).expect("a file"));
    let done = quipu().arg("import").args(files).arg("--db").arg(&imported).stdout(Stdio::null()).status().expect("it runs");
    assert!(done.success());
    let expected = rows(&imported, events);
    assert!(expected.iter().any(|row| row[1] == "gen_ai.user.message"), "{expected:?}");
    for order in [[0, 1], [1, 0]] {
        let (_folder, db) = fresh();
        let collecting = Collecting::start(&db, &[]);
        for at in order {
            let (path, body) = &bodies[at];
            // An exporter without an answer sends the same again.
            assert_eq!(collecting.post(path, &[PROTOBUF], body).status, 200);
            assert_eq!(collecting.post(path, &[PROTOBUF], body).status, 200);
        }
        assert_eq!(rows(&db, events), expected, "complete before the collector ends");
        collecting.end();
        assert_eq!(rows(&db, events), expected);
        assert_eq!(waiting(&db), 0, "no record waits");
    }
}

#[test]
fn logs_wait_for_their_spans_across_an_end_and_a_new_begin() {
    let (_folder, db) = fresh();
    for (path, name) in [("/v1/logs", "genai_events_logs.binpb"), ("/v1/traces", "genai_events_traces.binpb")] {
        let collecting = Collecting::start(&db, &[]);
        assert_eq!(collecting.post(path, &[PROTOBUF], &read(&format!("tests/fixtures/otlp/{name}"))).status, 200);
        collecting.end();
    }
    assert_eq!(count(&db, "SELECT count(*) FROM span_events WHERE name = 'gen_ai.choice'"), 2);
    assert_eq!(waiting(&db), 0);
}

/// The number of log records without a span.
fn waiting(db: &std::path::Path) -> u64 {
    let is_there = count(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'quipu_log_records'") > 0;
    if is_there { count(db, "SELECT count(*) FROM quipu_log_records WHERE span_row IS NULL") } else { 0 }
}

#[test]
fn files_of_every_release_go_on_and_nothing_in_them_changes() {
    let sent = read("tests/fixtures/otlp/openinference_traces.binpb");
    for fixture in fixtures::ALL {
        let (one, other) = (Scratch::new().expect("a folder"), Scratch::new().expect("a folder"));
        let copy = |folder| fixture.copy(folder, true).expect("a copy");
        let (before, db) = (copy(&one), copy(&other));
        if fixture.has_journal {
            // SQLite itself rolls back the copy.
            rusqlite::Connection::open(&before)
                .and_then(|it| it.query_row("SELECT count(*) FROM spans", [], |_| Ok(())))
                .expect("it opens");
        }
        let collecting = Collecting::start(&db, &[]);
        assert_eq!(collecting.post("/v1/traces", &[PROTOBUF], &sent).status, 200, "{}", fixture.name);
        collecting.end();
        for table in ALL {
            let (before, after) = (rows(&before, table), rows(&db, table));
            assert!(after.starts_with(&before), "{} {table}", fixture.name);
            assert!(after.len() > before.len(), "{} {table}", fixture.name);
        }
        assert_eq!(rows(&db, "PRAGMA integrity_check"), [["ok"]], "{}", fixture.name);
    }
}

#[test]
fn what_is_no_telemetry_file_is_refused_and_left_as_it_is() {
    let (folder, db) = fresh();
    rusqlite::Connection::open(&db).and_then(|it| it.execute_batch("CREATE TABLE notes (text)")).expect("a database");
    let text = folder.write("notes.txt", "Dear reader, this is long enough to be no database at all.").expect("a file");
    for (path, words) in [
        (&db, "not a telemetry file: it has notes"),
        (&text, "is a text file"),
        (&folder.path().to_owned(), "is a folder"),
    ] {
        let before = std::fs::read(path).ok();
        let output = quipu().args(["collect", "--listen", "127.0.0.1:0", "--db"]).arg(path).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(words) && said.lines().count() == 1, "{said}");
        assert_eq!(std::fs::read(path).ok(), before);
    }
}

#[test]
fn what_may_not_come_in_is_refused_and_nothing_is_written() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    let body = read(TRACES);
    let status = |method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        let answer = collecting.ask(method, path, headers, body);
        assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("access-control")), "{answer:?}");
        answer.status
    };
    let own = collecting.address.to_string();
    for (expected, method, path, headers) in [
        (403, "POST", "/v1/traces", vec![PROTOBUF, ("host", "example.org")]),
        (403, "POST", "/v1/traces", vec![PROTOBUF, ("host", "localhost.example.org:4318")]),
        (403, "GET", "/metrics", vec![("host", "rebound.example.org")]),
        (403, "POST", "/v1/traces", vec![PROTOBUF, ("origin", "http://example.org")]),
        (403, "POST", "/v1/traces", vec![PROTOBUF, ("sec-fetch-site", "cross-site")]),
        (403, "GET", "/metrics", vec![("sec-fetch-site", "same-site")]),
        (405, "OPTIONS", "/v1/traces", vec![("access-control-request-method", "POST")]),
        (405, "GET", "/v1/traces", vec![]),
        (405, "POST", "/metrics", vec![]),
        (404, "POST", "/v1/nothing", vec![PROTOBUF]),
        (404, "GET", "/", vec![]),
        (415, "POST", "/v1/traces", vec![]),
        (415, "POST", "/v1/traces", vec![("content-type", "text/plain")]),
        (415, "POST", "/v1/traces", vec![("content-type", "application/x-www-form-urlencoded")]),
        (415, "POST", "/v1/traces", vec![PROTOBUF, ("content-encoding", "br")]),
        (400, "POST", "/v1/traces", vec![JSON]),
        (400, "POST", "/v1/traces", vec![PROTOBUF, GZIP]),
    ] {
        assert_eq!(status(method, path, &headers, &body), expected, "{method} {path} {headers:?}");
    }
    // Invalid bodies, and one that decompresses beyond the limit: 65 MB of zeros are 64 KB.
    for (expected, headers, body) in [
        (400, vec![PROTOBUF], body[..body.len() - 1].to_vec()),
        (400, vec![PROTOBUF], b"{}".to_vec()),
        (400, vec![JSON], b"{\"resourceSpans\": [".to_vec()),
        (413, vec![PROTOBUF, GZIP], gzip(&vec![0; 65 << 20])),
        (413, vec![PROTOBUF, ("content-length", "99999999")], Vec::new()),
    ] {
        assert_eq!(status("POST", "/v1/traces", &headers, &body), expected, "{headers:?}");
    }
    let tables = ["traces", "spans", "span_events"];
    assert!(tables.iter().all(|table| count(&db, &format!("SELECT count(*) FROM {table}")) == 0));
    for headers in [
        vec![PROTOBUF, ("host", "localhost:1")],
        vec![("content-type", "application/x-protobuf; charset=x")],
        vec![PROTOBUF, ("origin", &format!("http://{own}"))],
    ] {
        assert_eq!(status("POST", "/v1/traces", &headers, &body), 200, "{headers:?}");
    }
}

#[test]
fn refusals_are_a_status_in_the_encoding_of_the_request() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    let json = collecting.post("/v1/traces", &[JSON], b"nonsense");
    assert_eq!((json.status, json.header("content-type")), (400, Some("application/json")));
    let status: serde_json::Value = serde_json::from_slice(&json.body).expect("JSON");
    assert_eq!(status, serde_json::json!({ "code": 3, "message": "The body is not valid JSON. Nothing of it was kept." }));
    let protobuf = collecting.post("/v1/traces", &[PROTOBUF], b"nonsense");
    assert_eq!((protobuf.status, protobuf.header("content-type")), (400, Some("application/x-protobuf")));
    let words = b"The body is not a valid protobuf request. Nothing of it was kept.";
    assert_eq!(protobuf.body, [&[0x08, 3, 0x12, words.len() as u8], words.as_slice()].concat());
}

#[test]
fn spans_without_ids_are_told_of_and_the_others_are_kept() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    let body = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"kept"},
        {"spanId":"b7ad6b7169203332","name":"of no trace"}]}]}]}"#;
    let answer = collecting.post("/v1/traces", &[JSON], body);
    let said: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!((answer.status, &said["partialSuccess"]["rejectedSpans"]), (200, &serde_json::json!("1")), "{said}");
    assert_eq!(rows(&db, "SELECT name FROM spans"), [["kept"]]);
    assert_eq!(collecting.counter("quipu_collect_refused_total{signal=\"traces\"}"), 1);
}

#[test]
fn others_need_a_flag_and_a_token_and_a_token_is_asked_for() {
    let (folder, db) = fresh();
    for (arguments, words) in [
        (vec!["--listen", "0.0.0.0:0"], "--allow-remote and a token"),
        (vec!["--listen", "0.0.0.0:0", "--allow-remote"], "give a token"),
        (vec!["--listen", "nowhere"], "127.0.0.1:4318"),
    ] {
        let output = quipu().args(["collect", "--db"]).arg(&db).args(&arguments).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(words), "{said}");
        assert!(!db.exists(), "nothing was made");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().expect("bound").to_string();
    let output = quipu().args(["collect", "--listen", &listen, "--db"]).arg(&db).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("Another program listens on") && !db.exists(), "{said}");
    let token = folder.write("token", "a-token-of-more-than-16-letters\n").expect("a file");
    let collecting = Collecting::start(&db, &["--token-file", token.to_str().expect("a path")]);
    let body = read(TRACES);
    for (expected, headers) in [
        (401, vec![PROTOBUF]),
        (401, vec![PROTOBUF, ("authorization", "Bearer another-token-of-16-letters")]),
        (200, vec![PROTOBUF, ("authorization", "Bearer a-token-of-more-than-16-letters")]),
    ] {
        assert_eq!(collecting.post("/v1/traces", &headers, &body).status, expected, "{headers:?}");
    }
    assert_eq!(collecting.ask("GET", "/metrics", &[], b"").status, 401);
}

#[test]
fn a_request_that_was_begun_is_answered_before_the_end() {
    let (_folder, db) = fresh();
    let mut collecting = Collecting::start(&db, &[]);
    let (body, mut stream) = (read(TRACES), collecting.connect());
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    // The server has started with the request when it asks for the body.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).expect("an answer");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    collecting.signal("TERM");
    assert!(collecting.says().contains("finishing pending requests"));
    stream.write_all(&body).expect("sent");
    assert_eq!(answer(stream).status, 200);
    assert!(collecting.process.wait().expect("it ends").success());
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 136);
}

#[test]
fn a_file_that_cant_be_written_is_told_and_the_request_may_come_again() {
    let (_folder, db) = fresh();
    let mut collecting = Collecting::start(&db, &[]);
    let other = rusqlite::Connection::open(&db).expect("it opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let refused = collecting.post("/v1/traces", &[JSON], &read("tests/fixtures/otlp/direct_0.2.23_traces.json"));
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")), "{}", refused.text());
    assert!(collecting.says().contains("another program is writing it"));
    other.execute_batch("ROLLBACK").expect("the lock goes");
    assert_eq!(collecting.post("/v1/traces", &[JSON], &read("tests/fixtures/otlp/direct_0.2.23_traces.json")).status, 200);
    assert!(collecting.says().contains("is written again"));
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_when_the_process_is_killed() {
    killed_halfway(Protocol::Http);
}

#[test]
fn nothing_acknowledged_over_grpc_is_lost_or_doubled_when_the_process_is_killed() {
    killed_halfway(Protocol::Grpc);
}

fn killed_halfway(protocol: Protocol) {
    let (_folder, db) = fresh();
    let first = Collecting::start(&db, &[]);
    let load = Load {
        to: first.address,
        protocol,
        connections: 4,
        spans: 50,
        requests: Some(120),
        time: Duration::from_secs(600),
        rest: Duration::ZERO,
    };
    let give_up = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        let sending = scope.spawn(|| load.send(&give_up));
        // At this point, some requests are answered and others wait.
        while first.counter("quipu_collect_commits_total") < 5 {}
        let address = first.address.to_string();
        first.signal("KILL");
        drop(first);
        let mut command = quipu();
        command.arg("collect").arg("--db").arg(&db).args(["--listen", &address]);
        let second = Collecting::run(command);
        let outcome = sending.join().expect("no panic").expect("sent");
        second.end();
        outcome
    });
    assert_eq!(outcome.acknowledged.len(), 120);
    assert!(outcome.retries > 0, "somebody was interrupted");
    load.check(&db, &outcome).expect("all is there, once");
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 120 * 50);
    assert_eq!(count(&db, "SELECT count(*) FROM traces"), 120 * 5);
}

#[test]
fn readers_see_whole_transactions_while_it_is_written() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    let load = Load {
        to: collecting.address,
        protocol: Protocol::Http,
        connections: 2,
        spans: 50,
        requests: Some(60),
        time: Duration::from_secs(600),
        rest: Duration::ZERO,
    };
    let give_up = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| load.send(&give_up));
        let mut looks = 0;
        while !sending.is_finished() || looks == 0 {
            let connection = rusqlite::Connection::open(&db).expect("it opens");
            connection.busy_timeout(Duration::from_secs(60)).expect("set");
            // A request is stored completely or not at all, and each trace has its row.
            let odd: i64 = connection
                .query_row(
                    "SELECT (SELECT count(*) FROM spans) % 50 + (SELECT count(*) FROM spans WHERE trace_id NOT IN (SELECT trace_id FROM traces))",
                    [],
                    |row| row.get(0),
                )
                .expect("an answer");
            assert_eq!(odd, 0);
            let info = quipu().arg("info").arg(&db).output().expect("it runs");
            assert!(info.status.success(), "{}", String::from_utf8_lossy(&info.stderr));
            looks += 1;
        }
        assert_eq!(sending.join().expect("no panic").expect("sent").acknowledged.len(), 60);
    });
    assert!(!std::path::Path::new(&format!("{}-wal", db.display())).exists());
    collecting.end();
}

#[test]
fn counters_are_there_for_prometheus_by_their_documented_names() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    assert_eq!(collecting.post("/v1/metrics", &[PROTOBUF], &read("tests/fixtures/otlp/small_0.2.15_metrics.binpb")).status, 200);
    let plain = collecting.ask("GET", "/metrics", &[], b"");
    assert_eq!(plain.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    // The last points of the bodies, as decoded by protoc.
    for line in [
        "# TYPE llama_stack_tokens_total counter",
        "llama_stack_prompt_tokens_total{model_id=\"fake/Llama-3.2-3B\",provider_id=\"vllm\",service_name=\"llama-stack-oracle\"} 98",
        "llama_stack_completion_tokens_total{model_id=\"fake/Llama-3.2-3B\",provider_id=\"vllm\",service_name=\"llama-stack-oracle\"} 151",
        "llama_stack_tokens_total{model_id=\"fake/Llama-Guard-3-8B\",provider_id=\"vllm\",service_name=\"llama-stack-oracle\"} 434",
        "quipu_collect_metric_points_total 6",
    ] {
        assert!(plain.text().lines().any(|it| it == line), "{line} is not in\n{}", plain.text());
    }
    let open = collecting.ask("GET", "/metrics", &[("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")], b"");
    assert_eq!(open.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(open.text().contains("# TYPE llama_stack_tokens counter\n") && open.text().ends_with("# EOF\n"), "{}", open.text());
}

#[test]
fn a_point_has_the_same_name_and_labels_on_the_metrics_page_and_in_promql() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    // Keys that are not valid label names; the expected names follow Prometheus' rules for OTLP.
    let attributes = [
        ("2x", "1"),
        ("a:b", "2"),
        ("a.b", "3"),
        ("ä", "4"),
        ("__x", "5"),
        ("_y", "6"),
        ("__name__", "7"),
        ("empty", ""),
    ]
    .map(|(key, value)| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#))
    .join(",");
    let list = r#"{"key":"list","value":{"arrayValue":{"values":[{"stringValue":"ü"},{"intValue":"8"}]}}}"#;
    let points = format!(r#""dataPoints":[{{"timeUnixNano":"1764000060000000000","asInt":"9","attributes":[{attributes},{list}]}}]"#);
    let sum = |name: &str, rises: bool| {
        format!(r#"{{"name":"{name}","unit":"1","sum":{{"isMonotonic":{rises},"aggregationTemporality":2,{points}}}}}"#)
    };
    let metrics = [
        sum("2.odd", true),
        sum("open", false),
        format!(r#"{{"name":"share","unit":"1","gauge":{{{points}}}}}"#),
    ];
    let body = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{}]}}]}}]}}"#, metrics.join(","));
    assert_eq!(collecting.post("/v1/metrics", &[JSON], body.as_bytes()).status, 200);
    let page = collecting.ask("GET", "/metrics", &[], b"").text();
    collecting.end();
    for name in ["_2_odd_total", "open", "share_ratio"] {
        let labels = r#"__x="5",a_b="3;2",key_="4",key_2x="1",key_y="6",list="[\"ü\", 8]""#;
        let line = format!("{name}{{{labels}}} 9");
        assert!(page.lines().any(|it| it == line), "{line} is not in\n{page}");
        let answer = quipu().arg("promql").arg(&db).args([name, "--json"]).output().expect("it runs");
        let answer: serde_json::Value = serde_json::from_slice(&answer.stdout).expect("JSON");
        let metric = serde_json::json!({
            "__name__": name, "__x": "5", "a_b": "3;2", "key_": "4", "key_2x": "1", "key_y": "6", "list": "[\"ü\", 8]"
        });
        assert_eq!(answer["data"]["result"][0]["metric"], metric, "{answer}");
    }
}

#[test]
fn events_of_spans_count_where_no_points_come() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    let span = |id: u32, tokens: u32| {
        format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"\u200b"}}}}]}},"scopeSpans":[{{"spans":[{{
            "traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b71692{id:05}","name":"chat","events":[{{"timeUnixNano":"1764000000000000000",
            "name":"metric.total_tokens","attributes":[{{"key":"value","value":{{"intValue":"{tokens}"}}}},{{"key":"unit","value":{{"stringValue":"tokens"}}}},
            {{"key":"model_id","value":{{"stringValue":"m"}}}},{{"key":"provider_id","value":{{"stringValue":"p"}}}}]}}]}}]}}]}}]}}"#
        )
    };
    for body in [span(1, 30), span(2, 12), span(2, 12)] {
        assert_eq!(collecting.post("/v1/traces", &[JSON], body.as_bytes()).status, 200);
    }
    let tokens = "llama_stack_tokens_total{model_id=\"m\",provider_id=\"p\"}";
    assert_eq!(collecting.counter(tokens), 42, "the span that came twice counts once");
    let points = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"total_tokens","unit":"tokens","sum":{"isMonotonic":true,"aggregationTemporality":2,
        "dataPoints":[{"timeUnixNano":"1764000060000000000","asInt":"50","attributes":[{"key":"model_id","value":{"stringValue":"m"}},
        {"key":"provider_id","value":{"stringValue":"p"}}]}]}}]}]}]}"#;
    assert_eq!(collecting.post("/v1/metrics", &[JSON], points.as_bytes()).status, 200);
    assert_eq!(collecting.counter(tokens), 50, "points count the same, and come first");
}

#[test]
fn what_was_written_is_passed_on_and_a_receiver_that_comes_later_gets_it_too() {
    let (_folder, db) = fresh();
    let closed = {
        let taken = Collector::start(Vec::new());
        taken.address
    };
    let collecting = Collecting::start(&db, &["--forward", &format!("http://{closed}")]);
    let (traces, logs) = (read(TRACES), read("tests/fixtures/otlp/genai_events_logs.binpb"));
    let json = read("tests/fixtures/otlp/direct_0.2.23_traces.json");
    assert_eq!(collecting.post("/v1/traces", &[PROTOBUF, GZIP], &gzip(&traces)).status, 200);
    assert_eq!(collecting.post("/v1/logs", &[PROTOBUF], &logs).status, 200);
    assert_eq!(collecting.post("/v1/traces", &[JSON], &json).status, 200);
    assert_eq!(collecting.post("/v1/traces", &[PROTOBUF], b"nonsense").status, 400);
    let receiver = Collector::start_at(closed);
    let requests = receiver.wait_for(3);
    let targets: Vec<&str> = requests.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(targets, ["POST /v1/traces", "POST /v1/logs", "POST /v1/traces"]);
    assert!(requests[0].message() == traces && requests[1].message() == logs);
    assert!(requests[2].message() == json && requests[2].header("content-type") == Some("application/json"));
}

#[test]
fn a_configuration_of_llama_stack_says_where_to_write_and_where_to_send() {
    let (folder, db) = fresh();
    let receiver = Collector::start(Vec::new());
    let config = format!(
        "providers:\n  telemetry:\n  - provider_id: meta-reference\n    provider_type: inline::meta-reference\n    config:\n      sinks: [sqlite, console, otel_trace]\n      otel_exporter_otlp_endpoint: {}\n      sqlite_db_path: ${{env.QUIPU_TEST_FOLDER}}/telemetry.db\n",
        receiver.endpoint()
    );
    let config = folder.write("run.yaml", config).expect("a file");
    let printed = folder.path().join("printed.txt");
    let mut command = quipu();
    command.args(["collect", "--listen", "127.0.0.1:0", "--config"]).arg(&config).env("QUIPU_TEST_FOLDER", folder.path());
    command.stdout(std::fs::File::create(&printed).expect("a file"));
    let collecting = Collecting::run(command);
    assert_eq!(collecting.post("/v1/traces", &[PROTOBUF], &read(TRACES)).status, 200);
    receiver.wait_for(1);
    collecting.end();
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 136);
    let lines = std::fs::read_to_string(&printed).expect("text");
    // Traced methods are not printed, as in Llama Stack.
    let shown = count(&db, "SELECT count(*) FROM spans WHERE json_extract(attributes, '$.__autotraced__') IS NOT 1");
    assert_eq!(lines.lines().filter(|line| line.contains("[END]")).count() as u64, shown, "{lines}");
    for (arguments, words) in [
        (vec!["collect"], "--db FILE"),
        (vec!["collect", "--db", "x.db", "--config", "no-such.yaml"], "no-such.yaml"),
        (vec!["collect", "--db", "x.db", "--forward", "ftp://x"], "http"),
        (vec!["collect", "--db", "x.db", "--forward", "http://localhost:4318"], "listens itself"),
    ] {
        let output = quipu().args(&arguments).current_dir(folder.path()).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{arguments:?}: {said}");
    }
}
