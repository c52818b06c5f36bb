//! The state of the open file, as signals.

use quipu_protocol::address::{Source, ViewState};
use quipu_protocol::{FileSummary, Grown, Importing, IndexProgress, SearchProgress};
use reactive_graph::owner::StoredValue;
use reactive_graph::prelude::*;
use reactive_graph::signal::RwSignal;
use std::sync::Arc;

/// Whether a file is open.
#[derive(Clone, Default)]
pub enum FileState {
    /// No file is open.
    #[default]
    None,
    /// A file is being opened.
    Opening {
        /// Its name.
        name: String,
        /// Whether the page has the file; a sample is fetched first.
        fetched: bool,
    },
    /// A file is open.
    Open(Arc<FileSummary>),
}

/// A message above the page, with a button.
#[derive(Clone, PartialEq, Eq)]
pub struct Alert {
    /// What is wrong, and what to do about it.
    pub text: String,
    /// What the button does.
    pub remedy: Remedy,
}

/// What the button of an alert does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Closes the alert.
    Dismiss,
    /// Starts a new worker on the same files.
    Restart,
    /// Reloads the page.
    Reload,
}

/// The signals of the open file. `Copy`: every field is a handle.
#[derive(Clone, Copy)]
pub struct Signals {
    /// The view, as the address has it.
    pub view: RwSignal<ViewState>,
    /// The file.
    pub file: RwSignal<FileState>,
    /// Which file is open, as addresses name it.
    pub opened: RwSignal<Option<Source>>,
    /// Counts opened files and restarts. An answer to a question of an earlier epoch is dropped.
    pub epoch: RwSignal<u32>,
    /// Counts completed indexes. Incomplete answers are requested again.
    pub indexed: RwSignal<u32>,
    /// The progress of the index while it runs.
    pub progress: RwSignal<Option<IndexProgress>>,
    /// The progress of the import, for files that are not databases.
    pub importing: RwSignal<Option<Importing>>,
    /// The last search through the file.
    pub search: RwSignal<Option<SearchProgress>>,
    /// The last search in a trace.
    pub trace_search: RwSignal<Option<SearchProgress>>,
    /// What is wrong with the page or the file as a whole.
    pub alert: RwSignal<Option<Alert>>,
    /// A newer generation of the served file, until it is opened.
    pub grown: RwSignal<Option<Grown>>,
    /// Counts opened generations of the served file. What was loaded from an earlier one is requested again.
    pub generation: RwSignal<u32>,
    /// Set when the file has changed on disk: what is shown is out of date.
    pub stale: RwSignal<Option<String>>,
    /// Why the index will not be completed.
    pub index_stopped: RwSignal<Option<String>>,
    /// When the worker exited last, in milliseconds since 1970.
    pub exited_at: StoredValue<f64>,
}

impl Default for Signals {
    fn default() -> Signals {
        Signals {
            view: RwSignal::new(ViewState::default()),
            file: RwSignal::new(FileState::None),
            opened: RwSignal::new(None),
            epoch: RwSignal::new(0),
            indexed: RwSignal::new(0),
            progress: RwSignal::new(None),
            importing: RwSignal::new(None),
            search: RwSignal::new(None),
            trace_search: RwSignal::new(None),
            alert: RwSignal::new(None),
            grown: RwSignal::new(None),
            generation: RwSignal::new(0),
            stale: RwSignal::new(None),
            index_stopped: RwSignal::new(None),
            exited_at: StoredValue::new(0.0),
        }
    }
}

impl Signals {
    /// Whether nothing was opened or restarted since `epoch`. `false` as well when the state is gone.
    pub fn is_at(&self, epoch: u32) -> bool {
        self.epoch.try_get_untracked() == Some(epoch)
    }

    /// Starts a new epoch, and returns its number.
    pub fn next_epoch(&self) -> u32 {
        self.epoch.update(|epoch| *epoch += 1);
        self.epoch.get_untracked()
    }

    /// Whether a file is open.
    pub fn is_open(&self) -> bool {
        self.file.with_untracked(|file| matches!(file, FileState::Open(_)))
    }

    /// Shows an alert that can only be dismissed.
    pub fn warn(&self, text: String) {
        self.alert.set(Some(Alert { text, remedy: Remedy::Dismiss }));
    }
}

/// Closes the alert, because something new was started. One that asks for a reload stays: the page and the worker are of different builds
/// until then.
pub fn settle_alert(signals: Signals) {
    if signals.alert.with_untracked(|alert| alert.as_ref().is_some_and(|alert| alert.remedy != Remedy::Reload)) {
        signals.alert.set(None);
    }
}
