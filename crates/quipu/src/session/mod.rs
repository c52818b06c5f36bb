//! The one door to an open file: [`Session::ask`] for bounded questions, [`Session::step`] for the index, which is long work
//! done in small pieces between them.
//!
//! Not here: SQL (`store`), where bytes come from, when a step is due: the caller drives.

mod answers;
mod asked;
mod attributes;
mod beyond;
mod compare;
mod conversation;
mod detail;
mod export;
mod figures;
mod first;
mod full;
#[cfg(not(target_family = "wasm"))]
mod growth;
mod import;
mod listing;
mod log_list;
mod metrics;
mod moments;
mod outgoing;
mod push;
mod query;
#[cfg(not(target_family = "wasm"))]
mod reader;
mod recording;
mod search;
mod share;
mod sheets;
mod sql;
mod tables;
mod trace_logs;
mod unattached;
mod whole;

pub use export::{ExportOptions, Exported};
#[cfg(not(target_family = "wasm"))]
pub use growth::IndexSnapshot;
pub use outgoing::{KeyCount, Outgoing};
pub use push::{MetricsPiece, PieceSize, PushCursor, TracesPiece};
#[cfg(not(target_family = "wasm"))]
pub use reader::{QueryReader, SharedIndex};
pub use recording::Selection;
pub use unattached::{UnattachedPiece, UnattachedSignal};

use crate::index::{Index, Pass};
use crate::logs::{LogLists, Logs};
use crate::search::Searches;
use quipu_model::ordered::sort_by_key;
use quipu_model::{PriceTable, TokenTotals};
use quipu_protocol::{
    Answers, Failure, FailureKind, FileSummary, IndexProgress, Question, Request, Response, TextRef, TraceColumns, TraceScope, WarningKind,
};
use quipu_store::{Database, NamedSource, OpenOptions, SharedCache, StoreError, trace_recorded};
use quipu_ui::view::{blocks, minimap};
use std::cell::{OnceCell, RefCell};
#[cfg(any(feature = "promql", not(target_family = "wasm")))]
use std::sync::Arc;

/// What other threads may still read while it changes; in the browser nobody does, and the code that copies an index is left out.
#[cfg(not(target_family = "wasm"))]
type Held<T> = Arc<T>;
#[cfg(target_family = "wasm")]
type Held<T> = Box<T>;

/// Access for changes; what others still read is copied first.
#[cfg(not(target_family = "wasm"))]
fn own<T: Clone>(held: &mut Held<T>) -> &mut T {
    Arc::make_mut(held)
}
#[cfg(target_family = "wasm")]
fn own<T>(held: &mut Held<T>) -> &mut T {
    held
}

/// An open telemetry file.
///
/// ```
/// use quipu::protocol::GetFile;
/// use quipu::store::{NamedSource, MemorySource, OpenOptions};
/// let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/agent_0.2.15.db"))?;
/// let file = NamedSource { name: "agent.db".into(), source: Box::new(MemorySource(bytes)) };
/// let mut session = quipu::Session::open(vec![file], OpenOptions::with_clock(|| 0))?;
/// while !session.step(&mut || false)?.done {}
/// let summary = session.ask(GetFile)?;
/// assert_eq!((summary.traces, summary.spans), (Some(56), Some(434)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session {
    database: Database,
    /// Shared with [`QueryReader`]s once it is complete.
    index: Held<Index>,
    pass: Pass,
    searches: Searches,
    listing: listing::Listing,
    /// Total bytes of the imported files.
    imported: Option<u64>,
    /// The database was created in memory, from an import or a link.
    in_memory: bool,
    /// Why the search failed.
    search_failure: Option<Failure>,
    trace_logs: RefCell<trace_logs::LogOrder>,
    /// The log records of the file, read when they are first listed.
    records: Logs,
    log_lists: LogLists,
    /// The conversation requested last: its pages are cut from it.
    said: RefCell<Option<sheets::CachedConversation>>,
    /// The selection shared last.
    leaving: Option<share::CachedShare>,
    prices: PriceTable,
    sql: sql::SqlCache,
    /// Tokens that only an imported metric counts; read once.
    metric_tokens: OnceCell<TokenTotals>,
    /// Numbers of log records and metric points; counted once.
    unattached: OnceCell<[Option<u64>; 2]>,
    /// The metrics engine, created by the first PromQL query.
    #[cfg(feature = "promql")]
    metrics: Option<Arc<quipu_metrics::Metrics>>,
}

impl Session {
    /// Opens one database, with its `-journal` or `-wal` if there is one.
    /// Reads a few pages; the index is built by [`Session::step`].
    ///
    /// # Errors
    /// A sentence that says what the file is and what was expected.
    pub fn open(files: Vec<NamedSource>, options: OpenOptions) -> Result<Session, Failure> {
        Ok(Session::new(Database::open(files, options)?))
    }

    fn new(database: Database) -> Session {
        Session {
            database,
            index: Held::default(),
            pass: Pass::default(),
            searches: Searches::default(),
            listing: listing::Listing::default(),
            imported: None,
            in_memory: false,
            search_failure: None,
            trace_logs: RefCell::default(),
            records: Logs::default(),
            log_lists: LogLists::default(),
            said: RefCell::default(),
            leaving: None,
            prices: PriceTable::default(),
            sql: sql::SqlCache::default(),
            metric_tokens: OnceCell::new(),
            unattached: OnceCell::new(),
            #[cfg(feature = "promql")]
            metrics: None,
        }
    }

    /// The cache over the file, for a driver that can read ahead of the index.
    pub fn cache(&self) -> &SharedCache {
        self.database.cache()
    }

    /// Builds the index until `spent` answers true, or to its end. `elapsed_ms` of the answer is the caller's to fill in.
    ///
    /// # Errors
    /// If the file can no longer be read. Damage inside the file is skipped and becomes a warning.
    pub fn step(&mut self, spent: &mut dyn FnMut() -> bool) -> Result<IndexProgress, Failure> {
        if !self.index.is_complete() {
            self.database.cache().set_scanning(true);
            let (pass, index, database) = (&mut self.pass, own(&mut self.index), &self.database);
            let outcome = pass.step(index, database, spent).map_err(|error| database.explain(error));
            self.database.cache().set_scanning(false);
            if outcome? {
                self.database.check_unchanged()?;
                if !self.prices.is_empty() {
                    self.apply_prices();
                }
            }
        }
        Ok(self.progress())
    }

    fn progress(&self) -> IndexProgress {
        let done = self.index.is_complete();
        let (spans, spans_expected) = self.pass.counts(&self.index);
        let bytes_expected = self.database.cache().len();
        let bytes = if done { bytes_expected } else { self.database.cache().scan_offset() };
        IndexProgress { spans, spans_expected: if done { spans } else { spans_expected }, bytes, bytes_expected, elapsed_ms: 0.0, done }
    }

    /// Answers a question in bounded time. Each question names the type of its answer: see the implementors of
    /// [`Question`](quipu_protocol::Question).
    ///
    /// # Errors
    /// A sentence for the user: there is no such trace, span or value; the file changed; a part of it is damaged; or, with
    /// [`FailureKind::NotIndexedYet`], the index must be complete first.
    pub fn ask<Q: Question>(&mut self, question: Q) -> Result<Q::Answer, Failure>
    where
        Session: Answers<Q>,
    {
        self.answer(question)
    }

    /// [`Session::ask`] for a question that came over the wire.
    ///
    /// # Errors
    /// Those of [`Session::ask`].
    pub fn handle(&mut self, request: Request) -> Result<Response, Failure> {
        request.answer_by(self)
    }

    /// [`Session::handle`] in a program that neither imports, shares nor runs SQL ([`Request::answer_reading_by`]).
    ///
    /// # Errors
    /// Those of [`Session::ask`].
    pub fn handle_reading(&mut self, request: Request) -> Result<Response, Failure> {
        request.answer_reading_by(self)
    }

    #[cfg(test)]
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    fn require_index(&self) -> Result<(), Failure> {
        if self.index.is_complete() { Ok(()) } else { Err(Failure::not_indexed_yet()) }
    }

    /// The row of a span, given the ids of its trace and itself.
    fn find_row(&self, trace_id: &str, span_id: &str) -> Result<u32, Failure> {
        let found = self.index.find_trace(trace_id).and_then(|trace| self.index.find_span_in(trace, span_id));
        found.ok_or_else(|| not_found(format!("There is no span {span_id} in trace {trace_id} of this file.")))
    }

    fn file(&self) -> FileSummary {
        let mut summary = FileSummary {
            name: self.database.name().to_owned(),
            size_bytes: self.imported.unwrap_or(self.database.cache().len()),
            in_memory: self.in_memory,
            warnings: self.database.warnings().to_vec(),
            ..FileSummary::default()
        };
        if self.index.is_complete() {
            self.index.summarize(&mut summary);
            let counts = || [false, true].map(|is_points| self.count_unattached(is_points));
            [summary.log_records, summary.metric_points] = *self.unattached.get_or_init(counts);
            if summary.tokens.is_some_and(|tokens| tokens.requests == 0) {
                summary.tokens = Some(*self.metric_tokens.get_or_init(|| self.tokens_in_metrics()));
            }
        }
        // Warnings that question the file as a whole come first.
        sort_by_key(&mut summary.warnings, |warning| match warning.kind {
            WarningKind::Corrupt => 0,
            WarningKind::Journal => 1,
            WarningKind::Schema => 2,
            WarningKind::Secrets => 3,
            _ => 4,
        });
        summary
    }

    fn trace_number(&self, trace_id: &str) -> Result<u32, Failure> {
        self.index.find_trace(trace_id).ok_or_else(|| not_found(format!("There is no trace {trace_id} in this file.")))
    }

    /// The spans of a trace, without the data for its timeline.
    fn columns(&self, number: u32, scope: &TraceScope) -> Result<TraceColumns, Failure> {
        self.index.trace_columns(number, scope).ok_or_else(|| no_request(scope.request.as_deref().unwrap_or_default()))
    }

    fn trace(&self, trace_id: &str, scope: &TraceScope) -> Result<TraceColumns, Failure> {
        let number = self.trace_number(trace_id)?;
        let mut columns = self.columns(number, scope)?;
        columns.minimap = minimap(&columns);
        columns.blocks = blocks(&columns);
        if let Some(rowid) = self.index.trace_rowid(number) {
            let (connection, schema) = (self.database.connection(), self.database.schema());
            let recorded = self.database.bounded(|| trace_recorded(connection, schema, rowid))?;
            let recorded = recorded.unwrap_or_default();
            (columns.service_name, columns.recorded_root) = (recorded.service_name, recorded.root_span_id);
        }
        Ok(columns)
    }

    fn span(&self, row: u32) -> Result<quipu_protocol::SpanDetail, Failure> {
        let gone = || StoreError::Corrupt("the span's row can't be found again".into());
        let span = self.database.bounded(|| detail::span(&self.database, &self.index, row)?.ok_or_else(gone))?;
        Ok(quipu_protocol::SpanDetail { cost: self.cost_of(row), ..span })
    }

    fn text(&self, text: &TextRef) -> Result<String, Failure> {
        let found = self.database.bounded(|| detail::text(&self.database, text))?;
        found.ok_or_else(|| not_found("There is no such value in this file.".into()))
    }
}

fn no_request(span_id: &str) -> Failure {
    not_found(format!("There is no request that begins with span {span_id} in this trace."))
}

fn not_found(message: String) -> Failure {
    Failure { kind: FailureKind::NotFound, message }
}

fn bad_request(message: String) -> Failure {
    Failure { kind: FailureKind::BadRequest, message }
}
