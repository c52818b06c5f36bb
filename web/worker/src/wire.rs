//! The worker's side of the wire: `{id, body, files}` in, `{body}` out, bodies in postcard; large ones out in pieces, `{body, of}`.

use crate::driver::{answer, open, open_for_sql, open_shared};
use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use quipu::protocol::{Command, Event, Failure, FailureKind};
use std::cell::RefCell;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, File, MessageChannel, MessageEvent};

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Milliseconds since the worker began.
pub(crate) fn now() -> f64 {
    scope().performance().map_or(0.0, |performance| performance.now())
}

/// Listens, and says that the worker runs.
pub(crate) fn start() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        // Reaches the page as an error of the worker, also from where a promise would swallow it.
        let error = js_sys::Error::new(&info.to_string());
        let report: js_sys::Function = get(&js_sys::global(), "reportError").unchecked_into();
        let _ = report.call1(&JsValue::UNDEFINED, &error);
    }));
    crate::memory::keep_limit();
    let listen = Closure::<dyn FnMut(MessageEvent)>::new(|message: MessageEvent| receive(&message.data()));
    scope().set_onmessage(Some(listen.as_ref().unchecked_ref()));
    listen.forget();
    post(&Event::Ready { build: option_env!("QUIPU_BUILD").unwrap_or("dev").into() });
}

fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

thread_local! {
    /// Messages that came while a file is being opened, which takes a few turns: they are about that file. `None`: none is.
    static WAITING: RefCell<Option<Vec<JsValue>>> = const { RefCell::new(None) };
}

fn receive(data: &JsValue) {
    let waits = WAITING.with_borrow_mut(|waiting| waiting.as_mut().map(|waiting| waiting.push(data.clone())).is_some());
    if waits {
        return;
    }
    let id = get(data, "id").as_f64().unwrap_or(0.0) as u32;
    let body = get(data, "body").dyn_into::<Uint8Array>().map(|body| body.to_vec()).unwrap_or_default();
    let result = match postcard::from_bytes::<Command>(&body) {
        Ok(Command::Ask(request)) => answer(request),
        Ok(command @ (Command::Open { .. } | Command::OpenShared | Command::OpenForSql { .. })) => {
            let files = get(data, "files").dyn_into::<Array>().map(|files| files.iter().filter_map(|file| file.dyn_into().ok()).collect());
            WAITING.set(Some(Vec::new()));
            wasm_bindgen_futures::spawn_local(receive_files(id, command, files.unwrap_or_default()));
            return;
        }
        Err(error) => Err(Failure {
            kind: FailureKind::Internal,
            message: format!("The page and its worker do not understand each other ({error}). Reload the page."),
        }),
    };
    post(&Event::Reply { id, result });
}

async fn receive_files(id: u32, command: Command, mut files: Vec<File>) {
    let result = match (command, files.pop()) {
        (Command::OpenShared, Some(columns)) => open_shared(columns).await,
        (Command::Open { names }, last) => {
            files.extend(last);
            open(names, files).await
        }
        (Command::OpenForSql { names }, last) => {
            files.extend(last);
            open_for_sql(&names, files)
        }
        _ => Err(Failure { kind: FailureKind::Internal, message: "Nothing came with the link. Reload the page.".into() }),
    };
    post(&Event::Reply { id, result });
    for data in WAITING.take().unwrap_or_default() {
        receive(&data);
    }
}

/// Larger messages go in pieces: the page copies each in a task of its own, and stays smooth meanwhile.
const PIECE: usize = 2 << 20;

/// Sends an event to the page.
pub(crate) fn post(event: &Event) {
    let Ok(bytes) = postcard::to_stdvec(event) else { return };
    if bytes.len() <= PIECE {
        return post_body(&bytes, 0);
    }
    for piece in bytes.chunks(PIECE) {
        post_body(piece, bytes.len());
    }
    // The page reads the whole when this arrives: again a task of its own.
    post_body(&[], 0);
}

/// `{body}`, or `{body, of}` for a piece of so many bytes.
fn post_body(bytes: &[u8], of: usize) {
    let body = Uint8Array::from(bytes);
    let message = Object::new();
    let _ = Reflect::set(&message, &"body".into(), &body);
    if of > 0 {
        let _ = Reflect::set(&message, &"of".into(), &(of as f64).into());
    }
    let _ = scope().post_message_with_transfer(&message, &Array::of1(&body.buffer()));
}

/// Comes back after some milliseconds.
pub(crate) async fn pause(millis: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        let _ = scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis);
    });
    let _ = JsFuture::from(promise).await;
}

/// Lets the worker's other messages in: a message to itself, which unlike a timer is not slowed down.
pub(crate) struct Channel(Option<MessageChannel>);

impl Channel {
    pub(crate) fn new() -> Channel {
        Channel(MessageChannel::new().ok())
    }

    /// Comes back after the messages that are waiting now.
    pub(crate) async fn turn(&self) {
        let Some(channel) = &self.0 else { return };
        let promise = Promise::new(&mut |resolve, _| {
            channel.port1().set_onmessage(Some(&resolve));
            let _ = channel.port2().post_message(&JsValue::NULL);
        });
        let _ = JsFuture::from(promise).await;
    }
}
