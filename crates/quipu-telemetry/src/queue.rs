//! What the threads of a program and the one that writes have between them: a bounded queue, and counts of what became of its events.
//!
//! What is not here: what is done with the events (`worker`).

use quipu_model::Event;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How soon a sink that failed is asked to try again when nothing else happens.
const RETRY: Duration = Duration::from_secs(1);

/// An event with the time to live it was logged with, in seconds.
pub(crate) type Logged = (Event, i64);

pub(crate) struct Queue {
    state: Mutex<State>,
    /// The writing thread waits for it.
    work: Condvar,
    /// Those who flush or shut down wait for it.
    done: Condvar,
    pub(crate) capacity: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Logged>,
    /// Taken from the queue and not yet written: they count as waiting.
    in_work: usize,
    dropped: u64,
    dropped_told: u64,
    /// Flushes asked for, and how many of them are done.
    asked: u64,
    answered: u64,
    /// No more is taken.
    closed: bool,
    /// The writing thread has ended.
    ended: bool,
    /// What the sinks said at the last commit.
    failures: Vec<String>,
}

/// Why an event was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Closed,
}

/// What the writing thread is to do next.
pub(crate) struct Batch {
    pub(crate) events: VecDeque<Logged>,
    /// The last flush that it answers.
    pub(crate) asked: u64,
    /// Events that were dropped and not told of.
    pub(crate) dropped: u64,
    /// Somebody waits for it.
    pub(crate) flush: bool,
    /// Nothing comes after it.
    pub(crate) last: bool,
}

impl Queue {
    pub(crate) fn new(capacity: usize) -> Queue {
        Queue { state: Mutex::default(), work: Condvar::new(), done: Condvar::new(), capacity }
    }

    /// A program goes on with its telemetry even if a thread of it panicked: nothing under the lock can be left half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all of them or none.
    pub(crate) fn push(&self, logged: impl ExactSizeIterator<Item = Logged>) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed || state.ended {
            return Err(Refused::Closed);
        }
        if state.waiting.len() + state.in_work + logged.len() > self.capacity {
            state.dropped += logged.len() as u64;
            return Err(Refused::Full);
        }
        state.waiting.extend(logged);
        self.work.notify_one();
        Ok(())
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Waits until all that was pushed before is committed, and answers with what the sinks said.
    pub(crate) fn flush(&self) -> Vec<String> {
        let mut state = self.lock();
        state.asked += 1;
        let ticket = state.asked;
        self.work.notify_one();
        while state.answered < ticket && !state.ended {
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.answered < ticket && !state.closed {
            return vec!["The thread that writes telemetry has ended by a panic.".into()];
        }
        state.failures.clone()
    }

    /// Lets nothing more in, and waits until all is committed and the writing thread has ended.
    pub(crate) fn close(&self) -> Vec<String> {
        let mut state = self.lock();
        state.closed = true;
        self.work.notify_one();
        while !state.ended {
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.failures.clone()
    }

    /// Waits for something to do. `retry` is whether a sink has something left over, and is to be asked in a while.
    pub(crate) fn next(&self, retry: bool) -> Batch {
        let mut state = self.lock();
        while state.waiting.is_empty() && state.asked == state.answered && !state.closed {
            if !retry {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (woken, waited) = self.work.wait_timeout(state, RETRY).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if waited.timed_out() {
                break;
            }
        }
        let events = std::mem::take(&mut state.waiting);
        state.in_work = events.len();
        let dropped = state.dropped - state.dropped_told;
        state.dropped_told = state.dropped;
        Batch { events, asked: state.asked, dropped, flush: state.asked > state.answered || state.closed, last: state.closed }
    }

    /// The batch is committed, or `failures` say why not.
    pub(crate) fn finish(&self, asked: u64, failures: Vec<String>) {
        let mut state = self.lock();
        state.in_work = 0;
        state.answered = asked;
        state.failures = failures;
        self.done.notify_all();
    }

    /// The writing thread ends.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.done.notify_all();
    }
}
