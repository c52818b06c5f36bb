//! Opening files, one and several, and answers that arrive too late.

use crate::fake::{Call, failure, file, page, page_with, summary};
use quipu_protocol::address::{Sample, Source};
use quipu_protocol::{FailureKind, Importing, IndexProgress, Notification};
use quipu_web_actions::{Page, Remedy, cancel_import, close, current, follow_served, on_event, open};
use reactive_graph::prelude::*;
use std::cell::Cell;
use std::rc::Rc;

#[test]
fn an_opened_file_is_shown_and_enters_the_address() {
    let page = page();
    let source = file("agent.db", 10);
    open(page, source.clone(), vec![1]);
    assert_eq!(page.file(), "opening agent.db");
    // The rows are requested before the file has been opened.
    assert_eq!(page.take_calls(), [Call::ResetLists, Call::Open(source.clone()), Call::RequestFirstRows]);

    page.answer(0, Ok(summary("agent.db", false)));
    assert_eq!(page.file(), "open agent.db");
    assert_eq!(page.take_calls(), [Call::EnterSource { source: source.clone(), was_empty: true }]);
    assert_eq!(page.signals().opened.get_untracked(), Some(source.clone()));
    assert!(page.signals().progress.get_untracked().is_some(), "the index runs");
    assert_eq!(page.known(&source), Some((source, vec![1])));
}

#[test]
fn a_file_that_is_indexed_already_shows_no_progress() {
    let page = page();
    open(page, Source::Sample(Sample::ALL[0]), vec![1]);
    page.answer(0, Ok(summary("sample.db", true)));
    assert!(page.signals().progress.get_untracked().is_none());
}

#[test]
fn a_file_that_cannot_be_opened_is_forgotten() {
    let page = page();
    let source = file("notes.txt", 10);
    open(page, source.clone(), vec![1]);
    page.answer(0, Err(failure(FailureKind::Internal, "notes.txt is not a telemetry file.")));
    assert_eq!(page.file(), "");
    assert_eq!(page.alert_text(), "notes.txt is not a telemetry file.");
    assert_eq!(page.remedy(), Some(Remedy::Dismiss));
    assert_eq!(page.known(&source), None, "the Back button would lead to it");
}

#[test]
fn a_second_file_wins_over_the_first_that_still_loads() {
    let page = page();
    let second = file("second.db", 20);
    open(page, file("first.db", 10), vec![1]);
    open(page, second.clone(), vec![2]);
    page.take_calls();

    page.answer(0, Ok(summary("first.db", true)));
    assert_eq!(page.file(), "opening second.db");
    assert_eq!(page.take_calls(), []);

    page.answer(1, Ok(summary("second.db", true)));
    assert_eq!(page.file(), "open second.db");
    assert_eq!(page.signals().opened.get_untracked(), Some(second));
}

#[test]
fn a_failure_of_the_first_file_does_not_close_the_second() {
    let page = page();
    open(page, file("first.db", 10), vec![1]);
    open(page, file("second.db", 20), vec![2]);
    page.answer(1, Ok(summary("second.db", true)));
    page.answer(0, Err(failure(FailureKind::Internal, "first.db cannot be read.")));
    assert_eq!(page.file(), "open second.db");
    assert_eq!(page.alert_text(), "");
}

#[test]
fn an_import_is_ended_by_a_new_worker_when_another_file_is_opened() {
    let page = page();
    open(page, file("spans.json", 10), vec![1]);
    on_event(page, Notification::Importing(Importing::default()));
    page.take_calls();
    open(page, file("agent.db", 20), vec![2]);
    // A worker that imports handles no message before it is done.
    assert_eq!(page.take_calls()[..2], [Call::Stop, Call::WarmUp]);
    assert!(page.signals().importing.get_untracked().is_none());
}

#[test]
fn a_cancelled_import_reopens_the_file_that_was_open() {
    let before = file("agent.db", 10);
    let page = page_with(&before);
    open(page, file("spans.json", 20), vec![2]);
    on_event(page, Notification::Importing(Importing::default()));
    page.take_calls();
    cancel_import(page);
    assert!(page.take_calls().contains(&Call::Open(before)));
    assert_eq!(page.file(), "opening agent.db");
}

#[test]
fn an_answer_that_arrives_too_late_is_dropped() {
    let page = page_with(&file("agent.db", 10));
    let taken = Rc::new(Cell::new(0));
    let ask = || {
        let taken = taken.clone();
        current(page, move |_: Result<(), _>| taken.set(taken.get() + 1))
    };
    let (in_time, late, changed) = (ask(), ask(), ask());
    in_time(Ok(()));
    assert_eq!(taken.get(), 1);
    open(page, file("other.db", 20), vec![2]);
    late(Ok(()));
    changed(Err(failure(FailureKind::FileChanged, "agent.db has changed.")));
    assert_eq!(taken.get(), 1);
    assert_eq!(page.stale(), None, "the report is about the file that was open before");
}

#[test]
fn an_answer_after_the_file_was_closed_is_dropped() {
    let page = page();
    open(page, file("agent.db", 10), vec![1]);
    close(page);
    page.answer(0, Ok(summary("agent.db", true)));
    assert_eq!(page.file(), "");
    assert_eq!(page.signals().opened.get_untracked(), None);
}

#[test]
fn reports_before_the_file_is_open_are_about_the_one_before() {
    let page = page_with(&file("agent.db", 10));
    open(page, file("other.db", 20), vec![2]);
    page.take_calls();
    on_event(page, Notification::Progress(IndexProgress { done: true, ..IndexProgress::default() }));
    on_event(page, Notification::IndexStopped(failure(FailureKind::FileChanged, "agent.db has changed.")));
    assert_eq!(page.take_calls(), []);
    assert_eq!(page.stale(), None);
    assert!(page.signals().index_stopped.get_untracked().is_none());
}

#[test]
fn the_complete_index_requests_the_summary_and_the_lists_again() {
    let page = page_with(&file("agent.db", 10));
    on_event(page, Notification::Progress(IndexProgress::default()));
    assert!(page.signals().progress.get_untracked().is_some());
    on_event(page, Notification::Progress(IndexProgress { done: true, ..IndexProgress::default() }));
    assert!(page.signals().progress.get_untracked().is_none());
    assert_eq!(page.take_calls(), [Call::GetFile, Call::RefreshLists]);
    page.answer(1, Ok(summary("agent.db", true)));
    assert_eq!(page.signals().indexed.get_untracked(), 1);
}

#[test]
fn a_newer_edition_replaces_the_served_file_without_closing_it() {
    let page = page_with(&file("agent.db", 10));
    follow_served(page);
    assert_eq!(page.file(), "open agent.db");
    assert_eq!(page.take_calls(), [Call::OpenServed, Call::RefreshLists]);
    page.answer(1, Ok(summary("agent.db", true)));
    assert_eq!(page.signals().generation.get_untracked(), 1);
}

#[test]
fn an_edition_that_arrives_after_another_file_was_opened_is_dropped() {
    let page = page_with(&file("agent.db", 10));
    follow_served(page);
    open(page, file("other.db", 20), vec![2]);
    page.answer(1, Ok(summary("agent.db", true)));
    assert_eq!(page.file(), "opening other.db");
    assert_eq!(page.signals().generation.get_untracked(), 0);
}
