//! Commands to a worker and its answers, for one protocol: numbers commands, and passes every answer to its caller.
//!
//! Not here: the worker itself (`host`), and the commands (the users of a [`Link`]).

use super::host::{Host, HostEvent, Program};
use crate::idle::{Busy, Idle};
use quipu_web_actions::WorkerExit;
use std::cell::RefCell;
use std::rc::Rc;
use web_sys::{Blob, File};

/// The messages between the page and a worker.
pub(crate) trait Protocol: 'static {
    /// A command of the page.
    type Command;
    /// The answer to a command.
    type Answer: 'static;
    /// A report of the worker that answers no command.
    type Event: 'static;

    /// Decodes a message; `None` when it belongs to another protocol or build.
    fn read(message: &[u8]) -> Option<WorkerMessage<Self::Answer, Self::Event>>;

    /// Encodes a command; if that fails, returns the answer to it.
    fn write(command: &Self::Command) -> Result<Vec<u8>, Self::Answer>;

    /// The answer to every open command when the worker exits; `None` if they stay unanswered.
    fn exited(_exit: &WorkerExit) -> Option<Self::Answer> {
        None
    }
}

/// A message of a worker.
pub(crate) enum WorkerMessage<Answer, Event> {
    /// The program runs; with its build.
    Ready(String),
    /// The answer to the command with this number.
    Reply(u32, Answer),
    /// Another program has to take the commands that are not answered yet.
    NeedsProgram(Program),
    /// Anything else.
    Event(Event),
}

/// A report of the worker that answers no command.
pub(crate) enum Notice<Event> {
    /// The program runs; with its build.
    Ready(String),
    /// An event of its protocol, such as progress.
    Event(Event),
    /// It exited.
    Exited(WorkerExit),
}

/// Takes an answer, and the blob that came with it, if any.
pub(crate) type Callback<Answer> = Box<dyn FnOnce(Answer, Option<Blob>)>;

/// The commands that are not answered yet, in the order they were sent in.
struct Waiting<Answer> {
    last_id: u32,
    commands: Vec<Sent<Answer>>,
}

struct Sent<Answer> {
    id: u32,
    body: Vec<u8>,
    files: Vec<File>,
    callback: Callback<Answer>,
    busy: Option<Busy>,
}

/// A worker with its protocol. Cheap to clone; all clones share one worker.
pub(crate) struct Link<P: Protocol> {
    host: Host,
    waiting: Rc<RefCell<Waiting<P::Answer>>>,
}

impl<P: Protocol> Clone for Link<P> {
    fn clone(&self) -> Link<P> {
        Link { host: self.host.clone(), waiting: self.waiting.clone() }
    }
}

impl<P: Protocol> Link<P> {
    /// A link without a worker; the first command starts one. `notice` takes the worker's reports.
    pub(crate) fn new(program: Program, patience: u32, idle: Idle, notice: impl Fn(Notice<P::Event>) + 'static) -> Link<P> {
        let waiting = Rc::new(RefCell::new(Waiting { last_id: 0, commands: Vec::new() }));
        let open = waiting.clone();
        let host = Host::new(program, patience, idle, move |host, what| match what {
            HostEvent::Exited(exit) => {
                let commands = std::mem::take(&mut open.borrow_mut().commands);
                let answers: Vec<_> = commands.into_iter().map(|sent| (sent.callback, P::exited(&exit))).collect();
                notice(Notice::Exited(exit));
                for (callback, answer) in answers {
                    if let Some(answer) = answer {
                        callback(answer, None);
                    }
                }
            }
            HostEvent::Message(message, blob) => {
                let decoded = P::read(&message);
                drop(message);
                match decoded {
                    None => host.fail(Some("its message could not be read; the page and the worker may be of different builds")),
                    Some(WorkerMessage::Ready(build)) => {
                        host.set_ready();
                        notice(Notice::Ready(build));
                    }
                    Some(WorkerMessage::Reply(id, answer)) => {
                        let command = {
                            let commands = &mut open.borrow_mut().commands;
                            commands.iter().position(|sent| sent.id == id).map(|at| commands.remove(at))
                        };
                        // The callback runs before the idle mark is released, so that a follow-up question leaves no gap.
                        if let Some(Sent { callback, busy, .. }) = command {
                            callback(answer, blob);
                            drop(busy);
                        }
                    }
                    Some(WorkerMessage::NeedsProgram(program)) => {
                        host.set_program(program);
                        let again: Vec<_> =
                            open.borrow().commands.iter().map(|sent| (sent.id, sent.body.clone(), sent.files.clone())).collect();
                        for (id, body, files) in again {
                            host.send(id, &body, &files);
                        }
                    }
                    Some(WorkerMessage::Event(event)) => notice(Notice::Event(event)),
                }
            }
        });
        Link { host, waiting }
    }

    /// Sends a command with its files; `busy` is held until the answer was handled.
    // Not generic in the callback, because every question would duplicate this code.
    pub(crate) fn send(&self, command: &P::Command, files: &[File], busy: Option<Busy>, callback: Callback<P::Answer>) {
        let body = match P::write(command) {
            Ok(body) => body,
            Err(answer) => return callback(answer, None),
        };
        let id = {
            let mut waiting = self.waiting.borrow_mut();
            waiting.last_id = waiting.last_id.wrapping_add(1);
            waiting.last_id
        };
        // Before it is sent, so that an exit at the start answers it, too.
        self.waiting.borrow_mut().commands.push(Sent { id, body: body.clone(), files: files.to_vec(), callback, busy });
        self.host.send(id, &body, files);
    }

    /// The host of the worker.
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// [`Host::tick`].
    pub(crate) fn tick(&self) -> bool {
        let owes = !self.waiting.borrow().commands.is_empty();
        self.host.tick(owes)
    }

    /// Ends the worker; open commands are not answered. The next command starts a new one.
    pub(crate) fn stop(&self) {
        self.host.stop();
        self.forget_waiting();
    }

    /// Drops the callbacks of all open commands.
    pub(crate) fn forget_waiting(&self) {
        forget(&self.waiting);
    }
}

fn forget<Answer>(waiting: &RefCell<Waiting<Answer>>) {
    let commands = std::mem::take(&mut waiting.borrow_mut().commands);
    // Dropping a callback may access this.
    drop(commands);
}
