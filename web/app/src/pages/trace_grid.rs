//! The table of traces: its columns, its groups, and the content of its rows.
//!
//! Not here: the table itself (`list_grid`), which columns fit, and the text of most cells (`quipu_ui::view`).

use super::list_grid::{RowAction, Table, list_grid, move_to, row_id};
use crate::actions::router::{self, HistoryEntry};
use crate::browser::document;
use crate::dom::{El, el, fill, nearest};
use crate::reactive::{effect, memo};
use crate::state::App;
use crate::state::{PagedList, Row};
use crate::widgets::{IconName, Viewport, icon};
use leptos::prelude::*;
use quipu_model::SpanKind;
use quipu_model::format;
use quipu_model::format::DASH;
use quipu_protocol::ColumnSet;
use quipu_protocol::address::{Screen, ViewState};
use quipu_protocol::{GroupBy, ListColumn, TraceRow};
use quipu_ui::view;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement};

/// The id of the column menu.
const MENU: &str = "columns-menu";

/// The table.
pub(super) fn trace_grid(app: App, viewport: Viewport) -> impl IntoView {
    let list = app.traces;
    // Relative times count from the file's first span.
    let zero = memo(move || app.summary().and_then(|summary| summary.start));
    let fitting = memo(move || {
        let (columns, sorted_by) = app.view.with(|view| (view.list.columns, view.list.order.column));
        // Before the first layout, all columns fit.
        let width = viewport.width.get();
        let columns = if has_services(app) { columns } else { columns.without_services() };
        columns.fitting(sorted_by, if width > 0.0 { width } else { f64::INFINITY })
    });
    // Links and times depend on the view.
    let version = memo(move || {
        let address = router::address(app, |view| view.screen = Screen::Traces);
        let zone = app.summary().map(|summary| summary.zone);
        format!("{address} {:?} {} {zone:?}", zero.get(), fitting.get().1)
    });
    effect(move || {
        let mut longest = 0;
        list.visit(|row| {
            // The time range of a group is not a duration.
            if let Row::Trace(row) = row
                && row.group.is_none()
            {
                longest = row.duration_nanos.unwrap_or(0).max(longest);
            }
        });
        let tracks = fitting.get().1;
        if let Some(element) = viewport.node.get() {
            let _ = element.set_attribute("style", &format!("--longest:{};--tracks:{tracks}", longest.max(1)));
        }
    });
    let head = move |root: &Element| draw_head(app, root, &fitting.get().0);
    let row = move |place: u32, row: Option<&Row>| match row {
        Some(Row::Trace(row)) => trace_row(app, place, row, &fitting.get_untracked().0),
        _ => coming(place, "trace-row coming"),
    };
    let on_action = move |place: u32, row: &Row, action: RowAction| match row {
        Row::Trace(row) => do_with(app, list, viewport, place, row, action),
        Row::Hit(_) | Row::Log(_) => false,
    };
    let press = move |event: &Event| {
        let column = nearest(event, "[data-column]").and_then(|heading| heading.get_attribute("data-column"));
        if let Some(column) = column.and_then(|name| ListColumn::from_name(&name)) {
            router::navigate(app, HistoryEntry::Push, |view| view.list.order = view.list.order.by(column));
        }
    };
    list_grid(
        app,
        Table {
            label: "Traces",
            class: "grid trace-grid",
            list,
            viewport,
            version,
            head: Rc::new(head),
            row: Rc::new(row),
            on_action: Rc::new(on_action),
            press: Rc::new(press),
        },
    )
}

/// A row that is still loading.
pub(super) fn coming(place: u32, class: &str) -> El {
    el("div")
        .class(class)
        .attr("role", "row")
        .attr("id", &row_id(place))
        .attr("aria-rowindex", &(place + 2).to_string())
        .child(el("span").attr("role", "gridcell").text("…"))
}

/// Headings that sort; the pressed one keeps the focus.
fn draw_head(app: App, root: &Element, columns: &[ListColumn]) {
    let order = app.view.with(|view| view.list.order);
    let focused =
        document().active_element().filter(|element| root.contains(Some(element))).and_then(|button| button.get_attribute("data-column"));
    let heading = |column: &ListColumn| {
        let (sort, sign) = match (*column == order.column, order.descending) {
            (false, _) => ("none", ""),
            (true, true) => ("descending", " ▾"),
            (true, false) => ("ascending", " ▴"),
        };
        if !column.sorts() {
            let heading = el("span").class(&cell_class(*column)).attr("role", "columnheader").attr("title", column.title());
            return heading.text(column.label());
        }
        let button =
            el("button").attr("type", "button").attr("data-column", column.name()).attr("title", column.title()).text(column.label());
        let button = button.child(el("span").attr("aria-hidden", "true").text(sign));
        el("span").class(&cell_class(*column)).attr("role", "columnheader").attr("aria-sort", sort).child(button)
    };
    root.set_class_name("grid-head trace-row");
    fill(root, columns.iter().map(heading).collect());
    let again = focused.and_then(|name| root.query_selector(&format!("[data-column={name}]")).ok()?);
    if let Some(button) = again.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        let _ = button.focus();
    }
}

fn cell_class(column: ListColumn) -> String {
    format!("cell-{}{}", column.name(), if column.is_number() { " cell-number" } else { "" })
}

/// One trace, or a group of them.
fn trace_row(app: App, place: u32, row: &TraceRow, columns: &[ListColumn]) -> El {
    let list = app.view.with_untracked(|view| view.list.group);
    let is_cursor = app.traces.cursor.get_untracked() == Some(place);
    let class = match (row.failed.unwrap_or(0) > 0, &row.group, list) {
        (true, Some(_), _) => "trace-row group-row has-failed",
        (false, Some(_), _) => "trace-row group-row",
        (true, None, Some(_)) => "trace-row in-group has-failed",
        (false, None, Some(_)) => "trace-row in-group",
        (true, ..) => "trace-row has-failed",
        (false, ..) => "trace-row",
    };
    let element = el("div")
        .class(class)
        .attr("role", "row")
        .attr("id", &row_id(place))
        .attr("data-place", &place.to_string())
        .attr("aria-rowindex", &(place + 2).to_string())
        .attr("aria-selected", if is_cursor { "true" } else { "false" });
    let element = match &row.group {
        Some(group) => element.attr("data-group", &group.key),
        None => element.attr("data-trace-id", &row.trace_id),
    };
    element.children(columns.iter().map(|column| cell(app, row, *column, list)).collect())
}

fn cell(app: App, row: &TraceRow, column: ListColumn, by: Option<GroupBy>) -> El {
    let cell = el("span").class(&cell_class(column)).attr("role", "gridcell");
    let text = view::cell_text(row, column);
    match column {
        ListColumn::Start => {
            let zero = app.summary().and_then(|summary| summary.start);
            let start = row.start.map(|start| app.time_text(start, zero));
            cell.text(start.as_deref().map_or(DASH, format::cut_to_millis))
        }
        ListColumn::Name => match (&row.group, by) {
            (Some(group), Some(by)) => {
                let (key, traces) = view::group_text(group, by);
                let label = if group.open { "Collapse" } else { "Expand" };
                let caret = el("button").class("group-caret").attr("type", "button").attr("tabindex", "-1").attr("aria-label", label);
                let caret = caret.attr("aria-expanded", if group.open { "true" } else { "false" }).child(icon(IconName::Caret));
                cell.child(caret)
                    .child(el("span").class("group-key").attr("title", &key).text(&key))
                    .child(el("span").class("soft").text(&traces))
            }
            _ => {
                let kind = row.root_kind.unwrap_or(SpanKind::Other).label();
                let name = row.root_name.as_deref().unwrap_or(DASH);
                let (head, tail) = format::name_parts(name);
                let link = untrack(|| router::address(app, open(row)));
                cell.child(el("i").class(&format!("kind-mark kind-{kind}")).attr("title", kind)).child(
                    el("a")
                        .attr("href", &link)
                        .attr("tabindex", "-1")
                        .attr("title", name)
                        .child(el("span").text(head))
                        .child(el("span").text(tail)),
                )
            }
        },
        ListColumn::Duration => {
            let bar = |nanos: u64| el("span").class("duration-bar").attr("style", &format!("--nanos:{nanos}"));
            let bar = row.duration_nanos.filter(|_| row.group.is_none()).map(bar);
            cell.child(el("span").class("number").text(&text))
                .child(el("span").class("duration-track").attr("aria-hidden", "true").maybe(bar))
        }
        ListColumn::Failed => cell.maybe((row.failed.unwrap_or(0) > 0).then(|| icon(IconName::Failed))).child(el("span").text(&text)),
        column if column.is_number() => cell.text(&text),
        _ => cell.attr("title", &text).text(&text),
    }
}

fn open(row: &TraceRow) -> impl Fn(&mut ViewState) + use<> {
    let trace_id = row.trace_id.clone();
    move |view| view.screen = Screen::trace(trace_id.clone())
}

fn do_with(app: App, list: PagedList, viewport: Viewport, place: u32, row: &TraceRow, action: RowAction) -> bool {
    match (&row.group, action) {
        (None, RowAction::Open) => router::navigate(app, HistoryEntry::Push, open(row)),
        // Move from a trace to its group.
        (None, RowAction::Left) => {
            let is_group =
                |place: &u32| list.row_untracked(*place).is_some_and(|row| matches!(&*row, Row::Trace(row) if row.group.is_some()));
            let Some(group) = (0..place).rev().take_while(|place| list.row_untracked(*place).is_some()).find(is_group) else {
                return false;
            };
            move_to(list, viewport, group.into());
        }
        (_, RowAction::Close) | (None, RowAction::Right) => return false,
        (Some(group), RowAction::Right) if group.open => move_to(list, viewport, u64::from(place) + 1),
        (Some(group), RowAction::Left) if !group.open => return false,
        (Some(group), _) => router::navigate(app, HistoryEntry::Replace, |view| view.list.toggle_group(&group.key)),
    }
    true
}

/// The column menu and its button. The caller passes presses to [`press_menu`].
pub(super) fn columns_menu(app: App) -> Vec<El> {
    let chosen = app.view.with_untracked(|view| view.list.columns);
    let line = |column: ListColumn| {
        let input = el("input").attr("type", "checkbox").attr("value", column.name());
        let input = if chosen.has(column) { input.attr("checked", "") } else { input };
        el("label").attr("title", column.title()).child(input).text(column.label())
    };
    // Without names, rows could not be distinguished.
    let lines = ListColumn::ALL.into_iter().filter(|column| *column != ListColumn::Name).map(line).collect();
    let menu = el("div").class("menu").attr("id", MENU).attr("popover", "auto").attr("role", "group").attr("aria-label", "Columns");
    vec![
        el("button").attr("type", "button").attr("popovertarget", MENU).text("Columns"),
        menu.children(lines),
    ]
}

/// Opens the column menu below its button, or applies a choice in it.
pub(super) fn press_menu(app: App, event: &Event) {
    let Some(pressed) = nearest(event, "[popovertarget], .menu input") else { return };
    if let Some(column) = pressed.get_attribute("value").and_then(|name| ListColumn::from_name(&name)) {
        if event.type_() == "change" {
            router::navigate(app, HistoryEntry::Replace, |view| view.list.columns = view.list.columns.toggled(column));
        }
    } else if let Some(menu) = document().get_element_by_id(MENU) {
        let place = pressed.get_bounding_client_rect();
        let _ = menu.set_attribute("style", &format!("top:{}px;right:calc(100vw - {}px)", place.bottom() + 2.0, place.right()));
    }
}

/// Whether the spans of the file are of several services.
fn has_services(app: App) -> bool {
    app.summary().is_some_and(|summary| summary.service_names.len() > 1)
}

/// Ticks the boxes of the chosen columns.
pub(super) fn check_menu(app: App, chosen: ColumnSet) {
    let several = has_services(app);
    for column in ListColumn::ALL {
        let input = document().query_selector(&format!("#{MENU} [value={}]", column.name())).ok().flatten();
        if let Some(input) = input.and_then(|input| input.dyn_into::<HtmlInputElement>().ok()) {
            input.set_checked(chosen.has(column));
            if column == ListColumn::Service {
                input.set_disabled(!several);
                input.set_title(if several { "" } else { "All spans of this file are of one service" });
            }
        }
    }
}
