//! The worker that reads files behind typed requests.
//!
//! What is not here: what answers mean (`state`), and the worker itself (`web/worker`). A worker with another program or other messages has
//! a [`Link`] of its own.

mod host;
mod link;

pub(crate) use host::Death;

use crate::idle::Idle;
use host::Program;
use link::{Link, Protocol, Said};
use quipu::protocol::{Command, Event, Failure, FailureKind, Request, Response};
use web_sys::File;

/// What the worker says unasked.
pub(crate) type Notice = link::Notice<Event>;

type Answer = Result<Response, Failure>;

/// The messages of a worker that holds a session.
struct Sessions;

impl Protocol for Sessions {
    type Command = Command;
    type Answer = Answer;
    type Event = Event;

    fn read(message: &[u8]) -> Option<Said<Answer, Event>> {
        Some(match postcard::from_bytes(message).ok()? {
            Event::Ready { build } => Said::Ready(build),
            Event::Reply { id, result } => Said::Reply(id, result),
            event => Said::Event(event),
        })
    }

    fn write(command: &Command) -> Result<Vec<u8>, Answer> {
        postcard::to_allocvec(command)
            .map_err(|error| Err(Failure { kind: FailureKind::Internal, message: format!("The request could not be written: {error}.") }))
    }
}

/// Sends commands to the worker. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Client {
    link: Link<Sessions>,
    idle: Idle,
}

impl Client {
    /// A client without a worker; the first command starts one. `notice` hears what the worker says unasked.
    pub(crate) fn new(idle: Idle, notice: impl Fn(Notice) + 'static) -> Client {
        Client { link: Link::new(Program("quipu-worker"), idle.clone(), notice), idle }
    }

    /// Opens `files`; answers to what was asked before are dropped.
    /// `shared`: the one file is what a link carried.
    pub(crate) fn open(&self, files: &[File], shared: bool, callback: impl FnOnce(Answer) + 'static) {
        self.link.forget_waiting();
        let names = files.iter().map(File::name).collect();
        let command = if shared { Command::OpenShared } else { Command::Open { names } };
        self.link.send(&command, files, Some(self.idle.begin()), Box::new(callback));
    }

    /// Opens a database for questions in SQL only.
    pub(crate) fn open_for_sql(&self, files: &[File], callback: impl FnOnce(Answer) + 'static) {
        let names = files.iter().map(File::name).collect();
        self.link.send(&Command::OpenForSql { names }, files, Some(self.idle.begin()), Box::new(callback));
    }

    /// Asks for one answer.
    pub(crate) fn ask(&self, request: Request, callback: impl FnOnce(Answer) + 'static) {
        self.link.send(&Command::Ask(request), &[], Some(self.idle.begin()), Box::new(callback));
    }

    /// Asks for one answer that nothing on screen waits for. A worker that does not run is not started for it.
    pub(crate) fn ask_aside(&self, request: Request, callback: impl FnOnce(Answer) + 'static) {
        if self.link.host().is_ready() {
            self.link.send(&Command::Ask(request), &[], None, Box::new(callback));
        }
    }

    /// To be called every second while the page is visible: see [`host::Host::tick`]. Answers whether the worker should be asked for a sign
    /// of life.
    pub(crate) fn tick(&self) -> bool {
        self.link.tick()
    }

    /// Starts the worker before it is needed: opening a file then asks the server for nothing, and is quicker.
    pub(crate) fn warm_up(&self) {
        self.link.host().warm_up();
    }

    /// Ends the worker. The next command starts a new one.
    pub(crate) fn stop(&self) {
        self.link.stop();
    }
}
