//! The server itself: connections within bounds, each request past the guard, and an end that lets what was begun be answered.
//!
//! What is not here: HTTP (hyper), and finding the route (axum).

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
use tokio::sync::Semaphore;
use tower::ServiceExt;

/// Connections at a time; more wait.
const CONNECTIONS: usize = 512;
/// How long the head of a request may take. A connection that says nothing for so long is closed.
const HEAD: Duration = Duration::from_secs(75);
/// How long requests that were begun may take once the end was asked for.
const LAST: Duration = Duration::from_secs(10);

/// A server that listens, and has not answered yet.
pub(crate) struct Server {
    listener: TcpListener,
    guard: Arc<Guard>,
}

/// What runs servers: threads for connections, and others for what takes the processor's time.
///
/// # Errors
/// When the system gives no threads.
pub(crate) fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("No threads can be started")
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// A sentence where the address can't be had.
    pub(crate) async fn bind(door: Door) -> Result<Server> {
        let Door { address, guard } = door;
        let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => anyhow::anyhow!("Another program listens on {address}; give another --listen ADDRESS:PORT."),
            _ => anyhow::anyhow!("{address} can't be listened on ({error}); give another --listen ADDRESS:PORT."),
        })?;
        Ok(Server { listener, guard: Arc::new(guard) })
    }

    /// Where it listens; the port that was found where 0 was asked for.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Answers until the process is asked to end (SIGINT, SIGTERM): then nothing new is taken, and what was begun is answered. Asked a second
    /// time it ends at once.
    ///
    /// # Errors
    /// When signals can't be heard.
    pub(crate) async fn serve(self, routes: Router) -> Result<()> {
        let Server { listener, guard } = self;
        let mut end = std::pin::pin!(asked_to_end()?);
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let open = GracefulShutdown::new();
        loop {
            let place = tokio::select! {
                place = places.clone().acquire_owned() => place.context("No place for a connection")?,
                () = &mut end => break,
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut end => break,
            };
            let Ok((stream, _)) = accepted else {
                // Out of file handles, mostly: some are free again when a connection ends.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            // A small answer must not wait for the acknowledgement of the last one.
            let _ = stream.set_nodelay(true);
            let (guard, routes) = (guard.clone(), routes.clone());
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let (guard, routes) = (guard.clone(), routes.clone());
                async move {
                    match guard.refusal(&request) {
                        Some(refusal) => Ok(refusal.into_response()),
                        None => routes.oneshot(request.map(Body::new)).await,
                    }
                }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            let connection = http.timer(TokioTimer::new()).header_read_timeout(HEAD).serve_connection(TokioIo::new(stream), service);
            let connection = open.watch(connection);
            tokio::spawn(async move {
                // Whoever was to be told of a failure is gone with the connection.
                let _ = connection.await;
                drop(place);
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

/// Waits for the signals that ask a process to end. From then on they end it as they do without a handler.
fn asked_to_end() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT can't be heard")?;
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be heard")?;
        Ok(async move {
            let (name, code) = tokio::select! {
                _ = interrupt.recv() => ("SIGINT", 130),
                _ = terminate.recv() => ("SIGTERM", 143),
            };
            eprintln!("{name}: what was begun is finished; a second signal ends at once.");
            tokio::spawn(async move {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                std::process::exit(code);
            });
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // Without a handler nothing can be waited for; the process then ends as it would without one.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
