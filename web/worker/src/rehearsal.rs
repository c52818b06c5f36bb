//! A tiny file that the page opens in the background before the user chooses one: browsers compile a function when it is first called, and
//! the first rows of a real file should not wait for that.
//!
//! Errors are ignored: they would occur again with a real file.

use quipu::Session;
use quipu::protocol::{Failure, Request, TraceQuery};
use quipu::store::{Dropped, MemorySource, OpenOptions};
use quipu_worker::messages::now;

/// A trace of two spans and an event, in the schema of all releases.
const FILE: &[u8] = include_bytes!("rehearsal.db");

/// Opens the file and does what the first view of a file needs, including the index.
pub(crate) fn open() -> Result<Session, Failure> {
    let dropped = Dropped { name: "rehearsal.db".into(), source: Box::new(MemorySource(FILE.to_vec())) };
    let mut session = Session::open(vec![dropped], OpenOptions::with_clock(|| now() as u64))?;
    // As before the index is complete.
    session.handle(Request::ListTraces(TraceQuery::default()))?;
    while !session.step(&mut || false)?.done {}
    Ok(session)
}
