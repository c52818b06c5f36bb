//! The metrics worker: takes the `MetricsInput` of a file, and answers PromQL and the metrics page from it. It has neither the file nor
//! SQLite. The PromQL grammar is loaded only when metrics are shown, and a long query delays nothing else.
//!
//! The computation is in `quipu_metrics`.

#[cfg(target_arch = "wasm32")]
mod worker {
    use quipu_metrics::{Metrics, MetricsInput};
    use quipu_protocol::{MetricsEvent, MetricsRequest};
    use quipu_worker::messages::{build, bytes, file_bytes, id, listen, post};
    use std::cell::RefCell;
    use wasm_bindgen::JsValue;

    thread_local! {
        static METRICS: RefCell<Metrics> = RefCell::default();
    }

    pub(super) fn start() {
        listen(receive, &MetricsEvent::Ready { build: build() });
    }

    /// `{id, body, files}`: a question; for `LoadMetricsInput`, `files` is the serialized `MetricsInput`. Messages that can't be decoded come
    /// from another build, which the page has noticed by then.
    fn receive(data: &JsValue) {
        let Ok(request) = postcard::from_bytes::<MetricsRequest>(&bytes(data, "body")) else { return };
        if let MetricsRequest::LoadMetricsInput(_) = request {
            METRICS.set(Metrics::new(MetricsInput::from_bytes(&file_bytes(data)).unwrap_or_default()));
        }
        let result = METRICS.with_borrow_mut(|metrics| request.answer_by(metrics));
        post(&MetricsEvent::Reply { id: id(data), result });
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
