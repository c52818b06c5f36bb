//! Resumes indexing when a file has grown: a new session continues from a snapshot of the previous one.
//!
//! Not here: detecting that the file has grown, which is up to the caller.

use super::Session;
use crate::index::Snapshot;
use quipu_protocol::Failure;

/// Everything a session has read of a file, from which a later session of the grown file can resume. Takes about 70 bytes per span.
pub struct IndexSnapshot(Box<Snapshot>);

impl Session {
    /// Requests a snapshot for [`Session::take_snapshot`]. Must be called before the first step, and after [`Session::resume_from`].
    pub fn keep_snapshot(&mut self) {
        self.pass.keep_snapshot();
    }

    /// The snapshot, if one was requested and the index is complete; available once.
    pub fn take_snapshot(&mut self) -> Option<IndexSnapshot> {
        if self.index.is_complete() { self.pass.take_snapshot().map(|snapshot| IndexSnapshot(Box::new(snapshot))) } else { None }
    }

    /// Resumes from the snapshot of an earlier session, so that only added rows are read. Must be called before the first step. Returns
    /// `false` if the file does not contain the rows of the snapshot; then everything is read.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn resume_from(&mut self, snapshot: &IndexSnapshot) -> Result<bool, Failure> {
        let database = &self.database;
        let Some((index, pass)) = database.bounded(|| snapshot.0.resume(database))? else { return Ok(false) };
        (self.index, self.pass) = (std::sync::Arc::new(index), pass);
        Ok(true)
    }
}
