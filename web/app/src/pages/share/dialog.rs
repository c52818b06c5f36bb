//! The share dialog: what to share, what to redact, and in which format.

use super::forms::forms;
use super::making::{Lock, Ready, Wanted, make};
use crate::dom::{El, el, fill, nearest};
use crate::reactive::{effect, on_event, on_mouse};
use crate::state::App;
use crate::widgets::{Build, IconName, follow_dialog, icon};
use leptos::ev::Event;
use leptos::html::{Dialog, Div};
use leptos::prelude::*;
use quipu_model::format::{bytes, counted};
use quipu_model::number::narrow;
use quipu_protocol::address::Screen;
use quipu_protocol::{GetTrace, ShareWhat, TraceScope};
use quipu_protocol::{KindReport, KindSet, PrivateKind, RedactOptions, RedactReport};
use quipu_ui::view;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};

/// Which part of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    All,
    Trace,
    /// The selected span and its descendants.
    Span,
}

/// The state of the dialog.
pub(super) struct State {
    pub(super) wanted: Wanted,
    pub(super) ready: Ready,
    /// The chosen format of other programs, as an index.
    pub(super) format: usize,
    part: Part,
    /// The shown trace, and its selected span with its descendants.
    trace_id: Option<String>,
    span_id: Option<String>,
    subtree: Vec<String>,
    /// Counts changes of the options: results for earlier options are dropped.
    number: u32,
}

/// A handle of the dialog for its event handlers.
#[derive(Clone)]
pub(super) struct Sharing {
    pub(super) app: App,
    pub(super) build: Build,
    body: NodeRef<Div>,
    pub(super) state: Rc<RefCell<State>>,
}

/// A dialog that is shown while `app.sharing` is set.
#[component]
pub(crate) fn ShareDialog() -> impl IntoView {
    let app = App::get();
    let (dialog, body) = (NodeRef::<Dialog>::new(), NodeRef::<Div>::new());
    let build = Build::here();
    let state = State {
        wanted: Wanted {
            what: ShareWhat::All,
            span_id: None,
            redact: RedactOptions::default(),
            limit: None,
            lock: Lock::default(),
            passphrase: String::new(),
        },
        ready: Ready::default(),
        format: 0,
        part: Part::All,
        trace_id: None,
        span_id: None,
        subtree: Vec::new(),
        number: 0,
    };
    let sharing = Sharing { app, build, body, state: Rc::new(RefCell::new(state)) };
    let for_opening = sharing.clone();
    follow_dialog(dialog, app.sharing, move || for_opening.begin());
    let for_index = sharing.clone();
    effect(move || {
        app.indexed.track();
        if app.sharing.get_untracked() {
            for_index.make();
        }
    });
    let for_press = sharing.build.handlers.clone();
    let (for_change, for_input) = (sharing.clone(), sharing.clone());
    view! {
        <dialog node_ref=dialog class="share" aria-label="Share" on:close=on_event(move |_| app.sharing.set(false))>
            <div
                node_ref=body
                on:click=on_mouse(move |event| for_press.run(&event))
                on:change=on_event(move |event| for_change.change(&event))
                on:input=on_event(move |event| for_input.type_words(&event))
            ></div>
        </dialog>
    }
}

impl Sharing {
    /// Opens the dialog: the current view decides what is offered first.
    fn begin(&self) {
        let screen = self.app.view.with_untracked(|view| view.screen.clone());
        {
            let mut state = self.state.borrow_mut();
            (state.trace_id, state.span_id) = match screen {
                Screen::Trace(view) => (Some(view.trace_id), view.span_id),
                _ => (None, None),
            };
            state.subtree = Vec::new();
            state.part = if state.trace_id.is_some() { Part::Trace } else { Part::All };
            state.wanted.limit = None;
        }
        self.make();
        self.find_subtree();
    }

    /// Finds the descendants of the selected span, so that it can be shared alone.
    fn find_subtree(&self) {
        let (trace_id, span_id) = {
            let state = self.state.borrow();
            match (&state.trace_id, &state.span_id) {
                (Some(trace_id), Some(span_id)) => (trace_id.clone(), span_id.clone()),
                _ => return,
            }
        };
        let sharing = self.clone();
        self.app.ask(GetTrace { trace_id, scope: TraceScope::default() }, move |answer| {
            if let Ok(columns) = answer {
                sharing.state.borrow_mut().subtree = view::subtree_ids(&columns, &span_id);
                sharing.draw();
            }
        });
    }

    /// Makes everything for the current options.
    pub(super) fn make(&self) {
        let (wanted, number) = {
            let mut state = self.state.borrow_mut();
            let before = state.wanted.what.clone();
            state.wanted.what = match (state.part, &state.trace_id) {
                (Part::Trace, Some(trace_id)) => ShareWhat::Traces(vec![trace_id.clone()]),
                (Part::Span, Some(trace_id)) => ShareWhat::Spans { trace_id: trace_id.clone(), span_ids: state.subtree.clone() },
                _ => ShareWhat::All,
            };
            state.wanted.span_id = state.span_id.clone();
            // The switches keep their positions while their effect is computed.
            let report = state.ready.report.take().filter(|_| before == state.wanted.what);
            state.ready = Ready { report, ..Ready::default() };
            state.number += 1;
            (state.wanted.clone(), state.number)
        };
        self.draw();
        let (sharing, view, busy) = (self.clone(), self.app.view.get_untracked(), self.app.idle().begin());
        wasm_bindgen_futures::spawn_local(async move {
            let put = |set: &dyn Fn(&mut Ready)| {
                if sharing.state.borrow().number != number || !sharing.app.sharing.get_untracked() {
                    return false;
                }
                set(&mut sharing.state.borrow_mut().ready);
                sharing.draw();
                true
            };
            make(sharing.app, wanted, view, put).await;
            drop(busy);
        });
    }

    /// Changes the options.
    pub(super) fn want(&self, change: impl FnOnce(&mut Wanted)) {
        change(&mut self.state.borrow_mut().wanted);
        self.make();
    }

    fn change(&self, event: &Event) {
        let Some(field) = nearest(event, "[data-share]") else { return };
        let name = field.get_attribute("data-share").unwrap_or_default();
        if let Some(kind) = PrivateKind::ALL.into_iter().find(|kind| kind.name() == name) {
            let checked = field.dyn_ref::<HtmlInputElement>().is_some_and(HtmlInputElement::checked);
            return self.want(|wanted| wanted.redact.take_out = wanted.redact.take_out.with(kind, checked));
        }
        let value = match (field.dyn_ref::<HtmlInputElement>(), field.dyn_ref::<HtmlSelectElement>()) {
            (Some(input), _) => input.value(),
            (_, Some(select)) => select.value(),
            _ => return,
        };
        match name.as_str() {
            "times" => self.want(|wanted| wanted.redact.shift_times = !wanted.redact.shift_times),
            "limit" => self.want(|wanted| wanted.limit = value.parse().ok()),
            // It is made on request.
            "format" => self.state.borrow_mut().format = value.parse().unwrap_or_default(),
            "passphrase" => self.want(|wanted| wanted.passphrase = value),
            "lock" => self.want(|wanted| {
                wanted.lock = match value.as_str() {
                    "key" => Lock::Key,
                    "passphrase" => Lock::Passphrase,
                    _ => Lock::Open,
                };
            }),
            _ => {}
        }
    }

    /// The typed passphrase survives a redraw.
    fn type_words(&self, event: &Event) {
        let field = nearest(event, "[data-share=passphrase]").and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
        if let Some(field) = field {
            self.state.borrow_mut().wanted.passphrase = field.value();
        }
    }

    /// Redraws the dialog; the focus stays where it was.
    pub(super) fn draw(&self) {
        let Some(body) = self.body.get_untracked() else { return };
        let focused = crate::browser::document().active_element().map(|element| element.id()).filter(|id| !id.is_empty());
        let open: Vec<String> = crate::browser::all(&body, "details[open]").iter().map(web_sys::Element::id).collect();
        self.build.handlers.clear();
        let app = self.app;
        let close = el("button").attr("type", "button").attr("id", "share-close").class("icon-button");
        let close = close.attr("aria-label", "Close").child(icon(IconName::Close));
        let head = el("header").child(el("h2").text("Share")).child(close.on_press(&self.build.handlers, move |_| app.sharing.set(false)));
        let parts = {
            let state = self.state.borrow();
            vec![head, self.parts(&state), self.leaves(&state), forms(self, &state)]
        };
        fill(&body, parts);
        for id in open {
            if let Some(details) = crate::browser::document().get_element_by_id(&id) {
                let _ = details.set_attribute("open", "");
            }
        }
        let Some(id) = focused else { return };
        crate::browser::focus(&id);
        let field = crate::browser::document().get_element_by_id(&id).and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
        if let Some(field) = field.filter(|field| field.type_() == "password") {
            let end = narrow(field.value().len());
            let _ = field.set_selection_range(end, end);
        }
    }

    /// Which part of the file.
    fn parts(&self, state: &State) -> El {
        let choice = |part: Part, label: String| {
            let sharing = self.clone();
            let pressed = if part == state.part { "true" } else { "false" };
            let button = el("button").attr("type", "button").attr("id", &format!("share-part-{part:?}")).attr("aria-pressed", pressed);
            button.text(&label).on_press(&self.build.handlers, move |_| {
                sharing.state.borrow_mut().part = part;
                sharing.make();
            })
        };
        let mut choices = Vec::new();
        if state.trace_id.is_some() {
            choices.push(choice(Part::Trace, "This trace".into()));
        }
        if !state.subtree.is_empty() {
            let label = match state.subtree.len() {
                1 => "The selected span".to_owned(),
                count => format!("The selected span and {}", counted(Some(count as u64 - 1), "span under it", "spans under it")),
            };
            choices.push(choice(Part::Span, label));
        }
        choices.push(choice(Part::All, "The whole file".into()));
        el("div").class("segmented").attr("role", "group").attr("aria-label", "Share").children(choices)
    }

    /// What the shared data contains, and the switches that redact it.
    fn leaves(&self, state: &State) -> El {
        let redact = state.wanted.redact;
        let preset = |name: &str, take_out: KindSet| {
            let sharing = self.clone();
            let pressed = if redact.take_out == take_out { "true" } else { "false" };
            let button = el("button").attr("type", "button").attr("id", &format!("share-{name}")).attr("aria-pressed", pressed);
            button.text(name).on_press(&self.build.handlers, move |_| sharing.want(|wanted| wanted.redact.take_out = take_out))
        };
        let presets = el("div").class("segmented").attr("role", "group").attr("aria-label", "Redact").children(vec![
            preset("Without keys", RedactOptions::default().take_out),
            preset("Structure and timing only", RedactOptions::STRUCTURE.take_out),
            preset("Everything as it is", KindSet::NONE),
        ]);
        let times = check("times", "Times start at zero", redact.shift_times, "Hides when it ran; durations stay.");
        let title = el("h3").attr("id", "share-leaves").text("Redact");
        let found = match &state.ready.report {
            None => vec![el("p").class("soft").attr("role", "status").text("Inspecting the data…")],
            Some(Err(text)) => vec![el("p").class("failed").attr("role", "alert").text(text)],
            Some(Ok(report)) => kinds(report, redact.take_out),
        };
        el("section").attr("aria-labelledby", "share-leaves").child(title).child(presets).child(times).children(found)
    }
}

fn check(name: &str, label: &str, checked: bool, title: &str) -> El {
    let id = format!("share-{name}");
    let mut input = el("input").attr("type", "checkbox").attr("id", &id).attr("data-share", name);
    if checked {
        input = input.attr("checked", "");
    }
    el("p").class("share-check").child(input).child(el("label").attr("for", &id).attr("title", title).text(label))
}

/// The kinds that were found, each with its switch, followed by those that were not.
fn kinds(report: &RedactReport, take_out: KindSet) -> Vec<El> {
    let spans = counted(Some(report.spans.into()), "span", "spans");
    let events = counted(Some(report.events.into()), "event", "events");
    let rows = report.kinds.iter().filter(|kind| kind.places > 0).map(|kind| row(kind, take_out.has(kind.kind))).collect();
    let missing: Vec<&str> = PrivateKind::ALL.into_iter().filter(|kind| report.places(*kind) == 0).map(PrivateKind::title).collect();
    let none = (!missing.is_empty()).then(|| el("p").class("soft small-text").text(&format!("Not found: {}.", missing.join(", "))));
    let head = el("p").text(&format!("{spans} and {events}. Ticked data is removed before sharing:"));
    [Some(head), Some(el("ul").class("share-kinds").children(rows)), none].into_iter().flatten().collect()
}

fn row(report: &KindReport, taken_out: bool) -> El {
    let name = report.kind.name();
    let id = format!("share-{name}");
    let mut input = el("input").attr("type", "checkbox").attr("id", &id).attr("data-share", name);
    if taken_out {
        input = input.attr("checked", "");
    }
    let places = counted(Some(report.places.into()), "place", "places");
    let label = el("label").attr("for", &id).text(report.kind.title());
    let about = el("span").class("soft number").text(&format!("{places} · {}", bytes(report.bytes)));
    let examples = report.examples.iter().map(|example| {
        let place = el("span").class("soft").text(&format!("{} ", example.place));
        el("li").child(place).child(el("span").class("mono").text(&example.text))
    });
    let shown = el("details")
        .attr("id", &format!("share-examples-{name}"))
        .child(
            el("summary")
                .text(if taken_out { "as it leaves" } else { "examples" })
                .attr("aria-label", &format!("Examples: {}", report.kind.title())),
        )
        .child(el("ul").children(examples.collect()));
    let state = if taken_out { "taken-out" } else { "leaves" };
    el("li").class(state).child(input).child(label).child(about).child(shown)
}
