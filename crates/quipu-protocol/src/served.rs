//! The HTTP protocol between the page and `quipu serve`, which replaces the worker: the same requests and events.
//!
//! A served file grows. Each answer belongs to a generation: the file as it was when it was indexed. A page keeps using its generation
//! until it opens a newer one, so that everything on a screen is consistent.

use super::{Failure, FileSummary, Notification};
use serde::{Deserialize, Serialize};

/// Content type of requests and responses. HTML forms of other sites can't send it.
pub const SERVED_TYPE: &str = "application/x-quipu";

/// Response to opening the newest generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// Its number, which every further request names.
    pub generation: u64,
    /// What was opened.
    pub answer: Result<FileSummary, Failure>,
}

/// Events since the page's last request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct News {
    /// Number of the last event, sent with the next request so that no event is repeated.
    pub number: u64,
    /// What a worker would have sent unasked, and [`Notification::Grown`].
    pub events: Vec<Notification>,
}
