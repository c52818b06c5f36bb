//! Passes on what was committed, to another OTLP receiver, one request after the other.
//!
//! What can't be sent at once waits, up to a bound; then the newest is dropped, counted and told of, and collecting is never held up. What
//! is not here: HTTP and its pauses (`quipu_telemetry::otlp`).

use super::counters::Shared;
use crate::http::Encoding;
use anyhow::{Context, Result};
use quipu::transfer::Signal;
use quipu_telemetry::otlp::{Client, SendError, Settings};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Bytes that may wait.
const WAITING: usize = 64 << 20;
/// A request that is not taken for so long is dropped.
const LONGEST: Duration = Duration::from_secs(600);
/// How long sending goes on when the collector ends.
const LAST: Duration = Duration::from_secs(5);
/// What is dropped is told of so often at most.
const TOLD: Duration = Duration::from_secs(10);

/// Takes requests and sends them on from a thread of its own.
pub(crate) struct Forward {
    queue: Arc<Queue>,
    thread: JoinHandle<()>,
}

/// A request as it came, unpacked.
pub(crate) struct Passed {
    pub(crate) signal: Signal,
    pub(crate) encoding: Encoding,
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Passed>,
    bytes: usize,
    /// When sending ends, once the collector does.
    until: Option<Instant>,
    /// Dropped since it was told last, and when that was.
    untold: u64,
    told: Option<Instant>,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in between leaves a queue that is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn drop_some(&mut self, count: u64, shared: &Shared, to: &str) {
        shared.forward_dropped.add(count);
        self.untold += count;
        if self.untold > 0 && self.told.is_none_or(|at| at.elapsed() >= TOLD) {
            eprintln!("{} that {to} did not take in time were dropped; they are in the file.", requests(std::mem::take(&mut self.untold)));
            self.told = Some(Instant::now());
        }
    }
}

fn requests(count: u64) -> String {
    quipu::format::counted(Some(count), "request", "requests")
}

/// Says something that holds another program's words.
fn tell(words: &str) {
    eprintln!("{}", crate::output::clean_line(words));
}

/// A client of each signal.
pub(crate) struct Clients([(Signal, Client); 3]);

impl Clients {
    /// Clients for an address given by hand (`field` names it in errors), or that of a configuration.
    ///
    /// # Errors
    /// The first thing that is wrong with the address or with a variable.
    pub(crate) fn new(field: &str, base: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Clients> {
        let client =
            |signal| -> Result<(Signal, Client)> { Ok((signal, Client::new(Settings::to_endpoint(signal, field, base, lookup)?)?)) };
        let [traces, metrics, logs] = Signal::ALL.map(client);
        Ok(Clients([traces?, metrics?, logs?]))
    }

    fn of(&self, signal: Signal) -> Option<&Client> {
        self.0.iter().find(|(known, _)| *known == signal).map(|(_, client)| client)
    }
}

impl Forward {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub(crate) fn start(clients: Clients, shared: Arc<Shared>) -> Result<Forward> {
        let queue = Arc::new(Queue::default());
        let theirs = queue.clone();
        let run = move || send_all(&theirs, &clients, &shared);
        let thread = std::thread::Builder::new().name("quipu-forward".into()).spawn(run).context("The thread that forwards can't start")?;
        Ok(Forward { queue, thread })
    }

    /// Passes a request on, if there is room.
    pub(crate) fn pass(&self, passed: Passed, shared: &Shared) {
        let mut state = self.queue.state();
        if state.bytes + passed.body.len() > WAITING {
            return state.drop_some(1, shared, "the receiver of --forward");
        }
        state.bytes += passed.body.len();
        state.waiting.push_back(passed);
        self.queue.changed.notify_all();
    }

    /// Sends what waits, for a while, and ends.
    pub(crate) fn finish(self) {
        self.queue.state().until = Some(Instant::now() + LAST);
        self.queue.changed.notify_all();
        // A panic of the thread was told by itself.
        let _ = self.thread.join();
    }
}

fn send_all(queue: &Queue, clients: &Clients, shared: &Shared) {
    let mut is_failing = false;
    loop {
        let passed = {
            let mut state = queue.state();
            loop {
                if let Some(passed) = state.waiting.pop_front() {
                    state.bytes -= passed.body.len();
                    break passed;
                }
                if state.until.is_some() {
                    return;
                }
                state = queue.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let Some(client) = clients.of(passed.signal) else { continue };
        let begin = Instant::now();
        let mut wait = |pause: Duration, error: &SendError| {
            if !std::mem::replace(&mut is_failing, true) {
                tell(&format!("{error} It is tried again; collecting goes on."));
            }
            pause_within(queue, begin + LONGEST, pause)
        };
        match client.send_as(passed.encoding.label(), &passed.body, &mut wait) {
            Ok(answer) => {
                shared.forwarded.add(1);
                if std::mem::take(&mut is_failing) {
                    eprintln!("{} takes requests again.", client.url());
                }
                if answer.rejected > 0 {
                    let why = answer.message.unwrap_or_default();
                    tell(&format!("{} took a request but for {} entries: {why}", client.url(), answer.rejected));
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut is_failing, true) {
                    tell(&error.to_string());
                }
                let mut state = queue.state();
                let ends = state.until.is_some_and(|until| Instant::now() >= until);
                let rest = if ends { state.waiting.len() as u64 } else { 0 };
                state.drop_some(1 + rest, shared, client.url());
                if ends {
                    return;
                }
            }
        }
    }
}

/// Waits for the pause; false where trying again is too late then.
fn pause_within(queue: &Queue, latest: Instant, pause: Duration) -> bool {
    let end = Instant::now() + pause;
    let mut state = queue.state();
    loop {
        let latest = state.until.map_or(latest, |until| until.min(latest));
        let now = Instant::now();
        if now >= latest || end > latest {
            return false;
        }
        if now >= end {
            return true;
        }
        state = queue.changed.wait_timeout(state, end - now).unwrap_or_else(PoisonError::into_inner).0;
    }
}
