//! A page without elements, and a worker that answers when it is told to. It even answers questions it was told to drop: such answers must
//! change nothing.

use quipu_protocol::address::Source;
use quipu_protocol::{Failure, FailureKind, FileSummary};
use quipu_web_actions::{Alert, FileState, Page, Remedy, Signals, VisitFiles, Worker};
use reactive_graph::prelude::*;
use std::cell::{Cell, RefCell};

type Callback = Box<dyn FnOnce(Result<FileSummary, Failure>)>;

/// What the page and its worker were told to do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Open(Source),
    OpenServed,
    GetFile,
    StopSearching,
    Stop,
    WarmUp,
    ResetLists,
    RefreshLists,
    RequestMissingRows,
    LookAgain { last: bool },
    RequestFirstRows,
    EnterSource { source: Source, was_empty: bool },
    FollowAddress,
}

pub(crate) struct State {
    signals: Signals,
    files: RefCell<VisitFiles<u32>>,
    now_ms: Cell<f64>,
    calls: RefCell<Vec<Call>>,
    /// Questions to the worker, in order.
    asked: RefCell<Vec<Option<Callback>>>,
}

/// The page, which is its own worker.
#[derive(Clone, Copy)]
pub(crate) struct Fake(&'static State);

/// A page without a file, an hour after 1970.
pub(crate) fn page() -> Fake {
    Fake(Box::leak(Box::new(State {
        signals: Signals::default(),
        files: RefCell::default(),
        now_ms: Cell::new(3_600_000.0),
        calls: RefCell::default(),
        asked: RefCell::default(),
    })))
}

/// A page with `source` open and indexed.
pub(crate) fn page_with(source: &Source) -> Fake {
    let page = page();
    quipu_web_actions::open(page, source.clone(), vec![1]);
    page.answer(0, Ok(summary("agent.db", true)));
    page.take_calls();
    page
}

impl Fake {
    fn note(&self, call: Call) {
        self.0.calls.borrow_mut().push(call);
    }

    fn hold(&self, call: Call, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        self.note(call);
        self.0.asked.borrow_mut().push(Some(Box::new(callback)));
    }

    /// The calls since the last look.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        self.0.calls.take()
    }

    /// Answers the question of this number; the first one is 0.
    pub(crate) fn answer(&self, number: usize, answer: Result<FileSummary, Failure>) {
        let callback = self.0.asked.borrow_mut().get_mut(number).and_then(Option::take).expect("asked, and not answered yet");
        callback(answer);
    }

    pub(crate) fn pass_ms(&self, millis: f64) {
        self.0.now_ms.set(self.0.now_ms.get() + millis);
    }

    /// The file as text: nothing, `opening NAME` or `open NAME`.
    pub(crate) fn file(&self) -> String {
        match self.0.signals.file.get_untracked() {
            FileState::None => String::new(),
            FileState::Opening { name, .. } => format!("opening {name}"),
            FileState::Open(summary) => format!("open {}", summary.name),
        }
    }

    pub(crate) fn remedy(&self) -> Option<Remedy> {
        self.0.signals.alert.get_untracked().map(|alert| alert.remedy)
    }

    pub(crate) fn alert_text(&self) -> String {
        self.0.signals.alert.get_untracked().map(|alert: Alert| alert.text).unwrap_or_default()
    }

    pub(crate) fn stale(&self) -> Option<String> {
        self.0.signals.stale.get_untracked()
    }

    /// The files that an address with `source` opens without asking.
    pub(crate) fn known(&self, source: &Source) -> Option<(Source, Vec<u32>)> {
        self.0.files.borrow().known(source)
    }
}

impl Page for Fake {
    type File = u32;
    type Worker = Fake;

    fn signals(&self) -> Signals {
        self.0.signals
    }

    fn worker(&self) -> Fake {
        *self
    }

    fn with_files<T>(&self, work: impl FnOnce(&mut VisitFiles<u32>) -> T) -> T {
        work(&mut self.0.files.borrow_mut())
    }

    fn opening_name(&self, source: &Source, _: &[u32]) -> String {
        match source {
            Source::File { name, .. } => name.clone(),
            _ => "another".into(),
        }
    }

    fn now_ms(&self) -> f64 {
        self.0.now_ms.get()
    }

    fn reset_lists(&self) {
        self.note(Call::ResetLists);
    }

    fn refresh_lists(&self) {
        self.note(Call::RefreshLists);
    }

    fn request_missing_rows(&self) {
        self.note(Call::RequestMissingRows);
    }

    fn look_again(&self, last: bool) {
        self.note(Call::LookAgain { last });
    }

    fn request_first_rows(&self) {
        self.note(Call::RequestFirstRows);
    }

    fn enter_source(&self, source: Source, was_empty: bool) {
        self.note(Call::EnterSource { source, was_empty });
    }

    fn follow_address(&self) {
        self.note(Call::FollowAddress);
    }
}

impl Worker for Fake {
    type File = u32;

    fn open(&self, source: &Source, _: &[u32], callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        self.hold(Call::Open(source.clone()), callback);
    }

    fn open_served(&self, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        self.hold(Call::OpenServed, callback);
    }

    fn get_file(&self, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        self.hold(Call::GetFile, callback);
    }

    fn stop_searching(&self, _: impl FnOnce(Result<(), Failure>) + 'static) {
        self.note(Call::StopSearching);
    }

    fn stop(&self) {
        self.note(Call::Stop);
    }

    fn warm_up(&self) {
        self.note(Call::WarmUp);
    }
}

/// The source of a file of the reader's.
pub(crate) fn file(name: &str, size_bytes: u64) -> Source {
    Source::File { name: name.into(), size_bytes: Some(size_bytes) }
}

pub(crate) fn failure(kind: FailureKind, message: &str) -> Failure {
    Failure { kind, message: message.into() }
}

pub(crate) fn summary(name: &str, indexed: bool) -> FileSummary {
    FileSummary { name: name.into(), size_bytes: 4_096, indexed, ..FileSummary::default() }
}
