//! Exports: round trips of real and generated files, and the shapes that other programs require.

use super::tools::{export, import_bytes, read, rows, sql_of};
use crate::support;
use proptest::prelude::*;
use quipu::Selection;
use quipu::model::{EventRecord, Recording, SpanRecord, TraceRecord};
use quipu::protocol::FileFormat;
use quipu::store::Writer;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Files whose times have a zone; docs/formats.md describes the others.
const FILES: [&str; 9] = [
    "samples/agent_0.2.15.db",
    "samples/metrics_0.2.23.db",
    "tests/fixtures/db/real_small.db",
    "tests/fixtures/db/real_events.db",
    "tests/fixtures/db/real_agents_0.2.15.db",
    "tests/fixtures/db/real_old_0.1.8.db",
    "tests/fixtures/db/real_old_0.1.9.db",
    "tests/fixtures/db/real_old_0.2.7.db",
    "tests/fixtures/db/real_old_0.2.11.db",
];

#[test]
fn real_files_come_back_from_otlp_with_every_row() {
    for name in FILES {
        let mut session = support::open(name);
        let original = support::sql(name, "");
        for format in [FileFormat::OtlpJson, FileFormat::OtlpProtobuf] {
            let (bytes, report) = import_bytes(&[("export", &export(&mut session, Selection::All, format))]);
            assert_eq!((report.problem_count, report.repeated_spans), (0, 0), "{name} {:?}", report.problems);
            let back = sql_of(&bytes);
            for table in [
                "SELECT * FROM spans ORDER BY span_id",
                "SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY span_id, timestamp, attributes",
                "SELECT trace_id, service_name, start_time, end_time FROM traces t WHERE EXISTS
                    (SELECT 1 FROM spans s WHERE s.trace_id = t.trace_id) ORDER BY trace_id",
            ] {
                let (found, expected) = (rows(&back, table), rows(&original, table));
                assert_eq!(found.len(), expected.len(), "{name} {table}");
                for (found, expected) in found.iter().zip(&expected) {
                    assert_eq!(found, expected, "{name} {format:?}");
                }
            }
            // No additional tables were needed.
            assert_eq!(rows(&back, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'quipu%'"), [["0"]], "{name}");
        }
    }
}

#[test]
fn imported_bodies_are_exported_unchanged() {
    let bodies = [
        "direct_0.2.23_traces.binpb",
        "genai_messages_traces.binpb",
        "openinference_traces.binpb",
        "small_0.2.15_traces.binpb",
    ];
    for name in bodies {
        let (bytes, _) = import_bytes(&[(name, &read(&format!("tests/fixtures/otlp/{name}")))]);
        let tables = |bytes: &[u8]| {
            let connection = sql_of(bytes);
            [
                "SELECT trace_id, service_name, start_time, end_time FROM traces ORDER BY trace_id",
                "SELECT * FROM spans ORDER BY span_id",
                "SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY span_id, timestamp, attributes",
                "SELECT e.span_id, start_unix_nano, end_unix_nano, status_message, trace_state, links, event_unix_nanos, resource, scope
                    FROM quipu_span_extra e JOIN quipu_sources s ON s.id = source_id ORDER BY 1",
            ]
            .map(|table| rows(&connection, table))
        };
        for format in [FileFormat::OtlpJson, FileFormat::OtlpProtobuf] {
            let out = export(&mut support::of_bytes(bytes.clone()), Selection::All, format);
            assert_eq!(tables(&import_bytes(&[("export", &out)]).0), tables(&bytes), "{name} {format:?}");
        }
    }
}

#[test]
fn jaegers_json_has_the_documented_shape_and_comes_back() {
    let name = "samples/agent_0.2.15.db";
    let mut session = support::open(name);
    let out = export(&mut session, Selection::All, FileFormat::Jaeger);
    let json: Json = serde_json::from_slice(&out).expect("JSON");
    let traces = json["data"].as_array().expect("traces");
    let mut spans = 0;
    for trace in traces {
        let ids: BTreeSet<&str> = trace["spans"].as_array().expect("spans").iter().filter_map(|span| span["spanID"].as_str()).collect();
        for span in trace["spans"].as_array().expect("spans") {
            spans += 1;
            assert_eq!(span["traceID"], trace["traceID"]);
            assert!(trace["processes"][span["processID"].as_str().expect("a process")]["serviceName"].is_string());
            assert!(span["startTime"].is_u64() && span["duration"].is_u64(), "{span}");
            for reference in span["references"].as_array().expect("references") {
                assert_eq!(reference["refType"], "CHILD_OF");
                assert!(ids.contains(reference["spanID"].as_str().expect("an id")), "{reference}");
            }
            for tag in span["tags"].as_array().expect("tags") {
                let matches = match tag["type"].as_str() {
                    Some("string") => tag["value"].is_string(),
                    Some("bool") => tag["value"].is_boolean(),
                    Some("int64") => tag["value"].is_i64(),
                    Some("float64") => tag["value"].is_f64(),
                    _ => false,
                };
                assert!(matches, "{tag}");
            }
        }
    }
    assert_eq!((traces.len(), spans), (56, 434));
    let (bytes, report) = import_bytes(&[("export", &out)]);
    assert_eq!(report.problem_count, 0);
    let sql = "SELECT span_id, trace_id, parent_span_id, name, start_time, end_time, attributes, status, kind FROM spans ORDER BY span_id";
    let (back, original) = (sql_of(&bytes), support::sql(name, ""));
    let (found, expected) = (rows(&back, sql), rows(&original, sql));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    let events = "SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY span_id, timestamp, attributes";
    assert_eq!(rows(&back, events), rows(&original, events));
}

#[test]
fn slices_of_a_track_nest() {
    for name in ["samples/agent_0.2.15.db", "samples/metrics_0.2.23.db", "tests/fixtures/db/real_events.db"] {
        let mut session = support::open(name);
        let json: Json = serde_json::from_slice(&export(&mut session, Selection::All, FileFormat::Chrome)).expect("JSON");
        let (mut stacks, mut shown) = (BTreeMap::new(), BTreeSet::new());
        // Viewers sort by time: in a sorted file, ties keep their order.
        let mut last = BTreeMap::new();
        for event in json["traceEvents"].as_array().expect("events") {
            let process = event["pid"].as_u64().expect("a process");
            let track = (process, event["tid"].as_u64().expect("a track"));
            let nanos = |key: &str| (event[key].as_f64().expect("a time") * 1e3).round() as i64;
            match event["ph"].as_str().expect("a phase") {
                "M" => {
                    last.remove(&process);
                    continue;
                }
                _ if last.insert(process, nanos("ts")).is_some_and(|before| before > nanos("ts")) => panic!("out of order: {event}"),
                "X" => {
                    let (start, end) = (nanos("ts"), nanos("ts") + nanos("dur"));
                    let stack: &mut Vec<i64> = stacks.entry(track).or_default();
                    while stack.last().is_some_and(|open| *open <= start) {
                        stack.pop();
                    }
                    assert!(stack.last().is_none_or(|open| end <= *open), "{name} {event}");
                    stack.push(end);
                    shown.insert(event["args"]["span_id"].as_str().expect("an id").to_owned());
                }
                "i" => {}
                other => panic!("{other}"),
            }
        }
        let ids = rows(&support::sql(name, ""), "SELECT span_id FROM spans");
        assert_eq!(shown, ids.into_iter().flatten().collect(), "every span is shown once, {name}");
    }
}

#[test]
fn json_lines_and_csv_contain_the_recorded_values() {
    let name = "tests/fixtures/db/real_events.db";
    let (mut session, original) = (support::open(name), support::sql(name, ""));
    let ids = rows(&original, "SELECT trace_id FROM spans GROUP BY trace_id ORDER BY count(*) DESC LIMIT 1").concat();
    let lines = String::from_utf8(export(&mut session, Selection::Traces(&ids), FileFormat::JsonLines)).expect("text");
    let expected = rows(
        &original,
        &format!(
            "SELECT span_id, name, start_time, status, attributes,
            (SELECT count(*) FROM span_events e WHERE e.span_id = s.span_id) FROM spans s WHERE trace_id = '{}' ORDER BY rowid",
            ids[0]
        ),
    );
    assert_eq!(lines.lines().count(), expected.len());
    for (line, row) in lines.lines().zip(&expected) {
        let span: Json = serde_json::from_str(line).expect("JSON");
        assert_eq!([&span["span_id"], &span["name"], &span["start_time"], &span["status"]], [&row[0], &row[1], &row[2], &row[3]]);
        assert_eq!(span["attributes"], serde_json::from_str::<Json>(&row[4]).expect("JSON"));
        assert_eq!(span["events"].as_array().map_or(0, Vec::len).to_string(), row[5]);
    }
    let table = String::from_utf8(export(&mut session, Selection::Traces(&ids), FileFormat::Csv)).expect("text");
    let heading = "trace_id,span_id,parent_span_id,name,start_time,end_time,status,kind,attributes\r\n";
    let body = table.strip_prefix(heading).expect("a heading");
    let first = body.split("\r\n").next().expect("a row");
    assert!(first.starts_with(&format!("{},{},", ids[0], expected[0][0])), "{first}");
    assert!(first.ends_with(&format!("\"{}\"", expected[0][4].replace('"', "\"\""))), "{first}");
}

fn attributes() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("NaN".to_owned()),
        Just("1e-07".to_owned()),
        (-1_000_000_i64..1_000_000).prop_map(|number| format!("{:?}", number as f64 / 64.0)),
        "[a-z \\\\u00e9/]{0,9}".prop_map(|text| serde_json::to_string(&text).expect("JSON")),
        Just("[1, 2.5, \"x\", {\"k\": [true, null]}]".to_owned()),
    ];
    prop::collection::vec(("[a-z_.]{1,6}", value), 0..5).prop_map(|entries| {
        format!("{{{}}}", entries.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect::<Vec<_>>().join(", "))
    })
}

fn time() -> impl Strategy<Value = String> {
    (0_u64..4_000_000_000_000_000).prop_map(|micros| quipu::model::reference_time(micros * 1_000))
}

fn recording() -> impl Strategy<Value = Recording> {
    let span =
        (any::<u64>(), prop::option::of(any::<u64>()), time(), time(), attributes(), 0..3_usize, 0..6_usize, prop::option::of("\\PC{1,9}"));
    let event = (any::<prop::sample::Index>(), prop::option::of("\\PC{1,9}"), time(), attributes());
    let lists = (any::<u128>(), prop::collection::vec(span, 1..6), prop::collection::vec(event, 0..4));
    lists.prop_map(|(trace, spans, events)| {
        let trace_id = format!("{:032x}", trace.max(1));
        let mut recording = Recording::default();
        let mut seen = BTreeSet::new();
        for (id, parent, start, end, attributes, status, kind, name) in spans {
            if !seen.insert(id.max(1)) {
                continue;
            }
            recording.spans.push(SpanRecord {
                span_id: format!("{:016x}", id.max(1)),
                trace_id: Some(trace_id.clone()),
                parent_span_id: parent.map(|parent| format!("{:016x}", parent.max(1))),
                name,
                start_time: Some(start),
                end_time: Some(end),
                attributes: Some(attributes),
                status: Some(["UNSET", "OK", "ERROR"][status].into()),
                kind: [None, Some("INTERNAL"), Some("SERVER"), Some("CLIENT"), Some("PRODUCER"), Some("CONSUMER")][kind].map(str::to_owned),
            });
        }
        for (of, name, timestamp, attributes) in events {
            let span_id = Some(of.get(&recording.spans).span_id.clone());
            recording.events.push(EventRecord { span_id, name, timestamp: Some(timestamp), attributes: Some(attributes) });
        }
        recording.traces.push(TraceRecord { trace_id, service_name: Some("s".into()), ..TraceRecord::default() });
        recording
    })
}

proptest! {
    #[test]
    fn ids_times_types_events_and_statuses_come_back_from_otlp(recording in recording(), json in any::<bool>()) {
        let mut writer = Writer::in_memory().expect("a writer");
        writer.copy(&recording).expect("written");
        let bytes = writer.into_bytes().expect("bytes");
        let format = if json { FileFormat::OtlpJson } else { FileFormat::OtlpProtobuf };
        let out = export(&mut support::of_bytes(bytes), Selection::All, format);
        let (back, report) = import_bytes(&[("export", &out)]);
        prop_assert_eq!(report.problem_count, 0, "{:?}", report.problems);
        let back = support::of_bytes(back).recording(Selection::All, 1 << 24).expect("rows");
        prop_assert_eq!(&back.spans, &recording.spans);
        let sorted = |events: &[EventRecord]| {
            let mut events = events.to_vec();
            events.sort_by_key(|event| format!("{event:?}"));
            events
        };
        prop_assert_eq!(sorted(&back.events), sorted(&recording.events));
        prop_assert_eq!(&back.traces[0].service_name, &recording.traces[0].service_name);
    }
}

#[test]
fn overlapping_spans_and_their_descendants_are_on_tracks_of_their_own() {
    let at = |second: u64| Some(quipu::model::reference_time(1_764_000_000_000_000_000 + second * 1_000_000_000));
    let span = |id: u64, parent: Option<u64>, name: &str, start, end| SpanRecord {
        span_id: format!("{id:016x}"),
        trace_id: Some(format!("{:032x}", 1)),
        parent_span_id: parent.map(|parent| format!("{parent:016x}")),
        name: Some(name.into()),
        start_time: at(start),
        end_time: at(end),
        ..SpanRecord::default()
    };
    let spans = vec![
        span(3, Some(2), "below", 6, 8),
        span(2, Some(1), "first", 0, 10),
        span(5, Some(4), "below it", 12, 15),
        span(4, Some(1), "beside", 5, 15),
        span(6, Some(1), "outlives", 15, 30),
        span(1, None, "root", 0, 20),
    ];
    let mut writer = Writer::in_memory().expect("a writer");
    writer.copy(&Recording { spans, ..Recording::default() }).expect("written");
    let out = export(&mut support::of_bytes(writer.into_bytes().expect("bytes")), Selection::All, FileFormat::Chrome);
    let json: Json = serde_json::from_slice(&out).expect("JSON");
    let events = json["traceEvents"].as_array().expect("events").iter().filter(|event| event["ph"] != "M");
    let told: Vec<String> = events
        .map(|event| format!("{} {} {} {} {}", event["ph"], event["name"], event["ts"], event["dur"], event["tid"]).replace('"', ""))
        .collect();
    assert_eq!(
        told,
        [
            "X root 0.0 20000000.0 1",
            "X first 0.0 10000000.0 1",
            "X beside 5000000.0 10000000.0 2",
            "X below 6000000.0 2000000.0 1",
            "X below it 12000000.0 3000000.0 2",
            "X outlives 15000000.0 15000000.0 2",
        ]
    );
}
