//! The actions on the open file: what `quipu-web-actions` decides, for this page and its worker.

use super::{opening, router};
use crate::BUILD;
use crate::client::{self, Client, Notice};
use crate::idle::Idle;
use crate::state::{Alert, App, ListedBy, Remedy};
use js_sys::{Array, Date};
use leptos::prelude::*;
use quipu_model::format;
use quipu_protocol::address::Source;
use quipu_protocol::{CheckFile, Failure, FileQuestions, FileSummary, GetFile, Question, SetSearching, ShareWhat};
use quipu_web_actions as actions;
use quipu_web_actions::{Page, Signals, VisitFiles, Worker};
use web_sys::File;

impl App {
    /// The state of a page that has just started. `worker_ready` is called whenever a worker begins to run.
    pub(crate) fn start(worker_ready: fn(App)) -> App {
        let idle = Idle::default();
        let app = App::new(Client::new(idle.clone(), |_| {}), idle.clone(), worker_ready, false);
        app.set_client(Client::new(idle, move |notice| app.on_notice(notice)));
        app
    }

    /// A state of its own with the worker of this one, to prewarm the page.
    pub(crate) fn for_prewarm(&self) -> App {
        App::new(self.client(), self.idle(), |_| {}, true)
    }

    /// Asks the worker; the answer is dropped when another file was opened meanwhile. A changed file or an exited worker is reported above
    /// the page, so that callers need not.
    pub(crate) fn ask<Q: Question<List = FileQuestions>>(&self, question: Q, callback: impl FnOnce(Result<Q::Answer, Failure>) + 'static) {
        // What decides whether the reply still counts is compiled once, not once for each question.
        self.client().send(question.into(), Box::new(actions::current(*self, client::reading::<Q>(callback))));
    }

    /// Like [`ask`](App::ask), for a question about sharing `what`; see [`Client::ask_about_share`].
    pub(crate) fn ask_about_share<Q: Question<List = FileQuestions>>(
        &self,
        what: ShareWhat,
        question: impl FnOnce(ShareWhat) -> Q + 'static,
        callback: impl FnOnce(Result<Q::Answer, Failure>) + 'static,
    ) {
        let callback = actions::current(*self, client::reading::<Q>(callback));
        self.client().ask_about_share(what, move |what| question(what).into(), Box::new(callback));
    }

    /// Asks whether the file is still the one that was opened; the answer is a sign of life, too.
    pub(crate) fn check_file(&self) {
        self.client().ask_aside(CheckFile, actions::current(*self, |_| {}));
    }

    /// The file has changed: that stays on screen until it is opened again.
    pub(crate) fn note_stale(&self, failure: &Failure) {
        actions::note_stale(self.signals(), failure);
    }

    /// Opens `files` as `source`, at the place the view names if it belongs to this source, otherwise at its traces.
    pub(crate) fn open(&self, source: Source, files: Vec<File>) {
        actions::open(*self, source, files);
    }

    /// Closes the file.
    pub(crate) fn close(&self) {
        actions::close(*self);
    }

    /// Cancels an import, and reopens the file that was open before.
    pub(crate) fn cancel_import(&self) {
        actions::cancel_import(*self);
    }

    /// Opens the open file in a new worker. What is shown stays.
    pub(crate) fn restart(&self) {
        actions::restart(*self);
    }

    /// Keeps the handles of the files that are opened as `source`.
    pub(crate) fn keep_handles(&self, source: Source, handles: Array) {
        self.handles.set_value(Some((source, handles)));
    }

    /// The handles of what is open.
    pub(crate) fn kept_handles(&self) -> Option<Array> {
        let opened = self.opened.get_untracked()?;
        self.handles.with_value(|kept| kept.as_ref().filter(|(source, _)| *source == opened).map(|(_, handles)| handles.clone()))
    }

    /// What an address means by `source` in this visit, and its files.
    pub(crate) fn known_files(&self, source: &Source) -> Option<(Source, Vec<File>)> {
        self.files.with_value(|known| known.known(source))
    }

    /// From now on, addresses that name `source` refer to `files`.
    pub(crate) fn remember(&self, source: Source, files: Vec<File>) {
        self.files.update_value(|known| known.remember(source, files));
    }

    /// Closes the alert, unless it asks for a reload.
    pub(crate) fn settle_alert(&self) {
        actions::settle_alert(self.signals());
    }

    /// Closes the file, and says why nothing could be opened.
    pub(crate) fn cannot_open(&self, text: String) {
        actions::cannot_open(*self, text);
    }

    /// Forgets what was loaded from the open file, and answers that are under way. Returns the new epoch.
    pub(crate) fn forget_loaded(&self) -> u32 {
        actions::forget_loaded(*self)
    }

    /// The filter changed. `stop`: the search that runs is of no use for the new one.
    pub(crate) fn forget_search(&self, stop: bool) {
        actions::forget_search(*self, stop);
    }

    /// Stops the search through the file, or continues it.
    pub(crate) fn set_searching(&self, goes_on: bool) {
        let app = *self;
        self.ask(SetSearching(goes_on), move |answer| match answer {
            Ok(Some(progress)) => actions::on_search(app, progress),
            Ok(None) => {}
            Err(failure) => app.alert.set(Some(Alert { text: failure.message, remedy: Remedy::Dismiss })),
        });
    }

    /// The index is complete, or the prices changed: everything shown is requested again.
    pub(crate) fn refresh_summary(&self) {
        actions::refresh_summary(*self);
    }

    fn on_notice(&self, notice: Notice) {
        match notice {
            Notice::Ready(build) if build != BUILD => self.alert.set(Some(Alert {
                text: format!(
                    "This page is build {BUILD}, but its worker is build {build}: the server was updated meanwhile. Reload the page."
                ),
                remedy: Remedy::Reload,
            })),
            Notice::Ready(_) => (self.worker_ready)(*self),
            Notice::Exited(exit) => actions::on_worker_exit(*self, exit),
            Notice::Event(event) => actions::on_event(*self, event),
        }
    }
}

impl Page for App {
    type File = File;
    type Worker = Client;

    fn signals(&self) -> Signals {
        App::signals(self)
    }

    fn worker(&self) -> Client {
        self.client()
    }

    fn with_files<T>(&self, work: impl FnOnce(&mut VisitFiles<File>) -> T) -> T {
        work(&mut self.files.write_value())
    }

    fn opening_name(&self, source: &Source, files: &[File]) -> String {
        let names: Vec<String> = files.iter().map(File::name).collect();
        match source {
            Source::File { name, .. } if client::is_served(source, files) => name.clone(),
            _ => format::files_name(names.iter().map(String::as_str)),
        }
    }

    fn now_ms(&self) -> f64 {
        Date::now()
    }

    fn reset_lists(&self) {
        self.traces.reset();
        self.hits.reset();
        self.logs.reset();
        self.log_page.set(None);
        self.sql.reset();
    }

    fn refresh_lists(&self) {
        self.traces.refresh();
        self.hits.refresh();
        self.logs.refresh();
    }

    fn request_missing_rows(&self) {
        self.traces.ask_missing();
        self.hits.ask_missing();
        self.logs.ask_missing();
    }

    fn look_again(&self, last: bool) {
        self.hits.look_again(last);
        self.traces.look_again(last);
    }

    fn request_first_rows(&self) {
        let view = self.view.get_untracked();
        if view.screen.is_list() {
            untrack(|| self.traces.want(*self, ListedBy::List(view.list), 0..1));
        }
    }

    fn enter_source(&self, source: Source, was_empty: bool) {
        router::enter_source(*self, source, was_empty);
    }

    fn follow_address(&self) {
        opening::follow_address(*self);
    }
}

impl Worker for Client {
    type File = File;

    fn open(&self, source: &Source, files: &[File], callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        if client::is_served(source, files) {
            return Worker::open_served(self, callback);
        }
        self.open(files, matches!(source, Source::Link { .. }), callback);
    }

    fn open_served(&self, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        self.open_served(callback);
    }

    fn get_file(&self, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        self.ask(GetFile, callback);
    }

    fn stop_searching(&self, callback: impl FnOnce(Result<(), Failure>) + 'static) {
        self.ask(SetSearching(false), move |answer| callback(answer.map(|_| ())));
    }

    fn stop(&self) {
        self.stop();
    }

    fn warm_up(&self) {
        self.warm_up();
    }
}
