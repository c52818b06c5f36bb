//! The HTTP server: limits connections, checks each request with the guard, and shuts down gracefully.
//!
//! HTTP itself is hyper's, routing axum's. HTTP/1.1 and HTTP/2 share a port, told apart by the first bytes of a connection.

use super::connections::{Connections, IDLE};
use super::conversation::Conversation;
use super::ending::Ending;
use super::guard::Guard;
use super::listen::Door;
use super::notices::{Notices, Peer, UnusableCounts};
use super::tls::Tls;
use anyhow::{Context, Result};
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// How often connections that are silent for too long are looked for.
const LOOK: Duration = Duration::from_millis(500);
/// How long pending requests may take after a shutdown was requested.
const LAST: Duration = Duration::from_secs(10);
/// Requests of one connection at a time, in HTTP/2. Clients begin with up to a hundred before they hear of a limit, as the standard proposes.
const STREAMS: u32 = 100;
/// Bytes that may come of a request, and of all requests of a connection, before what came is taken. They are in no account of memory.
const WINDOW: u32 = 256 << 10;
/// The longest frame, in HTTP/2. A message of half a megabyte would be thirty frames of the usual length.
const FRAME: u32 = 64 << 10;
/// The longest head, in HTTP/2.
const HEADERS: u32 = 8 << 10;

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocols {
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/1.1 and HTTP/2, as gRPC needs it.
    Both,
}

/// A bound socket that nobody serves yet.
pub(crate) struct Listener {
    listener: TcpListener,
    guard: Arc<Guard>,
    tls: Option<Tls>,
}

/// Bound sockets that share the limits of connections.
pub(crate) struct Server {
    listeners: Vec<Listener>,
    protocols: Protocols,
    unusable: Arc<UnusableCounts>,
}

/// The async runtime, with separate threads for blocking work.
///
/// # Errors
/// If no threads can be started.
pub(crate) fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("Can't start threads")
}

impl Listener {
    /// Binds the address.
    ///
    /// # Errors
    /// If the address is invalid or in use.
    pub(crate) async fn bind(door: Door) -> Result<Listener> {
        let Door { address, flag, guard, tls } = door;
        let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => anyhow::anyhow!("Another program listens on {address}; choose another {flag} ADDRESS:PORT."),
            _ => anyhow::anyhow!("Can't listen on {address} ({error}); choose another {flag} ADDRESS:PORT."),
        })?;
        Ok(Listener { listener, guard: Arc::new(guard), tls })
    }

    /// The bound address, with the actual port if 0 was requested.
    ///
    /// # Errors
    /// If the system can't report it.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// The scheme and the address.
    ///
    /// # Errors
    /// If the system can't report the address.
    pub(crate) fn url(&self) -> Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.address()?))
    }
}

impl Server {
    pub(crate) fn new(listeners: Vec<Listener>, protocols: Protocols) -> Server {
        Server { listeners, protocols, unusable: Arc::default() }
    }

    /// Counts connections that can't be used there.
    pub(crate) fn counting(self, unusable: Arc<UnusableCounts>) -> Server {
        Server { unusable, ..self }
    }

    /// Serves until the end is asked for: then no new requests are accepted, and pending ones are answered.
    ///
    /// # Errors
    /// None at present.
    pub(crate) async fn serve(self, routes: Router, ending: &Ending) -> Result<()> {
        let Server { listeners, protocols, unusable } = self;
        let http = Arc::new(builder(protocols));
        let mut end = std::pin::pin!(ending.asked());
        let connections = Arc::new(Connections::default());
        let notices = Arc::new(Notices::new(unusable));
        let open = GracefulShutdown::new();
        let mut look = tokio::time::interval(LOOK);
        let mut turn = 0_usize;
        loop {
            turn = turn.wrapping_add(1);
            let accepted = tokio::select! {
                accepted = accept(&listeners, turn) => accepted,
                _ = look.tick() => {
                    connections.close_overdue();
                    continue;
                }
                () = &mut end => break,
            };
            let Ok((stream, peer, guard, tls)) = accepted else {
                // Usually out of file descriptors. Some are free again when a connection closes.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let address = peer.ip().to_canonical();
            // If all connections are at work, this one is closed, and its client tries again.
            let Some(place) = connections.enter(address) else { continue };
            let Ok(local) = stream.local_addr() else { continue };
            let peer = Peer { address, local, notices: notices.clone() };
            // Small responses must not wait for the acknowledgement of the previous one.
            let _ = stream.set_nodelay(true);
            let watcher = open.watcher();
            let conversation = Conversation { http: http.clone(), tls, guard, routes: routes.clone(), peer, place, watcher };
            tokio::spawn(conversation.hold(stream));
        }
        drop(listeners);
        let mut look = tokio::time::interval(LOOK);
        let close_silent = async {
            loop {
                look.tick().await;
                connections.close_silent();
            }
        };
        tokio::select! {
            () = open.shutdown() => {}
            () = tokio::time::sleep(LAST) => {}
            // A client of HTTP/2 that does not answer the farewell is not waited for.
            () = close_silent => {}
        }
        Ok(())
    }
}

/// The limits of HTTP itself.
fn builder(protocols: Protocols) -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(IDLE);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_frame_size(FRAME)
        .max_header_list_size(HEADERS);
    match protocols {
        Protocols::Http1 => http.http1_only(),
        Protocols::Both => http,
    }
}

/// A connection, the other side, and how the socket admits.
type Accepted = (TcpStream, SocketAddr, Arc<Guard>, Option<Tls>);

/// The next connection of any socket. They take turns, so that none is kept waiting by another.
async fn accept(listeners: &[Listener], turn: usize) -> std::io::Result<Accepted> {
    poll_fn(|context| {
        for at in 0..listeners.len() {
            let Some(Listener { listener, guard, tls }) = listeners.get(turn.wrapping_add(at) % listeners.len()) else { continue };
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                return Poll::Ready(accepted.map(|(stream, peer)| (stream, peer, guard.clone(), tls.clone())));
            }
        }
        Poll::Pending
    })
    .await
}
