//! Reports of the worker: progress of the index, of an import and of a search; growth of the served file.

use crate::page::Opened;
use crate::{FileState, Page, Worker, current, note_stale};
use quipu_protocol::{FailureKind, Notification, SearchProgress, SearchState};
use reactive_graph::prelude::*;
use std::sync::Arc;

/// The worker reported something without being asked.
pub fn on_event<P: Page>(page: P, event: Notification) {
    let signals = page.signals();
    match event {
        Notification::Importing(progress) => signals.importing.set(Some(progress)),
        // Before the file is open, and when none is, a report is about the file that was open before.
        _ if !signals.is_open() => {}
        Notification::Progress(progress) => {
            if progress.done {
                signals.progress.set(None);
                refresh_summary(page);
            } else {
                signals.progress.set(Some(progress));
            }
        }
        Notification::IndexStopped(failure) => {
            signals.progress.set(None);
            signals.index_stopped.set(Some(failure.message.clone()));
            if failure.kind == FailureKind::FileChanged {
                note_stale(signals, &failure);
            } else {
                signals.warn(failure.message);
            }
        }
        Notification::Searching(progress) => on_search(page, progress),
        Notification::Grown(grown) => signals.grown.set(Some(grown)),
        _ => {}
    }
}

/// A search moved on, and the lists that it fills look again. A search in one trace belongs to the trace. A report about an earlier filter
/// is dropped: the worker had not heard of the new one yet.
pub fn on_search<P: Page>(page: P, progress: SearchProgress) {
    let signals = page.signals();
    if progress.trace_id.is_some() {
        return signals.trace_search.set(Some(progress));
    }
    if signals.view.with_untracked(|view| view.list.filter != progress.filter) {
        return;
    }
    let last = progress.state != SearchState::Running;
    signals.search.set(Some(progress));
    page.look_again(last);
}

/// The filter changed. `stop`: the search that runs is of no use for the new one.
pub fn forget_search<P: Page>(page: P, stop: bool) {
    let signals = page.signals();
    let runs = signals.search.with_untracked(|search| search.as_ref().is_some_and(|search| search.state == SearchState::Running));
    if stop && runs {
        page.worker().stop_searching(current(page, |_| {}));
    }
    signals.search.set(None);
}

/// The index is complete, or the prices changed: the summary and the lists are requested again.
pub fn refresh_summary<P: Page>(page: P) {
    let signals = page.signals();
    page.worker().get_file(current(page, move |answer: Opened| {
        match answer {
            Ok(summary) => signals.file.set(FileState::Open(Arc::new(summary))),
            Err(failure) => signals.warn(failure.message),
        }
        signals.indexed.update(|times| *times += 1);
    }));
    page.refresh_lists();
}
