//! The worker that reads files, behind typed requests; or the program that serves the page, in its place.
//!
//! What is not here: the use of answers (`actions`), and the worker itself (`web/worker`). A worker with another program has its own
//! [`Link`].

mod host;
mod link;
mod metrics;
mod served;

pub(crate) use host::Program;
pub(crate) use link::{Link, Notice as LinkNotice, Protocol, WorkerMessage};
pub(crate) use metrics::MetricsLink;
pub(crate) use quipu_web_actions::WorkerExit;
pub(crate) use served::{is_served, served};

use crate::idle::Idle;
use link::Callback;
use quipu_protocol::{Command, Event, Failure, FailureKind, Request, Response};
use served::Served;
use std::rc::Rc;
use web_sys::{Blob, File};

/// A report of the worker that answers no command.
pub(crate) type Notice = LinkNotice<Event>;

type Answer = Result<Response, Failure>;

/// The protocol of a worker that holds a session.
struct Sessions;

impl Protocol for Sessions {
    type Command = Command;
    type Answer = Answer;
    type Event = Event;

    fn read(message: &[u8]) -> Option<WorkerMessage<Answer, Event>> {
        Some(match postcard::from_bytes(message).ok()? {
            Event::Ready { build } => WorkerMessage::Ready(build),
            Event::Reply { id, result } => WorkerMessage::Reply(id, result),
            event => WorkerMessage::Event(event),
        })
    }

    fn write(command: &Command) -> Result<Vec<u8>, Answer> {
        postcard::to_allocvec(command)
            .map_err(|error| Err(Failure { kind: FailureKind::Internal, message: format!("The request could not be written: {error}.") }))
    }
}

/// Takes an answer without a blob.
fn alone(callback: impl FnOnce(Answer) + 'static) -> Callback<Answer> {
    Box::new(|answer, _| callback(answer))
}

/// Sends commands to the worker. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Client {
    link: Link<Sessions>,
    served: Served,
    idle: Idle,
}

impl Client {
    /// A client without a worker; the first command starts one. `notice` takes the worker's reports.
    pub(crate) fn new(idle: Idle, notice: impl Fn(Notice) + 'static) -> Client {
        let notice: Rc<dyn Fn(Notice)> = Rc::new(notice);
        let served = Served::new(idle.clone(), notice.clone());
        Client { link: Link::new(Program("quipu-worker"), idle.clone(), move |report| notice(report)), served, idle }
    }

    /// Opens `files`; answers to what was asked before are dropped.
    /// `shared`: the one file is what a link carried.
    pub(crate) fn open(&self, files: &[File], shared: bool, callback: impl FnOnce(Answer) + 'static) {
        self.served.close();
        self.link.forget_waiting();
        let names = files.iter().map(File::name).collect();
        let command = if shared { Command::OpenShared } else { Command::Open { names } };
        self.link.send(&command, files, Some(self.idle.begin()), alone(callback));
    }

    /// Opens the current edition of the served file: questions go to the program that serves it, and no worker is needed.
    pub(crate) fn open_served(&self, callback: impl FnOnce(Answer) + 'static) {
        self.link.forget_waiting();
        self.served.open(callback);
    }

    /// Opens a database for SQL queries only; without `files`, the served one.
    pub(crate) fn open_for_sql(&self, files: &[File], callback: impl FnOnce(Answer) + 'static) {
        if files.is_empty() && served().is_some() {
            return self.served.open_as("&for=sql", false, callback);
        }
        let names = files.iter().map(File::name).collect();
        self.link.send(&Command::OpenForSql { names }, files, Some(self.idle.begin()), alone(callback));
    }

    /// Asks for one answer.
    pub(crate) fn ask(&self, request: Request, callback: impl FnOnce(Answer) + 'static) {
        if self.served.is_open() {
            return self.served.ask(request, callback);
        }
        self.link.send(&Command::Ask(request), &[], Some(self.idle.begin()), alone(callback));
    }

    /// Requests the input of the metrics worker, as bytes.
    pub(crate) fn ask_readings(&self, callback: impl FnOnce(Result<Blob, Failure>) + 'static) {
        if self.served.is_open() {
            return self.served.ask_readings(callback);
        }
        let take: Callback<Answer> = Box::new(|answer, blob| {
            let nothing = || Failure { kind: FailureKind::Internal, message: "The worker sent no metrics input. Reload the page.".into() };
            callback(answer.and_then(|_| blob.ok_or_else(nothing)));
        });
        self.link.send(&Command::GetReadings, &[], Some(self.idle.begin()), take);
    }

    /// Asks a question that nothing on screen waits for. It does not start a worker.
    pub(crate) fn ask_aside(&self, request: Request, callback: impl FnOnce(Answer) + 'static) {
        if self.link.host().is_ready() && !self.served.is_open() {
            self.link.send(&Command::Ask(request), &[], None, alone(callback));
        }
    }

    /// Call this every second while the page is visible: see [`host::Host::tick`]. Returns whether a sign of life should be requested.
    pub(crate) fn tick(&self) -> bool {
        self.link.tick()
    }

    /// Starts the worker before it is needed, so that opening a file is quicker and needs no server.
    pub(crate) fn warm_up(&self) {
        self.link.host().warm_up();
    }

    /// Ends the worker. The next command starts a new one.
    pub(crate) fn stop(&self) {
        self.served.close();
        self.link.stop();
    }
}
