//! The worker behind typed requests: starts it, numbers commands, hands every answer to who asked.
//!
//! What is not here: what answers mean (`state`), and the worker itself (`web/worker`).

use crate::BUILD;
use crate::browser::{document, error_text};
use crate::carried;
use crate::idle::{Busy, Idle};
use js_sys::{Array, Object, Reflect, Uint8Array};
use quipu::protocol::{Command, Event, Failure, FailureKind, Request, Response};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, BlobPropertyBag, ErrorEvent, File, MessageEvent, Url, Worker};

type Answer = Result<Response, Failure>;
type Callback = Box<dyn FnOnce(Answer)>;

/// What the worker says unasked.
pub(crate) enum Notice {
    /// It runs; the build it belongs to.
    Ready(String),
    /// Progress, or the end, of the index.
    Event(Event),
    /// It is no more.
    Died(Death),
}

/// How the worker came to its end; with the browser's words in brackets where it has any.
pub(crate) enum Death {
    /// It never ran.
    NotStarted(String),
    /// It ran, and failed, was ended from outside, or does not answer.
    Stopped(String),
    /// It found no memory.
    OutOfMemory,
}

/// Seconds without a word after which a worker that was asked something counts as dead. A question may take it 10 seconds.
const PATIENCE: u32 = 12;
/// Seconds between two signs of life that are asked for where nothing else is.
const HEARTBEAT: u32 = 4;

/// Sends commands to the worker. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Client {
    inner: Rc<RefCell<Inner>>,
    idle: Idle,
    notice: Rc<dyn Fn(Notice)>,
}

#[derive(Default)]
struct Inner {
    worker: Option<Worker>,
    /// Which worker this is: messages of a terminated one are not heard.
    generation: u32,
    ready: bool,
    next_id: u32,
    waiting: HashMap<u32, (Callback, Option<Busy>)>,
    /// Seconds since it last said something, while it owes an answer.
    silent: u32,
    /// Seconds since it owes none.
    unasked: u32,
    /// Held until the worker runs.
    starting: Option<Busy>,
    /// What came so far of a message in pieces.
    pieces: Vec<u8>,
    /// Messages for a worker that is still starting: it hears nothing until its wasm runs.
    queue: Vec<JsValue>,
    /// The listeners of the current worker live as long as it.
    listeners: Vec<JsValue>,
}

impl Client {
    /// A client without a worker; the first command starts one. `notice` hears what the worker says unasked.
    pub(crate) fn new(idle: Idle, notice: impl Fn(Notice) + 'static) -> Client {
        Client { inner: Rc::default(), idle, notice: Rc::new(notice) }
    }

    /// Opens `files`; answers to what was asked before are dropped.
    /// `shared`: the one file is what a link carried.
    pub(crate) fn open(&self, files: &[File], shared: bool, callback: impl FnOnce(Answer) + 'static) {
        self.forget_waiting();
        let names = files.iter().map(File::name).collect();
        let command = if shared { Command::OpenShared } else { Command::Open { names } };
        self.send(&command, files, Some(self.idle.begin()), Box::new(callback));
    }

    /// Asks for one answer.
    pub(crate) fn ask(&self, request: Request, callback: impl FnOnce(Answer) + 'static) {
        self.send(&Command::Ask(request), &[], Some(self.idle.begin()), Box::new(callback));
    }

    /// Asks for one answer that nothing on screen waits for. A worker that does not run is not started for it.
    pub(crate) fn ask_aside(&self, request: Request, callback: impl FnOnce(Answer) + 'static) {
        if self.inner.borrow().ready {
            self.send(&Command::Ask(request), &[], None, Box::new(callback));
        }
    }

    /// To be called every second while the page is visible. A worker that owes an answer and says nothing for too long is dead: an end from
    /// outside is told by no event. Answers whether it should be asked for a sign of life.
    pub(crate) fn tick(&self) -> bool {
        let (generation, silent, unasked) = {
            let mut inner = self.inner.borrow_mut();
            if !inner.ready {
                return false;
            }
            (inner.silent, inner.unasked) = if inner.waiting.is_empty() { (0, inner.unasked + 1) } else { (inner.silent + 1, 0) };
            (inner.generation, inner.silent, inner.unasked)
        };
        if silent >= PATIENCE {
            self.died(generation, Some(&format!("it gave no answer for {PATIENCE} seconds")));
        }
        unasked >= HEARTBEAT
    }

    /// Starts the worker before it is needed: opening a file then asks the server for nothing, and is quicker.
    pub(crate) fn warm_up(&self) {
        if self.inner.borrow().worker.is_none()
            && let Err(error) = self.start()
        {
            self.not_started(&error);
        }
    }

    fn not_started(&self, error: &JsValue) {
        (self.notice)(Notice::Died(Death::NotStarted(format!(" ({})", error_text(error)))));
    }

    /// Ends the worker. The next command starts a new one.
    pub(crate) fn stop(&self) {
        let mut inner = self.inner.borrow_mut();
        if let Some(worker) = inner.worker.take() {
            worker.terminate();
        }
        inner.generation += 1;
        inner.ready = false;
        inner.starting = None;
        inner.queue.clear();
        inner.pieces = Vec::new();
        inner.listeners.clear();
        drop(inner);
        self.forget_waiting();
    }

    /// Drops the callbacks of all commands under way: nobody waits for their answers any more.
    fn forget_waiting(&self) {
        let waiting = std::mem::take(&mut self.inner.borrow_mut().waiting);
        drop(waiting);
    }

    fn send(&self, command: &Command, files: &[File], busy: Option<Busy>, callback: Callback) {
        if self.inner.borrow().worker.is_none()
            && let Err(error) = self.start()
        {
            drop(busy);
            self.not_started(&error);
            return;
        }
        let mut inner = self.inner.borrow_mut();
        inner.next_id = inner.next_id.wrapping_add(1);
        let id = inner.next_id;
        match message(id, command, files) {
            Ok(message) => {
                inner.waiting.insert(id, (callback, busy));
                match inner.worker.as_ref().filter(|_| inner.ready) {
                    Some(worker) => {
                        let _ = worker.post_message(&message);
                    }
                    None => inner.queue.push(message),
                }
            }
            Err(text) => {
                drop(inner);
                callback(Err(Failure { kind: FailureKind::Internal, message: text }));
            }
        }
    }

    /// Starts the worker from a blob: only so does it inherit the page's policy. What fails inside a promise is an error of the worker, too.
    fn start(&self) -> Result<(), JsValue> {
        const REPORT: &str = "onunhandledrejection = (event) => reportError(event.reason);";
        const THROW: &str = "catch((error) => setTimeout(() => { throw error; }))";
        let carried = carried::worker();
        let script = match &carried {
            // Its first message is its program.
            Some((script, _)) => format!(
                "{REPORT}\n{script}\nonmessage = (event) => {{ onmessage = null; wasm_bindgen({{ module_or_path: event.data }}).{THROW}; }};\n"
            ),
            None => {
                let base = document().base_uri()?.unwrap_or_default();
                let absolute = |name: &str| Url::new_with_base(&format!("{name}?v={BUILD}"), &base).map(|url| quoted(&url.href()));
                format!(
                    "{REPORT}\nimportScripts({});\nwasm_bindgen({{ module_or_path: {} }}).{THROW};\n",
                    absolute("./quipu-worker.js")?,
                    absolute("./quipu-worker_bg.wasm")?
                )
            }
        };
        let options = BlobPropertyBag::new();
        options.set_type("text/javascript");
        let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&script.into()), &options)?;
        let url = Url::create_object_url_with_blob(&blob)?;
        let worker = Worker::new(&url)?;

        let generation = {
            let mut inner = self.inner.borrow_mut();
            inner.generation += 1;
            inner.generation
        };
        let on_message = {
            let client = self.clone();
            Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| client.hear(generation, &message.data()))
        };
        let on_error = {
            let client = self.clone();
            Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
                event.prevent_default();
                let text = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message).filter(|text| !text.is_empty());
                client.died(generation, text.as_deref());
            })
        };
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        if let Some((_, program)) = carried {
            worker.post_message(&program)?;
        }
        let mut inner = self.inner.borrow_mut();
        inner.listeners = vec![on_message.into_js_value(), on_error.into_js_value()];
        inner.ready = false;
        (inner.silent, inner.unasked) = (0, 0);
        inner.starting = Some(self.idle.begin());
        inner.worker = Some(worker);
        Ok(())
    }

    fn hear(&self, generation: u32, data: &JsValue) {
        if self.inner.borrow().generation != generation {
            return;
        }
        self.inner.borrow_mut().silent = 0;
        let body = Reflect::get(data, &"body".into()).ok().and_then(|body| body.dyn_into::<Uint8Array>().ok());
        let mut body = body.map(|body| body.to_vec()).unwrap_or_default();
        {
            let mut inner = self.inner.borrow_mut();
            if let Some(whole) = Reflect::get(data, &"of".into()).ok().and_then(|of| of.as_f64()) {
                if inner.pieces.is_empty() {
                    inner.pieces.reserve_exact(whole as usize);
                }
                inner.pieces.append(&mut body);
                return;
            }
            if !inner.pieces.is_empty() {
                body = std::mem::take(&mut inner.pieces);
            }
        }
        let event = postcard::from_bytes::<Event>(&body).ok();
        drop(body);
        match event {
            None => self.died(generation, Some("its message could not be read; the page and the worker may be of different builds")),
            Some(Event::Ready { build }) => {
                {
                    let mut inner = self.inner.borrow_mut();
                    inner.ready = true;
                    inner.starting = None;
                    let queue = std::mem::take(&mut inner.queue);
                    for message in queue {
                        if let Some(worker) = &inner.worker {
                            let _ = worker.post_message(&message);
                        }
                    }
                }
                (self.notice)(Notice::Ready(build));
            }
            Some(Event::Reply { id, result }) => {
                let waiting = self.inner.borrow_mut().waiting.remove(&id);
                // The callback runs before the idle mark is given back: what it asks for next counts without a gap.
                if let Some((callback, busy)) = waiting {
                    callback(result);
                    drop(busy);
                }
            }
            Some(event) => (self.notice)(Notice::Event(event)),
        }
    }

    fn died(&self, generation: u32, text: Option<&str>) {
        if self.inner.borrow().generation != generation {
            return;
        }
        let started = self.inner.borrow().ready;
        self.stop();
        let reason = text.map(|text| format!(" ({text})")).unwrap_or_default();
        // A panic says what happened; a trap without a word, past every panic, is what an allocation does that finds no memory.
        let no_memory = text.is_some_and(|text| {
            ["RuntimeError: unreachable", "memory allocation of", "out of memory", "Out of memory"].iter().any(|sign| text.contains(sign))
        });
        (self.notice)(Notice::Died(match started {
            false => Death::NotStarted(reason),
            true if no_memory => Death::OutOfMemory,
            true => Death::Stopped(reason),
        }));
    }
}

/// `{id, body, files}` as the worker expects it.
fn message(id: u32, command: &Command, files: &[File]) -> Result<JsValue, String> {
    let body = postcard::to_allocvec(command).map_err(|error| format!("The request could not be written: {error}."))?;
    let message = Object::new();
    let list: Array = files.iter().collect();
    for (name, value) in [
        ("id", JsValue::from(id)),
        ("body", Uint8Array::from(body.as_slice()).into()),
        ("files", list.into()),
    ] {
        Reflect::set(&message, &name.into(), &value).map_err(|error| error_text(&error))?;
    }
    Ok(message.into())
}

/// `text` as a JavaScript string literal.
fn quoted(text: &str) -> String {
    js_sys::JSON::stringify(&text.into()).map(String::from).unwrap_or_else(|_| "\"\"".into())
}
