//! A thread that sends batches for a sink, so that no other sink waits for the network. Modelled on OpenTelemetry's batch processor.
//!
//! Batches that can't be delivered return to [`Pending`] and are retried with increasing delays. `traces` and `metrics` define what is
//! sent, `client` sends it.

use super::backoff::Backoff;
use super::client::{Client, Retry};
use crate::sink::SinkError;
use quipu_otlp::OtlpSource;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a shutdown waits for the remaining data to be delivered.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Data waiting to be sent, and its conversion to requests.
pub(super) trait Pending: Send + 'static {
    /// The content of one request.
    type Batch: Send;

    fn is_empty(&self) -> bool;
    /// Whether there is enough data for a full request.
    fn is_full(&self) -> bool;
    /// Takes the content of the next request. Only called if there is data.
    fn take(&mut self) -> Self::Batch;
    /// Puts back a batch that was not delivered, to be retried.
    fn put_back(&mut self, batch: Self::Batch);
    /// Called if nothing was added for the export interval.
    fn repeat(&mut self) {}
    /// Discards all data. Returns the number of spans lost.
    fn give_up(&mut self) -> u64;
    /// The number of spans in a batch.
    fn spans_in(batch: &Self::Batch) -> u64;
    /// Encodes the request as protobuf.
    fn request(source: &OtlpSource, batch: &Self::Batch) -> Vec<u8>;
}

pub(super) struct BatchQueue<P: Pending> {
    shared: Arc<Shared<P>>,
    patience: Duration,
}

struct Shared<P> {
    state: Mutex<State<P>>,
    /// Wakes the sending thread.
    work: Condvar,
    /// Wakes threads that flush or close.
    done: Condvar,
}

struct State<P> {
    pending: P,
    /// When data was first added to the empty queue.
    since: Instant,
    /// Spans being sent.
    in_flight: u64,
    /// Number of flushes requested, and of those completed.
    flushes_requested: u64,
    flushes_done: u64,
    /// No more data will be added.
    closing: bool,
    /// The sender must stop without sending the rest.
    abandoned: bool,
    ended: bool,
    /// The error of the last attempt, until one succeeds.
    last_error: Option<String>,
    /// Spans lost since the last report, and the reason.
    lost: u64,
    unreported: Option<String>,
}

impl<P> Shared<P> {
    /// A panic while locked leaves the state consistent.
    fn lock(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Pending> BatchQueue<P> {
    /// Starts the thread. It sends when a full request is pending, or after `delay`.
    pub(super) fn start(
        pending: P,
        client: Client,
        source: OtlpSource,
        delay: Duration,
        patience: Duration,
    ) -> Result<BatchQueue<P>, SinkError> {
        let state = State {
            pending,
            since: Instant::now(),
            in_flight: 0,
            flushes_requested: 0,
            flushes_done: 0,
            closing: false,
            abandoned: false,
            ended: false,
            last_error: None,
            lost: 0,
            unreported: None,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), work: Condvar::new(), done: Condvar::new() });
        let theirs = EndGuard(shared.clone());
        let run = move || send_all(&theirs.0, &client, &source, delay);
        let thread = std::thread::Builder::new().name("quipu-otlp".into()).spawn(run);
        thread.map_err(|error| SinkError::new(format!("The thread that sends telemetry can't be started ({error}).")))?;
        Ok(BatchQueue { shared, patience })
    }

    /// Adds data. `change` returns the number of spans lost and why, if any.
    pub(super) fn put(&self, change: impl FnOnce(&mut P) -> Option<(u64, String)>) {
        let mut state = self.shared.lock();
        if state.pending.is_empty() {
            state.since = Instant::now();
        }
        if let Some((lost, why)) = change(&mut state.pending) {
            state.lost += lost;
            state.unreported = Some(why);
        }
        self.shared.work.notify_one();
    }

    /// Reports errors since the last call. Does not wait.
    pub(super) fn report(&self) -> Result<(), SinkError> {
        report(&mut self.shared.lock())
    }

    /// Whether data is pending or an error is unreported.
    pub(super) fn is_behind(&self) -> bool {
        let state = self.shared.lock();
        !state.pending.is_empty() || state.in_flight > 0 || state.unreported.is_some()
    }

    /// Sends everything now. Each batch is tried once; on the last flush, it is retried until `patience` runs out.
    pub(super) fn flush(&self, last: bool) -> Result<(), SinkError> {
        if last { self.close() } else { self.send_once() }
    }

    fn send_once(&self) -> Result<(), SinkError> {
        let mut state = self.shared.lock();
        state.flushes_requested += 1;
        let ticket = state.flushes_requested;
        self.shared.work.notify_one();
        while state.flushes_done < ticket && !state.ended {
            state = self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        report(&mut state)
    }

    /// Sends the rest; what is not delivered within `patience` is lost.
    fn close(&self) -> Result<(), SinkError> {
        let until = Instant::now() + self.patience;
        let mut state = self.shared.lock();
        state.closing = true;
        state.flushes_requested += 1;
        self.shared.work.notify_one();
        while !state.ended {
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else { break };
            (state, _) = self.shared.done.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
        state.abandoned = true;
        self.shared.work.notify_one();
        if !state.ended {
            state.lost += state.pending.give_up() + std::mem::take(&mut state.in_flight);
            let why = state.last_error.take().unwrap_or_else(|| "The collector is too slow.".into());
            state.unreported = Some(format!("{why} The shutdown timed out."));
        }
        report(&mut state)
    }
}

impl<P: Pending> Drop for BatchQueue<P> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        (state.closing, state.abandoned) = (true, true);
        self.shared.work.notify_one();
    }
}

fn report<P>(state: &mut State<P>) -> Result<(), SinkError> {
    let lost = std::mem::take(&mut state.lost);
    match (state.unreported.take(), &state.last_error) {
        (Some(why), _) => Err(SinkError { why, lost }),
        (None, Some(last_error)) => Err(SinkError::new(format!("{last_error} Pending data is kept and sent later."))),
        (None, None) => Ok(()),
    }
}

/// Marks the thread as ended, even if it panics, so that nobody waits for it.
struct EndGuard<P>(Arc<Shared<P>>);

impl<P> Drop for EndGuard<P> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.done.notify_all();
    }
}

/// The loop of the sending thread.
fn send_all<P: Pending>(shared: &Shared<P>, client: &Client, source: &OtlpSource, delay: Duration) {
    let (mut backoff, mut pause) = (Backoff::default(), None);
    while let Some(batch) = next(shared, delay, pause) {
        let spans = P::spans_in(&batch);
        let outcome = client.send_once(&P::request(source, &batch));
        let mut state = shared.lock();
        if state.abandoned {
            return;
        }
        state.in_flight = 0;
        let retry = outcome.as_ref().err().map(|error| error.retry);
        match outcome {
            Ok(answer) => {
                state.lost += answer.rejected;
                let refused = |words: String| format!("{} rejected entries: {words}", client.url());
                let silent = || format!("{} rejected entries without giving a reason.", client.url());
                if answer.rejected > 0 {
                    state.unreported = Some(answer.message.map_or_else(silent, refused));
                } else if let Some(words) = answer.message {
                    state.unreported = Some(format!("{} says: {words}", client.url()));
                }
            }
            Err(error) if error.retry == Retry::Never => {
                state.lost += spans;
                state.unreported = Some(error.why);
            }
            Err(error) => {
                state.last_error = Some(error.why);
                state.pending.put_back(batch);
            }
        }
        if let Some(Retry::After(requested)) = retry {
            pause = Some(Instant::now() + backoff.next_pause(requested));
            // A flush does not wait for the retry.
            state.flushes_done = state.flushes_requested;
            shared.done.notify_all();
        } else {
            (backoff, pause) = (Backoff::default(), None);
            state.last_error = None;
        }
    }
}

/// Waits until a request is due; `None` at shutdown. After a failure, the next request is due when `pause` ends or a flush is requested.
fn next<P: Pending>(shared: &Shared<P>, delay: Duration, pause: Option<Instant>) -> Option<P::Batch> {
    let mut state = shared.lock();
    loop {
        if state.abandoned || state.pending.is_empty() && state.closing {
            return None;
        }
        let now = Instant::now();
        if state.pending.is_empty() {
            state.flushes_done = state.flushes_requested;
            shared.done.notify_all();
            let (woken, waited) = shared.work.wait_timeout(state, delay).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if waited.timed_out() {
                state.pending.repeat();
                state.since = now;
            }
            continue;
        }
        let due = match pause {
            Some(end) => end,
            None if state.pending.is_full() || state.closing => now,
            None => state.since + delay,
        };
        if state.flushes_requested > state.flushes_done || due <= now {
            let batch = state.pending.take();
            state.in_flight = P::spans_in(&batch);
            state.since = now;
            return Some(batch);
        }
        (state, _) = shared.work.wait_timeout(state, due - now).unwrap_or_else(PoisonError::into_inner);
    }
}
