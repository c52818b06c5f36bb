//! What happens to a collector, and to its file, while it runs.

use crate::support::{Collecting, JSON, count, fresh, quipu, rows};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// A request with one span.
pub(crate) fn span(id: u32, name: &str) -> Vec<u8> {
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"0af7651916cd43dd8448eb21{id:08x}","spanId":"b7ad6b71{id:08x}","name":"{name}",
        "startTimeUnixNano":"1764000000000000000","endTimeUnixNano":"1764000000000000009"}}]}}]}}]}}"#
    )
    .into_bytes()
}

fn send(collecting: &Collecting, id: u32) -> u16 {
    collecting.post("/v1/traces", &[JSON], &span(id, "a step")).status
}

fn names_of(db: &Path) -> u64 {
    count(db, "SELECT count(*) FROM spans")
}

/// Waits for the end. Returns the exit code and what else was said.
fn end_of(mut collecting: Collecting) -> (Option<i32>, String) {
    let mut said = String::new();
    let began = std::time::Instant::now();
    while collecting.process.try_wait().expect("it is known").is_none() {
        if began.elapsed() > Duration::from_secs(60) {
            collecting.process.kill().expect("killed");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    collecting.stderr().read_to_string(&mut said).expect("text");
    (collecting.process.wait().expect("it ends").code(), said)
}

#[test]
fn a_second_signal_ends_it_at_once_whatever_it_waits_for() {
    for (second, code) in [("TERM", 143), ("INT", 130)] {
        let (_folder, db) = fresh();
        let mut collecting = Collecting::start(&db, &[]);
        let other = rusqlite::Connection::open(&db).expect("it opens");
        // The last transaction waits for this lock, when no connection and no runtime is left.
        other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
        collecting.signal("TERM");
        assert!(collecting.says().contains("finishing pending requests"));
        std::thread::sleep(Duration::from_millis(500));
        collecting.signal(second);
        assert_eq!(end_of(collecting), (Some(code), String::new()));
    }
}

/// The output of a collector that does not start, as a user without rights.
fn refused(db: &Path, limit: &str) -> Output {
    let script = format!("trap '' XFSZ; {limit} exec \"$@\"");
    let quipu = quipu();
    // Root may write everything.
    let mut command = if quipu_tests::is_root() { Command::new("setpriv") } else { Command::new("env") };
    if quipu_tests::is_root() {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]);
    }
    command.args(["sh", "-c", &script, "sh"]).arg(quipu.get_program());
    command.args(["collect", "--listen", "127.0.0.1:0", "--db"]).arg(db).output().expect("it runs")
}

#[test]
fn what_cant_be_written_is_refused_at_the_start() {
    let permit = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permitted");
    let (folder, db) = fresh();
    permit(folder.path(), 0o777);
    Collecting::start(&db, &[]).end();
    let inside = folder.path().join("folder");
    std::fs::create_dir(&inside).expect("a folder");
    std::fs::copy(&db, inside.join("telemetry.db")).expect("a copy");
    permit(&inside.join("telemetry.db"), 0o666);
    permit(&inside, 0o555);
    permit(&db, 0o444);
    for (path, limit, words) in [
        (folder.path().to_owned(), "", "is a folder; give a file in it, such as"),
        (db.clone(), "", "may only be read"),
        (inside.join("new.db"), "", "can't be created (Permission denied"),
        (inside.join("telemetry.db"), "", "it may only be read; change its permissions and those of its folder"),
        (folder.path().join("full.db"), "ulimit -f 0;", "can't be written ("),
    ] {
        let output = refused(&path, limit);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(words) && said.lines().count() == 1, "{}: {said}", path.display());
    }
    permit(&inside, 0o755);
}

#[test]
fn a_file_that_is_moved_deleted_or_replaced_is_begun_anew_and_nothing_goes_where_nobody_sees_it() {
    let (folder, db) = fresh();
    let mut collecting = Collecting::start(&db, &[]);
    assert_eq!(send(&collecting, 1), 200);
    let old = folder.path().join("yesterday.db");
    std::fs::rename(&db, &old).expect("moved");
    assert_eq!(send(&collecting, 2), 200);
    assert!(collecting.says().contains("was moved or deleted. A new file was begun"));
    assert_eq!((names_of(&old), names_of(&db)), (1, 1));
    std::fs::remove_file(&db).expect("deleted");
    assert_eq!(send(&collecting, 3), 200);
    assert!(collecting.says().contains("was moved or deleted"));
    assert_eq!(rows(&db, "SELECT span_id FROM spans"), [["b7ad6b7100000003"]]);
    let copy = folder.path().join("copy.db");
    std::fs::copy(&old, &copy).expect("a copy");
    std::fs::rename(&copy, &db).expect("replaced");
    assert_eq!(send(&collecting, 4), 200);
    assert!(collecting.says().contains("was replaced by another file"));
    assert_eq!(rows(&db, "SELECT span_id FROM spans"), [["b7ad6b7100000001"], ["b7ad6b7100000004"]]);
    assert_eq!(collecting.end().lines().count(), 1, "it is said once");
    assert_eq!(rows(&db, "PRAGMA integrity_check"), [["ok"]]);
}

#[test]
fn a_file_that_is_cut_off_damaged_or_gone_for_good_ends_it_with_words() {
    let overwrite = |db: &Path, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = std::fs::read(db).expect("the file");
        change(&mut bytes);
        // In place: the same file, with other bytes.
        std::fs::write(db, bytes).expect("written");
    };
    type Damage<'d> = &'d dyn Fn(&Path);
    let cases: [(&str, Damage<'_>); 4] = [
        ("cut off", &|db| overwrite(db, &|bytes| bytes.truncate(8192))),
        ("overwritten", &|db| overwrite(db, &|bytes| bytes[8192..].iter_mut().for_each(|byte| *byte = 0x5a))),
        ("no database", &|db| overwrite(db, &|bytes| *bytes = b"Dear reader, this is no database.".repeat(200))),
        ("replaced by a text", &|db| {
            let beside = db.with_extension("txt");
            std::fs::write(&beside, "Dear reader, this is no database.".repeat(200)).expect("written");
            std::fs::rename(&beside, db).expect("replaced");
        }),
    ];
    for (what, damage) in cases {
        let (_folder, db) = fresh();
        let collecting = Collecting::start(&db, &[]);
        for id in 0..5 {
            assert_eq!(send(&collecting, id), 200);
        }
        damage(&db);
        assert_eq!(send(&collecting, 6), 503, "{what}");
        let (code, said) = end_of(collecting);
        assert!(code == Some(1) && said.lines().count() == 1 && said.contains("telemetry.db"), "{what}: {code:?} {said}");
    }
}

#[test]
fn what_only_looks_changed_goes_on() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    assert_eq!(send(&collecting, 1), 200);
    let file = std::fs::File::options().append(true).open(&db).expect("it opens");
    file.set_modified(std::time::SystemTime::now() + Duration::from_secs(5)).expect("touched");
    assert_eq!(send(&collecting, 2), 200);
    rusqlite::Connection::open(&db).and_then(|it| it.execute_batch("DELETE FROM quipu_spans; VACUUM")).expect("another writer");
    assert_eq!(send(&collecting, 3), 200);
    assert_eq!(names_of(&db), 1);
    assert_eq!(collecting.end().lines().count(), 1);
}

#[test]
fn nothing_in_a_foreign_file_is_run_and_views_are_no_tables() {
    let (_folder, db) = fresh();
    Collecting::start(&db, &[]).end();
    let own = |text: &str| rusqlite::Connection::open(&db).and_then(|it| it.execute_batch(text)).expect("SQL");
    own("CREATE TRIGGER none AFTER INSERT ON quipu_traces BEGIN DELETE FROM quipu_spans; END;
        CREATE TRIGGER stop BEFORE INSERT ON quipu_spans BEGIN SELECT RAISE(IGNORE); END;");
    let collecting = Collecting::start(&db, &[]);
    assert_eq!(send(&collecting, 1), 200);
    collecting.end();
    assert_eq!(rows(&db, "SELECT span_id FROM spans"), [["b7ad6b7100000001"]]);
    own("ALTER TABLE quipu_events RENAME TO kept; CREATE VIEW quipu_events AS SELECT * FROM kept;");
    let output = quipu().args(["collect", "--listen", "127.0.0.1:0", "--db"]).arg(&db).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("has a view quipu_events where a plain table is expected"), "{said}");

    let (_folder, db) = fresh();
    Collecting::start(&db, &["--layout", "llama-stack"]).end();
    let sql = |text: &str| rusqlite::Connection::open(&db).and_then(|it| it.execute_batch(text)).expect("SQL");
    sql("CREATE TRIGGER more AFTER INSERT ON spans BEGIN INSERT INTO spans(span_id) VALUES (hex(randomblob(8))); END;
        CREATE TRIGGER none AFTER INSERT ON traces BEGIN DELETE FROM spans; END;
        CREATE TRIGGER stop BEFORE INSERT ON span_events BEGIN SELECT RAISE(IGNORE); END;");
    let collecting = Collecting::start(&db, &[]);
    assert_eq!(send(&collecting, 1), 200);
    collecting.end();
    assert_eq!(rows(&db, "SELECT span_id FROM spans"), [["b7ad6b7100000001"]]);
    sql("ALTER TABLE spans RENAME TO kept; CREATE VIEW spans AS SELECT * FROM kept;
        CREATE TRIGGER swallow INSTEAD OF INSERT ON spans BEGIN SELECT 1; END;");
    let output = quipu().args(["collect", "--listen", "127.0.0.1:0", "--db"]).arg(&db).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("has a view spans where a plain table is expected"), "{said}");
}

#[test]
fn a_row_that_the_file_does_not_take_is_left_out_alone_and_told() {
    let (_folder, db) = fresh();
    rusqlite::Connection::open(&db)
        .and_then(|it| {
            it.execute_batch(
                "CREATE TABLE traces (trace_id TEXT PRIMARY KEY, service_name TEXT, root_span_id TEXT, start_time TIMESTAMP, end_time TIMESTAMP,
                    created_at TIMESTAMP);
                CREATE TABLE spans (span_id TEXT PRIMARY KEY, trace_id TEXT, parent_span_id TEXT, name TEXT CHECK (length(name) < 9),
                    start_time TIMESTAMP, end_time TIMESTAMP, attributes TEXT, status TEXT, kind TEXT);
                CREATE TABLE span_events (id INTEGER PRIMARY KEY, span_id TEXT, name TEXT UNIQUE ON CONFLICT REPLACE, timestamp TIMESTAMP,
                    attributes TEXT);
                CREATE UNIQUE INDEX once ON spans(trace_id, name);",
            )
        })
        .expect("a file with rules of its own");
    let collecting = Collecting::start(&db, &[]);
    let one = |id: u32, name: &str| {
        format!(
            r#"{{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b71{id:08x}","name":"{name}","events":[{{"name":"said"}},{{"name":"{name}"}}]}}"#
        )
    };
    let spans = [one(1, "short"), one(2, "far too long"), one(3, "short"), one(4, "other")].join(",");
    let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
    let answer = collecting.post("/v1/traces", &[JSON], body.as_bytes());
    let said: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!((answer.status, &said["partialSuccess"]["rejectedSpans"]), (200, &serde_json::json!("2")), "{said}");
    let words = said["partialSuccess"]["errorMessage"].as_str().unwrap_or_default();
    assert!(words.starts_with("The file did not take 2 entries and 1 rows") && words.contains("CHECK constraint failed"), "{words}");
    assert_eq!(rows(&db, "SELECT name FROM spans ORDER BY 1"), [["other"], ["short"]]);
    assert_eq!(rows(&db, "SELECT name FROM span_events ORDER BY 1"), [["other"], ["said"], ["short"]], "nothing is replaced");
    assert_eq!(collecting.counter("quipu_collect_refused_total{signal=\"traces\"}"), 2);
    assert_eq!(collecting.counter("quipu_collect_refused_parts_total"), 1);
    assert_eq!(collecting.counter("quipu_collect_spans_total"), 2);
}

/// A connection of HTTP/2 that begins so many calls without sending their messages.
fn call(path: &str, count: u8) -> Vec<u8> {
    let frame = |length: usize, kind: u8, flags: u8, stream: u8| {
        let [_, a, b, c] = (length as u32).to_be_bytes();
        [a, b, c, kind, flags, 0, 0, 0, stream]
    };
    let literal = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    // Fields that HPACK has in its table: POST, http, then names with literal values: :path, :authority, content-type.
    let fields = [
        vec![0x83, 0x86, 0x04],
        literal(path),
        vec![0x01],
        literal("localhost"),
        vec![0x0f, 0x10],
        literal("application/grpc"),
    ]
    .concat();
    let mut bytes = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(0, 4, 0, 0)].concat();
    for at in 0..count {
        // END_HEADERS, and no END_STREAM.
        bytes.extend(frame(fields.len(), 1, 4, at * 2 + 1));
        bytes.extend(&fields);
    }
    bytes
}

#[test]
fn silent_connections_keep_nobody_out() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    let head = format!("POST /v1/traces HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n", collecting.address);
    let body = format!("{head}content-length: 16000000\r\n\r\n");
    // Half a head, nothing, and a head with a body that never comes, also where nearly all of it has come; the same in HTTP/2: a preface, a call
    // that is refused, and one whose message never comes.
    let export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    for (count, sent) in [
        (600, head.clone().into_bytes()),
        (700, Vec::new()),
        (600, body.clone().into_bytes()),
        (40, format!("{body}{}", " ".repeat(15_000_000)).into_bytes()),
        (600, call("/", 0)[..33].to_vec()),
        (600, call(export, 1)[..60].to_vec()),
        (600, call("/", 1)),
        (600, call(export, 32)),
    ] {
        let silent: Vec<_> = (0..count)
            .map(|_| {
                let mut stream = collecting.connect();
                stream.set_write_timeout(Some(Duration::from_millis(200))).expect("set");
                // It may be closed, or no more be taken.
                let _ = stream.write_all(&sent);
                stream
            })
            .collect();
        let began = std::time::Instant::now();
        // Exporters send again what was refused or cut off.
        let ask = || collecting.try_post("/v1/traces", &[JSON], &span(count, "a step"));
        while ask() != Some(200) {
            assert!(began.elapsed() < Duration::from_secs(30), "{count}");
            std::thread::sleep(Duration::from_millis(50));
        }
        println!("{count} silent connections of {} bytes: {:?}", sent.len(), began.elapsed());
        assert!(began.elapsed() < Duration::from_secs(2), "{count}: {:?}", began.elapsed());
        drop(silent);
    }
}

#[test]
fn a_head_that_is_not_finished_is_given_up_and_a_refused_one_needs_no_body() {
    let (folder, db) = fresh();
    let token = folder.write("token", "a-token-of-more-than-16-letters\n").expect("a file");
    let collecting = Collecting::start(&db, &["--token-file", token.to_str().expect("a path")]);
    // The answer comes although nothing of the body was sent.
    for (status, more) in [(401, ""), (403, "origin: http://example.org\r\n"), (403, "host: example.org\r\n")] {
        let host = if more.starts_with("host") { String::new() } else { format!("host: {}\r\n", collecting.address) };
        let mut stream = collecting.connect();
        let head = format!("POST /v1/traces HTTP/1.1\r\n{host}{more}content-type: application/json\r\ncontent-length: 1000\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("set");
        let mut line = [0; 12];
        stream.read_exact(&mut line).expect("an answer");
        assert_eq!(String::from_utf8_lossy(&line), format!("HTTP/1.1 {status}"));
    }
    // One byte a second would keep a timeout between bytes from ending it.
    let mut stream = collecting.connect();
    let began = std::time::Instant::now();
    while stream.write_all(b"P").is_ok() {
        assert!(began.elapsed() < Duration::from_secs(40), "it is open after {:?}", began.elapsed());
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(began.elapsed() > Duration::from_secs(5));
}

#[test]
fn a_long_reader_stops_neither_the_collector_nor_other_readers() {
    let (folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    assert_eq!(send(&collecting, 0), 200);
    let reader = rusqlite::Connection::open(&db).expect("it opens");
    reader.execute_batch("BEGIN; SELECT count(*) FROM spans").expect("it reads");
    let mut longest = Duration::ZERO;
    let began = std::time::Instant::now();
    let mut sent = 0;
    while began.elapsed() < Duration::from_secs(8) {
        sent += 1;
        let asked = std::time::Instant::now();
        assert_eq!(send(&collecting, sent), 200);
        longest = longest.max(asked.elapsed());
        // Others can read, too.
        let other = rusqlite::Connection::open(&db).expect("it opens");
        other.busy_timeout(Duration::from_secs(5)).expect("set");
        let count: i64 = other.query_row("SELECT count(*) FROM spans", [], |row| row.get(0)).expect("it reads");
        assert_eq!(count, 1, "the reader's state stays");
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("{sent} requests beside a reader, the slowest took {longest:?}");
    assert!(longest < Duration::from_secs(4), "{longest:?}");
    // What was acknowledged outlives the process, and is added once: logs have no ids.
    let log =
        br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1764000000000000000","body":{"stringValue":"said"}}]}]}]}"#;
    assert_eq!(collecting.post("/v1/logs", &[JSON], log).status, 200);
    collecting.signal("KILL");
    drop(collecting);
    reader.execute_batch("COMMIT").expect("it is done");
    Collecting::start(&db, &[]).end();
    assert_eq!(names_of(&db), u64::from(sent) + 1);
    assert_eq!(count(&db, "SELECT count(*) FROM quipu_log_records"), 1);
    assert_eq!(count(&db, "SELECT count(*) FROM sqlite_schema WHERE name = 'quipu_waiting'"), 0);
    assert_eq!(rows(&db, "PRAGMA integrity_check"), [["ok"]]);
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(left, ["telemetry.db"]);
}

#[test]
fn what_waited_for_a_reader_is_added_when_it_is_done() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    let reader = rusqlite::Connection::open(&db).expect("it opens");
    reader.execute_batch("BEGIN; SELECT count(*) FROM spans").expect("it reads");
    for id in 0..5 {
        assert_eq!(send(&collecting, id), 200);
    }
    reader.execute_batch("COMMIT").expect("it is done");
    let began = std::time::Instant::now();
    while names_of(&db) < 5 {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(send(&collecting, 6), 200);
    assert_eq!(names_of(&db), 6);
    collecting.end();
}
