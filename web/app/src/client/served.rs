//! The program that serves the page, in place of a worker: the same questions and answers over HTTP, and its events.
//!
//! Not here: the use of answers, and when a newer generation of the file is opened (`actions`).

use super::{Notice, OnReply, Reply, WorkerExit};
use crate::BUILD;
use crate::browser::{document, error_text, window};
use crate::idle::{Busy, Idle};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Object, Reflect, Uint8Array};
use quipu_protocol::address::Source;
use quipu_protocol::{Failure, FailureKind, FileSummary, News, Notification, Opened, Packed, Request, SERVED_TYPE};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, File, RequestInit, Response};

/// Milliseconds after which events are requested again from a program that did not answer.
const AGAIN_MS: u32 = 2_000;

/// Milliseconds between two requests for events without any, while the page is visible and while it is not.
const PAUSE_MS: u32 = 1_000;
const HIDDEN_PAUSE_MS: u32 = 5_000;

/// The served file, as addresses name it.
pub(crate) fn served() -> Option<Source> {
    let named = document().query_selector("meta[name='quipu-served']").ok()??;
    Some(Source::File { name: named.get_attribute("content")?, size_bytes: None })
}

/// Whether `source`, without files, is the served file.
pub(crate) fn is_served(source: &Source, files: &[File]) -> bool {
    files.is_empty() && served().as_ref() == Some(source)
}

/// Asks the program that served the page. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(super) struct Served {
    inner: Rc<RefCell<Inner>>,
    idle: Idle,
    notice: Rc<dyn Fn(Notice)>,
}

#[derive(Default)]
struct Inner {
    /// Whether questions go to the program.
    is_open: bool,
    /// Counts openings: answers to what was asked before are dropped.
    opening: u32,
    /// The generation of the file that answers, once it is known.
    generation: Option<u64>,
    /// The newest generation known.
    known: u64,
    /// Questions that wait for the generation.
    queue: Vec<(Request, OnReply, Busy)>,
}

impl Served {
    pub(super) fn new(idle: Idle, notice: Rc<dyn Fn(Notice)>) -> Served {
        Served { inner: Rc::default(), idle, notice }
    }

    /// Whether questions go to the program.
    pub(super) fn is_open(&self) -> bool {
        self.inner.borrow().is_open
    }

    /// Questions go to the worker from now on.
    pub(super) fn close(&self) {
        let before = std::mem::take(&mut *self.inner.borrow_mut());
        self.inner.borrow_mut().opening = before.opening + 1;
        // Dropping a question may access this.
        drop(before);
    }

    /// Opens the newest generation of the file, and listens for events.
    pub(super) fn open(&self, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        self.open_as("", true, callback);
    }

    /// Opens the file with further `parameters`.
    pub(super) fn open_as(&self, parameters: &'static str, with_news: bool, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static) {
        self.close();
        self.inner.borrow_mut().is_open = true;
        let (served, busy, opening) = (self.clone(), self.idle.begin(), self.opening());
        spawn_local(async move {
            let opened = read(post(&format!("open?build={BUILD}{parameters}"), &[]).await);
            if served.opening() != opening {
                return;
            }
            let Opened { generation, answer } = match opened {
                Ok(opened) => opened,
                Err(failure) => return callback(Err(failure)),
            };
            let queue = {
                let mut inner = served.inner.borrow_mut();
                (inner.generation, inner.known) = (Some(generation), generation);
                std::mem::take(&mut inner.queue)
            };
            callback(answer);
            drop(busy);
            for (request, callback, busy) in queue {
                served.send(generation, request, callback, busy);
            }
            if with_news && served.opening() == opening {
                served.listen(opening, generation).await;
            }
        });
    }

    /// Asks a question.
    pub(super) fn ask(&self, request: Request, callback: OnReply) {
        let busy = self.idle.begin();
        let generation = self.inner.borrow().generation;
        match generation {
            Some(generation) => self.send(generation, request, callback, busy),
            None => self.inner.borrow_mut().queue.push((request, callback, busy)),
        }
    }

    /// Requests the input of the metrics worker.
    pub(super) fn ask_metrics_input(&self, callback: impl FnOnce(Result<Blob, Failure>) + 'static) {
        let (served, busy, opening) = (self.clone(), self.idle.begin(), self.opening());
        let generation = self.inner.borrow().generation.unwrap_or_default();
        spawn_local(async move {
            let answer = read(post(&format!("metrics-input?build={BUILD}&generation={generation}"), &[]).await);
            let blob = answer.and_then(|answer: Result<Packed<u8>, Failure>| answer).and_then(|bytes| {
                let parts = Array::of1(&Uint8Array::from(bytes.as_slice()));
                Blob::new_with_u8_array_sequence(&parts).map_err(|error| failure(error_text(&error)))
            });
            if served.opening() == opening {
                callback(blob);
            }
            drop(busy);
        });
    }

    fn opening(&self) -> u32 {
        self.inner.borrow().opening
    }

    fn send(&self, generation: u64, request: Request, callback: OnReply, busy: Busy) {
        let (served, opening) = (self.clone(), self.opening());
        spawn_local(async move {
            let answer = match postcard::to_allocvec(&request) {
                Ok(body) => read(post(&format!("ask?build={BUILD}&generation={generation}"), &body).await).and_then(|reply: Reply| reply),
                Err(error) => Err(failure(format!("The request could not be written: {error}."))),
            };
            if served.opening() == opening {
                // The callback runs before the idle mark is released, so that a follow-up question leaves no gap.
                callback(answer);
            }
            drop(busy);
        });
    }

    /// Listens for events until another file or generation is opened. A program that stops answering is reported once.
    async fn listen(&self, opening: u32, generation: u64) {
        let (mut after, mut silent) = (0, 0_u32);
        loop {
            let known = self.inner.borrow().known;
            let news = read(post(&format!("news?build={BUILD}&generation={generation}&after={after}&known={known}"), &[]).await);
            if self.opening() != opening {
                return;
            }
            match news {
                Ok(News { number, events }) => {
                    (after, silent) = (number, 0);
                    if events.is_empty() {
                        // Other tabs may have to wait for news, too, and browsers have few connections for all of them.
                        TimeoutFuture::new(if document().hidden() { HIDDEN_PAUSE_MS } else { PAUSE_MS }).await;
                    }
                    for event in events {
                        if let Notification::Grown(grown) = &event {
                            self.inner.borrow_mut().known = grown.generation;
                        }
                        (self.notice)(Notice::Event(event));
                    }
                }
                Err(failure) => {
                    silent += 1;
                    // A single request may get lost.
                    if silent == 2 {
                        (self.notice)(Notice::Exited(WorkerExit::Unserved(failure.message)));
                    }
                    TimeoutFuture::new(AGAIN_MS).await;
                }
            }
        }
    }
}

fn failure(message: String) -> Failure {
    Failure { kind: FailureKind::Internal, message }
}

fn read<T: serde::de::DeserializeOwned>(bytes: Result<Vec<u8>, String>) -> Result<T, Failure> {
    let bytes = bytes.map_err(failure)?;
    postcard::from_bytes(&bytes).map_err(|_| {
        failure("The answer could not be read; the page and the program that serves it may be of different builds. Reload the page.".into())
    })
}

/// The bytes of an answer, or an error message.
async fn post(path: &str, body: &[u8]) -> Result<Vec<u8>, String> {
    let init = RequestInit::new();
    init.set_method("POST");
    let headers = Object::new();
    let _ = Reflect::set(&headers, &"Content-Type".into(), &SERVED_TYPE.into());
    init.set_headers(&headers);
    init.set_body(&Uint8Array::from(body));
    let silent = |error| format!("quipu serve, which reads the file, does not answer ({}). Start it again.", error_text(&error));
    let answer = JsFuture::from(window().fetch_with_str_and_init(&format!("./quipu/{path}"), &init)).await.map_err(silent)?;
    let answer: Response = answer.dyn_into().map_err(silent)?;
    if !answer.ok() {
        let json = match answer.json() {
            Ok(json) => JsFuture::from(json).await.ok(),
            Err(_) => None,
        };
        let words = json.and_then(|json| Reflect::get(&json, &"message".into()).ok()?.as_string());
        return Err(words.unwrap_or_else(|| format!("quipu serve, which reads the file, answered {}. Reload the page.", answer.status())));
    }
    let buffer = JsFuture::from(answer.array_buffer().map_err(silent)?).await.map_err(silent)?;
    Ok(Uint8Array::new(&buffer).to_vec())
}
