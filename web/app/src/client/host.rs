//! Runs a dedicated worker: starts it from a blob, queues messages until it runs, joins messages that come in pieces, and notices its exit.
//!
//! Not here: the content of messages, and who waits for which (`link`).

use crate::BUILD;
use crate::browser::{document, error_text};
use crate::carried;
use crate::idle::{Busy, Idle};
use js_sys::{Array, Object, Reflect, Uint8Array};
use quipu_model::number::truncated;
use quipu_web_actions::WorkerExit;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, BlobPropertyBag, ErrorEvent, Event, File, MessageEvent, Url, Worker};

/// The program of a worker: `NAME.js` and `NAME_bg.wasm` next to the page, or carried under that name by a self-contained file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Program(pub(crate) &'static str);

/// What a host reports of its worker.
pub(crate) enum HostEvent {
    /// A complete message, with the blob that came with it, if any.
    Message(Vec<u8>, Option<Blob>),
    /// The worker exited; open questions will not be answered. Not reported after [`Host::stop`].
    Exited(WorkerExit),
}

/// Seconds of silence after which a worker that owes an answer counts as dead. A question may take 10 seconds.
pub(crate) const PATIENCE: u32 = 12;
/// Seconds without a question after which a sign of life is requested.
const HEARTBEAT: u32 = 4;

/// Runs one worker at a time. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Host {
    inner: Rc<RefCell<Inner>>,
    /// The program of the current worker, and of those that replace it.
    program: Rc<Cell<Program>>,
    /// Seconds of silence after which a worker that owes an answer counts as dead.
    patience: u32,
    idle: Idle,
    on_event: OnEvent,
}

type OnEvent = Rc<dyn Fn(&Host, HostEvent)>;

#[derive(Default)]
struct Inner {
    worker: Option<Worker>,
    /// Counts workers: messages of a terminated one are ignored.
    generation: u32,
    ready: bool,
    /// Seconds since its last message, while it owes an answer.
    silent: u32,
    /// Seconds since it last owed an answer.
    unasked: u32,
    /// Held until the worker runs.
    starting: Option<Busy>,
    /// The pieces received so far of a message.
    pieces: Vec<u8>,
    /// Messages for a worker that is still starting: it handles none until its wasm runs.
    queue: Vec<JsValue>,
    /// The listeners of the current worker live as long as it.
    listeners: Vec<JsValue>,
}

impl Host {
    /// A host without a worker; the first message starts one. `on_event` has to call [`Host::set_ready`] at the message that says that the
    /// program runs.
    pub(crate) fn new(program: Program, patience: u32, idle: Idle, on_event: impl Fn(&Host, HostEvent) + 'static) -> Host {
        Host { inner: Rc::default(), program: Rc::new(Cell::new(program)), patience, idle, on_event: Rc::new(on_event) }
    }

    /// Sends `{id, body, files}`, now or as soon as the program runs. If no worker can be started, that is reported.
    pub(crate) fn send(&self, id: u32, body: &[u8], files: &[File]) {
        if !self.warm_up() {
            return;
        }
        let message = Object::new();
        let list: Array = files.iter().collect();
        for (name, value) in [("id", JsValue::from(id)), ("body", Uint8Array::from(body).into()), ("files", list.into())] {
            // Setting a field of a fresh object is never refused.
            let _ = Reflect::set(&message, &name.into(), &value);
        }
        let mut inner = self.inner.borrow_mut();
        match inner.worker.as_ref().filter(|_| inner.ready) {
            Some(worker) => {
                let _ = worker.post_message(&message);
            }
            None => inner.queue.push(message.into()),
        }
    }

    /// Starts the worker before it is needed; `false` when that failed, which is also reported.
    pub(crate) fn warm_up(&self) -> bool {
        if self.inner.borrow().worker.is_some() {
            return true;
        }
        let started = self.start();
        if let Err(error) = &started {
            (self.on_event)(self, HostEvent::Exited(WorkerExit::NotStarted(format!(" ({})", error_text(error)))));
        }
        started.is_ok()
    }

    /// Ends the worker. The next message starts one with this program.
    pub(crate) fn set_program(&self, program: Program) {
        self.stop();
        self.program.set(program);
    }

    /// Whether the program runs.
    pub(crate) fn is_ready(&self) -> bool {
        self.inner.borrow().ready
    }

    /// The program runs: queued messages are sent.
    pub(crate) fn set_ready(&self) {
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

    /// Call this every second while the page is visible, with whether the worker `owes` an answer. One that does and is silent for too long
    /// is dead: no event reports an end from outside. Returns whether a sign of life should be requested.
    pub(crate) fn tick(&self, owes: bool) -> bool {
        let (silent, unasked) = {
            let mut inner = self.inner.borrow_mut();
            if !inner.ready {
                return false;
            }
            (inner.silent, inner.unasked) = if owes { (inner.silent + 1, 0) } else { (0, inner.unasked + 1) };
            (inner.silent, inner.unasked)
        };
        if silent >= self.patience {
            self.fail(Some(&format!("it gave no answer for {} seconds", self.patience)));
        }
        unasked >= HEARTBEAT
    }

    /// Ends the worker. The next message starts a new one.
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
    }

    /// Ends the worker after a fault, and reports its exit.
    pub(crate) fn fail(&self, text: Option<&str>) {
        let started = self.is_ready();
        self.stop();
        let reason = text.map(|text| format!(" ({text})")).unwrap_or_default();
        // A panic has a message; a trap without one is an allocation that ran out of memory.
        let no_memory = text.is_some_and(|text| {
            ["RuntimeError: unreachable", "memory allocation of", "out of memory", "Out of memory"].iter().any(|sign| text.contains(sign))
        });
        let exit = match started {
            false => WorkerExit::NotStarted(reason),
            true if no_memory => WorkerExit::OutOfMemory,
            true => WorkerExit::Stopped(reason),
        };
        (self.on_event)(self, HostEvent::Exited(exit));
    }

    /// Starts the worker from a blob, because only then it inherits the page's content security policy. A rejected promise is an error of
    /// the worker, too.
    fn start(&self) -> Result<(), JsValue> {
        const REPORT: &str = "onunhandledrejection = (event) => reportError(event.reason);";
        const THROW: &str = "catch((error) => setTimeout(() => { throw error; }))";
        let Program(name) = self.program.get();
        let carried = carried::program(name);
        let script = match &carried {
            // Its first message is its program.
            Some((script, _)) => format!(
                "{REPORT}\n{script}\nonmessage = (event) => {{ onmessage = null; wasm_bindgen({{ module_or_path: event.data }}).{THROW}; }};\n"
            ),
            None => {
                let base = document().base_uri()?.unwrap_or_default();
                let absolute =
                    |ending: &str| Url::new_with_base(&format!("./{name}{ending}?v={BUILD}"), &base).map(|url| quoted(&url.href()));
                format!(
                    "{REPORT}\nimportScripts({});\nwasm_bindgen({{ module_or_path: {} }}).{THROW};\n",
                    absolute(".js")?,
                    absolute("_bg.wasm")?
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
            let host = self.clone();
            Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| host.receive(generation, &message.data()))
        };
        let on_error = {
            let host = self.clone();
            Closure::<dyn Fn(Event)>::new(move |event: Event| {
                event.prevent_default();
                let text = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message).filter(|text| !text.is_empty());
                if host.is_of(generation) {
                    host.fail(text.as_deref());
                }
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

    fn is_of(&self, generation: u32) -> bool {
        self.inner.borrow().generation == generation
    }

    fn receive(&self, generation: u32, data: &JsValue) {
        if !self.is_of(generation) {
            return;
        }
        let field = |name: &str| Reflect::get(data, &name.into()).unwrap_or(JsValue::UNDEFINED);
        let mut body = field("body").dyn_into::<Uint8Array>().map(|body| body.to_vec()).unwrap_or_default();
        {
            let mut inner = self.inner.borrow_mut();
            inner.silent = 0;
            if let Some(whole) = field("of").as_f64() {
                if inner.pieces.is_empty() {
                    inner.pieces.reserve_exact(truncated(whole));
                }
                inner.pieces.append(&mut body);
                return;
            }
            if !inner.pieces.is_empty() {
                body = std::mem::take(&mut inner.pieces);
            }
        }
        (self.on_event)(self, HostEvent::Message(body, field("blob").dyn_into().ok()));
    }
}

/// `text` as a JavaScript string literal.
fn quoted(text: &str) -> String {
    js_sys::JSON::stringify(&text.into()).map(String::from).unwrap_or_else(|_| "\"\"".into())
}
