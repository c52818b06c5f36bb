//! A text of many lines, folded.

use crate::widgets::{Marking, TextBlock};
use leptos::prelude::*;
use quipu::view;
use std::sync::Arc;

/// Texts of more lines are folded to their first and last.
const FOLD_LINES: usize = 6;

/// The text; a long one by its first and last line, which in a traceback tell where and what.
#[component]
pub(crate) fn FoldedText(
    /// The text.
    text: String,
) -> impl IntoView {
    let lines = text.lines().count();
    if lines <= FOLD_LINES {
        return view! { <TextBlock text=Arc::from(text) head=1_000 /> }.into_any();
    }
    let open = RwSignal::new(Marking::needle().is_some_and(|needle| needle.is_in(&text)));
    let first: Arc<str> = Arc::from(text.lines().next().unwrap_or_default());
    let last: Arc<str> = Arc::from(text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default());
    let whole: Arc<str> = Arc::from(text);
    let label = format!("Show the {} lines between", view::count(lines.saturating_sub(2) as u64));
    let shown = move || {
        if open.get() {
            view! {
                <TextBlock text=whole.clone() head=20_000 mono=true />
                <button type="button" class="more" on:click=move |_| open.set(false)>"Fold"</button>
            }
            .into_any()
        } else {
            view! {
                <TextBlock text=first.clone() head=400 mono=true />
                <button type="button" class="more" on:click=move |_| open.set(true)>{label.clone()}</button>
                <TextBlock text=last.clone() head=400 mono=true />
            }
            .into_any()
        }
    };
    shown.into_any()
}
