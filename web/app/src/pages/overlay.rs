//! The overlay of the timeline: event marks, the critical path, and a measure between two times.
//!
//! Not here: what fills it (`overlay_actions`), positions on the axis (`quipu_ui::view`), and drawing (`timeline`, `timeline_row`).

use leptos::prelude::*;
use quipu_model::format;
use quipu_protocol::SpanMoments;
use quipu_ui::view::PathRows;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The overlay of one trace. `Copy`: every field is a signal handle.
#[derive(Clone, Copy)]
pub(super) struct Overlay {
    /// The times of events, for the rows that were in view and have any.
    pub(super) moments: RwSignal<HashMap<u32, Arc<SpanMoments>>>,
    pub(super) asked: StoredValue<HashSet<u32>>,
    pub(super) asking: RwSignal<bool>,
    /// The critical path, once it is shown and loaded.
    pub(super) path: RwSignal<PathRows>,
    /// The measure in the address.
    pub(super) measured: Memo<Option<(u64, u64)>>,
    /// The measure being made, before it is in the address.
    pub(super) measuring: RwSignal<Option<(u64, u64)>>,
    /// The start of a measure made with keys.
    pub(super) anchor: RwSignal<Option<u64>>,
}

impl Overlay {
    /// `measured`: the measure in the address.
    pub(super) fn new(measured: Memo<Option<(u64, u64)>>) -> Overlay {
        Overlay {
            moments: RwSignal::default(),
            asked: StoredValue::default(),
            asking: RwSignal::new(false),
            path: RwSignal::default(),
            measured,
            measuring: RwSignal::new(None),
            anchor: RwSignal::new(None),
        }
    }

    /// The start and end of the shown measure.
    pub(super) fn measure(&self) -> Option<(u64, u64)> {
        self.measuring.get().or_else(|| self.measured.get())
    }

    /// Shows a provisional measure between two times, in any order.
    pub(super) fn pull(&self, from: u64, to: u64) {
        self.measuring.set(Some((from.min(to), from.max(to))));
    }
}

/// A measure in words.
pub(super) fn measure_text((from, to): (u64, u64)) -> String {
    format::duration_text(Some(to - from))
}
