//! Forwards committed requests to another OTLP receiver, one at a time.
//!
//! Requests that can't be sent immediately are queued up to a limit. Beyond it, new ones are dropped, counted and reported; collecting is
//! never delayed. HTTP and retry delays are in `quipu_telemetry::otlp`.

use super::counters::Shared;
use crate::http::Encoding;
use anyhow::{Context, Result};
use quipu::transfer::Signal;
use quipu_telemetry::otlp::{Client, SendError, Settings};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Maximum bytes queued.
const WAITING: usize = 64 << 20;
/// A request that is not accepted within this time is dropped.
const LONGEST: Duration = Duration::from_secs(600);
/// How long sending continues after the collector stopped.
const LAST: Duration = Duration::from_secs(5);
/// Minimum interval between reports of dropped requests.
const TOLD: Duration = Duration::from_secs(10);

/// Queues requests and sends them from a separate thread.
pub(crate) struct Forward {
    queue: Arc<Queue>,
    thread: JoinHandle<()>,
}

/// A request as received, decompressed.
pub(crate) struct ReceivedRequest {
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
    waiting: VecDeque<ReceivedRequest>,
    bytes: usize,
    /// Deadline for sending after shutdown.
    until: Option<Instant>,
    /// Requests dropped since the last report, and the time of that report.
    unreported: u64,
    reported: Option<Instant>,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while locked leaves the queue consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn drop_some(&mut self, count: u64, shared: &Shared, to: &str) {
        shared.forward_dropped.add(count);
        self.unreported += count;
        if self.unreported > 0 && self.reported.is_none_or(|at| at.elapsed() >= TOLD) {
            eprintln!(
                "Not forwarded: {} that {to} did not accept in time. They are in the file.",
                requests(std::mem::take(&mut self.unreported))
            );
            self.reported = Some(Instant::now());
        }
    }
}

fn requests(count: u64) -> String {
    quipu::format::counted(Some(count), "request", "requests")
}

/// Prints a message that contains text from another program.
fn warn(words: &str) {
    eprintln!("{}", crate::output::clean_line(words));
}

/// One client per signal.
pub(crate) struct Clients([(Signal, Client); 3]);

impl Clients {
    /// Creates clients for a base URL given on the command line or in a configuration; `field` names it in errors.
    ///
    /// # Errors
    /// If the URL or an environment variable is invalid.
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
    /// If no thread can be started.
    pub(crate) fn start(clients: Clients, shared: Arc<Shared>) -> Result<Forward> {
        let queue = Arc::new(Queue::default());
        let theirs = queue.clone();
        let run = move || send_all(&theirs, &clients, &shared);
        let thread = std::thread::Builder::new().name("quipu-forward".into()).spawn(run).context("The thread that forwards can't start")?;
        Ok(Forward { queue, thread })
    }

    /// Queues a request, if there is room.
    pub(crate) fn push(&self, forwarded: ReceivedRequest, shared: &Shared) {
        let mut state = self.queue.state();
        if state.bytes + forwarded.body.len() > WAITING {
            return state.drop_some(1, shared, "the receiver of --forward");
        }
        state.bytes += forwarded.body.len();
        state.waiting.push_back(forwarded);
        self.queue.changed.notify_all();
    }

    /// Sends queued requests until the deadline, then stops.
    pub(crate) fn finish(self) {
        self.queue.state().until = Some(Instant::now() + LAST);
        self.queue.changed.notify_all();
        // A panic of the thread has already been reported.
        let _ = self.thread.join();
    }
}

fn send_all(queue: &Queue, clients: &Clients, shared: &Shared) {
    let mut is_failing = false;
    loop {
        let forwarded = {
            let mut state = queue.state();
            loop {
                if let Some(forwarded) = state.waiting.pop_front() {
                    state.bytes -= forwarded.body.len();
                    break forwarded;
                }
                if state.until.is_some() {
                    return;
                }
                state = queue.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let Some(client) = clients.of(forwarded.signal) else { continue };
        let begin = Instant::now();
        let mut wait = |pause: Duration, error: &SendError| {
            if !std::mem::replace(&mut is_failing, true) {
                warn(&format!("{error} Retrying; collecting continues."));
            }
            pause_within(queue, begin + LONGEST, pause)
        };
        match client.send_as(forwarded.encoding.label(), &forwarded.body, &mut wait) {
            Ok(answer) => {
                shared.forwarded.add(1);
                if std::mem::take(&mut is_failing) {
                    eprintln!("{} accepts requests again.", client.url());
                }
                if answer.rejected > 0 {
                    let why = answer.message.unwrap_or_default();
                    warn(&format!("{} rejected {} entries of a request: {why}", client.url(), answer.rejected));
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut is_failing, true) {
                    warn(&error.to_string());
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

/// Waits; returns `false` if retrying would then be too late.
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
