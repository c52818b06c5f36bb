//! The one door: events go in, and are written by a thread of their own.
//!
//! What is not here: the clock and the making of ids; events bring both.

use crate::queue::{Logged, Queue, Refused};
use crate::sink::{Sink, SinkError};
use crate::spans::OpenSpans;
use crate::warning::Warning;
use crate::worker::{Warn, Worker};
use quipu_model::Event;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

/// Seconds that the reference writes as `__ttl__` where nobody says otherwise: a week. Nothing is deleted after it.
pub const DEFAULT_TTL_SECONDS: i64 = 604_800;

/// Events that may wait, unless the builder says otherwise.
pub const DEFAULT_CAPACITY: usize = 100_000;

/// Takes events from any thread and hands them to its sinks. Logging an event never waits for a file.
///
/// Dropping it shuts it down; what then fails is told as a warning only.
pub struct Telemetry {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// An event that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Too many wait to be written. [`Telemetry::dropped`] counts it, and a [`Warning`] tells it.
    #[error("The event was dropped: {capacity} are waiting to be written.")]
    QueueFull {
        /// How many can wait.
        capacity: usize,
    },
    /// After the shutdown nothing is taken.
    #[error("The event was not taken: telemetry is shut down.")]
    ShutDown,
    /// Metrics of requests belong to a span.
    #[error("The metrics were not taken: this thread is in no span that is recorded.")]
    NoSpan,
    /// A field that can't be written.
    #[error("The event was not taken: {field} {wrong}.")]
    Invalid {
        /// The field's name.
        field: &'static str,
        /// What is wrong with it, and what is allowed.
        wrong: &'static str,
    },
}

/// What could not be written when `flush` or `shutdown` was called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join(" "))]
pub struct FlushError(pub Vec<String>);

/// Telemetry can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A sink can't be opened.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The system gives no thread.
    #[error("The thread that writes telemetry can't be started ({0}).")]
    Thread(std::io::Error),
}

type OpenSink = Box<dyn FnOnce() -> Result<Box<dyn Sink>, SinkError> + Send>;

/// What a [`Telemetry`] is to be.
pub struct TelemetryBuilder {
    sinks: Vec<OpenSink>,
    capacity: usize,
    warn: Warn,
}

impl Telemetry {
    /// Without sinks, with room for [`DEFAULT_CAPACITY`] events, and with warnings as lines on standard error.
    pub fn builder() -> TelemetryBuilder {
        TelemetryBuilder { sinks: Vec::new(), capacity: DEFAULT_CAPACITY, warn: Box::new(|warning| eprintln!("{warning}")) }
    }

    /// Takes an event. `ttl_seconds` is written as the attribute `__ttl__` of spans and log lines.
    ///
    /// Spans are written when they end, under the trace and span ids of their start. What comes for a span that is not open is dropped,
    /// and told as a [`Warning`]; a metric still goes to sinks that take metrics by themselves.
    ///
    /// # Errors
    /// [`LogError`]: the event was not taken.
    pub fn log_event(&self, event: Event, ttl_seconds: i64) -> Result<(), LogError> {
        check(&event)?;
        self.push(std::iter::once((event, ttl_seconds)))
    }

    /// Takes all of these events or none; what of them has a time to live gets [`DEFAULT_TTL_SECONDS`].
    pub(crate) fn log_all(&self, events: Vec<Event>) -> Result<(), LogError> {
        events.iter().try_for_each(check)?;
        self.push(events.into_iter().map(|event| (event, DEFAULT_TTL_SECONDS)))
    }

    fn push(&self, logged: impl ExactSizeIterator<Item = Logged>) -> Result<(), LogError> {
        self.queue.push(logged).map_err(|refused| match refused {
            Refused::Full => LogError::QueueFull { capacity: self.queue.capacity },
            Refused::Closed => LogError::ShutDown,
        })
    }

    /// How many events were dropped because too many were waiting.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped()
    }

    /// Waits until everything that was taken before is written. Must not be called by a sink or by whatever takes warnings.
    ///
    /// # Errors
    /// What the sinks could not write now; they try again.
    pub fn flush(&self) -> Result<(), FlushError> {
        outcome(self.queue.flush())
    }

    /// Takes nothing more, writes everything that was taken, and closes the sinks. Spans that have not ended are not written, and told of as a
    /// [`Warning`]. Must not be called by a sink or by whatever takes warnings.
    ///
    /// # Errors
    /// What the sinks could not write.
    pub fn shutdown(&self) -> Result<(), FlushError> {
        let failures = self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            return Err(FlushError(vec!["The thread that writes telemetry has ended by a panic.".into()]));
        }
        outcome(failures)
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // The sinks' failures were told as warnings.
        let _ = self.shutdown();
    }
}

/// Whether the event can be written at all.
fn check(event: &Event) -> Result<(), LogError> {
    let (trace_id, span_id, timestamp) = match event {
        Event::UnstructuredLog(event) => (&event.trace_id, &event.span_id, event.timestamp),
        Event::Metric(event) => (&event.trace_id, &event.span_id, event.timestamp),
        Event::StructuredLog(event) => (&event.trace_id, &event.span_id, event.timestamp),
    };
    let invalid = |field, wrong| Err(LogError::Invalid { field, wrong });
    if trace_id.is_empty() {
        return invalid("trace_id", "is empty; 32 hex digits are usual");
    }
    if span_id.is_empty() {
        return invalid("span_id", "is empty; 16 hex digits are usual");
    }
    if timestamp.at.0 < 0 {
        return invalid("timestamp", "lies before 1970");
    }
    Ok(())
}

fn outcome(failures: Vec<String>) -> Result<(), FlushError> {
    if failures.is_empty() { Ok(()) } else { Err(FlushError(failures)) }
}

impl TelemetryBuilder {
    /// Adds a sink, which is opened by the thread that uses it.
    pub fn sink<S: Sink + 'static>(mut self, open: impl FnOnce() -> Result<S, SinkError> + Send + 'static) -> TelemetryBuilder {
        self.sinks.push(Box::new(|| Ok(Box::new(open()?))));
        self
    }

    /// How many events may wait to be written, at least the three of an inference request; more are dropped, counted and told of.
    pub fn capacity(mut self, events: usize) -> TelemetryBuilder {
        self.capacity = events.max(3);
        self
    }

    /// Takes warnings instead of standard error. It is called by the thread that writes.
    pub fn on_warning(mut self, warn: impl Fn(&Warning) + Send + 'static) -> TelemetryBuilder {
        self.warn = Box::new(warn);
        self
    }

    /// Opens the sinks and starts the thread.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start(self) -> Result<Telemetry, StartError> {
        let TelemetryBuilder { sinks, capacity, warn } = self;
        let queue = Arc::new(Queue::new(capacity));
        let theirs = EndGuard(queue.clone());
        let (opened, is_open) = mpsc::channel();
        let run = move || {
            let sinks = sinks.into_iter().map(|open| open()).collect::<Result<Vec<_>, _>>();
            let sinks = match sinks {
                Ok(sinks) => sinks,
                // Whoever starts waits for the answer.
                Err(error) => return opened.send(Err(error)).unwrap_or_default(),
            };
            if opened.send(Ok(())).is_ok() {
                Worker { sinks, warn, spans: OpenSpans::default() }.run(&theirs.0);
            }
        };
        let thread = std::thread::Builder::new().name("quipu-telemetry".into()).spawn(run).map_err(StartError::Thread)?;
        match is_open.recv() {
            Ok(outcome) => outcome?,
            Err(_) => return Err(SinkError::new("A sink panicked while it was opened.").into()),
        }
        Ok(Telemetry { queue, thread: Mutex::new(Some(thread)) })
    }
}

/// Says that the thread has ended, also when it panics: nobody may wait for it any more.
struct EndGuard(Arc<Queue>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.end();
    }
}
