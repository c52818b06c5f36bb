//! Opens the repository's databases through `Session`, and with plain SQLite for comparison.

use quipu::Session;
use quipu::store::{MemorySource, NamedSource, OpenOptions};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

/// The path of a file of the repository.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// Opens a file of the repository, without indexing it.
pub(crate) fn unindexed(name: &str) -> Session {
    of_bytes(std::fs::read(path(name)).expect("the fixture is there"))
}

/// Opens a file with these bytes, without indexing it.
pub(crate) fn of_bytes(bytes: Vec<u8>) -> Session {
    let file = NamedSource { name: "file.db".into(), source: Box::new(MemorySource(bytes)) };
    Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("the file opens")
}

/// Opens and indexes a file of the repository.
pub(crate) fn open(name: &str) -> Session {
    let mut session = unindexed(name);
    session.complete_index().expect("an index");
    session
}

/// A read-only connection, with `views` for the test's queries.
pub(crate) fn sql(name: &str, views: &str) -> Connection {
    let uri = format!("file:{}?immutable=1", path(name).display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(uri, flags).expect("the file opens");
    connection.execute_batch(views).expect("SQL");
    connection
}
