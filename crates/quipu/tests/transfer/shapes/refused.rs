//! Files that are not read are named, and say what to do.

use super::read;
use crate::transfer::tools::gzip;
use quipu::store::Writer;
use quipu::transfer::{Content, Importer, are_imported, content};

fn refused(bytes: &[u8]) -> String {
    let mut importer = Importer::new(Writer::in_memory().expect("a writer")).expect("an importer");
    importer.begin("x");
    importer.push(bytes).and_then(|()| importer.end()).expect_err("it is refused").to_string()
}

#[test]
fn kinds_of_files_are_named_as_they_are_and_compressed() {
    for (bytes, what) in [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), "x is a picture"),
        (b"PAR1\x15\x04\x15\x10", "x is a Parquet file; export its rows as JSON lines"),
        (b"ARROW1\0\0\xff\xff\xff\xff", "x is an Arrow file"),
        (b"\x8d\xb6\xf6\x1c\x8a\x2f\x11\x4aDUCK\x40\0\0\0", "x is a DuckDB database"),
        (b"<!DOCTYPE html>\n<html><body>", "x is a web page"),
        (b"2025-10-09T08:53:20Z INFO listening on 80\n", "x is a text file"),
        // TracePacket { clock_snapshot, ... }, as `perfetto` writes it.
        (b"\x0a\x57\x32\x52\x0a\x0b\x08\x06\x10\xd8\xb6", "x is a Perfetto trace in protobuf; convert it"),
        // Profile { sample_type { type: 1 unit: 2 } ... }
        (b"\x0a\x04\x08\x01\x10\x02\x0a\x04\x08\x03\x10\x04\x12\x0b", "x is a profile of pprof"),
    ] {
        assert_eq!(content(bytes), Content::Other, "{what}");
        assert!(!are_imported([bytes]));
        assert!(refused(bytes).starts_with(what), "{what}: {}", refused(bytes));
        assert!(refused(&gzip(bytes)).starts_with(what), "{what}");
    }
}

#[test]
fn json_of_other_kinds_is_named() {
    for (text, what) in [
        (r#"{"log":{"version":"1.2","creator":{"name":"x"},"entries":[{"startedDateTime":"2025-10-09"}]}}"#, "it is a HAR file"),
        (r#"{"meta":{"interval":1,"product":"Firefox"},"libs":[],"threads":[{"name":"main"}]}"#, "it is a profile of the Firefox Profiler"),
        (r#"{"nodes":[{"id":1}],"startTime":1,"samples":[1],"timeDeltas":[2]}"#, "it is a CPU profile of V8"),
        (
            r#"{"level":"info","msg":"hello"}"#,
            "it holds none of these: resourceSpans, resourceLogs or resourceMetrics, a trace of Jaeger's",
        ),
    ] {
        let (_, report) = read(text.as_bytes());
        assert!(report.problems[0].what.starts_with(what), "{report:?}");
        assert!(report.nothing("x").is_some_and(|told| told.starts_with("Nothing could be imported. input, line 1: it ")));
    }
}
