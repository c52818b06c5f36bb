//! The main API: accepts events, and writes them in a separate thread.
//!
//! Events carry their own times and ids.

use crate::queue::{Logged, MOST_BYTES, Queue, Refused};
use crate::sink::{Sink, SinkError};
use crate::spans::OpenSpans;
use crate::warning::Warning;
use crate::worker::{Warn, Worker};
use quipu_model::Event;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

/// The default value of the attribute `__ttl__` in seconds: a week, as in Llama Stack. Nothing is deleted after it.
pub const DEFAULT_TTL_SECONDS: i64 = 604_800;

/// Default capacity of the event queue.
pub const DEFAULT_CAPACITY: usize = 100_000;

/// Accepts events from any thread and passes them to its sinks. Logging never waits for I/O.
///
/// Dropping it shuts it down. Errors during that shutdown are only reported as warnings.
pub struct Telemetry {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What becomes of an event.
pub struct Receipt(mpsc::Receiver<Option<Warning>>);

impl Receipt {
    /// Waits until the writer thread has looked at the event; a span that ends is not stored yet.
    ///
    /// # Errors
    /// Why the event was dropped.
    pub fn wait(self) -> Result<(), Warning> {
        // Without an answer the thread has ended, which `flush` tells.
        self.0.recv().unwrap_or_default().map_or(Ok(()), Err)
    }
}

/// An event was rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Too many events are waiting to be written, or too large ones. [`Telemetry::dropped`] counts them, and a [`Warning`] reports them.
    #[error("The event was dropped: {capacity} are waiting to be written, or fewer that are large.")]
    QueueFull {
        /// The queue's capacity in events.
        capacity: usize,
    },
    /// Telemetry has been shut down.
    #[error("The event was rejected: telemetry is shut down.")]
    ShutDown,
    /// Inference metrics need a current span.
    #[error("The metrics were rejected: this thread is not in a recorded span.")]
    NoSpan,
    /// A field has an invalid value.
    #[error("The event was rejected: {field} {wrong}.")]
    Invalid {
        /// Name of the field.
        field: &'static str,
        /// The problem and the allowed values, to follow the field name in a sentence.
        wrong: &'static str,
    },
}

/// Messages of the sinks about data that `flush` or `shutdown` could not write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join(" "))]
pub struct FlushError(pub Vec<String>);

/// Telemetry could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A sink could not be opened.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The writer thread could not be started.
    #[error("The thread that writes telemetry can't be started ({0}).")]
    Thread(std::io::Error),
}

type OpenSink = Box<dyn FnOnce() -> Result<Box<dyn Sink>, SinkError> + Send>;

/// Configures and starts a [`Telemetry`].
pub struct TelemetryBuilder {
    sinks: Vec<OpenSink>,
    capacity: usize,
    capacity_bytes: usize,
    warn: Warn,
}

impl Telemetry {
    /// A builder without sinks, with room for [`DEFAULT_CAPACITY`] events, and with warnings printed to standard error.
    pub fn builder() -> TelemetryBuilder {
        TelemetryBuilder {
            sinks: Vec::new(),
            capacity: DEFAULT_CAPACITY,
            capacity_bytes: MOST_BYTES,
            warn: Box::new(|warning| eprintln!("{warning}")),
        }
    }

    /// Queues an event. `ttl_seconds` is written as the attribute `__ttl__` of spans and log lines.
    ///
    /// Spans are written when they end, with the trace and span ids of their start. Events for a span that is not open are dropped and
    /// reported as a [`Warning`]; metrics still reach sinks that accept metrics on their own.
    ///
    /// # Errors
    /// [`LogError`] if the event was rejected.
    pub fn log_event(&self, event: Event, ttl_seconds: i64) -> Result<(), LogError> {
        check(&event)?;
        self.push(vec![Logged { event, ttl_seconds, told: None }])
    }

    /// Like [`log_event`](Telemetry::log_event), and lets the caller wait for what becomes of the event, instead of a warning. A start whose
    /// id a sink has stored already is refused.
    ///
    /// # Errors
    /// [`LogError`] if the event was rejected.
    pub fn log_event_with_receipt(&self, event: Event, ttl_seconds: i64) -> Result<Receipt, LogError> {
        check(&event)?;
        let (told, receipt) = mpsc::channel();
        self.push(vec![Logged { event, ttl_seconds, told: Some(told) }])?;
        Ok(Receipt(receipt))
    }

    /// Queues all of these events or none, with [`DEFAULT_TTL_SECONDS`].
    pub(crate) fn log_all(&self, events: Vec<Event>) -> Result<(), LogError> {
        events.iter().try_for_each(check)?;
        self.push(events.into_iter().map(|event| Logged { event, ttl_seconds: DEFAULT_TTL_SECONDS, told: None }).collect())
    }

    fn push(&self, logged: Vec<Logged>) -> Result<(), LogError> {
        self.queue.push(logged).map_err(|refused| match refused {
            Refused::Full => LogError::QueueFull { capacity: self.queue.capacity },
            Refused::Closed => LogError::ShutDown,
        })
    }

    /// The number of events dropped because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped()
    }

    /// Waits until all events queued before are written. Must not be called by a sink or a warning handler.
    ///
    /// # Errors
    /// [`FlushError`] with the problems of the sinks. They keep the data and retry.
    pub fn flush(&self) -> Result<(), FlushError> {
        outcome(self.queue.flush())
    }

    /// Stops accepting events, writes all queued events, and closes the sinks. Open spans are not written, but reported as a [`Warning`].
    /// Must not be called by a sink or a warning handler.
    ///
    /// # Errors
    /// [`FlushError`] with the problems of the sinks.
    pub fn shutdown(&self) -> Result<(), FlushError> {
        let failures = self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            return Err(FlushError(vec!["The thread that writes telemetry has panicked.".into()]));
        }
        outcome(failures)
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // Errors were already reported as warnings.
        let _ = self.shutdown();
    }
}

/// Checks that the event can be written.
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
    /// Adds a sink. `open` runs in the writer thread.
    pub fn sink<S: Sink + 'static>(mut self, open: impl FnOnce() -> Result<S, SinkError> + Send + 'static) -> TelemetryBuilder {
        self.sinks.push(Box::new(|| Ok(Box::new(open()?))));
        self
    }

    /// Sets the maximum number of waiting events, at least three (those of an inference request). Further events are dropped, counted and
    /// reported.
    pub fn capacity(mut self, events: usize) -> TelemetryBuilder {
        self.capacity = events.max(3);
        self
    }

    /// Sets the maximum memory of waiting events in bytes; 64 MiB by default.
    pub fn capacity_bytes(mut self, bytes: usize) -> TelemetryBuilder {
        self.capacity_bytes = bytes;
        self
    }

    /// Sets the warning handler, which replaces standard error. It runs in the writer thread.
    pub fn on_warning(mut self, warn: impl Fn(&Warning) + Send + 'static) -> TelemetryBuilder {
        self.warn = Box::new(warn);
        self
    }

    /// Opens the sinks and starts the writer thread.
    ///
    /// # Errors
    /// [`StartError`] if a sink can't be opened or no thread can be started.
    pub fn start(self) -> Result<Telemetry, StartError> {
        let TelemetryBuilder { sinks, capacity, capacity_bytes, warn } = self;
        let queue = Arc::new(Queue::new(capacity, capacity_bytes));
        let theirs = EndGuard(queue.clone());
        let (opened, is_open) = mpsc::channel();
        let run = move || {
            let sinks = sinks.into_iter().map(|open| open()).collect::<Result<Vec<_>, _>>();
            let sinks = match sinks {
                Ok(sinks) => sinks,
                // The caller is waiting for it.
                Err(error) => return opened.send(Err(error)).unwrap_or_default(),
            };
            if opened.send(Ok(())).is_ok() {
                Worker { sinks, warn, spans: OpenSpans::default(), dropped: 0 }.run(&theirs.0);
            }
        };
        let thread = std::thread::Builder::new().name("quipu-telemetry".into()).spawn(run).map_err(StartError::Thread)?;
        match is_open.recv() {
            Ok(outcome) => outcome?,
            Err(_) => return Err(SinkError::new("A sink panicked while being opened.").into()),
        }
        Ok(Telemetry { queue, thread: Mutex::new(Some(thread)) })
    }
}

/// Marks the thread as ended, even if it panics, so that nobody waits for it.
struct EndGuard(Arc<Queue>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.end();
    }
}
