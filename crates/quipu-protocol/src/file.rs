//! The open file as a whole: what it is, what it holds, and what is odd in it.

use quipu_model::{PriceTable, Timestamp, TokenTotals, ZoneFact};
use serde::{Deserialize, Serialize};

/// Asks what the file is and what it holds. Counts are `None` until the index is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetFile;

/// Asks whether the file is still the one that was opened. Fails with [`FailureKind::FileChanged`](crate::FailureKind::FileChanged) if not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckFile;

/// Asks for a part of the file's bytes: a second worker opens a database that is in the memory of the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadFile {
    /// Where the part begins, in bytes.
    pub offset: u64,
}

/// Sets what tokens cost. Sums of tokens include the cost from then on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetPrices(pub PriceTable);

/// What a file is and what it holds. Counts, times and names are unknown until the index is complete, as in the default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FileSummary {
    /// Its name.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Whether the database was made of something that is none, an import or a link, and lies in memory: only who opened it has its bytes.
    pub in_memory: bool,
    /// Whether the index is complete, so that counts are exact.
    pub indexed: bool,
    /// Rows of `traces`, and traces known only from their spans.
    pub traces: Option<u64>,
    /// Traces that hold a failed span.
    pub failed_traces: Option<u64>,
    /// Rows of `spans`.
    pub spans: Option<u64>,
    /// Failed spans.
    pub failed_spans: Option<u64>,
    /// Rows of `span_events`.
    pub events: Option<u64>,
    /// Requests (`__root__` spans).
    pub requests: Option<u64>,
    /// Tokens of all inference requests.
    pub tokens: Option<TokenTotals>,
    /// The earliest start.
    pub start: Option<Timestamp>,
    /// The latest end.
    pub end: Option<Timestamp>,
    /// What is known of the times' zone.
    pub zone: Option<ZoneFact>,
    /// Log records of OTLP, those of spans included; `None` if the file has no table for them.
    pub log_records: Option<u64>,
    /// Metric points of OTLP; `None` if the file has no table for them.
    pub metric_points: Option<u64>,
    /// Service names; a blank one stands as it was recorded.
    pub service_names: Vec<String>,
    /// What is odd in the file, each with what it means.
    pub warnings: Vec<Warning>,
}

/// Something odd in a file or a trace, and what it means for the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What it is about.
    pub kind: WarningKind,
    /// One sentence: what was found, with counts.
    pub text: String,
    /// What it means and what Quipu does about it.
    pub meaning: String,
}

/// Kinds of [`Warning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WarningKind {
    /// The file seems to hold API keys or other secrets.
    Secrets,
    /// A rollback journal or WAL belongs to the file and was not given, or was applied.
    Journal,
    /// Part of the file can't be read.
    Corrupt,
    /// Tables or columns are missing or of another kind.
    Schema,
    /// `root_span_id` is NULL.
    NullRoots,
    /// Spans whose parent is nowhere.
    Orphans,
    /// Several requests in one trace.
    MergedRequests,
    /// A cycle of parents.
    Cycles,
    /// Failures behind status OK.
    HiddenFailures,
    /// Times without a zone.
    LocalTimes,
    /// Times that can't be read, or end before start.
    OddTimes,
    /// Events before their span.
    EarlyEvents,
    /// Events whose span is nowhere.
    LostEvents,
    /// Attributes that are not JSON objects, or ids that are not hexadecimal.
    OddValues,
    /// Traces without spans, or spans without a row in `traces`.
    Unmatched,
    /// Traces of a web framework's own beside the server's.
    FrameworkTraces,
    /// Traces that are calls of a database only.
    DatabaseTraces,
    /// A collector removed what was oldest.
    Removed,
}
