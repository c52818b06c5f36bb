//! The totals of the listed traces, and their scatter chart by start and duration. Dragging over the chart sets a filter.
//!
//! The table below has the same data. Not here: cells, paths, ticks and the filter's terms (`quipu_ui::view`).

use super::trace_grid::{check_menu, columns_menu, press_menu};
use crate::actions::router::{self, HistoryEntry};
use crate::dom::{El, el, fill, nearest, svg};
use crate::reactive::{effect, on_event, on_mouse};
use crate::state::App;
use gloo_events::{EventListener, EventListenerOptions};
use leptos::html::Div;
use leptos::prelude::*;
use quipu_model::Timestamp;
use quipu_model::format;
use quipu_model::format::TimeStyle;
use quipu_model::number::truncated;
use quipu_protocol::{Scatter, SummarizeTraces, SummaryQuery, TraceSummary};
use quipu_ui::view;
use quipu_ui::view::{Brush, BrushSide, duration_ticks, time_ticks};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, KeyboardEvent, PointerEvent};

/// The width of a cell in pixels, and the number of cells down.
const CELL_PX: f64 = 5.0;
const ROWS: u16 = 24;
/// The minimum size of a dragged range, in pixels.
const LEAST_PX: f64 = 5.0;
/// The events the plot listens to.
const EVENTS: [&str; 6] = ["pointerdown", "pointermove", "pointerup", "pointercancel", "pointerleave", "keydown"];

/// The chart, and a drag over it.
#[derive(Default)]
struct Shown {
    summary: Option<TraceSummary>,
    brush: Option<Brush>,
    /// Where the pointer was pressed.
    held: Option<(f64, f64)>,
    asked: Option<(SummaryQuery, (u32, u32, bool), u32)>,
    under_way: bool,
}

/// The totals and the picture, in elements of their own.
#[derive(Clone)]
struct Overview {
    app: App,
    shown: Rc<RefCell<Shown>>,
    totals: Element,
    toggle: Element,
    chart: Element,
    plot: Element,
    readout: Element,
    /// Notified when an answer arrived: the list may have changed meanwhile.
    again: RwSignal<u32>,
}

/// The totals after `count`, and the chart below them if it is enabled. `width` is that of the list, once it is laid out.
pub(super) fn overview(app: App, width: RwSignal<f64>, count: AnyView) -> impl IntoView {
    let plot = el("div").class("plot").done();
    let readout = el("p").class("readout number").attr("aria-hidden", "true").done();
    let chart = el("section").class("chart").attr("aria-label", "Traces by start and duration");
    let this = Overview {
        app,
        shown: Rc::default(),
        totals: el("span").class("totals soft").attr("role", "note").attr("aria-label", "Totals").done(),
        toggle: el("button").attr("type", "button").attr("data-toggle", "").done(),
        chart: chart.child(El::from(plot.clone())).child(El::from(readout.clone())).done(),
        plot,
        readout,
        again: RwSignal::new(0),
    };
    let (bar, below) = (NodeRef::<Div>::new(), NodeRef::<Div>::new());
    let built = this.clone();
    effect(move || {
        if let (Some(bar), Some(below)) = (bar.get(), below.get()) {
            let mut parts = vec![El::from(built.totals.clone())];
            parts.extend(columns_menu(app));
            parts.push(El::from(built.toggle.clone()));
            fill(&bar, parts);
            fill(&below, vec![El::from(built.chart.clone())]);
            check_menu(app, app.view.with(|view| view.list.columns));
        }
    });
    let for_events = this.clone();
    // Some of them prevent the browser's own reaction.
    let options = EventListenerOptions::enable_prevent_default();
    let listeners = EVENTS.map(|name| {
        let overview = for_events.clone();
        EventListener::new_with_options(&this.plot, name, options, move |event| overview.on_event(event))
    });
    let listeners = StoredValue::new_local(Some(listeners));
    on_cleanup(move || listeners.set_value(None));
    let loading = this.clone();
    effect(move || loading.load(width.get()));
    // Times are redrawn when their style changes.
    effect(move || {
        app.view.with(|view| view.times);
        this.draw();
    });
    let press = move |event: &Event| {
        if nearest(event, "[data-toggle]").is_some() {
            router::navigate(app, HistoryEntry::Replace, |view| view.list.chart = !view.list.chart);
        }
        press_menu(app, event);
    };
    view! {
        <div class="overview">
            {count}
            <div class="built" node_ref=bar on:click=on_mouse(move |event| press(&event)) on:change=on_event(move |event| press(&event))></div>
        </div>
        <div class="built" node_ref=below></div>
    }
}

impl Overview {
    /// Requests the totals of the list each time its rows arrived: rows come first.
    fn load(&self, width: f64) {
        self.again.track();
        let (app, list) = (self.app, self.app.traces);
        let (chart, failed_only, filter) = app.view.with(|view| (view.list.chart, view.list.failed_only, view.list.filter.clone()));
        let _ = self.toggle.set_attribute("aria-expanded", if chart { "true" } else { "false" });
        self.toggle.set_text_content(Some(if chart { "Hide chart" } else { "Show chart" }));
        self.chart.set_class_name(if chart { "chart" } else { "chart put-away" });
        let cells = if chart { (truncated(width / CELL_PX), ROWS) } else { (0, 0) };
        let is_known = list.is_loaded() && app.summary().is_some_and(|summary| summary.indexed);
        let query = SummaryQuery { failed_only, filter, cells };
        let wanted = Some((query.clone(), list.state(), app.epoch.get()));
        if !is_known {
            self.shown.borrow_mut().summary = None;
            return self.draw();
        }
        {
            let mut shown = self.shown.borrow_mut();
            // A question about a file that is no longer open is never answered.
            let is_under_way = shown.under_way && shown.asked.as_ref().map(|asked| asked.2) == wanted.as_ref().map(|wanted| wanted.2);
            if is_under_way || (shown.asked == wanted && shown.summary.is_some()) {
                return;
            }
            (shown.asked, shown.under_way) = (wanted, true);
        }
        let this = self.clone();
        app.ask(SummarizeTraces(query), move |answer| {
            {
                let mut shown = this.shown.borrow_mut();
                shown.under_way = false;
                shown.brush = None;
                shown.summary = match answer {
                    Ok(found) => Some(found),
                    // The list itself says why there is none.
                    Err(_) => return,
                };
            }
            this.draw();
            let _ = this.again.try_update(|times| *times += 1);
        });
    }

    fn time(&self, at: Timestamp) -> String {
        untrack(|| {
            let text = self.app.time_text(at, self.app.summary().and_then(|summary| summary.start));
            let text = format::cut_to_millis(&text);
            text.strip_suffix(".000").unwrap_or(text).to_owned()
        })
    }

    /// Redraws everything.
    fn draw(&self) {
        let shown = self.shown.borrow();
        let totals = shown.summary.as_ref().map(|summary| view::totals_text(&summary.totals)).unwrap_or_default();
        self.totals.set_text_content(Some(&totals));
        let _ = self.totals.set_attribute("title", &totals);
        let picture = shown.summary.as_ref().and_then(|summary| summary.scatter.as_ref());
        fill(&self.plot, picture.map(|picture| self.parts(picture)).unwrap_or_default());
        drop(shown);
        self.draw_brush();
    }

    /// What is in the picture.
    fn parts(&self, picture: &Scatter) -> Vec<El> {
        let (width, height) = (f64::from(self.plot.client_width()), f64::from(self.plot.client_height()));
        let paths = view::scatter_paths(picture, width, height);
        let path = |class: &str, path: &str| svg("path").class(class).attr("d", path);
        let [one, few, many] = &paths.dots;
        let drawing = svg("svg")
            .attr("viewBox", &format!("0 0 {width} {height}"))
            .attr("role", "img")
            .attr("aria-label", &view::scatter_text(picture))
            .children(vec![
                path("dots one", one),
                path("dots few", few),
                path("dots many", many),
                path("crosses", &paths.crosses),
            ]);
        let mut parts = vec![drawing, el("div").class("brush")];
        for (number, side) in BrushSide::ALL.into_iter().enumerate() {
            let orientation = if number < 2 { "horizontal" } else { "vertical" };
            let handle = el("div").class(&format!("side-{number}")).attr("data-side", &number.to_string()).attr("role", "slider");
            let handle = handle.attr("tabindex", "0").attr("aria-label", side.label()).attr("aria-orientation", orientation);
            parts.push(handle.attr("aria-valuemin", "0"));
        }
        let (style, zero) = untrack(|| (self.app.view.with(|view| view.times), self.app.summary().and_then(|summary| summary.start)));
        let offset = if style == TimeStyle::Local { crate::browser::zone_offset_minutes(picture.from) } else { 0 };
        let tick = |class: &str, side: &str, at: f64, label: &str| {
            el("span").class(class).attr("aria-hidden", "true").attr("style", &format!("{side}:{}%", at * 100.0)).text(label)
        };
        let times = time_ticks(picture, width, style, offset, zero);
        parts.extend(times.iter().map(|found| tick("tick-x", "left", found.at, &found.label)));
        parts.extend(duration_ticks(picture).iter().map(|found| tick("tick-y", "bottom", found.at, &found.label)));
        parts
    }

    /// The range being dragged, and its sides, which the keyboard moves.
    fn draw_brush(&self) {
        let shown = self.shown.borrow();
        let Some(picture) = shown.summary.as_ref().and_then(|summary| summary.scatter.as_ref()) else { return };
        let part = shown.brush.clone().unwrap_or_else(|| Brush::whole(picture));
        let show = |at| self.time(at);
        let set = |selector: &str, name: &str, value: &str| {
            if let Ok(Some(element)) = self.plot.query_selector(selector) {
                let _ = element.set_attribute(name, value);
            }
        };
        let (left, top, across, down) = part.place(picture);
        let style = format!("left:{}%;top:{}%;width:{}%;height:{}%", left * 100.0, top * 100.0, across * 100.0, down * 100.0);
        set(".brush", "style", &style);
        set(".brush", "data-shown", if shown.brush.is_some() { "true" } else { "false" });
        for (number, side) in BrushSide::ALL.into_iter().enumerate() {
            let handle = format!(".side-{number}");
            let (border, last) = part.side(picture, side);
            let at = f64::from(border) / f64::from(last.max(1)) * 100.0;
            set(&handle, "style", &format!("{}:{at}%", if number < 2 { "left" } else { "bottom" }));
            set(&handle, "aria-valuenow", &border.to_string());
            set(&handle, "aria-valuemax", &last.to_string());
            set(&handle, "aria-valuetext", &part.side_text(picture, side, &show));
        }
        let text = shown.brush.as_ref().map(|brush| brush.text(picture, &show));
        self.readout.set_text_content(text.as_deref());
    }

    /// Handles the pointer and keys.
    fn on_event(&self, event: &Event) {
        let kind = event.type_();
        let mut shown = self.shown.borrow_mut();
        let Shown { summary, brush, held, .. } = &mut *shown;
        let Some(picture) = summary.as_ref().and_then(|summary| summary.scatter.as_ref()) else { return };
        let mut chosen = None;
        if let Some(event) = event.dyn_ref::<PointerEvent>() {
            let plot = self.plot.get_bounding_client_rect();
            let size = (plot.width().max(1.0), plot.height().max(1.0));
            let place = (f64::from(event.client_x()) - plot.left(), f64::from(event.client_y()) - plot.top());
            let mark = || view::mark_at(picture, size.0, size.1, place);
            match (kind.as_str(), *held) {
                ("pointerdown", _) if event.button() == 0 => {
                    let _ = self.plot.set_pointer_capture(event.pointer_id());
                    *held = Some(place);
                    return;
                }
                ("pointermove", Some(from)) => {
                    let part = |place: (f64, f64)| (place.0 / size.0, place.1 / size.1);
                    *brush = Brush::pulled(picture, part(from), part(place), (LEAST_PX / size.0, LEAST_PX / size.1));
                }
                ("pointermove", None) if brush.is_none() => {
                    let text = mark().map(|mark| view::mark_text(picture, mark, &|at| self.time(at)));
                    return self.readout.set_text_content(text.as_deref());
                }
                ("pointerup", Some(_)) => {
                    *held = None;
                    // A press without a drag selects the mark under the pointer.
                    chosen = brush.take().or_else(|| mark().map(|mark| Brush::around(picture, mark)));
                }
                ("pointercancel", _) => (*held, *brush) = (None, None),
                ("pointerleave", None) if brush.is_none() => {}
                _ => return,
            }
        } else if let Some(event) = event.dyn_ref::<KeyboardEvent>() {
            let side = nearest(event, "[data-side]").and_then(|handle| handle.get_attribute("data-side")?.parse::<usize>().ok());
            let Some(side) = side.and_then(|side| BrushSide::ALL.get(side).copied()) else { return };
            let mut part = brush.clone().unwrap_or_else(|| Brush::whole(picture));
            let (now, last) = part.side(picture, side);
            let step = if event.shift_key() { 10 } else { 1 };
            let to = match event.key().as_str() {
                "ArrowLeft" | "ArrowDown" => Some(now.saturating_sub(step)),
                "ArrowRight" | "ArrowUp" => Some(now.saturating_add(step)),
                "PageDown" => Some(now.saturating_sub(10)),
                "PageUp" => Some(now.saturating_add(10)),
                "Home" => Some(0),
                "End" => Some(last),
                "Enter" => {
                    chosen = brush.take();
                    None
                }
                "Escape" if brush.is_some() => {
                    *brush = None;
                    None
                }
                _ => return,
            };
            event.prevent_default();
            if let Some(to) = to {
                part.set_side(picture, side, to);
                *brush = Some(part);
            }
        }
        let filter = chosen.map(|part| self.app.view.with_untracked(|view| part.narrowed(picture, &view.list.filter)));
        drop(shown);
        self.draw_brush();
        if let Some(filter) = filter {
            router::navigate(self.app, HistoryEntry::Push, |view| view.list.filter = filter);
        }
    }
}
