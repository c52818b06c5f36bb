//! Opening by path changes nothing next to the file; files that SQLite can't open in place are read through the overlay.

use super::support::{Folder, Opened, open};
use quipu::protocol::{GetFile, WarningKind};
use serde_json::json;

#[test]
fn a_hot_journal_is_rolled_back_in_memory_and_left_unchanged_on_disk() {
    let folder = Folder::new();
    let path = folder.copy("tests/fixtures/db/real_live.db");
    let journal = folder.copy("tests/fixtures/db/real_live.db-journal");
    let before = (std::fs::read(&path).expect("the file"), std::fs::read(&journal).expect("the journal"));
    let mut session = open(&path);
    session.complete_index().expect("an index");
    let file = session.ask(GetFile).expect("a summary");
    assert_eq!(file.spans, Some(293));
    assert!(file.warnings.iter().any(|warning| warning.kind == WarningKind::Journal));
    assert_eq!(before, (std::fs::read(&path).expect("the file"), std::fs::read(&journal).expect("the journal")));
    assert_eq!(folder.names(), ["real_live.db", "real_live.db-journal"]);
}

#[test]
fn opening_and_reading_creates_no_other_files() {
    for fixture in ["samples/agent_0.2.15.db", "tests/fixtures/db/real_old_0.0.58.db"] {
        let folder = Folder::new();
        let path = folder.copy(fixture);
        let before = std::fs::read(&path).expect("the file");
        let mut session = open(&path);
        let answer = session.query("query_traces", r#"{"limit": 3}"#, None).expect("an answer");
        assert!(answer.contains("trace_id"));
        session.complete_index().expect("an index");
        assert_eq!(folder.names().len(), 1);
        assert_eq!(std::fs::read(&path).expect("the file"), before);
    }
}

#[test]
fn a_server_can_write_while_the_file_is_open_and_indexed() {
    let mut file = Opened::fixture("real_small.db");
    file.session.complete_index().expect("an index");
    let before = file.data("query_traces", json!({ "limit": -1 })).len();
    // A write needs that nobody holds a lock.
    file.connection.execute_batch("BEGIN EXCLUSIVE; INSERT INTO traces VALUES ('new', 's', 'r', '2026-12-01T00:00:00+00:00', '2026-12-01T00:00:01+00:00', '2026-12-01 00:00:00');
        INSERT INTO spans VALUES ('new-span', 'new', NULL, 'n', '2026-12-01T00:00:00+00:00', '2026-12-01T00:00:01+00:00', '{\"k\": 1}', 'OK', 'INTERNAL'); COMMIT;").expect("the server writes");
    // The index does not contain the new rows, but the file can be queried for them.
    assert_eq!(file.data("query_traces", json!({ "limit": -1 })).len(), before);
    assert_eq!(file.query("get_span", json!({ "trace_id": "new", "span_id": "new-span" })).expect("a span")["attributes"]["k"], 1);
}

#[test]
fn files_of_other_kinds_are_refused_with_a_message() {
    let folder = Folder::new();
    let text = folder.0.join("notes.txt");
    std::fs::write(&text, "hello").expect("a file");
    let error_of = |path: &std::path::Path| match quipu::Session::open_path(path, quipu::store::OpenOptions::with_clock(|| 0)) {
        Ok(_) => panic!("it opened"),
        Err(failure) => failure.message,
    };
    assert!(error_of(&text).contains("notes.txt is a text file"), "{}", error_of(&text));
    assert!(error_of(&folder.0).contains("is a folder"));
    assert!(error_of(&folder.0.join("nothing.db")).contains("There is no file"));
}
