//! Questions and answers on the wire.

use crate::markup::Node;
use crate::{
    FilePart, FileSummary, HitPage, HitQuery, IdPlace, NamedSpan, Packed, PathPart, RecordedText, RedactReport, SearchProgress, ShareForm,
    ShareOptions, ShareWhat, Shared, SheetQuery, SpanDetail, SpanMatch, SpanMoments, SqlRequest, SqlResponse, Suggestions, SummaryQuery,
    TextRef, TraceColumns, TracePage, TraceQuery, TraceScope, TraceSummary,
};
use quipu_model::PriceTable;
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
    /// To [`Command::GetReadings`]: [`Readings`](quipu_metrics::Readings) travel beside it, as a blob.
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
