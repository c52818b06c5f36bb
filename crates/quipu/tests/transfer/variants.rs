//! One trace in every variant that exporters and the collector write, and damaged inputs.

use super::tools::{gzip, import, import_bytes, read, rows, sql_of};
use crate::support;
use proptest::prelude::*;
use quipu::store::Writer;
use quipu::transfer::{Content, ImportError, Importer, are_imported, content};
use rusqlite::Connection;

/// A trace with a value of each type, an event, a link and a failure; its times are not whole microseconds.
const LINE: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"host.name","value":{"stringValue":"h1"}}]},"scopeSpans":[{"scope":{"name":"lib","version":"2"},"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"root","kind":2,"startTimeUnixNano":"1764000000000000001","endTimeUnixNano":"1764000001500000000","status":{"code":1}},{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00f067aa0ba902b7","parentSpanId":"b7ad6b7169203331","traceState":"a=b","name":"pay für","kind":3,"startTimeUnixNano":"1764000000250000000","endTimeUnixNano":"1764000001000001499","attributes":[{"key":"text","value":{"stringValue":"für \"x\"\n"}},{"key":"whole","value":{"intValue":"9007199254740993"}},{"key":"real","value":{"doubleValue":1}},{"key":"truth","value":{"boolValue":true}},{"key":"bytes","value":{"bytesValue":"AAEC"}},{"key":"list","value":{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"2"}]}}},{"key":"map","value":{"kvlistValue":{"values":[{"key":"k","value":{"doubleValue":0.5}}]}}},{"key":"none","value":{}}],"events":[{"timeUnixNano":"1764000000300000000","name":"exception","attributes":[{"key":"exception.type","value":{"stringValue":"E"}}]}],"links":[{"traceId":"11111111111111111111111111111111","spanId":"2222222222222222","attributes":[{"key":"w","value":{"stringValue":"y"}}]}],"status":{"code":2,"message":"it broke"}}]}]}]}"#;

const TABLES: [&str; 4] = [
    "SELECT * FROM traces",
    "SELECT * FROM spans ORDER BY span_id",
    "SELECT * FROM span_events",
    "SELECT span_id, start_unix_nano, end_unix_nano, status_message, trace_state, links, event_unix_nanos, source_id, resource, scope
        FROM quipu_span_extra e JOIN quipu_sources s ON s.id = source_id ORDER BY e.span_id",
];

fn tables(connection: &Connection) -> Vec<Vec<Vec<String>>> {
    TABLES.map(|table| rows(connection, table)).to_vec()
}

fn imported(text: &str) -> Vec<Vec<Vec<String>>> {
    let (bytes, report) = import_bytes(&[("input", text.as_bytes())]);
    assert_eq!((report.spans, report.problem_count), (2, 0), "{report:?} {text}");
    tables(&sql_of(&bytes))
}

fn of(rows: &[&[&str]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(|text| (*text).to_owned()).collect()).collect()
}

#[test]
fn a_traces_content_is_in_the_tables_and_the_additional_ones() {
    let (trace, root, child) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7");
    // Times as Python's datetime prints them: 1764000001.000001499 is nearer to one microsecond than to two.
    let attributes = r#"{"text": "f\u00fcr \"x\"\n", "whole": 9007199254740993, "real": 1.0, "truth": true, "bytes": {"$bytes": "AAEC"}, "list": [1, "2"], "map": {"k": 0.5}, "none": null}"#;
    let (start, end) = ("2025-11-24T16:00:00+00:00", "2025-11-24T16:00:01.500000+00:00");
    let resource = r#"{"service.name": "shop", "host.name": "h1"}"#;
    let scope = r#"{"name": "lib", "version": "2"}"#;
    let link = r#"[{"trace_id": "11111111111111111111111111111111", "span_id": "2222222222222222", "attributes": {"w": "y"}}]"#;
    let child_times = ["2025-11-24T16:00:00.250000+00:00", "2025-11-24T16:00:01.000001+00:00"];
    assert_eq!(
        imported(LINE),
        [
            of(&[&[trace, "shop", root, start, end, "2025-11-24 16:00:01"]]),
            of(&[
                &[child, trace, root, "pay für", child_times[0], child_times[1], attributes, "ERROR", "CLIENT"],
                &[root, trace, "NULL", "root", start, end, "{}", "OK", "SERVER"],
            ]),
            of(&[&["1", child, "exception", "2025-11-24T16:00:00.300000+00:00", r#"{"exception.type": "E"}"#]]),
            of(&[
                &[
                    child,
                    "1764000000250000000",
                    "1764000001000001499",
                    "it broke",
                    "a=b",
                    link,
                    "NULL",
                    "1",
                    resource,
                    scope
                ],
                &[
                    root,
                    "1764000000000000001",
                    "1764000001500000000",
                    "NULL",
                    "NULL",
                    "NULL",
                    "NULL",
                    "1",
                    resource,
                    scope
                ],
            ]),
        ]
    );
}

#[test]
fn every_spelling_gives_the_same_trace() {
    let expected = imported(LINE);
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(LINE).expect("JSON")).expect("JSON");
    let base64 = LINE
        .replace("0af7651916cd43dd8448eb211c80319c", "CvdlGRbNQ92ESOshHIAxnA==")
        .replace("b7ad6b7169203331", "t61rcWkgMzE=")
        .replace("00f067aa0ba902b7", "APBnqgupArc=");
    let snake = [
        "resourceSpans",
        "scopeSpans",
        "traceId",
        "spanId",
        "parentSpanId",
        "traceState",
        "startTimeUnixNano",
        "endTimeUnixNano",
        "timeUnixNano",
        "stringValue",
        "intValue",
        "doubleValue",
        "arrayValue",
        "kvlistValue",
    ]
    .iter()
    .fold(LINE.to_owned(), |text, name| {
        let snake = name.chars().fold(String::new(), |mut snake, letter| {
            if letter.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
            snake
        });
        text.replace(&format!("\"{name}\""), &format!("\"{snake}\""))
    });
    let enums = LINE
        .replace("\"kind\":2", "\"kind\":\"SPAN_KIND_SERVER\"")
        .replace("\"kind\":3", "\"kind\":\"client\"")
        .replace("\"code\":1", "\"code\":\"STATUS_CODE_OK\"")
        .replace("\"code\":2", "\"code\":\"Error\"");
    let numbers = LINE.replace("\"1764000000250000000\"", "1764000000250000000").replace("\"9007199254740993\"", "9007199254740993");
    for (what, text) in [
        ("pretty", pretty),
        ("list", format!("[{LINE}]")),
        ("upper case", LINE.replace("0af7651916cd43dd8448eb211c80319c", "0AF7651916CD43DD8448EB211C80319C")),
        ("base64", base64),
        ("snake case", snake),
        ("names of enumerations", enums),
        ("numbers", numbers),
        ("mark and blank lines", format!("\u{feff}\n\n{LINE}\r\n\n")),
        ("unknown fields", LINE.replace("\"scopeSpans\"", "\"droppedEntitiesCount\":{\"x\":[1]},\"scopeSpans\"")),
        ("old scopes", LINE.replace("scopeSpans", "instrumentationLibrarySpans").replace("\"scope\":", "\"instrumentationLibrary\":")),
        ("batches", LINE.replace("resourceSpans", "batches")),
    ] {
        assert_eq!(imported(&text), expected, "{what}");
    }
}

#[test]
fn protobuf_json_and_the_collectors_file_give_the_same_trace() {
    let body = read("tests/fixtures/otlp/direct_0.2.23_traces.binpb");
    let json = read("tests/fixtures/otlp/direct_0.2.23_traces.json");
    let prefixed: Vec<u8> = [&(body.len() as u32).to_be_bytes(), body.as_slice()].concat();
    // 5,620 bytes: 0xf4 0x2b in seven bits a byte, the lowest first.
    assert_eq!(body.len(), 0x2b << 7 | 0x74);
    let delimited: Vec<u8> = [&[0xf4, 0x2b], body.as_slice()].concat();
    assert_eq!(
        [&body, &json, &prefixed, &delimited, &read("samples/agent_0.2.15.db")].map(|bytes| content(bytes)),
        [
            Content::Protobuf,
            Content::Json,
            Content::PrefixedProtobuf,
            Content::DelimitedProtobuf,
            Content::Database
        ]
    );
    let of = |bytes: &[u8]| {
        let (bytes, report) = import_bytes(&[("input", bytes)]);
        assert_eq!((report.spans, report.events, report.problem_count), (27, 16, 0), "{report:?}");
        let connection = sql_of(&bytes);
        TABLES.map(|table| rows(&connection, table))
    };
    assert_eq!(of(&json), of(&body));
    assert_eq!(of(&[prefixed.clone(), Vec::new()].concat()), of(&body));
    assert_eq!(of(&delimited), of(&body));
    let (_, twice) = import_bytes(&[("input", &[prefixed.as_slice(), &prefixed].concat())]);
    assert_eq!((twice.spans, twice.repeated_spans), (27, 27), "a span sent twice is stored once");
}

#[test]
fn counters_are_kept_as_they_were_measured() {
    // The expected counts are from the server's log of that run: cumulative tokens per model.
    let expected = [
        ["completion_tokens", "fake/Llama-3.2-3B", "151.0"],
        ["completion_tokens", "fake/Llama-Guard-3-8B", "25.0"],
        ["prompt_tokens", "fake/Llama-3.2-3B", "98.0"],
        ["prompt_tokens", "fake/Llama-Guard-3-8B", "409.0"],
        ["total_tokens", "fake/Llama-3.2-3B", "249.0"],
        ["total_tokens", "fake/Llama-Guard-3-8B", "434.0"],
    ];
    let (bytes, report) = import_bytes(&[("metrics", &read("tests/fixtures/otlp/small_0.2.15_metrics.binpb"))]);
    assert_eq!((report.points, report.problem_count), (6, 0));
    let connection = sql_of(&bytes);
    let sql = "SELECT metric, json_extract(attributes, '$.model_id'), value FROM quipu_metric_points ORDER BY 1, 2";
    assert_eq!(rows(&connection, sql), expected);
    let sql = "SELECT DISTINCT unit, kind, cumulative, monotonic, count, detail, start_unix_nano < time_unix_nano FROM quipu_metric_points";
    assert_eq!(rows(&connection, sql), [["tokens", "sum", "1", "1", "NULL", "NULL", "1"]]);
}

#[test]
fn histograms_keep_their_buckets() {
    let text = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"gen_ai.client.token.usage","unit":"{token}","histogram":{"aggregationTemporality":1,"dataPoints":[{"startTimeUnixNano":"1","timeUnixNano":"2","count":"3","sum":30,"bucketCounts":["1","2"],"explicitBounds":[4],"min":2,"max":20,"attributes":[{"key":"gen_ai.token.type","value":{"stringValue":"input"}}]}]}}]}]}]}"#;
    let (bytes, report) = import_bytes(&[("metrics", text.as_bytes())]);
    assert_eq!((report.points, report.problem_count), (1, 0));
    let detail = r#"{"bounds": [4], "counts": [1, 2], "min": 2, "max": 20}"#;
    let labels = r#"{"gen_ai.token.type": "input"}"#;
    let expected = [
        "gen_ai.client.token.usage",
        "{token}",
        "histogram",
        "0",
        "NULL",
        "1",
        "2",
        labels,
        "30.0",
        "3",
        detail,
        "NULL",
    ];
    let sql =
        "SELECT metric, unit, kind, cumulative, monotonic, start_unix_nano, time_unix_nano, attributes, value, count, detail, source_id
        FROM quipu_metric_points";
    assert_eq!(rows(&sql_of(&bytes), sql), [expected]);
}

const LOGS: &str = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1764000000400000000","severityNumber":17,"body":{"stringValue":"refused"},"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00f067aa0ba902b7"},{"timeUnixNano":"0","observedTimeUnixNano":"1764000000500000000","body":{"stringValue":"started"}},{"body":{"stringValue":"lost"},"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"9999999999999999"}]}]}]}"#;

#[test]
fn several_files_of_a_run_become_one_in_any_order() {
    let expected = of(&[
        &["00f067aa0ba902b7", "exception", "2025-11-24T16:00:00.300000+00:00"],
        &["00f067aa0ba902b7", "unstructured_log", "2025-11-24T16:00:00.400000+00:00"],
    ]);
    for order in [[LINE, LOGS], [LOGS, LINE]] {
        let inputs = order.map(|text| ("input", text.as_bytes()));
        let (bytes, report) = import_bytes(&inputs);
        assert_eq!((report.spans, report.logs, report.logs_without_span, report.problem_count), (2, 3, 2, 0));
        let connection = sql_of(&bytes);
        assert_eq!(rows(&connection, "SELECT span_id, name, timestamp FROM span_events ORDER BY timestamp"), expected);
        let left = "SELECT span_id, json_extract(attributes, '$.message'), time_unix_nano FROM quipu_log_records ORDER BY 2";
        assert_eq!(rows(&connection, left), of(&[&["9999999999999999", "lost", "NULL"], &["NULL", "started", "1764000000500000000"]]));
    }
    let (bytes, _) = import_bytes(&[("input", LINE.as_bytes())]);
    let sql = "SELECT name FROM sqlite_schema WHERE name LIKE 'quipu_%' AND type = 'table' ORDER BY 1";
    assert_eq!(rows(&sql_of(&bytes), sql), [["quipu_sources"], ["quipu_span_extra"]], "tables are made when they are needed");
}

#[test]
fn jaegers_json_is_read_in_all_its_wrappings() {
    let trace = r#"{"traceID":"0af7651916cd43dd8448eb211c80319c","spans":[{"traceID":"0af7651916cd43dd8448eb211c80319c","spanID":"b7ad6b7169203331","processID":"p1","operationName":"root","startTime":1764000000000000,"duration":1500000,"tags":[{"key":"span.kind","type":"string","value":"server"},{"key":"n","type":"int64","value":3},{"key":"x","type":"float64","value":2},{"key":"otel.status_code","type":"string","value":"OK"}],"logs":[{"timestamp":1764000000250000,"fields":[{"key":"event","type":"string","value":"start"},{"key":"a","type":"bool","value":true}]}],"references":[]},{"traceID":"af7651916cd43dd8448eb211c80319c","spanID":"f067aa0ba902b7","processID":"p1","operationName":"pay","startTime":1764000000250000,"duration":250,"tags":[{"key":"error","type":"bool","value":true}],"logs":[],"references":[{"refType":"CHILD_OF","traceID":"0af7651916cd43dd8448eb211c80319c","spanID":"b7ad6b7169203331"},{"refType":"FOLLOWS_FROM","traceID":"1","spanID":"2"}],"warnings":["clock skew"]}],"processes":{"p1":{"serviceName":"shop","tags":[{"key":"host","type":"string","value":"h1"}]}}}"#;
    let trace_id = "0af7651916cd43dd8448eb211c80319c";
    let expected = [
        of(&[&[
            trace_id,
            "shop",
            "b7ad6b7169203331",
            "2025-11-24T16:00:00+00:00",
            "2025-11-24T16:00:01.500000+00:00",
            "2025-11-24 16:00:01",
        ]]),
        of(&[
            &[
                "00f067aa0ba902b7",
                trace_id,
                "b7ad6b7169203331",
                "pay",
                "2025-11-24T16:00:00.250000+00:00",
                "2025-11-24T16:00:00.250250+00:00",
                r#"{"error": true, "jaeger.warnings": ["clock skew"]}"#,
                "ERROR",
                "NULL",
            ],
            &[
                "b7ad6b7169203331",
                trace_id,
                "NULL",
                "root",
                "2025-11-24T16:00:00+00:00",
                "2025-11-24T16:00:01.500000+00:00",
                r#"{"n": 3, "x": 2.0}"#,
                "OK",
                "SERVER",
            ],
        ]),
        of(&[&["1", "b7ad6b7169203331", "start", "2025-11-24T16:00:00.250000+00:00", r#"{"a": true}"#]]),
    ];
    let link = r#"[{"trace_id": "00000000000000000000000000000001", "span_id": "0000000000000002"}]"#;
    for text in [format!("{{\"data\": [{trace}], \"total\": 0}}"), format!("[{trace}]"), trace.to_owned()] {
        let found = imported(&text);
        assert_eq!(found[..3], expected, "{text}");
        assert_eq!(found[3][0][5..], [link, "NULL", "1", r#"{"service.name": "shop", "host": "h1"}"#, "{}"]);
    }
}

#[test]
fn a_span_that_follows_from_another_is_its_child() {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let text = format!(
        r#"{{"data":[{{"spans":[{{"traceID":"{trace}","spanID":"b7ad6b7169203331","operationName":"sent","startTime":1,"duration":1}},{{"traceID":"{trace}","spanID":"00f067aa0ba902b7","operationName":"received","startTime":"5","duration":"1","references":[{{"refType":"FOLLOWS_FROM","traceID":"{trace}","spanID":"b7ad6b7169203331"}}]}}]}}]}}"#
    );
    let (bytes, report) = import_bytes(&[("traces.json", text.as_bytes())]);
    assert_eq!((report.spans, report.problem_count), (2, 0));
    let sql = "SELECT name, parent_span_id, (SELECT count(*) FROM quipu_span_extra e WHERE e.span_id = s.span_id AND links <> '')
        FROM spans s ORDER BY name";
    assert_eq!(rows(&sql_of(&bytes), sql), of(&[&["received", "b7ad6b7169203331", "1"], &["sent", "NULL", "0"]]));
}

#[test]
fn a_damaged_message_is_reported() {
    let body = read("tests/fixtures/otlp/direct_0.2.23_traces.binpb");
    let cut = &body[..body.len() - 10];
    for whole in [&body, cut] {
        let prefixed: Vec<u8> = [&(whole.len() as u32).to_be_bytes(), whole].concat();
        let (_, report) = import_bytes(&[("x", &prefixed)]);
        let told: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        let expected: &[&str] = if whole.len() == body.len() { &[] } else { &["x, message 1: it is not an OTLP message."] };
        assert_eq!(told, expected);
    }
}

#[test]
fn malformed_lines_are_reported_with_their_numbers_and_the_others_are_read() {
    let other = LINE
        .replace("0af7651916cd43dd8448eb211c80319c", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("b7ad6b7169203331", "cccccccccccccccc")
        .replace("00f067aa0ba902b7", "dddddddddddddddd");
    let cut = &LINE[..700];
    let no_id = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x"}]}]}]}"#;
    let text = format!("{LINE}\n{cut}\nnot JSON\n{no_id}\n{other}\n{cut}");
    let (bytes, report) = import_bytes(&[("traces.jsonl", text.as_bytes())]);
    assert_eq!(rows(&sql_of(&bytes), "SELECT count(*) FROM spans"), [["4"]]);
    let told: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "traces.jsonl, line 2: it is not valid JSON.",
            "traces.jsonl, line 3: it is not valid JSON.",
            "traces.jsonl, line 4: a span in it has no id of its own or of its trace.",
            "traces.jsonl, line 6: it ends in the middle; it was cut off.",
        ]
    );
    let (mut session, _) = import(&[("input", text.as_bytes())]);
    let answer = session.query("query_traces", "{}", None).expect("an answer");
    assert!(answer.contains("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "{answer}");
}

#[test]
fn gzip_members_are_decompressed_and_data_before_damage_is_kept() {
    let whole = gzip(LINE.as_bytes());
    let (first, second) = LINE.as_bytes().split_at(700);
    let two = [gzip(first), gzip(second)].concat();
    for packed in [whole.clone(), two.clone(), [two.as_slice(), &[0; 512]].concat()] {
        assert_eq!(content(&packed), Content::Gzip);
        let (bytes, report) = import_bytes(&[("traces.jsonl.gz", &packed)]);
        assert_eq!((report.spans, report.problem_count), (2, 0), "{report:?}");
        assert_eq!(tables(&sql_of(&bytes)), imported(LINE));
    }
    let told = |packed: &[u8]| {
        let (_, report) = import_bytes(&[("traces.jsonl.gz", packed)]);
        (report.spans, report.problems.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let cut = "traces.jsonl.gz, compressed data: it ends in the middle; it was cut off.".to_owned();
    assert_eq!(told(&whole[..whole.len() - 4]), (2, vec![cut.clone()]));
    let middle = "traces.jsonl.gz, line 1: it ends in the middle; it was cut off.".to_owned();
    assert_eq!(told(&two[..800]), (0, vec![cut, middle]));
    let damaged = "traces.jsonl.gz, compressed data: it is damaged.".to_owned();
    assert_eq!(told(&[whole.as_slice(), b"and more"].concat()), (2, vec![damaged]));
}

#[test]
fn files_are_imported_if_one_is_supported_and_none_is_a_database() {
    let (database, json, text) = (&b"SQLite format 3\0"[..], &b"{\"resourceLogs\": []}"[..], &b"Dear reader"[..]);
    assert!(are_imported([json]) && are_imported([text, json]));
    assert!(!are_imported([text]) && !are_imported([json, database]) && !are_imported([]));
}

#[test]
fn unsupported_files_are_named_in_the_error() {
    let refused = |bytes: &[u8]| {
        let mut importer = Importer::new(Writer::in_memory().expect("a writer")).expect("an importer");
        importer.begin("x");
        let error = importer.push(bytes).and_then(|()| importer.end()).expect_err("it is none");
        error.to_string()
    };
    assert_eq!(refused(b""), "x is empty (0 bytes).");
    assert_eq!(refused(b"Dear reader"), "x is a text file, such as a log; traces are read as JSON or protobuf.");
    assert!(refused(&[1, 2, 3, 0xfe]).starts_with("x is nothing that can be imported: it is none of OTLP"));
    assert!(refused(&read("samples/agent_0.2.15.db")).starts_with("x is a SQLite database"));
    assert_eq!(
        refused(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0]),
        "x is compressed, and nothing of it can be unpacked: it ends in the middle; it was cut off."
    );
    assert_eq!(
        refused(&gzip(LINE.as_bytes())[..14]),
        "x is compressed, and nothing of it can be unpacked: it ends in the middle; it was cut off."
    );
    assert_eq!(refused(&gzip(&gzip(LINE.as_bytes()))), "x is packed more than once; unpack it first.");
    assert!(refused(&gzip(&read("samples/agent_0.2.15.db"))).starts_with("x is a SQLite database"));
    // A profile of pprof, as it is and as it comes.
    let profile = [0x0a, 4, 8, 1, 16, 2, 0x0a, 4, 8, 3, 16, 4];
    assert!(refused(&profile).starts_with("x is a profile of pprof"));
    assert!(refused(&gzip(&profile)).starts_with("x is a profile of pprof"));

    let mut importer = Importer::new(Writer::in_memory().expect("a writer")).expect("an importer").with_limit(50_000);
    importer.begin("x");
    let many: String = (0..400)
        .map(|number| {
            LINE.replace("0af7651916cd", &format!("{number:012}"))
                .replace("b7ad6b716920", &format!("{number:012}"))
                .replace("00f067aa0ba9", &format!("{:012}", number + 1_000))
                + "\n"
        })
        .collect();
    let error = many.as_bytes().chunks(1_000).find_map(|chunk| importer.push(chunk).err()).expect("it is too much");
    assert!(matches!(error, ImportError::TooMuch(50_000)), "{error}");
}

fn damaged(bytes: &[u8], flips: &[(prop::sample::Index, u8)], end: prop::sample::Index) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, byte) in flips {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    bytes.truncate(end.index(bytes.len()) + 1);
    bytes
}

proptest! {
    #[test]
    fn damaged_inputs_give_a_report_or_an_error(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        end in any::<prop::sample::Index>(),
        form in 0..3,
    ) {
        let bytes = match form {
            0 => damaged(LINE.as_bytes(), &flips, end),
            1 => damaged(format!("{LINE}\n{LOGS}\n").as_bytes(), &flips, end),
            _ => damaged(&read("tests/fixtures/otlp/direct_0.2.23_traces.binpb"), &flips, end),
        };
        let mut importer = Importer::new(Writer::in_memory().expect("a writer")).expect("an importer");
        importer.begin("x");
        let outcome = bytes.chunks(97).try_for_each(|chunk| importer.push(chunk)).and_then(|()| importer.end());
        match outcome {
            Err(error) => prop_assert!(matches!(error, ImportError::NotUnderstood(_)), "{}", error),
            Ok(()) => {
                let (writer, _) = importer.finish().expect("written");
                let mut session = support::of_bytes(writer.into_bytes().expect("bytes"));
                session.complete_index().expect("an index");
            }
        }
    }
}
