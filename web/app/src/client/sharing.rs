//! The worker that shares: it opens a copy of a part of the file, and redacts and converts it, while the worker that reads goes on.
//!
//! Not here: what is asked of it (`pages::share`).

use super::{Link, LinkNotice, OnReply, Protocol, Reply, Sessions, TRANSFER, WorkerMessage, alone};
use crate::browser::{blob_as_file, error_text};
use crate::idle::Idle;
use quipu_protocol::{Command, Failure, FailureKind, Notification, Request, ShareWhat};
use quipu_web_actions::WorkerExit;
use std::cell::RefCell;
use std::rc::Rc;
use web_sys::Blob;

/// Seconds that the worker may be silent. To redact all that it takes, 24 MB of text, it needs up to half a minute, and blocks nothing.
const PATIENCE: u32 = 120;

/// The protocol of a session, in which an exit is an answer: nobody asks again.
struct Shares;

impl Protocol for Shares {
    type Command = Command;
    type Answer = Reply;
    type Event = Notification;

    fn read(message: &[u8]) -> Option<WorkerMessage<Reply, Notification>> {
        Sessions::read(message)
    }

    fn write(command: &Command) -> Result<Vec<u8>, Reply> {
        Sessions::write(command)
    }

    fn exited(exit: &WorkerExit) -> Option<Reply> {
        Some(Err(failure(exit)))
    }
}

/// Sends commands to the worker that shares. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(super) struct Sharing {
    link: Link<Shares>,
    idle: Idle,
    /// The part whose copy the worker has open.
    holds: Rc<RefCell<Option<ShareWhat>>>,
}

impl Sharing {
    pub(super) fn new(idle: Idle) -> Sharing {
        let holds: Rc<RefCell<Option<ShareWhat>>> = Rc::default();
        let held = holds.clone();
        let link = Link::new(TRANSFER, PATIENCE, idle.clone(), move |notice| {
            if let LinkNotice::Exited(_) = notice {
                held.take();
            }
        });
        Sharing { link, idle, holds }
    }

    /// Whether the worker has a copy of this part.
    pub(super) fn holds(&self, what: &ShareWhat) -> bool {
        self.holds.borrow().as_ref() == Some(what)
    }

    /// Opens the copy of `what`, a database; its questions may be asked at once, as questions about the whole copy.
    pub(super) fn open(&self, what: ShareWhat, copy: &Blob) -> Result<(), Failure> {
        let file = blob_as_file(copy, "share");
        let file = file.map_err(|error| Failure { kind: FailureKind::Internal, message: error_text(&error) })?;
        self.holds.replace(Some(what));
        let holds = self.holds.clone();
        let opened: OnReply = Box::new(move |reply| {
            if reply.is_err() {
                holds.take();
            }
        });
        self.link.send(&Command::OpenShared, &[file], Some(self.idle.begin()), alone(opened));
        Ok(())
    }

    /// Asks about the copy.
    pub(super) fn ask(&self, request: Request, callback: OnReply) {
        self.link.send(&Command::Ask(request), &[], Some(self.idle.begin()), alone(callback));
    }

    /// Notices a worker that no longer answers; see [`Link::tick`].
    pub(super) fn tick(&self) {
        self.link.tick();
    }

    /// Ends the worker: its copy is of a file that is no longer open.
    pub(super) fn stop(&self) {
        self.link.stop();
        self.holds.take();
    }
}

fn failure(exit: &WorkerExit) -> Failure {
    let (kind, message) = match exit {
        WorkerExit::OutOfMemory => (
            FailureKind::OutOfMemory,
            "The worker that shares ran out of memory. Select fewer traces or spans, or use `quipu export`, which can use all of the \
             computer’s memory."
                .into(),
        ),
        WorkerExit::NotStarted(why) => (
            FailureKind::Internal,
            format!(
                "The worker that shares could not be started{why}. Check that quipu-transfer.js and quipu-transfer_bg.wasm are next to the \
                 page on its server."
            ),
        ),
        WorkerExit::Stopped(why) => (FailureKind::Internal, format!("The worker that shares stopped{why}. Try again.")),
        WorkerExit::Unserved(why) => (FailureKind::Internal, why.clone()),
    };
    Failure { kind, message }
}
