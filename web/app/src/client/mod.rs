//! The worker that reads files behind typed requests, or the program that served the page in its stead.
//!
//! What is not here: what answers mean (`state`), and the worker itself (`web/worker`). A worker with another program or other messages has
//! a [`Link`] of its own.

mod host;
mod link;
mod served;

pub(crate) use host::{Death, Program};
pub(crate) use link::{Link, Notice as LinkNotice, Protocol, Said};

use crate::growth;
use crate::idle::Idle;
use link::Callback;
use quipu_protocol::{Command, Failure, FailureKind, FileSummary, GetFile, Notification, Question, Request, Response};
use served::Served;
use std::rc::Rc;
use web_sys::{Blob, File};

/// What the worker says unasked.
pub(crate) type Notice = LinkNotice<Notification>;

/// What comes over the wire in reply to a command.
type Reply = Result<Response, Failure>;

/// Who waits for a reply.
type OnReply = Box<dyn FnOnce(Reply)>;

/// The messages of a worker that holds a session.
struct Sessions;

impl Protocol for Sessions {
    type Command = Command;
    type Answer = Reply;
    type Event = Notification;

    fn read(message: &[u8]) -> Option<Said<Reply, Notification>> {
        Some(match postcard::from_bytes(message).ok()? {
            Notification::Ready { build } => Said::Ready(build),
            Notification::Reply { id, result } => Said::Reply(id, result),
            notification => Said::Event(notification),
        })
    }

    fn write(command: &Command) -> Result<Vec<u8>, Reply> {
        postcard::to_allocvec(command)
            .map_err(|error| Err(Failure { kind: FailureKind::Internal, message: format!("The request could not be written: {error}.") }))
    }
}

/// Takes a reply that has nothing beside it.
fn alone(callback: OnReply) -> Callback<Reply> {
    Box::new(|reply, _| callback(reply))
}

/// Reads the reply to a question. Boxed, so that only this is compiled once for each question, not what sends it.
pub(crate) fn reading<Q: Question>(callback: impl FnOnce(Result<Q::Answer, Failure>) + 'static) -> OnReply {
    Box::new(|reply| callback(Q::read(reply)))
}

/// Sends commands to the worker. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Client {
    link: Link<Sessions>,
    served: Served,
    idle: Idle,
}

impl Client {
    /// A client without a worker; the first command starts one. `notice` hears what the worker says unasked.
    pub(crate) fn new(idle: Idle, notice: impl Fn(Notice) + 'static) -> Client {
        let notice: Rc<dyn Fn(Notice)> = Rc::new(notice);
        let served = Served::new(idle.clone(), notice.clone());
        Client { link: Link::new(Program("quipu-worker"), idle.clone(), move |said| notice(said)), served, idle }
    }

    /// Opens `files`; answers to what was asked before are dropped.
    /// `shared`: the one file is what a link carried.
    pub(crate) fn open(&self, files: &[File], shared: bool, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        self.served.close();
        self.link.forget_waiting();
        let names = files.iter().map(File::name).collect();
        let command = if shared { Command::OpenShared } else { Command::Open { names } };
        self.link.send(&command, files, Some(self.idle.begin()), alone(reading::<GetFile>(callback)));
    }

    /// Opens the file that is served beside the page, as it is now: questions go to the program that serves it, and no worker is needed.
    pub(crate) fn open_served(&self, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        self.link.forget_waiting();
        self.served.open(callback);
    }

    /// Opens a database for questions in SQL only; without files the one that is served beside the page.
    pub(crate) fn open_for_sql(&self, files: &[File], callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        if files.is_empty() && growth::served().is_some() {
            return self.served.open_as("&for=sql", false, callback);
        }
        let names = files.iter().map(File::name).collect();
        self.link.send(&Command::OpenForSql { names }, files, Some(self.idle.begin()), alone(reading::<GetFile>(callback)));
    }

    /// Asks a question.
    pub(crate) fn ask<Q: Question>(&self, question: Q, callback: impl FnOnce(Result<Q::Answer, Failure>) + 'static) {
        self.send(question.into(), reading::<Q>(callback));
    }

    /// Sends a question and hands on the reply as it came.
    pub(crate) fn send(&self, request: Request, callback: OnReply) {
        if self.served.is_open() {
            return self.served.ask(request, callback);
        }
        self.link.send(&Command::Ask(request), &[], Some(self.idle.begin()), alone(callback));
    }

    /// Asks for what the file has to be counted, as bytes for the worker that counts.
    pub(crate) fn ask_readings(&self, callback: impl FnOnce(Result<Blob, Failure>) + 'static) {
        if self.served.is_open() {
            return self.served.ask_readings(callback);
        }
        let take: Callback<Reply> = Box::new(|reply, blob| {
            let nothing = || Failure { kind: FailureKind::Internal, message: "The worker sent no readings; reload the page.".into() };
            callback(reply.and_then(|_| blob.ok_or_else(nothing)));
        });
        self.link.send(&Command::GetReadings, &[], Some(self.idle.begin()), take);
    }

    /// Asks a question whose answer nothing on screen waits for. A worker that is not running is not started for it.
    pub(crate) fn ask_aside<Q: Question>(&self, question: Q, callback: impl FnOnce(Result<Q::Answer, Failure>) + 'static) {
        if self.link.host().is_ready() && !self.served.is_open() {
            self.link.send(&Command::Ask(question.into()), &[], None, alone(reading::<Q>(callback)));
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
        self.served.close();
        self.link.stop();
    }
}
