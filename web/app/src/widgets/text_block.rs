//! A text of any length: its head first, and more in steps, so that no length blocks the page. Text nodes only.

use crate::dom::{El, append, el};
use crate::widgets::Build;
use quipu_model::format::bytes;
use quipu_ui::view::clip;
use std::sync::Arc;

/// Bytes the first step adds; every further one doubles.
const FIRST_STEP: usize = 64 * 1024;
/// Characters after a match that are shown at first.
const BEHIND_MATCH: usize = 200;

/// `text` in a block that keeps its line ends; `head` is how many characters are shown at first.
pub(crate) fn text_block(build: &Build, text: Arc<str>, head: usize) -> El {
    let mut end = clip(&text, head).map_or(text.len(), str::len);
    let found = build.needle().and_then(|needle| needle.find_all(text.get(..text.len().min(FIRST_STEP)).unwrap_or(&text)).next());
    if let Some(found) = found.filter(|found| found.end > end) {
        let behind = text.get(found.end..).and_then(|rest| clip(rest, BEHIND_MATCH));
        end = behind.map_or(text.len(), |behind| found.end + behind.len());
    }
    el("div").class("text-block").children(pieces(build, &text, 0, end, 0))
}

/// The piece from `start` to `end`, and a button for the rest. Every piece is its own element, so adding one leaves the others unchanged.
fn pieces(build: &Build, text: &Arc<str>, start: usize, end: usize, step: u32) -> Vec<El> {
    let mut found = vec![build.marked("span", text.get(start..end).unwrap_or_default())];
    let left = text.len() - end;
    if left > 0 {
        let size = FIRST_STEP << step.min(6);
        let all = left <= size + size / 2;
        let whole = bytes(text.len() as u64);
        let label = if all { format!("Show all {whole}") } else { format!("Show {} more of {whole}", bytes(size as u64)) };
        let mut next = if all { text.len() } else { end + size };
        while !text.is_char_boundary(next) {
            next += 1;
        }
        let (for_press, text) = (build.clone(), text.clone());
        found.push(more(&label).on_press(&build.handlers, move |button| {
            if let Some(block) = button.parent_element() {
                button.remove();
                append(&block, pieces(&for_press, &text, end, next, step + 1));
            }
        }));
    }
    found
}

/// A button that shows more.
pub(crate) fn more(label: &str) -> El {
    el("button").attr("type", "button").class("more").text(label)
}
