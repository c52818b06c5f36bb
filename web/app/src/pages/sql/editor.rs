//! The editor: a text area over the same text in colours, and a list of how the query may go on.
//!
//! What is not here: which tokens there are, and what may follow (the core's `sql`).

use super::state::Shown;
use super::to_result;
use crate::browser::{document, focus, on_next_frame};
use crate::dom::{El, append, el, fill};
use crate::state::App;
use leptos::ev::KeyboardEvent;
use leptos::html::{Div, Textarea, Ul};
use leptos::prelude::*;
use quipu::protocol::{SqlRequest, SqlResponse, SqlWrong, Suggestion};
use quipu::sql::{TokenKind, tokens};
use quipu::view;
use std::ops::Range;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDocument};

/// The id of the text area.
pub(super) const EDITOR: &str = "sql-query";
const LIST: &str = "sql-choices";
const ERROR: &str = "sql-error";
/// Lines shown at least and at most.
const LINES: (usize, usize) = (4, 16);

/// The state of the editor.
#[derive(Clone, Copy)]
struct Edit {
    app: App,
    area: NodeRef<Textarea>,
    echo: NodeRef<Div>,
    choices: RwSignal<Vec<Suggestion>>,
    /// The choice the keyboard is on.
    active: RwSignal<Option<usize>>,
    /// The draft and the place the choices are for.
    chosen_for: StoredValue<(String, Range<usize>)>,
    /// Whether choices are on their way, and whether the draft changed since.
    asked: StoredValue<(bool, bool)>,
}

/// The editor.
#[component]
pub(super) fn Editor() -> impl IntoView {
    let app = App::get();
    let edit = Edit {
        app,
        area: NodeRef::new(),
        echo: NodeRef::new(),
        choices: RwSignal::default(),
        active: RwSignal::new(None),
        chosen_for: StoredValue::default(),
        asked: StoredValue::new((false, false)),
    };
    let list = NodeRef::<Ul>::new();
    let sql = app.sql;
    // What is wrong is so until the query is another one.
    let wrong = Memo::new(move |_| match sql.shown.get() {
        Shown::Wrong(wrong) => Some(wrong),
        _ => None,
    });
    Effect::new(move |_| {
        sql.put.track();
        let Some(area) = edit.area.get() else { return };
        let draft = sql.draft.get_untracked();
        if area.value() != draft {
            area.set_value(&draft);
        }
    });
    Effect::new(move |_| {
        let (Some(echo), Some(area)) = (edit.echo.get(), edit.area.get()) else { return };
        let draft = sql.draft.get();
        let lines = draft.split('\n').count() + 1;
        area.set_rows(lines.clamp(LINES.0, LINES.1) as u32);
        wrong.with(|wrong| draw(&echo, &draft, wrong.as_ref()));
        edit.scrolled();
    });
    Effect::new(move |_| {
        if let Some(list) = list.get() {
            let active = edit.active.get();
            fill(
                &list,
                edit.choices.with(|choices| choices.iter().enumerate().map(|(number, choice)| option(number, choice, active)).collect()),
            );
            if let Some(option) = active.and_then(|active| document().get_element_by_id(&choice_id(active))) {
                option.scroll_into_view_with_bool(false);
            }
        }
    });
    let is_open = move || edit.choices.with(|choices| !choices.is_empty());
    let message = move || wrong.get().map(|wrong| place_text(&sql.draft.get_untracked(), &wrong));
    let choose = move |event: leptos::ev::MouseEvent| {
        let number = crate::dom::nearest(&event, "[data-choice]").and_then(|option| option.get_attribute("data-choice")?.parse().ok());
        if let Some(number) = number {
            edit.choose(number);
        }
    };
    view! {
        <div class="sql-editor" class:wrong=move || wrong.with(Option::is_some)>
            <div class="sql-under" aria-hidden="true"><div class="sql-echo" node_ref=edit.echo></div></div>
            <textarea
                id=EDITOR
                aria-label="SQL query"
                aria-autocomplete="list"
                aria-controls=LIST
                aria-haspopup="listbox"
                aria-activedescendant=move || edit.active.get().map(choice_id)
                aria-invalid=move || wrong.with(Option::is_some).then_some("true")
                aria-describedby=ERROR
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                wrap="off"
                placeholder="SELECT …   (Ctrl Enter runs it, Ctrl Space completes)"
                node_ref=edit.area
                on:scroll=move |_| edit.scrolled()
                on:input=move |event| {
                    sql.draft.set(event_target_value(&event));
                    edit.suggest();
                }
                on:click=move |_| edit.close()
                on:blur=move |_| edit.close()
                on:keydown=move |event| {
                    if edit.press(&event) {
                        event.prevent_default();
                        event.stop_propagation();
                    }
                }
            ></textarea>
            <ul
                id=LIST
                class="filter-choices sql-choices"
                class:shown=is_open
                role="listbox"
                aria-label="Completions"
                node_ref=list
                // The text area keeps the focus.
                on:mousedown=move |event| event.prevent_default()
                on:click=choose
            ></ul>
        </div>
        <p id=ERROR class="filter-error sql-error" role="alert">{message}</p>
    }
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

/// The text in colours; the token in which something is wrong is underlined.
fn draw(echo: &Element, draft: &str, wrong: Option<&SqlWrong>) {
    let place = wrong.and_then(|wrong| wrong.offset).map(|offset| offset as usize);
    let mut marked = false;
    let mut drawn: Vec<El> = Vec::new();
    for token in tokens(draft) {
        let text = draft.get(token.start..token.end).unwrap_or_default();
        let is_wrong = place.is_some_and(|place| token.start <= place && place < token.end) && token.kind != TokenKind::Blank;
        marked |= is_wrong;
        drawn.push(el(if is_wrong { "u" } else { "span" }).class(&format!("sql-{}", token.kind.name())).text(text));
    }
    // Something is missing where nothing can be marked.
    if place.is_some() && !marked {
        drawn.push(el("u").text("\u{a0}\u{a0}"));
    }
    fill(echo, drawn);
    // A last line that is empty has a height, too.
    append(echo, vec![el("span").text("\n ")]);
}

/// The sentence, with the line and the column it is about where there are several lines.
fn place_text(draft: &str, wrong: &SqlWrong) -> String {
    let Some(before) = wrong.offset.and_then(|offset| draft.get(..offset as usize)) else { return wrong.message.clone() };
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    format!("Line {line}, column {column}: {}", wrong.message)
}

impl Edit {
    /// The colours lie where the text is.
    fn scrolled(self) {
        if let (Some(area), Some(echo)) = (self.area.get_untracked(), self.echo.get_untracked()) {
            let _ = echo.set_attribute("style", &format!("transform:translate({}px,{}px)", -area.scroll_left(), -area.scroll_top()));
        }
    }

    fn close(self) {
        self.choices.update(Vec::clear);
        self.active.set(None);
    }

    fn cursor(self, draft: &str) -> usize {
        let unit = self.area.get_untracked().and_then(|area| area.selection_end().ok().flatten());
        unit.map_or(draft.len(), |unit| view::byte_of_unit(draft, unit as usize))
    }

    /// Asks how the draft may go on: once a frame at most, and never twice at a time. While a query runs the worker hears nothing.
    fn suggest(self) {
        let (asked, _) = self.asked.get_value();
        self.asked.set_value((true, true));
        if !asked {
            on_next_frame(move || self.ask());
        }
    }

    fn ask(self) {
        let Some(draft) = self.app.sql.draft.try_get_untracked() else { return };
        self.asked.set_value((true, false));
        if self.app.sql.shown.with_untracked(|shown| matches!(shown, Shown::Running)) {
            self.asked.set_value((false, false));
            return self.close();
        }
        let cursor = self.cursor(&draft);
        self.app.sql.ask(self.app, SqlRequest::Complete { query: draft.clone(), cursor: cursor as u32 }, move |answer| {
            let Some((_, changed)) = self.asked.try_get_value() else { return };
            self.asked.set_value((false, false));
            if changed {
                return self.suggest();
            }
            let Ok(SqlResponse::Completions(found)) = answer else { return };
            self.chosen_for.set_value((draft, found.start as usize..found.end as usize));
            let is_here = document().active_element().is_some_and(|element| element.id() == EDITOR);
            self.active.set(None);
            self.choices.set(if is_here { found.items } else { Vec::new() });
            self.place_list(cursor);
        });
    }

    /// The list stands below the line of the cursor.
    fn place_list(self, cursor: usize) {
        let (Some(area), Some(list)) = (self.area.get_untracked(), document().get_element_by_id(LIST)) else { return };
        let draft = self.app.sql.draft.get_untracked();
        let before = draft.get(..cursor).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|letter| *letter != '\n').count();
        let style = format!(
            "top:calc({line} * var(--code-line) + 8px - {}px);--column:{column};--scrolled:{}px",
            area.scroll_top(),
            area.scroll_left()
        );
        let _ = list.set_attribute("style", &style);
    }

    fn choose(self, number: usize) {
        let Some(choice) = self.choices.with_untracked(|choices| choices.get(number).cloned()) else { return };
        let (draft, range) = self.chosen_for.get_value();
        self.close();
        // Typed on meanwhile: other choices are on their way.
        if self.app.sql.draft.with_untracked(|now| *now != draft) {
            return;
        }
        put(self.app, &draft, range, &choice.text);
        if choice.text.ends_with('.') {
            self.suggest();
        }
    }

    /// `true` when the key did something here.
    fn press(self, event: &KeyboardEvent) -> bool {
        if event.is_composing() {
            return false;
        }
        let key = event.key();
        if event.ctrl_key() || event.meta_key() {
            match key.as_str() {
                "Enter" => {
                    self.close();
                    self.app.sql.run(self.app);
                }
                " " => self.suggest(),
                _ => return false,
            }
            return true;
        }
        let count = self.choices.with_untracked(Vec::len);
        let active = self.active.get_untracked();
        match (key.as_str(), active) {
            ("ArrowDown", _) if count > 0 => self.active.set(Some(active.map_or(0, |active| (active + 1) % count))),
            ("ArrowUp", _) if count > 0 => self.active.set(Some(active.map_or(count - 1, |active| (active + count - 1) % count))),
            ("Enter", Some(active)) => self.choose(active),
            ("Tab", _) if count > 0 && !event.shift_key() => self.choose(active.unwrap_or(0)),
            ("Escape", _) if count > 0 => self.close(),
            ("Escape", _) if self.app.sql.shown.with_untracked(|shown| matches!(shown, Shown::Running)) => self.app.sql.cancel(self.app),
            ("Escape", _) => to_result(),
            _ => return false,
        }
        true
    }
}

/// Puts a name into the query where the cursor stands.
pub(super) fn insert(app: App, text: &str) {
    let draft = app.sql.draft.get_untracked();
    let area = document().get_element_by_id(EDITOR).and_then(|area| area.dyn_into::<web_sys::HtmlTextAreaElement>().ok());
    let unit = |place: Option<u32>| place.map_or(draft.len(), |unit| view::byte_of_unit(&draft, unit as usize));
    let range = area
        .map_or(draft.len()..draft.len(), |area| unit(area.selection_start().ok().flatten())..unit(area.selection_end().ok().flatten()));
    // Words stand apart.
    let before = draft.get(..range.start).unwrap_or_default();
    let space = if before.is_empty() || before.ends_with([' ', '\n', '(', '.', ',']) { "" } else { " " };
    put(app, &draft, range, &format!("{space}{text}"));
}

/// Puts `text` in the place of `range`, as if it was typed: it can be undone.
fn put(app: App, draft: &str, range: Range<usize>, text: &str) {
    focus(EDITOR);
    let Some(area) = document().get_element_by_id(EDITOR).and_then(|area| area.dyn_into::<web_sys::HtmlTextAreaElement>().ok()) else {
        return;
    };
    let unit = |byte| view::unit_of_byte(draft, byte) as u32;
    let _ = area.set_selection_range(unit(range.start), unit(range.end));
    let typed = document()
        .dyn_ref::<HtmlDocument>()
        .and_then(|document| document.exec_command_with_show_ui_and_value("insertText", false, text).ok());
    if typed != Some(true) {
        let (after, cursor) = view::put_in(draft, range, text);
        area.set_value(&after);
        let cursor = view::unit_of_byte(&after, cursor) as u32;
        let _ = area.set_selection_range(cursor, cursor);
    }
    app.sql.draft.set(area.value());
}
