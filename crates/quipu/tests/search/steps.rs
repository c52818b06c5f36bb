//! A search in progress: partial results, pausing and resuming, precedence, and a file that changes.

use super::*;
use quipu::protocol::{Failure, FailureKind, GetSpan, SearchState};
use quipu::store::{ByteSource, SourceError};
use std::cell::Cell;
use std::rc::Rc;

const FILE: &str = "samples/metrics_0.2.23.db";

#[test]
fn hits_come_newest_first_and_only_grow() {
    let mut session = open(FILE);
    let mut seen: Vec<String> = hits_so_far(&mut session, "inference", None);
    assert_eq!(seen, [""; 0]);
    assert_eq!(page(&mut session, "inference", None, 0).total, None);
    let mut steps = 0;
    let mut last = 0;
    while session.has_search() {
        let progress = session.search_step(&mut || true).expect("something is searched");
        assert!(progress.spans >= last && progress.spans <= progress.spans_expected);
        last = progress.spans;
        let now = hits_so_far(&mut session, "inference", None);
        assert_eq!(now.get(..seen.len()), Some(seen.as_slice()), "listed rows keep their positions");
        assert_eq!(progress.hits, now.len() as u64);
        seen = now;
        steps += 1;
    }
    assert!(steps > 20, "{steps}");
    let progress = session.search_step(&mut || true).expect("something was searched");
    assert_eq!((progress.state, progress.spans), (SearchState::Done, progress.spans_expected));
    assert!(progress.bytes > 0 && progress.texts == ["inference"] && progress.trace_id.is_none());
    // Rows ascend in the order they were written, and hits are listed from the last to the first.
    let connection = rusqlite::Connection::open_with_flags(path(FILE), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("it opens");
    let rowid = |id: &String| -> i64 {
        connection.query_row("SELECT rowid FROM spans WHERE span_id = ?1", [id], |row| row.get(0)).expect("it is there")
    };
    let rowids: Vec<i64> = seen.iter().map(rowid).collect();
    assert!(rowids.is_sorted_by(|one, next| one > next));
    assert_eq!(seen, hits(&mut open(FILE), "inference"));
}

#[test]
fn a_search_pauses_at_once_and_resumes() {
    let mut session = open(FILE);
    assert_eq!(set_searching(&mut session, false), None);
    page(&mut session, "inference", None, 0);
    session.search_step(&mut || true);
    let stopped = set_searching(&mut session, false).expect("it was searched");
    assert_eq!(stopped.state, SearchState::Stopped);
    assert!(!session.has_search());
    let found = hits_so_far(&mut session, "inference", None);
    assert_eq!(session.search_step(&mut || false).map(|progress| progress.spans), Some(stopped.spans));
    assert_eq!(hits_so_far(&mut session, "inference", None), found, "asking for the list does not start it again");
    assert_eq!(set_searching(&mut session, true).map(|progress| progress.state), Some(SearchState::Running));
    session.run_search().expect("the file is readable");
    assert_eq!(hits_so_far(&mut session, "inference", None), hits(&mut open(FILE), "inference"));
}

#[test]
fn going_back_to_a_text_reads_nothing_again() {
    let mut session = open(FILE);
    let first = hits(&mut session, "inference");
    page(&mut session, "weather", None, 0);
    session.search_step(&mut || true);
    assert!(session.has_search());
    page(&mut session, "inference", None, 0);
    assert!(!session.has_search());
    assert_eq!(hits_so_far(&mut session, "inference", None), first);
    // A search that was interrupted resumes where it was.
    page(&mut session, "weather", None, 0);
    assert!(session.has_search());
    assert_eq!(hits(&mut session, "weather"), hits(&mut open(FILE), "weather"));
    for number in 0..30 {
        hits(&mut session, &format!("other {number}"));
    }
    assert_eq!(hits(&mut session, "inference"), first, "evicted results are searched again");
}

#[test]
fn a_trace_is_searched_before_the_file() {
    let mut session = open(FILE);
    let everywhere = hits(&mut session, "inference");
    let oldest = page(&mut session, "inference", None, everywhere.len() as u32 - 1).hits.remove(0);
    let mut session = open(FILE);
    page(&mut session, "inference", None, 0);
    session.search_step(&mut || true);
    let before = page(&mut session, "inference", Some(&oldest.trace_id), 0);
    assert_eq!(before.total, None);
    let mut last = None;
    while page(&mut session, "inference", Some(&oldest.trace_id), 0).total.is_none() {
        last = session.search_step(&mut || true);
    }
    let last = last.expect("a step");
    assert_eq!((last.trace_id.as_deref(), last.state), (Some(oldest.trace_id.as_str()), SearchState::Done));
    let found = hits_so_far(&mut session, "inference", Some(&oldest.trace_id));
    assert_eq!((found.len() as u64, last.spans), (last.hits, last.spans_expected));
    assert!(session.has_search(), "then the search through the file continues");
    session.run_search().expect("the file is readable");
    assert_eq!(hits_so_far(&mut session, "inference", None), everywhere);
    let in_trace = |id: &String| page_of(&mut session, id, &oldest.trace_id);
    let expected: Vec<String> = everywhere.iter().filter(|id| found.contains(id)).cloned().collect();
    assert_eq!(found, expected);
    assert_eq!(everywhere.iter().map(in_trace).filter(|is| *is).count(), found.len());
}

#[test]
fn a_stopped_search_through_the_file_stays_so_while_a_trace_is_searched() {
    let mut session = open(FILE);
    let trace_id = page_of_oldest(&mut session);
    let mut session = open(FILE);
    page(&mut session, "inference", None, 0);
    session.search_step(&mut || true);
    let stopped = set_searching(&mut session, false).expect("it was searched");
    assert_eq!(page(&mut session, "inference", Some(&trace_id), 0).total, None);
    assert!(session.has_search(), "the trace is still searched");
    let progress = session.search_step(&mut || true).expect("the trace is searched");
    assert!(matches!(progress.state, SearchState::Running | SearchState::Done) && progress.trace_id.is_some());
    session.run_search().expect("the file is readable");
    assert!(page(&mut session, "inference", Some(&trace_id), 0).total.is_some_and(|total| total > 0));
    assert!(!session.has_search(), "the search through the file does not continue");
    let still = set_searching(&mut session, false).expect("it was searched");
    assert_eq!((still.state, still.trace_id), (SearchState::Stopped, None));
    assert!(still.spans < still.spans_expected && still.spans >= stopped.spans);
    assert!(page(&mut session, "inference", None, 0).total.is_none());
    // Pausing does not interrupt a search in a trace.
    page(&mut session, "weather", Some(&trace_id), 0);
    set_searching(&mut session, false);
    session.run_search().expect("the file is readable");
    assert!(page(&mut session, "weather", Some(&trace_id), 0).total.is_some());
}

/// The trace of the oldest span that holds “inference”.
fn page_of_oldest(session: &mut Session) -> String {
    let count = hits(session, "inference").len() as u32;
    page(session, "inference", None, count - 1).hits.remove(0).trace_id
}

#[test]
fn progress_names_the_filter_it_belongs_to() {
    let mut session = open(FILE);
    let trace_id = page_of_oldest(&mut session);
    let mut session = open(FILE);
    page(&mut session, "inference", None, 0);
    let filter = |session: &mut Session| session.search_step(&mut || true).map(|progress| progress.filter);
    assert_eq!(filter(&mut session).as_deref(), Some("\"inference\""));
    page(&mut session, "weather", Some(&trace_id), 0);
    assert_eq!(filter(&mut session).as_deref(), Some(""), "a search in a trace does not fill the list");
}

#[test]
fn more_texts_than_answers_are_kept_are_found_in_a_trace() {
    let mut session = open(FILE);
    let trace_id = page_of_oldest(&mut session);
    let alone = hits_so_far(&mut session, "inference", Some(&trace_id));
    assert!(!alone.is_empty());
    let mut session = open(FILE);
    let others: Vec<String> = (0..30).map(|number| format!(" OR \"no such text {number}\"")).collect();
    let query = HitQuery { filter: format!("\"inference\"{}", others.concat()), trace_id: Some(trace_id), offset: 0, limit: 200 };
    session.ask(ListHits(query.clone())).expect("a list");
    session.run_search().expect("the file is readable");
    let page = session.ask(ListHits(query)).expect("a list");
    assert_eq!((page.total, page.hits.len()), (Some(alone.len() as u32), alone.len().min(200)));
}

/// Whether a span belongs to a trace.
fn page_of(session: &mut Session, span_id: &str, trace_id: &str) -> bool {
    session.ask(GetSpan { trace_id: trace_id.into(), span_id: span_id.into() }).is_ok()
}

#[test]
fn invalid_requests_get_an_error_message() {
    let mut session = open(FILE);
    let mut ask = |filter: &str, trace_id: Option<&str>| {
        let query = HitQuery { filter: filter.into(), trace_id: trace_id.map(str::to_owned), offset: 0, limit: 10 };
        session.ask(ListHits(query)).expect_err("it makes no sense")
    };
    assert_eq!(ask("", None).kind, FailureKind::BadRequest);
    assert!(ask("", None).message.contains("in quotes"));
    assert_eq!(ask("\"a\"", Some("nowhere")).kind, FailureKind::NotFound);
    let file = NamedSource { name: "some.db".into(), source: Box::new(MemorySource(bytes_of(FILE))) };
    let mut session = Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("a real file opens");
    let query = HitQuery { filter: "\"a\"".into(), trace_id: None, offset: 0, limit: 10 };
    assert_eq!(session.ask(ListHits(query)), Err(Failure::not_indexed_yet()));
    assert!(!session.has_search());
}

/// A source that becomes unreadable when told so.
struct Vanishing {
    bytes: Vec<u8>,
    is_gone: Rc<Cell<bool>>,
}

impl ByteSource for Vanishing {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_into(&self, offset: u64, parts: &mut [&mut [u8]]) -> Result<(), SourceError> {
        if self.is_gone.get() { Err(SourceError::Changed) } else { MemorySource(self.bytes.clone()).read_into(offset, parts) }
    }
}

#[test]
fn a_file_that_changed_ends_the_search_with_an_error() {
    let is_gone = Rc::new(Cell::new(false));
    let source = Vanishing { bytes: bytes_of(FILE), is_gone: is_gone.clone() };
    let file = NamedSource { name: "some.db".into(), source: Box::new(source) };
    let mut session = Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("a real file opens");
    while !session.step(&mut || false).expect("a real file is read").done {}
    is_gone.set(true);
    page(&mut session, "inference", None, 0);
    while session.has_search() {
        session.search_step(&mut || true);
    }
    let Some(SearchState::Failed(failure)) = session.search_step(&mut || true).map(|progress| progress.state) else { panic!("it failed") };
    assert_eq!(failure.kind, FailureKind::FileChanged);
    assert_eq!(session.run_search(), Err(failure));
    assert!(!session.has_search());
    // Another search reports the failure again, instead of waiting for ever.
    page(&mut session, "weather", None, 0);
    assert!(session.has_search());
    assert!(matches!(session.search_step(&mut || false).map(|progress| progress.state), Some(SearchState::Failed(_))));
    // The search continues when the file can be read again.
    is_gone.set(false);
    assert_eq!(hits(&mut session, "inference"), hits(&mut open(FILE), "inference"));
}
