//! Requests and answers between whoever shows a file and [`Session`](quipu::Session), and the envelope they travel in between page and worker.
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
pub mod markup;
mod metrics;
mod packed;
mod progress;
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

pub use envelope::{Command, Event};
pub use failure::{Failure, FailureKind};
pub use file::{FileSummary, Warning, WarningKind};
pub use file_format::{Contents, FileFormat};
pub use list_columns::ColumnSet;
pub use listing::{
    GroupBy, GroupRow, Grouping, ListColumn, ListTotals, Scatter, ScatterMark, ScatterPoint, SummaryQuery, TraceOrder, TraceSummary,
};
pub use metrics::{
    AmountBehind, AmountsBehind, AnswerPage, AnswerSeries, Chart, ChartForm, ChartSeries, CountedRequests, LabelCompletion, Latency,
    MetricCatalog, MetricInfo, MetricKind, MetricOptions, MetricsEvent, MetricsRequest, MetricsResponse, NamedSpan, Overview, OverviewPage,
    OverviewQuery, PointQuery, PromqlQuery, RouteRequests, SpanBehind, SpansBehind, TokenShare, TokensBy, TokensShown,
};
pub use packed::{Packed, Plain, SpanIds, Texts};
pub use progress::{Importing, IndexProgress};
pub use question::{Request, Response};
pub use quipu_model::UNKNOWN_NANOS;
pub use quipu_promql::{METRIC_NAME, PromqlAnswer, PromqlError, PromqlPoint, PromqlSeries};
pub use redaction::{KindReport, KindSet, LeftOut, PrivateKind, RedactExample, RedactOptions, RedactReport};
pub use search::{HitPage, HitQuery, MatchPlace, SearchHit, SearchProgress, SearchState, SpanMatch};
pub use served::{Grown, News, Opened, SERVED_TYPE};
pub use share::{FilePart, ShareForm, ShareOptions, ShareWhat, Shared};
pub use span::{Attribute, RecordedText, SpanDetail, SpanEvent, SpanFailure, TextRef};
pub use sql::{
    IdPlace, SQL_SECONDS, SqlCell, SqlExample, SqlField, SqlKind, SqlRan, SqlRequest, SqlResponse, SqlRows, SqlSchema, SqlTable, SqlWrong,
};
pub use suggest::{Suggestion, Suggestions};
pub use tabs::{FlameLayout, FlameWeight, SheetQuery, SheetView, StatisticsColumn, TraceTab};
pub use trace::{DensityGrid, NO_ROW, PathPart, RequestOutline, SpanMoments, TraceColumns, TraceScope};
pub use trace_list::{TracePage, TraceQuery, TraceRow};
