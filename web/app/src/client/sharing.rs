//! The worker that shares: it opens a copy of a part of the file, and redacts and converts it, while the worker that reads goes on.
//!
//! Not here: what is asked of it (`pages::share`).

use super::{Link, LinkNotice, OnReply, Reply, Sessions, TRANSFER, alone};
use crate::browser::error_text;
use crate::idle::Idle;
use js_sys::Array;
use quipu_protocol::{Command, Failure, FailureKind, Request, ShareWhat};
use quipu_web_actions::WorkerExit;
use std::cell::RefCell;
use std::rc::Rc;
use web_sys::{Blob, File};

/// Seconds that the worker may be silent. To redact all that it takes, 24 MB of text, it needs up to half a minute, and blocks nothing.
const PATIENCE: u32 = 120;

/// Sends commands to the worker that shares. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(super) struct Sharing {
    link: Link<Sessions>,
    idle: Idle,
    inner: Rc<RefCell<Inner>>,
}

#[derive(Default)]
struct Inner {
    /// The part whose copy the worker has open.
    holds: Option<ShareWhat>,
    /// Who waits, so that an exit of the worker is an answer, too.
    waiting: Vec<Rc<RefCell<Option<OnReply>>>>,
}

impl Sharing {
    pub(super) fn new(idle: Idle) -> Sharing {
        let inner: Rc<RefCell<Inner>> = Rc::default();
        let exited = inner.clone();
        let link = Link::new(TRANSFER, PATIENCE, idle.clone(), move |notice| {
            if let LinkNotice::Exited(exit) = notice {
                let Inner { waiting, .. } = exited.take();
                let replies: Vec<OnReply> = waiting.iter().filter_map(|slot| slot.borrow_mut().take()).collect();
                replies.into_iter().for_each(|reply| reply(Err(failure(&exit))));
            }
        });
        Sharing { link, idle, inner }
    }

    /// Whether the worker has a copy of this part.
    pub(super) fn holds(&self, what: &ShareWhat) -> bool {
        self.inner.borrow().holds.as_ref() == Some(what)
    }

    /// Opens the columns of `what`; its questions may be asked at once, as questions about the whole copy.
    pub(super) fn open(&self, what: ShareWhat, columns: &Blob) -> Result<(), Failure> {
        let file = File::new_with_blob_sequence(&Array::of1(columns), "share");
        let file = file.map_err(|error| Failure { kind: FailureKind::Internal, message: error_text(&error) })?;
        self.inner.borrow_mut().holds = Some(what);
        let inner = self.inner.clone();
        let opened: OnReply = Box::new(move |reply| {
            if reply.is_err() {
                inner.borrow_mut().holds = None;
            }
        });
        self.link.send(&Command::OpenShared, &[file], Some(self.idle.begin()), alone(opened));
        Ok(())
    }

    /// Asks about the copy.
    pub(super) fn ask(&self, request: Request, callback: OnReply) {
        let slot = Rc::new(RefCell::new(Some(callback)));
        {
            let waiting = &mut self.inner.borrow_mut().waiting;
            waiting.retain(|slot| slot.borrow().is_some());
            waiting.push(slot.clone());
        }
        let answer: OnReply = Box::new(move |reply: Reply| {
            let callback = slot.borrow_mut().take();
            if let Some(callback) = callback {
                callback(reply);
            }
        });
        self.link.send(&Command::Ask(request), &[], Some(self.idle.begin()), alone(answer));
    }

    /// Notices a worker that no longer answers; see [`Link::tick`].
    pub(super) fn tick(&self) {
        self.link.tick();
    }

    /// Ends the worker: its copy is of a file that is no longer open.
    pub(super) fn stop(&self) {
        self.link.stop();
        drop(self.inner.take());
    }
}

fn failure(exit: &WorkerExit) -> Failure {
    let (kind, message) = match exit {
        WorkerExit::OutOfMemory => (
            FailureKind::OutOfMemory,
            "The worker that shares ran out of memory. Select fewer traces or spans, or use `quipu share`, which can use all of the computer’s memory.".into(),
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
