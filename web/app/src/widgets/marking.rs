//! Marks what is searched for in the texts below it. Text nodes and `<mark>` only.
//!
//! What is not here: where it stands in a text, which is the core's `view`.

use leptos::prelude::*;
use quipu_protocol::MatchPlace;

/// What texts below are marked with, by context.
#[derive(Clone, Copy)]
pub(crate) struct Marking {
    /// What is searched for; empty: nothing.
    pub(crate) find: Memo<String>,
    /// The match that the reader asked to be shown.
    pub(crate) shown: RwSignal<Option<MatchPlace>>,
}
