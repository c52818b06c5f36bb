//! Draws the first view of a file once, out of sight, before any file is chosen. Browsers compile a function of WebAssembly when it is first
//! called, and the first rows of a real file should not wait for that.
//!
//! Not here: anything a reader sees. A failure here happens again with a real file, and is reported then.

use crate::browser::{document, on_next_frame};
use crate::pages::Screens;
use crate::state::{App, FileState};
use js_sys::Promise;
use leptos::mount::mount_to;
use leptos::prelude::*;
use quipu_protocol::address::{Screen, Source};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, HtmlElement};

/// Frames after which a step is given up.
const PATIENCE: u32 = 60;

/// Draws the list of the worker's built-in file, then its trace, out of sight, unless a file is open or being opened.
pub(crate) fn prewarm(app: App) {
    if !nothing_open(app) {
        return;
    }
    let busy = app.idle().begin();
    wasm_bindgen_futures::spawn_local(async move {
        if let Some(stage) = build_stage() {
            play(app, &stage).await;
        }
        drop(busy);
    });
}

fn nothing_open(app: App) -> bool {
    app.file.with_untracked(|file| matches!(file, FileState::None))
}

/// An element outside the document, so that neither readers, screen readers nor queries of the document find it.
fn build_stage() -> Option<HtmlElement> {
    document().create_element("div").ok()?.dyn_into().ok()
}

async fn play(app: App, stage: &HtmlElement) {
    // The state outlives the mounted view, because answers may still arrive after it was dropped.
    let prewarmed = app.for_prewarm();
    let mounted = mount_to(stage.clone(), move || {
        provide_context(prewarmed);
        prewarmed.open(Source::File { name: String::new(), size_bytes: None }, Vec::new());
        view! { <Screens /> }
    });
    if let Some(row) = wait_for(app, stage, "[data-trace-id]").await
        && let Some(trace_id) = row.get_attribute("data-trace-id")
    {
        prewarmed.view.update(|view| view.screen = Screen::trace(trace_id));
        wait_for(app, stage, "[data-span-id]").await;
    }
    drop(mounted);
}

/// Waits until the stage has an element, and one frame more. `None` when a file is opened meanwhile, or it takes too long.
async fn wait_for(app: App, stage: &HtmlElement, selector: &str) -> Option<Element> {
    for _ in 0..PATIENCE {
        next_frame().await;
        if !nothing_open(app) {
            return None;
        }
        if let Some(element) = stage.query_selector(selector).ok()? {
            next_frame().await;
            return nothing_open(app).then_some(element);
        }
    }
    None
}

async fn next_frame() {
    let promise = Promise::new(&mut |resolve, _| {
        on_next_frame(move || {
            let _ = resolve.call0(&resolve);
        });
    });
    let _ = JsFuture::from(promise).await;
}
