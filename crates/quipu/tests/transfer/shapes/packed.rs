//! Compression and archives, as other programs write them: `data/packed` is by Python's `zipfile`, `tarfile` and `gzip`, and by
//! `zstd`.

use super::{one, read, spans};
use crate::transfer::tools::gzip;
use quipu::store::Writer;
use quipu::transfer::Importer;

fn packed(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/packed/{name}", env!("CARGO_MANIFEST_DIR"))).expect("the fixture is there")
}

#[test]
fn archives_are_read_file_by_file() {
    for name in ["run.zip", "run.tar.gz", "pax.tar.gz"] {
        let (connection, report) = read(&packed(name));
        assert_eq!(report.spans, 101, "{name} {report:?}");
        let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            ["input/README.txt, all of it: it is a text file, such as a log; traces are read as JSON or protobuf."],
            "{name}"
        );
        assert_eq!(one(&connection, "SELECT count(DISTINCT name) FROM quipu_names WHERE name LIKE 'span %'"), "101");
    }
    let (_, report) = read(&packed("streamed.zip"));
    assert_eq!((report.spans, report.problem_count), (101, 0), "{report:?}");
}

#[test]
fn zstd_frames_are_decompressed() {
    let one_frame = packed("one.json.zst");
    let (connection, report) = read(&one_frame);
    assert_eq!((report.spans, report.problem_count, spans(&connection).len()), (1, 0, 1));
    // Two frames of 400 spans, with and without a checksum; before each one that is to be skipped.
    let whole = packed("frames.jsonl.zst");
    let (_, report) = read(&whole);
    assert_eq!((report.spans, report.problem_count), (800, 0), "{report:?}");
    // What came before damage is kept.
    let (_, report) = read(&whole[..whole.len() - 100]);
    assert!(report.spans == 400 && report.problem_count >= 1, "{report:?}");
    assert_eq!(report.problems.last().expect("a problem").to_string(), "input, compressed data: it ends in the middle; it was cut off.");
}

#[test]
fn damaged_and_truncated_archives_keep_what_came_before() {
    for name in ["run.zip", "streamed.zip", "run.tar.gz", "one.json.zst"] {
        let whole = packed(name);
        for length in (0..whole.len()).step_by(37) {
            import(&whole[..length]);
        }
        for at in (4..whole.len()).step_by(29) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            import(&bytes);
        }
    }
    let zip = packed("streamed.zip");
    let (_, report) = read(&zip[..zip.len() / 2]);
    assert!(report.spans > 20 && report.problems[0].what == "it ends in the middle; it was cut off", "{report:?}");
}

/// Imports without a panic, whatever the outcome.
pub(super) fn import(bytes: &[u8]) {
    let mut importer = Importer::new(Writer::in_memory().expect("a writer")).expect("an importer");
    importer.begin("x");
    if bytes.chunks(97).try_for_each(|chunk| importer.push(chunk)).and_then(|()| importer.end()).is_ok() {
        importer.finish().expect("it is written");
    }
}

#[test]
fn what_is_packed_again_and_again_is_refused() {
    let line = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00f067aa0ba902b7","name":"x"}]}]}]}"#;
    let stored = |name: &str, bytes: &[u8]| {
        let crc = !bytes.iter().fold(!0_u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |rest, _| if rest & 1 == 1 { rest >> 1 ^ 0xedb8_8320 } else { rest >> 1 })
        });
        let length = (bytes.len() as u32).to_le_bytes();
        let head = [
            b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0".as_slice(),
            &crc.to_le_bytes(),
            &length,
            &length,
            &[name.len() as u8, 0, 0, 0],
        ];
        [head.concat().as_slice(), name.as_bytes(), bytes, b"PK\x01\x02"].concat()
    };
    let inner = stored("a.json", line);
    assert_eq!(read(&inner).1.spans, 1);
    assert_eq!(read(&stored("a.json.gz", &gzip(line))).1.spans, 1);
    assert_eq!(read(&gzip(&stored("a.json.gz", &gzip(line)))).1.spans, 1);
    let (_, report) = read(&stored("a.zip", &inner));
    assert_eq!((report.spans, report.problems[0].what.as_str()), (0, "it is packed more than once; unpack it first"));
    let (_, report) = read(&stored("a.gz", &gzip(&gzip(line))));
    assert_eq!((report.spans, report.problem_count), (0, 1), "{report:?}");
}
