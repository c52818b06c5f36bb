//! What the page knows, as signals: the view, the open file, the worker's health. One value, reached by context.
//!
//! What is not here: what single screens load (`pages`), how files come in (`opening`), how the view becomes an address (`router`).

use crate::browser;
use crate::client::{Client, Death, Notice};
use crate::idle::Idle;
use crate::metrics::{Counter, Counts, kept_prices};
use crate::pages::{Listed, PagedList, Sql};
use crate::{BUILD, growth, opening, rehearsal, router};
use js_sys::{Array, Date};
use leptos::prelude::*;
use quipu_model::format;
use quipu_model::format::TimeStyle;
use quipu_model::{PriceTable, Timestamp, ZoneFact};
use quipu_protocol::address::{Source, ViewState};
use quipu_protocol::{
    Event, Failure, FailureKind, FileSummary, Grown, Importing, IndexProgress, Request, Response, SearchProgress, SearchState,
};
use std::sync::Arc;
use web_sys::{File, KeyboardEvent};

/// A worker that dies twice within so many milliseconds is not restarted without asking.
const RESTART_MS: f64 = 60_000.0;

/// What is known of the file.
#[derive(Clone, Default)]
pub(crate) enum FileState {
    /// None was given.
    #[default]
    None,
    /// It is being opened.
    Opening {
        /// What is being opened.
        name: String,
        /// Whether the page has the file; a sample is fetched first.
        fetched: bool,
    },
    /// It is open.
    Open(Arc<FileSummary>),
}

/// A sentence that needs the reader's attention, and what can be done.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Alert {
    /// What is wrong, and what to do.
    pub(crate) text: String,
    /// The button beside it.
    pub(crate) remedy: Remedy,
}

/// What an alert's button does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Only closes the alert.
    Dismiss,
    /// Starts a new worker on the same files.
    Restart,
    /// Loads the page again.
    Reload,
}

/// An answer on its way.
#[derive(Clone, Default, PartialEq)]
pub(crate) enum Load<T> {
    /// Asked for.
    #[default]
    Waiting,
    /// The index has to pass first; asked again when it is complete.
    NotIndexed,
    /// Here.
    Ready(T),
    /// There is none.
    Failed(String),
}

/// What handles a key on the shown screen; `true` when it did.
type KeyHandler = Box<dyn Fn(&KeyboardEvent, &str) -> bool>;

/// All of it. Copied freely: signals are handles.
#[derive(Clone, Copy)]
pub(crate) struct App {
    /// What the address says.
    pub(crate) view: RwSignal<ViewState>,
    /// What of the address was left out.
    pub(crate) notes: RwSignal<Vec<String>>,
    /// The file.
    pub(crate) file: RwSignal<FileState>,
    /// Which file is open, as addresses name it.
    pub(crate) opened: RwSignal<Option<Source>>,
    /// Counts opened files and restarts: what was loaded under another number is stale.
    pub(crate) epoch: RwSignal<u32>,
    /// Counts completed indexes: answers with unknowns are asked for again.
    pub(crate) indexed: RwSignal<u32>,
    /// The index while it runs.
    pub(crate) progress: RwSignal<Option<IndexProgress>>,
    /// The import of the files that are being opened, where they are no database.
    pub(crate) importing: RwSignal<Option<Importing>>,
    /// The search through the file, once there was one.
    pub(crate) search: RwSignal<Option<SearchProgress>>,
    /// The last search in a trace, likewise.
    pub(crate) trace_search: RwSignal<Option<SearchProgress>>,
    /// What is wrong with the page or the file as a whole.
    pub(crate) alert: RwSignal<Option<Alert>>,
    /// A newer generation of the served file, until it is opened.
    pub(crate) grown: RwSignal<Option<Grown>>,
    /// Counts generations that were opened: what was loaded of an earlier one is asked for again.
    pub(crate) generation: RwSignal<u32>,
    /// What became of the file under the page: what is shown is from before.
    pub(crate) stale: RwSignal<Option<String>>,
    /// Why the index will not be complete.
    pub(crate) index_stopped: RwSignal<Option<String>>,
    /// The list of traces; kept while a trace is shown.
    pub(crate) traces: PagedList,
    /// The list of a filter's hits; kept likewise.
    pub(crate) hits: PagedList,
    /// Questions in SQL; kept likewise.
    pub(crate) sql: Sql,
    /// Whether the help is shown.
    pub(crate) help: RwSignal<bool>,
    /// Whether the command palette is shown.
    pub(crate) commands: RwSignal<bool>,
    /// Whether the dialog that shares is shown.
    pub(crate) sharing: RwSignal<bool>,
    /// Whether the address carries something encrypted whose passphrase is wanted, with a sentence about the one that was given.
    pub(crate) locked: RwSignal<Option<Option<&'static str>>>,
    /// The last thing done that has no other trace on screen, for screen readers: "Copied".
    pub(crate) said: RwSignal<String>,
    /// What tokens cost, as the reader filled it in.
    pub(crate) prices: RwSignal<PriceTable>,
    /// Whether the worker that counts answers.
    pub(crate) counts: RwSignal<Counts>,
    /// That worker, once metrics were looked at.
    counter: StoredValue<Option<Counter>, LocalStorage>,
    keys: StoredValue<Option<KeyHandler>, LocalStorage>,
    client: StoredValue<Client, LocalStorage>,
    idle: StoredValue<Idle, LocalStorage>,
    /// Files of this visit, so that going back to another one needs no asking.
    files: StoredValue<Vec<(Source, Vec<File>)>, LocalStorage>,
    /// Handles of the files that were dropped as a source, where the browser gives such: through them a changed file is read anew.
    handles: StoredValue<Option<(Source, Array)>, LocalStorage>,
    /// When the worker died last, in milliseconds since 1970.
    died_at: StoredValue<f64>,
    /// Sources of addresses, and the source the reader gave for each: the same file after it grew.
    given_for: StoredValue<Vec<(Source, Source)>, LocalStorage>,
    /// Whether this is a rehearsal, of which neither reader nor address learn.
    pub(crate) rehearsed: bool,
}

impl App {
    /// The state of a page that has just started.
    pub(crate) fn new() -> App {
        let idle = Idle::default();
        let app = App::with(Client::new(idle.clone(), |_| {}), idle.clone(), false);
        app.client.set_value(Client::new(idle, move |notice| app.hear(notice)));
        app
    }

    /// A state of its own with the worker of this one, for a rehearsal.
    pub(crate) fn for_rehearsal(&self) -> App {
        App::with(self.client(), self.idle(), true)
    }

    fn with(client: Client, idle: Idle, rehearsed: bool) -> App {
        App {
            view: RwSignal::default(),
            notes: RwSignal::default(),
            file: RwSignal::default(),
            opened: RwSignal::new(None),
            epoch: RwSignal::new(0),
            indexed: RwSignal::new(0),
            progress: RwSignal::new(None),
            importing: RwSignal::new(None),
            alert: RwSignal::new(None),
            grown: RwSignal::new(None),
            generation: RwSignal::new(0),
            stale: RwSignal::new(None),
            index_stopped: RwSignal::new(None),
            traces: PagedList::new(Listed::Traces),
            hits: PagedList::new(Listed::Hits),
            sql: Sql::new(),
            search: RwSignal::new(None),
            trace_search: RwSignal::new(None),
            help: RwSignal::new(false),
            commands: RwSignal::new(false),
            sharing: RwSignal::new(false),
            locked: RwSignal::new(None),
            said: RwSignal::default(),
            prices: RwSignal::new(kept_prices()),
            counts: RwSignal::new(Counts::Waiting),
            counter: StoredValue::new_local(None),
            keys: StoredValue::new_local(None),
            client: StoredValue::new_local(client),
            idle: StoredValue::new_local(idle),
            files: StoredValue::new_local(Vec::new()),
            handles: StoredValue::new_local(None),
            died_at: StoredValue::new(0.0),
            given_for: StoredValue::new_local(Vec::new()),
            rehearsed,
        }
    }

    /// The one in context.
    pub(crate) fn get() -> App {
        expect_context::<App>()
    }

    /// The worker.
    pub(crate) fn client(&self) -> Client {
        self.client.get_value()
    }

    /// The worker that counts.
    pub(crate) fn counter(&self) -> Counter {
        if let Some(counter) = self.counter.get_value() {
            return counter;
        }
        let counter = Counter::new(*self);
        self.counter.set_value(Some(counter.clone()));
        counter
    }

    /// The idle mark.
    pub(crate) fn idle(&self) -> Idle {
        self.idle.get_value()
    }

    /// Asks the worker; the answer is dropped when another file was opened meanwhile. A changed file or a dead worker is told on top of the
    /// page, so that callers need not.
    pub(crate) fn ask(&self, request: Request, callback: impl FnOnce(Result<Response, Failure>) + 'static) {
        let app = *self;
        let epoch = self.epoch.get_untracked();
        self.client().ask(request, move |answer| {
            if !app.is_at(epoch) {
                return;
            }
            if let Err(failure) = &answer
                && failure.kind == FailureKind::FileChanged
            {
                app.note_stale(failure);
            }
            callback(answer);
        });
    }

    /// Whether nothing was opened or restarted since `epoch`. A rehearsal may be over by then.
    fn is_at(&self, epoch: u32) -> bool {
        self.epoch.try_get_untracked() == Some(epoch)
    }

    /// Asks whether the file is still the one that was opened; the answer is a sign of life, too.
    pub(crate) fn check_file(&self) {
        let app = *self;
        let epoch = self.epoch.get_untracked();
        self.client().ask_aside(Request::CheckFile, move |answer| {
            if let Err(failure) = answer
                && failure.kind == FailureKind::FileChanged
                && app.is_at(epoch)
            {
                app.note_stale(&failure);
            }
        });
    }

    /// The file is not what it was: that stays on screen until it is opened again.
    pub(crate) fn note_stale(&self, failure: &Failure) {
        if self.stale.with_untracked(Option::is_none) {
            self.stale.set(Some(format!("{} Until then, what is shown is from before and may be out of date.", failure.message)));
        }
    }

    /// Opens `files` as `source`, at the place the view names when it is this source's, else at its traces.
    pub(crate) fn open(&self, source: Source, files: Vec<File>) {
        let app = *self;
        let names: Vec<String> = files.iter().map(File::name).collect();
        let name = match &source {
            Source::File { name, .. } if growth::is_served(&source, &files) => name.clone(),
            _ => format::files_name(names.iter().map(String::as_str)),
        };
        let before = self.opened.get_untracked();
        let again = self.stale.with_untracked(Option::is_some);
        let epoch = self.forget_loaded();
        self.settle_alert();
        self.file.set(FileState::Opening { name, fetched: true });
        self.remember(source.clone(), files.clone());
        self.begin_to_open(&source.clone(), &files, move |answer| {
            if !app.is_at(epoch) {
                return;
            }
            app.importing.set(None);
            match answer {
                Ok(Response::File(summary)) => {
                    let done = summary.indexed;
                    let was_empty = before.is_none();
                    if again && let Some(before) = before.filter(|before| *before != source && router::same_name(before, &source)) {
                        // What lay there under the earlier size can't be read any more.
                        app.forget_files(&before);
                        app.take_for(before, source.clone());
                    }
                    app.opened.set(Some(source.clone()));
                    app.file.set(FileState::Open(Arc::new(*summary)));
                    if !done && app.progress.with_untracked(Option::is_none) {
                        app.progress.set(Some(IndexProgress::default()));
                    }
                    router::enter_source(app, source, was_empty);
                }
                answer => {
                    // Nobody is sent back to what can't be opened.
                    app.forget_files(&source);
                    app.cannot_open(answer.err().map_or_else(
                        || "The worker answered something else than the file’s summary; reload the page.".into(),
                        |failure| failure.message,
                    ));
                }
            }
        });
        // The first rows are asked for in the same breath: they come as soon as the file is open.
        let view = self.view.get_untracked();
        if view.place.is_list() {
            untrack(|| self.traces.want(app, view.list, 0, 1));
        }
    }

    fn begin_to_open(&self, source: &Source, files: &[File], callback: impl FnOnce(Result<Response, Failure>) + 'static) {
        if growth::is_served(source, files) {
            return self.client().open_served(callback);
        }
        self.client().open(files, matches!(source, Source::Link { .. }), callback);
    }

    /// Shows no file.
    pub(crate) fn close(&self) {
        self.forget_loaded();
        self.opened.set(None);
        self.file.set(FileState::None);
    }

    /// Ends an import: what was open before is opened again. Ended once more, nothing is open.
    pub(crate) fn cancel_import(&self) {
        let before = self.opened.get_untracked().and_then(|source| self.known_files(&source));
        self.close();
        if let Some((source, files)) = before {
            self.open(source, files);
        }
    }

    /// Opens what is open again in a new worker. What is shown stays; what was asked for and not answered is asked for again.
    pub(crate) fn restart(&self) {
        self.client().stop();
        let open = matches!(self.file.get_untracked(), FileState::Open(_));
        match self.opened.get_untracked().and_then(|source| self.known_files(&source)) {
            // What a link carried is small: it is opened as it was first.
            Some((source, files)) if open && !matches!(source, Source::Link { .. }) => {
                self.settle_alert();
                self.go_on(&source, &files);
            }
            Some((source, files)) => self.open(source, files),
            None => {
                self.settle_alert();
                self.close();
                self.client().warm_up();
                opening::follow_address(*self);
            }
        }
    }

    fn go_on(&self, source: &Source, files: &[File]) {
        let app = *self;
        self.epoch.update(|epoch| *epoch += 1);
        let epoch = self.epoch.get_untracked();
        self.index_stopped.set(None);
        self.progress.set(Some(IndexProgress::default()));
        self.begin_to_open(source, files, move |answer| {
            if !app.is_at(epoch) {
                return;
            }
            app.importing.set(None);
            match answer {
                Ok(_) => {}
                Err(failure) if failure.kind == FailureKind::FileChanged => {
                    app.progress.set(None);
                    app.note_stale(&failure);
                }
                Err(failure) => app.cannot_open(failure.message),
            }
        });
        self.search.set(None);
        self.trace_search.set(None);
        self.traces.ask_missing();
        self.hits.ask_missing();
    }

    /// Keeps the handles of the files that are opened as what is in the address now.
    pub(crate) fn keep_handles(&self, source: Source, handles: Array) {
        self.handles.set_value(Some((source, handles)));
    }

    /// The handles of what is open.
    pub(crate) fn kept_handles(&self) -> Option<Array> {
        let opened = self.opened.get_untracked()?;
        self.handles.with_value(|kept| kept.as_ref().filter(|(source, _)| *source == opened).map(|(_, handles)| handles.clone()))
    }

    /// What an address means by `source` in this visit, and its files: one that was opened, or that the reader gave for it.
    pub(crate) fn known_files(&self, source: &Source) -> Option<(Source, Vec<File>)> {
        self.files.with_value(|known| {
            let find = |wanted: &Source| known.iter().rev().find(|(found, _)| router::means(wanted, found)).cloned();
            find(source).or_else(|| find(&self.given_for(source)?))
        })
    }

    /// From now on addresses that name `source` mean `files`.
    pub(crate) fn remember(&self, source: Source, files: Vec<File>) {
        self.files.update_value(|known| {
            known.retain(|(found, _)| *found != source);
            known.push((source, files));
        });
    }

    /// The source that the reader gave for that of an address.
    fn given_for(&self, source: &Source) -> Option<Source> {
        self.given_for.with_value(|given| given.iter().find(|(asked, _)| asked == source).map(|(_, given)| given.clone()))
    }

    /// From now on addresses that name `asked` mean `given`, the same file after it grew.
    pub(crate) fn take_for(&self, asked: Source, given: Source) {
        self.given_for.update_value(|known| {
            known.retain(|(earlier, _)| *earlier != asked);
            // A file may grow many times in a visit.
            for (_, earlier) in known.iter_mut().filter(|(_, earlier)| *earlier == asked) {
                *earlier = given.clone();
            }
            known.push((asked, given));
        });
    }

    fn forget_files(&self, source: &Source) {
        self.files.update_value(|known| known.retain(|(found, _)| found != source));
    }

    /// What was wrong is settled by something new; only a page and a worker of different builds stay so until the page is loaded again.
    pub(crate) fn settle_alert(&self) {
        if self.alert.with_untracked(|alert| alert.as_ref().is_some_and(|alert| alert.remedy != Remedy::Reload)) {
            self.alert.set(None);
        }
    }

    /// Says that nothing could be opened, and why.
    pub(crate) fn cannot_open(&self, text: String) {
        self.close();
        self.alert.set(Some(Alert { text, remedy: Remedy::Dismiss }));
    }

    /// Forgets what was loaded from the file that was open, and whatever is still on its way. Answers the new epoch.
    pub(crate) fn forget_loaded(&self) -> u32 {
        self.epoch.update(|epoch| *epoch += 1);
        if self.importing.with_untracked(Option::is_some) {
            // The worker hears nothing else before it has imported everything.
            self.importing.set(None);
            self.client().stop();
            self.client().warm_up();
        }
        self.progress.set(None);
        self.stale.set(None);
        self.grown.set(None);
        self.index_stopped.set(None);
        self.search.set(None);
        self.trace_search.set(None);
        self.traces.reset();
        self.hits.reset();
        self.sql.reset();
        self.epoch.get_untracked()
    }

    fn hear(&self, notice: Notice) {
        match notice {
            Notice::Ready(build) if build != BUILD => self.alert.set(Some(Alert {
                text: format!(
                    "This page is of build {BUILD}, the worker that reads files of build {build}: the server was updated meanwhile. Reload \
                     the page to get both of one build."
                ),
                remedy: Remedy::Reload,
            })),
            Notice::Ready(_) => rehearsal::rehearse(*self),
            Notice::Died(death) => self.mourn(death),
            Notice::Event(Event::Importing(progress)) => self.importing.set(Some(progress)),
            // Before a file's own answer, and when none is shown, the index is that of one that was open before.
            Notice::Event(_) if !self.file.with_untracked(|file| matches!(file, FileState::Open(_))) => {}
            Notice::Event(Event::Progress(progress)) => {
                if progress.done {
                    self.progress.set(None);
                    self.refresh_summary();
                } else {
                    self.progress.set(Some(progress));
                }
            }
            Notice::Event(Event::IndexStopped(failure)) => {
                self.progress.set(None);
                self.index_stopped.set(Some(failure.message.clone()));
                if failure.kind == FailureKind::FileChanged {
                    self.note_stale(&failure);
                } else {
                    self.alert.set(Some(Alert { text: failure.message, remedy: Remedy::Dismiss }));
                }
            }
            Notice::Event(Event::Searching(progress)) => self.hear_search(progress),
            Notice::Event(Event::Grown(grown)) => self.grown.set(Some(grown)),
            Notice::Event(_) => {}
        }
    }

    /// A search moved on: the lists that it fills look again, the one that is not shown when it is. That of one trace is the trace's. What
    /// was said before the worker heard of another filter is of no interest.
    fn hear_search(&self, progress: SearchProgress) {
        if progress.trace_id.is_some() {
            return self.trace_search.set(Some(progress));
        }
        if self.view.with_untracked(|view| view.list.filter != progress.filter) {
            return;
        }
        let last = progress.state != SearchState::Running;
        self.search.set(Some(progress));
        self.hits.look_again(last);
        self.traces.look_again(last);
    }

    /// The filter is another one. With `stop`, what runs is of no use for it.
    pub(crate) fn forget_search(&self, stop: bool) {
        let runs = self.search.with_untracked(|search| search.as_ref().is_some_and(|search| search.state == SearchState::Running));
        if stop && runs {
            self.ask(Request::SetSearching(false), |_| {});
        }
        self.search.set(None);
    }

    /// Stops the search through the file, or lets it go on.
    pub(crate) fn set_searching(&self, goes_on: bool) {
        let app = *self;
        self.ask(Request::SetSearching(goes_on), move |answer| match answer {
            Ok(Response::Search(Some(progress))) => app.hear_search(progress),
            Ok(_) => {}
            Err(failure) => app.alert.set(Some(Alert { text: failure.message, remedy: Remedy::Dismiss })),
        });
    }

    /// The worker is dead: once it is replaced without asking, so that the reader goes on; where that does not help, the reader decides.
    fn mourn(&self, death: Death) {
        self.progress.set(None);
        self.importing.set(None);
        let now = Date::now();
        let again = now - self.died_at.get_value() < RESTART_MS;
        self.died_at.set_value(now);
        let file = self.file.get_untracked();
        let name = match &file {
            FileState::None => None,
            FileState::Opening { name, .. } => Some(name.clone()),
            FileState::Open(summary) => Some(format!("{} ({})", summary.name, format::bytes(summary.size_bytes))),
        };
        let (text, remedy) = match death {
            Death::NotStarted(why) => (
                format!(
                    "The worker that reads files could not be started{why}. Check that quipu-worker.js and quipu-worker_bg.wasm lie beside the \
                     page on its server, then restart it."
                ),
                Remedy::Restart,
            ),
            Death::OutOfMemory => {
                let file = name.map_or_else(String::new, |name| format!(" while it read {name}"));
                (
                    format!(
                        "The worker ran out of memory{file}. The file itself is untouched. Close other tabs and restart it; if that does not \
                         help, read the file with the `quipu` command, which has all the computer’s memory."
                    ),
                    Remedy::Restart,
                )
            }
            Death::Unserved(why) => (why, Remedy::Reload),
            Death::Stopped(why) => match &file {
                FileState::Open(summary) if !again => {
                    let name = summary.name.clone();
                    self.restart();
                    (
                        format!(
                            "The worker that reads {name} stopped{why}. It was restarted, and indexes the file again; what is shown stays. \
                             The file itself is untouched."
                        ),
                        Remedy::Dismiss,
                    )
                }
                // Nothing was lost: the next file starts another one.
                FileState::None if !again => return self.client().warm_up(),
                _ => (
                    format!(
                        "The worker that reads the file stopped{why}. The file itself is untouched. Restart it to go on where you are."
                    ),
                    Remedy::Restart,
                ),
            },
        };
        if matches!(file, FileState::Opening { .. }) && self.opened.get_untracked().is_none() {
            self.file.set(FileState::None);
        }
        self.alert.set(Some(Alert { text, remedy }));
    }

    /// The index is complete, or prices are others: everything shown is asked for again.
    pub(crate) fn refresh_summary(&self) {
        let app = *self;
        self.ask(Request::GetFile, move |answer| {
            match answer {
                Ok(Response::File(summary)) => app.file.set(FileState::Open(Arc::new(*summary))),
                Ok(_) => {}
                Err(failure) => app.alert.set(Some(Alert { text: failure.message, remedy: Remedy::Dismiss })),
            }
            app.indexed.update(|times| *times += 1);
        });
        self.traces.refresh();
        self.hits.refresh();
    }

    /// The file's summary, where one is open.
    pub(crate) fn summary(&self) -> Option<Arc<FileSummary>> {
        self.file.with(|file| match file {
            FileState::Open(summary) => Some(summary.clone()),
            _ => None,
        })
    }

    /// An instant in the chosen style; `zero` is what relative times count from.
    pub(crate) fn time_text(&self, at: Timestamp, zero: Option<Timestamp>) -> String {
        let style = match (self.view.with(|view| view.times), self.summary().and_then(|summary| summary.zone)) {
            // A clock whose zone nobody knows can't be turned into the reader's.
            (TimeStyle::Local, Some(ZoneFact::Unknown)) => TimeStyle::Utc,
            (style, _) => style,
        };
        let offset = if style == TimeStyle::Local { browser::zone_offset_minutes(at) } else { 0 };
        format::time(at, style, offset, zero)
    }

    /// The screen's keys, until the calling component goes.
    pub(crate) fn handle_keys(&self, handler: impl Fn(&KeyboardEvent, &str) -> bool + 'static) {
        let keys = self.keys;
        keys.set_value(Some(Box::new(handler)));
        on_cleanup(move || {
            let _ = keys.try_set_value(None);
        });
    }

    /// Gives a key to the shown screen.
    pub(crate) fn press(&self, event: &KeyboardEvent, key: &str) -> bool {
        self.keys.with_value(|handler| handler.as_ref().is_some_and(|handler| handler(event, key)))
    }
}
