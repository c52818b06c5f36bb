//! Sessions of one file one after the other, as it grows: each goes on reading where the one before ended.
//!
//! What is not here: noticing that the file has grown, which is the caller's.

use super::Session;
use crate::index::Snapshot;
use quipu_protocol::Failure;

/// What a session has read of a file; another session of the same file goes on from it. Takes some 70 bytes a span.
pub struct IndexSnapshot(Box<Snapshot>);

impl Session {
    /// From now on what the index reads is kept for [`Session::take_snapshot`]. To be called before the first step, and behind
    /// [`Session::resume_from`].
    pub fn keep_snapshot(&mut self) {
        self.pass.keep_snapshot();
    }

    /// What was read, where that was to be kept and the index is complete. It is given out once.
    pub fn take_snapshot(&mut self) -> Option<IndexSnapshot> {
        if self.index.is_complete() { self.pass.take_snapshot().map(|snapshot| IndexSnapshot(Box::new(snapshot))) } else { None }
    }

    /// Goes on from what an earlier session has read of this file, so that only what was added is read; to be called before the first step.
    /// `false` where the file does not hold what was read then: everything is read.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn resume_from(&mut self, snapshot: &IndexSnapshot) -> Result<bool, Failure> {
        let database = &self.database;
        let Some((index, pass)) = database.bounded(|| snapshot.0.resume(database))? else { return Ok(false) };
        (self.index, self.pass) = (index, pass);
        Ok(true)
    }
}
