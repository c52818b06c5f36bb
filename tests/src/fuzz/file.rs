//! Reads a database like the page: open, newest rows, index, lists, traces, spans, long texts, a query.

use quipu::Session;
use quipu::protocol::{
    CallQueryApi, ExportConversation, Failure, GetFile, GetSheet, GetSpan, GetText, GetTrace, HitQuery, ListHits, ListTraces, NO_ROW,
    SheetQuery, TraceColumns, TraceOrder, TraceQuery, TraceScope, WarningKind,
};
use quipu::protocol::{SheetView, TraceTab};
use quipu::store::{MemorySource, NamedSource, OpenOptions};
use std::sync::OnceLock;
use std::time::Instant;

/// The names and contents of files opened together.
pub(super) type Files = Vec<(&'static str, Vec<u8>)>;

/// Maximum number of traces opened, and of spans per trace.
const TRACES: usize = 40;
const SPANS: usize = 24;
/// Maximum number of index steps; a fixture takes a few hundred steps of this length.
const STEPS: usize = 200_000;

/// How far a file could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Not at all, with a message.
    Refused,
    /// Partly, with a message.
    Stopped,
    /// Completely, with warnings about losses.
    Damaged,
    /// Completely.
    Whole,
}

/// Reads everything. Panics if an error is not a sentence, or if answers are missing or contradict each other.
pub(super) fn read_all(files: Files) -> Outcome {
    let sources = files.into_iter().map(|(name, bytes)| NamedSource { name: name.to_owned(), source: Box::new(MemorySource(bytes)) });
    let mut session = match Session::open(sources.collect(), OpenOptions::with_clock(milliseconds)) {
        Ok(session) => session,
        Err(failure) => {
            is_sentence(&failure);
            return Outcome::Refused;
        }
    };
    if let Some(page) = told(session.ask(list(TraceOrder::NEWEST, false))) {
        assert!(page.total.is_none(), "nobody can know how many traces there are yet");
    }
    let mut steps = 0;
    loop {
        // A few rows at a time, as between two messages.
        let mut looks = 0;
        let progress = session.step(&mut || {
            looks += 1;
            looks > 2
        });
        match progress {
            Ok(progress) if progress.done => break,
            Ok(_) => {}
            Err(failure) => {
                is_sentence(&failure);
                return Outcome::Stopped;
            }
        }
        steps += 1;
        assert!(steps < STEPS, "the index does not end");
    }
    let file = told(session.ask(GetFile));
    let page = told(session.ask(list(TraceOrder::NEWEST, false)));
    let slowest = told(session.ask(list(TraceOrder::SLOWEST, false)));
    let failed = told(session.ask(list(TraceOrder::NEWEST, true)));
    let Some(file) = file else { panic!("the file is not described") };
    assert!(file.indexed || file.traces.is_none(), "numbers of a file that is not indexed");
    let (Some(page), Some(slowest), Some(failed)) = (page, slowest, failed) else {
        panic!("an index that is complete does not list its traces")
    };
    assert_eq!((page.total, slowest.total), (file.traces.map(|count| count as u32), page.total), "lists have as many traces as the file");
    assert!(failed.total <= page.total, "more failed traces than traces");
    for row in page.rows.iter().take(TRACES) {
        let trace = GetTrace { trace_id: row.trace_id.clone(), scope: Default::default() };
        let Some(columns) = told(session.ask(trace)) else { continue };
        is_whole(&columns);
        for tab in TraceTab::ALL {
            let query = SheetQuery {
                trace_id: row.trace_id.clone(),
                tab,
                view: SheetView { whole_session: true, ..SheetView::default() },
                scope: TraceScope::default(),
                window: None,
                find: "a".to_owned(),
                span_id: columns.span_id.get(0),
                width: 800,
            };
            let _ = told(session.ask(GetSheet(query)));
        }
        let export = ExportConversation { trace_id: row.trace_id.clone(), whole_session: false };
        let _ = told(session.ask(export));
        assert_eq!(row.spans, Some(columns.len() as u32), "the list and the trace agree on the number of spans");
        for at in 0..columns.len().min(SPANS) {
            let Some(span_id) = columns.span_id.get(at) else { panic!("row {at} has no id") };
            read_span(&mut session, &row.trace_id, &span_id);
        }
    }
    let query = |method: &str, params: &str| CallQueryApi { method: method.to_owned(), params: params.to_owned(), now_seconds: None };
    let _ = told(session.ask(query("query_traces", r#"{"limit": 5, "order_by": ["-start_time"]}"#)));
    let _ = told(session.ask(query("query_spans", r#"{"attribute_filters": [], "attributes_to_return": ["input"]}"#)));
    let hits = HitQuery { filter: "\"hello\"".to_owned(), trace_id: None, offset: 0, limit: 10 };
    let _ = told(session.ask(ListHits(hits)));
    let damaged = file.warnings.iter().any(|warning| warning.kind == WarningKind::Corrupt);
    if damaged { Outcome::Damaged } else { Outcome::Whole }
}

fn read_span(session: &mut Session, trace_id: &str, span_id: &str) {
    let question = GetSpan { trace_id: trace_id.to_owned(), span_id: span_id.to_owned() };
    let Some(span) = told(session.ask(question)) else { return };
    assert!(span.events.len() <= span.event_count as usize, "more events than there are");
    for attribute in span.attributes.iter().filter(|attribute| !attribute.text.complete).take(3) {
        if let Some(text) = told(session.ask(GetText(attribute.text_ref.clone()))) {
            assert!(text.starts_with(attribute.text.raw.as_str()), "the head of {} is not its beginning", attribute.key);
        }
    }
}

/// Checks that columns have the same length and row numbers are valid.
fn is_whole(columns: &TraceColumns) {
    let rows = columns.len();
    let lengths = [
        columns.name.len(),
        columns.parent.len(),
        columns.depth.len(),
        columns.subtree.len(),
        columns.start_nanos.len(),
        columns.duration.len(),
        columns.flags.len(),
        columns.kind.len(),
    ];
    assert!(lengths.iter().all(|length| *length == rows), "{rows} rows, columns of {lengths:?}");
    for row in 0..rows {
        let (parent, depth, subtree) = (columns.parent[row], columns.depth[row], columns.subtree[row] as usize);
        assert!((1..=rows - row).contains(&subtree), "the subtree of row {row} has {subtree} of {rows} rows");
        match parent {
            NO_ROW => assert_eq!(depth, 0, "row {row} has no parent"),
            parent => {
                let parent = parent as usize;
                assert!(parent < row, "the parent of row {row} stands behind it");
                assert_eq!(depth, columns.depth[parent] + 1, "row {row} is one below its parent");
                assert!(row < parent + columns.subtree[parent] as usize, "row {row} is outside its parent's subtree");
            }
        }
    }
    for row in columns.failed_rows.iter().copied().chain(columns.tokens.iter().map(|(row, _)| *row)) {
        assert!((row as usize) < rows, "there is no row {row}");
    }
}

fn list(order: TraceOrder, failed_only: bool) -> ListTraces {
    ListTraces(TraceQuery { order, failed_only, limit: 1_000, ..TraceQuery::default() })
}

/// The answer; a failure must be a sentence.
fn told<A>(answer: Result<A, Failure>) -> Option<A> {
    match answer {
        Ok(answer) => Some(answer),
        Err(failure) => {
            is_sentence(&failure);
            None
        }
    }
}

fn is_sentence(failure: &Failure) {
    let text = &failure.message;
    assert!(text.contains(' ') && text.ends_with(['.', '?']), "no sentence: {text:?}");
}

fn milliseconds() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{inputs, mutate};
    use crate::random::Random;

    #[test]
    fn a_whole_file_is_read_whole_and_broken_ones_get_anywhere_between() {
        assert_eq!(read_all(mutate::broken(&[])), Outcome::Whole);
        let outcomes: Vec<Outcome> = (0..120).map(|seed| read_all(mutate::broken(&inputs::bytes(&mut Random::new(seed))))).collect();
        let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
        // If all inputs were refused, only the header would be tested.
        assert!(count(Outcome::Refused) < 60, "{} of 120 refused", count(Outcome::Refused));
        assert!(count(Outcome::Damaged) > 20, "{} of 120 damaged", count(Outcome::Damaged));
        assert!(count(Outcome::Whole) > 5, "{} of 120 whole", count(Outcome::Whole));
    }
}
