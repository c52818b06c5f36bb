//! How files come in: the button, a drop, a paste, a sample, the address.

use crate::browser::{document, error_text, window};
use crate::router;
use crate::state::{App, FileState};
use js_sys::Array;
use leptos::prelude::*;
use quipu::model::is_companion;
use quipu::share::{Place, Sample, Source};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, File, FileList, HtmlElement, Response};

/// The id of the one file input.
pub(crate) const INPUT_ID: &str = "quipu-file";

/// Shows the browser's file dialog.
pub(crate) fn ask_for_file() {
    if let Some(input) = document().get_element_by_id(INPUT_ID).and_then(|input| input.dyn_into::<HtmlElement>().ok()) {
        input.click();
    }
}

/// The files of a drop or a paste; folders and texts are left out.
pub(crate) fn transferred(transfer: Option<DataTransfer>) -> Vec<File> {
    transfer.and_then(|transfer| transfer.files()).map(listed).unwrap_or_default()
}

/// The files of a list.
pub(crate) fn listed(list: FileList) -> Vec<File> {
    (0..list.length()).filter_map(|place| list.get(place)).collect()
}

/// Opens what the reader gave: one database, and its `-journal` or `-wal` where it came along.
pub(crate) fn open_files(app: App, mut files: Vec<File>) {
    // The database first: its name is the address' name.
    files.sort_by_key(|file| is_companion(&file.name()));
    let Some(first) = files.first() else { return };
    let (name, size_bytes) = (first.name(), Some(first.size() as u64));
    app.open(Source::File { name, size_bytes }, files);
}

/// Fetches a sample from beside the page, and opens it.
pub(crate) fn open_sample(app: App, sample: Sample) {
    let busy = app.idle().begin();
    app.settle_alert();
    let epoch = app.forget_loaded();
    app.file.set(FileState::Opening { name: sample.file_name().into() });
    wasm_bindgen_futures::spawn_local(async move {
        let fetched = fetch_sample(sample).await;
        // On a slow connection the reader may have gone on to another file meanwhile.
        if app.epoch.get_untracked() != epoch {
            return;
        }
        match fetched {
            Ok(file) => app.open(Source::Sample(sample), vec![file]),
            Err(error) => app.cannot_open(format!(
                "The sample {} could not be fetched from this page’s own server: {error}. Check that the folder “samples” lies beside the page.",
                sample.file_name()
            )),
        }
        drop(busy);
    });
}

async fn fetch_sample(sample: Sample) -> Result<File, String> {
    let url = format!("./samples/{}", sample.file_name());
    let answer = JsFuture::from(window().fetch_with_str(&url)).await.map_err(|error| error_text(&error))?;
    let answer: Response = answer.dyn_into().map_err(|_| "no answer came".to_owned())?;
    if !answer.ok() {
        return Err(format!("it answered {} {}", answer.status(), answer.status_text()));
    }
    let blob = answer.blob().map_err(|error| error_text(&error))?;
    let blob = JsFuture::from(blob).await.map_err(|error| error_text(&error))?;
    File::new_with_blob_sequence(&Array::of1(&blob), sample.file_name()).map_err(|error| error_text(&error))
}

/// Opens what the address names, where that needs no asking: a sample, or a file of this visit. Otherwise the reader is asked for it.
pub(crate) fn follow_address(app: App) {
    let view = app.view.get_untracked();
    match view.source {
        None if view.place == Place::Open => {}
        None => {
            // An address without a file means the one that is open.
            if let Some(source) = app.opened.get_untracked() {
                router::navigate(app, router::Step::Replace, |view| view.source = Some(source));
            }
        }
        Some(source) if router::is_open(app, &source) => {}
        Some(Source::Sample(sample)) => open_sample(app, sample),
        Some(source) => match app.known_files(&source) {
            Some((source, files)) => app.open(source, files),
            None => app.close(),
        },
    }
}
