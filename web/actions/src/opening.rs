//! Opens files, closes them, and opens them again in a new worker.

use crate::page::Opened;
use crate::signals::settle_alert;
use crate::{FileState, Page, Worker, note_stale, same_name};
use quipu_protocol::address::Source;
use quipu_protocol::{FailureKind, IndexProgress};
use reactive_graph::prelude::*;
use std::sync::Arc;

/// Opens `files` as `source`. The view stays where it is if it belongs to this source; otherwise the list of traces is shown.
pub fn open<P: Page>(page: P, source: Source, files: Vec<P::File>) {
    let signals = page.signals();
    let name = page.opening_name(&source, &files);
    let before = signals.opened.get_untracked();
    let again = signals.stale.with_untracked(Option::is_some);
    let epoch = forget_loaded(page);
    settle_alert(signals);
    signals.file.set(FileState::Opening { name, fetched: true });
    page.with_files(|known| known.remember(source.clone(), files.clone()));
    let opening = source.clone();
    page.worker().open(&opening, &files, move |answer| {
        if !signals.is_at(epoch) {
            return;
        }
        signals.importing.set(None);
        on_opened(page, source, before, again, answer);
    });
    // Asked right away: the rows then arrive as soon as the file is open.
    page.request_first_rows();
}

/// The worker answered. `before` was open, and had changed on disk when `again` is set.
fn on_opened<P: Page>(page: P, source: Source, before: Option<Source>, again: bool, answer: Opened) {
    let signals = page.signals();
    match answer {
        Ok(summary) => {
            let done = summary.indexed;
            let was_empty = before.is_none();
            if again && let Some(before) = before.filter(|before| *before != source && same_name(before, &source)) {
                // The file can't be read any more at its earlier size.
                page.with_files(|known| {
                    known.forget(&before);
                    known.take_for(before, source.clone());
                });
            }
            signals.opened.set(Some(source.clone()));
            signals.file.set(FileState::Open(Arc::new(summary)));
            if !done && signals.progress.with_untracked(Option::is_none) {
                signals.progress.set(Some(IndexProgress::default()));
            }
            page.enter_source(source, was_empty);
        }
        Err(failure) => {
            // The Back button must not lead to what can't be opened.
            page.with_files(|known| known.forget(&source));
            cannot_open(page, failure.message);
        }
    }
}

/// Closes the file, and says why nothing could be opened.
pub fn cannot_open<P: Page>(page: P, text: String) {
    close(page);
    page.signals().warn(text);
}

/// Closes the file.
pub fn close<P: Page>(page: P) {
    forget_loaded(page);
    let signals = page.signals();
    signals.opened.set(None);
    signals.file.set(FileState::None);
}

/// Cancels an import, and reopens the file that was open before. A second cancellation leaves no file open.
pub fn cancel_import<P: Page>(page: P) {
    let before = page.signals().opened.get_untracked().and_then(|source| page.with_files(|known| known.known(&source)));
    close(page);
    if let Some((source, files)) = before {
        open(page, source, files);
    }
}

/// Forgets what was loaded from the open file, and answers that are under way. Returns the new epoch.
pub fn forget_loaded<P: Page>(page: P) -> u32 {
    let signals = page.signals();
    signals.epoch.update(|epoch| *epoch += 1);
    if signals.importing.with_untracked(Option::is_some) {
        // The worker handles no message before it has imported everything.
        signals.importing.set(None);
        page.worker().stop();
        page.worker().warm_up();
    }
    signals.progress.set(None);
    signals.stale.set(None);
    signals.grown.set(None);
    signals.index_stopped.set(None);
    signals.search.set(None);
    signals.trace_search.set(None);
    page.reset_lists();
    signals.epoch.get_untracked()
}

/// Opens the open file in a new worker. What is shown stays, and unanswered questions are asked again.
pub fn restart<P: Page>(page: P) {
    let signals = page.signals();
    page.worker().stop();
    let known = signals.opened.get_untracked().and_then(|source| page.with_files(|known| known.known(&source)));
    match known {
        // The content of a link is small: it is opened from the start.
        Some((source, files)) if signals.is_open() && !matches!(source, Source::Link { .. }) => {
            settle_alert(signals);
            resume(page, &source, &files);
        }
        Some((source, files)) => open(page, source, files),
        None => {
            settle_alert(signals);
            close(page);
            page.worker().warm_up();
            page.follow_address();
        }
    }
}

fn resume<P: Page>(page: P, source: &Source, files: &[P::File]) {
    let signals = page.signals();
    let epoch = signals.next_epoch();
    signals.index_stopped.set(None);
    signals.progress.set(Some(IndexProgress::default()));
    page.worker().open(source, files, move |answer| {
        if !signals.is_at(epoch) {
            return;
        }
        signals.importing.set(None);
        match answer {
            Ok(_) => {}
            Err(failure) if failure.kind == FailureKind::FileChanged => {
                signals.progress.set(None);
                note_stale(signals, &failure);
            }
            Err(failure) => cannot_open(page, failure.message),
        }
    });
    signals.search.set(None);
    signals.trace_search.set(None);
    page.request_missing_rows();
}

/// Opens the newest generation of the served file. What is shown stays until the new answers arrive.
pub fn follow_served<P: Page>(page: P) {
    let signals = page.signals();
    signals.grown.set(None);
    let epoch = signals.next_epoch();
    page.worker().open_served(move |answer| {
        if !signals.is_at(epoch) {
            return;
        }
        match answer {
            Ok(summary) => {
                signals.file.set(FileState::Open(Arc::new(summary)));
                signals.generation.update(|generation| *generation += 1);
                signals.indexed.update(|times| *times += 1);
            }
            Err(failure) => signals.warn(failure.message),
        }
    });
    signals.search.set(None);
    signals.trace_search.set(None);
    page.refresh_lists();
}
