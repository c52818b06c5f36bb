//! A file that stays within its bounds, compared with what was sent.

use crate::support::{Collecting, JSON, count, fresh, quipu, rows};
use std::fmt::Write as _;
use std::path::Path;

const MEGABYTE: u64 = 1_000_000;

/// A trace of four spans, each with an event and 2,000 bytes of attributes, and a log record of its first span.
fn trace(number: u32) -> (String, String) {
    let id = format!("0af7651916cd43dd8448eb21{number:08x}");
    let mut spans = String::new();
    for place in 0..4 {
        let comma = if place == 0 { "" } else { "," };
        let start = 1_764_000_000_000_000_000 + u64::from(number) * 1_000_000_000;
        let _ = write!(
            spans,
            r#"{comma}{{"traceId":"{id}","spanId":"b7ad6b7{place}{number:08x}","name":"step {place}","startTimeUnixNano":"{start}",
            "endTimeUnixNano":"{}","attributes":[{{"key":"text","value":{{"stringValue":"{}"}}}}],
            "events":[{{"name":"token","timeUnixNano":"{start}"}}]}}"#,
            start + 1_000_000,
            "x".repeat(2_000)
        );
    }
    let log = format!(
        r#"{{"traceId":"{id}","spanId":"b7ad6b70{number:08x}","timeUnixNano":"{}","body":{{"stringValue":"said"}}}}"#,
        1_764_000_000_000_000_000 + u64::from(number) * 1_000_000_000
    );
    (spans, log)
}

/// Sends traces, a hundred a request.
fn send(collecting: &Collecting, numbers: std::ops::Range<u32>) {
    let all: Vec<(String, String)> = numbers.map(trace).collect();
    for part in all.chunks(100) {
        let join = |of: fn(&(String, String)) -> &str| part.iter().map(of).collect::<Vec<_>>().join(",");
        let spans = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, join(|(spans, _)| spans));
        assert_eq!(collecting.post("/v1/traces", &[JSON], spans.as_bytes()).status, 200);
        let logs = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{}]}}]}}]}}"#, join(|(_, log)| log));
        assert_eq!(collecting.post("/v1/logs", &[JSON], logs.as_bytes()).status, 200);
    }
}

fn size(db: &Path) -> u64 {
    std::fs::metadata(db).expect("a file").len()
}

#[test]
fn a_file_with_a_greatest_size_keeps_the_newest_traces_whole_and_those_that_are_pinned() {
    let (_folder, db) = fresh();
    let mut collecting = Collecting::start(&db, &["--max-size", "50MB"]);
    send(&collecting, 0..100);
    let pinned = format!("0af7651916cd43dd8448eb21{:08x}", 7);
    let output = quipu().arg("pin").arg(&db).arg(&pinned).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut largest = 0;
    for from in (100..8_000).step_by(100) {
        send(&collecting, from..from + 100);
        largest = largest.max(size(&db));
    }
    assert!(largest > 40 * MEGABYTE && largest <= 50 * MEGABYTE * 105 / 100, "{largest} bytes of 50 MB, and 5 percent");
    assert!(collecting.says().starts_with("Removed what was oldest: "));

    let kept = count(&db, "SELECT count(*) FROM quipu_traces");
    let first = count(&db, "SELECT min(start_unix_nano) FROM quipu_traces WHERE is_pinned IS NULL");
    let first = (first - 1_764_000_000_000_000_000) / 1_000_000_000;
    assert_eq!(kept, 8_000 - first + 1, "The newest ones without a gap, and the pinned one.");
    assert_eq!(count(&db, &format!("SELECT count(*) FROM spans WHERE trace_id = '{pinned}'")), 4);
    assert_eq!(rows(&db, "SELECT DISTINCT count(*) FROM quipu_spans GROUP BY trace_id"), [["4"]], "Each trace is whole.");
    for of_spans in ["quipu_events", "quipu_log_records"] {
        let strays = format!("SELECT count(*) FROM {of_spans} WHERE span_row NOT IN (SELECT id FROM quipu_spans)");
        assert_eq!(count(&db, &strays), 0, "{of_spans}");
    }
    assert_eq!(count(&db, "SELECT count(*) FROM quipu_log_records"), kept, "A record a trace.");
    let removed = rows(&db, "SELECT traces, spans, log_records FROM quipu_removed");
    assert_eq!(removed, [[8_000 - kept, (8_000 - kept) * 4, 8_000 - kept].map(|number| number.to_string())]);
    assert_eq!(collecting.counter("quipu_collect_removed_traces_total"), 8_000 - kept);
    collecting.end();
    assert_eq!(rows(&db, "PRAGMA integrity_check"), [["ok"]]);
    let info = quipu().arg("info").arg(&db).output().expect("it runs");
    let info = String::from_utf8_lossy(&info.stdout).into_owned();
    assert!(info.contains("were removed from this file to keep it within its bounds"), "{info}");
}

#[test]
fn what_is_too_old_is_removed_and_its_space_returned() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    send(&collecting, 0..1_000);
    let points = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"load","gauge":{"dataPoints":[
        {"timeUnixNano":"1764000000000000000","asDouble":1},{"timeUnixNano":"TIME","asDouble":2}]}}]}]}]}"#;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos().to_string();
    let points = points.replace("TIME", &now);
    assert_eq!(collecting.post("/v1/metrics", &[JSON], points.as_bytes()).status, 200);
    let fresh_span = String::from_utf8(crate::surroundings::span(9_999, "now")).expect("text").replace("1764000000000000000", &now);
    let fresh_span = fresh_span.replace("1764000000000000009", &now);
    assert_eq!(collecting.post("/v1/traces", &[JSON], fresh_span.as_bytes()).status, 200);
    let before = size(&db);
    collecting.end();

    // The traces above are of 2025.
    let mut collecting = Collecting::start(&db, &["--max-age", "7d"]);
    assert!(collecting.says().starts_with("Removed what was oldest: 1,000 traces, 4,000 spans, 1,000 log records, 1 metric point"));
    let begun = std::time::Instant::now();
    while size(&db) >= before / 5 {
        assert!(begun.elapsed().as_secs() < 30, "{} of {before} bytes", size(&db));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    collecting.end();
    assert_eq!(rows(&db, "SELECT name FROM spans"), [["now"]]);
    assert_eq!(rows(&db, "SELECT value FROM quipu_metric_points"), [["2.0"]]);
    assert_eq!(rows(&db, "PRAGMA integrity_check"), [["ok"]]);
}

#[test]
fn bounds_that_cannot_be_kept_are_refused() {
    let (_folder, db) = fresh();
    Collecting::start(&db, &["--layout", "llama-stack"]).end();
    let refused = |more: &[&str]| {
        let output = quipu().args(["collect", "--listen", "127.0.0.1:0", "--db"]).arg(&db).args(more).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (more, words) in [
        (["--max-size", "1GB"], "has Llama Stack's tables"),
        (["--max-size", "1MB"], "the smallest size is 50"),
        (["--max-size", "much"], "is not a size; write it like 500MB"),
        (["--max-age", "old"], "is not an age; write it like 90m"),
    ] {
        let (code, said) = refused(&more);
        assert!(code == Some(2) && said.contains(words), "{more:?}: {code:?} {said}");
    }
    let output = quipu().args(["pin"]).arg(&db).arg("0af7651916cd43dd8448eb21000000ff").output().expect("it runs");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("nothing is ever removed"));
}
