//! A text view of a trace: markup from the worker, drawn in pieces, one a frame, so that no length blocks the page.
//!
//! Not here: the content of the markup, which the core writes.

use super::open_trace::{OpenTrace, in_address};
use super::tabs::PANEL;
use crate::actions::router::HistoryEntry;
use crate::browser::{self, document, now, on_next_frame};
use crate::dom::{PressHandlers, el, fill, nearest};
use crate::idle::Busy;
use crate::reactive::{effect, memo, on_event, on_key, on_mouse};
use crate::state::App;
use crate::widgets::{Build, Marking, Nodes};
use leptos::ev::{Event, KeyboardEvent};
use leptos::prelude::*;
use quipu_model::number::narrow;
use quipu_protocol::TraceTab;
use quipu_protocol::markup::Node;
use quipu_protocol::{ExportConversation, GetSheet, SheetQuery, TraceScope};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlSelectElement};

/// Milliseconds spent on one piece.
const PIECE_MS: f64 = 10.0;
/// The view of the chosen tab.
#[component]
pub(super) fn Sheet(
    /// The trace.
    trace: OpenTrace,
) -> impl IntoView {
    let app = App::get();
    let find = memo(move || in_address(app, |view| view.find.clone()).unwrap_or_default());
    provide_context(Marking { find, shown: RwSignal::new(None) });
    let node = NodeRef::<leptos::html::Div>::new();
    let query = memo(move || {
        let width = node.get().map_or(0, |node| node.client_width()) as u32;
        in_address(app, |view| {
            let is_flame = view.tab == TraceTab::Flame;
            let mut query = SheetQuery {
                trace_id: view.trace_id.clone(),
                tab: view.tab,
                view: (*view.sheet).clone(),
                scope: TraceScope::default(),
                window: None,
                find: String::new(),
                span_id: None,
                width,
            };
            query.scope = view.timeline.scope.clone();
            // Text views do not depend on framework spans, and are not requested again.
            query.scope.folded &= is_flame || view.tab == TraceTab::Statistics;
            // The other views don't depend on these, and are not requested again.
            if is_flame {
                (query.window, query.find, query.span_id) = (view.window, view.find.clone(), view.span_id.clone());
            }
            query
        })
    });
    let build = Build::here();
    let paper = Paper { app, nodes: Nodes(build.clone()), build, root: Rc::default(), drawn: Rc::default(), number: Rc::default() };
    let for_press = paper.build.handlers.clone();
    let marks = paper.build.clone();
    let shown_tab = Rc::new(Cell::new(TraceTab::Timeline));
    effect(move || {
        app.indexed.track();
        let (Some(root), Some(query)) = (node.get(), query.get()) else { return };
        *paper.root.borrow_mut() = Some(root.clone().into());
        if shown_tab.replace(query.tab) != query.tab {
            paper.say("state", "Reading the trace…");
            root.set_scroll_top(0);
        }
        let (paper, asked) = (paper.clone(), query.clone());
        app.ask(GetSheet(asked), move |answer| {
            // Something else may be shown by now.
            let still = in_address(app, |view| (view.tab, (*view.sheet).clone())) == Some((query.tab, query.view.clone()));
            match answer {
                _ if !still => {}
                Ok(nodes) => paper.draw(nodes, trace),
                Err(failure) if failure.is_not_indexed_yet() => paper.say("state", "The index has not reached this trace yet."),
                Err(failure) => paper.say("state failed", &failure.message),
            }
        });
    });
    effect(move || {
        let selected = trace.selected_id.get();
        if let Some(root) = node.get() {
            mark_selected(&root, selected.as_deref());
        }
    });
    marks.follow(node);
    trace.handle_sheet_keys(app);
    let press = move |event: leptos::ev::MouseEvent| press(app, trace, &for_press, &event);
    let press_twice = move |event: leptos::ev::MouseEvent| zoom(app, trace, &event);
    let choose = move |event: Event| {
        let Some(select) = nearest(&event, "[data-field]").and_then(|field| field.dyn_into::<HtmlSelectElement>().ok()) else { return };
        let field = select.get_attribute("data-field").unwrap_or_default();
        trace.navigate(app, HistoryEntry::Replace, |view| {
            view.apply(&format!("{field}={}&zoom=&page=", js_sys::encode_uri_component(&select.value())))
        });
    };
    let key = move |event: KeyboardEvent| press_key(app, trace, &event);
    view! {
        <div
            class="sheet"
            id=PANEL
            role="tabpanel"
            tabindex="0"
            aria-labelledby=move || format!("tab-{}", trace.tab.get().name())
            node_ref=node
            on:click=on_mouse(press)
            on:dblclick=on_mouse(press_twice)
            on:change=on_event(choose)
            on:keydown=on_key(key)
        ></div>
    }
}

fn press(app: App, trace: OpenTrace, handlers: &PressHandlers, event: &Event) {
    handlers.run(event);
    let Some(pressed) = nearest(event, "[data-span], [data-set], [data-do]") else { return };
    if let Some(id) = pressed.get_attribute("data-span") {
        trace.select_id(app, id);
    } else if let Some(set) = pressed.get_attribute("data-set") {
        let entry = if set.starts_with("tab=") { HistoryEntry::Push } else { HistoryEntry::Replace };
        trace.navigate(app, entry, |view| view.apply(&set));
    } else {
        export(app, trace);
    }
}

fn zoom(app: App, trace: OpenTrace, event: &Event) {
    if let Some(set) = nearest(event, "[data-zoom]").and_then(|pressed| pressed.get_attribute("data-zoom")) {
        trace.navigate(app, HistoryEntry::Push, |view| view.apply(&set));
    }
}

/// The arrow keys move from box to box, as the markup says.
fn press_key(app: App, trace: OpenTrace, event: &KeyboardEvent) {
    let way = match event.key().as_str() {
        "ArrowUp" => "data-up",
        "ArrowDown" => "data-down",
        "ArrowLeft" => "data-left",
        "ArrowRight" => "data-right",
        "z" => return zoom(app, trace, event),
        _ => return,
    };
    if nearest(event, ".flame-box").is_none() {
        return;
    }
    event.prevent_default();
    if let Some(id) = nearest(event, &format!("[{way}]")).and_then(|from| from.get_attribute(way)) {
        browser::focus(&id);
    }
}

/// Saves the conversation as a file.
fn export(app: App, trace: OpenTrace) {
    let trace_id = trace.columns().trace_id.clone();
    let whole_session = in_address(app, |view| view.sheet.whole_session).unwrap_or_default();
    let name = format!("conversation-{trace_id}.jsonl");
    app.ask(ExportConversation { trace_id, whole_session }, move |answer| {
        app.announce.set(match answer {
            Ok(lines) if browser::save_text(&name, &lines) => format!("{name} was saved."),
            Ok(_) => "The browser did not allow the page to save a file.".to_owned(),
            Err(failure) => failure.message,
        });
    });
}

/// Marks the links to the selected span.
fn mark_selected(root: &Element, selected: Option<&str>) {
    for element in browser::all(root, "[data-span]") {
        let is_selected = selected.is_some() && element.get_attribute("data-span").as_deref() == selected;
        if is_selected {
            let _ = element.set_attribute("aria-pressed", "true");
        } else {
            let _ = element.remove_attribute("aria-pressed");
        }
    }
}

/// The element that markup is drawn on.
#[derive(Clone)]
struct Paper {
    app: App,
    build: Build,
    nodes: Nodes,
    root: Rc<RefCell<Option<Element>>>,
    /// The drawn nodes, one for each child.
    drawn: Rc<RefCell<Vec<Node>>>,
    /// The number of the latest drawing.
    number: Rc<Cell<u32>>,
}

impl Paper {
    fn root(&self) -> Option<Element> {
        self.root.borrow().clone()
    }

    /// Shows a message in place of markup.
    fn say(&self, class: &str, text: &str) {
        self.number.set(self.number.get() + 1);
        self.drawn.borrow_mut().clear();
        self.build.handlers.clear();
        let role = if class == "state" { "status" } else { "alert" };
        if let Some(root) = self.root() {
            fill(&root, vec![el("p").class(class).attr("role", role).text(text)]);
        }
    }

    /// Draws markup. Nodes that did not change keep their elements.
    fn draw(&self, nodes: Vec<Node>, trace: OpenTrace) {
        let Some(root) = self.root() else { return };
        self.number.set(self.number.get() + 1);
        let focused = document().active_element().map(|element| element.id()).unwrap_or_default();
        let before = self.drawn.replace(nodes.clone());
        let same = before.iter().zip(&nodes).take_while(|(one, other)| one == other).count();
        if same == 0 {
            self.build.handlers.clear();
        }
        while root.child_element_count() > narrow(same) {
            if let Some(last) = root.last_element_child() {
                last.remove();
            }
        }
        let work = Work {
            paper: self.clone(),
            number: self.number.get(),
            stack: vec![(root, nodes.into_iter().skip(same).collect::<Vec<_>>().into_iter())],
            focused,
            trace,
            busy: self.app.idle().begin(),
        };
        work.go_on();
    }
}

/// A drawing in progress.
struct Work {
    paper: Paper,
    number: u32,
    stack: Vec<(Element, std::vec::IntoIter<Node>)>,
    focused: String,
    trace: OpenTrace,
    busy: Busy,
}

impl Work {
    fn go_on(mut self) {
        let until = now() + PIECE_MS;
        let mut made = 0_u32;
        while let Some((parent, nodes)) = self.stack.last_mut() {
            let Some(node) = nodes.next() else {
                self.stack.pop();
                continue;
            };
            let (child, inside) = self.paper.nodes.element(node);
            let child = child.done();
            let _ = parent.append_child(&child);
            if !inside.is_empty() {
                self.stack.push((child, inside.into_iter()));
            }
            made += 1;
            if made.is_multiple_of(32) && now() > until {
                return on_next_frame(move || {
                    if self.paper.number.get() == self.number {
                        self.go_on();
                    }
                });
            }
        }
        if let Some(root) = self.paper.root() {
            mark_selected(&root, self.trace.selected_id.try_get_untracked().flatten().as_deref());
        }
        if !self.focused.is_empty() && document().active_element().is_none_or(|active| active.id() != self.focused) {
            browser::focus(&self.focused);
        }
        drop(self.busy);
    }
}
