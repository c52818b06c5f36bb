//! Errors of the store.

use super::source::SourceError;
use quipu_model::budget::OverBudget;
use quipu_model::format;
use quipu_protocol::{Failure, FailureKind};

/// An error of the store. Each displays as a sentence for the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file can't be opened by Quipu.
    #[error("{0}")]
    CannotOpen(String),
    /// The bytes can't be read.
    #[error("{name} can't be read: {error}. Open it again.")]
    Source {
        /// File name.
        name: String,
        /// Error of the platform.
        error: SourceError,
    },
    /// A database can't be written.
    #[error("{0}")]
    CannotWrite(String),
    /// The file that was written was moved, deleted or replaced before the transaction was complete. The next transaction goes to the file
    /// that is then at its path.
    #[error("{0}")]
    Moved(String),
    /// The file that is written is damaged or can't be found any more: nothing more can be written.
    #[error("{0}")]
    Lost(String),
    /// One row can't be stored in this file; others can. A sentence without its subject and end: the reason.
    #[error("A row can't be written ({0}).")]
    Refused(String),
    /// The file is damaged, according to SQLite.
    #[error("Part of the file is damaged ({0}). Copy it again from the server, or try sqlite3's .recover.")]
    Corrupt(String),
    /// A statement exceeded its time limit, in milliseconds.
    #[error("The file took too long to answer: the request was stopped after {0} ms.")]
    TooLong(u64),
    /// A limit of the question was exceeded, other than its time.
    #[error("{0}")]
    OverBudget(OverBudget),
    /// A value is longer than is read, in bytes.
    #[error("A value is larger than {}, which is the limit for one value.", format::bytes(*.0))]
    TooLarge(u64),
    /// SQLite is out of memory.
    #[error(
        "There is not enough memory for this answer: a value is too large, or all memory is in use. Close other tabs or programs, and try again."
    )]
    OutOfMemory,
    /// Any other error of SQLite.
    #[error("SQLite can't read the file ({0}).")]
    Sqlite(#[from] rusqlite::Error),
}

impl StoreError {
    /// Whether it makes sense to continue after the damaged or oversized value.
    pub fn is_damage(&self) -> bool {
        match self {
            StoreError::Corrupt(_) | StoreError::OutOfMemory | StoreError::TooLarge(_) => true,
            StoreError::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    rusqlite::ErrorCode::DatabaseCorrupt
                        | rusqlite::ErrorCode::SystemIoFailure
                        | rusqlite::ErrorCode::NotADatabase
                        | rusqlite::ErrorCode::TooBig
                        | rusqlite::ErrorCode::OutOfMemory
                )
            ),
            _ => false,
        }
    }
}

impl From<OverBudget> for StoreError {
    fn from(limit: OverBudget) -> StoreError {
        match limit {
            OverBudget::Time(millis) => StoreError::TooLong(millis),
            other => StoreError::OverBudget(other),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        let kind = match &error {
            StoreError::CannotOpen(_) => FailureKind::CannotOpen,
            StoreError::Source { error: SourceError::Changed | SourceError::Gone, .. } => FailureKind::FileChanged,
            StoreError::Corrupt(_) => FailureKind::Corrupt,
            StoreError::OutOfMemory | StoreError::TooLarge(_) => FailureKind::OutOfMemory,
            error if error.is_damage() => FailureKind::Corrupt,
            _ => FailureKind::Internal,
        };
        Failure { kind, message: error.to_string() }
    }
}
