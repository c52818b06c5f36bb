//! The HTTP server: limits connections, checks each request with the guard, and shuts down gracefully.
//!
//! HTTP itself is hyper's, routing axum's.

use super::connections::{Connections, IDLE, Watched};
use super::ending::Ending;
use super::guard::Guard;
use super::listen::Door;
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// How often connections that are silent for too long are looked for.
const LOOK: Duration = Duration::from_millis(500);
/// How long pending requests may take after a shutdown was requested.
const LAST: Duration = Duration::from_secs(10);

/// A bound socket that does not serve yet.
pub(crate) struct Server {
    listener: TcpListener,
    guard: Arc<Guard>,
}

/// The async runtime, with separate threads for blocking work.
///
/// # Errors
/// If no threads can be started.
pub(crate) fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("Can't start threads")
}

impl Server {
    /// Binds the address.
    ///
    /// # Errors
    /// If the address is invalid or in use.
    pub(crate) async fn bind(door: Door) -> Result<Server> {
        let Door { address, guard } = door;
        let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => anyhow::anyhow!("Another program listens on {address}; choose another --listen ADDRESS:PORT."),
            _ => anyhow::anyhow!("Can't listen on {address} ({error}); choose another --listen ADDRESS:PORT."),
        })?;
        Ok(Server { listener, guard: Arc::new(guard) })
    }

    /// The bound address, with the actual port if 0 was requested.
    ///
    /// # Errors
    /// If the system can't report it.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until the end is asked for: then no new requests are accepted, and pending ones are answered.
    ///
    /// # Errors
    /// None at present.
    pub(crate) async fn serve(self, routes: Router, ending: &Ending) -> Result<()> {
        let Server { listener, guard } = self;
        let mut end = std::pin::pin!(ending.asked());
        let connections = Arc::new(Connections::default());
        let open = GracefulShutdown::new();
        let mut look = tokio::time::interval(LOOK);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = look.tick() => {
                    connections.close_overdue();
                    continue;
                }
                () = &mut end => break,
            };
            let Ok((stream, peer)) = accepted else {
                // Usually out of file descriptors. Some are free again when a connection closes.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            // If all connections are at work, this one is closed, and its client tries again.
            let Some(place) = connections.enter(peer.ip().to_canonical()) else { continue };
            // Small responses must not wait for the acknowledgement of the previous one.
            let _ = stream.set_nodelay(true);
            let connection = place.connection.clone();
            let stream = TokioIo::new(Watched { stream, connection: connection.clone() });
            let (guard, routes) = (guard.clone(), routes.clone());
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let (guard, routes, connection) = (guard.clone(), routes.clone(), connection.clone());
                async move {
                    // The head alone decides whether the body is read.
                    let refusal = guard.refusal(&request);
                    let request = request.map(|body| Body::new(connection.begin(body)));
                    let response = match refusal {
                        Some(refusal) => Ok(refusal.into_response()),
                        None => routes.oneshot(request).await,
                    };
                    connection.end();
                    response
                }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            let served = open.watch(http.timer(TokioTimer::new()).header_read_timeout(IDLE).serve_connection(stream, service));
            tokio::spawn(async move {
                tokio::select! {
                    // A client that could be told about a failure has disconnected.
                    _ = served => {}
                    () = place.connection.closed() => {}
                }
            });
        }
        drop(listener);
        tokio::select! {
            () = open.shutdown() => {}
            () = tokio::time::sleep(LAST) => {}
        }
        Ok(())
    }
}
