//! A list as a table that draws only the rows in view: its head, its rows, its keys.
//!
//! Not here: the content of a row (`trace_grid`, `hits`), and loading (`state`, `actions`).

use super::filter_bar::{self, GRID};
use crate::browser::{document, focus, on_next_frame};
use crate::dom::{El, el, nearest};
use crate::reactive::{effect, effect_with, memo, on_event, on_mouse};
use crate::state::App;
use crate::state::{PagedList, Row};
use crate::widgets::{Build, Built, Viewport, copy};
use leptos::html::Div;
use leptos::prelude::*;
use quipu_ui::view;
use quipu_ui::view::{MoveKey, ScrollWindow};
use std::rc::Rc;
use std::sync::Arc;
use web_sys::{Element, Event};

/// Rows drawn in one frame when the table appears.
const PART: u64 = 12;

/// An action on a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RowAction {
    /// Opens it.
    Open,
    /// Expands it, or moves to its first child.
    Right,
    /// Collapses it, or moves to its parent.
    Left,
    /// Closes what it has opened.
    Close,
}

/// Draws the row at an index.
type DrawRow = Rc<dyn Fn(u32, Option<&Row>) -> El>;
/// Handles an action on the row at an index.
type RowHandler = Rc<dyn Fn(u32, &Row, RowAction) -> bool>;

/// The parts of a table.
pub(super) struct Table {
    /// Its name.
    pub(super) label: &'static str,
    /// Its class.
    pub(super) class: &'static str,
    /// Its rows.
    pub(super) list: PagedList,
    /// The scroll position, in pixels.
    pub(super) viewport: Viewport,
    /// What rows depend on besides their data: all rows are redrawn when it changes.
    pub(super) version: Memo<String>,
    /// Draws the head into its element, and again when a signal it reads changes.
    pub(super) head: Rc<dyn Fn(&Element)>,
    /// Draws the row at an index; a row that is still loading is `None`.
    pub(super) row: DrawRow,
    /// Handles an action on a row; `false` when it did nothing.
    pub(super) on_action: RowHandler,
    /// Called for presses outside rows.
    pub(super) press: Rc<dyn Fn(&Event)>,
}

/// Shown above a table without rows: why it failed, that it waits for the index, or the result of `nothing`.
pub(super) fn list_state(app: App, list: PagedList, waiting: &'static str, nothing: Nothing) -> impl IntoView {
    let content = move |build: &Build| {
        let text = |text: &str| el("p").text(text);
        let mut lines = Vec::new();
        if let Some(failure) = list.failure.get() {
            lines.push(text(&failure).attr("role", "alert"));
        }
        if list.not_indexed.get() {
            let then = app.index_stopped.get().unwrap_or_else(|| "It appears here as soon as it is known.".into());
            lines.push(el("div").attr("role", "status").child(text(waiting)).child(text(&then)));
        }
        if list.total.get() == Some(0) {
            lines.extend(nothing(build));
        }
        if lines.is_empty() { lines } else { vec![el("div").class("state").children(lines)] }
    };
    view! { <Built content=Rc::new(content) /> }
}

/// Builds the message of an empty list.
type Nothing = Rc<dyn Fn(&Build) -> Vec<El>>;

/// The id of the row at an index.
pub(super) fn row_id(place: u32) -> String {
    format!("trace-row-{place}")
}

/// How many rows of the window may be drawn: a few at first, and more in every frame. Drawing a full screen of rows at once can block the
/// page for too long.
fn draw_in_parts(app: App, window: Memo<ScrollWindow>) -> RwSignal<u64> {
    let allowed = RwSignal::new(PART);
    effect(move || {
        if allowed.get() < window.get().count {
            // Until then, not all rows are drawn.
            let busy = app.idle().begin();
            on_next_frame(move || {
                let _ = allowed.try_update(|allowed| *allowed += PART);
                drop(busy);
            });
        }
    });
    allowed
}

/// The drawn rows: their indexes, the data they were drawn from, and their elements.
#[derive(Default)]
struct Drawn {
    version: String,
    rows: Vec<(u32, Option<Arc<Row>>, Element)>,
}

impl Drawn {
    /// Makes `wanted` the rows of `root`; existing elements are reused.
    fn draw(&mut self, root: &Element, version: String, wanted: Vec<(u32, Option<Arc<Row>>)>, row: &dyn Fn(u32, Option<&Row>) -> El) {
        let mut before = std::mem::take(&mut self.rows);
        if self.version != version {
            self.version = version;
            before.clear();
            root.set_text_content(None);
        }
        let is_same = |one: &Option<Arc<Row>>, other: &Option<Arc<Row>>| match (one, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        for (place, content) in wanted {
            let kept = before.iter().position(|(known, from, _)| *known == place && is_same(from, &content));
            let element = match kept {
                Some(at) => before.swap_remove(at).2,
                None => row(place, content.as_deref()).done(),
            };
            self.rows.push((place, content, element));
        }
        before.iter().for_each(|(.., element)| element.remove());
        let mut next = root.first_child();
        for (.., element) in &self.rows {
            match next.take() {
                Some(node) if node.is_same_node(Some(element)) => next = node.next_sibling(),
                other => {
                    let _ = root.insert_before(element, other.as_ref());
                    next = other;
                }
            }
        }
    }
}

/// The table.
pub(super) fn list_grid(app: App, table: Table) -> impl IntoView {
    let Table { label, class, list, viewport, version, head, row, on_action, press } = table;
    let window = memo(move || viewport.window(list.len().into()));
    let allowed = draw_in_parts(app, window);
    let head_node = NodeRef::<Div>::new();
    effect(move || {
        if let Some(element) = head_node.get() {
            head(&element);
        }
    });
    let rows_node = NodeRef::<Div>::new();
    let drawn = StoredValue::new_local(Drawn::default());
    effect(move || {
        let Some(root) = rows_node.get() else { return };
        let window = window.get();
        let wanted = window.rows().zip(0..allowed.get()).map(|(place, _)| (place, list.row(place))).collect();
        let version = version.get();
        let _ = drawn.try_update_value(|drawn| untrack(|| drawn.draw(&root, version, wanted, &*row)));
    });
    effect_with(move |before: Option<Option<u32>>| {
        let cursor = list.cursor.get();
        for (place, selected) in [(before.flatten(), "false"), (cursor, "true")] {
            if let Some(element) = place.and_then(|place| document().get_element_by_id(&row_id(place))) {
                let _ = element.set_attribute("aria-selected", selected);
            }
        }
        cursor
    });
    let for_click = on_action.clone();
    let clicked = move |event: leptos::ev::MouseEvent| {
        let Some(row) = nearest(&event, "[data-place]") else { return press(&event) };
        let place = row.get_attribute("data-place").and_then(|place| place.parse().ok());
        if let Some((place, row)) = place.and_then(|place| Some((place, list.row_untracked(place)?))) {
            list.cursor.set(Some(place));
            // The browser follows links.
            if nearest(&event, "a").is_none() {
                for_click(place, &row, RowAction::Open);
            }
        }
    };
    keys(app, list, viewport, on_action);
    let space = NodeRef::<Div>::new();
    effect(move || {
        let (Some(grid), Some(space), Some(rows)) = (viewport.node.get(), space.get(), rows_node.get()) else { return };
        let set = |element: &Element, name: &str, value: &str| {
            let _ = element.set_attribute(name, value);
        };
        set(&grid, "aria-rowcount", &list.total.get().map_or(-1, |total| i64::from(total) + 1).to_string());
        set(&grid, "aria-busy", if list.is_loaded() { "false" } else { "true" });
        match list.cursor.get() {
            Some(place) => set(&grid, "aria-activedescendant", &row_id(place)),
            None => drop(grid.remove_attribute("aria-activedescendant")),
        }
        set(&space, "style", &format!("height:{}px", viewport.map(list.len().into()).height_px()));
        set(&rows, "style", &format!("transform:translateY({}px)", window.get().top_px));
    });
    view! {
        <div
            class=class
            id=GRID
            role="grid"
            aria-label=label
            tabindex="0"
            node_ref=viewport.node
            on:scroll=on_event(move |_| viewport.scrolled())
            on:click=on_mouse(clicked)
        >
            <div class="grid-head" role="row" aria-rowindex="1" node_ref=head_node></div>
            <div class="grid-space" role="presentation" node_ref=space>
                <div class="grid-window" role="rowgroup" node_ref=rows_node></div>
            </div>
        </div>
    }
}

/// The table's keys.
fn keys(app: App, list: PagedList, viewport: Viewport, on_action: RowHandler) {
    app.handle_keys(move |_, key| {
        if key == "/" {
            focus(filter_bar::INPUT);
            return true;
        }
        let cursor = list.cursor.get_untracked();
        if let Some((place, row)) = cursor.and_then(|place| Some((place, list.row_untracked(place)?))) {
            let action = match key {
                "Enter" => Some(RowAction::Open),
                "ArrowRight" | "l" => Some(RowAction::Right),
                "ArrowLeft" | "h" => Some(RowAction::Left),
                "Escape" => Some(RowAction::Close),
                "c" => {
                    copy(app, "The id", row.id().to_owned());
                    return true;
                }
                _ => None,
            };
            if action.is_some_and(|action| on_action(place, &row, action)) {
                return true;
            }
        }
        let Some(key) = MoveKey::from_name(key) else { return false };
        let len = list.len_untracked().into();
        let page = viewport.map_untracked(len).page_rows();
        match view::move_in_list(len, cursor.map(u64::from), key, page) {
            Some(place) => {
                move_to(list, viewport, place);
                true
            }
            None => false,
        }
    });
}

/// Moves the keyboard cursor to a row.
pub(super) fn move_to(list: PagedList, viewport: Viewport, place: u64) {
    list.cursor.set(u32::try_from(place).ok());
    // Enter acts on the row from now on, not on the button pressed last.
    focus(GRID);
    viewport.reveal(place, list.len_untracked().into());
}
