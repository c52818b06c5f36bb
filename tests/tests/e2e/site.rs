//! The servers cases use: the page's own, which notes what is asked of it, and a canary that nothing may ask anything.

use anyhow::Result;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use xtask::serve::{self, Body, Handler, Reply, Request};

/// A server on a free port of this machine that notes every request.
pub(crate) struct Site {
    origin: String,
    prefix: String,
    seen: Arc<Mutex<Vec<String>>>,
    prelude: Arc<Mutex<Option<String>>>,
}

/// The file name of the script that runs before the page's own.
const PRELUDE: &str = "test-prelude.js";

impl Site {
    /// Serves the built page below `prefix`, which begins and ends with a slash.
    pub(crate) fn start(dist: &Path, prefix: &str) -> Result<Site> {
        let prelude = Arc::new(Mutex::new(None));
        let site = Site::noting(prefix, with_prelude(serve::static_files(dist.to_owned(), prefix), Arc::clone(&prelude)))?;
        Ok(Site { prelude, ..site })
    }

    /// From now on the page is served with a script that runs before its own.
    pub(crate) fn run_first(&self, script: &str) {
        *lock(&self.prelude) = Some(script.to_owned());
    }

    /// A server of another origin that lets everybody read: it answers a page without any policy, open to every origin.
    pub(crate) fn canary() -> Result<Site> {
        let answer = |_: &Request| Reply {
            status: 200,
            headers: vec![
                ("Content-Type", "text/html; charset=utf-8".to_owned()),
                ("Access-Control-Allow-Origin", "*".to_owned()),
                ("Access-Control-Allow-Headers", "*".to_owned()),
            ],
            body: Body::Bytes(b"<!doctype html><title>canary</title><link rel=icon href=\"data:,\">".to_vec()),
        };
        Site::noting("/", Arc::new(answer))
    }

    fn noting(prefix: &str, handler: Handler) -> Result<Site> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        let address = serve::spawn(Arc::new(move |request: &Request| {
            lock(&notes).push(format!("{} {}", request.method, request.path));
            handler(request)
        }))?;
        Ok(Site { origin: format!("http://{address}"), prefix: prefix.to_owned(), seen, prelude: Arc::default() })
    }

    /// Its address, with a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.origin, self.prefix)
    }

    /// What was asked so far: `GET /index.html`.
    pub(crate) fn seen(&self) -> Vec<String> {
        lock(&self.seen).clone()
    }
}

/// Puts a script before those of the page, where there is one.
fn with_prelude(files: Handler, prelude: Arc<Mutex<Option<String>>>) -> Handler {
    Arc::new(move |request| {
        let Some(script) = lock(&prelude).clone() else { return files(request) };
        if request.path.ends_with(PRELUDE) {
            let headers = vec![("Content-Type", "text/javascript; charset=utf-8".to_owned())];
            return Reply { status: 200, headers, body: Body::Bytes(script.into_bytes()) };
        }
        let mut reply = files(request);
        if !request.path.ends_with("viewer.html") && reply.headers.iter().any(|(_, value)| value.starts_with("text/html")) {
            reply.body = Body::Bytes(with_script(reply.body));
        }
        reply
    })
}

fn with_script(page: Body) -> Vec<u8> {
    let mut text = String::new();
    match page {
        Body::Bytes(bytes) => text = String::from_utf8_lossy(&bytes).into_owned(),
        // A file that cannot be read leaves the page empty, and the case fails.
        Body::File(mut file, _) => drop(file.read_to_string(&mut text)),
    }
    text.replacen("<head>", &format!("<head><script src=\"{PRELUDE}\"></script>"), 1).into_bytes()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
