//! The state of the page, as signals: the view, the open file, the health of the worker. One value, reached by context.
//!
//! Not here: what changes it (`actions`), and what single screens load (`pages`).

mod metrics;
mod paged_list;
pub(crate) mod settings;
mod sql;

pub(crate) use metrics::MetricsState;
pub(crate) use paged_list::{Listed, ListedBy, LoadedRows, PAGE, PagedList, Row};
pub(crate) use quipu_web_actions::{Alert, FileState, Remedy};
pub(crate) use sql::{Kept, Loaded, Shown, Sql};

use crate::browser;
use crate::client::{Client, MetricsLink};
use crate::idle::Idle;
use js_sys::Array;
use leptos::prelude::*;
use quipu_model::format;
use quipu_model::format::TimeStyle;
use quipu_model::{PriceTable, Timestamp, ZoneFact};
use quipu_protocol::address::{LogView, Source, ViewState};
use quipu_protocol::{Failure, FileSummary, Grown, Importing, IndexProgress, LogPage, SearchProgress};
use quipu_web_actions::{Signals, VisitFiles};
use std::sync::Arc;
use web_sys::{File, KeyboardEvent};

/// An answer that is being loaded.
#[derive(Clone, Default, PartialEq)]
pub(crate) enum Load<T> {
    /// Requested.
    #[default]
    Waiting,
    /// It needs the complete index, and is requested again then.
    NotIndexed,
    /// Loaded.
    Ready(T),
    /// It failed; with a message.
    Failed(String),
}

impl<T> From<Result<T, Failure>> for Load<T> {
    fn from(answer: Result<T, Failure>) -> Load<T> {
        match answer {
            Ok(answer) => Load::Ready(answer),
            Err(failure) if failure.is_not_indexed_yet() => Load::NotIndexed,
            Err(failure) => Load::Failed(failure.message),
        }
    }
}

/// Handles a key on the current screen; `true` when it did something.
type KeyHandler = Box<dyn Fn(&KeyboardEvent, &str) -> bool>;

/// Application state. `Copy`: every field is a signal handle.
#[derive(Clone, Copy)]
pub(crate) struct App {
    /// The view, as the address has it.
    pub(crate) view: RwSignal<ViewState>,
    /// Parts of the address that could not be read.
    pub(crate) notes: RwSignal<Vec<String>>,
    /// The file.
    pub(crate) file: RwSignal<FileState>,
    /// Which file is open, as addresses name it.
    pub(crate) opened: RwSignal<Option<Source>>,
    /// Counts opened files and restarts. What was loaded in an earlier epoch is stale.
    pub(crate) epoch: RwSignal<u32>,
    /// Counts completed indexes. Incomplete answers are requested again.
    pub(crate) indexed: RwSignal<u32>,
    /// The progress of the index while it runs.
    pub(crate) progress: RwSignal<Option<IndexProgress>>,
    /// The progress of the import, for files that are not databases.
    pub(crate) importing: RwSignal<Option<Importing>>,
    /// The last search through the file.
    pub(crate) search: RwSignal<Option<SearchProgress>>,
    /// The last search in a trace.
    pub(crate) trace_search: RwSignal<Option<SearchProgress>>,
    /// What is wrong with the page or the file as a whole.
    pub(crate) alert: RwSignal<Option<Alert>>,
    /// A newer generation of the served file, until it is opened.
    pub(crate) grown: RwSignal<Option<Grown>>,
    /// Counts opened generations of the served file. What was loaded from an earlier one is requested again.
    pub(crate) generation: RwSignal<u32>,
    /// Set when the file has changed on disk: what is shown is out of date.
    pub(crate) stale: RwSignal<Option<String>>,
    /// Why the index will not be completed.
    pub(crate) index_stopped: RwSignal<Option<String>>,
    /// The list of traces; kept while a trace is shown.
    pub(crate) traces: PagedList,
    /// The list of a filter's matches; kept likewise.
    pub(crate) hits: PagedList,
    /// The list of log records; kept likewise.
    pub(crate) logs: PagedList,
    /// How log records were last listed, for the way back.
    pub(crate) log_view: StoredValue<LogView>,
    /// The last answer about log records, without its rows.
    pub(crate) log_page: RwSignal<Option<Arc<LogPage>>>,
    /// The SQL screen; kept likewise.
    pub(crate) sql: Sql,
    /// Whether the help is shown.
    pub(crate) help: RwSignal<bool>,
    /// Whether the command palette is shown.
    pub(crate) commands: RwSignal<bool>,
    /// Whether the share dialog is shown.
    pub(crate) sharing: RwSignal<bool>,
    /// Set when the address carries an encrypted trace that needs a passphrase; inside, a sentence about the passphrase that was tried.
    pub(crate) locked: RwSignal<Option<Option<&'static str>>>,
    /// Announced to screen readers: the last action with no other visible result, such as "Copied".
    pub(crate) announce: RwSignal<String>,
    /// The reader's table of prices.
    pub(crate) prices: RwSignal<PriceTable>,
    /// Whether the metrics worker answers.
    pub(crate) metrics_state: RwSignal<MetricsState>,
    /// The metrics worker, once metrics were looked at.
    pub(crate) metrics_link: StoredValue<Option<MetricsLink>, LocalStorage>,
    /// The files of this visit.
    pub(crate) files: StoredValue<VisitFiles<File>, LocalStorage>,
    /// The browser's handles of the files that were dropped as a source: a changed file is read again through them.
    pub(crate) handles: StoredValue<Option<(Source, Array)>, LocalStorage>,
    /// Called when the worker runs.
    pub(crate) worker_ready: fn(App),
    /// Whether this is the state of the prewarming, which neither the reader nor the address see.
    pub(crate) is_prewarm: bool,
    keys: StoredValue<Option<KeyHandler>, LocalStorage>,
    client: StoredValue<Client, LocalStorage>,
    idle: StoredValue<Idle, LocalStorage>,
    signals: Signals,
}

impl App {
    /// The state of a page without a file.
    pub(crate) fn new(client: Client, idle: Idle, worker_ready: fn(App), is_prewarm: bool) -> App {
        let signals = Signals::default();
        App {
            view: signals.view,
            notes: RwSignal::default(),
            file: signals.file,
            opened: signals.opened,
            epoch: signals.epoch,
            indexed: signals.indexed,
            progress: signals.progress,
            importing: signals.importing,
            search: signals.search,
            trace_search: signals.trace_search,
            alert: signals.alert,
            grown: signals.grown,
            generation: signals.generation,
            stale: signals.stale,
            index_stopped: signals.index_stopped,
            traces: PagedList::new(Listed::Traces),
            hits: PagedList::new(Listed::Hits),
            logs: PagedList::new(Listed::Logs),
            log_view: StoredValue::default(),
            log_page: RwSignal::new(None),
            sql: Sql::new(),
            help: RwSignal::new(false),
            commands: RwSignal::new(false),
            sharing: RwSignal::new(false),
            locked: RwSignal::new(None),
            announce: RwSignal::default(),
            prices: RwSignal::new(settings::prices()),
            metrics_state: RwSignal::new(MetricsState::Waiting),
            metrics_link: StoredValue::new_local(None),
            files: StoredValue::new_local(VisitFiles::default()),
            handles: StoredValue::new_local(None),
            worker_ready,
            is_prewarm,
            keys: StoredValue::new_local(None),
            client: StoredValue::new_local(client),
            idle: StoredValue::new_local(idle),
            signals,
        }
    }

    /// The state in context.
    pub(crate) fn get() -> App {
        expect_context::<App>()
    }

    /// The signals of the open file.
    pub(crate) fn signals(&self) -> Signals {
        self.signals
    }

    /// The worker that reads files.
    pub(crate) fn client(&self) -> Client {
        self.client.get_value()
    }

    /// Replaces the worker that reads files.
    pub(crate) fn set_client(&self, client: Client) {
        self.client.set_value(client);
    }

    /// The idle mark.
    pub(crate) fn idle(&self) -> Idle {
        self.idle.get_value()
    }

    /// The summary of the open file.
    pub(crate) fn summary(&self) -> Option<Arc<FileSummary>> {
        self.file.with(|file| match file {
            FileState::Open(summary) => Some(summary.clone()),
            _ => None,
        })
    }

    /// An instant in the chosen style; relative times count from `zero`.
    pub(crate) fn time_text(&self, at: Timestamp, zero: Option<Timestamp>) -> String {
        let style = match (self.view.with(|view| view.times), self.summary().and_then(|summary| summary.zone)) {
            // Times of an unknown zone can't be converted to the reader's.
            (TimeStyle::Local, Some(ZoneFact::Unknown)) => TimeStyle::Utc,
            (style, _) => style,
        };
        let offset = if style == TimeStyle::Local { browser::zone_offset_minutes(at) } else { 0 };
        format::time(at, style, offset, zero)
    }

    /// Sets the key handler of the screen, until the calling component is dropped.
    pub(crate) fn handle_keys(&self, handler: impl Fn(&KeyboardEvent, &str) -> bool + 'static) {
        let keys = self.keys;
        keys.set_value(Some(Box::new(handler)));
        on_cleanup(move || {
            let _ = keys.try_set_value(None);
        });
    }

    /// Passes a key to the current screen.
    pub(crate) fn press(&self, event: &KeyboardEvent, key: &str) -> bool {
        self.keys.with_value(|handler| handler.as_ref().is_some_and(|handler| handler(event, key)))
    }
}
