//! The bar at the top: navigation, and the switches of the whole page.

use crate::actions::opening::ask_for_file;
use crate::actions::router::{self, HistoryEntry};
use crate::browser::{keep_setting, load_setting, set_root_attribute};
use crate::carried;
use crate::reactive::{dynamic, effect, memo, on_mouse, when};
use crate::state::{App, FileState};
use crate::widgets::{Choice, Icon, IconName, Segmented};
use leptos::prelude::*;
use quipu_model::format::TimeStyle;
use quipu_protocol::address::Screen;
use quipu_ui::view::{OPEN_BUTTON, SHARE_BUTTON, SQL_LINK, THEME_BUTTON};

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    fn name(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    fn next(self) -> Theme {
        match self {
            Theme::System => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::System,
        }
    }

    fn kept() -> Theme {
        match load_setting("theme").as_deref() {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::System,
        }
    }
}

/// The bar.
#[component]
pub(crate) fn Head() -> impl IntoView {
    let app = App::get();
    let theme = RwSignal::new(Theme::kept());
    effect(move || set_root_attribute("data-theme", theme.get().name()));
    let switch_theme = move |_| {
        theme.update(|theme| *theme = theme.next());
        keep_setting("theme", theme.get_untracked().name());
    };
    let has_file = memo(move || app.file.with(|file| matches!(file, FileState::Open(_))));
    let to_traces = move || router::address(app, |view| view.screen = Screen::Traces);
    let on_traces = move || app.view.with(|view| view.screen == Screen::Traces).then_some("page");
    let to_logs = move || {
        router::address(app, |view| {
            if !matches!(view.screen, Screen::Logs(_)) {
                view.screen = Screen::Logs(app.log_view.get_value());
            }
        })
    };
    let on_logs = move || app.view.with(|view| matches!(view.screen, Screen::Logs(_))).then_some("page");
    let to_metrics = move || {
        router::address(app, |view| {
            if !matches!(view.screen, Screen::Metrics(_)) {
                view.screen = Screen::Metrics(Box::default());
            }
        })
    };
    let on_metrics = move || app.view.with(|view| matches!(view.screen, Screen::Metrics(_))).then_some("page");
    // A self-contained file does not carry the metrics worker.
    let counts = !carried::is_here();
    // Back to the last query.
    let to_sql = move || router::address(app, |view| view.screen = Screen::Sql(app.sql.asked()));
    let on_sql = move || app.view.with(|view| matches!(view.screen, Screen::Sql(_))).then_some("page");
    let times = vec![
        Choice { value: TimeStyle::Utc, label: "UTC", title: "Times in UTC" },
        Choice { value: TimeStyle::Local, label: "Local", title: "Times in this computer’s time zone" },
        Choice { value: TimeStyle::Relative, label: "Relative", title: "Times since the file’s first span, or the trace’s start" },
    ];
    view! {
        <header class="head">
            <span class="brand"><Mark />"Quipu"</span>
            {when(move || has_file.get(), move || view! {
                <nav aria-label="Screens">
                    <a href=to_traces aria-current=on_traces>"Traces"</a>
                    <a href=to_logs aria-current=on_logs>"Logs"</a>
                    {when(move || counts, move || view! {
                        <a href=to_metrics aria-current=on_metrics>"Metrics"</a>
                    })}
                    <a href=to_sql aria-current=on_sql id=SQL_LINK>"SQL"</a>
                </nav>
            })}
            <span class="head-space"></span>
            <Segmented
                label="Times"
                choices=times
                current=Signal::derive(move || app.view.with(|view| view.times))
                choose=move |style| router::navigate(app, HistoryEntry::Replace, |view| view.times = style)
            />
            <button
                type="button"
                class="quiet"
                id=THEME_BUTTON
                title="Colour scheme: system, light, or dark"
                aria-label=move || format!("Theme: {}", theme.get().name())
                on:click=on_mouse(switch_theme)
            >
                <Icon name=IconName::Theme />
                <span class="wide-only">{dynamic(move || theme.get().name())}</span>
            </button>
            <button type="button" class="quiet wide-only" title="All commands (Ctrl K)" on:click=on_mouse(move |_| app.commands.set(true))>"Commands"</button>
            <button type="button" class="quiet" aria-label="Keys" title="Keys (?)" on:click=on_mouse(move |_| app.help.set(true))>"?"</button>
            {when(move || has_file.get(), move || view! {
                <button type="button" class="quiet" id=SHARE_BUTTON aria-label="Share" title="Share a trace, without private data" on:click=on_mouse(move |_| app.sharing.set(true))>
                    <Icon name=IconName::Share />
                    <span class="wide-only">"Share"</span>
                </button>
            })}
            <button type="button" class="primary" id=OPEN_BUTTON aria-label="Open file" on:click=on_mouse(move |_| ask_for_file())>
                <Icon name=IconName::Open />
                <span class="wide-only">"Open file"</span>
            </button>
        </header>
    }
}

/// The logo: knotted cords.
#[component]
fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 32 32" fill="none" stroke-linecap="round" aria-hidden="true">
            <path class="cord-main" d="M3 7.5C9 5 23 5 29 7.5"></path>
            <path class="cord-1" d="M8 6.6C7.4 12 8.4 18 7.4 27"></path>
            <path class="cord-2" d="M16 6C16.4 12 15.6 20 16.2 29"></path>
            <path class="cord-3" d="M24 6.6C24.6 12 23.6 17 24.6 24"></path>
            <g class="knots">
                <circle class="knot-1" cx="7.8" cy="13" r="2.3"></circle>
                <circle class="knot-1" cx="7.7" cy="21" r="2.3"></circle>
                <circle class="knot-2" cx="16.1" cy="12" r="2.3"></circle>
                <circle class="knot-2" cx="15.9" cy="17" r="2.3"></circle>
                <circle class="knot-2" cx="16" cy="25" r="2.3"></circle>
                <circle class="knot-3" cx="24.1" cy="16" r="2.3"></circle>
            </g>
        </svg>
    }
}
