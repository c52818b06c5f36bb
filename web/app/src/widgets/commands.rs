//! The command palette: every available command, found by typing.
//!
//! Not here: the list of commands (`quipu_ui::view`).

use super::modal;
use crate::actions::router::{self, HistoryEntry};
use crate::browser::{document, focus};
use crate::dom::{El, el, fill, nearest};
use crate::reactive::{dynamic, effect, memo, on_event, on_key, on_mouse};
use crate::state::{App, FileState};
use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html::{Dialog, Input, Ul};
use leptos::prelude::*;
use quipu_protocol::address::Screen;
use quipu_ui::view;
use quipu_ui::view::{CommandAction, ViewCommand};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

const LIST: &str = "command-list";

/// A dialog that is shown while `app.commands` is set.
#[component]
pub(crate) fn Commands() -> impl IntoView {
    let app = App::get();
    let (dialog, input, list) = (NodeRef::<Dialog>::new(), NodeRef::<Input>::new(), NodeRef::<Ul>::new());
    let typed = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let found = memo(move || {
        let has_file = app.file.with(|file| matches!(file, FileState::Open(_)));
        app.view.with(|view| typed.with(|typed| view::commands(view, has_file, typed)))
    });
    modal::follow(dialog, app.commands, move || {
        typed.set(String::new());
        chosen.set(0);
        if let Some(input) = input.get_untracked() {
            input.set_value("");
        }
    });
    effect(move || {
        let Some(list) = list.get() else { return };
        let chosen = chosen.get();
        fill(&list, found.with(|found| found.iter().enumerate().map(|(at, command)| option(at, command, at == chosen)).collect()));
        if let Some(option) = document().get_element_by_id(&option_id(chosen)) {
            option.scroll_into_view_with_bool(false);
        }
    });
    let run = move |at: usize| {
        if let Some(command) = found.with_untracked(|found| found.get(at).copied()) {
            app.commands.set(false);
            run_command(app, command.action);
        }
    };
    let press = move |event: KeyboardEvent| {
        let count = found.with_untracked(Vec::len).max(1);
        let now = chosen.get_untracked();
        match event.key().as_str() {
            "ArrowDown" => chosen.set((now + 1) % count),
            "ArrowUp" => chosen.set((now + count - 1) % count),
            "Enter" => run(now),
            _ => return,
        }
        event.prevent_default();
    };
    let click = move |event: MouseEvent| {
        let at = nearest(&event, "[data-at]").and_then(|option| option.get_attribute("data-at")?.parse().ok());
        if let Some(at) = at {
            run(at);
        }
    };
    let none = dynamic(move || found.with(Vec::is_empty).then(|| view! { <p class="soft">"No matching command."</p> }));
    view! {
        <dialog node_ref=dialog class="commands" aria-label="Commands" on:close=on_event(move |_| app.commands.set(false))>
            <input
                type="text"
                node_ref=input
                role="combobox"
                aria-label="Command"
                aria-expanded="true"
                aria-controls=LIST
                aria-autocomplete="list"
                aria-activedescendant=move || option_id(chosen.get())
                placeholder="Type a command"
                autocomplete="off"
                spellcheck="false"
                on:keydown=on_key(press)
                on:input=on_event(move |event| {
                    chosen.set(0);
                    typed.set(event_target_value(&event));
                })
            />
            <ul node_ref=list id=LIST role="listbox" aria-label="Commands" on:click=on_mouse(click)></ul>
            {none}
        </dialog>
    }
}

fn option_id(at: usize) -> String {
    format!("command-{at}")
}

fn option(at: usize, command: &ViewCommand, chosen: bool) -> El {
    let key = match command.action {
        CommandAction::Key("Escape") => Some("Esc"),
        CommandAction::Key(key) => Some(key),
        CommandAction::Help => Some("?"),
        _ => None,
    };
    let selected = if chosen { "true" } else { "false" };
    let item = el("li").attr("role", "option").attr("id", &option_id(at)).attr("data-at", &at.to_string()).attr("aria-selected", selected);
    item.child(el("span").text(command.name)).maybe(key.map(|key| el("kbd").text(key)))
}

fn run_command(app: App, action: CommandAction) {
    match action {
        CommandAction::Key(key) => {
            if let Ok(event) = web_sys::KeyboardEvent::new("keydown") {
                app.press(&event, key);
            }
        }
        CommandAction::Tab(tab) => router::navigate(app, HistoryEntry::Push, |view| {
            if let Screen::Trace(trace) = &mut view.screen {
                trace.show_tab(tab);
            }
        }),
        CommandAction::Times(style) => router::navigate(app, HistoryEntry::Replace, |view| view.times = style),
        CommandAction::Press(id) => {
            focus(id);
            if let Some(button) = document().get_element_by_id(id).and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
                button.click();
            }
        }
        CommandAction::Help => app.help.set(true),
    }
}
