//! Why there is no answer.

use serde::{Deserialize, Serialize};

/// Why there is no answer: a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure, for the page's decisions.
    pub kind: FailureKind,
    /// What is wrong, where, and what to do.
    pub message: String,
}

impl Failure {
    /// The failure of a question that needs the complete index.
    pub fn not_indexed_yet() -> Failure {
        let message = "The index has not reached this yet. Try again when it is complete.".into();
        Failure { kind: FailureKind::NotIndexedYet, message }
    }

    /// Whether asking again will help once the index is complete.
    pub fn is_not_indexed_yet(&self) -> bool {
        self.kind == FailureKind::NotIndexedYet
    }
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The dropped file can't be opened as telemetry.
    CannotOpen,
    /// The file changed or vanished while open.
    FileChanged,
    /// Part of the file can't be read.
    Corrupt,
    /// There is no such trace, span or value.
    NotFound,
    /// No file is open.
    NothingOpen,
    /// A parameter of a query is missing or wrong; the message names it.
    BadRequest,
    /// The index does not cover what the answer needs. Ask again when it is complete.
    NotIndexedYet,
    /// The memory there is does not suffice.
    OutOfMemory,
    /// Anything else.
    Internal,
}
