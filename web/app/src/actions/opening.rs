//! The ways to open files: the button, a drop, a paste, a sample, the address.

use super::{router, shared_link};
use crate::browser::{blob_as_file, document, error_text, window};
use crate::client;
use crate::state::{App, FileState};
use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::*;
use quipu_model::is_companion;
use quipu_model::number::truncated;
use quipu_model::ordered::sort_by_key;
use quipu_protocol::address::{Sample, Screen, Source};
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

/// The files of a drop or a paste, without folders and texts.
pub(crate) fn transferred(transfer: Option<DataTransfer>) -> Vec<File> {
    transfer.and_then(|transfer| transfer.files()).map(listed).unwrap_or_default()
}

/// The files of a list.
pub(crate) fn listed(list: FileList) -> Vec<File> {
    (0..list.length()).filter_map(|place| list.get(place)).collect()
}

/// Opens the reader's files: one database, with its `-journal` or `-wal` file if given, and with their `handles` if there are any.
pub(crate) fn open_files(app: App, mut files: Vec<File>, handles: Option<Promise>) {
    // The database first: its name goes into the address.
    sort_by_key(&mut files, |file| is_companion(&file.name()));
    let Some(first) = files.first() else { return };
    let source = source_of(first);
    app.open(source.clone(), files);
    let Some(handles) = handles else { return };
    wasm_bindgen_futures::spawn_local(async move {
        if let Ok(handles) = JsFuture::from(handles).await {
            app.keep_handles(source, handles.unchecked_into());
        }
    });
}

/// A file as addresses name it.
fn source_of(file: &File) -> Source {
    Source::File { name: file.name(), size_bytes: Some(truncated(file.size())) }
}

/// Files in a self-contained page can be named by addresses, and are opened if the address names nothing.
pub(crate) fn take_carried(app: App) {
    let files = crate::carried::files();
    if let Some(first) = files.first() {
        let source = source_of(first);
        app.remember(source.clone(), files.clone());
        if crate::carried::fragment().is_empty() && window().location().hash().is_ok_and(|hash| hash.is_empty()) {
            app.open(source, files);
        }
    }
}

/// Requests handles of the dropped files, if the browser has them. That works only during the drop event.
pub(crate) fn ask_for_handles(transfer: Option<DataTransfer>) -> Option<Promise> {
    let items = transfer?.items();
    let handles = Array::new();
    for place in 0..items.length() {
        let item = items.get(place).filter(|item| item.kind() == "file")?;
        let ask: Function = Reflect::get(&item, &"getAsFileSystemHandle".into()).ok()?.dyn_into().ok()?;
        handles.push(&ask.call0(&item).ok()?);
    }
    Some(Promise::all(&handles))
}

/// Reopens the open file, because it changed: through its handle if there is one, otherwise by asking for the file. A `File` without a
/// handle is useless by then: Chromium does not read it, and Firefox reads the new bytes up to the old size.
pub(crate) fn reopen(app: App) {
    if let Some(source) =
        app.opened.get_untracked().filter(|source| app.known_files(source).is_some_and(|(_, files)| client::is_served(source, &files)))
    {
        return app.open(source, Vec::new());
    }
    wasm_bindgen_futures::spawn_local(async move {
        let handles = app.kept_handles();
        let mut files = Vec::new();
        for handle in handles.iter().flat_map(|handles| handles.iter()) {
            if let Some(file) = file_of(&handle).await {
                files.push(file);
            }
        }
        match files.iter().find(|file| !is_companion(&file.name())) {
            Some(main) if can_be_read(main).await => {
                open_files(app, files, handles.map(|handles| Promise::resolve(&JsValue::from(handles))))
            }
            _ => ask_for_file(),
        }
    });
}

async fn file_of(handle: &JsValue) -> Option<File> {
    let get: Function = Reflect::get(handle, &"getFile".into()).ok()?.dyn_into().ok()?;
    let promise: Promise = get.call0(handle).ok()?.dyn_into().ok()?;
    JsFuture::from(promise).await.ok()?.dyn_into().ok()
}

async fn can_be_read(file: &File) -> bool {
    match file.slice_with_f64_and_f64(0.0, 100.0) {
        Ok(head) => JsFuture::from(head.array_buffer()).await.is_ok(),
        Err(_) => false,
    }
}

/// Fetches a sample from the page's server, and opens it.
pub(crate) fn open_sample(app: App, sample: Sample) {
    let busy = app.idle().begin();
    app.settle_alert();
    let epoch = app.forget_loaded();
    app.file.set(FileState::Opening { name: sample.file_name().into(), fetched: false });
    wasm_bindgen_futures::spawn_local(async move {
        let fetched = fetch_sample(sample).await;
        // The reader may have opened another file meanwhile.
        if app.epoch.get_untracked() != epoch {
            return;
        }
        match fetched {
            Ok(file) => app.open(Source::Sample(sample), vec![file]),
            Err(error) => app.cannot_open(format!(
                "The sample {} could not be fetched from this page’s own server: {error}. Check that the folder “samples” is next to the page.",
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
    blob_as_file(&blob, sample.file_name()).map_err(|error| error_text(&error))
}

/// Opens what the address names, if that is possible without asking: a sample, or a file of this visit. Otherwise the reader is asked for
/// it.
pub(crate) fn follow_address(app: App) {
    let view = app.view.get_untracked();
    match view.source {
        None if view.screen == Screen::Open => {}
        None => {
            // An address without a file means the one that is open.
            if let Some(source) = app.opened.get_untracked() {
                router::navigate(app, router::HistoryEntry::Replace, |view| view.source = Some(source));
            } else if let Some(source) = client::served() {
                // Otherwise the served one.
                router::navigate(app, router::HistoryEntry::Replace, |view| view.source = Some(source.clone()));
                app.open(source, Vec::new());
            }
        }
        Some(source) if router::is_open(app, &source) => {}
        Some(Source::Sample(sample)) => open_sample(app, sample),
        Some(source) => match (app.known_files(&source), source) {
            (Some((source, files)), _) => app.open(source, files),
            (None, Source::Link { letters, key }) => shared_link::open_link(app, letters, key, None),
            (None, _) => app.close(),
        },
    }
}
