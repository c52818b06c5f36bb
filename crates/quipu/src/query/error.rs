//! Why a query has no answer.

use quipu_protocol::{Failure, FailureKind};
use quipu_store::StoreError;

/// An error of the query API: a sentence that names the parameter, or what the file said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A parameter is missing, of another type, or says what can't be.
    #[error("{name} {problem}.")]
    Parameter {
        /// Its name, as `attribute_filters[0].op`.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file format can't hold the answer.
    #[error("{0}")]
    Format(String),
    /// There is no such trace or span.
    #[error("{name}: {sentence}")]
    NotFound {
        /// The parameter that names it.
        name: String,
        /// What is not there.
        sentence: String,
    },
    /// There is no such method.
    #[error("There is no method {0}. Methods are {list}.", list = super::Method::NAMES.join(", "))]
    NoSuchMethod(String),
    /// The index this answer needs is not complete.
    #[error("The file is not indexed yet; ask again when it is.")]
    NotIndexed,
    /// The file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl QueryError {
    pub(crate) fn parameter(name: &str, problem: String) -> QueryError {
        QueryError::Parameter { name: name.to_owned(), problem }
    }

    pub(crate) fn not_found(name: &str, sentence: String) -> QueryError {
        QueryError::NotFound { name: name.to_owned(), sentence }
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Failure {
        match error {
            QueryError::Store(error) => error.into(),
            QueryError::NotIndexed => Failure::not_indexed_yet(),
            QueryError::NotFound { .. } => Failure { kind: FailureKind::NotFound, message: error.to_string() },
            _ => Failure { kind: FailureKind::BadRequest, message: error.to_string() },
        }
    }
}
