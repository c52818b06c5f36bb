//! Chrome's trace events: the examples of their format's description, and what programs write.

use super::{attribute, events, read, read_whole, spans};
use crate::transfer::tools::{export, import};
use quipu::Selection;
use quipu::protocol::FileFormat;

/// Names with their parents' names, start and length in nanoseconds.
fn tree(connection: &rusqlite::Connection) -> Vec<String> {
    let found = spans(connection);
    let parts = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let name = |id: &str| found.iter().map(|line| parts(line)).find(|line| line[1] == id).map_or("-".to_owned(), |line| line[3].clone());
    let number = |text: &str| text.parse::<u64>().unwrap_or(0);
    found
        .iter()
        .map(|line| parts(line))
        .map(|line| format!("{} in {}: {}+{}", line[3], name(&line[2]), line[6], number(&line[7]).saturating_sub(number(&line[6]))))
        .collect()
}

#[test]
fn slices_of_a_thread_nest_by_time_in_any_order() {
    // The inner one ends first and so comes first; another thread and another process are apart.
    let events = r#"
        {"name":"inner","cat":"a,b","ph":"X","ts":100.5,"dur":200.25,"pid":1,"tid":1,"args":{"n":1,"deep":{"x":[2]}}},
        {"name":"outer","ph":"X","ts":0,"dur":1000,"pid":1,"tid":1},
        {"name":"after","ph":"X","ts":1000,"dur":1,"pid":1,"tid":1},
        {"name":"elsewhere","ph":"X","ts":100,"dur":1,"pid":1,"tid":2},
        {"name":"process_name","ph":"M","pid":1,"args":{"name":"browser"}},
        {"name":"thread_name","ph":"M","pid":1,"tid":1,"args":{"name":"main"}},
        {"name":"mark","ph":"i","ts":150,"pid":1,"tid":1,"s":"t","args":{"why":"x"}},
        {"name":"other","ph":"X","ts":5,"dur":1,"pid":"2","tid":"1"}"#;
    for text in [
        format!("[{events}]"),
        format!("{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[{events}],\"otherData\":{{\"v\":\"1\"}}}}"),
    ] {
        let connection = read_whole(&text);
        assert_eq!(
            tree(&connection),
            [
                "outer in -: 0+1000000",
                "other in -: 5000+1000",
                "elsewhere in -: 100000+1000",
                "inner in outer: 100500+200250",
                "after in -: 1000000+1000"
            ]
        );
        let found = spans(&connection);
        let trace = |name: &str| found.iter().find(|line| line.contains(name)).map(|line| line[..32].to_owned());
        assert_eq!(trace("outer"), trace("elsewhere"));
        assert_ne!(trace("outer"), trace("other"));
        assert!(found[0].ends_with(" browser") && found[1].ends_with(" -"), "{found:?}");
        assert_eq!(super::events(&connection), ["inner mark 150000 {\"why\": \"x\"}"]);
        for (key, value) in [
            ("thread.name", "main"),
            ("thread.id", "1"),
            ("chrome.category", "a,b"),
            ("n", "1"),
            ("deep", r#"{"x":[2]}"#),
        ] {
            assert_eq!(attribute(&connection, "inner", key), value, "{key}");
        }
    }
}

#[test]
fn pairs_of_threads_and_by_id_become_spans() {
    let text = r#"[
        {"name":"load","ph":"B","ts":10,"pid":1,"tid":1,"args":{"a":1}},
        {"name":"parse","ph":"B","ts":20,"pid":1,"tid":1},
        {"ph":"E","ts":30,"pid":1,"tid":1},
        {"ph":"E","ts":40,"pid":1,"tid":1,"args":{"b":2}},
        {"cat":"net","name":"fetch","ph":"b","id":"0x100","ts":15,"pid":1,"tid":1},
        {"cat":"net","name":"wait","ph":"b","id":"0x100","ts":16,"pid":1,"tid":1},
        {"cat":"net","name":"byte","ph":"n","id":"0x100","ts":17,"pid":1,"tid":1},
        {"cat":"net","name":"wait","ph":"e","id":"0x100","ts":18,"pid":1,"tid":2},
        {"cat":"net","name":"fetch","ph":"e","id":"0x100","ts":90,"pid":1,"tid":1},
        {"cat":"net","name":"other","ph":"b","id2":{"local":"7"},"ts":15,"pid":1,"tid":1},
        {"name":"open","ph":"B","ts":50,"pid":1,"tid":1},
        {"name":"c","ph":"C","ts":50,"pid":1,"args":{"n":1}},
        {"name":"c","ph":"C","ts":51,"pid":1,"args":{"n":2}},
        {"ph":"s","ts":51,"pid":1,"tid":1,"id":1}
    "#;
    // The closing bracket may be missing.
    let (connection, report) = read(text.as_bytes());
    assert_eq!(report.problem_count, 0, "{report:?}");
    let mut found = tree(&connection);
    found.sort();
    assert_eq!(
        found,
        [
            "fetch in -: 15000+75000",
            "load in -: 10000+30000",
            "open in -: 50000+0",
            "other in -: 15000+0",
            "parse in load: 20000+10000",
            "wait in fetch: 16000+2000"
        ]
    );
    assert_eq!(events(&connection), ["wait byte 17000 {}"]);
    assert_eq!((attribute(&connection, "load", "a"), attribute(&connection, "load", "b")), ("1".into(), "2".into()));
    let left_out: Vec<&str> = report.remarks.iter().map(|remark| remark.what.as_str()).collect();
    assert_eq!(left_out, ["2 counters left out: they are not spans", "1 flow event left out: they are not spans"]);
}

const FILE: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[
    {"traceId":"c0000000000000000000000000000004","spanId":"d000000000000001","name":"main","kind":1,"startTimeUnixNano":"1760000000000000000","endTimeUnixNano":"1760000010000000000"},
    {"traceId":"c0000000000000000000000000000004","spanId":"d000000000000002","parentSpanId":"d000000000000001","name":"a","kind":3,"startTimeUnixNano":"1760000002000000000","endTimeUnixNano":"1760000008000000000","status":{"code":2}},
    {"traceId":"c0000000000000000000000000000004","spanId":"d000000000000003","parentSpanId":"d000000000000001","name":"b","startTimeUnixNano":"1760000002000000000","endTimeUnixNano":"1760000008000000000","attributes":[{"key":"k","value":{"stringValue":"v"}}]},
    {"traceId":"c0000000000000000000000000000004","spanId":"d000000000000004","parentSpanId":"d000000000000003","name":"c","startTimeUnixNano":"1760000003000000000","endTimeUnixNano":"1760000004000000000"},
    {"traceId":"c0000000000000000000000000000004","spanId":"d000000000000005","parentSpanId":"d000000000000001","name":"d","startTimeUnixNano":"1760000005000000000","endTimeUnixNano":"1760000009000000000"}
]}]}]}"#;

#[test]
fn overlapping_siblings_are_exported_to_tracks_of_their_own() {
    let (mut session, _) = import(&[("input", FILE.as_bytes())]);
    let bytes = export(&mut session, Selection::All, FileFormat::Chrome);
    let whole: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let slices: Vec<(&str, u64, f64, f64)> = whole["traceEvents"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|event| event["ph"] == "X")
        .map(|event| {
            let number = |key: &str| event[key].as_f64().expect("a number");
            (event["name"].as_str().expect("a name"), event["tid"].as_u64().expect("a thread"), number("ts"), number("dur"))
        })
        .collect();
    let track = |name: &str| slices.iter().find(|slice| slice.0 == name).expect("a slice").1;
    assert_eq!(slices.len(), 5);
    let tracks = ["a", "b", "d"].map(track);
    assert!(tracks[0] != tracks[1] && tracks[1] != tracks[2] && tracks[0] != tracks[2], "{slices:?}");
    assert_eq!(track("c"), track("b"), "a child is on the track of its parent");
    for (at, (_, thread, start, length)) in slices.iter().enumerate() {
        for (_, other, from, more) in slices.iter().skip(at + 1).filter(|other| other.1 == *thread) {
            let (end, until) = (start + length, from + more);
            let nested = (start <= from && until <= end) || (from <= start && end <= until);
            assert!(nested || end <= *from || until <= *start, "{thread} {other}: {slices:?}");
        }
    }
}

#[test]
fn an_export_comes_back_with_its_ids_parents_kinds_and_statuses() {
    let (mut session, _) = import(&[("input", FILE.as_bytes())]);
    let bytes = export(&mut session, Selection::All, FileFormat::Chrome);
    let (connection, report) = read(&bytes);
    assert_eq!((report.spans, report.problem_count, report.remark_count), (5, 0, 0), "{report:?}");
    let mut found: Vec<String> = spans(&connection).iter().map(|line| line.split(' ').take(6).collect::<Vec<_>>().join(" ")).collect();
    found.sort();
    let trace = "c0000000000000000000000000000004";
    assert_eq!(
        found,
        [
            format!("{trace} d000000000000001 - main INTERNAL UNSET"),
            format!("{trace} d000000000000002 d000000000000001 a CLIENT ERROR"),
            format!("{trace} d000000000000003 d000000000000001 b - UNSET"),
            format!("{trace} d000000000000004 d000000000000003 c - UNSET"),
            format!("{trace} d000000000000005 d000000000000001 d - UNSET"),
        ]
    );
    assert_eq!(attribute(&connection, "b", "k"), "v");
}
