//! A chart: passes its data to `charts.js`, which draws with uPlot. Both are loaded when the first chart is shown.
//!
//! Not here: the data, which the metrics worker computes.

use crate::BUILD;
use crate::browser::{document, window};
use crate::idle::Busy;
use crate::reactive::{dynamic, effect, when};
use crate::state::App;
use js_sys::{Array, Float64Array, Function, Object, Reflect};
use leptos::prelude::*;
use quipu_model::format::TimeStyle;
use quipu_model::number::truncated;
use quipu_protocol::{Chart, ChartForm};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Whether the library is loaded.
#[derive(Default)]
enum Library {
    #[default]
    Absent,
    /// Callbacks that wait for the library.
    Loading(Vec<Box<dyn FnOnce(bool)>>),
    Here,
    Failed,
}

thread_local! {
    static LIBRARY: RefCell<Library> = RefCell::default();
}

/// Loads the library, and calls back with whether that succeeded.
fn with_library(done: impl FnOnce(bool) + 'static) {
    let done: Box<dyn FnOnce(bool)> = Box::new(done);
    let known = LIBRARY.with_borrow_mut(|library| match library {
        Library::Absent => {
            *library = Library::Loading(vec![done]);
            None
        }
        Library::Loading(waiting) => {
            waiting.push(done);
            Some(None)
        }
        Library::Here => Some(Some((done, true))),
        Library::Failed => Some(Some((done, false))),
    });
    match known {
        None => load(),
        Some(None) => {}
        Some(Some((done, is_here))) => done(is_here),
    }
}

fn load() {
    let style = crate::dom::el("link").attr("rel", "stylesheet").attr("href", &format!("./uplot.css?v={BUILD}")).done();
    if let Some(head) = document().head() {
        let _ = head.append_child(&style);
    }
    load_script("uplot.js", |is_here| if is_here { load_script("charts.js", settle) } else { settle(false) });
}

fn settle(is_here: bool) {
    let before = LIBRARY.replace(if is_here { Library::Here } else { Library::Failed });
    if let Library::Loading(waiting) = before {
        waiting.into_iter().for_each(|done| done(is_here));
    }
}

fn load_script(name: &str, done: fn(bool)) {
    let script = crate::dom::el("script").attr("src", &format!("./{name}?v={BUILD}")).done();
    for (event, ok) in [("load", true), ("error", false)] {
        let listener = Closure::once_into_js(move || done(ok));
        let _ = script.add_event_listener_with_callback(event, listener.unchecked_ref());
    }
    if let Some(head) = document().head() {
        let _ = head.append_child(&script);
    }
}

/// Called with a range dragged over a chart: its ends, in milliseconds since 1970.
pub(super) type Zoom = Callback<(i64, i64)>;
/// Called with a pressed point: the index of the series, and the index of the time.
pub(super) type Press = Callback<(usize, usize)>;

/// The chart, once there is one.
#[component]
pub(super) fn ChartView(
    /// The data.
    #[prop(into)]
    chart: Signal<Option<Rc<Chart>>, LocalStorage>,
    /// Called with a dragged range.
    zoom: Zoom,
    /// Called with a pressed point.
    press: Press,
) -> impl IntoView {
    let app = App::get();
    let node = NodeRef::<leptos::html::Div>::new();
    let failed = RwSignal::new(false);
    let drawn: StoredValue<Option<Drawn>, LocalStorage> = StoredValue::new_local(None);
    effect(move || {
        let utc = app.view.with(|view| view.times) != TimeStyle::Local;
        let (Some(holder), Some(chart)) = (node.get(), chart.get()) else {
            drawn.update_value(|drawn| *drawn = None);
            return;
        };
        let busy: Busy = app.idle().begin();
        with_library(move |is_here| {
            let _busy = busy;
            if !is_here {
                let _ = failed.try_set(true);
                return;
            }
            let _ = drawn.try_update_value(|drawn| {
                *drawn = None;
                *drawn = draw(&holder, &chart, utc, zoom, press);
            });
        });
    });
    on_cleanup(move || {
        let _ = drawn.try_update_value(Option::take);
    });
    let more = move || chart.get().map(|chart| chart.more).filter(|more| *more > 0);
    view! {
        <div class="time-chart" node_ref=node></div>
        {when(move || failed.get(), move || view! {
            <p class="state failed" role="alert">"The chart library could not be loaded. The tables show the same values. Reload the page to try again."</p>
        })}
        {dynamic(move || more().map(|more| view! { <p class="soft">{format!("and {more} more series that are not drawn; the table has them")}</p> }))}
    }
}

/// A drawn chart; dropping it removes it.
struct Drawn {
    remove: Function,
    _listeners: [JsValue; 2],
}

impl Drop for Drawn {
    fn drop(&mut self) {
        let _ = self.remove.call0(&JsValue::NULL);
    }
}

fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

fn draw(holder: &web_sys::HtmlDivElement, chart: &Chart, utc: bool, zoom: Zoom, press: Press) -> Option<Drawn> {
    let numbers = |values: &[f64]| JsValue::from(Float64Array::from(values));
    let series: Array = chart
        .series
        .iter()
        .map(|series| {
            object(&[
                ("name", series.name.as_str().into()),
                ("failed", series.failed.into()),
                ("values", numbers(&series.values)),
            ])
        })
        .collect();
    let spec = object(&[
        ("title", chart.title.as_str().into()),
        ("bars", (chart.form == ChartForm::Bars).into()),
        ("times", numbers(&chart.times)),
        ("series", series.into()),
        ("step", (chart.step_millis as f64 / 1e3).into()),
        ("utc", utc.into()),
    ]);
    let zoom = Closure::<dyn Fn(f64, f64)>::new(move |from: f64, to: f64| zoom.run((truncated(from * 1e3), truncated((to * 1e3).ceil()))))
        .into_js_value();
    let press =
        Closure::<dyn Fn(f64, f64)>::new(move |series: f64, place: f64| press.run((truncated(series), truncated(place)))).into_js_value();
    let on = object(&[("zoom", zoom.clone()), ("point", press.clone())]);
    let make: Function = Reflect::get(&window(), &"quipuChart".into()).ok()?.dyn_into().ok()?;
    let remove = make.call3(&JsValue::NULL, holder, &spec, &on).ok()?.dyn_into().ok()?;
    Some(Drawn { remove, _listeners: [zoom, press] })
}
