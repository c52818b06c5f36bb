//! Data that belongs to no span is exported unchanged: log records, and metric points of every kind.

use super::tools::{export, import, import_bytes, read, rows, sql_of};
use quipu::protocol::FileFormat;
use quipu::store::Writer;
use quipu::transfer::{Recorder, Signal, read_request};
use quipu::{PieceSize, Selection, UnattachedSignal};

const TABLES: [&str; 2] = [
    "SELECT trace_id, span_id, name, timestamp, time_unix_nano, attributes, resource, scope
        FROM quipu_log_records e LEFT JOIN quipu_sources s ON s.id = source_id ORDER BY e.id",
    "SELECT metric, unit, kind, cumulative, monotonic, start_unix_nano, time_unix_nano, attributes, value, count, detail, resource, scope
        FROM quipu_metric_points e LEFT JOIN quipu_sources s ON s.id = source_id ORDER BY e.id",
];

const LOGS: &str = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"scope":{"name":"lib","version":"2"},"logRecords":[
    {"timeUnixNano":"1764000000400000001","severityNumber":17,"body":{"stringValue":"refused \"x\" für"},"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"9999999999999999","attributes":[{"key":"n","value":{"intValue":"3"}},{"key":"list","value":{"arrayValue":{"values":[{"doubleValue":0.5},{"boolValue":true}]}}}]},
    {"observedTimeUnixNano":"1764000000500000000","severityText":"NOTICE","body":{"stringValue":"started"}},
    {"eventName":"gen_ai.choice","timeUnixNano":"1764000000600000000","body":{"kvlistValue":{"values":[{"key":"content","value":{"stringValue":"Hi"}}]}}},
    {"timeUnixNano":"1764000000700000000","severityNumber":9,"body":{"stringValue":"m"},"attributes":[{"key":"body","value":{"stringValue":"<html>"}},{"key":"severity.text","value":{"stringValue":"INFO"}}]},
    {"attributes":[{"key":"severity","value":{"intValue":"5"}},{"key":"message","value":{"stringValue":"late"}}]},
    {"attributes":[{"key":"severity","value":{"stringValue":"HIGH"}}]},
    {"attributes":[{"key":"body","value":{"stringValue":"text"}}]},
    {}]}]}]}"#;

/// A gauge, a delta sum of floats, a histogram without a sum, an exponential one, a summary, and a series that was closed.
const POINTS: &str = r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"h"}}]},"scopeMetrics":[{"metrics":[
    {"name":"level","gauge":{"dataPoints":[{"timeUnixNano":"1764000000000000001","asDouble":-0.25},{"timeUnixNano":"1764000001000000000","asInt":"7","attributes":[{"key":"a","value":{"stringValue":"b"}}]}]}},
    {"name":"spent","unit":"s","sum":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{"startTimeUnixNano":"1764000000000000000","timeUnixNano":"1764000001000000000","asDouble":1.5}]}},
    {"name":"waited","unit":"s","histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1764000001000000000","count":"3","explicitBounds":[0.1,1.5],"bucketCounts":["1","0","2"],"min":0.05,"max":9.5}]}},
    {"name":"took","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1764000001000000000","count":"3","sum":6.5,"scale":-1,"zeroCount":"1","positive":{"offset":-1,"bucketCounts":["1","1"]}}]}},
    {"name":"size","unit":"By","summary":{"dataPoints":[{"timeUnixNano":"1764000001000000000","count":"4","sum":10,"quantileValues":[{"quantile":0.5,"value":2.5},{"quantile":0.9,"value":4.5}]}]}},
    {"name":"gone","sum":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1764000001000000000","flags":1}]}}]}]}]}"#;

fn inputs() -> Vec<(&'static str, Vec<u8>)> {
    let fixtures = [
        "genai_events_logs.binpb",
        "small_0.2.15_metrics.binpb",
        "direct_0.2.23_metrics.json",
        "genai_messages_metrics.binpb",
    ];
    let mut inputs: Vec<_> = fixtures.into_iter().map(|name| (name, read(&format!("tests/fixtures/otlp/{name}")))).collect();
    inputs.extend([("logs", LOGS.into()), ("points", POINTS.into())]);
    inputs.push(("traces", read("tests/fixtures/otlp/genai_messages_traces.binpb")));
    inputs
}

fn tables(bytes: &[u8]) -> [Vec<Vec<String>>; 2] {
    let connection = sql_of(bytes);
    TABLES.map(|table| rows(&connection, table))
}

#[test]
fn a_whole_file_as_json_contains_unattached_data() {
    let inputs = inputs();
    let inputs: Vec<(&str, &[u8])> = inputs.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let (bytes, report) = import_bytes(&inputs);
    let expected = tables(&bytes);
    assert_eq!(report.problem_count, 0);
    assert!(expected[0].len() > 5 && expected[1].len() > 20, "{} logs, {} points", expected[0].len(), expected[1].len());
    let (mut session, _) = import(&inputs);
    // A record is never divided: the first one is sent whatever its size.
    let (size, mut entries) = (PieceSize { entries: 100, bytes: 1 }, Vec::new());
    let each = &mut |piece: quipu::UnattachedPiece| {
        entries.push(piece.entries);
        Ok::<(), quipu::protocol::Failure>(())
    };
    session.each_unattached_piece(UnattachedSignal::Logs, 0, size, each).expect("pieces");
    assert_eq!(entries, vec![1; expected[0].len()]);
    let text = export(&mut session, Selection::All, FileFormat::OtlpJson);
    let (again, report) = import_bytes(&[("export", &text)]);
    assert_eq!((report.problem_count, report.points), (0, expected[1].len() as u64));
    assert_eq!(tables(&again), expected);
    // Points belong to no trace, and unattached records are not part of one.
    let id = rows(&sql_of(&bytes), "SELECT trace_id FROM traces LIMIT 1").remove(0).remove(0);
    let one = export(&mut session, Selection::Traces(&[id]), FileFormat::OtlpJson);
    assert!(!String::from_utf8_lossy(&one).contains("resourceMetrics"));
}

#[test]
fn requests_of_unattached_data_can_be_resumed() {
    let inputs = inputs();
    let inputs: Vec<(&str, &[u8])> = inputs.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let expected = tables(&import_bytes(&inputs).0);
    let (session, _) = import(&inputs);
    let mut recorder = Recorder::new(Writer::in_memory().expect("a writer"));
    recorder.begin().expect("a transaction");
    let size = PieceSize { entries: 3, bytes: usize::MAX };
    for (which, signal, table) in [
        (UnattachedSignal::Logs, Signal::Logs, &expected[0]),
        (UnattachedSignal::Points, Signal::Metrics, &expected[1]),
    ] {
        let (whole, last) = session.remaining_after(which, 0).expect("a file").expect("rows");
        assert_eq!(whole, table.len() as u64);
        let (mut after, mut sent) = (0, 0);
        // Interrupted by the receiver after each request.
        while after < last {
            let outcome = session.each_unattached_piece(which, after, size, &mut |piece| {
                let mut read = read_request(signal, false, &piece.request).expect("OTLP");
                recorder.write(&mut read).expect("written");
                (after, sent) = (piece.last, sent + piece.entries);
                assert!(piece.entries <= 3);
                Err(quipu::protocol::Failure { kind: quipu::protocol::FailureKind::Internal, message: "stop".into() })
            });
            assert!(outcome.is_err());
        }
        assert_eq!(sent, whole);
        assert_eq!(session.remaining_after(which, last).expect("a file"), Some((0, last)));
    }
    recorder.commit().expect("committed");
    assert_eq!(tables(&recorder.into_writer().into_bytes().expect("bytes")), expected);
}
