//! Commands to a worker and its answers, in the words of one protocol: numbers commands, hands every answer to who asked.
//!
//! What is not here: the worker itself (`host`), and which commands there are (the users of a [`Link`]).

use super::host::{Host, HostEvent, Program};
use crate::idle::{Busy, Idle};
use quipu_web_actions::WorkerExit;
use std::cell::RefCell;
use std::rc::Rc;
use web_sys::{Blob, File};

/// What a worker and the page say to each other.
pub(crate) trait Protocol: 'static {
    /// What the page sends.
    type Command;
    /// What answers a command.
    type Answer: 'static;
    /// What the worker says unasked.
    type Event: 'static;

    /// Reads a message; `None` when it is of another protocol, or build.
    fn read(message: &[u8]) -> Option<WorkerMessage<Self::Answer, Self::Event>>;

    /// The bytes of a command; where it can't be written, the answer to it.
    fn write(command: &Self::Command) -> Result<Vec<u8>, Self::Answer>;
}

/// What a message of a worker is.
pub(crate) enum WorkerMessage<Answer, Event> {
    /// The program runs; the build it belongs to.
    Ready(String),
    /// The answer to the command of this number.
    Reply(u32, Answer),
    /// Anything else.
    Event(Event),
}

/// What the worker says unasked.
pub(crate) enum Notice<Event> {
    /// It runs; the build it belongs to.
    Ready(String),
    /// Progress, or whatever else its protocol has.
    Event(Event),
    /// It is no more.
    Exited(WorkerExit),
}

/// Who waits for an answer, and for the blob beside it where there is one.
pub(crate) type Callback<Answer> = Box<dyn FnOnce(Answer, Option<Blob>)>;

/// The commands that wait for their answers.
struct Waiting<Answer> {
    last_id: u32,
    commands: Vec<(u32, Callback<Answer>, Option<Busy>)>,
}

/// A worker by its protocol. Cheap to clone; all clones are one.
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
    /// A link without a worker; the first command starts one. `notice` hears what the worker says unasked.
    pub(crate) fn new(program: Program, idle: Idle, notice: impl Fn(Notice<P::Event>) + 'static) -> Link<P> {
        let waiting = Rc::new(RefCell::new(Waiting { last_id: 0, commands: Vec::new() }));
        let heard = waiting.clone();
        let host = Host::new(program, idle, move |host, what| match what {
            HostEvent::Exited(exit) => {
                forget(&heard);
                notice(Notice::Exited(exit));
            }
            HostEvent::Message(message, blob) => {
                let said = P::read(&message);
                drop(message);
                match said {
                    None => host.fail(Some("its message could not be read; the page and the worker may be of different builds")),
                    Some(WorkerMessage::Ready(build)) => {
                        host.set_ready();
                        notice(Notice::Ready(build));
                    }
                    Some(WorkerMessage::Reply(id, answer)) => {
                        let command = {
                            let commands = &mut heard.borrow_mut().commands;
                            commands.iter().position(|(waiting, ..)| *waiting == id).map(|at| commands.swap_remove(at))
                        };
                        // The callback runs before the idle mark is given back: what it asks for next counts without a gap.
                        if let Some((_, callback, busy)) = command {
                            callback(answer, blob);
                            drop(busy);
                        }
                    }
                    Some(WorkerMessage::Event(event)) => notice(Notice::Event(event)),
                }
            }
        });
        Link { host, waiting }
    }

    /// Sends a command with the files beside it; `busy` is held until the answer was taken.
    // Not generic in who waits: every question would be all of this once more.
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
        if self.host.send(id, &body, files) {
            self.waiting.borrow_mut().commands.push((id, callback, busy));
        }
    }

    /// The worker, whatever it is asked.
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// [`Host::tick`].
    pub(crate) fn tick(&self) -> bool {
        let owes = !self.waiting.borrow().commands.is_empty();
        self.host.tick(owes)
    }

    /// Ends the worker; nothing that was asked is answered. The next command starts a new one.
    pub(crate) fn stop(&self) {
        self.host.stop();
        self.forget_waiting();
    }

    /// Drops the callbacks of all commands under way: nobody waits for their answers any more.
    pub(crate) fn forget_waiting(&self) {
        forget(&self.waiting);
    }
}

fn forget<Answer>(waiting: &RefCell<Waiting<Answer>>) {
    let commands = std::mem::take(&mut waiting.borrow_mut().commands);
    // What they hold may look here when it goes.
    drop(commands);
}
