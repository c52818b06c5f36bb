//! A PromQL box: the query with completion, its errors, and its result as a chart and a table.
//!
//! Not here: the language and its evaluation (the core).

use super::chart::{ChartView, Press, Zoom};
use super::page::change;
use super::part::SheetPart;
use super::point_list::{PointList, PointListView, ask_point_list};
use crate::browser::{keep_setting, load_setting};
use crate::dom::nearest;
use crate::reactive::{dynamic, effect, memo, on_event, on_focus, on_key, on_mouse, when};
use crate::state::App;
use crate::state::MetricsState;
use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html::Textarea;
use leptos::prelude::*;
use quipu_model::number::{narrow, truncated};
use quipu_protocol::PromqlError;
use quipu_protocol::address::MetricsView;
use quipu_protocol::{AnswerPage, CompletePromql, MetricOptions, PointQuery, PromqlQuery, RunPromql, Suggestion, Suggestions};
use quipu_ui::view;
use quipu_ui::view::PROMQL_EXAMPLES;
use std::rc::Rc;

/// The setting that keeps the last queries, a line each.
const HISTORY: &str = "promql";

/// The time range of a query, and its options.
type Look = (Option<(i64, i64)>, MetricOptions, bool);

/// The state of one box.
#[derive(Clone, Copy)]
struct Asking {
    app: App,
    number: usize,
    view: Memo<MetricsView>,
    applied: Memo<String>,
    /// The text of the query.
    draft: RwSignal<String>,
    error: RwSignal<Option<PromqlError>>,
    answer: RwSignal<Option<Rc<AnswerPage>>, LocalStorage>,
    /// The last query that is not answered yet.
    running: RwSignal<bool>,
    asked: StoredValue<u32>,
    /// The cancelled query: it is not run again until the reader does so.
    cancelled: StoredValue<Option<(String, Look)>>,
    choices: RwSignal<Suggestions>,
    active: RwSignal<Option<usize>>,
    input: NodeRef<Textarea>,
}

/// The box of one of the queries in the view.
#[component]
pub(super) fn QueryBox(
    /// Its index among the queries.
    number: usize,
    /// The view.
    view: Memo<MetricsView>,
    /// Whether it is the only one.
    alone: bool,
    /// Called with a range dragged over the chart.
    zoom: Zoom,
) -> impl IntoView {
    let app = App::get();
    let applied = memo(move || view.with(|view| view.queries.get(number).cloned().unwrap_or_default()));
    let counts = app.metrics_state;
    let state = Asking {
        app,
        number,
        view,
        applied,
        draft: RwSignal::new(applied.get_untracked()),
        error: RwSignal::new(None),
        answer: RwSignal::new_local(None),
        running: RwSignal::new(false),
        asked: StoredValue::new(0),
        cancelled: StoredValue::new(None),
        choices: RwSignal::default(),
        active: RwSignal::new(None),
        input: NodeRef::new(),
    };
    let look = memo(move || view.with(look_of));
    effect(move || {
        let query = applied.get();
        state.draft.set(query.clone());
        let look = look.get();
        let is_cancelled = state.cancelled.with_value(|cancelled| *cancelled == Some((query.clone(), look)));
        if counts.get() == MetricsState::Ready && !is_cancelled {
            state.ask(&query);
        }
    });
    let point_list: RwSignal<Option<PointList>> = RwSignal::new(None);
    let list_point = move |labels: Vec<(String, String)>, at_millis: i64, step_millis: i64, title: String| {
        let options = view.with_untracked(|view| view.options);
        let query = PointQuery { query: applied.get_untracked(), labels, at_millis, step_millis, limit: 0, options };
        ask_point_list(app, title, query, point_list);
    };
    let press: Press = Callback::new(move |(series, place): (usize, usize)| {
        let chart = state.answer.with_untracked(|answer| answer.as_ref()?.chart.clone());
        let Some(chart) = chart else { return };
        if let (Some(series), Some(at)) = (chart.series.get(series), chart.times.get(place)) {
            list_point(series.labels.clone(), truncated(*at * 1e3), chart.step_millis, series.name.clone());
        }
    });
    let chart = Signal::derive_local(move || {
        state.answer.with(|answer| answer.as_ref()?.chart.clone().filter(|chart| !chart.series.is_empty()).map(Rc::new))
    });

    let id = format!("promql-{number}");
    let list_id = format!("promql-choices-{number}");
    let echo = dynamic(move || {
        let error = state.error.get()?;
        let query = applied.get();
        let (before, wrong, after) = (query.get(..error.start)?, query.get(error.start..error.end)?, query.get(error.end..)?);
        let wrong = if wrong.trim().is_empty() { "\u{a0}\u{a0}" } else { wrong };
        Some(view! { <code class="promql-echo">{before.to_owned()}<u>{wrong.to_owned()}</u>{after.to_owned()}</code> })
    });
    let table = move || state.answer.with(|answer| answer.as_ref().map(|answer| answer.table.clone()).unwrap_or_default());
    let pressed = move |event: &MouseEvent| {
        let place = nearest(event, "[data-set^='point=']")
            .and_then(|pressed| pressed.get_attribute("data-set")?.strip_prefix("point=")?.parse::<usize>().ok());
        let Some(answer) = state.answer.get_untracked() else { return };
        if let Some((series, step)) = place.and_then(|place| answer.series.get(place)).zip(Some(answer.step_millis)) {
            list_point(series.labels.clone(), series.last_millis, step, series.name.clone());
        }
    };
    let choose_example = move |event: leptos::ev::Event| {
        let chosen = event_target_value(&event);
        if !chosen.is_empty() {
            state.draft.set(chosen);
            event_target::<web_sys::HtmlSelectElement>(&event).set_value("");
            state.run();
        }
    };
    let listed = list_id.clone();
    view! {
        <section class="promql" aria-label=format!("Query {}", number + 1)>
            <div class="promql-field">
                <textarea
                    id=id
                    rows="1"
                    class="mono"
                    aria-label=format!("PromQL query {}", number + 1)
                    aria-autocomplete="list"
                    aria-controls=list_id
                    aria-activedescendant=move || state.active.get().map(|active| format!("promql-{number}-choice-{active}"))
                    aria-invalid=move || state.error.with(Option::is_some).then_some("true")
                    placeholder="sum by (model_id) (llama_stack_tokens_total)"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    node_ref=state.input
                    prop:value=move || state.draft.get()
                    on:input=on_event(move |event| {
                        state.draft.set(event_target_value(&event));
                        state.suggest();
                    })
                    on:blur=on_focus(move |_| state.close())
                    on:keydown=on_key(move |event| {
                        if state.press(&event) {
                            event.prevent_default();
                        }
                    })
                ></textarea>
                <button type="button" class="primary" on:click=on_mouse(move |_| state.run())>"Run"</button>
                {when(move || state.running.get(), move || view! {
                    <button type="button" on:click=on_mouse(move |_| state.cancel())>"Cancel"</button>
                })}
                <select aria-label="Examples and last queries" on:change=on_event(choose_example)>
                    <option value="">"Examples"</option>
                    <optgroup label="Examples">
                        {PROMQL_EXAMPLES.map(|(name, query)| view! { <option value=query>{name}</option> }).collect_view()}
                    </optgroup>
                    <optgroup label="Last queries">
                        {kept_queries().into_iter().map(|query| view! { <option value=query.clone()>{query.clone()}</option> }).collect_view()}
                    </optgroup>
                </select>
                {when(move || !alone, move || view! {
                    <button type="button" class="quiet" aria-label=format!("Remove query {}", number + 1) on:click=on_mouse(move |_| state.remove())>"Remove"</button>
                })}
            </div>
            <ul
                id=listed
                class="filter-choices promql-choices"
                class:shown=move || state.choices.with(|choices| !choices.items.is_empty())
                role="listbox"
                aria-label="Suggestions"
            >
                {dynamic(move || state.choices.get().items.into_iter().enumerate().map(|(place, item)| state.line(place, item)).collect_view())}
            </ul>
            {dynamic(move || state.error.get().map(|error| view! { <p class="failed" role="alert">{error.message}</p> }))}
            {echo}
            <ChartView chart zoom press />
            <SheetPart content=table press=pressed />
            <PointListView list=point_list label=format!("Spans behind query {}", number + 1) />
        </section>
    }
}

impl Asking {
    /// Puts the query into the view, which runs it; a query that is there already is run again.
    fn run(self) {
        let query = self.draft.get_untracked().trim().to_owned();
        self.close();
        keep_query(&query);
        if query == self.applied.get_untracked() {
            return self.ask(&query);
        }
        let number = self.number;
        change(self.app, |view| {
            view.queries.resize(view.queries.len().max(number + 1), String::new());
            if let Some(slot) = view.queries.get_mut(number) {
                *slot = query;
            }
        });
    }

    fn remove(self) {
        let number = self.number;
        change(self.app, |view| {
            if number < view.queries.len() {
                view.queries.remove(number);
            }
        });
    }

    fn ask(self, query: &str) {
        self.error.set(None);
        self.asked.update_value(|asked| *asked += 1);
        if query.is_empty() {
            self.answer.set(None);
            self.running.set(false);
            return;
        }
        self.cancelled.set_value(None);
        let (window, options, at_end) = self.view.with_untracked(look_of);
        let (start, end) = (window.map(|(from, _)| from), window.map(|(_, to)| to));
        let query = PromqlQuery { query: query.to_owned(), start, end, step: None, options };
        let number = self.asked.get_value();
        self.running.set(true);
        self.app.metrics_client().ask(RunPromql { query, over_time: !at_end }, move |answer| {
            if self.asked.try_get_value() != Some(number) {
                return;
            }
            self.running.set(false);
            match answer {
                Ok(page) => self.answer.set(Some(Rc::new(page))),
                Err(error) => {
                    self.answer.set(None);
                    self.error.set(Some(error));
                }
            }
        });
    }

    fn cancel(self) {
        self.running.set(false);
        self.asked.update_value(|asked| *asked += 1);
        self.cancelled.set_value(Some((self.applied.get_untracked(), self.view.with_untracked(look_of))));
        self.app.metrics_client().cancel();
    }

    fn suggest(self) {
        let Some(input) = self.input.get_untracked() else { return };
        let query = self.draft.get_untracked();
        // The browser counts in UTF-16 units.
        let units = input.selection_end().ok().flatten().unwrap_or(0) as usize;
        let cursor = narrow(view::byte_of_unit(&query, units));
        let options = self.view.with_untracked(|view| view.options);
        if self.app.metrics_state.get_untracked() != MetricsState::Ready {
            return;
        }
        let asked = query.clone();
        self.app.metrics_client().ask(CompletePromql { query, cursor, options }, move |choices| {
            if self.draft.try_get_untracked() == Some(asked) {
                self.active.set(None);
                self.choices.set(choices);
            }
        });
    }

    fn close(self) {
        self.choices.set(Suggestions::default());
        self.active.set(None);
    }

    fn line(self, place: usize, item: Suggestion) -> impl IntoView {
        let number = self.number;
        view! {
            <li
                role="option"
                id=format!("promql-{number}-choice-{place}")
                aria-selected=move || if self.active.get() == Some(place) { "true" } else { "false" }
                // The input keeps the focus.
                on:mousedown=on_mouse(move |event| event.prevent_default())
                on:click=on_mouse(move |_| self.choose(place))
            >
                <span class="mono">{item.text}</span>
                <span class="soft">{item.meaning}</span>
            </li>
        }
    }

    fn choose(self, place: usize) {
        let choices = self.choices.get_untracked();
        let Some(item) = choices.items.get(place) else { return };
        let (draft, cursor) = view::put_in(&self.draft.get_untracked(), choices.start as usize..choices.end as usize, &item.text);
        self.draft.set(draft.clone());
        self.close();
        if let Some(input) = self.input.get_untracked() {
            input.set_value(&draft);
            let cursor = narrow(view::unit_of_byte(&draft, cursor));
            let _ = input.set_selection_range(cursor, cursor);
        }
        self.suggest();
    }

    /// Handles a key; `false` when the input should handle it.
    fn press(self, event: &KeyboardEvent) -> bool {
        let count = self.choices.with_untracked(|choices| choices.items.len());
        let active = self.active.get_untracked();
        match (event.key().as_str(), active) {
            ("ArrowDown", _) if count > 0 => self.active.set(Some(active.map_or(0, |active| (active + 1) % count))),
            ("ArrowUp", _) if count > 0 => self.active.set(Some(active.map_or(count - 1, |active| (active + count - 1) % count))),
            ("Enter" | "Tab", Some(active)) => self.choose(active),
            ("Escape", _) if count > 0 => {
                event.stop_propagation();
                self.close();
            }
            ("Enter", None) if !event.shift_key() => self.run(),
            _ => return false,
        }
        true
    }
}

fn look_of(view: &MetricsView) -> Look {
    (view.window, view.options, view.at_end)
}

fn kept_queries() -> Vec<String> {
    load_setting(HISTORY).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn keep_query(query: &str) {
    keep_setting(HISTORY, &view::remember(&load_setting(HISTORY).unwrap_or_default(), query));
}
