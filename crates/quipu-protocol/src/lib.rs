//! Requests and answers between whoever shows a file and `quipu::Session`, and the envelope they travel in between page and worker.
//!
//! Names only: no logic but how columns are packed. Everything here is plain for postcard: no untagged, flattened or skipped fields.

pub mod address;
mod envelope;
mod failure;
mod file;
mod file_format;
pub mod filter;
mod list_columns;
mod listing;
mod logs;
pub mod markup;
mod metrics;
mod packed;
mod progress;
mod query;
mod question;
mod redaction;
mod search;
mod served;
mod share;
mod span;
mod sql;
mod suggest;
mod tabs;
mod trace;
mod trace_list;

pub use envelope::{Command, MetricsEvent, Notification};
pub use failure::{Failure, FailureKind};
pub use file::{CheckFile, FileSummary, GetFile, ReadFile, SetPrices, Warning, WarningKind};
pub use file_format::{Contents, FileFormat};
pub use list_columns::ColumnSet;
pub use listing::{
    GroupBy, GroupRow, Grouping, ListColumn, ListTotals, Scatter, ScatterMark, ScatterPoint, SummaryQuery, TraceOrder, TraceSummary,
};
pub use logs::{GetLog, ListLogs, LogChart, LogDetail, LogId, LogItem, LogListQuery, LogPage, LogReading};
pub use metrics::{
    AnswerPage, AnswerSeries, Chart, ChartForm, ChartSeries, CompletePromql, CountedRequests, Exemplar, ExemplarQuery, Exemplars,
    GetOverview, LabelCompletion, Latency, ListPointAmounts, LoadMetricsInput, MetricCatalog, MetricInfo, MetricKind, MetricOptions,
    NamedSpan, Overview, OverviewPage, OverviewQuery, PointAmount, PointAmounts, PointQuery, PointSpan, PointSpans, PromqlQuery,
    RouteRequests, RunPromql, TokenShare, TokensBy, TokensShown,
};
pub use packed::{Packed, Plain, SpanIds, Texts};
pub use progress::{Grown, Importing, IndexProgress};
pub use query::CallQueryApi;
pub use question::{Answers, FileQuestions, MetricsQuestions, MetricsRequest, MetricsResponse, Question, QuestionList, Request, Response};
pub use quipu_model::UNKNOWN_NANOS;
pub use quipu_promql::{METRIC_NAME, PromqlAnswer, PromqlError, PromqlPoint, PromqlSeries};
pub use redaction::{KindReport, KindSet, LeftOut, PrivateKind, RedactExample, RedactOptions, RedactReport};
pub use search::{FindInSpan, HitPage, HitQuery, ListHits, MatchPlace, SearchHit, SearchProgress, SearchState, SetSearching, SpanMatch};
pub use served::{News, Opened, SERVED_TYPE};
pub use share::{CopyDatabase, FilePart, MakeShare, PreviewShare, ShareForm, ShareOptions, ShareWhat, Shared};
pub use span::{
    Attribute, CompareInput, FindIds, GetRecorded, GetSpan, GetText, NameSpans, RecordedText, SpanDetail, SpanEvent, SpanFailure, SpanLink,
    TextRef,
};
pub use sql::{
    CompleteSql, DescribeSql, ExportSql, GetSqlValue, IdPlace, ListSqlRows, PlanSql, RunSql, SQL_SECONDS, SqlCell, SqlExample, SqlField,
    SqlKind, SqlRan, SqlRows, SqlSchema, SqlTable, SqlText, SqlWholeValue, SqlWrong,
};
pub use suggest::{Suggest, Suggestion, Suggestions};
pub use tabs::{ExportConversation, FlameLayout, FlameWeight, GetSheet, SheetQuery, SheetView, StatisticsColumn, TraceTab};
pub use trace::{
    DensityGrid, GetCriticalPath, GetTrace, ListMoments, NO_ROW, PathPart, RequestOutline, SpanMoments, TraceColumns, TraceScope,
};
pub use trace_list::{ListTraces, SummarizeTraces, TracePage, TraceQuery, TraceRow};

/// Runs the example of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
