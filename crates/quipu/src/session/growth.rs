//! Sessions of one file one after the other, as it grows: each goes on reading where the one before ended.
//!
//! What is not here: noticing that the file has grown, which is the caller's.

use super::Session;
use crate::index::Reading;
use quipu_protocol::Failure;

/// What a session has read of a file; another session of the same file goes on from it. Takes some 70 bytes a span.
pub struct FileReading(Box<Reading>);

impl Session {
    /// From now on what the index reads is kept for [`Session::take_reading`]. To be called before the first step, and behind
    /// [`Session::go_on_from`].
    pub fn keep_reading(&mut self) {
        self.pass.keep();
    }

    /// What was read, where that was to be kept and the index is complete. It is given out once.
    pub fn take_reading(&mut self) -> Option<FileReading> {
        if self.index.is_complete() { self.pass.take_kept().map(|reading| FileReading(Box::new(reading))) } else { None }
    }

    /// Goes on from what an earlier session has read of this file, so that only what was added is read; to be called before the first step.
    /// `false` where the file does not hold what was read then: everything is read.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn go_on_from(&mut self, reading: &FileReading) -> Result<bool, Failure> {
        let database = &self.database;
        let Some((index, pass)) = database.bounded(|| reading.0.go_on(database))? else { return Ok(false) };
        (self.index, self.pass) = (index, pass);
        Ok(true)
    }
}
