//! A scrolled element that draws only the rows in view.

use crate::browser::on_next_frame;
use crate::reactive::{effect, effect_with, memo};
use crate::state::App;
use crate::state::{ListedBy, PagedList};
use leptos::html::Div;
use leptos::prelude::*;
use quipu_model::number::truncated;
use quipu_ui::view::{ScrollMap, ScrollWindow};
use wasm_bindgen::prelude::*;
use web_sys::ResizeObserver;

/// Height of a row, as `--row` in the style sheets.
pub(crate) const ROW_PX: f64 = 28.0;

/// Rows printed at most.
const PRINTED_ROWS: f64 = 500.0;

/// A scrolled element: its scroll position and its height. A sticky head of [`ROW_PX`] is at its top.
#[derive(Clone, Copy)]
pub(crate) struct Viewport {
    /// The element.
    pub(crate) node: NodeRef<Div>,
    top: RwSignal<f64>,
    height: RwSignal<f64>,
    /// Its width in pixels.
    pub(crate) width: RwSignal<f64>,
}

impl Viewport {
    /// For an element that will carry `node`, scrolled to `start_top` at first.
    pub(crate) fn new(start_top: f64) -> Viewport {
        let viewport =
            Viewport { node: NodeRef::new(), top: RwSignal::new(start_top), height: RwSignal::new(0.0), width: RwSignal::new(0.0) };
        let observer = StoredValue::new_local(None::<ResizeObserver>);
        effect(move || {
            let Some(element) = viewport.node.get() else { return };
            let measured = element.clone();
            let measure = move || {
                for (signal, now) in [
                    (viewport.height, f64::from(measured.client_height()) - ROW_PX),
                    (viewport.width, measured.client_width().into()),
                ] {
                    if signal.try_get_untracked().is_some_and(|known| known != now) {
                        signal.set(now);
                    }
                }
            };
            // The observer reports the size after the layout anyway; reading it here would force a second layout.
            let callback = Closure::<dyn Fn()>::new(measure);
            if let Ok(watching) = ResizeObserver::new(callback.as_ref().unchecked_ref()) {
                watching.observe(&element);
                observer.set_value(Some(watching));
            }
            callback.forget();
            if start_top > 0.0 {
                // The rows' height reaches the document after this effect.
                on_next_frame(move || viewport.scroll_to(start_top));
            }
        });
        // Paper does not scroll: a list that fits on a dozen pages is drawn in full.
        let heights = [("beforeprint", true), ("afterprint", false)].map(|(name, prints)| {
            window_event_listener_untyped(name, move |_| {
                let Some(Some(element)) = viewport.node.try_get_untracked() else { return };
                viewport.top.set(if prints { 0.0 } else { element.scroll_top().into() });
                viewport.height.set(if prints { PRINTED_ROWS * ROW_PX } else { f64::from(element.client_height()) - ROW_PX });
            })
        });
        on_cleanup(move || {
            heights.into_iter().for_each(|listener| listener.remove());
            observer.with_value(|observer| {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
            });
        });
        viewport
    }

    /// Loads the rows of `list` in view, ordered and filtered by `shown`; scrolls to the top when `shown` changes.
    pub(crate) fn load(self, app: App, list: PagedList, shown: Memo<ListedBy>) {
        let window = memo(move || self.window(list.len().into()));
        effect(move || {
            let window = window.get();
            list.want(app, shown.get(), window.rows());
        });
        effect_with(move |before: Option<ListedBy>| {
            // Opening or closing a group keeps the scroll position.
            let now = shown.with(ListedBy::closed);
            if before.is_some_and(|before| before != now) {
                self.reveal(0, list.len_untracked().into());
            }
            now
        });
    }

    /// Call this when the element was scrolled.
    pub(crate) fn scrolled(&self) {
        if let Some(element) = self.node.get_untracked() {
            self.top.set(f64::from(element.scroll_top()));
        }
    }

    /// The scroll position, in pixels.
    pub(crate) fn top(&self) -> f64 {
        self.top.get_untracked()
    }

    /// The mapping for `rows` rows.
    pub(crate) fn map(&self, rows: u64) -> ScrollMap {
        ScrollMap::new(rows, ROW_PX, self.height.get())
    }

    /// The mapping for `rows` rows, without listening to changes.
    pub(crate) fn map_untracked(&self, rows: u64) -> ScrollMap {
        ScrollMap::new(rows, ROW_PX, self.height.get_untracked())
    }

    /// The rows to draw out of `rows`.
    pub(crate) fn window(&self, rows: u64) -> ScrollWindow {
        self.map(rows).window(self.top.get())
    }

    /// Scrolls as little as possible to bring `row` of `rows` into view.
    pub(crate) fn reveal(&self, row: u64, rows: u64) {
        if let Some(top) = self.map_untracked(rows).reveal(row, self.top.get_untracked()) {
            self.scroll_to(top);
        }
    }

    fn scroll_to(&self, top: f64) {
        if let Some(Some(element)) = self.node.try_get_untracked() {
            element.set_scroll_top(truncated(top.round()));
            self.top.set(f64::from(element.scroll_top()));
        }
    }
}
