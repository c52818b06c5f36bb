//! `quipu serve`: the page, Llama Stack's telemetry routes and Prometheus' query API over a file that may grow.
//!
//! Modules in reading order: `live` follows the file, `generation` is one indexed state of it, `places` limits what is answered at once, `polls` who waits; `telemetry`, `prometheus` and `page` are the
//! routes, `assets` the page's files, `log` writes events that programs send. Access control is in `http`; answers come from the core.

mod assets;
mod generation;
mod live;
mod log;
mod page;
mod places;
mod polls;
mod prometheus;
mod telemetry;

use crate::http::{Admission, Ending, Limits, Listener, Protocols, Refusal, Room, Server, Stated, content_type, read_body, runtime};
use anyhow::{Result, bail};
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Request, Response, StatusCode};
use axum::middleware::{Next, from_fn};
use live::Live;
use log::Log;
use places::Places;
use polls::Polls;
use quipu::metrics::MetricOptions;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Options of the server.
pub(crate) struct Options {
    pub(crate) file: PathBuf,
    pub(crate) listen: String,
    /// The flag that said where to listen.
    pub(crate) flag: &'static str,
    pub(crate) admission: Admission,
    /// Whether events are accepted and written to the file.
    pub(crate) accept_events: bool,
    /// How metrics are computed from the file.
    pub(crate) metrics: MetricOptions,
}

/// State shared by all routes.
struct Served {
    live: Arc<Live>,
    log: Option<Log>,
    metrics: MetricOptions,
    /// For questions of the query API and PromQL.
    places: Places,
    /// For statements in SQL.
    sql_places: Places,
    /// Pages that wait for news.
    polls: Polls,
    /// Set when the server shuts down, so that long polls are answered immediately.
    ending: Ending,
}

type Shared = Arc<Served>;

/// Limits of a request body. Events can contain long prompts.
const LIMITS: Limits = Limits { sent: 16 << 20, unpacked: 16 << 20, time: Duration::from_secs(60) };

/// Memory for bodies that are being received.
static ROOM: LazyLock<Room> = LazyLock::new(|| Room::new(256 << 10));

/// Serves until the process is asked to stop.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (runtime, ending) = (runtime()?, Ending::default());
    let outcome = runtime.block_on(async {
        let serving = Serving::start(options, &ending).await?;
        ending.listen()?;
        say(&format!("Serving {} on {}", options.file.display(), serving.address));
        serving.run(&ending).await
    });
    // Work that is still going on, such as a body that is being decoded, is not waited for.
    runtime.shutdown_background();
    outcome
}

/// A server whose address is bound and whose file is open.
pub(crate) struct Serving {
    server: Server,
    served: Shared,
    /// Where the page is.
    pub(crate) address: String,
}

impl Serving {
    /// Binds the address and opens the file.
    ///
    /// # Errors
    /// If one of both can't be done.
    pub(crate) async fn start(options: &Options, ending: &Ending) -> Result<Serving> {
        let door = options.admission.door(options.flag, &options.listen)?;
        if !options.accept_events && !options.file.exists() {
            bail!("There is no file {}. With --accept-events it is created, and programs can log to it.", options.file.display());
        }
        let listener = Listener::bind(door).await?;
        let log = options.accept_events.then(|| Log::open(&options.file)).transpose()?;
        let live = Live::open(&options.file).await?;
        let served = Arc::new(Served {
            live,
            log,
            metrics: options.metrics,
            places: Places::new(2, 32),
            sql_places: Places::new(2, 8),
            polls: Polls::default(),
            ending: ending.clone(),
        });
        let address = format!("http://{}/", listener.address()?);
        Ok(Serving { server: Server::new(vec![listener], Protocols::Http1), served, address })
    }

    /// Answers until the end is asked for.
    ///
    /// # Errors
    /// If events could not be written.
    pub(crate) async fn run(self, ending: &Ending) -> Result<()> {
        let outcome = self.server.serve(routes(self.served.clone()), ending).await;
        if let Some(log) = &self.served.log {
            log.close()?;
        }
        outcome
    }
}

/// A file of the page, by its path in dist/. Only in builds that include the page.
#[cfg(feature = "page")]
pub(crate) fn page_file(name: &str) -> Option<Vec<u8>> {
    assets::find(name).map(assets::unpacked)
}

/// Whether this build includes the page.
pub(crate) fn has_page() -> bool {
    assets::build().is_some()
}

/// Prints a status line to standard error.
fn say(words: &str) {
    eprintln!("{}", crate::output::clean_line(words));
}

fn routes(served: Shared) -> Router {
    let routes = Router::new().merge(telemetry::routes()).merge(prometheus::routes()).merge(page::routes());
    routes.fallback(page::missing).method_not_allowed_fallback(method_not_allowed).layer(from_fn(keep_closed)).with_state(served)
}

/// Adds headers to every response: no content sniffing, and no use by pages of other origins.
async fn keep_closed(request: Request<Body>, next: Next) -> Response<Body> {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The body that Llama Stack sends, which clients know.
async fn method_not_allowed() -> Response<Body> {
    json(StatusCode::METHOD_NOT_ALLOWED, r#"{"detail":"Method Not Allowed"}"#.into())
}

fn json(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Reads the body of a request. If there is a body, its content type must be `wanted`.
async fn body_of(request: Request<Body>, wanted: &str) -> Result<Vec<u8>, Refusal> {
    let (parts, body) = request.into_parts();
    // Before anything of the body is read.
    if !body.is_end_stream() && !content_type(&parts.headers).is_some_and(|said| said.eq_ignore_ascii_case(wanted)) {
        let words = format!("The body requires the header “Content-Type: {wanted}”.");
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
    }
    let (bytes, _held) = read_body(Stated::of(&parts.headers, LIMITS)?, body, LIMITS, &ROOM).await?;
    Ok(bytes)
}

/// The current time in seconds since 1970.
fn now_seconds() -> Option<f64> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs_f64())
}
