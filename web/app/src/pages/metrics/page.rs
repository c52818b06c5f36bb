//! The Metrics screen: its options, charts and tables of the file, PromQL boxes, prices.
//!
//! Not here: any arithmetic. The metrics worker sends numbers ready to draw.

use super::chart::{ChartView, Press, Zoom};
use super::part::SheetPart;
use super::point_list::{PointList, PointListView, ask_point_list};
use super::prices::Prices;
use super::query::QueryBox;
use crate::actions::router::{self, HistoryEntry};
use crate::dom::nearest;
use crate::reactive::{dynamic, effect, memo, on_event, on_mouse, when};
use crate::state::App;
use crate::state::MetricsState;
use crate::widgets::{Choice, Segmented};
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use quipu_model::Timestamp;
use quipu_model::number::truncated;
use quipu_protocol::TokensShown;
use quipu_protocol::address::{MetricsView, Screen, ViewState};
use quipu_protocol::{Chart, GetOverview, OverviewPage, OverviewQuery, PointQuery, TokensBy};
use std::rc::Rc;

/// Bars of a chart at most.
const BARS: u32 = 120;
/// The scrape intervals offered, in milliseconds.
const SCRAPES: [(i64, &str); 7] = [
    (1_000, "1 s"),
    (5_000, "5 s"),
    (15_000, "15 s"),
    (30_000, "30 s"),
    (60_000, "1 min"),
    (300_000, "5 min"),
    (3_600_000, "1 h"),
];

/// Changes the view; each change adds a history entry.
pub(super) fn change(app: App, change: impl FnOnce(&mut MetricsView)) {
    router::navigate(app, HistoryEntry::Push, |view| {
        if let Screen::Metrics(shown) = &mut view.screen {
            change(shown);
        }
    });
}

/// The page.
#[component]
pub(crate) fn MetricsPage() -> impl IntoView {
    let app = App::get();
    let view = memo(move || {
        app.view.with(|view| match &view.screen {
            Screen::Metrics(shown) => (**shown).clone(),
            _ => MetricsView::default(),
        })
    });
    let counts = app.metrics_state;
    effect(move || {
        app.indexed.track();
        app.file.track();
        app.metrics_client().load();
    });
    let overview: RwSignal<Option<Rc<OverviewPage>>, LocalStorage> = RwSignal::new_local(None);
    let what = memo(move || view.with(|view| (view.window, view.by, view.options, view.shown)));
    effect(move || {
        let (window, by, options, shown) = what.get();
        let prices = app.prices.get();
        if counts.get() != MetricsState::Ready {
            return;
        }
        let question = GetOverview { query: OverviewQuery { window, bars: BARS, by, options }, shown, prices };
        app.metrics_client().ask(question, move |page| {
            if what.try_get_untracked() == Some((window, by, options, shown)) {
                let _ = overview.try_set(Some(Rc::new(page)));
            }
        });
    });
    let zoom: Zoom = Callback::new(move |(from, to): (i64, i64)| change(app, |view| view.window = Some((from, to.max(from + 1)))));
    let point_list: RwSignal<Option<PointList>> = RwSignal::new(None);
    let pressed = move |chart: Chart, series: usize, place: usize| {
        let (Some(series), Some(at)) = (chart.series.get(series), chart.times.get(place)) else { return };
        let query = PointQuery {
            query: series.query.clone(),
            labels: Vec::new(),
            at_millis: truncated(*at * 1e3),
            step_millis: chart.step_millis,
            limit: 0,
            options: view.with_untracked(|view| view.options),
        };
        ask_point_list(app, format!("{}, {}", chart.title, series.name), query, point_list);
    };
    let press_of = move |chart: fn(&OverviewPage) -> &Chart| -> Press {
        Callback::new(move |(series, place): (usize, usize)| {
            if let Some(page) = overview.get_untracked() {
                pressed(chart(&page).clone(), series, place);
            }
        })
    };
    let tokens = Signal::derive_local(move || {
        overview.with(|page| page.as_ref().map(|page| Rc::new(page.tokens.clone())).filter(|chart| !chart.series.is_empty()))
    });
    let requests = Signal::derive_local(move || overview.with(|page| page.as_ref().map(|page| Rc::new(page.requests.clone()))));
    let shares = move || overview.with(|page| page.as_ref().map(|page| page.shares.clone()).unwrap_or_default());
    let routes = move || overview.with(|page| page.as_ref().map(|page| page.routes.clone()).unwrap_or_default());
    let is_empty = move || overview.with(|page| page.as_ref().is_some_and(|page| page.extent.is_none()));
    let state = move || match counts.get() {
        MetricsState::Ready => None,
        MetricsState::Waiting if app.index_stopped.with(Option::is_some) => {
            Some(("state failed", "Metrics need the complete index of the file, which could not be completed.".to_owned()))
        }
        MetricsState::Waiting => Some(("state", "Metrics are computed when the file is indexed…".to_owned())),
        MetricsState::Failed(sentence) => Some(("state failed", sentence)),
    };
    let boxes = memo(move || view.with(|view| view.queries.len().max(1)));
    let queries =
        dynamic(move || (0..boxes.get()).map(|number| view! { <QueryBox number view zoom alone=boxes.get() == 1 /> }).collect_view());
    let is_full = move || boxes.get() >= MetricsView::MAX_QUERIES;
    let add = move |_| {
        change(app, |view| {
            view.queries.resize(view.queries.len().max(1), String::new());
            view.queries.push(String::new());
        })
    };
    view! {
        <main class="screen metrics" aria-label="Metrics">
            <div class="metrics-scroll">
                <h1 class="off-screen">"Metrics"</h1>
                <Tools view overview />
                {dynamic(move || state().map(|(class, sentence)| view! { <p class=class role="status">{sentence}</p> }))}
                {when(is_empty, move || view! {
                    <p class="state">"Nothing in this file has a time, so there are no metrics."</p>
                })}
                <section aria-label="Tokens">
                    <h2>"Tokens"</h2>
                    <ChartView chart=tokens zoom press=press_of(|page| &page.tokens) />
                    <SheetPart content=shares press=move |event| follow_filter(app, event) />
                </section>
                <Prices />
                <section aria-label="Requests and durations">
                    <h2>"Requests"</h2>
                    <ChartView chart=requests zoom press=press_of(|page| &page.requests) />
                    <PointListView list=point_list label="Spans behind the bar" />
                    <SheetPart content=routes press=move |event| follow_filter(app, event) />
                </section>
                <section aria-label="PromQL">
                    <div class="section-head">
                        <h2>"PromQL"</h2>
                        <Segmented
                            label="When queries look"
                            choices=vec![
                                Choice { value: false, label: "Over time", title: "A chart over the chosen time range" },
                                Choice { value: true, label: "At the end", title: "The values at the end of the range" },
                            ]
                            current=Signal::derive(move || view.with(|view| view.at_end))
                            choose=move |at_end| change(app, |view| view.at_end = at_end)
                        />
                        <label class="check" title="Increases and rates are what was added within their window, without Prometheus's extrapolation">
                            <input
                                type="checkbox"
                                prop:checked=move || view.with(|view| view.options.exact)
                                on:change=on_event(move |event| change(app, |view| view.options.exact = event_target_checked(&event)))
                            />
                            "Exact increases"
                        </label>
                        <label>
                            "Scraped every "
                            <select
                                prop:value=move || view.with(|view| view.options.scrape_millis.to_string())
                                on:change=on_event(move |event| {
                                    if let Ok(millis) = event_target_value(&event).parse() {
                                        change(app, |view| view.options.scrape_millis = millis);
                                    }
                                })
                            >
                                {dynamic(move || scrapes(view.with(|view| view.options.scrape_millis)))}
                            </select>
                        </label>
                    </div>
                    {queries}
                    <p><button type="button" on:click=on_mouse(add) disabled=is_full>"Add a query"</button></p>
                </section>
            </div>
        </main>
    }
}

/// The choices of an interval, including the one in the address.
fn scrapes(chosen: i64) -> impl IntoView {
    let known = SCRAPES.iter().any(|(millis, _)| *millis == chosen);
    let own = (!known).then(|| (chosen, quipu_model::format::duration(chosen.unsigned_abs().saturating_mul(1_000_000))));
    let option =
        move |(millis, label): (i64, String)| view! { <option value=millis.to_string() selected=millis == chosen>{label}</option> };
    SCRAPES.iter().map(|(millis, label)| (*millis, (*label).to_owned())).chain(own).map(option).collect_view()
}

/// The options.
#[component]
fn Tools(view: Memo<MetricsView>, overview: RwSignal<Option<Rc<OverviewPage>>, LocalStorage>) -> impl IntoView {
    let app = App::get();
    let shown_window = move || {
        overview.with(|page| {
            let (from, to) = page.as_ref()?.window;
            let text = |millis: i64| {
                let at = app.time_text(Timestamp(millis.saturating_mul(1_000_000)), None);
                quipu_model::format::cut_to_millis(&at).to_owned()
            };
            Some(format!("{} to {}", text(from), text(to)))
        })
    };
    // The keyboard's alternative to dragging.
    let move_window = move |zoom: f64, shift: f64| {
        let now = overview.with_untracked(|page| page.as_ref().map(|page| page.window));
        if let Some(window) = now {
            change(app, |view| view.window = Some(quipu_ui::view::moved_window(window, zoom, shift)));
        }
    };
    let tool = move |label: &'static str, title: &'static str, zoom: f64, shift: f64| {
        view! { <button type="button" title=title on:click=on_mouse(move |_| move_window(zoom, shift))>{label}</button> }
    };
    view! {
        <div class="metrics-tools" role="group" aria-label="What is shown">
            <Segmented
                label="Tokens"
                choices=vec![
                    Choice { value: TokensShown::All, label: "All tokens", title: "Prompt and completion tokens" },
                    Choice { value: TokensShown::Prompt, label: "Prompt", title: "Prompt tokens only" },
                    Choice { value: TokensShown::Completion, label: "Completion", title: "Completion tokens only" },
                ]
                current=Signal::derive(move || view.with(|view| view.shown))
                choose=move |shown| change(app, |view| view.shown = shown)
            />
            <Segmented
                label="Split by"
                choices=vec![
                    Choice { value: TokensBy::Model, label: "By model", title: "Split by the label model_id" },
                    Choice { value: TokensBy::Provider, label: "By provider", title: "Split by the label provider_id" },
                ]
                current=Signal::derive(move || view.with(|view| view.by))
                choose=move |by| change(app, |view| view.by = by)
            />
            <label class="check" title="vllm/llama and llama of the provider vllm are one model">
                <input
                    type="checkbox"
                    prop:checked=move || view.with(|view| view.options.merge_labels)
                    on:change=on_event(move |event| change(app, |view| view.options.merge_labels = event_target_checked(&event)))
                />
                "Merge names with their provider"
            </label>
            <span class="window-tools">
                {tool("Earlier", "Half a range back", 1.0, -0.5)}
                {tool("Later", "Half a range forward", 1.0, 0.5)}
                {tool("Zoom in", "Zoom to the middle half; or drag over a chart", 0.5, 0.0)}
                {tool("Zoom out", "Zoom out to twice the range", 2.0, 0.0)}
                {when(move || view.with(|view| view.window.is_some()), move || view! {
                    <button type="button" on:click=on_mouse(move |_| change(app, |view| view.window = None))>"Reset"</button>
                })}
            </span>
            <span class="soft number" role="status" aria-label="Part of the file's time">{shown_window}</span>
        </div>
    }
}

/// A button in the markup that names a filter shows the traces that match it.
fn follow_filter(app: App, event: &MouseEvent) {
    let set = nearest(event, "[data-set]").and_then(|pressed| pressed.get_attribute("data-set"));
    if let Some(set) = set.filter(|set| set.starts_with("filter=")) {
        let source = app.view.with_untracked(|view| view.source.clone());
        // The filter is encoded as in an address.
        let (found, _) = quipu_protocol::address::parse_fragment(&format!("v{}/traces?{set}", quipu_protocol::address::VIEW_VERSION));
        router::navigate(app, HistoryEntry::Push, |view| *view = ViewState { source, times: view.times, ..found });
    }
}
