//! The worker that reads files, behind typed requests; or the program that serves the page, in its place.
//!
//! Not here: the use of answers (`actions`), and the worker itself (`web/worker`). A worker with another program has its own
//! [`Link`].

mod host;
mod link;
mod metrics;
mod served;
mod sharing;

pub(crate) use host::{PATIENCE, Program};
pub(crate) use link::{Link, Notice as LinkNotice, Protocol, WorkerMessage};
pub(crate) use metrics::MetricsLink;
pub(crate) use quipu_web_actions::WorkerExit;
pub(crate) use served::{is_served, served};

use crate::carried;
use crate::idle::Idle;
use link::Callback;
use quipu_protocol::{
    Command, Failure, FailureKind, FileQuestions, FileSummary, GetFile, Notification, Question, QuestionList, Request, ShareWhat,
};
use served::Served;
use sharing::Sharing;
use std::rc::Rc;
use web_sys::{Blob, File};

/// A report of the worker that answers no command.
pub(crate) type Notice = LinkNotice<Notification>;

/// Reads files.
const READING: Program = Program("quipu-worker");
/// Does the same, and also imports, shares and runs SQL. Larger, so it is loaded when that is needed.
const TRANSFER: Program = Program("quipu-transfer");

/// What comes over the wire in reply to a command or a question.
pub(crate) type Reply<List = FileQuestions> = Result<<List as QuestionList>::Response, Failure>;

/// Who waits for a reply.
pub(crate) type OnReply<List = FileQuestions> = Box<dyn FnOnce(Reply<List>)>;

/// The protocol of a worker that holds a session.
struct Sessions;

impl Protocol for Sessions {
    type Command = Command;
    type Answer = Reply;
    type Event = Notification;

    fn read(message: &[u8]) -> Option<WorkerMessage<Reply, Notification>> {
        Some(match postcard::from_bytes(message).ok()? {
            Notification::Ready { build } => WorkerMessage::Ready(build),
            Notification::Reply { id, result } => WorkerMessage::Reply(id, result),
            Notification::NeedsImport => WorkerMessage::NeedsProgram(TRANSFER),
            notification => WorkerMessage::Event(notification),
        })
    }

    fn write(command: &Command) -> Result<Vec<u8>, Reply> {
        postcard::to_allocvec(command).map_err(|error| Err(unwritten(&error)))
    }
}

fn unwritten(error: &postcard::Error) -> Failure {
    Failure { kind: FailureKind::Internal, message: format!("The request could not be written: {error}.") }
}

/// Takes a reply without a blob.
fn alone(callback: OnReply) -> Callback<Reply> {
    Box::new(|reply, _| callback(reply))
}

/// Takes the blob beside a reply.
fn with_blob(callback: impl FnOnce(Result<Blob, Failure>) + 'static) -> Callback<Reply> {
    Box::new(|reply, blob| {
        let nothing = || Failure { kind: FailureKind::Internal, message: "The worker sent no data. Reload the page.".into() };
        callback(reply.and_then(|_| blob.ok_or_else(nothing)));
    })
}

/// Reads the reply to a question. Boxed, so that only this is compiled once for each question, not what sends it.
pub(crate) fn reading<Q: Question>(callback: impl FnOnce(Result<Q::Answer, Failure>) + 'static) -> OnReply<Q::List> {
    Box::new(|reply| callback(Q::read(reply)))
}

/// Sends commands to the worker. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Client {
    link: Link<Sessions>,
    sharing: Sharing,
    served: Served,
    idle: Idle,
}

impl Client {
    /// A client without a worker; the first command starts one. `notice` takes the worker's reports.
    pub(crate) fn new(idle: Idle, notice: impl Fn(Notice) + 'static) -> Client {
        // A self-contained file carries one program that does everything.
        let program = if carried::is_here() { TRANSFER } else { READING };
        Client::of(program, idle, Rc::new(notice))
    }

    /// A client whose worker runs SQL.
    pub(crate) fn for_sql(idle: Idle, notice: impl Fn(Notice) + 'static) -> Client {
        Client::of(TRANSFER, idle, Rc::new(notice))
    }

    fn of(program: Program, idle: Idle, notice: Rc<dyn Fn(Notice)>) -> Client {
        let served = Served::new(idle.clone(), notice.clone());
        let link = Link::new(program, PATIENCE, idle.clone(), move |report| notice(report));
        Client { link, sharing: Sharing::new(idle.clone()), served, idle }
    }

    /// Opens `files`; answers to what was asked before are dropped.
    /// `shared`: the one file is what a link carried.
    pub(crate) fn open(&self, files: &[File], shared: bool, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        self.served.close();
        self.sharing.stop();
        self.link.forget_waiting();
        let names = files.iter().map(File::name).collect();
        let command = if shared { Command::OpenShared } else { Command::Open { names } };
        self.link.send(&command, files, Some(self.idle.begin()), alone(reading::<GetFile>(callback)));
    }

    /// Opens the current generation of the served file: questions go to the program that serves it, and no worker is needed.
    pub(crate) fn open_served(&self, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        self.sharing.stop();
        self.link.forget_waiting();
        self.served.open(callback);
    }

    /// Opens a database for SQL queries only; without `files`, the served one.
    pub(crate) fn open_for_sql(&self, files: &[File], callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        if files.is_empty() && served().is_some() {
            return self.served.open_as("&for=sql", false, callback);
        }
        let names = files.iter().map(File::name).collect();
        self.link.send(&Command::OpenForSql { names }, files, Some(self.idle.begin()), alone(reading::<GetFile>(callback)));
    }

    /// Asks a question.
    pub(crate) fn ask<Q: Question<List = FileQuestions>>(&self, question: Q, callback: impl FnOnce(Result<Q::Answer, Failure>) + 'static) {
        self.send(question.into(), reading::<Q>(callback));
    }

    /// Sends a question and hands on the reply as it came.
    pub(crate) fn send(&self, request: Request, callback: OnReply) {
        if self.served.is_open() {
            return self.served.ask(request, callback);
        }
        self.link.send(&Command::Ask(request), &[], Some(self.idle.begin()), alone(callback));
    }

    /// Asks a question about sharing `what`, which `question` makes: of the program that serves the page, or of a worker of its own that gets
    /// a copy of this part of the file.
    pub(crate) fn ask_about_share(&self, what: ShareWhat, question: impl FnOnce(ShareWhat) -> Request + 'static, callback: OnReply) {
        if self.served.is_open() {
            return self.send(question(what), callback);
        }
        // The copy is all that was chosen.
        let request = question(ShareWhat::All);
        if self.sharing.holds(&what) {
            return self.sharing.ask(request, callback);
        }
        let sharing = self.sharing.clone();
        let command = Command::CopyPart { what: what.clone() };
        let take = with_blob(move |copy| match copy.and_then(|copy| sharing.open(what, &copy)) {
            Ok(()) => sharing.ask(request, callback),
            Err(failure) => callback(Err(failure)),
        });
        self.link.send(&command, &[], Some(self.idle.begin()), take);
    }

    /// Requests the input of the metrics worker, as bytes.
    pub(crate) fn ask_metrics_input(&self, callback: impl FnOnce(Result<Blob, Failure>) + 'static) {
        if self.served.is_open() {
            return self.served.ask_metrics_input(callback);
        }
        self.link.send(&Command::GetMetricsInput, &[], Some(self.idle.begin()), with_blob(callback));
    }

    /// Asks a question that nothing on screen waits for. It does not start a worker.
    pub(crate) fn ask_aside<Q: Question<List = FileQuestions>>(
        &self,
        question: Q,
        callback: impl FnOnce(Result<Q::Answer, Failure>) + 'static,
    ) {
        if self.link.host().is_ready() && !self.served.is_open() {
            self.link.send(&Command::Ask(question.into()), &[], None, alone(reading::<Q>(callback)));
        }
    }

    /// Call this every second while the page is visible: see [`host::Host::tick`]. Returns whether a sign of life should be requested.
    pub(crate) fn tick(&self) -> bool {
        self.sharing.tick();
        self.link.tick()
    }

    /// Starts the worker before it is needed, so that opening a file is quicker and needs no server.
    pub(crate) fn warm_up(&self) {
        self.link.host().warm_up();
    }

    /// Ends the worker. The next command starts a new one.
    pub(crate) fn stop(&self) {
        self.served.close();
        self.sharing.stop();
        self.link.stop();
    }
}
