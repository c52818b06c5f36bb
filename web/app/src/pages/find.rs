//! The Find box of a trace: searches names at once, and contents as the worker finds them.
//!
//! Not here: which rows match (`quipu_ui::view`), and reading contents (the worker).

use super::open_trace::{FIND_BOX, OpenTrace, TIMELINE};
use crate::actions::router::HistoryEntry;
use crate::browser::focus;
use crate::reactive::{dynamic, effect, memo, on_event, on_key, on_mouse, when};
use crate::state::App;
use crate::widgets::{Icon, IconName};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use quipu_protocol::address::Screen;
use quipu_protocol::{HitQuery, ListHits, SearchState};
use quipu_ui::view::Matches;
use std::time::Duration;

/// Matches requested at once.
const PAGE: u32 = 500;
/// Matches marked at most: a text that every span contains needs no marks.
const MOST_HITS: u32 = 100_000;
/// How long typing has to pause before contents are searched.
const PAUSE: Duration = Duration::from_millis(200);

/// The box, the count, and the buttons for the next and previous match.
#[component]
pub(super) fn Find(trace: OpenTrace) -> impl IntoView {
    let app = App::get();
    let text = memo(move || {
        app.view.with(|view| match &view.screen {
            Screen::Trace(view) => view.find.clone(),
            _ => String::new(),
        })
    });
    let search = Contents { text, trace, got: RwSignal::new(0), asking: RwSignal::new(false), state: RwSignal::new(State::Idle) };
    effect(move || {
        // A new worker does not know the questions to the previous one.
        app.indexed.track();
        let text = text.get();
        trace.matches.set(Matches::by_name(&trace.columns(), &text));
        search.begin(app, text);
    });
    // The search made progress: there may be more matches.
    effect(move || {
        let wanted = app.trace_search.with(|progress| {
            let progress = progress.as_ref()?;
            let ours = progress.trace_id.as_deref() == Some(trace.columns().trace_id.as_str())
                && text.with_untracked(|text| progress.texts.first() == Some(text));
            ours.then(|| (u32::try_from(progress.hits).unwrap_or(u32::MAX), progress.state.clone()))
        });
        let Some((hits, state)) = wanted.filter(|_| search.state.get_untracked() == State::Running) else { return };
        if let SearchState::Failed(_) = state {
            search.state.set(State::Stopped);
        } else if hits > search.got.get_untracked() || state != SearchState::Running {
            search.ask(app);
        }
    });
    let type_in = move |event| {
        let typed = event_target_value(&event);
        trace.navigate(app, HistoryEntry::Replace, |view| view.find = typed);
    };
    let press = move |event: KeyboardEvent| {
        if event.is_composing() {
            return;
        }
        match event.key().as_str() {
            "Enter" => trace.step_match(app, !event.shift_key()),
            "Escape" => focus(TIMELINE),
            _ => return,
        }
        event.prevent_default();
    };
    let count = dynamic(move || {
        text.with(|text| !text.is_empty()).then(|| {
            let found = trace.matches.with(|matches| matches.sentence(trace.selected.get()));
            match search.state.get() {
                State::Running => format!("{found} …"),
                State::NamesOnly => format!("{found} by name"),
                State::Stopped => format!("{found} so far"),
                State::Idle => found,
            }
        })
    });
    let none = move || trace.matches.with(Matches::is_empty);
    let has_text = move || text.with(|text| !text.is_empty());
    view! {
        <div class="find" role="search">
            <input
                type="search"
                id=FIND_BOX
                aria-label="Find in this trace"
                placeholder="Find in this trace"
                title="Searches names, inputs, outputs, attributes and logs (/)"
                autocomplete="off"
                spellcheck="false"
                prop:value=text
                on:input=on_event(type_in)
                on:keydown=on_key(press)
            />
            <span class="find-count number" role="status" aria-label="Matches">{count}</span>
            {when(has_text, move || view! {
                <button type="button" class="icon-button find-back" aria-label="Previous match" title="Previous match (N)" disabled=none on:click=on_mouse(move |_| trace.step_match(app, false))>
                    <Icon name=IconName::Caret />
                </button>
                <button type="button" class="icon-button find-on" aria-label="Next match" title="Next match (n)" disabled=none on:click=on_mouse(move |_| trace.step_match(app, true))>
                    <Icon name=IconName::Caret />
                </button>
            })}
        </div>
    }
}

/// The progress of the search of contents.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// No search, or a complete one.
    Idle,
    /// More matches may follow.
    Running,
    /// The search failed.
    NamesOnly,
    /// The file could not be read to the end.
    Stopped,
}

/// Searches contents, for one text after the other.
#[derive(Clone, Copy)]
struct Contents {
    text: Memo<String>,
    trace: OpenTrace,
    /// Matches received so far.
    got: RwSignal<u32>,
    /// Whether an answer is awaited.
    asking: RwSignal<bool>,
    state: RwSignal<State>,
}

impl Contents {
    /// Searches for another text, after typing pauses.
    fn begin(self, app: App, text: String) {
        self.got.set(0);
        self.asking.set(false);
        self.state.set(if text.is_empty() { State::Idle } else { State::Running });
        if text.is_empty() {
            return;
        }
        let busy = app.idle().begin();
        set_timeout(
            move || {
                if self.text.try_get_untracked() == Some(text) {
                    self.ask(app);
                }
                drop(busy);
            },
            PAUSE,
        );
    }

    /// Requests the matches that are missing.
    fn ask(self, app: App) {
        if self.asking.get_untracked() {
            return;
        }
        self.asking.set(true);
        let text = self.text.get_untracked();
        let columns = self.trace.columns();
        let query =
            HitQuery { filter: quoted(&text), trace_id: Some(columns.trace_id.clone()), offset: self.got.get_untracked(), limit: PAGE };
        app.ask(ListHits(query), move |answer| {
            // Another text may be looked for by now, or the screen gone.
            if self.text.try_get_untracked() != Some(text) {
                return;
            }
            self.asking.set(false);
            let Ok(page) = answer else {
                self.state.set(State::NamesOnly);
                return;
            };
            let came = u32::try_from(page.hits.len()).unwrap_or(u32::MAX);
            if came > 0 {
                let rows: Vec<u32> = page.hits.iter().filter_map(|hit| columns.span_id.find(&hit.span_id)).collect();
                self.trace.matches.update(|matches| matches.add(rows));
                self.got.update(|got| *got = got.saturating_add(came));
            }
            let got = self.got.get_untracked();
            if page.total.is_some_and(|total| got >= total) || got >= MOST_HITS {
                self.state.set(State::Idle);
            } else if got < page.so_far {
                self.ask(app);
            }
        });
    }
}

/// The text as a filter: in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
