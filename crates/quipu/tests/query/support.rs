//! Sessions and connections on private copies of the fixtures.

use quipu::Session;
use quipu::store::OpenOptions;
use rusqlite::Connection;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value as Json;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that is deleted on drop.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("quipu-query-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    /// A copy of a file of the repository.
    pub(crate) fn copy(&self, from: &str) -> PathBuf {
        let from = repository().join(from);
        let to = self.0.join(from.file_name().expect("a file"));
        std::fs::write(&to, std::fs::read(from).expect("a fixture")).expect("a copy");
        to
    }

    /// The names of its files, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("the folder");
        let mut names: Vec<String> = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The path of the fixture for an oracle's database.
pub(crate) fn fixture(db: &str) -> String {
    match db {
        "real_agent.db" => "samples/agent_0.2.15.db".into(),
        "real_metrics_0.2.23.db" => "samples/metrics_0.2.23.db".into(),
        other => format!("tests/fixtures/db/{other}"),
    }
}

/// A session and a connection, on two copies of one file.
pub(crate) struct Opened {
    pub(crate) session: Session,
    pub(crate) connection: Connection,
    _folder: Folder,
}

impl Opened {
    pub(crate) fn fixture(db: &str) -> Opened {
        let folder = Folder::new();
        let path = folder.copy(&fixture(db));
        let connection = Connection::open(&path).expect("SQLite opens the copy");
        Opened { session: open(&path), connection, _folder: folder }
    }

    /// A file with the real schema, filled by `sql`.
    pub(crate) fn made(sql: &str) -> Opened {
        let folder = Folder::new();
        let path = folder.0.join("made.db");
        let connection = Connection::open(&path).expect("a new file");
        connection.execute_batch(SCHEMA).expect("the schema");
        connection.execute_batch(sql).expect("the rows");
        Opened { session: open(&path), connection, _folder: folder }
    }

    pub(crate) fn query(&mut self, method: &str, params: Json) -> Result<Json, String> {
        let answer = self.session.query(method, &params.to_string(), Some(NOW)).map_err(|failure| failure.message)?;
        Ok(serde_json::from_str(&answer).expect("an answer is JSON"))
    }

    pub(crate) fn data(&mut self, method: &str, params: Json) -> Vec<Json> {
        let answer = self.query(method, params).expect("an answer");
        answer["data"].as_array().expect("a list").clone()
    }
}

/// The current time in these tests: after every recorded time.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) const SCHEMA: &str = "
CREATE TABLE traces (trace_id TEXT PRIMARY KEY, service_name TEXT, root_span_id TEXT, start_time TIMESTAMP, end_time TIMESTAMP,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE spans (span_id TEXT PRIMARY KEY, trace_id TEXT REFERENCES traces(trace_id), parent_span_id TEXT, name TEXT,
    start_time TIMESTAMP, end_time TIMESTAMP, attributes TEXT, status TEXT, kind TEXT);
CREATE TABLE span_events (id INTEGER PRIMARY KEY AUTOINCREMENT, span_id TEXT REFERENCES spans(span_id), name TEXT, timestamp TIMESTAMP,
    attributes TEXT);
CREATE INDEX idx_traces_created_at ON traces(created_at);";

pub(crate) fn open(path: &Path) -> Session {
    let options = OpenOptions { deadline_ms: u64::MAX, ..OpenOptions::with_clock(|| 0) };
    Session::open_path(path, options).expect("the file opens")
}

/// The entries of a JSON object in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ordered(pub(crate) Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Ordered, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut entries = Ordered::default();
                while let Some(entry) = map.next_entry()? {
                    entries.0.push(entry);
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// The answer of `get_span_tree`, in order.
#[derive(Deserialize)]
pub(crate) struct Tree {
    pub(crate) data: Ordered,
}
