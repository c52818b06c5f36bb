//! The exit of the worker: it is restarted once without asking; after that the reader decides.

use crate::{Alert, FileState, Page, Remedy, Worker, restart};
use quipu_model::format;
use reactive_graph::prelude::*;

/// A worker that exits twice within this many milliseconds is not restarted without asking.
pub const RESTART_MS: f64 = 60_000.0;

/// How a worker ended. The text is the browser's message in parentheses, or empty.
pub enum WorkerExit {
    /// It never ran.
    NotStarted(String),
    /// It ran, and failed, was ended from outside, or does not answer.
    Stopped(String),
    /// It ran out of memory.
    OutOfMemory,
    /// The program that served the page does not answer: a sentence.
    Unserved(String),
}

/// The worker exited. Once it is replaced without asking, and what is shown stays; a second time within [`RESTART_MS`] the reader decides.
pub fn on_worker_exit<P: Page>(page: P, exit: WorkerExit) {
    let signals = page.signals();
    signals.progress.set(None);
    signals.importing.set(None);
    let now = page.now_ms();
    let again = now - signals.exited_at.get_value() < RESTART_MS;
    signals.exited_at.set_value(now);
    let file = signals.file.get_untracked();
    let (text, remedy) = match exit {
        WorkerExit::Stopped(why) => match &file {
            FileState::Open(summary) if !again => {
                let name = summary.name.clone();
                restart(page);
                (
                    format!(
                        "The worker that reads {name} stopped{why}. It was restarted and is indexing the file again; what is shown \
                         stays. The file itself is untouched."
                    ),
                    Remedy::Dismiss,
                )
            }
            // Nothing was lost: the next file starts a new worker.
            FileState::None if !again => return page.worker().warm_up(),
            _ => (
                format!("The worker that reads the file stopped{why}. The file itself is untouched. Restart it to go on where you are."),
                Remedy::Restart,
            ),
        },
        WorkerExit::NotStarted(why) => (
            format!(
                "The worker that reads files could not be started{why}. Check that quipu-worker.js, quipu-transfer.js and their _bg.wasm \
                 files are next to the page on its server, then restart the worker."
            ),
            Remedy::Restart,
        ),
        WorkerExit::OutOfMemory => {
            let file = described(&file).map_or_else(String::new, |name| format!(" while it read {name}"));
            (
                format!(
                    "The worker ran out of memory{file}. The file itself is untouched. Close other tabs and restart it; if that does not \
                     help, read the file with the `quipu` command, which can use all of the computer’s memory."
                ),
                Remedy::Restart,
            )
        }
        WorkerExit::Unserved(why) => (why, Remedy::Reload),
    };
    if matches!(file, FileState::Opening { .. }) && signals.opened.get_untracked().is_none() {
        signals.file.set(FileState::None);
    }
    signals.alert.set(Some(Alert { text, remedy }));
}

/// The file's name, and its size where that is known.
fn described(file: &FileState) -> Option<String> {
    match file {
        FileState::None => None,
        FileState::Opening { name, .. } => Some(name.clone()),
        FileState::Open(summary) => Some(format!("{} ({})", summary.name, format::bytes(summary.size_bytes))),
    }
}
