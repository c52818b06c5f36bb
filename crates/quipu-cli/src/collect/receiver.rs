//! What happens to a body, however it came: it is decompressed, decoded, queued for the writer thread, and answered once it is committed.
//!
//! Memory is counted from the first byte of a body until its rows are in the file, also if the client leaves. Not here: HTTP (`routes`), gRPC
//! (`calls`).

use super::counters::{Counter, Shared};
use super::forward::ReceivedRequest;
use super::keeper::{Job, Jobs, Kept};
use crate::http::{Encoding, Held, Limits, Packing, Refusal, Room};
use axum::http::StatusCode;
use quipu::store::Refused;
use quipu::transfer::{RequestError, Rows, Signal, read_request, zipkin_request};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};

/// Limits of one body. The OpenTelemetry Collector's limit is 20 MB.
pub(super) const LIMITS: Limits = Limits { sent: 16 << 20, unpacked: 64 << 20, time: Duration::from_secs(30) };
/// What a body of Zipkin may have: it is in memory twice, as what it was and as OTLP.
const OF_ZIPKIN: Limits = Limits { unpacked: 16 << 20, ..LIMITS };
/// Memory for all requests together in KiB: their bodies and the rows made from them.
const HELD: usize = 256 << 10;

/// Takes bodies.
pub(super) struct Receiver {
    jobs: Jobs,
    pub(super) shared: Arc<Shared>,
    /// Memory for all requests.
    pub(super) room: Room,
    /// Limits the number of threads that decode.
    readers: Arc<Semaphore>,
    /// Fingerprints bodies with a random key.
    hasher: RandomState,
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// An export request in JSON or protobuf.
    Otlp(Encoding),
    /// A list of spans as Zipkin's clients send it.
    Zipkin,
}

/// A body as it came.
pub(super) struct Body {
    pub(super) signal: Signal,
    pub(super) form: Form,
    pub(super) packing: Packing,
    pub(super) bytes: Vec<u8>,
    /// The memory of the bytes.
    pub(super) held: Held,
}

/// A request that was stored.
pub(super) struct Stored {
    /// Entries that were left out, and why; `None` if everything was kept.
    pub(super) rejected: u64,
    pub(super) words: Option<String>,
}

impl Receiver {
    pub(super) fn new(jobs: Jobs, shared: Arc<Shared>) -> Receiver {
        let readers = std::thread::available_parallelism().map_or(2, usize::from);
        Receiver { jobs, shared, room: Room::new(HELD), readers: Arc::new(Semaphore::new(readers)), hasher: RandomState::new() }
    }

    /// Stores what a body contains. Counts the outcome.
    ///
    /// # Errors
    /// If nothing of it was stored.
    pub(super) async fn store(self: &Arc<Self>, body: Body) -> Result<Stored, Refusal> {
        let signal = body.signal;
        let place = self.readers.clone().acquire_owned().await.map_err(|_| ending())?;
        let receiver = self.clone();
        // The place and the memory go along: a client that leaves does not end a thread.
        let read = tokio::task::spawn_blocking(move || {
            let _place = place;
            receiver.read(body)
        });
        let read = read
            .await
            .map_err(|_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "The body can't be decoded because of an internal error."))??;
        let problems = Problems::of(&read.rows);
        let (done, is_done) = oneshot::channel();
        let job = Job {
            request: Some(read.request),
            rows: read.rows,
            bytes: read.length,
            fingerprint: read.fingerprint,
            refused: Refused::default(),
            held: read.held,
            done,
        };
        let outcome = {
            let _waiting = [
                Waits::new(&self.shared.waiting_requests, 1),
                Waits::new(&self.shared.waiting_bytes, read.length as u64),
            ];
            if self.jobs.send(job) { is_done.await.map_err(|_| ending()) } else { Err(ending()) }
        };
        let Kept { rows, refused, held } = outcome?.map_err(|words| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words).retry_after(5))?;
        drop(rows);
        drop(held);
        let rejected = problems.count + refused.entries;
        self.shared.of(signal).refused.add(rejected);
        self.shared.refused_parts.add(refused.parts);
        Ok(Stored { rejected, words: problems.words(&refused) })
    }

    fn read(&self, body: Body) -> Result<Read, Refusal> {
        let Body { signal, form, packing, bytes, mut held } = body;
        let bytes = packing.unpack(bytes, if form == Form::Zipkin { OF_ZIPKIN } else { LIMITS })?;
        self.shared.of(signal).bytes.add(bytes.len() as u64);
        let refuse = |why: RequestError| {
            let status = if matches!(why, RequestError::TooMuch(_)) { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            Refusal::new(status, format!("The body {why}. Nothing of it was kept."))
        };
        // What is kept beside the file and forwarded is OTLP.
        let (encoding, body) = match form {
            Form::Otlp(encoding) => (encoding, bytes),
            Form::Zipkin => (Encoding::Protobuf, zipkin_request(&bytes).map_err(refuse)?),
        };
        let rows = read_request(signal, encoding == Encoding::Json, &body).map_err(refuse)?;
        // Duplicate spans are detected by their ids. Log records and points have none, so the whole body is fingerprinted.
        let fingerprint = (signal != Signal::Traces).then(|| self.hasher.hash_one((signal, body.as_slice())));
        let length = body.len();
        held.add(self.room.hold(length * 2 + rows.weight())?);
        Ok(Read { rows, length, fingerprint, request: ReceivedRequest { signal, encoding, body }, held })
    }
}

/// A part of a number of what waits, taken off when it is dropped: a client may leave at any time.
struct Waits<'c>(&'c Counter, u64);

impl<'c> Waits<'c> {
    fn new(counter: &'c Counter, count: u64) -> Waits<'c> {
        counter.add(count);
        Waits(counter, count)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.sub(self.1);
    }
}

/// Entries that were left out before the file was asked.
struct Problems {
    count: u64,
    first: Option<&'static str>,
}

impl Problems {
    fn of(rows: &Rows) -> Problems {
        Problems { count: rows.problem_count(), first: rows.problems().first().map(|(what, _)| *what) }
    }

    /// The message about these problems and about rows the file rejected; `None` if everything was stored.
    fn words(&self, refused: &Refused) -> Option<String> {
        let entries = self.first.map(|first| format!("Some entries were not kept: {first}."));
        let of_file = refused.why.as_ref().map(|why| {
            let Refused { entries, parts, .. } = refused;
            format!("The file did not take {entries} entries and {parts} rows that belong to entries ({why}).")
        });
        match (entries, of_file) {
            (Some(one), Some(other)) => Some(format!("{one} {other}")),
            (one, other) => one.or(other),
        }
    }
}

struct Read {
    rows: Rows,
    length: usize,
    fingerprint: Option<u64>,
    request: ReceivedRequest,
    held: Held,
}

fn ending() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "The collector is shutting down; nothing of this request was stored. Send it again later.",
    )
    .retry_after(5)
}
