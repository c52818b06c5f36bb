//! Answers of the worker: which are dropped, and what a changed file means.

use crate::{Page, Signals};
use quipu_protocol::{Failure, FailureKind};
use reactive_graph::prelude::*;

/// Wraps `callback` for a question that is asked now: its answer is dropped when another file was opened or the worker restarted meanwhile.
/// A changed file is reported above the page, so that callers need not.
pub fn current<P: Page, T>(page: P, callback: impl FnOnce(Result<T, Failure>) + 'static) -> impl FnOnce(Result<T, Failure>) + 'static {
    let signals = page.signals();
    let epoch = signals.epoch.get_untracked();
    move |answer| {
        if !signals.is_at(epoch) {
            return;
        }
        if let Err(failure) = &answer
            && failure.kind == FailureKind::FileChanged
        {
            note_stale(signals, failure);
        }
        callback(answer);
    }
}

/// The file has changed. The first report stays on screen until the file is opened again.
pub fn note_stale(signals: Signals, failure: &Failure) {
    if signals.stale.with_untracked(Option::is_none) {
        signals.stale.set(Some(format!("{} Until then, what is shown may be out of date.", failure.message)));
    }
}
