//! The open connections: how many there may be, and which one is closed so that another can be opened.
//!
//! Nobody can keep others out by opening connections and saying nothing: when there are too many, the one that has been silent longest is
//! closed. In HTTP/2 a connection has as many requests as its client likes, up to a limit. Not here: limits of a body's size and time (`body`).

use super::foreign::{FIRST, PREFACE};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// Maximum number of open connections, and of those of one address.
const MOST: usize = 512;
const MOST_OF_PEER: usize = 256;
/// How long the head of a request may take from its first byte.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may be idle, or its client take nothing of a response.
pub(super) const IDLE: Duration = Duration::from_secs(75);
/// A body of which nothing came for so long gives way to other connections; at the end, a connection without requests is closed.
const SILENT: Duration = Duration::from_secs(1);

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waits for a request, or sends a response.
    Idle,
    /// A part of a head has come.
    Head,
    /// All requests in progress are waiting for their bodies.
    Body,
    /// A request is answered.
    Busy,
}

/// What is known of a connection.
struct State {
    /// Requests that are not answered, and bodies that have not come. In HTTP/2 there may be several.
    requests: usize,
    arriving: usize,
    /// Whether a part of a head has come, in HTTP/1.1. HTTP/2 has other reasons to send bytes.
    has_head: bool,
    /// Since when its phase lasts: since the last byte, except of a head.
    since: Instant,
    /// The first bytes, and how many there are.
    first: [u8; FIRST],
    begun: usize,
    /// Whether a request could be read.
    has_asked: bool,
}

impl State {
    fn phase(&self) -> Phase {
        match (self.requests, self.arriving) {
            (0, 0) if self.has_head => Phase::Head,
            (0, 0) => Phase::Idle,
            (requests, arriving) if requests <= arriving => Phase::Body,
            _ => Phase::Busy,
        }
    }

    fn first(&self) -> &[u8] {
        self.first.get(..self.begun).unwrap_or_default()
    }
}

/// An open connection.
pub(super) struct Connection {
    peer: IpAddr,
    state: Mutex<State>,
    closed: Notify,
}

impl Connection {
    fn new(peer: IpAddr) -> Connection {
        let state =
            State { requests: 0, arriving: 0, has_head: false, since: Instant::now(), first: [0; FIRST], begun: 0, has_asked: false };
        Connection { peer, state: Mutex::new(state), closed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn received(&self, bytes: &[u8]) {
        let mut state = self.state();
        let begun = state.begun;
        if let Some(free) = state.first.get_mut(begun..).filter(|free| !free.is_empty()) {
            let count = free.len().min(bytes.len());
            free.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            state.begun += count;
        }
        let is_http2 = state.first() == PREFACE;
        match state.phase() {
            Phase::Idle if !is_http2 => (state.has_head, state.since) = (true, Instant::now()),
            Phase::Head if is_http2 => (state.has_head, state.since) = (false, Instant::now()),
            Phase::Idle | Phase::Body => state.since = Instant::now(),
            Phase::Head | Phase::Busy => {}
        }
    }

    fn sent(&self) {
        let mut state = self.state();
        if state.phase() == Phase::Idle {
            state.since = Instant::now();
        }
    }

    /// A request begins. Returns its body, which tells when it has come, and what is to be kept until it is answered.
    pub(super) fn begin(self: &Arc<Self>, body: Incoming) -> (Arriving, Asked) {
        let mut state = self.state();
        let awaited = (!body.is_end_stream()).then(|| Awaited(self.clone()));
        state.requests += 1;
        state.arriving += usize::from(awaited.is_some());
        (state.has_head, state.has_asked, state.since) = (false, true, Instant::now());
        (Arriving { body, awaited }, Asked(self.clone()))
    }

    /// Waits until the connection is to be closed.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }

    /// The first bytes, if no request could be made of them.
    pub(super) fn not_understood(&self) -> Option<Vec<u8>> {
        let state = self.state();
        (!state.has_asked && state.begun > 0).then(|| state.first().to_vec())
    }

    /// The order in which connections give way; `None` for those that don't.
    fn rank(&self) -> Option<(u8, Instant)> {
        let state = self.state();
        match state.phase() {
            Phase::Idle | Phase::Head => Some((0, state.since)),
            Phase::Body if state.since.elapsed() >= SILENT => Some((1, state.since)),
            Phase::Body | Phase::Busy => None,
        }
    }

    fn is_silent(&self) -> bool {
        let state = self.state();
        state.phase() == Phase::Idle && state.since.elapsed() >= SILENT
    }

    fn is_overdue(&self) -> bool {
        let state = self.state();
        match state.phase() {
            Phase::Idle => state.since.elapsed() >= IDLE,
            Phase::Head => state.since.elapsed() >= HEAD,
            Phase::Body | Phase::Busy => false,
        }
    }
}

/// A request that is not answered. In HTTP/2 a client may withdraw it at any time.
pub(super) struct Asked(Arc<Connection>);

impl Drop for Asked {
    fn drop(&mut self) {
        let mut state = self.0.state();
        (state.requests, state.since) = (state.requests.saturating_sub(1), Instant::now());
    }
}

/// A body that has not come.
struct Awaited(Arc<Connection>);

impl Drop for Awaited {
    fn drop(&mut self) {
        let mut state = self.0.state();
        (state.arriving, state.since) = (state.arriving.saturating_sub(1), Instant::now());
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
        let connection = Arc::new(Connection::new(peer));
        open.insert(number, connection.clone());
        Some(Place { connections: self.clone(), number, connection })
    }

    /// Closes connections without requests that were silent for a moment, at the end.
    pub(super) fn close_silent(&self) {
        self.open().values().filter(|connection| connection.is_silent()).for_each(|connection| connection.closed.notify_one());
    }

    /// Closes connections that have been silent for too long.
    pub(super) fn close_overdue(&self) {
        self.open().values().filter(|connection| connection.is_overdue()).for_each(|connection| connection.closed.notify_one());
    }
}

/// A body that notifies its connection when it is complete.
pub(super) struct Arriving {
    body: Incoming,
    awaited: Option<Awaited>,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || polled.is_ready() && self.body.is_end_stream() {
            self.awaited = None;
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

/// A stream that notifies its connection of every byte.
pub(super) struct Watched<S> {
    pub(super) stream: S,
    pub(super) connection: Arc<Connection>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(bytes) = buffer.filled().get(before..).filter(|bytes| !bytes.is_empty()) {
            self.connection.received(bytes);
        }
        polled
    }
}

impl<S> Watched<S> {
    fn note<T>(&self, polled: Poll<std::io::Result<T>>) -> Poll<std::io::Result<T>> {
        if matches!(polled, Poll::Ready(Ok(_))) {
            self.connection.sent();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
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
