//! The worker exits.

use crate::fake::{Call, Fake, failure, file, page, page_with, summary};
use quipu_protocol::FailureKind;
use quipu_protocol::address::Source;
use quipu_web_actions::{Alert, Page, RESTART_MS, Remedy, WorkerExit, current, on_worker_exit, open, restart};
use reactive_graph::prelude::*;

fn stop(page: Fake) {
    on_worker_exit(page, WorkerExit::Stopped(" (it was ended)".into()));
}

#[test]
fn the_first_exit_is_followed_by_a_restart_and_what_is_shown_stays() {
    let source = file("agent.db", 10);
    let page = page_with(&source);
    let epoch = page.signals().epoch.get_untracked();
    stop(page);
    assert_eq!(page.take_calls(), [Call::Stop, Call::Open(source), Call::RequestMissingRows]);
    assert_eq!(page.file(), "open agent.db");
    assert_eq!(page.remedy(), Some(Remedy::Dismiss));
    assert!(page.alert_text().contains("agent.db stopped (it was ended). It was restarted"), "{}", page.alert_text());
    assert_eq!(page.signals().epoch.get_untracked(), epoch + 1);

    page.answer(1, Ok(summary("agent.db", false)));
    assert_eq!(page.file(), "open agent.db");
    assert_eq!(page.take_calls(), [], "the address has the file already");
}

#[test]
fn a_second_exit_within_a_minute_asks_the_reader() {
    let page = page_with(&file("agent.db", 10));
    stop(page);
    page.take_calls();
    page.pass_ms(RESTART_MS - 1.0);
    stop(page);
    assert_eq!(page.take_calls(), [], "no worker is started");
    assert_eq!(page.remedy(), Some(Remedy::Restart));
    assert_eq!(page.file(), "open agent.db");
}

#[test]
fn a_second_exit_after_a_minute_is_followed_by_a_restart() {
    let page = page_with(&file("agent.db", 10));
    stop(page);
    page.take_calls();
    page.pass_ms(RESTART_MS);
    stop(page);
    assert_eq!(page.take_calls()[0], Call::Stop);
    assert_eq!(page.remedy(), Some(Remedy::Dismiss));
}

#[test]
fn answers_from_before_the_restart_are_dropped() {
    let page = page_with(&file("agent.db", 10));
    let before = current(page, |_: Result<(), _>| panic!("the epoch is over"));
    stop(page);
    before(Ok(()));
}

#[test]
fn a_file_that_changed_before_the_restart_stays_on_screen() {
    let page = page_with(&file("agent.db", 10));
    stop(page);
    page.answer(1, Err(failure(FailureKind::FileChanged, "agent.db has changed.")));
    assert_eq!(page.file(), "open agent.db");
    assert!(page.stale().is_some_and(|text| text.starts_with("agent.db has changed.")));
    assert!(page.signals().progress.get_untracked().is_none());
}

#[test]
fn a_file_that_cannot_be_opened_after_the_restart_is_closed() {
    let page = page_with(&file("agent.db", 10));
    stop(page);
    page.answer(1, Err(failure(FailureKind::Internal, "agent.db cannot be read.")));
    assert_eq!(page.file(), "");
    assert_eq!(page.alert_text(), "agent.db cannot be read.");
}

#[test]
fn an_exit_without_a_file_only_starts_a_worker() {
    let page = page();
    stop(page);
    assert_eq!(page.take_calls(), [Call::WarmUp]);
    assert_eq!(page.remedy(), None);
    // It does not run here at all.
    stop(page);
    assert_eq!(page.take_calls(), []);
    assert_eq!(page.remedy(), Some(Remedy::Restart));
}

#[test]
fn an_exit_while_the_first_file_is_opened_closes_it() {
    let page = page();
    open(page, file("agent.db", 10), vec![1]);
    stop(page);
    assert_eq!(page.file(), "");
    assert_eq!(page.remedy(), Some(Remedy::Restart));
}

#[test]
fn an_exit_for_lack_of_memory_is_not_followed_by_a_restart() {
    let page = page_with(&file("agent.db", 10));
    on_worker_exit(page, WorkerExit::OutOfMemory);
    assert_eq!(page.take_calls(), []);
    assert_eq!(page.remedy(), Some(Remedy::Restart));
    assert!(page.alert_text().contains("out of memory while it read agent.db ("), "{}", page.alert_text());
}

#[test]
fn the_content_of_a_link_is_opened_from_the_start() {
    let source = Source::Link { letters: "abc".into(), key: None };
    let page = page_with(&source);
    restart(page);
    assert_eq!(page.take_calls(), [Call::Stop, Call::ResetLists, Call::Open(source), Call::RequestFirstRows]);
}

#[test]
fn a_restart_without_a_file_follows_the_address() {
    let page = page();
    restart(page);
    assert_eq!(page.take_calls(), [Call::Stop, Call::ResetLists, Call::WarmUp, Call::FollowAddress]);
}

#[test]
fn only_a_reload_settles_an_alert_about_different_builds() {
    let page = page();
    page.signals().alert.set(Some(Alert { text: "Reload.".into(), remedy: Remedy::Reload }));
    open(page, file("agent.db", 10), vec![1]);
    assert_eq!(page.remedy(), Some(Remedy::Reload));
}
