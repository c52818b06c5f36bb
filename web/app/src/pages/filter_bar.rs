//! The filter bar: applied terms as chips, the term being typed, completions, and errors.
//!
//! Not here: the language (`quipu_protocol::filter`), and editing of texts (`quipu_ui::view`).

use crate::actions::router::{self, HistoryEntry};
use crate::browser::{document, focus, keep_setting, load_setting, on_next_frame};
use crate::reactive::{dynamic, effect_with, memo, on_event, on_focus, on_key, on_mouse, when};
use crate::state::App;
use crate::widgets::{Icon, IconName};
use leptos::ev::KeyboardEvent;
use leptos::html::Input;
use leptos::prelude::*;
use quipu_model::format;
use quipu_model::number::narrow;
use quipu_protocol::Suggest;
use quipu_protocol::address::{Screen, ViewState};
use quipu_protocol::filter::{Filter, FilterError, Term};
use quipu_ui::view;
use std::ops::Range;

/// The id of the input.
pub(super) const INPUT: &str = "filter-input";
/// The id of the list that is filtered, to which Escape leads.
pub(super) const GRID: &str = "list";
const LIST: &str = "filter-choices";
const ERROR: &str = "filter-error";
/// The setting that keeps the last filters.
const HISTORY: &str = "filters";

/// What a bar filters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterOf {
    /// The list of traces.
    Traces,
    /// The list of log records.
    Logs,
}

impl FilterOf {
    fn read(self, view: &ViewState) -> String {
        match (self, &view.screen) {
            (FilterOf::Traces, _) => view.list.filter.clone(),
            (FilterOf::Logs, Screen::Logs(logs)) => logs.filter.clone(),
            (FilterOf::Logs, _) => String::new(),
        }
    }

    fn write(self, view: &mut ViewState, filter: String) {
        match (self, &mut view.screen) {
            (FilterOf::Traces, _) => {
                let has_texts = Filter::parse(&filter).is_ok_and(|filter| !filter.texts().is_empty());
                view.list.filter = filter;
                view.list.hits &= has_texts;
            }
            (FilterOf::Logs, Screen::Logs(logs)) => logs.filter = filter,
            (FilterOf::Logs, _) => {}
        }
    }

    /// The name of the input, and what it says while it is empty.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            FilterOf::Traces => ("Filter traces", "Filter: duration>2s error:true model:… \"any text\""),
            FilterOf::Logs => ("Filter logs", "Filter: any words, name:… service:… key=value"),
        }
    }
}

/// One line of the list below the input.
#[derive(Clone, PartialEq)]
struct Choice {
    text: String,
    meaning: String,
    action: ChoiceAction,
}

/// What happens when it is chosen.
#[derive(Clone, PartialEq)]
enum ChoiceAction {
    /// Puts its text into the draft, at this range.
    Put(Range<usize>),
    /// Applies its text as the filter.
    Apply,
    /// Forgets the last filters.
    Forget,
}

/// The state of the bar.
#[derive(Clone, Copy)]
struct Bar {
    app: App,
    of: FilterOf,
    applied: Memo<String>,
    terms: Memo<Vec<Term>>,
    draft: RwSignal<String>,
    /// The index of the term that the draft replaces.
    editing: RwSignal<Option<usize>>,
    error: RwSignal<Option<FilterError>>,
    choices: RwSignal<Vec<Choice>>,
    /// The choice with the keyboard cursor.
    active: RwSignal<Option<usize>>,
    input: NodeRef<Input>,
    /// The epoch of the pending request for suggestions (one of an earlier epoch is never answered), and whether the draft changed since.
    asked: StoredValue<(Option<u32>, bool)>,
    /// The draft that the choices are for.
    chosen_for: StoredValue<String>,
}

/// The bar.
#[component]
pub(super) fn FilterBar(
    /// The list it filters.
    of: FilterOf,
) -> impl IntoView {
    let app = App::get();
    let applied = memo(move || app.view.with(|view| of.read(view)));
    let (name, hint) = of.words();
    let bar = Bar {
        app,
        of,
        applied,
        terms: memo(move || applied.with(|applied| Filter::terms(applied).unwrap_or_default())),
        draft: RwSignal::default(),
        editing: RwSignal::new(None),
        error: RwSignal::new(None),
        choices: RwSignal::default(),
        active: RwSignal::new(None),
        input: NodeRef::new(),
        asked: StoredValue::new((None, false)),
        chosen_for: StoredValue::default(),
    };
    // A filter in the address that cannot be parsed is put into the input, to be corrected.
    effect_with(move |before: Option<String>| {
        let applied = applied.get();
        bar.editing.set(None);
        if let Err(error) = Filter::parse(&applied) {
            bar.write(&applied, applied.len());
            bar.error.set(Some(error));
        } else if before.is_some_and(|before| before == bar.draft.get_untracked()) {
            bar.write("", 0);
        }
        applied
    });
    let chip = move |(number, term): (usize, Term)| {
        let remove = format!("Remove {}", term.text);
        view! {
            <li class="chip" class:editing=move || bar.editing.get() == Some(number)>
                <button type="button" title="Change this term" on:click=on_mouse(move |_| bar.edit(number))>{term.text}</button>
                <button type="button" class="icon-button" aria-label=remove.clone() title=remove on:click=on_mouse(move |_| bar.remove(number))>
                    <Icon name=IconName::Close />
                </button>
            </li>
        }
    };
    let is_open = move || bar.choices.with(|choices| !choices.is_empty());
    let echo = dynamic(move || {
        let error = bar.error.get()?;
        let draft = bar.draft.get();
        let (before, wrong) = (draft.get(..error.start)?.to_owned(), draft.get(error.start..error.end)?.to_owned());
        // Something is missing, so there is nothing to mark.
        let wrong = if wrong.trim().is_empty() { "\u{a0}\u{a0}".into() } else { wrong };
        Some(view! { {before}<u>{wrong}</u> })
    });
    let message = dynamic(move || bar.error.get().map(|error| error.message));
    view! {
        <div class="filter-bar" role="search">
            <div class="filter-field" class:wrong=move || bar.error.with(Option::is_some) on:click=on_mouse(move |_| bar.open())>
                <Icon name=IconName::Search />
                <div class="filter-terms">
                <ul class="chips" role="list" aria-label="Filter terms">
                    <For each=move || bar.terms.get().into_iter().enumerate() key=|(number, term)| (*number, term.text.clone()) children=chip />
                </ul>
                <span class="filter-line">
                    <span class="filter-echo" aria-hidden="true">{echo}</span>
                    <input
                        id=INPUT
                        type="text"
                        role="combobox"
                        aria-label=name
                        aria-autocomplete="list"
                        aria-controls=LIST
                        aria-expanded=move || if is_open() { "true" } else { "false" }
                        aria-activedescendant=move || bar.active.get().map(choice_id)
                        aria-invalid=move || bar.error.with(Option::is_some).then_some("true")
                        aria-describedby=ERROR
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck="false"
                        placeholder=move || if bar.terms.with(Vec::is_empty) { hint } else { "" }
                        node_ref=bar.input
                        on:input=on_event(move |event| {
                            bar.draft.set(event_target_value(&event));
                            bar.check(false);
                            bar.suggest();
                        })
                        on:focus=on_focus(move |_| bar.suggest())
                        on:blur=on_focus(move |_| bar.close())
                        on:keydown=on_key(move |event| {
                            if bar.press(&event) {
                                event.prevent_default();
                            }
                        })
                    />
                </span>
                </div>
                {when(move || !applied.with(String::is_empty), move || view! {
                    <button type="button" class="icon-button" aria-label="Clear filter" title="Clear filter" on:click=on_mouse(move |_| bar.set_filter(String::new()))>
                        <Icon name=IconName::Close />
                    </button>
                })}
            </div>
            <p id=ERROR class="filter-error" aria-live="polite">{message}</p>
            <ul id=LIST class="filter-choices" class:shown=is_open role="listbox" aria-label="Suggestions">
                {dynamic(move || bar.choices.get().into_iter().enumerate().map(|(number, choice)| bar.line(number, choice)).collect_view())}
            </ul>
        </div>
    }
}

fn choice_id(number: usize) -> String {
    format!("filter-choice-{number}")
}

impl Bar {
    fn line(self, number: usize, choice: Choice) -> impl IntoView {
        view! {
            <li
                role="option"
                id=choice_id(number)
                aria-selected=move || if self.active.get() == Some(number) { "true" } else { "false" }
                // The input keeps the focus.
                on:mousedown=on_mouse(move |event| event.prevent_default())
                on:click=on_mouse(move |event| {
                    event.stop_propagation();
                    self.choose(number);
                })
            >
                <span class="mono">{choice.text}</span>
                <span class="soft">{choice.meaning}</span>
            </li>
        }
    }

    /// A click into the input: a closed list opens again.
    fn open(self) {
        focus(INPUT);
        if self.choices.with_untracked(Vec::is_empty) {
            self.suggest();
        }
    }

    fn close(self) {
        self.choices.update(Vec::clear);
        self.active.set(None);
    }

    /// Sets the text of the input, with the cursor at this byte.
    fn write(self, text: &str, cursor: usize) {
        self.draft.set(text.to_owned());
        self.error.set(None);
        self.close();
        if let Some(input) = self.input.get_untracked() {
            input.set_value(text);
            let unit = narrow(view::unit_of_byte(text, cursor));
            let _ = input.set_selection_range(unit, unit);
        }
    }

    fn cursor(self, draft: &str) -> usize {
        let unit = self.input.get_untracked().and_then(|input| input.selection_end().ok().flatten());
        unit.map_or(draft.len(), |unit| view::byte_of_unit(draft, unit as usize))
    }

    /// Checks the draft and shows what is wrong with it. `whole`: an unfinished term is an error, too. Returns whether the draft is valid.
    fn check(self, whole: bool) -> bool {
        let draft = self.draft.get_untracked();
        let cursor = self.cursor(&draft);
        let error = Filter::parse(&draft).err();
        let right = error.is_none();
        self.error.set(error.filter(|error| whole || error.end < cursor));
        right
    }

    /// Requests completions of the draft: at most once a frame, and one request at a time. Without a draft the last filters are offered.
    fn suggest(self) {
        let (asked, _) = self.asked.get_value();
        let epoch = Some(self.app.epoch.get_untracked());
        self.asked.set_value((epoch, true));
        if asked != epoch {
            on_next_frame(move || self.ask());
        }
    }

    fn ask(self) {
        let Some(draft) = self.draft.try_get_untracked() else { return };
        self.asked.update_value(|asked| asked.1 = false);
        if draft.trim().is_empty() {
            self.asked.set_value((None, false));
            self.chosen_for.set_value(draft);
            return self.show(history(self.applied.with_untracked(|applied| applied.clone())));
        }
        let cursor = self.cursor(&draft);
        let question = Suggest { filter: draft.clone(), cursor: narrow(cursor) };
        self.app.ask(question, move |answer| {
            let Some((_, changed)) = self.asked.try_get_value() else { return };
            self.asked.set_value((None, false));
            if changed {
                return self.suggest();
            }
            let mut choices = Vec::new();
            // In logs, a word is searched for as it is.
            if self.of == FilterOf::Traces
                && let Some(range) = view::bare_word(&draft, cursor)
            {
                let word = draft.get(range.clone()).unwrap_or_default();
                choices.push(Choice {
                    text: view::quoted(word),
                    meaning: format!("search all texts for “{word}”"),
                    action: ChoiceAction::Put(range),
                });
            }
            if let Ok(found) = answer {
                let range = found.start as usize..found.end as usize;
                choices.extend(found.items.into_iter().map(|item| {
                    let spans = item.spans.map(|spans| format::counted(Some(spans), "span", "spans"));
                    let meaning = [Some(item.meaning).filter(|meaning| !meaning.is_empty()), spans].into_iter().flatten();
                    Choice { text: item.text, meaning: meaning.collect::<Vec<_>>().join(" · "), action: ChoiceAction::Put(range.clone()) }
                }));
            }
            self.chosen_for.set_value(draft);
            self.show(choices);
        });
    }

    /// Shows the choices, if the input still has the focus.
    fn show(self, choices: Vec<Choice>) {
        let is_here = document().active_element().is_some_and(|element| element.id() == INPUT);
        self.active.set(None);
        self.choices.set(if is_here { choices } else { Vec::new() });
    }

    fn choose(self, number: usize) {
        let Some(choice) = self.choices.with_untracked(|choices| choices.get(number).cloned()) else { return };
        match choice.action {
            // The draft has changed; its choices are on their way.
            ChoiceAction::Put(_) if self.chosen_for.with_value(|draft| self.draft.with_untracked(|now| now != draft)) => {}
            ChoiceAction::Put(range) => {
                let (draft, cursor) = view::put_in(&self.draft.get_untracked(), range, &choice.text);
                self.write(&draft, cursor);
                // After a field, a value is expected.
                if choice.text.ends_with([':', '=', '<', '>', '.']) {
                    self.suggest();
                }
            }
            ChoiceAction::Apply => self.set_filter(choice.text),
            ChoiceAction::Forget => {
                keep_setting(HISTORY, "");
                self.close();
            }
        }
        focus(INPUT);
    }

    /// The applied filter, without the term that is being edited.
    fn base(self) -> String {
        self.applied.with_untracked(|applied| match self.editing.get_untracked() {
            _ if Filter::parse(applied).is_err() => String::new(),
            Some(number) => Filter::without_term(applied, number),
            None => applied.clone(),
        })
    }

    fn apply(self) {
        let draft = self.draft.get_untracked();
        if self.check(true) && (!draft.trim().is_empty() || self.editing.get_untracked().is_some()) {
            self.set_filter(view::add_terms(&self.base(), &draft));
        }
    }

    fn set_filter(self, filter: String) {
        self.write("", 0);
        self.editing.set(None);
        let known = load_setting(HISTORY).unwrap_or_default();
        keep_setting(HISTORY, &view::remember(&known, &filter));
        router::navigate(self.app, HistoryEntry::Push, |view| self.of.write(view, filter));
        focus(INPUT);
    }

    fn remove(self, number: usize) {
        self.set_filter(self.applied.with_untracked(|applied| Filter::without_term(applied, number)));
    }

    fn edit(self, number: usize) {
        let term = self.terms.with_untracked(|terms| terms.get(number).cloned());
        let Some(text) = term.and_then(|term| self.applied.with_untracked(|applied| applied.get(term.start..term.end).map(str::to_owned)))
        else {
            return;
        };
        self.write(&text, text.len());
        self.editing.set(Some(number));
        focus(INPUT);
    }

    /// `true` when the key was handled here.
    fn press(self, event: &KeyboardEvent) -> bool {
        if event.is_composing() || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return false;
        }
        let count = self.choices.with_untracked(Vec::len);
        let active = self.active.get_untracked();
        match event.key().as_str() {
            "ArrowDown" if count == 0 => self.suggest(),
            "ArrowDown" => self.active.set(Some(active.map_or(0, |active| (active + 1) % count))),
            "ArrowUp" if count > 0 => self.active.set(Some(active.map_or(count - 1, |active| (active + count - 1) % count))),
            "Tab" if !event.shift_key() && count > 0 && (active.is_some() || !self.draft.with_untracked(String::is_empty)) => {
                self.choose(active.unwrap_or(0));
            }
            "Enter" => match active {
                Some(active) => self.choose(active),
                None => self.apply(),
            },
            "Escape" if count > 0 => self.close(),
            "Escape" if self.editing.get_untracked().is_some() => {
                self.editing.set(None);
                self.write("", 0);
            }
            "Escape" => focus(GRID),
            "Backspace" if self.draft.with_untracked(String::is_empty) => match self.terms.with_untracked(Vec::len) {
                0 => return false,
                terms => self.remove(terms - 1),
            },
            _ => return false,
        }
        true
    }
}

/// The last filters except the applied one, and a choice to forget them.
fn history(applied: String) -> Vec<Choice> {
    let known = load_setting(HISTORY).unwrap_or_default();
    let mut choices: Vec<Choice> = known
        .lines()
        .filter(|filter| *filter != applied && !filter.is_empty())
        .map(|filter| Choice { text: filter.to_owned(), meaning: String::new(), action: ChoiceAction::Apply })
        .collect();
    if !choices.is_empty() {
        choices.push(Choice { text: String::new(), meaning: "Forget these filters".into(), action: ChoiceAction::Forget });
    }
    choices
}
