//! The SQL editor: a text area over the highlighted text, and a list of completions.
//!
//! Not here: tokens (`quipu_ui::sql`) and completions (the core).

use super::to_result;
use crate::browser::{document, focus, on_next_frame};
use crate::dom::{El, el, fill, nearest};
use crate::reactive::{effect, on_event, on_focus, on_key, on_mouse};
use crate::state::App;
use crate::state::Shown;
use leptos::ev::KeyboardEvent;
use leptos::html::{Div, Textarea};
use leptos::prelude::*;
use quipu_model::number::narrow;
use quipu_protocol::{CompleteSql, SqlWrong, Suggestion};
use quipu_ui::sql::{TokenKind, tokens};
use quipu_ui::view;
use std::ops::Range;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDocument};

/// The id of the text area.
pub(super) const EDITOR: &str = "sql-query";
const LIST: &str = "sql-choices";
const ERROR: &str = "sql-error";
/// Lines shown at least and at most.
const LINES: (usize, usize) = (4, 16);

/// The suggestions.
#[derive(Default)]
struct Offered {
    choices: Vec<Suggestion>,
    /// The choice with the keyboard cursor.
    active: Option<usize>,
    /// The draft and the cursor that the choices are for.
    draft: String,
    range: Range<usize>,
    /// Whether a request is pending, and whether the draft changed since.
    asked: bool,
    changed: bool,
}

/// The state of the editor.
#[derive(Clone, Copy)]
struct Edit {
    app: App,
    area: NodeRef<Textarea>,
    offered: StoredValue<Offered>,
}

/// The editor.
#[component]
pub(super) fn Editor() -> impl IntoView {
    let app = App::get();
    let edit = Edit { app, area: NodeRef::new(), offered: StoredValue::default() };
    let under = NodeRef::<Div>::new();
    let sql = app.sql;
    effect(move || {
        sql.put.track();
        let Some(area) = edit.area.get() else { return };
        let draft = sql.draft.get_untracked();
        if area.value() != draft {
            area.set_value(&draft);
        }
    });
    effect(move || {
        let (Some(under), Some(area)) = (under.get(), edit.area.get()) else { return };
        let draft = sql.draft.get();
        area.set_rows(narrow((draft.split('\n').count() + 1).clamp(LINES.0, LINES.1)));
        let refused = match sql.shown() {
            Shown::Wrong(wrong, query) => Some((wrong, query)),
            _ => None,
        };
        // The error stays until the query changes.
        let wrong = refused.as_ref().filter(|(_, query)| *query == draft).map(|(wrong, _)| wrong);
        fill(&under, vec![echo(&draft, wrong)]);
        set(&area, "aria-invalid", wrong.map(|_| "true"));
        let message = refused.map(|(wrong, query)| place_text(&query, &wrong)).unwrap_or_default();
        if let Some(error) = document().get_element_by_id(ERROR).filter(|error| error.text_content().as_deref() != Some(message.as_str())) {
            error.set_text_content(Some(&message));
        }
        edit.scrolled();
    });
    let choose = move |event: leptos::ev::MouseEvent| {
        let number = nearest(&event, "[data-choice]").and_then(|option| option.get_attribute("data-choice")?.parse().ok());
        if let Some(number) = number {
            edit.choose(number);
        }
    };
    view! {
        <div class="sql-editor">
            <div class="sql-under" aria-hidden="true" node_ref=under></div>
            <textarea
                id=EDITOR
                aria-label="SQL query"
                aria-autocomplete="list"
                aria-controls=LIST
                aria-haspopup="listbox"
                aria-describedby=ERROR
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                wrap="off"
                placeholder="SELECT …   (Ctrl Enter runs it, Ctrl Space completes)"
                node_ref=edit.area
                on:scroll=on_event(move |_| edit.scrolled())
                on:input=on_event(move |event| {
                    sql.draft.set(event_target_value(&event));
                    edit.suggest();
                })
                on:click=on_mouse(move |_| edit.offer(Vec::new()))
                on:blur=on_focus(move |_| edit.offer(Vec::new()))
                on:keydown=on_key(move |event| {
                    if edit.press(&event) {
                        event.prevent_default();
                        event.stop_propagation();
                    }
                })
            ></textarea>
            <ul
                id=LIST
                class="filter-choices sql-choices"
                role="listbox"
                aria-label="Completions"
                // The text area keeps the focus.
                on:mousedown=on_mouse(move |event| event.prevent_default())
                on:click=on_mouse(choose)
            ></ul>
        </div>
        <p id=ERROR class="filter-error sql-error" role="alert"></p>
    }
}

fn set(element: &Element, name: &str, value: Option<&str>) {
    let _ = match value {
        Some(value) => element.set_attribute(name, value),
        None => element.remove_attribute(name),
    };
}

fn choice_id(number: usize) -> String {
    format!("sql-choice-{number}")
}

fn option(number: usize, choice: &Suggestion, active: Option<usize>) -> El {
    el("li")
        .attr("role", "option")
        .attr("id", &choice_id(number))
        .attr("data-choice", &number.to_string())
        .attr("aria-selected", if active == Some(number) { "true" } else { "false" })
        .child(el("span").class("mono").text(&choice.text))
        .child(el("span").class("soft").text(&choice.meaning))
}

/// The highlighted text; the token with the error is underlined.
fn echo(draft: &str, wrong: Option<&SqlWrong>) -> El {
    let place = wrong.and_then(|wrong| wrong.offset).map(|offset| offset as usize);
    let mut marked = false;
    let mut drawn: Vec<El> = Vec::new();
    for token in tokens(draft) {
        let text = draft.get(token.start..token.end).unwrap_or_default();
        let is_wrong = place.is_some_and(|place| token.start <= place && place < token.end) && token.kind != TokenKind::Blank;
        marked |= is_wrong;
        drawn.push(el(if is_wrong { "u" } else { "span" }).class(&format!("sql-{}", token.kind.name())).text(text));
    }
    // Something is missing, so there is nothing to mark.
    if place.is_some() && !marked {
        drawn.push(el("u").text("\u{a0}\u{a0}"));
    }
    // An empty last line has a height, too.
    el("div").class("sql-echo").children(drawn).text("\n ")
}

/// The error message; with its line and column if the query has several lines.
fn place_text(draft: &str, wrong: &SqlWrong) -> String {
    let Some(before) = wrong.offset.and_then(|offset| draft.get(..offset as usize)) else { return wrong.message.clone() };
    let (line, column) = line_and_column(before);
    format!("Line {line}, column {column}: {}", wrong.message)
}

impl Edit {
    /// Scrolls the highlighted text with the text area.
    fn scrolled(self) {
        if let (Some(area), Ok(Some(echo))) = (self.area.get_untracked(), document().query_selector(".sql-echo")) {
            set(&echo, "style", Some(&format!("transform:translate({}px,{}px)", -area.scroll_left(), -area.scroll_top())));
        }
    }

    fn cursor(self, draft: &str) -> usize {
        let unit = self.area.get_untracked().and_then(|area| area.selection_end().ok().flatten());
        unit.map_or(draft.len(), |unit| view::byte_of_unit(draft, unit as usize))
    }

    /// Requests completions: at most once a frame, and one request at a time. While a query runs, the worker handles no requests.
    fn suggest(self) {
        let asked = self.offered.try_update_value(|offered| {
            offered.changed = true;
            std::mem::replace(&mut offered.asked, true)
        });
        if asked == Some(false) {
            on_next_frame(move || self.ask());
        }
    }

    fn ask(self) {
        let running = self.app.sql.is_running();
        if self.offered.try_update_value(|offered| (offered.asked, offered.changed) = (!running, false)).is_none() {
            return;
        }
        if running {
            return self.offer(Vec::new());
        }
        let draft = self.app.sql.draft.get_untracked();
        let cursor = self.cursor(&draft);
        self.app.sql.ask(self.app, CompleteSql { query: draft.clone(), cursor: narrow(cursor) }, move |answer| {
            let changed = self.offered.try_update_value(|offered| {
                offered.asked = false;
                offered.changed
            });
            let found = match (changed, answer) {
                (Some(false), Ok(found)) => found,
                (Some(true), _) => return self.suggest(),
                _ => return,
            };
            self.offered.update_value(|offered| (offered.draft, offered.range) = (draft, found.start as usize..found.end as usize));
            let is_here = document().active_element().is_some_and(|element| element.id() == EDITOR);
            self.place_list(cursor);
            self.offer(if is_here { found.items } else { Vec::new() });
        });
    }

    /// Shows the suggestions.
    fn offer(self, choices: Vec<Suggestion>) {
        self.offered.update_value(|offered| (offered.choices, offered.active) = (choices, None));
        self.draw_choices();
    }

    fn draw_choices(self) {
        let (Some(list), Some(area)) = (document().get_element_by_id(LIST), self.area.get_untracked()) else { return };
        self.offered.with_value(|Offered { choices, active, .. }| {
            fill(&list, choices.iter().enumerate().map(|(number, choice)| option(number, choice, *active)).collect());
            let _ = list.class_list().toggle_with_force("shown", !choices.is_empty());
            set(&area, "aria-activedescendant", active.map(choice_id).as_deref());
            if let Some(option) = active.and_then(|active| document().get_element_by_id(&choice_id(active))) {
                option.scroll_into_view_with_bool(false);
            }
        });
    }

    /// The list stands below the line of the cursor.
    fn place_list(self, cursor: usize) {
        let (Some(area), Some(list)) = (self.area.get_untracked(), document().get_element_by_id(LIST)) else { return };
        let draft = self.app.sql.draft.get_untracked();
        let (line, column) = line_and_column(draft.get(..cursor).unwrap_or_default());
        let (left, top) = (area.scroll_left(), area.scroll_top());
        let style = format!("top:calc({line} * var(--code-line) + 8px - {top}px);--column:{};--scrolled:{left}px", column - 1);
        set(&list, "style", Some(&style));
    }

    fn choose(self, number: usize) {
        let found = self
            .offered
            .with_value(|offered| Some((offered.choices.get(number)?.text.clone(), offered.draft.clone(), offered.range.clone())));
        self.offer(Vec::new());
        // If the draft has changed, its choices are on their way.
        if let Some((text, draft, range)) = found
            && self.app.sql.draft.with_untracked(|now| *now == draft)
        {
            put(self.app, &draft, range, &text);
            self.offer(Vec::new());
        }
    }

    /// `true` when the key was handled here.
    fn press(self, event: &KeyboardEvent) -> bool {
        if event.is_composing() {
            return false;
        }
        let key = event.key();
        if event.ctrl_key() || event.meta_key() {
            match key.as_str() {
                "Enter" => {
                    self.offer(Vec::new());
                    self.app.sql.run(self.app);
                }
                " " => self.suggest(),
                _ => return false,
            }
            return true;
        }
        let (count, active) = self.offered.with_value(|offered| (offered.choices.len(), offered.active));
        let next = match (key.as_str(), active) {
            ("ArrowDown", _) if count > 0 => active.map_or(0, |active| (active + 1) % count),
            ("ArrowUp", _) if count > 0 => active.map_or(count - 1, |active| (active + count - 1) % count),
            ("Enter", Some(active)) => {
                self.choose(active);
                return true;
            }
            ("Tab", _) if count > 0 && !event.shift_key() => {
                self.choose(active.unwrap_or(0));
                return true;
            }
            ("Escape", _) => {
                match count {
                    0 if self.app.sql.is_running() => self.app.sql.cancel(self.app),
                    0 => to_result(),
                    _ => self.offer(Vec::new()),
                }
                return true;
            }
            _ => return false,
        };
        self.offered.update_value(|offered| offered.active = Some(next));
        self.draw_choices();
        true
    }
}

/// The line and column at the end of a text, counted from 1.
fn line_and_column(before: &str) -> (usize, usize) {
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// Inserts a name into the query at the cursor.
pub(super) fn insert(app: App, text: &str) {
    let draft = app.sql.draft.get_untracked();
    let area = document().get_element_by_id(EDITOR).and_then(|area| area.dyn_into::<web_sys::HtmlTextAreaElement>().ok());
    let unit = |place: Option<u32>| place.map_or(draft.len(), |unit| view::byte_of_unit(&draft, unit as usize));
    let range = area
        .map_or(draft.len()..draft.len(), |area| unit(area.selection_start().ok().flatten())..unit(area.selection_end().ok().flatten()));
    // Words are separated by spaces.
    let before = draft.get(..range.start).unwrap_or_default();
    let space = if before.is_empty() || before.ends_with([' ', '\n', '(', '.', ',']) { "" } else { " " };
    put(app, &draft, range, &format!("{space}{text}"));
}

/// Replaces `range` with `text` as if it was typed, so that it can be undone.
fn put(app: App, draft: &str, range: Range<usize>, text: &str) {
    focus(EDITOR);
    let Some(area) = document().get_element_by_id(EDITOR).and_then(|area| area.dyn_into::<web_sys::HtmlTextAreaElement>().ok()) else {
        return;
    };
    let unit = |byte| narrow(view::unit_of_byte(draft, byte));
    let _ = area.set_selection_range(unit(range.start), unit(range.end));
    let typed = document()
        .dyn_ref::<HtmlDocument>()
        .and_then(|document| document.exec_command_with_show_ui_and_value("insertText", false, text).ok());
    if typed != Some(true) {
        let (after, cursor) = view::put_in(draft, range, text);
        area.set_value(&after);
        let cursor = narrow(view::unit_of_byte(&after, cursor));
        let _ = area.set_selection_range(cursor, cursor);
    }
    app.sql.draft.set(area.value());
}
