//! The contents of a self-contained file: programs of workers, files to open, and the view to open them in. A page from a server has none.

use crate::browser::window;
use js_sys::{Array, ArrayBuffer, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::File;

fn part(name: &str) -> Option<JsValue> {
    let carried = Reflect::get(&window(), &"quipuCarried".into()).ok().filter(JsValue::is_object)?;
    Reflect::get(&carried, &name.into()).ok()
}

/// Whether the page is a self-contained file.
pub(crate) fn is_here() -> bool {
    part("programs").is_some()
}

/// The script of a worker's program, and its WebAssembly.
pub(crate) fn program(name: &str) -> Option<(String, ArrayBuffer)> {
    let program = Reflect::get(&part("programs")?, &name.into()).ok().filter(JsValue::is_object)?;
    let part = |name: &str| Reflect::get(&program, &name.into()).ok();
    Some((part("script")?.as_string()?, part("wasm")?.dyn_into().ok()?))
}

/// The files; empty if the page comes from a server.
pub(crate) fn files() -> Vec<File> {
    let list: Option<Array> = part("files").and_then(|files| files.dyn_into().ok());
    list.iter().flat_map(Array::iter).filter_map(|file| file.dyn_into().ok()).collect()
}

/// The fragment of the address that the file was made for; may be empty.
pub(crate) fn fragment() -> String {
    part("view").and_then(|view| view.as_string()).unwrap_or_default()
}

/// The self-contained page without its contents, to make further ones.
pub(crate) fn template() -> Option<String> {
    part("template")?.as_string()
}
