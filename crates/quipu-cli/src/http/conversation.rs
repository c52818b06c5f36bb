//! One connection, from its first byte to its last: TLS where the socket has it, then HTTP/1.1 or HTTP/2; and words about what can't be read.
//!
//! Not here: how many connections there may be (`connections`), and what is answered (the routes).

use super::connections::{Place, Watched};
use super::foreign;
use super::guard::Guard;
use super::notices::{Peer, Unusable};
use super::refusal::{Encoding, Refusal};
use super::tls::{Begun, Tls};
use axum::Router;
use axum::body::Body;
use axum::http::header::ORIGIN;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tower::ServiceExt;

/// A connection that was accepted.
pub(super) struct Conversation {
    pub(super) http: Arc<Builder<TokioExecutor>>,
    pub(super) tls: Option<Tls>,
    pub(super) guard: Arc<Guard>,
    pub(super) routes: Router,
    pub(super) peer: Peer,
    pub(super) place: Place,
    /// Lets the server wait for it at the end.
    pub(super) watcher: Watcher,
}

impl Conversation {
    /// Lasts until the connection is closed, by either side.
    pub(super) async fn hold(self, stream: TcpStream) {
        let Some(tls) = &self.tls else { return self.speak(stream, true).await };
        let begun = tokio::select! {
            begun = tls.begin(stream, self.peer.local) => begun,
            () = self.place.connection.closed() => return,
        };
        match begun {
            Begun::Encrypted(stream) => self.speak(stream, true).await,
            // It is answered in its own protocol, so that its own messages say why it is not served.
            Begun::Plain(stream) => self.speak(stream, false).await,
            Begun::Failed(Some(words)) => self.peer.tell_unusable(Unusable::Handshake, &words),
            Begun::Failed(None) => {}
        }
    }

    /// Speaks HTTP. `is_served`: whether requests are passed on; otherwise they are refused, because they are not encrypted.
    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S, is_served: bool) {
        let Conversation { http, tls, guard, routes, peer, place, watcher } = self;
        let stream = TokioIo::new(Watched { stream, connection: place.connection.clone() });
        let (connection, client) = (place.connection.clone(), peer.clone());
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (guard, routes, connection, client) = (guard.clone(), routes.clone(), connection.clone(), client.clone());
            async move {
                let (mut head, body) = request.into_parts();
                let (body, _asked) = connection.begin(body);
                if !is_served {
                    return Ok(not_encrypted(&client, &Request::from_parts(head, ())));
                }
                head.extensions.insert(client);
                let request = Request::from_parts(head, Body::new(body));
                answer(&guard, routes, request).await
            }
        });
        let served = watcher.watch(http.serve_connection(stream, service).into_owned());
        let is_broken = tokio::select! {
            // A client that could be told about a failure has disconnected.
            served = served => served.is_err(),
            () = place.connection.closed() => false,
        };
        if let Some(first) = place.connection.not_understood()
            && (is_broken || !foreign::may_be_http(&first))
        {
            peer.tell_unusable(Unusable::Protocol, &foreign::words(&first, peer.local, tls.is_some()));
        }
    }
}

/// The answer to a request without TLS where TLS is required.
fn not_encrypted(peer: &Peer, request: &Request<()>) -> Response<Body> {
    let local = peer.local;
    let words = format!(
        "sends to {local} without TLS, which --tls-cert requires: set the endpoint to https://{local} instead of http, and OTEL_EXPORTER_OTLP_CERTIFICATE to the certificate."
    );
    peer.tell_unusable(Unusable::Plaintext, &words);
    let words = format!("This port requires TLS: set the endpoint to https://{local}.");
    Refusal::new(StatusCode::BAD_REQUEST, words).in_encoding(Encoding::of(request.headers())).into_response()
}

/// The response to a request. The head alone decides whether the body is read.
async fn answer(guard: &Guard, routes: Router, request: Request<Body>) -> Result<Response<Body>, Infallible> {
    if let Some(response) = guard.preflight(&request) {
        return Ok(response);
    }
    let origin = request.headers().get(ORIGIN).cloned();
    let mut response = match guard.refusal(&request) {
        Some(refusal) => refusal.into_response(),
        None => routes.oneshot(request).await?,
    };
    guard.open_to_page(origin.as_ref(), &mut response);
    Ok(response)
}
