//! The open connections: how many there may be, and which one is closed so that another can be opened.
//!
//! Nobody can keep others out by opening connections and saying nothing: when there are too many, the one that has been silent longest is
//! closed. Not here: limits of a body's size and time (`body`).

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Maximum number of open connections, and of those of one address.
const MOST: usize = 512;
const MOST_OF_PEER: usize = 256;
/// How long the head of a request may take from its first byte.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may be idle, or its client take nothing of a response.
pub(super) const IDLE: Duration = Duration::from_secs(75);
/// A body of which nothing came for so long gives way to other connections.
const SILENT: Duration = Duration::from_secs(1);

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waits for a request, or sends a response.
    Idle,
    /// A part of a head has come.
    Head,
    /// A head has come, and its body is awaited.
    Body,
    /// A request is answered.
    Busy,
}

/// An open connection.
pub(super) struct Connection {
    peer: IpAddr,
    /// The phase, and since when it lasts: since the last byte, except of a head.
    state: Mutex<(Phase, Instant)>,
    closed: Notify,
}

impl Connection {
    fn state(&self) -> MutexGuard<'_, (Phase, Instant)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, phase: Phase) {
        *self.state() = (phase, Instant::now());
    }

    fn received(&self) {
        let mut state = self.state();
        match state.0 {
            Phase::Idle => *state = (Phase::Head, Instant::now()),
            Phase::Body => state.1 = Instant::now(),
            Phase::Head | Phase::Busy => {}
        }
    }

    fn sent(&self) {
        let mut state = self.state();
        if state.0 == Phase::Idle {
            state.1 = Instant::now();
        }
    }

    /// A request begins. Returns its body, which tells when it has come.
    pub(super) fn begin(self: &Arc<Self>, body: Incoming) -> Arriving {
        self.set(if body.is_end_stream() { Phase::Busy } else { Phase::Body });
        Arriving { body, connection: self.clone() }
    }

    /// A request is answered.
    pub(super) fn end(&self) {
        self.set(Phase::Idle);
    }

    /// Waits until the connection is to be closed.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }

    /// The order in which connections give way; `None` for those that don't.
    fn rank(&self) -> Option<(u8, Instant)> {
        let (phase, since) = *self.state();
        match phase {
            Phase::Idle | Phase::Head => Some((0, since)),
            Phase::Body if since.elapsed() >= SILENT => Some((1, since)),
            Phase::Body | Phase::Busy => None,
        }
    }

    fn is_overdue(&self) -> bool {
        let (phase, since) = *self.state();
        match phase {
            Phase::Idle => since.elapsed() >= IDLE,
            Phase::Head => since.elapsed() >= HEAD,
            Phase::Body | Phase::Busy => false,
        }
    }
}

/// All open connections.
#[derive(Default)]
pub(super) struct Connections {
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
}

/// The place of an open connection, free again on drop.
pub(super) struct Place {
    connections: Arc<Connections>,
    number: u64,
    pub(super) connection: Arc<Connection>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
    }
}

impl Connections {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection, for which another one may have to be closed. `None` if all are at work.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let mut open = self.open();
        let of_peer = open.values().filter(|connection| connection.peer == peer).count();
        if open.len() >= MOST || of_peer >= MOST_OF_PEER {
            let may_close = |connection: &Connection| of_peer < MOST_OF_PEER || connection.peer == peer;
            let ranked = open.iter().filter(|(_, it)| may_close(it)).filter_map(|(number, it)| Some((it.rank()?, *number)));
            let (_, number) = ranked.min()?;
            open.remove(&number)?.closed.notify_one();
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection { peer, state: Mutex::new((Phase::Idle, Instant::now())), closed: Notify::new() });
        open.insert(number, connection.clone());
        Some(Place { connections: self.clone(), number, connection })
    }

    /// Closes connections that have been silent for too long.
    pub(super) fn close_overdue(&self) {
        self.open().values().filter(|connection| connection.is_overdue()).for_each(|connection| connection.closed.notify_one());
    }
}

/// A body that tells its connection when it has come.
pub(super) struct Arriving {
    body: Incoming,
    connection: Arc<Connection>,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || polled.is_ready() && self.body.is_end_stream() {
            self.connection.set(Phase::Busy);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that tells its connection of every byte.
pub(super) struct Watched {
    pub(super) stream: TcpStream,
    pub(super) connection: Arc<Connection>,
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.connection.received();
        }
        polled
    }
}

impl Watched {
    fn note<T>(&self, polled: Poll<std::io::Result<T>>) -> Poll<std::io::Result<T>> {
        if matches!(polled, Poll::Ready(Ok(_))) {
            self.connection.sent();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.note(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
