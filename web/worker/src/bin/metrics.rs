//! The worker that counts: takes a file's readings and answers PromQL and the page of metrics from them. It has no file and no SQLite, so
//! that the grammar of PromQL is loaded only by who looks at metrics, and a long query holds up nothing else.
//!
//! What is not here: what is counted, and how (`quipu_metrics`).

#[cfg(target_arch = "wasm32")]
mod worker {
    use quipu_metrics::{Metrics, MetricsInput};
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

    /// `{id, body, files}`: a request, and with [`MetricsRequest::Load`] the readings. What can't be read is of another build, which the page
    /// has noticed by then.
    fn receive(data: &JsValue) {
        let Ok(request) = postcard::from_bytes::<MetricsRequest>(&bytes(data, "body")) else { return };
        if request == MetricsRequest::Load {
            METRICS.set(Metrics::new(MetricsInput::from_bytes(&file_bytes(data)).unwrap_or_default()));
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
