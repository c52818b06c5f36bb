//! A text of any length: its head first, more in steps, so that no length stops the page. Text nodes only.

use crate::widgets::{Marking, marked};
use leptos::prelude::*;
use quipu::view::{bytes, clip};
use std::sync::Arc;

/// Bytes the first step adds; every further one doubles.
const FIRST_STEP: usize = 64 * 1024;
/// Characters behind a match that are shown at first because it is searched for.
const BEHIND_MATCH: usize = 200;

/// `text` in a block that keeps its line ends.
#[component]
pub(crate) fn TextBlock(
    /// The text.
    text: Arc<str>,
    /// Characters shown at first.
    #[prop(default = 1_500)]
    head: usize,
    /// Whether it is code rather than prose.
    #[prop(optional)]
    mono: bool,
) -> impl IntoView {
    let mut first_end = clip(&text, head).map_or(text.len(), str::len);
    let found = Marking::needle().and_then(|needle| needle.find_all(text.get(..text.len().min(FIRST_STEP)).unwrap_or(&text)).next());
    if let Some(found) = found.filter(|found| found.end > first_end) {
        let behind = text.get(found.end..).and_then(|rest| clip(rest, BEHIND_MATCH));
        first_end = behind.map_or(text.len(), |behind| found.end + behind.len());
    }
    // Ends of the pieces shown so far. Every piece is an element of its own: adding one leaves the others as they are.
    let ends = RwSignal::new(vec![first_end]);
    let pieces = {
        let text = text.clone();
        move || {
            let ends = ends.get();
            let starts = std::iter::once(0).chain(ends.iter().copied());
            starts.zip(ends.clone()).filter_map(|(start, end)| Some((start, text.get(start..end)?.to_owned()))).collect::<Vec<_>>()
        }
    };
    let more = {
        let text = text.clone();
        move || {
            let ends_now = ends.get();
            let shown = ends_now.last().copied().unwrap_or(0);
            let left = text.len() - shown;
            (left > 0).then(|| {
                let step = FIRST_STEP << (ends_now.len() - 1).min(6);
                let all = left <= step + step / 2;
                let label = if all {
                    format!("Show all {}", bytes(text.len() as u64))
                } else {
                    format!("Show {} more of {}", bytes(step as u64), bytes(text.len() as u64))
                };
                let text = text.clone();
                let press = move |_| {
                    let mut end = if all { text.len() } else { shown + step };
                    while !text.is_char_boundary(end) {
                        end += 1;
                    }
                    ends.update(|ends| ends.push(end));
                };
                view! { <button type="button" class="more" on:click=press>{label}</button> }
            })
        }
    };
    view! {
        <div class="text-block" class:mono=mono>
            <For each=pieces key=|(start, _)| *start let((_, piece))>
                <span>{marked(piece)}</span>
            </For>
            {more}
        </div>
    }
}
