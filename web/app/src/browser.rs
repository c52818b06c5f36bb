//! Small functions of the browser, each of which may be refused.

use gloo_file::ObjectUrl;
use js_sys::{Date, Function, Promise, Reflect};
use quipu_model::Timestamp;
use quipu_model::number::truncated;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, Element, File, HtmlDocument, HtmlElement, Window};

/// The window; the page runs in no other place.
pub(crate) fn window() -> Window {
    leptos::prelude::window()
}

/// The document.
pub(crate) fn document() -> Document {
    leptos::prelude::document()
}

/// Removes the text shown while the program loads.
pub(crate) fn remove_boot_text() {
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
}

/// Sets an attribute of `<html>`.
pub(crate) fn set_root_attribute(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute(name, value);
    }
}

/// Calls `work` before the next frame is drawn.
pub(crate) fn on_next_frame(work: impl FnOnce() + 'static) {
    let callback = Closure::once_into_js(work);
    let _ = window().request_animation_frame(callback.unchecked_ref());
}

/// Milliseconds since the page began.
pub(crate) fn now() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// The offset of the reader's time zone at `at`, in minutes east of UTC.
pub(crate) fn zone_offset_minutes(at: Timestamp) -> i32 {
    let date = Date::new(&JsValue::from_f64((at.0 / 1_000_000) as f64));
    -truncated::<i32>(date.get_timezone_offset())
}

/// A stored setting, if there is one and the browser allows it.
pub(crate) fn load_setting(name: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(&format!("quipu.{name}")).ok()?
}

/// Stores a setting, if the browser allows it.
pub(crate) fn keep_setting(name: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(&format!("quipu.{name}"), value);
    }
}

/// Copies `text`; `false` when the browser refused. Plain HTTP beyond localhost has no clipboard object, so the older API is tried there.
pub(crate) async fn copy_text(text: String) -> bool {
    let navigator = window().navigator();
    let clipboard = Reflect::get(&navigator, &"clipboard".into()).unwrap_or(JsValue::UNDEFINED);
    if let Ok(write) = Reflect::get(&clipboard, &"writeText".into()).unwrap_or(JsValue::UNDEFINED).dyn_into::<Function>()
        && let Ok(promise) = write.call1(&clipboard, &JsValue::from_str(&text))
        && JsFuture::from(Promise::resolve(&promise)).await.is_ok()
    {
        return true;
    }
    copy_by_selection(&text).unwrap_or(false)
}

fn copy_by_selection(text: &str) -> Option<bool> {
    let document = document();
    let area = document.create_element("textarea").ok()?;
    area.set_text_content(Some(text));
    area.set_attribute("class", "off-screen").ok()?;
    document.body()?.append_child(&area).ok()?;
    if let Ok(select) = Reflect::get(&area, &"select".into()).ok()?.dyn_into::<Function>() {
        let _ = select.call0(&area);
    }
    let done = document.dyn_ref::<HtmlDocument>()?.exec_command("copy").unwrap_or(false);
    area.remove();
    Some(done)
}

/// Whether `element` or one of its ancestors matches `selector`.
pub(crate) fn is_inside(element: &Element, selector: &str) -> bool {
    element.closest(selector).ok().flatten().is_some()
}

/// The horizontal position of a pointer in `element`: 0 at its left edge, 1 at its right edge.
pub(crate) fn part_across(element: &Element, client_x: i32) -> f64 {
    let place = element.get_bounding_client_rect();
    (f64::from(client_x) - place.left()) / place.width().max(1.0)
}

/// The elements in `root` that match `selector`.
pub(crate) fn all(root: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = root.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.get(at)?.dyn_into().ok()).collect()
}

/// Saves `text` as a file; `false` when the browser refused.
pub(crate) fn save_text(name: &str, text: &str) -> bool {
    save(name, &text.into())
}

/// Saves `bytes` as a file; `false` when the browser refused.
pub(crate) fn save_bytes(name: &str, bytes: &[u8]) -> bool {
    save(name, &js_sys::Uint8Array::from(bytes))
}

/// Saves `blob` as a file; `false` when the browser refused.
pub(crate) fn save_blob(name: &str, blob: &web_sys::Blob) -> bool {
    save(name, blob)
}

/// A blob as a file.
pub(crate) fn blob_as_file(blob: &JsValue, name: &str) -> Result<File, JsValue> {
    File::new_with_blob_sequence(&js_sys::Array::of1(blob), name)
}

fn save(name: &str, part: &JsValue) -> bool {
    let save = || {
        let blob = web_sys::Blob::new_with_blob_sequence(&js_sys::Array::of1(part)).ok()?;
        // The browser keeps the blob while it saves it.
        let address = ObjectUrl::from(gloo_file::Blob::from(blob));
        let link = document().create_element("a").ok()?.dyn_into::<web_sys::HtmlAnchorElement>().ok()?;
        link.set_href(&address);
        link.set_download(name);
        link.click();
        Some(())
    };
    save().is_some()
}

/// Focuses the element with this id.
pub(crate) fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        focus_element(&element);
    }
}

/// Focuses an element.
pub(crate) fn focus_element(element: &Element) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        let _ = element.focus();
    }
}

/// The message of a JavaScript error.
pub(crate) fn error_text(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok().and_then(|message| message.as_string());
    message.or_else(|| error.as_string()).unwrap_or_else(|| format!("{error:?}"))
}
