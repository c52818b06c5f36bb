//! Names files that are neither opened nor imported, and says what to do with each.

/// How a kind of file is recognised.
enum Sign {
    /// By its first bytes.
    Starts(&'static [u8]),
    /// By bytes further on.
    At(usize, &'static [u8]),
    /// By a rule.
    Check(fn(&[u8]) -> bool),
    /// JSON, by members of its first object.
    Members(&'static [&'static str]),
}

const PICTURE: &str = "a picture, which has no traces in it";
const PERFETTO: &str = "a Perfetto trace in protobuf; convert it with Perfetto's traceconv (`traceconv json IN OUT.json`), and open that";
const PPROF: &str = "a profile of pprof, which counts samples and has no spans; export traces from the program instead";
const ARROW: &str =
    "an Arrow file; export its rows as JSON lines (in Python: `df.to_json(\"spans.jsonl\", orient=\"records\", lines=True)`)";

/// Every kind: how it is recognised, and the end of a sentence that names it.
const KINDS: [(Sign, &str); 31] = [
    (Sign::Starts(b"\x89PNG"), PICTURE),
    (Sign::Starts(b"\xff\xd8\xff"), PICTURE),
    (Sign::Starts(b"GIF8"), PICTURE),
    (Sign::Starts(b"%PDF"), "a PDF, which has no traces in it"),
    (Sign::Starts(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"), "a rollback journal; open it together with its database"),
    (Sign::Starts(&[0x37, 0x7f, 0x06]), "a write-ahead log; open it together with its database"),
    (
        Sign::Starts(b"PAR1"),
        "a Parquet file; export its rows as JSON lines (in Python: `df.to_json(\"spans.jsonl\", orient=\"records\", lines=True)`)",
    ),
    (Sign::Starts(b"ARROW1"), ARROW),
    (Sign::Starts(b"\xff\xff\xff\xff\x10\x00\x00\x00"), ARROW),
    (Sign::At(8, b"DUCK"), "a DuckDB database; export the table of spans from it as JSON (`COPY spans TO 'spans.json'`)"),
    (Sign::Starts(b"Obj\x01"), "an Avro file; export its rows as JSON lines"),
    // These are unpacked by an import, but not beside a database.
    (Sign::Starts(b"PK\x03\x04"), "a zip archive; open it alone, or unpack it first"),
    (Sign::Starts(&[0x1f, 0x8b]), "compressed by gzip; open it alone, or unpack it first"),
    (Sign::Starts(&[0x28, 0xb5, 0x2f, 0xfd]), "compressed by zstd; open it alone, or unpack it first"),
    (Sign::Starts(b"\xfd7zXZ\0"), "compressed by xz; unpack it first (`xz -d`)"),
    (Sign::Starts(b"BZh"), "compressed by bzip2; unpack it first (`bunzip2`)"),
    (Sign::Starts(b"7z\xbc\xaf\x27\x1c"), "a 7z archive; unpack it first"),
    (Sign::Starts(b"\x04\x22\x4d\x18"), "compressed by lz4; unpack it first (`lz4 -d`)"),
    (Sign::Starts(b"PERFILE2"), "a recording of perf, which counts samples and has no spans"),
    (Sign::Check(is_pprof), PPROF),
    (Sign::Check(is_perfetto), PERFETTO),
    (Sign::Check(is_page), "a web page; save the data behind it instead, for example as JSON"),
    (Sign::Members(&["log", "stream", "time"]), "a log of Docker's; traces are read as JSON or protobuf"),
    (Sign::Members(&["log"]), "a HAR file of a browser's requests, which has no spans; export traces from the program instead"),
    (Sign::Members(&["meta", "threads"]), "a profile of the Firefox Profiler, which counts samples and has no spans"),
    (Sign::Members(&["meta", "libs"]), "a profile of the Firefox Profiler, which counts samples and has no spans"),
    (Sign::Members(&["nodes", "samples", "timeDeltas"]), "a CPU profile of V8, which counts samples and has no spans"),
    (Sign::Members(&["$schema", "profiles", "shared"]), "a profile of speedscope; open the trace that it was made from"),
    (Sign::Members(&["dashboard"]), "a dashboard of Grafana; export the traces themselves"),
    (Sign::Members(&["streams"]), "an answer of Loki with log lines; log records are read as OTLP"),
    (Sign::Check(is_text), "a text file, such as a log; traces are read as JSON or protobuf"),
];

/// What a file with these first bytes is, as the end of a sentence. `None` if that is unknown.
pub fn other_file(head: &[u8]) -> Option<&'static str> {
    let is_it = |sign: &Sign| match sign {
        Sign::Starts(start) => head.starts_with(start),
        Sign::At(at, bytes) => head.get(*at..).is_some_and(|rest| rest.starts_with(bytes)),
        Sign::Check(check) => check(head),
        Sign::Members(_) => false,
    };
    KINDS.iter().find(|(sign, _)| is_it(sign)).map(|(_, what)| *what)
}

/// What a JSON file is whose first object has these members, as the end of a sentence. `None` if that is unknown.
pub fn other_json(members: &[String]) -> Option<&'static str> {
    let has = |wanted: &&str| members.iter().any(|member| member == wanted);
    let is_it = |sign: &Sign| matches!(sign, Sign::Members(wanted) if wanted.iter().all(has));
    KINDS.iter().find(|(sign, _)| is_it(sign)).map(|(_, what)| *what)
}

/// The content of the first field, if it is number 1 and has a length.
fn first_message(head: &[u8]) -> Option<&[u8]> {
    let rest = head.strip_prefix(&[0x0a])?;
    let length = rest.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    rest.get(length..).filter(|message| length <= 5 && !message.is_empty())
}

/// A profile starts with the type of its samples: two numbers of strings.
fn is_pprof(head: &[u8]) -> bool {
    head.get(1).is_some_and(|length| *length <= 6) && first_message(head).is_some_and(|message| matches!(message, [0x08, _, 0x10, ..]))
}

/// A trace is a list of packets, which start with a clock snapshot, a time, a user, a sequence, a configuration or a process tree.
fn is_perfetto(head: &[u8]) -> bool {
    first_message(head).is_some_and(|message| match message {
        [0x32 | 0x40 | 0x18 | 0x50 | 0x68 | 0x58 | 0x38, ..] => true,
        [first, 0x01..=0x06, ..] => first & 0x87 == 0x82,
        _ => false,
    })
}

fn is_page(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    let starts = |tag: &str| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()));
    starts("<!doctype html") || starts("<html") || starts("<head")
}

fn is_text(head: &[u8]) -> bool {
    // The last letter may be cut off.
    let valid = std::str::from_utf8(head).map_or_else(|error| error.valid_up_to() + 4 > head.len() && error.valid_up_to() > 0, |_| true);
    !head.is_empty() && valid && head.iter().all(|byte| *byte >= b' ' || byte.is_ascii_whitespace() || *byte == 0x1b)
}

#[cfg(test)]
mod tests {
    use super::{other_file, other_json};

    #[test]
    fn files_are_named_by_their_first_bytes() {
        let named = |head: &[u8]| other_file(head).map(|what| what.split([',', ';']).next().unwrap_or_default().to_owned());
        for (head, what) in [
            (b"\x89PNG\r\n\x1a\n".as_slice(), "a picture"),
            (b"PAR1\x15\x04", "a Parquet file"),
            (b"ARROW1\0\0", "an Arrow file"),
            (b"\x01\x02\x03\x04\x05\x06\x07\x08DUCK\x40", "a DuckDB database"),
            (b"<!DOCTYPE html><html>", "a web page"),
            (b"2025-01-01 INFO started\n", "a text file"),
            // A packet with a clock snapshot and one with a configuration (field 33).
            (b"\x0a\x50\x32\x4e\x0a\x06", "a Perfetto trace in protobuf"),
            (b"\x0a\x91\x03\x8a\x02\x8d\x03", "a Perfetto trace in protobuf"),
            // sample_type { type: 1 unit: 2 }
            (b"\x0a\x04\x08\x01\x10\x02\x0a\x04", "a profile of pprof"),
        ] {
            assert_eq!(named(head).as_deref(), Some(what));
        }
        assert_eq!(other_file(&[0, 1, 2, 3, 0xfe]), None);
        assert_eq!(other_file(b""), None);
    }

    #[test]
    fn documents_are_named_by_their_members() {
        let named = |members: &[&str]| other_json(&members.iter().map(|member| (*member).to_owned()).collect::<Vec<_>>());
        assert!(named(&["log"]).is_some_and(|what| what.starts_with("a HAR file")));
        assert!(named(&["meta", "libs", "pages", "threads"]).is_some_and(|what| what.contains("Firefox Profiler")));
        assert_eq!(named(&["spans"]), None);
    }
}
