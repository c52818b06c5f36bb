//! Why the store has no answer.

use super::source::SourceError;
use quipu_protocol::{Failure, FailureKind};

/// An error of the store, each with the sentence a user needs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file is not one Quipu can open.
    #[error("{0}")]
    CannotOpen(String),
    /// The bytes can't be had.
    #[error("{name} can't be read: {error}. Open it again.")]
    Source {
        /// The file's name.
        name: String,
        /// What the platform said.
        error: SourceError,
    },
    /// A database can't be written, with a sentence.
    #[error("{0}")]
    CannotWrite(String),
    /// SQLite found the file damaged.
    #[error("Part of the file is damaged ({0}). Copy it again from the server, or try sqlite3's .recover.")]
    Corrupt(String),
    /// A statement ran longer than it may.
    #[error("The file took too long to answer: the request was stopped after {0} ms.")]
    TooLong(u64),
    /// SQLite found no memory.
    #[error(
        "There is not enough memory for this answer: a value is too large, or what there is is used up. Close what else is open, and try again."
    )]
    OutOfMemory,
    /// Anything else SQLite says.
    #[error("SQLite can't read the file ({0}).")]
    Sqlite(#[from] rusqlite::Error),
}

impl StoreError {
    /// Whether going on behind the damaged place, or the value that is too large, makes sense.
    pub fn is_damage(&self) -> bool {
        match self {
            StoreError::Corrupt(_) | StoreError::OutOfMemory => true,
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

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        let kind = match &error {
            StoreError::CannotOpen(_) => FailureKind::CannotOpen,
            StoreError::Source { error: SourceError::Changed | SourceError::Gone, .. } => FailureKind::FileChanged,
            StoreError::Corrupt(_) => FailureKind::Corrupt,
            StoreError::OutOfMemory => FailureKind::OutOfMemory,
            error if error.is_damage() => FailureKind::Corrupt,
            _ => FailureKind::Internal,
        };
        Failure { kind, message: error.to_string() }
    }
}
