//! Requests and answers between whoever shows a file and [`Session`](quipu::Session), and the envelope they travel in between page and worker.
//!
//! Names only: no logic but how columns are packed. Everything here is plain for postcard: no untagged, flattened or skipped fields.

pub mod address;
mod file_format;
pub mod filter;
mod list_columns;
mod listing;
pub mod markup;
mod metrics;
mod packed;
mod redaction;
mod served;
mod share;
mod sql;
mod tabs;
mod trace;

pub use file_format::{Contents, FileFormat};
pub use list_columns::ColumnSet;
pub use listing::{
    GroupBy, GroupRow, Grouping, ListColumn, ListTotals, Scatter, ScatterMark, ScatterPoint, SummaryQuery, TraceOrder, TraceSummary,
};
pub use metrics::{
    AnswerPage, AnswerSeries, Chart, ChartForm, ChartSeries, CountedRequests, LabelCompletion, Latency, MetricCatalog, MetricInfo,
    MetricKind, MetricOptions, MetricsEvent, MetricsRequest, MetricsResponse, NamedSpan, Overview, OverviewPage, OverviewQuery,
    PointAmount, PointAmounts, PointQuery, PointSpan, PointSpans, PromqlQuery, RouteRequests, TokenShare, TokensBy, TokensShown,
};
pub use packed::{Packed, Plain, SpanIds, Texts};
pub use quipu_model::UNKNOWN_NANOS;
pub use quipu_promql::{METRIC_NAME, PromqlAnswer, PromqlError, PromqlPoint, PromqlSeries};
pub use redaction::{KindReport, KindSet, LeftOut, PrivateKind, RedactExample, RedactOptions, RedactReport};
pub use served::{Grown, News, Opened, SERVED_TYPE};
pub use share::{FilePart, ShareForm, ShareOptions, ShareWhat, Shared};
pub use sql::{IdPlace, SqlCell, SqlExample, SqlField, SqlKind, SqlRan, SqlRequest, SqlResponse, SqlRows, SqlSchema, SqlTable, SqlWrong};
pub use tabs::{FlameLayout, FlameWeight, SheetView, StatisticsColumn, TraceTab};
pub use trace::{DensityGrid, NO_ROW, PathPart, RequestOutline, SpanMoments, TraceColumns, TraceScope};

use crate::markup::Node;
use quipu_model::llm::Message;
use quipu_model::{Cost, Encoding, PriceTable, SpanFlags, SpanKind, Timestamp, TokenRecord, TokenTotals, Value, ZoneFact};
use serde::{Deserialize, Serialize};

/// A question about the open file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// What the file is. Answer: [`Response::File`].
    GetFile,
    /// Whether the file is still the one that was opened. Answer: [`Response::Unchanged`], or a failure that says what became of it.
    CheckFile,
    /// A page of traces. Answer: [`Response::Traces`].
    ListTraces(TraceQuery),
    /// What a whole list has in all. Answer: [`Response::Summary`], or [`Response::NotIndexedYet`].
    SummarizeTraces(SummaryQuery),
    /// The spans of one trace as columns. Answer: [`Response::Trace`], or [`Response::NotIndexedYet`].
    GetTrace {
        /// As recorded.
        trace_id: String,
        /// Which of its spans.
        scope: TraceScope,
    },
    /// The path through a trace that its end had to wait for, latest part first; rows are those of [`Request::GetTrace`] with the same
    /// scope. Answer: [`Response::CriticalPath`], or [`Response::NotIndexedYet`].
    GetCriticalPath {
        /// As recorded.
        trace_id: String,
        /// Which of its spans.
        scope: TraceScope,
    },
    /// When the events of some spans of a trace were; at most 100 spans are answered for. Answer: [`Response::Moments`], or
    /// [`Response::NotIndexedYet`].
    ListMoments {
        /// As recorded.
        trace_id: String,
        /// As recorded.
        span_ids: Vec<String>,
    },
    /// One span with its attributes and events decoded. Answer: [`Response::Span`], or [`Response::NotIndexedYet`].
    GetSpan {
        /// As recorded.
        trace_id: String,
        /// As recorded.
        span_id: String,
    },
    /// What a span was given beside what the span of its name before it was given, in its trace or else in its agent session. Answer:
    /// [`Response::Sheet`], or [`Response::NotIndexedYet`].
    CompareInput {
        /// As recorded.
        trace_id: String,
        /// As recorded.
        span_id: String,
    },
    /// A view of a trace other than the timeline, ready to draw. Answer: [`Response::Sheet`], or [`Response::NotIndexedYet`].
    GetSheet(SheetQuery),
    /// What was said in a trace, or in all traces of its agent session, as JSON lines: one turn a line. Answer: [`Response::Json`], or
    /// [`Response::NotIndexedYet`].
    ExportConversation {
        /// As recorded.
        trace_id: String,
        /// The other traces of its agent session too.
        whole_session: bool,
    },
    /// The whole text of a value that was too large for the span's answer. Answer: [`Response::Text`].
    GetText(TextRef),
    /// The same with what it holds. Answer: [`Response::Recorded`].
    GetRecorded(TextRef),
    /// How a filter that is being typed may go on. Answer: [`Response::Suggestions`].
    Suggest {
        /// The filter's text so far.
        filter: String,
        /// Where the cursor stands in it, in bytes.
        cursor: u32,
    },
    /// A page of the spans that hold the texts of a filter, newest first. Searching for them begins, or goes on from where it was.
    /// Answer: [`Response::Hits`], or [`Response::NotIndexedYet`].
    ListHits(HitQuery),
    /// Where in one span a text stands. Answer: [`Response::Matches`], or [`Response::NotIndexedYet`].
    FindInSpan {
        /// As recorded.
        trace_id: String,
        /// As recorded.
        span_id: String,
        /// What is looked for; letter case does not count.
        text: String,
    },
    /// Takes what tokens cost from now on; sums of tokens then say what they cost. Answer: [`Response::Unchanged`].
    SetPrices(PriceTable),
    /// Which spans these rows of the index are, at most 1,000. Answer: [`Response::Named`], or [`Response::NotIndexedYet`].
    NameSpans(Vec<u32>),
    /// Stops the search through the file, or lets it go on. Answer: [`Response::Search`].
    SetSearching(bool),
    /// What leaves when something is shared. Answer: [`Response::SharePreview`], or [`Response::NotIndexedYet`].
    PreviewShare {
        /// What.
        what: ShareWhat,
        /// Without what.
        options: ShareOptions,
    },
    /// What is shared, as bytes. Answer: [`Response::Shared`], or [`Response::NotIndexedYet`].
    MakeShare {
        /// What.
        what: ShareWhat,
        /// Without what.
        options: ShareOptions,
        /// As what.
        form: ShareForm,
        /// A span to be told the id of, as it leaves: the one that is selected.
        span_id: Option<String>,
    },
    /// A call of Llama Stack's query API. Answer: [`Response::Json`], or [`Response::NotIndexedYet`].
    Query {
        /// `query_traces` and its like.
        method: String,
        /// A JSON object, or empty for none.
        params: String,
        /// The caller's clock, in seconds since 1970; `None`: no end but the file's.
        now_seconds: Option<i64>,
    },
    /// A question in SQL, which needs no index and may take as long as the deadline allows. Answer: [`Response::Sql`].
    Sql(SqlRequest),
    /// Where ids lead. Answer: [`Response::Places`], or [`Response::NotIndexedYet`].
    FindIds(Vec<String>),
    /// A part of the file's bytes, for a second worker over a database that lies in the memory of the first. Answer: [`Response::Bytes`].
    ReadFile {
        /// Where it begins.
        offset: u64,
    },
}

/// Which traces, in which order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceQuery {
    /// The order.
    pub order: TraceOrder,
    /// Only traces that hold a failed span.
    pub failed_only: bool,
    /// Only traces this filter matches, in the language of [`filter`](crate::filter); empty: all.
    pub filter: String,
    /// In groups; `None`: the traces themselves.
    pub groups: Option<Grouping>,
    /// Rows to skip.
    pub offset: u32,
    /// Rows at most.
    pub limit: u32,
}

impl Default for TraceQuery {
    /// The first 100 of all traces, latest first.
    fn default() -> TraceQuery {
        TraceQuery { order: TraceOrder::NEWEST, failed_only: false, filter: String::new(), groups: None, offset: 0, limit: 100 }
    }
}

/// Which hits of a filter's texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HitQuery {
    /// A filter with at least one text in quotes; only traces it matches have hits.
    pub filter: String,
    /// Only spans of this trace, as recorded; `None`: of all traces.
    pub trace_id: Option<String>,
    /// Hits to skip.
    pub offset: u32,
    /// Hits at most.
    pub limit: u32,
}

/// Which view of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetQuery {
    /// As recorded.
    pub trace_id: String,
    /// Which one; the timeline has no sheet.
    pub tab: TraceTab,
    /// How it is shown.
    pub view: SheetView,
    /// Which of its spans; what is read rather than measured takes no notice of plumbing being left out.
    pub scope: TraceScope,
    /// The part of the trace's time, for the flame graph.
    pub window: Option<(u64, u64)>,
    /// What is looked for in names, for the flame graph.
    pub find: String,
    /// The selected span, for the flame graph.
    pub span_id: Option<String>,
    /// How wide it will be drawn, in pixels.
    pub width: u32,
}

/// Names one text inside the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextRef {
    /// The attribute `key` of the span in row `rowid` of `spans`; `None`: the attributes' whole text.
    SpanAttribute {
        /// `spans.rowid`.
        rowid: i64,
        /// The key, as recorded.
        key: Option<String>,
    },
    /// The attribute `key` of the event `id` of `span_events`; `None`: the attributes' whole text.
    EventAttribute {
        /// `span_events.id`.
        id: i64,
        /// The key, as recorded.
        key: Option<String>,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Response {
    /// To [`Request::GetFile`], and to opening.
    File(Box<FileSummary>),
    /// To [`Request::CheckFile`] and [`Request::SetPrices`].
    Unchanged,
    /// To [`Request::ListTraces`].
    Traces(TracePage),
    /// To [`Request::SummarizeTraces`].
    Summary(Box<TraceSummary>),
    /// To [`Request::GetTrace`].
    Trace(Box<TraceColumns>),
    /// To [`Request::GetCriticalPath`].
    CriticalPath(Packed<PathPart>),
    /// To [`Request::ListMoments`], in the order of the ids.
    Moments(Vec<SpanMoments>),
    /// To [`Request::GetSpan`].
    Span(Box<SpanDetail>),
    /// To [`Request::GetSheet`] and [`Request::CompareInput`].
    Sheet(Vec<Node>),
    /// To [`Request::GetText`].
    Text(String),
    /// To [`Request::GetRecorded`]; a text of more than 256 KiB is not decoded.
    Recorded(Box<RecordedText>),
    /// To [`Request::Suggest`].
    Suggestions(Suggestions),
    /// To [`Request::ListHits`].
    Hits(HitPage),
    /// To [`Request::FindInSpan`]: at most 200, in the order the span shows them.
    Matches(Vec<SpanMatch>),
    /// To [`Request::NameSpans`], without those that are none.
    Named(Vec<NamedSpan>),
    /// Answers [`Command::GetReadings`]. The blob next to the message is a serialized `quipu_metrics::MetricsInput`.
    Readings,
    /// To [`Request::SetSearching`]; `None` where no search was asked for.
    Search(Option<SearchProgress>),
    /// To [`Request::Query`]: the API's own JSON. To [`Request::ExportConversation`]: JSON lines.
    Json(String),
    /// To [`Request::PreviewShare`].
    SharePreview(Box<RedactReport>),
    /// To [`Request::MakeShare`].
    Shared(Box<Shared>),
    /// To [`Request::Sql`].
    Sql(Box<SqlResponse>),
    /// To [`Request::FindIds`], in the order of the ids; `None` for what is none of this file.
    Places(Vec<Option<IdPlace>>),
    /// To [`Request::ReadFile`].
    Bytes(FilePart),
    /// The index has not passed everything this answer needs; ask again when it is complete.
    NotIndexedYet,
}

/// Why there is no answer: a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure, for the page's decisions.
    pub kind: FailureKind,
    /// What is wrong, where, and what to do.
    pub message: String,
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
    /// The memory there is does not suffice.
    OutOfMemory,
    /// Anything else.
    Internal,
}

/// What a file is and what it holds. Unknown until the index is complete: `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Attributes that are no JSON object, or ids that are no hex.
    OddValues,
    /// Traces without spans, or spans without a row in `traces`.
    Unmatched,
    /// Traces of a web framework's own beside the server's.
    FrameworkTraces,
}

/// A page of [`TraceRow`]s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracePage {
    /// The query it answers.
    pub query: TraceQuery,
    /// How many rows the query has in all, known once the index is complete, and the search for the filter's texts with it.
    pub total: Option<u32>,
    /// How many were found so far: `total`, where that is known.
    pub so_far: u32,
    /// How many traces were found so far, in groups or not.
    pub traces: u32,
    /// The rows.
    pub rows: Vec<TraceRow>,
}

/// How a filter may go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestions {
    /// The bytes of the filter that a suggestion takes the place of.
    pub start: u32,
    /// Their end.
    pub end: u32,
    /// Best first; few enough to be shown.
    pub items: Vec<Suggestion>,
}

/// One way a filter may go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// What is put in.
    pub text: String,
    /// What it means, in a few words.
    pub meaning: String,
    /// How many spans of the file it is about, where known.
    pub spans: Option<u64>,
}

/// A page of [`SearchHit`]s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HitPage {
    /// The query it answers.
    pub query: HitQuery,
    /// How many hits there are in all, known once the search is complete.
    pub total: Option<u32>,
    /// How many were found so far.
    pub so_far: u32,
    /// The hits.
    pub hits: Vec<SearchHit>,
}

/// A span that holds the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    /// As recorded.
    pub trace_id: String,
    /// As recorded.
    pub span_id: String,
    /// The span's name.
    pub name: String,
    /// What it is.
    pub kind: SpanKind,
    /// Flags of the span.
    pub flags: SpanFlags,
    /// When it started.
    pub start: Option<Timestamp>,
    /// The first match in it.
    pub first: SpanMatch,
    /// Further places in the span that hold the text.
    pub more: u32,
}

/// A text found in a span, with some of what stands around it. Line breaks and other control characters are blanks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanMatch {
    /// Where it stands.
    pub place: MatchPlace,
    /// What stands before it; where that is more than some 60 characters, an ellipsis and the last of them.
    pub before: String,
    /// As it stands in the file, decoded.
    pub matched: String,
    /// What stands behind it; where that is more than some 120 characters, the first of them and an ellipsis.
    pub after: String,
}

/// Where in a span a text was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MatchPlace {
    /// In its name.
    Name,
    /// In the attribute with this key, or the key itself.
    Attribute(String),
    /// In an event's name, or in one of its attributes.
    Event {
        /// `span_events.id`.
        id: i64,
        /// The attribute's key; `None`: the event's name.
        key: Option<String>,
    },
}

/// How far a search through the file is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchProgress {
    /// The filter of the list it fills, as that was asked for: word of a search may come when the list has another one already. Empty for a
    /// search in a trace.
    pub filter: String,
    /// What is searched for.
    pub texts: Vec<String>,
    /// The one trace that is searched; `None`: the file.
    pub trace_id: Option<String>,
    /// Spans looked at.
    pub spans: u64,
    /// Spans to look at.
    pub spans_expected: u64,
    /// Bytes of texts looked at.
    pub bytes: u64,
    /// Spans that hold a text.
    pub hits: u64,
    /// Milliseconds of searching, by the driver's clock.
    pub elapsed_ms: f64,
    /// Whether it goes on.
    pub state: SearchState,
}

/// Whether a search goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SearchState {
    /// It does.
    Running,
    /// It was stopped, and can go on.
    Stopped,
    /// Everything was looked at.
    Done,
    /// The file can't be read any more.
    Failed(Failure),
}

/// One trace in a list, or one group of them, whose numbers are then those of its listed traces. Unknown: `None`, shown as "–".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceRow {
    /// Where it is a group's row.
    pub group: Option<GroupRow>,
    /// As recorded; empty for a group.
    pub trace_id: String,
    /// The earliest start of its spans.
    pub start: Option<Timestamp>,
    /// From the earliest start to the latest end, in nanoseconds.
    pub duration_nanos: Option<u64>,
    /// The name of its (first) root span.
    pub root_name: Option<String>,
    /// What the root is.
    pub root_kind: Option<SpanKind>,
    /// The first words of the user, on one line of at most some 160 characters; of a group those of its first trace.
    pub asked: Option<String>,
    /// Spans.
    pub spans: Option<u32>,
    /// Failed spans.
    pub failed: Option<u32>,
    /// Requests in it: more than one where the server merged concurrent requests.
    pub requests: Option<u32>,
    /// Tokens of its inference requests.
    pub tokens: Option<TokenTotals>,
    /// The first model that was asked.
    pub model: Option<String>,
    /// How many other models were asked.
    pub more_models: u32,
    /// The agent's session it belongs to, the first where there are several.
    pub session: Option<String>,
    /// The agent's turn, likewise.
    pub turn: Option<String>,
    /// The agent's name, or its id where it has none, likewise.
    pub agent: Option<String>,
}

/// One span, decoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanDetail {
    /// `spans.rowid`, for [`TextRef`].
    pub rowid: i64,
    /// As recorded.
    pub span_id: String,
    /// As recorded.
    pub trace_id: String,
    /// As recorded.
    pub parent_span_id: Option<String>,
    /// Whether the parent is in the file.
    pub parent_found: bool,
    /// As recorded.
    pub name: String,
    /// What it is.
    pub kind: SpanKind,
    /// Flags of the span.
    pub flags: SpanFlags,
    /// The text of `start_time`.
    pub start_text: Option<String>,
    /// The text of `end_time`.
    pub end_text: Option<String>,
    /// The instant of the start, the zone recovered where it was not recorded.
    pub start: Option<Timestamp>,
    /// The instant of the end.
    pub end: Option<Timestamp>,
    /// `status` as recorded.
    pub status: Option<String>,
    /// `kind` as recorded.
    pub recorded_kind: Option<String>,
    /// Why it counts as failed, first the span's own.
    pub failures: Vec<SpanFailure>,
    /// Its tokens, where it is an inference request.
    pub tokens: Option<TokenRecord>,
    /// What they cost by the reader's prices.
    pub cost: Option<Cost>,
    /// Chat messages that went in, where the input holds such.
    pub input_messages: Vec<Message>,
    /// Chat messages that came out.
    pub output_messages: Vec<Message>,
    /// Attributes in recorded order.
    pub attributes: Vec<Attribute>,
    /// The attributes' text, where it is no JSON object.
    pub attributes_text: Option<RecordedText>,
    /// Events in time order; at most 1,000.
    pub events: Vec<SpanEvent>,
    /// Events in all.
    pub event_count: u32,
    /// What was derived, or is odd, in sentences.
    pub notes: Vec<String>,
}

/// Why a span counts as failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanFailure {
    /// The text of the error, first line first; empty where no words were recorded.
    pub message: String,
    /// Where it stands: `the attribute error`, `the log event at 18:39:22.123 UTC`, `the status`; or from what it is derived.
    pub source: String,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// As recorded.
    pub key: String,
    /// The value's text, decoded.
    pub text: RecordedText,
    /// Asks for the whole text when `text` is only its head.
    pub text_ref: TextRef,
}

/// A recorded text, and what it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedText {
    /// The text, exactly, or its head when `complete` is false.
    pub raw: String,
    /// Length of the whole text in bytes.
    pub len_bytes: u64,
    /// Whether `raw` is the whole text.
    pub complete: bool,
    /// How it was understood.
    pub encoding: Encoding,
    /// What it holds; `None` when incomplete.
    pub value: Option<Value>,
}

/// One event of a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanEvent {
    /// `span_events.id`.
    pub id: i64,
    /// As recorded: `unstructured_log`, `metric.prompt_tokens`.
    pub name: String,
    /// The text of `timestamp`.
    pub time_text: Option<String>,
    /// The instant.
    pub time: Option<Timestamp>,
    /// `severity` of a log event.
    pub severity: Option<String>,
    /// `message` of a log event.
    pub message: Option<String>,
    /// All other attributes, in recorded order.
    pub attributes: Vec<Attribute>,
    /// The attributes' text, where it is no JSON object.
    pub attributes_text: Option<RecordedText>,
}

/// How far the index is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IndexProgress {
    /// Spans passed.
    pub spans: u64,
    /// Spans in all, as the largest rowid suggests.
    pub spans_expected: u64,
    /// Bytes of the file read by the pass.
    pub bytes: u64,
    /// Bytes of the file.
    pub bytes_expected: u64,
    /// Milliseconds since the pass began, by the driver's clock.
    pub elapsed_ms: f64,
    /// Whether it is complete.
    pub done: bool,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Importing {
    /// Bytes of the files that were read.
    pub bytes: u64,
    /// Bytes of the files.
    pub bytes_expected: u64,
    /// Spans that were found.
    pub spans: u64,
    /// Milliseconds since it began, by the driver's clock.
    pub elapsed_ms: f64,
}

/// Seconds a question in SQL may take.
pub const SQL_SECONDS: u32 = 60;

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
    /// Requests the input of the metrics engine. Answer: [`Response::Readings`].
    GetReadings,
    /// Opens the files beside this message, a database and its `-journal` or `-wal`, for questions in SQL only: it is not indexed, and one
    /// question may take [`SQL_SECONDS`]. Answer: [`Response::File`].
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
