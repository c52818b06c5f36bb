//! A text of many lines, folded.

use crate::dom::{El, el, fill};
use crate::widgets::Build;
use crate::widgets::text_block::{more, text_block};
use quipu_model::format;
use std::sync::Arc;

/// Texts of more lines are folded to their first and last.
const FOLD_LINES: usize = 6;

/// The text. A long one is folded to its first and last line, which say where and what in a traceback.
pub(crate) fn folded_text(build: &Build, text: &str) -> El {
    if text.lines().count() <= FOLD_LINES {
        return text_block(build, Arc::from(text), 1_000);
    }
    let open = build.needle().is_some_and(|needle| needle.is_in(text));
    el("div").children(form(build, &Arc::from(text), open))
}

fn form(build: &Build, text: &Arc<str>, open: bool) -> Vec<El> {
    let (for_press, of_press) = (build.clone(), text.clone());
    let turn = move |button: &web_sys::Element| {
        if let Some(parent) = button.parent_element() {
            fill(&parent, form(&for_press, &of_press, !open));
        }
    };
    let block = |text: Arc<str>, head| text_block(build, text, head).class("text-block mono");
    if open {
        return vec![block(text.clone(), 20_000), more("Fold").on_press(&build.handlers, turn)];
    }
    let first = text.lines().next().unwrap_or_default();
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    let label = format!("Show the {} lines between", format::count(text.lines().count().saturating_sub(2) as u64));
    vec![
        block(Arc::from(first), 400),
        more(&label).on_press(&build.handlers, turn),
        block(Arc::from(last), 400),
    ]
}
