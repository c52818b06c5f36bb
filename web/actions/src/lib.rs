//! What the page does when a file is opened, when the worker answers, reports or exits, and when the file changes.
//!
//! The state is a set of signals ([`Signals`]). The page and its worker are traits ([`Page`], [`Worker`]), so that every decision is tested
//! natively, with a worker that answers when the test says so.
//!
//! Not here: the browser, elements, addresses, and the wire to the worker (`web/app`).

mod answers;
mod events;
mod exit;
mod files;
mod opening;
mod page;
mod signals;

pub use answers::{current, note_stale};
pub use events::{forget_search, on_event, on_search, refresh_summary};
pub use exit::{RESTART_MS, WorkerExit, on_worker_exit};
pub use files::{VisitFiles, means, same_name};
pub use opening::{cancel_import, cannot_open, close, follow_served, forget_loaded, open, restart};
pub use page::{Page, Worker};
pub use signals::{Alert, FileState, Remedy, Signals, settle_alert};
