//! Opens, lists and indexes a tiny file before any file is chosen: browsers compile a function when it is first called, and the first
//! rows of a real file should not wait for that.
//!
//! What is not here: anything a reader sees; what goes wrong here is met again, and told, with a real file.

use crate::wire::now;
use quipu::Session;
use quipu::protocol::{Request, TraceOrder, TraceQuery};
use quipu::store::{Dropped, MemorySource, OpenOptions};

/// One trace of two spans and an event, in the schema of every release.
const FILE: &[u8] = include_bytes!("rehearsal.db");

/// Goes through what the first view of a file needs.
pub(crate) fn rehearse() {
    let dropped = Dropped { name: "rehearsal.db".into(), source: Box::new(MemorySource(FILE.to_vec())) };
    let Ok(mut session) = Session::open(vec![dropped], OpenOptions::with_clock(|| now() as u64)) else { return };
    let list =
        || Request::ListTraces(TraceQuery { order: TraceOrder::Newest, failed_only: false, filter: String::new(), offset: 0, limit: 100 });
    let first = [session.handle(Request::GetFile), session.handle(list())];
    // As the wire does: writing answers is compiled, too.
    first.iter().flatten().for_each(|response| drop(postcard::to_stdvec(response)));
    while matches!(session.step(&mut || false), Ok(progress) if !progress.done) {}
    let _ = session.handle(list());
}
