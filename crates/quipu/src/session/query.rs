//! The query API: as a request once the file is indexed, and as blocking methods for native callers.

use super::export::{ExportOptions, Exported};
use super::{Outgoing, Session};
use crate::query::{self, QueryError, ReleaseGuess, RowForm, Source, Writers};
use quipu_protocol::{Failure, FailureKind, FileFormat, RedactOptions};
use quipu_store::StoreError;

impl Session {
    /// Opens a file by its path. A server may be writing to it; no file is created or changed next to it.
    ///
    /// # Errors
    /// A message that says what the file is and what was expected.
    #[cfg(not(target_family = "wasm"))]
    pub fn open_path(path: &std::path::Path, options: quipu_store::OpenOptions) -> Result<Session, Failure> {
        let database = quipu_store::Database::open_path(path, options)?;
        Ok(Session::new(database))
    }

    /// Answers a call of Llama Stack's query API with JSON. `params` is a JSON object, or empty for none; `now_seconds` is the current time
    /// in seconds since 1970. Completes the index first if the answer needs it, which takes as long as reading the file.
    ///
    /// # Errors
    /// A message that names the parameter, or says what can't be read.
    ///
    /// ```
    /// # let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/agent_0.2.15.db"))?;
    /// # let file = quipu::store::NamedSource { name: "agent.db".into(), source: Box::new(quipu::store::MemorySource(bytes)) };
    /// # let mut session = quipu::Session::open(vec![file], quipu::store::OpenOptions::with_clock(|| 0))?;
    /// let params = r#"{"attribute_filters": [{"key": "tool_name", "op": "eq", "value": "brave_search"}], "limit": 1}"#;
    /// let answer = session.query("query_traces", params, None)?;
    /// assert!(answer.starts_with(r#"{"data":[{"trace_id":""#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn query(&mut self, method: &str, params: &str, now_seconds: Option<i64>) -> Result<String, Failure> {
        match self.run(|source| query::answer(source, method, params, now_seconds)) {
            Err(QueryError::NotIndexed) => {
                self.complete_index()?;
                Ok(self.run(|source| query::answer(source, method, params, now_seconds))?)
            }
            outcome => Ok(outcome?),
        }
    }

    /// Like [`Session::query`], with a typed error for callers that format their own messages. Does not build the index.
    ///
    /// # Errors
    /// [`QueryError::NotIndexed`] if the answer needs an index that is not complete; otherwise those of [`Session::query`].
    pub fn try_query(&self, method: &str, params: &str, now_seconds: Option<i64>) -> Result<String, QueryError> {
        self.run(|source| query::answer(source, method, params, now_seconds))
    }

    /// Writes the spans of matching traces to `sink` as lines of text, until it returns false. Returns the number of spans. `params` are
    /// those of `save_spans_to_dataset` without the dataset id; `format` must support [`Contents::Spans`](quipu_protocol::Contents::Spans).
    ///
    /// # Errors
    /// A message that names the parameter, or says what can't be read.
    pub fn export_spans(&mut self, params: &str, format: FileFormat, sink: &mut dyn FnMut(&str) -> bool) -> Result<u64, Failure> {
        Ok(self.export_spans_with(params, format, ExportOptions::default(), sink)?.spans)
    }

    /// Like [`export_spans`](Session::export_spans), with options. Rows of the same trace are redacted together.
    ///
    /// # Errors
    /// Those of [`export_spans`](Session::export_spans).
    pub fn export_spans_with(
        &mut self,
        params: &str,
        format: FileFormat,
        options: ExportOptions,
        sink: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Exported, Failure> {
        self.complete_index()?;
        let mut outgoing = Outgoing::new(options.redact);
        let only_looks = options.redact == Some(RedactOptions::NOTHING);
        let redactor = outgoing.redactor();
        let (spans, left_out) =
            self.run(|source| query::export(source, params, RowForm { format, raw: options.raw, redactor, only_looks }, sink))?;
        Ok(Exported { spans, left_out, report: outgoing.report() })
    }

    /// The releases of Llama Stack that could have written the file.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn guess_releases(&mut self) -> Result<ReleaseGuess, Failure> {
        self.complete_index()?;
        Ok(self.run(query::guess_releases)?)
    }

    /// The SDKs and instrumentations that recorded the spans, as far as the file says so. Reads all spans.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn writers(&self) -> Result<Writers, Failure> {
        Ok(self.run(query::writers)?)
    }

    /// Completes a trace id from its unique prefix.
    ///
    /// # Errors
    /// When no trace id has this prefix, or several have.
    pub fn complete_trace_id(&mut self, start: &str) -> Result<String, Failure> {
        self.complete_index()?;
        if self.index.find_trace(start).is_some() {
            return Ok(start.to_owned());
        }
        let found = self.index.traces_with_prefix(start, 2);
        let not_found = |message: String| Failure { kind: FailureKind::NotFound, message };
        match found.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(not_found(format!("There is no trace in this file whose id begins with {start:?}."))),
            _ => Err(not_found(format!("Several traces of this file begin with {start:?}; give more of the id."))),
        }
    }

    /// The id of a span's trace.
    ///
    /// # Errors
    /// When the span does not exist.
    pub fn trace_of_span(&mut self, span_id: &str) -> Result<String, Failure> {
        self.complete_index()?;
        let row = self.index.find_span(span_id);
        let gone = || Failure { kind: FailureKind::NotFound, message: format!("There is no span {span_id:?} in this file.") };
        row.map(|row| self.index.trace_id_of(row)).ok_or_else(gone)
    }

    /// Completes the index, however long that takes.
    ///
    /// # Errors
    /// When the file can't be read any more.
    pub fn complete_index(&mut self) -> Result<(), Failure> {
        while !self.step(&mut || false)?.done {}
        Ok(())
    }

    fn run<T>(&self, work: impl FnOnce(Source<'_>) -> Result<T, QueryError>) -> Result<T, QueryError> {
        let index = self.index.is_complete().then_some(&*self.index);
        run(Source { database: &self.database, index }, work)
    }
}

/// Answers within the limits of the database.
pub(super) fn run<T>(source: Source<'_>, work: impl FnOnce(Source<'_>) -> Result<T, QueryError>) -> Result<T, QueryError> {
    // `bounded` handles errors of the store only; others are returned separately.
    let mut other = None;
    let outcome = source.database.bounded(|| match work(source) {
        Ok(answer) => Ok(Some(answer)),
        Err(QueryError::Store(error)) => Err(error),
        Err(error) => {
            other = Some(error);
            Ok(None)
        }
    });
    match (outcome, other) {
        (_, Some(error)) => Err(error),
        (Ok(Some(answer)), None) => Ok(answer),
        (Err(error), None) => Err(error.into()),
        (Ok(None), None) => Err(StoreError::Corrupt("the query has no answer".into()).into()),
    }
}
