//! The page's frame: head, notices, the shown screen, and what is everywhere: the file input, dropping, pasting, keys, help.

use crate::growth::{self, Growth};
use crate::metrics::MetricsPage;
use crate::opening::{self, INPUT_ID};
use crate::pages::{OpenPage, SqlPage, TracePage, TracesPage};
use crate::router;
use crate::share::ShareDialog;
use crate::state::{App, FileState};
use crate::widgets::{Commands, Head, Help, ImportBar, Notices};
use leptos::ev;
use leptos::prelude::*;
use quipu_protocol::SetPrices;
use quipu_protocol::address::Place;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement};

/// Which screen is shown.
#[derive(Clone, PartialEq)]
enum Screen {
    Open,
    Opening(String),
    Traces,
    Trace(String),
    Metrics,
    Sql,
}

/// The whole page.
#[component]
pub(crate) fn App() -> impl IntoView {
    let app = App::new();
    provide_context(app);
    if growth::served().is_none() {
        app.client().warm_up();
    }
    router::start(app);
    growth::watch(app);
    crate::keys::listen(app);
    follow_links(app);
    let over = take_drops(app);
    watch(app);
    tell_prices(app);

    Effect::new(move |_| {
        let file = app.file.with(|file| match file {
            FileState::None => None,
            FileState::Opening { name, .. } => Some(name.clone()),
            FileState::Open(summary) => Some(summary.name.clone()),
        });
        document().set_title(&file.map_or("Quipu".into(), |file| format!("{file} · Quipu")));
    });

    let chosen = move |event: ev::Event| {
        let input: HtmlInputElement = event_target(&event);
        let files = input.files().map(opening::listed).unwrap_or_default();
        // So that choosing the same file again is a change, too.
        input.set_value("");
        opening::open_files(app, files, None);
    };
    view! {
        <section aria-label="File to open" class="off-screen">
            <input type="file" id=INPUT_ID multiple aria-label="Open telemetry file" tabindex="-1" on:change=chosen />
        </section>
        <Head />
        <Notices />
        <Growth />
        <Screens />
        <Show when=move || over.get()>
            <div class="drop-veil" aria-hidden="true"><p>"Drop the telemetry file to open it"</p></div>
        </Show>
        <Help />
        <Commands />
        <ShareDialog />
        <p class="off-screen" role="status" aria-live="polite" aria-label="Done">{move || app.said.get()}</p>
    }
}

/// The shown screen.
#[component]
pub(crate) fn Screens() -> impl IntoView {
    let app = App::get();
    let screen = Memo::new(move |_| {
        app.file.with(|file| match file {
            FileState::None => Screen::Open,
            // The list is laid out while the worker opens the file: its rows are what comes first.
            FileState::Opening { fetched: true, .. } if app.view.with(|view| view.place.is_list()) => Screen::Traces,
            FileState::Opening { name, .. } => Screen::Opening(name.clone()),
            FileState::Open(_) => app.view.with(|view| match &view.place {
                Place::Open | Place::Traces => Screen::Traces,
                Place::Trace(view) => Screen::Trace(view.trace_id.clone()),
                Place::Metrics(_) => Screen::Metrics,
                Place::Sql(_) => Screen::Sql,
            }),
        })
    });
    move || match screen.get() {
        Screen::Open => view! { <OpenPage /> }.into_any(),
        Screen::Opening(name) => view! {
            <main class="screen">
                <p class="state" role="status">{format!("Opening {name}…")}</p>
                <ImportBar />
            </main>
        }
        .into_any(),
        Screen::Traces => view! { <TracesPage /> }.into_any(),
        Screen::Metrics => view! { <MetricsPage /> }.into_any(),
        Screen::Sql => view! { <SqlPage /> }.into_any(),
        Screen::Trace(trace_id) => view! { <TracePage trace_id /> }.into_any(),
    }
}

/// Tells the worker what tokens cost, whenever it has another file or the reader changed it; what is shown is then asked for again.
fn tell_prices(app: App) {
    let is_open = Memo::new(move |_| app.file.with(|file| matches!(file, FileState::Open(_))));
    Effect::new(move |before: Option<bool>| {
        app.epoch.track();
        let prices = app.prices.get();
        let (had, has) = (before.unwrap_or_default(), !prices.is_empty());
        if is_open.get() && (has || had) {
            app.ask(SetPrices(prices), move |_| {
                // A list before the index is complete has no sums yet.
                if untrack(|| app.summary()).is_some_and(|summary| summary.indexed) {
                    app.refresh_summary();
                }
            });
        }
        has
    });
}

/// Looks after the worker and the file while somebody looks at the page, and when somebody comes back to it.
fn watch(app: App) {
    let look = move || {
        if !document().hidden() {
            app.check_file();
        }
    };
    let ticking = set_interval_with_handle(
        move || {
            if !document().hidden() && app.client().tick() {
                app.check_file();
            }
        },
        std::time::Duration::from_secs(1),
    );
    let listeners = ["focus", "visibilitychange"].map(|name| window_event_listener_untyped(name, move |_| look()));
    on_cleanup(move || {
        if let Ok(ticking) = ticking {
            ticking.clear();
        }
        listeners.into_iter().for_each(|listener| listener.remove());
    });
}

/// Links of the page change the view at once; the browser would tell of them only later.
fn follow_links(app: App) {
    let listener = window_event_listener(ev::click, move |event| {
        if event.default_prevented() || event.button() != 0 || event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key()
        {
            return;
        }
        let link = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .and_then(|target| target.closest(&format!("a[href^='#v{}/']", quipu_protocol::address::VIEW_VERSION)).ok()?);
        if let Some(fragment) = link.and_then(|link| link.get_attribute("href")) {
            event.prevent_default();
            router::follow(app, &fragment);
        }
    });
    on_cleanup(move || listener.remove());
}

/// A file dropped or pasted anywhere is opened. The signal tells whether one is being dragged over the page.
fn take_drops(app: App) -> RwSignal<bool> {
    let over = RwSignal::new(false);
    let has_files =
        |event: &web_sys::DragEvent| event.data_transfer().is_some_and(|transfer| transfer.types().includes(&"Files".into(), 0));
    let listeners = [
        window_event_listener(ev::dragover, move |event| {
            if has_files(&event) {
                event.prevent_default();
                if !over.get_untracked() {
                    over.set(true);
                }
            }
        }),
        window_event_listener(ev::dragleave, move |event| {
            // Leaving an element for another one inside the page is not leaving the page.
            if event.related_target().is_none() {
                over.set(false);
            }
        }),
        window_event_listener(ev::drop, move |event| {
            over.set(false);
            let files = opening::transferred(event.data_transfer());
            if !files.is_empty() {
                event.prevent_default();
                let handles = opening::ask_for_handles(event.data_transfer());
                opening::open_files(app, files, handles);
            }
        }),
        window_event_listener(ev::paste, move |event| {
            let event: &web_sys::ClipboardEvent = event.as_ref();
            let files = opening::transferred(event.clipboard_data());
            if !files.is_empty() {
                opening::open_files(app, files, None);
            }
        }),
    ];
    on_cleanup(move || listeners.into_iter().for_each(|listener| listener.remove()));
    over
}
