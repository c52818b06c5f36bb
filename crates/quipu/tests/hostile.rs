//! Damaged, foreign and hostile files: an error or a partial view with warnings, never a panic.

use quipu::Session;
use quipu::protocol::{Failure, FailureKind, GetFile, GetSpan, GetText, GetTrace, ListTraces, TextRef, TraceQuery, WarningKind};
use quipu::store::{MemorySource, NamedSource, OpenOptions};
use rusqlite::Connection;
use std::path::{Path, PathBuf};

fn sample() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/agent_0.2.15.db")).expect("the sample is there")
}

fn named(name: &str, bytes: Vec<u8>) -> NamedSource {
    NamedSource { name: name.into(), source: Box::new(MemorySource(bytes)) }
}

fn open(files: Vec<NamedSource>) -> Result<Session, Failure> {
    Session::open(files, OpenOptions::with_clock(|| 0))
}

/// Opens, indexes, and asks everything the page asks. Returns the number of spans that could be read.
fn read_all(bytes: Vec<u8>) -> Result<(usize, Vec<WarningKind>), Failure> {
    let mut session = open(vec![named("some.db", bytes)])?;
    let query = TraceQuery { limit: 1_000, ..TraceQuery::default() };
    let _ = session.ask(ListTraces(query.clone()));
    while !session.step(&mut || false)?.done {}
    let file = session.ask(GetFile)?;
    let page = session.ask(ListTraces(query))?;
    let mut answered = 0;
    for row in page.rows {
        let columns = session.ask(GetTrace { trace_id: row.trace_id.clone(), scope: Default::default() })?;
        for span_id in columns.span_id.iter() {
            let asked = session.ask(GetSpan { trace_id: row.trace_id.clone(), span_id });
            answered += usize::from(asked.is_ok());
        }
    }
    Ok((answered, file.warnings.iter().map(|warning| warning.kind).collect()))
}

/// A copy of the sample, changed by SQL.
fn changed(name: &str, sql: &str) -> Vec<u8> {
    let path: PathBuf = std::env::temp_dir().join(format!("quipu-hostile-{}-{name}.db", std::process::id()));
    std::fs::write(&path, sample()).expect("a copy");
    let connection = Connection::open(&path).expect("SQLite opens it");
    connection.execute_batch(sql).expect("the change is good SQL");
    drop(connection);
    let bytes = std::fs::read(&path).expect("the copy is there");
    std::fs::remove_file(&path).expect("the copy goes away");
    bytes
}

#[test]
fn bytes_flipped_at_200_places_give_an_error_or_a_partial_view() {
    let whole = sample();
    let mut seed = 42_u64;
    let (mut refused, mut warned, mut complete) = (0, 0, 0);
    for _ in 0..200 {
        let mut bytes = whole.clone();
        // A few neighbouring bytes each time, like a bad block.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (seed >> 20) as usize % (bytes.len() - 16);
        for byte in &mut bytes[at..at + 1 + (seed as usize & 7)] {
            *byte ^= (seed >> 12) as u8 | 1;
        }
        match read_all(bytes) {
            Err(failure) => {
                assert!(failure.message.contains(' ') && failure.message.ends_with('.'), "a sentence: {}", failure.message);
                refused += 1;
            }
            Ok((434, _)) => complete += 1,
            Ok((answered, warnings)) => {
                assert!(!warnings.is_empty(), "{answered} of 434 spans answered, and nothing says so");
                warned += 1;
            }
        }
    }
    assert!(complete > 100 && warned > 0, "{refused} refused, {warned} with warnings, {complete} complete");
}

#[test]
fn truncated_files_give_an_error_or_a_warning() {
    let whole = sample();
    for len in [
        0,
        1,
        15,
        16,
        50,
        99,
        100,
        101,
        4095,
        4096,
        8192,
        20_000,
        100_000,
        300_000,
        500_000,
        700_000,
        whole.len() - 1,
    ] {
        match read_all(whole[..len].to_vec()) {
            Err(failure) => assert!(failure.message.ends_with('.'), "{len}: {}", failure.message),
            Ok((_, warnings)) => assert!(warnings.contains(&WarningKind::Corrupt), "{len}"),
        }
    }
}

#[test]
fn other_kinds_of_files_are_named_in_the_error() {
    let report: Vec<String> = [
        ("empty.db", Vec::new()),
        ("shot.png", b"\x89PNG\r\n\x1a\n and the rest of a picture".to_vec()),
        ("page.html", b"<!doctype html><html><body>hello</body></html>".to_vec()),
        ("logs.zip", b"PK\x03\x04 and the rest".to_vec()),
        ("trace.json.gz", vec![0x1f, 0x8b, 8, 0, 0]),
        ("secret.db", (0..8192_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()),
        (
            "other.db",
            changed(
                "other",
                "PRAGMA foreign_keys=OFF; DROP TABLE spans; DROP TABLE traces; DROP TABLE span_events; CREATE TABLE notes (text TEXT);",
            ),
        ),
        ("columns.db", changed("columns", "PRAGMA foreign_keys=OFF; DROP TABLE spans; DROP TABLE traces; CREATE TABLE spans (a, b);")),
    ]
    .into_iter()
    .map(|(name, bytes)| match open(vec![named(name, bytes)]) {
        Ok(_) => panic!("{name} opened"),
        Err(failure) => {
            assert_eq!(failure.kind, FailureKind::CannotOpen);
            failure.message
        }
    })
    .collect();
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn companions_alone_and_two_databases_are_explained() {
    let message = |files| match open(files) {
        Ok(_) => panic!("it opened"),
        Err(failure) => failure.message,
    };
    assert!(message(vec![named("a.db-wal", vec![1; 100])]).contains("drop the .db file together"));
    assert!(message(vec![named("a.db", sample()), named("b.db", sample())]).contains("a.db, b.db can’t be opened together"));
    let strange = message(vec![named("a.db", sample()), named("b.db-journal", vec![1; 600])]);
    assert!(strange.contains("b.db-journal does not belong to a.db"), "{strange}");
}

#[test]
fn a_file_with_missing_columns_and_unusual_types_is_shown_with_a_warning() {
    let bytes = changed(
        "odd",
        "ALTER TABLE spans DROP COLUMN kind; ALTER TABLE traces DROP COLUMN service_name; DROP TABLE span_events;
         UPDATE spans SET span_id = 12345 WHERE rowid = 3; UPDATE spans SET start_time = 1.5, end_time = x'ff00' WHERE rowid = 4;
         UPDATE spans SET attributes = '[1, 2' WHERE rowid = 5; UPDATE spans SET trace_id = NULL WHERE rowid = 6;
         UPDATE spans SET name = NULL, status = NULL WHERE rowid = 7;",
    );
    let (answered, warnings) = read_all(bytes).expect("it opens");
    assert_eq!(answered, 434);
    for kind in [WarningKind::Schema, WarningKind::OddTimes, WarningKind::OddValues, WarningKind::Unmatched] {
        assert!(warnings.contains(&kind), "{kind:?} in {warnings:?}");
    }
}

#[test]
fn a_column_named_rowid_and_a_failed_opening_leave_nothing_behind() {
    let hiding = changed(
        "rowid",
        "PRAGMA foreign_keys=OFF; DROP TABLE spans; CREATE TABLE spans (span_id TEXT, trace_id TEXT, rowid TEXT);
         INSERT INTO spans SELECT trace_id, trace_id, 'x' FROM traces;",
    );
    let (answered, warnings) = read_all(hiding).expect("its traces are readable");
    assert_eq!(answered, 0);
    assert!(warnings.contains(&WarningKind::Schema));
    let other = changed("other-again", "PRAGMA foreign_keys=OFF; DROP TABLE spans; DROP TABLE traces; DROP TABLE span_events;");
    for _ in 0..5 {
        assert!(open(vec![named("other.db", other.clone())]).is_err());
        assert_eq!(read_all(sample()).map(|(answered, _)| answered), Ok(434));
    }
}

/// A source that changes, or fails, after a number of reads.
struct Changing {
    bytes: Vec<u8>,
    left: std::cell::Cell<u32>,
    fails: bool,
}

impl quipu::store::ByteSource for Changing {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_into(&self, offset: u64, parts: &mut [&mut [u8]]) -> Result<(), quipu::store::SourceError> {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        if left == 0 && self.fails {
            return Err(quipu::store::SourceError::Changed);
        }
        let mut at = offset as usize;
        for part in &mut *parts {
            part.copy_from_slice(&self.bytes[at..at + part.len()]);
            at += part.len();
        }
        // The change counter in the database header.
        if left == 0 && offset == 0 && !self.fails {
            parts[0][27] ^= 1;
        }
        Ok(())
    }
}

#[test]
fn a_file_that_changes_while_it_is_indexed_is_noticed() {
    for (reads, fails) in [(2, true), (3, true), (4, false)] {
        let source = Changing { bytes: sample(), left: reads.into(), fails };
        let opened = open(vec![NamedSource { name: "some.db".into(), source: Box::new(source) }]);
        let outcome = opened.and_then(|mut session| {
            loop {
                if session.step(&mut || false)?.done {
                    return Ok(());
                }
            }
        });
        let failure = outcome.expect_err("the change is noticed");
        assert_eq!(failure.kind, FailureKind::FileChanged, "{reads} {fails}: {}", failure.message);
    }
}

#[test]
fn cycles_of_parents_are_cut_and_every_span_is_shown_once() {
    let bytes = changed(
        "cycle",
        "CREATE TEMP TABLE pick AS SELECT trace_id FROM spans GROUP BY trace_id HAVING count(*) > 5 ORDER BY trace_id LIMIT 1;
         UPDATE spans SET parent_span_id = (SELECT max(span_id) FROM spans AS other WHERE other.trace_id = spans.trace_id)
         WHERE trace_id IN (SELECT trace_id FROM pick);",
    );
    let (answered, warnings) = read_all(bytes).expect("it opens");
    assert_eq!(answered, 434);
    assert!(warnings.contains(&WarningKind::Cycles));
}

#[test]
fn a_wal_file_opens_with_and_without_its_log() {
    let path: PathBuf = std::env::temp_dir().join(format!("quipu-wal-{}.db", std::process::id()));
    std::fs::write(&path, sample()).expect("a copy");
    let connection = Connection::open(&path).expect("SQLite opens it");
    connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(())).expect("WAL");
    connection
        .execute_batch("PRAGMA wal_autocheckpoint=0; INSERT INTO spans SELECT 'ffff000000000001', trace_id, NULL, 'late', start_time, end_time, '{}', 'OK', 'INTERNAL' FROM spans LIMIT 1;")
        .expect("a late span");
    let database = std::fs::read(&path).expect("the database");
    let wal = std::fs::read(path.with_extension("db-wal")).expect("its log");
    drop(connection);
    let _ = std::fs::remove_file(&path);
    let spans = |files| {
        let mut session = open(files).expect("it opens");
        while !session.step(&mut || false).expect("it is read").done {}
        {
            let file = session.ask(GetFile).expect("an answer");
            (file.spans, file.warnings.iter().any(|warning| warning.kind == WarningKind::Journal))
        }
    };
    assert_eq!(spans(vec![named("some.db", database.clone())]), (Some(434), true));
    assert_eq!(spans(vec![named("some.db-wal", wal), named("some.db", database)]), (Some(435), true));
}

#[test]
fn large_and_strange_values_come_back_exactly() {
    let bytes = changed(
        "values",
        r#"UPDATE spans SET attributes = json_object('html', '<img src=x onerror=alert(1)>', 'control', char(1, 9, 10, 27),
           'rtl', 'שלום ' || char(8238) || ' abc', 'large', replace(hex(zeroblob(5000000)), '0', 'x'), 'n', 9007199254740993) WHERE rowid = 1;"#,
    );
    let mut session = open(vec![named("some.db", bytes)]).expect("it opens");
    while !session.step(&mut || false).expect("it is read").done {}
    let text = |session: &mut Session, key: &str| {
        session.ask(GetText(TextRef::SpanAttribute { rowid: 1, key: Some(key.into()) })).expect("the text")
    };
    assert_eq!(text(&mut session, "html"), "<img src=x onerror=alert(1)>");
    assert_eq!(text(&mut session, "control"), "\u{1}\t\n\u{1b}");
    assert_eq!(text(&mut session, "rtl"), "שלום \u{202e} abc");
    assert_eq!(text(&mut session, "n"), "9007199254740993");
    let large = text(&mut session, "large");
    assert!(large.len() == 10_000_000 && large.bytes().all(|byte| byte == b'x'));
    assert!(matches!(
        session.ask(GetText(TextRef::SpanAttribute { rowid: 1, key: Some("none".into()) })),
        Err(Failure { kind: FailureKind::NotFound, .. })
    ));
}
