//! The servers cases use: the page's own, which notes what is asked of it, and a canary that nothing may ask anything.

use anyhow::Result;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use xtask::serve::{self, Body, Handler, Reply, Request};

/// A server on a free port of this machine that notes every request.
pub(crate) struct Site {
    origin: String,
    prefix: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// Serves the built page below `prefix`, which begins and ends with a slash.
    pub(crate) fn start(dist: &Path, prefix: &str) -> Result<Site> {
        Site::noting(prefix, serve::static_files(dist.to_owned(), prefix))
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
            notes.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{} {}", request.method, request.path));
            handler(request)
        }))?;
        Ok(Site { origin: format!("http://{address}"), prefix: prefix.to_owned(), seen })
    }

    /// Its address, with a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.origin, self.prefix)
    }

    /// What was asked so far: `GET /index.html`.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
