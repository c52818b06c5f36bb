//! Full-text search requests, and the search itself, which proceeds in steps.
//!
//! Not here: reading and comparing (`search`), evaluating filters (`filter`).

use super::listing::parse;
use super::{Session, bad_request};
use crate::search::{Progress, SearchTerms, places, snippet};
use quipu_protocol::filter::Wanted;
use quipu_protocol::{Failure, HitPage, HitQuery, SearchHit, SearchProgress, SearchState, SpanMatch};
use quipu_store::StoreError;

/// Maximum number of hits per page.
const MAX_HITS: usize = 200;
/// Maximum bytes of spans read for the snippets of a page; a page that reaches it is cut short.
const PAGE_BYTES: usize = 48 << 20;
/// Maximum number of matches in one span.
const MAX_MATCHES: usize = 200;

impl Session {
    /// Whether a search is unfinished, so that [`Session::search_step`] has to be called.
    pub fn has_search(&self) -> bool {
        self.index.is_complete() && self.search_failure.is_none() && self.searches.is_due()
    }

    /// Continues the search until `spent` returns true, or to the end of the search in a trace or in the file; `None` if there is no
    /// search. If the file can't be read any more, the state of the progress says so. The caller fills in `elapsed_ms`.
    pub fn search_step(&mut self, spent: &mut dyn FnMut() -> bool) -> Option<SearchProgress> {
        if !self.has_search() {
            return self.search_progress();
        }
        let outcome = self.searches.step(&self.index, &self.database, spent).and_then(|progress| {
            // As for the index: the file must not have changed while it was searched.
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

    /// Searches to the end, if there is a search.
    ///
    /// # Errors
    /// When the file can't be read any more.
    pub fn run_search(&mut self) -> Result<(), Failure> {
        while self.has_search() {
            self.search_step(&mut || false);
        }
        self.search_failure.clone().map_or(Ok(()), Err)
    }

    /// The progress of the search; `None` if there is none.
    fn search_progress(&self) -> Option<SearchProgress> {
        let progress = self.searches.progress(&self.index)?;
        Some(self.in_words(progress))
    }

    fn in_words(&self, progress: Progress) -> SearchProgress {
        let state = match &self.search_failure {
            Some(failure) => SearchState::Failed(failure.clone()),
            None if progress.done => SearchState::Done,
            None if progress.trace.is_none() && self.searches.is_stopped() => SearchState::Stopped,
            None => SearchState::Running,
        };
        SearchProgress {
            filter: if progress.trace.is_none() { self.searches.filter().to_owned() } else { String::new() },
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

    pub(super) fn set_searching(&mut self, searching: bool) -> Option<SearchProgress> {
        self.searches.set_stopped(!searching);
        self.search_progress()
    }

    /// Sets the filter that subsequent questions belong to. A new filter clears the failure of the previous search.
    pub(super) fn begin_search(&mut self, filter: &str) {
        if self.searches.begin(filter) {
            self.search_failure = None;
        }
    }

    pub(super) fn list_hits(&mut self, query: &HitQuery) -> Result<HitPage, Failure> {
        let texts = parse(&query.filter)?.texts();
        if texts.is_empty() {
            return Err(bad_request("The filter contains no text to search for. Put one in quotes: \"…\".".into()));
        }
        self.require_index()?;
        let trace = query.trace_id.as_deref().map(|trace_id| self.trace_number(trace_id)).transpose()?;
        let (rows, is_known): (Vec<u32>, bool) = match trace {
            Some(trace) => {
                if self.searches.search_trace(trace, &texts, &self.index) {
                    self.search_failure = None;
                }
                let hits = self.searches.hits(&texts, &self.index);
                (self.index.trace_rows(trace).iter().rev().copied().filter(|row| hits.has(*row)).collect(), true)
            }
            None => {
                self.begin_search(&query.filter);
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
        Ok(HitPage { query: query.clone(), total: is_done.then_some(found), so_far: found, hits })
    }

    /// The hits in these rows, with snippets read from the file; fewer if the spans are large.
    fn hits(&self, rows: &[u32], texts: &[String]) -> Result<Vec<SearchHit>, StoreError> {
        let texts = SearchTerms::new(texts);
        let mut hits = Vec::new();
        let mut bytes = 0;
        for row in rows {
            let (first, more, read) = snippet(&self.database, &self.index, *row, &texts)?;
            let (flags, kind) = self.index.flags_of(*row);
            hits.push(SearchHit {
                trace_id: self.index.trace_id_of(*row),
                span_id: self.index.span_id_of(*row),
                name: self.index.name_of(*row).to_owned(),
                kind,
                flags,
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

    /// The matches of a text in the span of `row`.
    pub(super) fn find_in_span(&self, row: u32, text: &str) -> Result<Vec<SpanMatch>, Failure> {
        let texts = SearchTerms::new(&[text.to_owned()]);
        Ok(self.database.bounded(|| places(&self.database, &self.index, row, &texts, MAX_MATCHES))?)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests read fixtures")]
mod tests {
    use super::*;
    use crate::index::Bits;
    use crate::index::filter::attribute_holds;
    use quipu_protocol::filter::{AttributeTest, Filter};
    use quipu_store::{MemorySource, NamedSource, OpenOptions};

    fn open() -> Session {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/agent_0.2.15.db");
        let source = Box::new(MemorySource(std::fs::read(path).expect("the sample is there")));
        let mut session =
            Session::open(vec![NamedSource { name: "agent.db".into(), source }], OpenOptions::with_clock(|| 0)).expect("it opens");
        while !session.step(&mut || false).expect("it is read").done {}
        session
    }

    fn is_part(part: &Bits, of: &Bits) -> bool {
        part.iter().all(|row| of.has(row))
    }

    #[test]
    fn rows_that_were_not_searched_may_match() {
        let mut session = open();
        let text = Wanted::Text("inference".into());
        session.searches.begin("\"inference\"");
        let mut before = session.searches.decided(&text, &session.index);
        assert_eq!((before.yes.count(), before.maybe.count()), (0, 434));
        let mut both = 0;
        while session.has_search() {
            session.search_step(&mut || true);
            let now = session.searches.decided(&text, &session.index);
            assert!(is_part(&before.yes, &now.yes) && is_part(&now.yes, &now.maybe) && is_part(&now.maybe, &before.maybe));
            both += usize::from(now.yes.count() > 0 && !now.is_known());
            before = now;
        }
        assert!(before.is_known() && both > 0);
        let whole = before;
        let mut other = open();
        other.searches.begin("\"inference\"");
        other.searches.decided(&text, &other.index);
        other.run_search().expect("it is readable");
        assert_eq!(other.searches.decided(&text, &other.index), whole);
    }

    #[test]
    fn several_searches_share_one_pass() {
        let mut session = open();
        let filter = Filter::parse("\"inference\" \"brave\" tool_name:b*").expect("it is understood");
        let mut wanted: Vec<Wanted> = Vec::new();
        session.searches.begin("some filter");
        crate::index::filter::decide(&filter, &session.index, &mut |asked| {
            wanted.push(asked.clone());
            session.searches.decided(asked, &session.index)
        });
        assert!(wanted.len() >= 2, "{wanted:?}");
        session.run_search().expect("it is readable");
        for asked in &wanted {
            let decided = session.searches.decided(asked, &session.index);
            assert!(decided.is_known(), "{asked:?}");
            let mut alone = open();
            alone.searches.begin("alone");
            alone.searches.decided(asked, &alone.index);
            alone.run_search().expect("it is readable");
            assert_eq!(alone.searches.decided(asked, &alone.index), decided, "{asked:?}");
        }
    }

    #[test]
    fn attributes_that_the_index_cannot_decide_are_read() {
        let mut session = open();
        let mut test: Option<AttributeTest> = None;
        let filter = Filter::parse("__args__:*brave*").expect("it is understood");
        session.searches.begin("one");
        crate::index::filter::decide(&filter, &session.index, &mut |asked| {
            if let Wanted::Attribute(found) = asked {
                test = Some(found.clone());
            }
            session.searches.decided(asked, &session.index)
        });
        let test = test.expect("the index does not hold it");
        let undecided = session.searches.decided(&Wanted::Attribute(test.clone()), &session.index);
        assert!(!undecided.is_known());
        session.run_search().expect("it is readable");
        let decided = session.searches.decided(&Wanted::Attribute(test.clone()), &session.index);
        assert!(decided.is_known() && is_part(&undecided.yes, &decided.yes) && is_part(&decided.yes, &undecided.maybe));
        let mut expected = Bits::filled(434, false);
        let (database, index) = (&session.database, &session.index);
        for row in 0..434 {
            let read = quipu_store::attributes_at(database.connection(), database.schema(), index.rowid_of(row), |text| {
                attribute_holds(&test, text)
            });
            if read.expect("it is readable") == Some(true) {
                expected.insert(row);
            }
        }
        assert!(expected.count() > 0);
        assert_eq!(decided.yes, expected);
    }
}
