//! The search for what only the file can decide: strings, and attributes that the index does not hold. Spans are read newest first, in
//! small steps.
//!
//! Every search has two sets of rows: those that match, and those that were not looked at yet. One pass over the file serves all searches
//! of a filter; a search within one trace takes precedence. The results of recent searches are kept, so that returning to a filter is
//! instant. Not here: the filter language (`filter`), string comparison (`fold`), requests (`session`).

mod block;
mod matcher;
mod places;
mod sieve;

pub(crate) use matcher::TextMatcher;
pub(crate) use places::{SearchTerms, places, snippet};

use crate::index::filter::prejudge_attribute;
use crate::index::{Bits, Decided, Index};
use block::Block;
use quipu_protocol::filter::{AttributeTest, Wanted};
use quipu_store::{Database, StoreError};

/// Results kept in addition to those in use; one takes an eighth of a megabyte per million spans.
const MAX_CACHED: usize = 12;

/// How a row is tested.
enum Test {
    Text(Box<TextMatcher>),
    Attribute(AttributeTest),
    /// The empty string, which every span contains.
    Always,
}

/// The results of one search.
struct Search {
    wanted: Wanted,
    test: Test,
    /// Rows that match.
    yes: Bits,
    /// Rows not looked at yet.
    open: Bits,
    /// The filter of the list needs this search.
    active: bool,
    /// Value of [`Searches::questions`] when it was last needed.
    asked: u64,
    /// File offset that it has reached on its way from the end of the file; `u64::MAX` at the start.
    place: u64,
}

impl Search {
    fn new(wanted: &Wanted, index: &Index) -> Search {
        let len = index.span_count();
        let (test, known) = match wanted {
            Wanted::Text(text) => match TextMatcher::new(text) {
                Some(matcher) => (Test::Text(Box::new(matcher)), Decided::unknown(len)),
                None => (Test::Always, Decided::known(Bits::filled(len, true))),
            },
            Wanted::Attribute(test) => (Test::Attribute(test.clone()), prejudge_attribute(test, index)),
        };
        let mut decided = known.yes.clone();
        decided.invert();
        let mut open = known.maybe;
        open.and(&decided);
        Search { wanted: wanted.clone(), test, yes: known.yes, open, active: false, asked: 0, place: u64::MAX }
    }

    fn decided(&self) -> Decided {
        let mut maybe = self.open.clone();
        maybe.or(&self.yes);
        Decided { yes: self.yes.clone(), maybe }
    }

    fn is_text(&self) -> bool {
        matches!(self.wanted, Wanted::Text(_))
    }
}

struct TraceSearch {
    trace: u32,
    texts: Vec<Wanted>,
    /// The number of rows, from the trace's first, that may not have been looked at.
    left: usize,
}

/// Progress of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The strings that are searched for.
    pub(crate) texts: Vec<String>,
    /// Number of the trace that is searched; `None` for the whole file.
    pub(crate) trace: Option<u32>,
    pub(crate) spans: u64,
    /// Number of spans to search.
    pub(crate) spans_expected: u64,
    /// Bytes of text searched.
    pub(crate) bytes: u64,
    /// Number of spans that match.
    pub(crate) hits: u64,
    /// Whether everything was searched.
    pub(crate) done: bool,
}

#[derive(Default)]
pub(crate) struct Searches {
    searches: Vec<Search>,
    /// Number of questions so far; used as a clock for eviction.
    questions: u64,
    /// The filter of the list.
    filter: String,
    trace: Option<TraceSearch>,
    block: Option<Block>,
    /// File offset that the block and those before it have reached on the way from the end of the file.
    place: u64,
    /// Blocks begun since the search started: the first ones are small, so that the newest hits appear at once.
    blocks: u32,
    bytes: u64,
    /// The search through the file is paused. A search within a trace is short, and is never paused.
    stopped: bool,
}

impl Searches {
    /// Sets the filter that subsequent questions belong to. Returns whether it changed, in which case the searches of the previous one are
    /// no longer needed.
    pub(crate) fn begin(&mut self, filter: &str) -> bool {
        let is_other = self.filter != filter;
        if is_other {
            self.filter = filter.to_owned();
            self.trace = None;
            self.searches.iter_mut().for_each(|search| search.active = false);
            self.stopped = false;
            self.restart();
        }
        is_other
    }

    /// The filter that the search through the file belongs to.
    pub(crate) fn filter(&self) -> &str {
        &self.filter
    }

    fn restart(&mut self) {
        self.block = None;
        self.blocks = 0;
        self.bytes = 0;
    }

    /// The rows that match `wanted`, as far as is known. Starts the search if it is new.
    pub(crate) fn decided(&mut self, wanted: &Wanted, index: &Index) -> Decided {
        if !index.is_complete() {
            return Decided::unknown(index.span_count());
        }
        let search = self.find_or_add(wanted, index);
        let is_new = !std::mem::replace(&mut search.active, true);
        let decided = search.decided();
        if is_new {
            // The current block has to be searched for this as well.
            self.block = None;
        }
        decided
    }

    fn find_or_add(&mut self, wanted: &Wanted, index: &Index) -> &mut Search {
        let is_wanted = |search: &Search| search.wanted == *wanted;
        let at = self.searches.iter().position(is_wanted).unwrap_or_else(|| {
            self.evict_oldest();
            self.searches.push(Search::new(wanted, index));
            self.searches.len() - 1
        });
        self.questions += 1;
        #[expect(clippy::indexing_slicing, reason = "found just above, or the last")]
        let search = &mut self.searches[at];
        search.asked = self.questions;
        search
    }

    /// Evicts the least recently used result if there are too many.
    fn evict_oldest(&mut self) {
        let is_in_trace = |search: &Search| self.trace.as_ref().is_some_and(|trace| trace.texts.contains(&search.wanted));
        let kept = self.searches.iter().enumerate().filter(|(_, search)| !search.active && !is_in_trace(search));
        if let Some((oldest, _)) = kept.min_by_key(|(_, search)| search.asked).filter(|_| self.searches.len() >= MAX_CACHED) {
            self.searches.remove(oldest);
            // A block refers to searches by index.
            self.block = None;
        }
    }

    /// Starts searching the spans of one trace, before anything else. Asking for the same search again continues it; returns whether it is
    /// a new one.
    pub(crate) fn search_trace(&mut self, trace: u32, texts: &[String], index: &Index) -> bool {
        let texts: Vec<Wanted> = texts.iter().cloned().map(Wanted::Text).collect();
        if self.trace.as_ref().is_some_and(|asked| asked.trace == trace && asked.texts == texts) {
            return false;
        }
        self.restart();
        // All are registered before any is added, so that adding one does not evict another.
        self.trace = Some(TraceSearch { trace, texts: texts.clone(), left: index.trace_rows(trace).len() });
        for wanted in &texts {
            self.find_or_add(wanted, index);
        }
        true
    }

    /// Pauses or resumes the search through the file.
    pub(crate) fn set_stopped(&mut self, stopped: bool) {
        self.stopped = stopped;
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether there is anything left to read.
    pub(crate) fn is_due(&self) -> bool {
        self.is_in_trace() || (!self.stopped && self.is_file_due())
    }

    fn is_in_trace(&self) -> bool {
        self.trace.as_ref().is_some_and(|trace| trace.left > 0)
    }

    fn is_file_due(&self) -> bool {
        self.searches.iter().any(|search| search.active && search.open.last().is_some())
    }

    /// Spans found so far to contain one of these strings, not counting the block being read.
    pub(crate) fn hits(&self, texts: &[String], index: &Index) -> Bits {
        let mut hits = Bits::filled(index.span_count(), false);
        self.of_texts(texts).for_each(|search| hits.or(&search.yes));
        hits
    }

    fn of_texts<'a>(&'a self, texts: &'a [String]) -> impl Iterator<Item = &'a Search> {
        self.searches.iter().filter(|search| matches!(&search.wanted, Wanted::Text(text) if texts.contains(text)))
    }

    /// Whether the search for these strings is complete, in one trace or in the file.
    pub(crate) fn is_done(&self, texts: &[String], trace: Option<u32>) -> bool {
        match (&self.trace, trace) {
            (Some(asked), Some(trace)) if asked.trace == trace && asked.left == 0 => {
                texts.iter().all(|text| asked.texts.iter().any(|wanted| matches!(wanted, Wanted::Text(asked) if asked == text)))
            }
            _ => self.of_texts(texts).count() == texts.len() && self.of_texts(texts).all(|search| search.open.last().is_none()),
        }
    }

    /// Progress of the search in a trace, or if that is complete, of the one through the file; `None` if there is no search.
    pub(crate) fn progress(&self, index: &Index) -> Option<Progress> {
        match &self.trace {
            Some(trace) if trace.left > 0 || !self.is_file_due() => Some(self.trace_progress(trace, index)),
            _ => self.file_progress(index),
        }
    }

    fn trace_progress(&self, asked: &TraceSearch, index: &Index) -> Progress {
        let texts: Vec<String> = asked.texts.iter().filter_map(text_of).collect();
        let rows = index.trace_rows(asked.trace);
        let hits = self.hits(&texts, index);
        Progress {
            trace: Some(asked.trace),
            spans: (rows.len() - asked.left) as u64,
            spans_expected: rows.len() as u64,
            bytes: self.bytes,
            hits: rows.iter().filter(|row| hits.has(**row)).count() as u64,
            done: asked.left == 0,
            texts,
        }
    }

    fn file_progress(&self, index: &Index) -> Option<Progress> {
        let active = || self.searches.iter().filter(|search| search.active);
        let (open, all) = active().map(|search| (search.open.count(), search.open.len())).max()?;
        let texts: Vec<String> = active().filter_map(|search| text_of(&search.wanted)).collect();
        Some(Progress {
            trace: None,
            spans: (all - open) as u64,
            spans_expected: all as u64,
            bytes: self.bytes,
            hits: self.hits(&texts, index).count() as u64,
            done: open == 0,
            texts,
        })
    }

    /// Reads until `spent` returns true, or until nothing is left to read.
    ///
    /// # Errors
    /// When the file can't be read any more; damage within it is skipped.
    pub(crate) fn step(&mut self, index: &Index, database: &Database, spent: &mut dyn FnMut() -> bool) -> Result<Progress, StoreError> {
        let in_trace = self.is_in_trace();
        while in_trace || !self.stopped {
            let Some(mut block) = self.block.take().or_else(|| self.next_block(index, database)) else { break };
            let cache = database.cache();
            // Only the search through the file is sequential, from its end, so that a driver can read ahead of it.
            let in_file = block.trace_left.is_none();
            cache.set_scanning_back(in_file.then_some(self.place));
            let outcome = block.read(&self.searches, database, &mut self.bytes, spent);
            cache.set_scanning_back(None);
            if in_file {
                self.place = cache.back_offset();
            }
            let ended = outcome?;
            if !ended {
                self.block = Some(block);
                break;
            }
            self.close(block);
            // Reports the end of a search in a trace before continuing with the file.
            if spent() || (in_trace && !self.is_in_trace()) {
                break;
            }
        }
        let progress = match &self.trace {
            Some(trace) if in_trace => Some(self.trace_progress(trace, index)),
            _ => self.file_progress(index),
        };
        Ok(progress.unwrap_or_default())
    }

    /// The next rows to read: those of the trace, else the newest open ones in the file.
    fn next_block(&mut self, index: &Index, database: &Database) -> Option<Block> {
        let size = block::rows_of(self.blocks, database.cache().len(), index.span_count());
        self.blocks = self.blocks.saturating_add(1);
        if let Some(asked) = &mut self.trace {
            let tests = places_of(&self.searches, |search| asked.texts.contains(&search.wanted));
            let rows = index.trace_rows(asked.trace);
            let is_open = |row: &u32| tests.iter().any(|at| self.searches.get(*at).is_some_and(|search| search.open.has(*row)));
            while asked.left > 0 {
                let start = asked.left.saturating_sub(size);
                let block: Vec<u32> = rows.get(start..asked.left).unwrap_or_default().iter().copied().filter(is_open).collect();
                if !block.is_empty() {
                    return Some(Block::new(block, tests, Some(start), index));
                }
                asked.left = start;
            }
        }
        if self.stopped {
            return None;
        }
        let tests = places_of(&self.searches, |search| search.active);
        let active = || tests.iter().filter_map(|at| self.searches.get(*at));
        let top = active().filter_map(|search| search.open.last()).max()?;
        let first = (top + 1).saturating_sub(u32::try_from(size).unwrap_or(u32::MAX));
        let rows = (first..=top).filter(|row| active().any(|search| search.open.has(*row))).collect();
        self.place = active().filter(|search| search.open.has(top)).map(|search| search.place).min().unwrap_or(u64::MAX);
        Some(Block::new(rows, tests, None, index))
    }

    /// Merges the results of a block.
    fn close(&mut self, block: Block) {
        if let (Some(left), Some(trace)) = (block.trace_left, &mut self.trace) {
            trace.left = left;
        }
        for (test, found) in block.tests.iter().zip(&block.found) {
            if let Some(search) = self.searches.get_mut(*test) {
                if block.trace_left.is_none() {
                    search.place = search.place.min(self.place);
                }
                found.iter().for_each(|row| search.yes.insert(*row));
                block.rows.iter().for_each(|row| search.open.remove(*row));
            }
        }
    }
}

fn places_of(searches: &[Search], is_one: impl Fn(&Search) -> bool) -> Vec<usize> {
    (0..searches.len()).filter(|at| searches.get(*at).is_some_and(&is_one)).collect()
}

fn text_of(wanted: &Wanted) -> Option<String> {
    match wanted {
        Wanted::Text(text) => Some(text.clone()),
        Wanted::Attribute(_) => None,
    }
}
