//! The repository's databases, opened through `Session` and beside it for SQL that knows nothing of it.

use quipu::Session;
use quipu::store::{Dropped, MemorySource, OpenOptions};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

/// Where a file of the repository lies.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// A file of the repository, opened and not yet indexed.
pub(crate) fn unindexed(name: &str) -> Session {
    of_bytes(std::fs::read(path(name)).expect("the fixture is there"))
}

/// A file of these bytes, opened and not yet indexed.
pub(crate) fn of_bytes(bytes: Vec<u8>) -> Session {
    let dropped = Dropped { name: "file.db".into(), source: Box::new(MemorySource(bytes)) };
    Session::open(vec![dropped], OpenOptions::with_clock(|| 0)).expect("the file opens")
}

/// A file of the repository with its index.
pub(crate) fn open(name: &str) -> Session {
    let mut session = unindexed(name);
    session.complete_index().expect("an index");
    session
}

/// A connection that leaves the file as it lies, with `views` for its questions.
pub(crate) fn sql(name: &str, views: &str) -> Connection {
    let uri = format!("file:{}?immutable=1", path(name).display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(uri, flags).expect("the file opens");
    connection.execute_batch(views).expect("SQL");
    connection
}
