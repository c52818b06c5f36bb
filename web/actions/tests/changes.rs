//! The file changes, and searches report.

use crate::fake::{Call, failure, file, page_with, summary};
use quipu_protocol::{FailureKind, Notification, SearchProgress, SearchState};
use quipu_web_actions::{Page, current, forget_search, on_event, open};
use reactive_graph::prelude::*;

#[test]
fn the_first_report_of_a_changed_file_stays() {
    let page = page_with(&file("agent.db", 10));
    let ask = || current(page, |_: Result<(), _>| {});
    let (first, second) = (ask(), ask());
    first(Err(failure(FailureKind::FileChanged, "agent.db has grown.")));
    second(Err(failure(FailureKind::FileChanged, "agent.db cannot be read.")));
    assert!(page.stale().is_some_and(|text| text.starts_with("agent.db has grown.")));
    assert_eq!(page.file(), "open agent.db");
    assert_eq!(page.remedy(), None);
}

#[test]
fn other_failures_are_left_to_who_asked() {
    let page = page_with(&file("agent.db", 10));
    current(page, |_: Result<(), _>| {})(Err(failure(FailureKind::Internal, "No.")));
    assert_eq!(page.stale(), None);
}

#[test]
fn addresses_of_the_earlier_size_lead_to_the_file_after_it_grew() {
    let (before, after) = (file("agent.db", 10), file("agent.db", 20));
    let page = page_with(&before);
    on_event(page, Notification::IndexStopped(failure(FailureKind::FileChanged, "agent.db has grown.")));
    assert!(page.stale().is_some());
    open(page, after.clone(), vec![2]);
    assert_eq!(page.stale(), None);
    page.answer(1, Ok(summary("agent.db", true)));
    assert_eq!(page.known(&before), Some((after, vec![2])));
}

#[test]
fn an_unchanged_file_of_the_same_name_stays_known() {
    let (one, other) = (file("agent.db", 10), file("agent.db", 20));
    let page = page_with(&one);
    open(page, other, vec![2]);
    page.answer(1, Ok(summary("agent.db", true)));
    assert_eq!(page.known(&one), Some((one, vec![1])));
}

#[test]
fn a_search_for_another_filter_is_dropped() {
    let page = page_with(&file("agent.db", 10));
    on_event(page, Notification::Searching(progress("bomb", None, SearchState::Running)));
    assert_eq!(page.take_calls(), []);
    page.signals().view.update(|view| view.list.filter = "bomb".into());
    on_event(page, Notification::Searching(progress("bomb", None, SearchState::Running)));
    assert_eq!(page.take_calls(), [Call::LookAgain { last: false }]);
    on_event(page, Notification::Searching(progress("bomb", None, SearchState::Done)));
    assert_eq!(page.take_calls(), [Call::LookAgain { last: true }]);
}

#[test]
fn a_search_in_a_trace_does_not_touch_the_lists() {
    let page = page_with(&file("agent.db", 10));
    on_event(page, Notification::Searching(progress("", Some("t1"), SearchState::Running)));
    assert_eq!(page.take_calls(), []);
    assert!(page.signals().trace_search.get_untracked().is_some());
}

#[test]
fn a_search_is_stopped_only_while_it_runs() {
    let page = page_with(&file("agent.db", 10));
    for (state, calls) in [(SearchState::Running, vec![Call::StopSearching]), (SearchState::Done, Vec::new())] {
        page.signals().search.set(Some(progress("", None, state)));
        forget_search(page, true);
        assert_eq!(page.take_calls(), calls);
        assert!(page.signals().search.get_untracked().is_none());
    }
}

fn progress(filter: &str, trace_id: Option<&str>, state: SearchState) -> SearchProgress {
    SearchProgress {
        filter: filter.into(),
        texts: Vec::new(),
        trace_id: trace_id.map(Into::into),
        spans: 0,
        spans_expected: 0,
        bytes: 0,
        hits: 0,
        elapsed_ms: 0.0,
        state,
    }
}
