//! Marks the matches of the search in the texts below it, with text nodes and `<mark>` only.
//!
//! Not here: finding matches in a text (`quipu_ui::view`).

use leptos::prelude::*;
use quipu_protocol::MatchPlace;

/// The search that texts below are marked with, given by context.
#[derive(Clone, Copy)]
pub(crate) struct Marking {
    /// The search text; empty: no search.
    pub(crate) find: Memo<String>,
    /// The match that the reader asked to see.
    pub(crate) shown: RwSignal<Option<MatchPlace>>,
}
