//! The metrics worker: answers PromQL and the metrics page from a file's readings. It has no file and no SQLite, so that the PromQL grammar
//! is only loaded when needed, and long queries do not block anything else.
//!
//! The computation is in `quipu_metrics`.

#[cfg(target_arch = "wasm32")]
mod worker {
    use quipu_metrics::{Metrics, Readings};
    use quipu_protocol::{MetricsEvent, MetricsRequest};
    use quipu_worker::messages::{build, bytes, file_bytes, get, listen, post};
    use std::cell::RefCell;
    use wasm_bindgen::JsValue;

    thread_local! {
        static METRICS: RefCell<Metrics> = RefCell::default();
    }

    pub(super) fn start() {
        listen(receive, &MetricsEvent::Ready { build: build() });
    }

    /// Receives `{id, body, files}`: a request, with the readings for [`MetricsRequest::Load`]. Messages that can't be decoded are from
    /// another build, which the page has noticed.
    fn receive(data: &JsValue) {
        let Ok(request) = postcard::from_bytes::<MetricsRequest>(&bytes(data, "body")) else { return };
        if request == MetricsRequest::Load {
            METRICS.set(Metrics::new(Readings::from_bytes(&file_bytes(data)).unwrap_or_default()));
        }
        let response = METRICS.with_borrow_mut(|metrics| metrics.handle(&request));
        post(&MetricsEvent::Reply { id: get(data, "id").as_f64().unwrap_or(0.0) as u32, response });
    }
}

#[cfg(target_arch = "wasm32")]
fn main() {
    worker::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("quipu-metrics runs in a browser: build the page with `cargo xtask build`.");
    std::process::exit(1);
}
