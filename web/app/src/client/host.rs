//! A dedicated worker and its program: starts it from a blob, keeps what it is told until it hears, puts messages in pieces together, notices
//! its end.
//!
//! What is not here: what messages say and who waits for which (`link`).

use crate::BUILD;
use crate::browser::{document, error_text};
use crate::carried;
use crate::idle::{Busy, Idle};
use js_sys::{Array, Object, Reflect, Uint8Array};
use quipu_web_actions::WorkerExit;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, BlobPropertyBag, ErrorEvent, Event, File, MessageEvent, Url, Worker};

/// What a worker runs: `NAME.js` and `NAME_bg.wasm` beside the page, or what a self-contained file carries under that name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Program(pub(crate) &'static str);

/// What a host hears of its worker.
pub(crate) enum HostEvent {
    /// A whole message, and the blob beside it where there is one.
    Message(Vec<u8>, Option<Blob>),
    /// There is no worker any more; what was asked will not be answered. Not told of one that [`Host::stop`] ended.
    Exited(WorkerExit),
}

/// Seconds without a word after which a worker that was asked something counts as dead. A question may take it 10 seconds.
const PATIENCE: u32 = 12;
/// Seconds between two signs of life that are asked for where nothing else is.
const HEARTBEAT: u32 = 4;

/// Runs one worker at a time. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Host {
    inner: Rc<RefCell<Inner>>,
    program: Program,
    idle: Idle,
    on_event: OnEvent,
}

type OnEvent = Rc<dyn Fn(&Host, HostEvent)>;

#[derive(Default)]
struct Inner {
    worker: Option<Worker>,
    /// Which worker this is: messages of a terminated one are not heard.
    generation: u32,
    ready: bool,
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

impl Host {
    /// A host without a worker; the first message starts one. `hear` is told what comes, and calls [`Host::set_ready`] at the message that
    /// says that the program runs.
    pub(crate) fn new(program: Program, idle: Idle, on_event: impl Fn(&Host, HostEvent) + 'static) -> Host {
        Host { inner: Rc::default(), program, idle, on_event: Rc::new(on_event) }
    }

    /// Sends `{id, body, files}`, now or as soon as the program runs; `false` when no worker could be started, which is told.
    pub(crate) fn send(&self, id: u32, body: &[u8], files: &[File]) -> bool {
        if !self.warm_up() {
            return false;
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
        true
    }

    /// Starts the worker before it is needed; `false` when that failed, which is told.
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

    /// Whether the program runs.
    pub(crate) fn is_ready(&self) -> bool {
        self.inner.borrow().ready
    }

    /// The program runs: it gets what was kept for it.
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

    /// To be called every second while the page is visible, with whether the worker `owes` an answer. One that does and says nothing for too
    /// long is dead: an end from outside is told by no event. Answers whether it should be asked for a sign of life.
    pub(crate) fn tick(&self, owes: bool) -> bool {
        let (silent, unasked) = {
            let mut inner = self.inner.borrow_mut();
            if !inner.ready {
                return false;
            }
            (inner.silent, inner.unasked) = if owes { (inner.silent + 1, 0) } else { (0, inner.unasked + 1) };
            (inner.silent, inner.unasked)
        };
        if silent >= PATIENCE {
            self.fail(Some(&format!("it gave no answer for {PATIENCE} seconds")));
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

    /// Ends the worker because of what went wrong, and tells of it.
    pub(crate) fn fail(&self, text: Option<&str>) {
        let started = self.is_ready();
        self.stop();
        let reason = text.map(|text| format!(" ({text})")).unwrap_or_default();
        // A panic says what happened; a trap without a word, past every panic, is what an allocation does that finds no memory.
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

    /// Starts the worker from a blob: only so does it inherit the page's policy. What fails inside a promise is an error of the worker, too.
    fn start(&self) -> Result<(), JsValue> {
        const REPORT: &str = "onunhandledrejection = (event) => reportError(event.reason);";
        const THROW: &str = "catch((error) => setTimeout(() => { throw error; }))";
        let Program(name) = self.program;
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
                    inner.pieces.reserve_exact(whole as usize);
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
