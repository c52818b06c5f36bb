//! A scrolled element whose rows are drawn by their window only.

use crate::browser::on_next_frame;
use crate::state::App;
use crate::state::PagedList;
use leptos::html::Div;
use leptos::prelude::*;
use quipu_protocol::address::ListView;
use quipu_ui::view::{ScrollMap, ScrollWindow};
use wasm_bindgen::prelude::*;
use web_sys::ResizeObserver;

/// Height of a row, as `--row` in the style sheets.
pub(crate) const ROW_PX: f64 = 28.0;

/// Rows on paper at most.
const PRINTED_ROWS: f64 = 500.0;

/// A scrolled element: where it is scrolled to and how high it is. Its first row of pixels is a sticky head of [`ROW_PX`].
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
    /// For an element that will carry `node`. `start_top` is where it is scrolled to at first.
    pub(crate) fn new(start_top: f64) -> Viewport {
        let viewport =
            Viewport { node: NodeRef::new(), top: RwSignal::new(start_top), height: RwSignal::new(0.0), width: RwSignal::new(0.0) };
        let observer = StoredValue::new_local(None::<ResizeObserver>);
        Effect::new(move |_| {
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
            // The observer tells the size once it is laid out anyway; asking for it here would lay the page out twice.
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
        // Paper is not scrolled: what fits on a dozen pages is drawn whole.
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

    /// Loads the rows of `list` that are in sight, as `shown` has them; from the top when that changes.
    pub(crate) fn load(self, app: App, list: PagedList, shown: Memo<ListView>) {
        let window = Memo::new(move |_| self.window(list.len().into()));
        Effect::new(move |_| {
            let window = window.get();
            list.want(app, shown.get(), window.first as u32, window.count as u32);
        });
        Effect::new(move |before: Option<ListView>| {
            // Groups open and close where they are.
            let now = ListView { open: Vec::new(), ..shown.get() };
            if before.is_some_and(|before| before != now) {
                self.reveal(0, list.len_untracked().into());
            }
            now
        });
    }

    /// To be called when the element was scrolled.
    pub(crate) fn scrolled(&self) {
        if let Some(element) = self.node.get_untracked() {
            self.top.set(f64::from(element.scroll_top()));
        }
    }

    /// Where it is scrolled to.
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

    /// Scrolls as little as it takes to show `row` of `rows`.
    pub(crate) fn reveal(&self, row: u64, rows: u64) {
        if let Some(top) = self.map_untracked(rows).reveal(row, self.top.get_untracked()) {
            self.scroll_to(top);
        }
    }

    fn scroll_to(&self, top: f64) {
        if let Some(Some(element)) = self.node.try_get_untracked() {
            element.set_scroll_top(top.round() as i32);
            self.top.set(f64::from(element.scroll_top()));
        }
    }
}
