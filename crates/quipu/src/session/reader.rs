//! A second way into an indexed file, for another thread: it answers the query API while the session answers other questions.
//!
//! Not here: when a thread is due.

use super::Session;
use super::query::run;
use crate::index::Index;
use crate::query::{self, QueryError, Source};
use quipu_model::budget::Budget;
use quipu_protocol::Failure;
use quipu_store::{Database, OpenOptions};
use std::path::Path;
use std::sync::Arc;

/// The complete index of a file. Cheap to clone.
#[derive(Clone)]
pub struct SharedIndex(Arc<Index>);

/// A connection to a file of its own.
pub struct QueryReader {
    database: Database,
}

impl Session {
    /// The index, once it is complete, for a [`QueryReader`] of the same file. `None` also for what was imported or shared: it is in memory,
    /// where no other connection reaches it.
    pub fn shared_index(&self) -> Option<SharedIndex> {
        let is_file = !self.in_memory && self.imported.is_none();
        (is_file && self.index.is_complete()).then(|| SharedIndex(self.index.clone()))
    }

    /// What the question that is being answered may use. Another thread can stop it.
    pub fn budget(&self) -> Budget {
        self.database.budget().clone()
    }
}

impl QueryReader {
    /// Opens the file again, as [`Session::open_path`].
    ///
    /// # Errors
    /// A message that says what the file is and what was expected.
    pub fn open_path(path: &Path, options: OpenOptions) -> Result<QueryReader, Failure> {
        Ok(QueryReader { database: Database::open_path(path, options)? })
    }

    /// [`Session::try_query`], with the index of a session on the same file.
    ///
    /// # Errors
    /// Those of [`Session::try_query`].
    pub fn try_query(&self, index: &SharedIndex, method: &str, params: &str, now_seconds: Option<i64>) -> Result<String, QueryError> {
        let source = Source { database: &self.database, index: Some(&index.0) };
        run(source, |source| query::answer(source, method, params, now_seconds))
    }

    /// What the question that is being answered may use. Another thread can stop it.
    pub fn budget(&self) -> Budget {
        self.database.budget().clone()
    }
}
