//! The messages between page and worker.

use crate::{Failure, Grown, Importing, IndexProgress, Request, Response, SearchProgress};
use serde::{Deserialize, Serialize};

/// What the page sends to the worker. Files travel beside it, in the order of `names`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Opens the files beside this message: a database, and where dropped its `-journal` or `-wal`; or OTLP and Jaeger's files, which are
    /// imported. Without files the worker opens a tiny one of its own, indexed already: the page rehearses with it.
    /// Answer: [`Response::File`].
    Open {
        /// Their names.
        names: Vec<String>,
    },
    /// Opens the columns of a link, which are the one file beside this message. Answer: [`Response::File`].
    OpenShared,
    /// Asks for what the file has to be counted. Answer: [`Response::Readings`].
    GetReadings,
    /// Opens the files beside this message, a database and its `-journal` or `-wal`, for questions in SQL only: it is not indexed, and one
    /// question may take [`SQL_SECONDS`](crate::SQL_SECONDS). Answer: [`Response::File`].
    OpenForSql {
        /// Their names.
        names: Vec<String>,
    },
    /// Asks.
    Ask(Request),
}

/// What the worker sends to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The worker runs.
    Ready {
        /// The build it belongs to; a page of another build says so and reloads.
        build: String,
    },
    /// The answer to the command with this number.
    Reply {
        /// The command's number.
        id: u32,
        /// The answer.
        result: Result<Response, Failure>,
    },
    /// The index moved on. The last one has `done` set, and the file's summary follows the next [`Request::GetFile`].
    Progress(IndexProgress),
    /// The index stopped: part of the file can't be read. What was indexed stays.
    IndexStopped(Failure),
    /// The search moved on, was stopped, or is done: lists that wait for it may be asked for again.
    Searching(SearchProgress),
    /// The import of the files that are being opened moved on; the answer to opening ends it.
    Importing(Importing),
    /// The served file has grown. No worker says this, but the program that serves the page.
    Grown(Grown),
}
