//! A bounded queue between the program's threads and the writer thread.
//!
//! `worker` processes the events.

use crate::warning::Warning;
use crate::weight::of_event;
use quipu_model::Event;
use std::collections::VecDeque;
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Interval between retries of a failed sink if nothing else happens.
const RETRY: Duration = Duration::from_secs(1);

/// Maximum memory of waiting events in bytes, besides their number.
pub(crate) const MOST_BYTES: usize = 64 << 20;

/// A logged event.
pub(crate) struct Logged {
    pub(crate) event: Event,
    /// Time to live in seconds.
    pub(crate) ttl_seconds: i64,
    /// Is sent why the event was dropped, or `None`. Without it, a warning is reported.
    pub(crate) told: Option<Sender<Option<Warning>>>,
}

pub(crate) struct Queue {
    state: Mutex<State>,
    /// Wakes the writer thread.
    work: Condvar,
    /// Wakes threads that flush or shut down.
    done: Condvar,
    pub(crate) capacity: usize,
    capacity_bytes: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Logged>,
    /// Events taken from the queue but not written yet. They count as waiting.
    in_work: usize,
    /// Memory of the events that wait and that were taken.
    bytes: usize,
    bytes_in_work: usize,
    dropped: u64,
    dropped_told: u64,
    /// Number of flushes requested, and of those completed.
    asked: u64,
    answered: u64,
    /// No more events are accepted.
    closed: bool,
    ended: bool,
    /// Messages of the sinks from the last commit.
    failures: Vec<String>,
}

/// Why an event was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Closed,
}

/// The next work for the writer thread.
pub(crate) struct Batch {
    pub(crate) events: VecDeque<Logged>,
    /// The last flush that this batch completes.
    pub(crate) asked: u64,
    /// Events dropped since the last report.
    pub(crate) dropped: u64,
    /// Whether a flush is requested.
    pub(crate) flush: bool,
    /// Whether this is the last batch.
    pub(crate) last: bool,
}

impl Queue {
    pub(crate) fn new(capacity: usize, capacity_bytes: usize) -> Queue {
        Queue { state: Mutex::default(), work: Condvar::new(), done: Condvar::new(), capacity, capacity_bytes }
    }

    /// A panic while locked leaves the state consistent.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues all of the events or none.
    pub(crate) fn push(&self, logged: Vec<Logged>) -> Result<(), Refused> {
        let bytes: usize = logged.iter().map(|logged| of_event(&logged.event)).sum();
        let mut state = self.lock();
        if state.closed || state.ended {
            return Err(Refused::Closed);
        }
        let is_too_much = state.bytes + state.bytes_in_work + bytes > self.capacity_bytes;
        if is_too_much || state.waiting.len() + state.in_work + logged.len() > self.capacity {
            state.dropped += logged.len() as u64;
            return Err(Refused::Full);
        }
        state.bytes += bytes;
        state.waiting.extend(logged);
        self.work.notify_one();
        Ok(())
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Waits until all events queued before are committed. Returns the messages of the sinks.
    pub(crate) fn flush(&self) -> Vec<String> {
        let mut state = self.lock();
        state.asked += 1;
        let ticket = state.asked;
        self.work.notify_one();
        while state.answered < ticket && !state.ended {
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.answered < ticket && !state.closed {
            return vec!["The thread that writes telemetry has panicked.".into()];
        }
        state.failures.clone()
    }

    /// Rejects further events, and waits until everything is committed and the writer thread has ended.
    pub(crate) fn close(&self) -> Vec<String> {
        let mut state = self.lock();
        state.closed = true;
        self.work.notify_one();
        while !state.ended {
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.failures.clone()
    }

    /// Waits for work. `retry` is whether a sink has unfinished work and is to be called again after a while.
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
        state.bytes_in_work = std::mem::take(&mut state.bytes);
        let dropped = state.dropped - state.dropped_told;
        state.dropped_told = state.dropped;
        Batch { events, asked: state.asked, dropped, flush: state.asked > state.answered || state.closed, last: state.closed }
    }

    /// Marks the batch as done. `failures` are the messages of the sinks.
    pub(crate) fn finish(&self, asked: u64, failures: Vec<String>) {
        let mut state = self.lock();
        (state.in_work, state.bytes_in_work) = (0, 0);
        state.answered = asked;
        state.failures = failures;
        self.done.notify_all();
    }

    /// Marks the writer thread as ended.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.done.notify_all();
    }
}
