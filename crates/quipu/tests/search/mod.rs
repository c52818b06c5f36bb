//! Full-text search: what is found, in which order, the progress reported, and the positions of matches in a span.

mod hostile;
mod plain;
mod real;
mod steps;

use quipu::Session;
use quipu::protocol::{FindInSpan, HitPage, HitQuery, ListHits, SearchProgress, SetSearching, SpanMatch};
use quipu::store::{MemorySource, NamedSource, OpenOptions};
use std::path::{Path, PathBuf};

const FILES: [&str; 8] = [
    "samples/agent_0.2.15.db",
    "samples/metrics_0.2.23.db",
    "tests/fixtures/db/real_small.db",
    "tests/fixtures/db/real_events.db",
    "tests/fixtures/db/real_old_0.0.58.db",
    "tests/fixtures/db/real_old_0.1.9.db",
    "tests/fixtures/db/real_old_0.2.7.db",
    "tests/fixtures/db/real_old_0.2.11.db",
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn bytes_of(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).expect("the fixture is there")
}

fn open_bytes(bytes: Vec<u8>) -> Session {
    let file = NamedSource { name: "some.db".into(), source: Box::new(MemorySource(bytes)) };
    let mut session = Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("a real file opens");
    while !session.step(&mut || false).expect("a real file is read").done {}
    session
}

fn open(name: &str) -> Session {
    open_bytes(bytes_of(name))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn page(session: &mut Session, text: &str, trace_id: Option<&str>, offset: u32) -> HitPage {
    let query = HitQuery { filter: quoted(text), trace_id: trace_id.map(str::to_owned), offset, limit: 200 };
    session.ask(ListHits(query)).expect("an answer")
}

/// Ids of the spans found so far, in list order.
fn hits_so_far(session: &mut Session, text: &str, trace_id: Option<&str>) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let page = page(session, text, trace_id, ids.len() as u32);
        ids.extend(page.hits.iter().map(|hit| hit.span_id.clone()));
        if page.hits.is_empty() {
            assert_eq!(ids.len(), page.so_far as usize);
            return ids;
        }
    }
}

/// All hits, after searching to the end.
fn hits(session: &mut Session, text: &str) -> Vec<String> {
    page(session, text, None, 0);
    session.run_search().expect("the file is readable");
    let ids = hits_so_far(session, text, None);
    assert_eq!(page(session, text, None, 0).total, Some(ids.len() as u32), "{text}");
    ids
}

fn set_searching(session: &mut Session, on: bool) -> Option<SearchProgress> {
    session.ask(SetSearching(on)).expect("an answer")
}

fn find(session: &mut Session, trace_id: &str, span_id: &str, text: &str) -> Vec<SpanMatch> {
    session.ask(FindInSpan { trace_id: trace_id.into(), span_id: span_id.into(), text: text.into() }).expect("an answer")
}

/// A copy of a file, changed by SQL.
fn changed(name: &str, sql: &str) -> Vec<u8> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let copy = std::env::temp_dir().join(format!("quipu-search-{}-{}.db", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    std::fs::write(&copy, bytes_of(name)).expect("a copy");
    rusqlite::Connection::open(&copy).expect("SQLite opens it").execute_batch(sql).expect("the change is good SQL");
    let bytes = std::fs::read(&copy).expect("the copy is there");
    std::fs::remove_file(&copy).expect("the copy goes away");
    bytes
}
