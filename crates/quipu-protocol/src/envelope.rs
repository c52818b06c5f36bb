//! The messages between page and workers.

use crate::{Failure, Grown, Importing, IndexProgress, MetricsResponse, Request, Response, SearchProgress, ShareWhat};
use serde::{Deserialize, Serialize};

/// What the page sends to the worker. Files travel beside the message, in the order of `names`. The reply to every command but
/// [`Command::Ask`] is what [`GetFile`](crate::GetFile) answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Opens the files beside this message: a database, with its `-journal` or `-wal` if there is one; or OTLP and Jaeger files, which are
    /// imported. Without files the worker opens a tiny file of its own that is already indexed: the page warms up with it.
    Open {
        /// The files' names.
        names: Vec<String>,
    },
    /// Opens the columns of a link, or the answer of [`CopyPart`](Command::CopyPart), which are the one file beside this message.
    OpenShared,
    /// Asks for the input of the metrics engine: `quipu_metrics::MetricsInput`, which travels beside the reply as a blob.
    GetMetricsInput,
    /// Opens the files beside this message, a database and its `-journal` or `-wal`, for SQL only: the file is not indexed, and one query
    /// may take [`SQL_SECONDS`](crate::SQL_SECONDS).
    OpenForSql {
        /// The files' names.
        names: Vec<String>,
    },
    /// Asks for a part of the file as the bytes of a database, nothing left out, which travel beside the reply as a blob. Another worker opens
    /// it with [`OpenShared`](Command::OpenShared) and shares the part, so that the worker which reads needs none of that code.
    CopyPart {
        /// The part.
        what: ShareWhat,
    },
    /// Asks a question.
    Ask(Request),
}

/// What the worker sends to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Notification {
    /// The worker is running.
    Ready {
        /// The build it belongs to; a page of another build says so and reloads.
        build: String,
    },
    /// The reply to a command.
    Reply {
        /// The command's number.
        id: u32,
        /// The answer.
        result: Result<Response, Failure>,
    },
    /// The index moved on. The last one has `done` set; [`GetFile`](crate::GetFile) then answers with all counts.
    Progress(IndexProgress),
    /// The index stopped: part of the file can't be read. What was indexed remains usable.
    IndexStopped(Failure),
    /// The search moved on, was stopped, or is done: lists that wait for it may be asked for again.
    Searching(SearchProgress),
    /// The import of the files being opened moved on; the reply to opening ends it.
    Importing(Importing),
    /// The served file has grown. Only the program that serves the page sends this, never a worker.
    Grown(Grown),
    /// The files to open are to be imported, which this program can't. The command stays unanswered; the page starts the larger program and
    /// sends every unanswered command again.
    NeedsImport,
}

/// What the metrics worker sends to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MetricsEvent {
    /// The worker is running.
    Ready {
        /// The build it belongs to; a page of another build says so and reloads.
        build: String,
    },
    /// The reply to a question.
    Reply {
        /// The number the page gave the question.
        id: u32,
        /// The answer.
        result: Result<MetricsResponse, Failure>,
    },
}
