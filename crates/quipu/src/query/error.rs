//! Errors of the query API.

use quipu_protocol::{Failure, FailureKind};
use quipu_store::StoreError;
use serde_json::Value as Json;

/// An error of the query API. Its message names the parameter, or says what is wrong with the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A parameter is missing, has the wrong type, or an invalid value.
    #[error("{name} {problem}.")]
    Parameter {
        /// The parameter, such as `attribute_filters[0].op`.
        name: String,
        /// What is wrong with it, as the end of a sentence.
        problem: String,
    },
    /// The file format can't represent the answer.
    #[error("{0}")]
    Format(String),
    /// The trace or span does not exist.
    #[error("{name}: {sentence}")]
    NotFound {
        /// The parameter with its id.
        name: String,
        /// The message, a full sentence.
        sentence: String,
    },
    /// The method does not exist.
    #[error("There is no method {0}. Methods are {list}.", list = super::Method::NAMES.join(", "))]
    NoSuchMethod(String),
    /// The answer requires a complete index.
    #[error("The file is not indexed yet; ask again when it is.")]
    NotIndexed,
    /// The file can't be read.
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

/// The JSON type of a value, in words.
pub(crate) fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
