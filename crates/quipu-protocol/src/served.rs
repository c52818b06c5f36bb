//! What a page asks of the program that served it, where that reads the file in the worker's stead: the same requests and events, over HTTP.
//!
//! A served file grows. Every answer belongs to a generation of it: the file as it was when it was indexed. A page stays with its generation until
//! it opens a newer one, so that rows, pages and numbers of one screen belong together.

use super::{Event, Failure, Response};
use serde::{Deserialize, Serialize};

/// The content type of requests and answers. A form of another site can't send it.
pub const SERVED_TYPE: &str = "application/x-quipu";

/// The answer to opening the newest generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// Its number, which every further request names.
    pub generation: u64,
    /// [`Response::File`].
    pub answer: Result<Response, Failure>,
}

/// What happened since a page asked last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct News {
    /// To be named by the next request, so that nothing comes twice.
    pub number: u64,
    /// What a worker would have said unasked, and [`Event::Grown`].
    pub events: Vec<Event>,
}

/// A newer generation, indexed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grown {
    /// Its number.
    pub generation: u64,
    /// Spans it holds.
    pub spans: u64,
}
