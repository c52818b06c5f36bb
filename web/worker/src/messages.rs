//! Messages of all workers: receives messages, reports readiness, sends answers and events. Bodies are postcard; large ones are split.

use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, DedicatedWorkerGlobalScope, FileReaderSync, MessageChannel, MessageEvent};

/// The build id of the worker. The page checks that it is its own.
pub fn build() -> String {
    option_env!("QUIPU_BUILD").unwrap_or("dev").into()
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Milliseconds since the worker started.
pub fn now() -> f64 {
    scope().performance().map_or(0.0, |performance| performance.now())
}

/// Passes all messages to `receive`, and sends `ready`. A panic reaches the page as an error of the worker.
pub fn listen(receive: fn(&JsValue), ready: &impl Serialize) {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        // Throws the error in a separate task, because a promise would swallow it.
        let error = js_sys::Error::new(&info.to_string());
        let report: js_sys::Function = get(&js_sys::global(), "reportError").unchecked_into();
        let _ = report.call1(&JsValue::UNDEFINED, &error);
    }));
    let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| receive(&message.data()));
    scope().set_onmessage(Some(listen.as_ref().unchecked_ref()));
    listen.forget();
    post(ready);
}

/// A property of a message.
pub fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

/// The number of a question, for its answer.
#[expect(clippy::cast_possible_truncation, reason = "the page counts its questions in 32 bits")]
pub fn id(message: &JsValue) -> u32 {
    get(message, "id").as_f64().unwrap_or(0.0) as u32
}

/// The bytes in a property of a message; empty if there are none.
pub fn bytes(object: &JsValue, key: &str) -> Vec<u8> {
    get(object, key).dyn_into::<Uint8Array>().map(|body| body.to_vec()).unwrap_or_default()
}

/// Larger messages are split: the page copies each part in a task of its own and stays responsive.
const PIECE: usize = 2 << 20;

/// Sends an event to the page: `{body}`, or `{body, of}` for a part of a body of this length.
pub fn post(event: &impl Serialize) {
    let Ok(bytes) = postcard::to_stdvec(event) else { return };
    if bytes.len() <= PIECE {
        return post_body(&bytes, 0);
    }
    for piece in bytes.chunks(PIECE) {
        post_body(piece, bytes.len());
    }
    // The page decodes the whole body when this arrives, again in a task of its own.
    post_body(&[], 0);
}

/// Sends a small event together with a blob, which the page passes on without reading it: `{body, blob}`.
pub fn post_with_blob(event: &impl Serialize, bytes: &[u8]) {
    let Ok(body) = postcard::to_stdvec(event) else { return };
    if let Ok(blob) = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes))) {
        post_parts(&body, "blob", &blob);
    }
}

/// The bytes of the first file of a message; empty if there is none.
pub fn file_bytes(message: &JsValue) -> Vec<u8> {
    let file = get(message, "files").dyn_into::<Array>().ok().and_then(|files| files.get(0).dyn_into::<Blob>().ok());
    let buffer = file.and_then(|file| FileReaderSync::new().ok()?.read_as_array_buffer(&file).ok());
    buffer.map(|buffer| Uint8Array::new(&buffer).to_vec()).unwrap_or_default()
}

fn post_body(bytes: &[u8], of: usize) {
    post_parts(bytes, "of", &if of > 0 { (of as f64).into() } else { JsValue::UNDEFINED });
}

/// Sends `{body, NAME}`.
fn post_parts(body: &[u8], name: &str, value: &JsValue) {
    let body = Uint8Array::from(body);
    let message = Object::new();
    let _ = Reflect::set(&message, &"body".into(), &body);
    if !value.is_undefined() {
        let _ = Reflect::set(&message, &name.into(), value);
    }
    let _ = scope().post_message_with_transfer(&message, &Array::of1(&body.buffer()));
}

/// Waits for some milliseconds.
pub async fn pause(millis: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        let _ = scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis);
    });
    let _ = JsFuture::from(promise).await;
}

/// Yields to other messages by sending one to itself, which unlike timers is not throttled.
pub struct Channel(Option<MessageChannel>);

impl Channel {
    /// Opens the channel.
    #[expect(clippy::new_without_default, reason = "it asks the browser")]
    pub fn new() -> Channel {
        Channel(MessageChannel::new().ok())
    }

    /// Waits until the messages that are queued now have been processed.
    pub async fn turn(&self) {
        let Some(channel) = &self.0 else { return };
        let promise = Promise::new(&mut |resolve, _| {
            channel.port1().set_onmessage(Some(&resolve));
            let _ = channel.port2().post_message(&JsValue::NULL);
        });
        let _ = JsFuture::from(promise).await;
    }
}
