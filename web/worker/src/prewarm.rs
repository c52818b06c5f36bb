//! A tiny file that the page opens out of sight before any file is chosen. Browsers compile a function when it is first called, and the first
//! rows of a real file should not wait for that.
//!
//! Not here: anything a reader sees. A failure here happens again with a real file, and is reported then.

use crate::messages::now;
use quipu::Session;
use quipu::model::number::truncated;
use quipu::protocol::{Failure, ListTraces, TraceQuery};
use quipu::store::{MemorySource, NamedSource, OpenOptions};

/// One trace of two spans and an event, in the schema of every release.
const FILE: &[u8] = include_bytes!("prewarm.db");

/// Opens the file and does what the first view of a file needs, including the index.
pub(crate) fn open() -> Result<Session, Failure> {
    let file = NamedSource { name: "prewarm.db".into(), source: Box::new(MemorySource(FILE.to_vec())) };
    let mut session = Session::open(vec![file], OpenOptions::with_clock(|| truncated(now())))?;
    // As before the index is there.
    session.ask(ListTraces(TraceQuery::default()))?;
    while !session.step(&mut || false)?.done {}
    Ok(session)
}
