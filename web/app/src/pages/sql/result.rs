//! The result: a table that draws only the rows in view, and a dialog for a full value.
//!
//! Not here: the text of a cell (the core).

use crate::actions::router::{self, HistoryEntry};
use crate::browser::{document, focus, focus_element};
use crate::dom::{El, append, el, fill, nearest};
use crate::reactive::{effect_with, on_event, on_key, on_mouse};
use crate::state::App;
use crate::state::Kept;
use crate::widgets::{Build, Nodes, ROW_PX, Viewport, copy};
use leptos::prelude::*;
use quipu_model::format;
use quipu_model::number::{narrow, truncated};
use quipu_protocol::address::{Screen, TraceView};
use quipu_protocol::markup::Node;
use quipu_protocol::{GetSqlValue, IdPlace, SqlCell, SqlKind, SqlRan, SqlWholeValue};
use quipu_ui::view;
use quipu_ui::view::{MoveKey, ScrollWindow};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement};

/// The id of the table.
pub(super) const GRID: &str = "sql-result";
/// The id of the dialog.
const VALUE: &str = "sql-value";

fn cell_id(row: u32, column: u32) -> String {
    format!("sql-{row}-{column}")
}

/// The table, and the dialog.
pub(super) fn result(app: App) -> impl IntoView {
    let sql = app.sql;
    let viewport = Viewport::new(sql.with(|kept| kept.top));
    let build = Build::here();
    // Every change redraws the table: it is only a screenful of cells.
    effect_with(move |before: Option<bool>| {
        let Some(grid) = viewport.node.get() else { return before.unwrap_or(true) };
        sql.shown();
        sql.rows_changed.track();
        let table = sql.table();
        let _ = grid.toggle_attribute_with_force("hidden", table.is_none());
        let Some(table) = table else { return false };
        // A new result starts at the top; returning to one restores its scroll position.
        if before == Some(false) {
            untrack(|| viewport.reveal(0, table.rows.into()));
            grid.set_scroll_left(0);
        }
        let window = viewport.window(table.rows.into());
        sql.want(app, window.rows(), table.columns.len(), table.rows);
        draw(app, &grid, &table, window, viewport.map_untracked(table.rows.into()).height_px());
        true
    });
    // Moving the cursor keeps the cells, so that a double click hits one cell.
    effect_with(move |before: Option<()>| {
        sql.moved.track();
        let table = sql.table().filter(|_| before.is_some());
        if let (Some(grid), Some(table)) = (viewport.node.get_untracked(), table) {
            let (row, column) = sql.with(|kept| kept.cursor);
            viewport.reveal(row.into(), table.rows.into());
            mark(&grid, &cell_id(row, column));
        }
    });
    effect_with(move |before: Option<()>| {
        app.indexed.track();
        if before.is_some() {
            untrack(|| sql.find_ids_again(app));
        }
    });
    let handlers = build.handlers.clone();
    let shower = StoredValue::new_local(build);
    let show = move |row: u32, column: u32| shower.with_value(|build| show_value(build, row, column));
    let placed = |event: &web_sys::Event| {
        let cell = nearest(event, "[data-cell]")?.get_attribute("data-cell")?;
        let (row, column) = cell.split_once(' ')?;
        Some((row.parse::<u32>().ok()?, column.parse::<u32>().ok()?))
    };
    let click = move |event: leptos::ev::MouseEvent| {
        if let Some((row, column)) = placed(&event) {
            sql.move_to((row, column));
            if nearest(&event, "button").is_some() {
                show(row, column);
            }
        }
    };
    let press_twice = move |event: leptos::ev::MouseEvent| {
        if let Some((row, column)) = placed(&event) {
            show(row, column);
        }
    };
    let show_key = move |event: leptos::ev::KeyboardEvent| {
        let (row, column) = sql.with(|kept| kept.cursor);
        if event.key() == "Enter" && nearest(&event, "a, button").is_none() {
            event.prevent_default();
            event.stop_propagation();
            match screen_of(app, row, column) {
                Some(screen) if !event.shift_key() => router::navigate(app, HistoryEntry::Push, |view| view.screen = screen),
                _ => show(row, column),
            }
        }
    };
    view! {
        <div
            class="grid sql-grid"
            id=GRID
            role="grid"
            aria-label="Result"
            tabindex="0"
            node_ref=viewport.node
            on:scroll=on_event(move |_| {
                viewport.scrolled();
                sql.with(|kept| kept.top = viewport.top());
            })
            on:click=on_mouse(click)
            on:dblclick=on_mouse(press_twice)
            on:keydown=on_key(show_key)
        ></div>
        <dialog class="help sql-value" id=VALUE aria-label="Value" on:click=on_mouse(move |event| handlers.run(&event))></dialog>
    }
}

/// The head and the rows in view.
fn draw(app: App, grid: &Element, table: &SqlRan, window: ScrollWindow, height: f64) {
    let cursor = app.sql.with(|kept| kept.cursor);
    for (name, value) in [
        ("style", table.style.as_str()),
        ("aria-rowcount", &(table.rows + 1).to_string()),
        ("aria-colcount", &table.columns.len().to_string()),
        ("aria-activedescendant", &cell_id(cursor.0, cursor.1)),
    ] {
        let _ = grid.set_attribute(name, value);
    }
    let part = |class: &str| grid.query_selector(class).ok().flatten();
    if part(".grid-space").is_none() {
        let rows = el("div").class("grid-window");
        let head = el("div").class("grid-head sql-row").attr("role", "row").attr("aria-rowindex", "1");
        append(grid, vec![head, el("div").class("grid-space").attr("role", "presentation").child(rows)]);
    }
    let (Some(head), Some(space), Some(rows)) = (part(".grid-head"), part(".grid-space"), part(".grid-window")) else { return };
    fill(&head, table.columns.iter().enumerate().map(|(at, (name, kind))| heading(at, name, kind)).collect());
    let _ = space.set_attribute("style", &format!("height:{height}px"));
    let _ = rows.set_attribute("style", &format!("transform:translateY({}px)", window.top_px));
    // A group has rows.
    let _ = rows.set_attribute("role", if table.rows > 0 { "rowgroup" } else { "presentation" });
    fill(&rows, app.sql.with(|kept| window.rows().map(|place| row(app, place, table, kept)).collect()));
}

fn heading(at: usize, name: &str, kind: &str) -> El {
    el("span")
        .attr("role", "columnheader")
        .attr("aria-colindex", &(at + 1).to_string())
        .attr("title", &format!("{name}: {kind}"))
        .child(el("span").text(name))
        .text(" ")
        .child(el("span").class("soft").text(kind))
}

fn row(app: App, place: u32, table: &SqlRan, kept: &Kept) -> El {
    let width = table.columns.len();
    let line = el("div").class("sql-row").attr("role", "row").attr("aria-rowindex", &(place + 2).to_string());
    let loaded = &kept.loaded;
    let cells = place.checked_sub(loaded.from).and_then(|at| loaded.cells.get(at as usize * width..(at as usize + 1) * width));
    match cells {
        Some(cells) => {
            line.children(cells.iter().enumerate().map(|(column, cell)| one(app, (place, narrow(column)), cell, kept)).collect())
        }
        None => line.class("sql-row coming").child(el("span").attr("role", "gridcell").text("…")),
    }
}

fn one(app: App, (row, column): (u32, u32), cell: &SqlCell, kept: &Kept) -> El {
    let made = el("span")
        .class(&format!("sql-cell is-{}", cell.kind.name()))
        .attr("role", "gridcell")
        .attr("id", &cell_id(row, column))
        .attr("data-cell", &format!("{row} {column}"))
        .attr("aria-colindex", &(column + 1).to_string());
    let made = if kept.cursor == (row, column) { made.attr("aria-selected", "true") } else { made };
    let leads = if cell.is_id { kept.places.get(&cell.text).and_then(Option::as_ref) } else { None };
    if let Some(place) = leads {
        let address = untrack(|| router::address(app, |view| view.screen = to_screen(place)));
        let title = if place.span_id.is_some() { "Open this span" } else { "Open this trace" };
        return made.child(el("a").attr("href", &address).attr("tabindex", "-1").attr("title", title).text(&cell.text));
    }
    let text = el("span").class("sql-text").text(&cell.text);
    // Columns have an end.
    let made = made.child(if cell.text.len() > 40 { text.attr("title", &cell.text) } else { text });
    let more = || {
        let label = "Show the whole value";
        el("button")
            .attr("type", "button")
            .class("icon-button")
            .attr("tabindex", "-1")
            .attr("aria-label", label)
            .attr("title", label)
            .text("⋯")
    };
    made.maybe(cell.is_cut.then(more))
}

fn to_screen(place: &IdPlace) -> Screen {
    Screen::Trace(TraceView { trace_id: place.trace_id.clone(), span_id: place.span_id.clone(), ..TraceView::default() })
}

/// The cell, if its row is loaded.
fn cell_at(app: App, row: u32, column: u32) -> Option<SqlCell> {
    let width = app.sql.table()?.columns.len();
    app.sql.with(|Kept { loaded, .. }| loaded.cells.get(row.checked_sub(loaded.from)? as usize * width + column as usize).cloned())
}

/// The link target of the id in a cell.
fn screen_of(app: App, row: u32, column: u32) -> Option<Screen> {
    let cell = cell_at(app, row, column).filter(|cell| cell.is_id)?;
    app.sql.with(|kept| kept.places.get(&cell.text).and_then(Option::as_ref).map(to_screen))
}

/// Marks the cell with the keyboard cursor. A cell that is not drawn yet is marked when it is.
fn mark(grid: &Element, id: &str) {
    if let Ok(Some(before)) = grid.query_selector("[aria-selected]") {
        let _ = before.remove_attribute("aria-selected");
    }
    let _ = grid.set_attribute("aria-activedescendant", id);
    if let Some(cell) = document().get_element_by_id(id) {
        let _ = cell.set_attribute("aria-selected", "true");
        scroll_across(grid, &cell);
    }
}

/// Scrolls sideways as little as possible to bring the cell into view.
fn scroll_across(grid: &Element, cell: &Element) {
    let (outer, inner) = (grid.get_bounding_client_rect(), cell.get_bounding_client_rect());
    let beyond = (inner.right() - outer.right()).max(0.0) - (outer.left() - inner.left()).max(0.0);
    if beyond != 0.0 && inner.width() <= outer.width() {
        grid.set_scroll_left(grid.scroll_left() + truncated::<i32>(beyond));
    }
}

/// Handles the keys of the table; `true` when the key did something.
pub(super) fn press(app: App, key: &str) -> bool {
    let Some(table) = app.sql.table().filter(|table| table.rows > 0) else { return false };
    let (row, column) = app.sql.with(|kept| kept.cursor);
    let last = narrow(table.columns.len()).saturating_sub(1);
    let to = match key {
        "ArrowRight" | "l" => (row, (column + 1).min(last)),
        "ArrowLeft" | "h" => (row, column.saturating_sub(1)),
        "c" => {
            copy_value(app, row, column);
            return true;
        }
        _ => {
            let Some(key) = MoveKey::from_name(key) else { return false };
            let height = document().get_element_by_id(GRID).map_or(0, |grid| grid.client_height());
            let page = truncated::<u64>(f64::from(height) / ROW_PX);
            let page = page.saturating_sub(2).max(1);
            match view::move_in_list(table.rows.into(), Some(row.into()), key, page).and_then(|row| u32::try_from(row).ok()) {
                Some(row) => (row, column),
                None => return false,
            }
        }
    };
    app.sql.move_to(to);
    focus(GRID);
    true
}

fn ask_value(app: App, row: u32, column: u32, callback: impl FnOnce(SqlWholeValue) + 'static) {
    app.sql.ask(app, GetSqlValue { row, column }, move |answer| match answer {
        Ok(value) => callback(value),
        Err(failure) => app.announce.set(failure.message),
    });
}

fn copy_value(app: App, row: u32, column: u32) {
    ask_value(app, row, column, move |value| copy(app, "The value", text_of(&value.nodes)));
}

fn text_of(nodes: &[Node]) -> String {
    match nodes.first() {
        Some(Node::Text(text) | Node::Long(text) | Node::RawToggle { raw: text, .. }) => text.clone(),
        _ => String::new(),
    }
}

/// Shows a full value in a dialog.
fn show_value(build: &Build, row: u32, column: u32) {
    let (app, build) = (build.app, build.clone());
    let Some(name) = app.sql.table().and_then(|table| table.columns.get(column as usize).map(|(name, _)| name.clone())) else { return };
    let is_null = cell_at(app, row, column).is_some_and(|cell| cell.kind == SqlKind::Null);
    ask_value(app, row, column, move |SqlWholeValue { about, nodes }| {
        let Some(dialog) = document().get_element_by_id(VALUE).and_then(|dialog| dialog.dyn_into::<HtmlDialogElement>().ok()) else {
            return;
        };
        build.handlers.clear();
        let text = text_of(&nodes);
        let press = |label: &str, class: &str| el("button").attr("type", "button").class(class).text(label);
        let copying = press("Copy", "").on_press(&build.handlers, move |_| copy(app, "The value", text.clone()));
        let closing = dialog.clone();
        let close = press("Close", "primary").on_press(&build.handlers, move |_| {
            closing.close();
            focus(GRID);
        });
        let title = format!("{name}, row {}", format::count(u64::from(row) + 1));
        let body = Nodes(build.clone())
            .all(el("div").class("sql-whole").attr("tabindex", "0").attr("role", "region").attr("aria-label", &title), nodes);
        let head = el("div").child(el("h2").text(&title)).child(el("p").class("soft").text(&about));
        let buttons = el("div").class("buttons").maybe((!is_null).then_some(copying)).child(close);
        fill(&dialog, vec![head, body, buttons]);
        if !dialog.open() {
            let _ = dialog.show_modal();
        }
        if let Ok(Some(button)) = dialog.query_selector("button.primary") {
            focus_element(&button);
        }
    });
}
