//! Requests about texts in the file, and the work behind them, which is stepped.
//!
//! What is not here: reading and comparing (`search`), which traces a filter matches (`filter`).

use super::{Session, no_trace, not_found};
use crate::filter::Filter;
use crate::protocol::{Failure, FailureKind, HitPage, HitQuery, Response, SearchHit, SearchProgress, SearchState, SpanMatch};
use crate::search::{Progress, Texts, Wanted, places, snippet};
use crate::store::StoreError;

/// Hits of one page at most.
const MAX_HITS: usize = 200;
/// Bytes of spans read for the snippets of one page: past them the page ends.
const PAGE_BYTES: usize = 48 << 20;
/// Matches in one span at most.
const MAX_MATCHES: usize = 200;

impl Session {
    /// Whether a search has something left to read: then [`Session::search_step`] is due.
    pub fn has_search(&self) -> bool {
        self.index.is_complete() && self.search_failure.is_none() && self.searches.is_due()
    }

    /// Goes on searching until `spent` answers true, or to the end of the search in a trace or in the file; `None` where nothing is searched
    /// for. A file that can't be read any more is the progress's state. `elapsed_ms` of the answer is the caller's to fill in.
    pub fn search_step(&mut self, spent: &mut dyn FnMut() -> bool) -> Option<SearchProgress> {
        if !self.has_search() {
            return self.search_progress();
        }
        let outcome = self.searches.step(&self.index, &self.database, spent).and_then(|progress| {
            // As the index does: new bytes beside kept ones would be misread.
            if progress.done { self.database.check_unchanged().map(|()| progress) } else { Ok(progress) }
        });
        match outcome {
            Ok(progress) => Some(self.in_words(progress)),
            Err(error) => {
                self.search_failure = Some(self.database.explain(error).into());
                self.search_progress()
            }
        }
    }

    /// Searches to the end. Nothing happens where nothing is searched for.
    ///
    /// # Errors
    /// When the file can't be read any more.
    pub fn run_search(&mut self) -> Result<(), Failure> {
        while self.has_search() {
            self.search_step(&mut || false);
        }
        self.search_failure.clone().map_or(Ok(()), Err)
    }

    /// How far what is searched for is; `None` where nothing is.
    fn search_progress(&self) -> Option<SearchProgress> {
        let progress = self.searches.progress(&self.index)?;
        Some(self.in_words(progress))
    }

    fn in_words(&self, progress: Progress) -> SearchProgress {
        let state = match &self.search_failure {
            Some(failure) => SearchState::Failed(failure.clone()),
            None if progress.done => SearchState::Done,
            None if self.searches.is_stopped() => SearchState::Stopped,
            None => SearchState::Running,
        };
        SearchProgress {
            texts: progress.texts,
            trace_id: progress.trace.map(|trace| self.index.trace_id(trace)),
            spans: progress.spans,
            spans_expected: progress.spans_expected,
            bytes: progress.bytes,
            hits: progress.hits,
            elapsed_ms: 0.0,
            state,
        }
    }

    pub(super) fn set_searching(&mut self, searching: bool) -> Response {
        self.searches.set_stopped(!searching);
        Response::Search(self.search_progress())
    }

    pub(super) fn list_hits(&mut self, query: &HitQuery) -> Result<Response, Failure> {
        let filter = Filter::parse(&query.filter).map_err(|error| bad_request(error.message))?;
        let texts = filter.texts();
        if texts.is_empty() {
            return Err(bad_request("The filter holds no text to search for. Put one in quotes: \"…\".".into()));
        }
        if !self.index.is_complete() {
            return Ok(Response::NotIndexedYet);
        }
        let trace = match &query.trace_id {
            Some(trace_id) => Some(self.index.find_trace(trace_id).ok_or_else(|| no_trace(trace_id))?),
            None => None,
        };
        let (rows, is_known): (Vec<u32>, bool) = match trace {
            Some(trace) => {
                self.searches.search_trace(trace, &texts, &self.index);
                let hits = self.searches.hits(&texts, &self.index);
                (self.index.trace_rows(trace).iter().rev().copied().filter(|row| hits.has(*row)).collect(), true)
            }
            None => {
                self.searches.begin(&query.filter);
                for text in &texts {
                    self.searches.decided(&Wanted::Text(text.clone()), &self.index);
                }
                let traces = self.listing.decide(&query.filter, &self.index, &mut self.searches)?;
                let hits = self.searches.hits(&texts, &self.index);
                let mut rows: Vec<u32> = hits.iter().filter(|row| traces.maybe.has(self.index.trace_of(*row))).collect();
                rows.reverse();
                (rows, traces.is_known())
            }
        };
        let is_done = is_known && self.searches.is_done(&texts, trace);
        let found = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let page = rows.get((query.offset as usize).min(rows.len())..).unwrap_or_default();
        let hits = self
            .database
            .bounded(|| self.hits(page.get(..page.len().min(MAX_HITS).min(query.limit as usize)).unwrap_or_default(), &texts))?;
        Ok(Response::Hits(HitPage { query: query.clone(), total: is_done.then_some(found), so_far: found, hits }))
    }

    /// The hits in these rows, read again for their snippets; fewer where the spans are large.
    fn hits(&self, rows: &[u32], texts: &[String]) -> Result<Vec<SearchHit>, StoreError> {
        let texts = Texts::new(texts);
        let mut hits = Vec::new();
        let mut bytes = 0;
        for row in rows {
            let (first, more, read) = snippet(&self.database, &self.index, *row, &texts)?;
            let (marks, kind) = self.index.marks_of(*row);
            hits.push(SearchHit {
                trace_id: self.index.trace_id_of(*row),
                span_id: self.index.span_id_of(*row),
                name: self.index.name_of(*row).to_owned(),
                kind,
                marks,
                start: self.index.start_of(*row),
                first,
                more,
            });
            bytes += read;
            if bytes > PAGE_BYTES {
                break;
            }
        }
        Ok(hits)
    }

    /// Where a text stands in the span of `row`.
    pub(super) fn find_in_span(&self, row: u32, text: &str) -> Result<Vec<SpanMatch>, Failure> {
        let texts = Texts::new(&[text.to_owned()]);
        Ok(self.database.bounded(|| places(&self.database, &self.index, row, &texts, MAX_MATCHES))?)
    }
}

fn bad_request(message: String) -> Failure {
    Failure { kind: FailureKind::BadRequest, ..not_found(message) }
}
