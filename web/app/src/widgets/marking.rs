//! Marks what is searched for in the texts below it. Text nodes and `<mark>` only.
//!
//! What is not here: where it stands in a text, which is the core's `view`.

use leptos::prelude::*;
use quipu::fold::Needle;
use quipu::protocol::MatchPlace;
use quipu::view::pieces;

/// What texts below are marked with, by context.
#[derive(Clone, Copy)]
pub(crate) struct Marking {
    /// What is searched for; empty: nothing.
    pub(crate) find: Memo<String>,
    /// The match that the reader asked to be shown.
    pub(crate) shown: RwSignal<Option<MatchPlace>>,
}

/// `text`, with what is searched for marked.
pub(crate) fn marked(text: String) -> AnyView {
    let Some(Marking { find, .. }) = use_context::<Marking>() else { return text.into_any() };
    let piece = |(is_match, piece): (bool, &str)| {
        let piece = piece.to_owned();
        if is_match { view! { <mark>{piece}</mark> }.into_any() } else { piece.into_any() }
    };
    let shown = move || match Needle::new(&find.get()) {
        None => text.clone().into_any(),
        Some(needle) => pieces(&text, &needle).into_iter().map(piece).collect_view().into_any(),
    };
    shown.into_any()
}
