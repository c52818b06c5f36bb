//! A thread that sends what a sink gives it, so that no other sink waits for the network.
//!
//! What can't be delivered is kept by its [`Pending`] and tried again after growing pauses. What is not here: what is sent (`traces`,
//! `metrics`), and how (`client`).

use super::backoff::Backoff;
use super::client::{Client, Retry};
use crate::sink::SinkError;
use quipu_otlp::OtlpSource;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a shutdown waits for a collector that does not take what is left.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What waits to be sent, and how it becomes requests.
pub(super) trait Pending: Send + 'static {
    /// What one request carries.
    type Batch: Send;

    /// Nothing waits.
    fn is_empty(&self) -> bool;
    /// A request's worth waits.
    fn is_full(&self) -> bool;
    /// Takes what the next request carries. Called where something waits.
    fn take(&mut self) -> Self::Batch;
    /// A request was not delivered, and is to be tried again.
    fn put_back(&mut self, batch: Self::Batch);
    /// A while has passed in which nothing came.
    fn repeat(&mut self) {}
    /// Everything that waits is given up; how many spans that are.
    fn give_up(&mut self) -> u64;
    /// How many spans there are in it.
    fn spans_in(batch: &Self::Batch) -> u64;
    /// The request in protobuf.
    fn request(source: &OtlpSource, batch: &Self::Batch) -> Vec<u8>;
}

pub(super) struct BatchQueue<P: Pending> {
    shared: Arc<Shared<P>>,
    patience: Duration,
}

struct Shared<P> {
    state: Mutex<State<P>>,
    /// The sending thread waits for it.
    work: Condvar,
    /// Those who flush or close wait for it.
    done: Condvar,
}

struct State<P> {
    pending: P,
    /// Since when something waits.
    since: Instant,
    /// Spans that are on their way.
    in_flight: u64,
    /// Flushes asked for, and how many of them are done.
    asked: u64,
    answered: u64,
    /// Nothing more comes.
    closing: bool,
    /// Nobody waits any more.
    abandoned: bool,
    /// The thread has ended.
    ended: bool,
    /// Why the last try failed, until one succeeds.
    trouble: Option<String>,
    /// What is lost and was not told of, and why.
    lost: u64,
    news: Option<String>,
}

impl<P> Shared<P> {
    /// A panic elsewhere leaves nothing half done under the lock.
    fn lock(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Pending> BatchQueue<P> {
    /// Starts the thread. It sends when a request's worth waits, or something has waited for `delay`.
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
            asked: 0,
            answered: 0,
            closing: false,
            abandoned: false,
            ended: false,
            trouble: None,
            lost: 0,
            news: None,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), work: Condvar::new(), done: Condvar::new() });
        let theirs = EndGuard(shared.clone());
        let run = move || send_all(&theirs.0, &client, &source, delay);
        let thread = std::thread::Builder::new().name("quipu-otlp".into()).spawn(run);
        thread.map_err(|error| SinkError::new(format!("The thread that sends telemetry can't be started ({error}).")))?;
        Ok(BatchQueue { shared, patience })
    }

    /// Changes what waits. Answers of `change` are spans that are lost by it, and why.
    pub(super) fn put(&self, change: impl FnOnce(&mut P) -> Option<(u64, String)>) {
        let mut state = self.shared.lock();
        if state.pending.is_empty() {
            state.since = Instant::now();
        }
        if let Some((lost, why)) = change(&mut state.pending) {
            state.lost += lost;
            state.news = Some(why);
        }
        self.shared.work.notify_one();
    }

    /// What is to be told since the last time; nothing is waited for.
    pub(super) fn report(&self) -> Result<(), SinkError> {
        report(&mut self.shared.lock())
    }

    /// Whether something is on its way or to be told.
    pub(super) fn is_behind(&self) -> bool {
        let state = self.shared.lock();
        !state.pending.is_empty() || state.in_flight > 0 || state.news.is_some()
    }

    /// Sends everything now: each request once, or, where nothing comes after it, again and again until patience ends.
    pub(super) fn flush(&self, last: bool) -> Result<(), SinkError> {
        if last { self.close() } else { self.send_once() }
    }

    fn send_once(&self) -> Result<(), SinkError> {
        let mut state = self.shared.lock();
        state.asked += 1;
        let ticket = state.asked;
        self.shared.work.notify_one();
        while state.answered < ticket && !state.ended {
            state = self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        report(&mut state)
    }

    /// What is left when patience ends is lost.
    fn close(&self) -> Result<(), SinkError> {
        let until = Instant::now() + self.patience;
        let mut state = self.shared.lock();
        state.closing = true;
        state.asked += 1;
        self.shared.work.notify_one();
        while !state.ended {
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else { break };
            (state, _) = self.shared.done.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
        state.abandoned = true;
        self.shared.work.notify_one();
        if !state.ended {
            state.lost += state.pending.give_up() + std::mem::take(&mut state.in_flight);
            let why = state.trouble.take().unwrap_or_else(|| "The collector is too slow.".into());
            state.news = Some(format!("{why} The shutdown could not wait longer."));
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
    match (state.news.take(), &state.trouble) {
        (Some(why), _) => Err(SinkError { why, lost }),
        (None, Some(trouble)) => Err(SinkError::new(format!("{trouble} What waits is kept and sent later."))),
        (None, None) => Ok(()),
    }
}

/// Says that the thread has ended, also when it panics: nobody may wait for it any more.
struct EndGuard<P>(Arc<Shared<P>>);

impl<P> Drop for EndGuard<P> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.done.notify_all();
    }
}

/// What the thread does.
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
                let refused = |words: String| format!("{} refused a part: {words}", client.url());
                let silent = || format!("{} refused a part without saying why.", client.url());
                if answer.rejected > 0 {
                    state.news = Some(answer.message.map_or_else(silent, refused));
                } else if let Some(words) = answer.message {
                    state.news = Some(format!("{} says: {words}", client.url()));
                }
            }
            Err(error) if error.retry == Retry::Never => {
                state.lost += spans;
                state.news = Some(error.why);
            }
            Err(error) => {
                state.trouble = Some(error.why);
                state.pending.put_back(batch);
            }
        }
        if let Some(Retry::After(asked)) = retry {
            pause = Some(Instant::now() + backoff.next_pause(asked));
            // Who flushes need not wait for a better time.
            state.answered = state.asked;
            shared.done.notify_all();
        } else {
            (backoff, pause) = (Backoff::default(), None);
            state.trouble = None;
        }
    }
}

/// Waits until a request is to be sent; `None` where nothing more is. After a failure that is when `pause` ends, or somebody flushes.
fn next<P: Pending>(shared: &Shared<P>, delay: Duration, pause: Option<Instant>) -> Option<P::Batch> {
    let mut state = shared.lock();
    loop {
        if state.abandoned || state.pending.is_empty() && state.closing {
            return None;
        }
        let now = Instant::now();
        if state.pending.is_empty() {
            state.answered = state.asked;
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
        if state.asked > state.answered || due <= now {
            let batch = state.pending.take();
            state.in_flight = P::spans_in(&batch);
            state.since = now;
            return Some(batch);
        }
        (state, _) = shared.work.wait_timeout(state, due - now).unwrap_or_else(PoisonError::into_inner);
    }
}
