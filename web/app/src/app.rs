//! The frame of the page: head, notices, the current screen, and everything global: the file input, drop, paste, keys, help.

use crate::actions::opening::INPUT_ID;
use crate::actions::{opening, router, served_file};
use crate::pages::{Screens, ShareDialog};
use crate::reactive::{dynamic, effect, effect_with, memo, on_event, when};
use crate::state::{App, FileState};
use crate::widgets::{Commands, Growth, Head, Help, Notices};
use crate::{client, keys, prewarm};
use leptos::ev;
use leptos::prelude::*;
use quipu_protocol::SetPrices;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement};

/// The whole page.
#[component]
pub(crate) fn App() -> impl IntoView {
    let app = App::start(prewarm::prewarm);
    provide_context(app);
    if client::served().is_none() {
        app.client().warm_up();
    }
    router::start(app);
    served_file::watch(app);
    keys::listen(app);
    follow_links(app);
    let over = take_drops(app);
    watch(app);
    tell_prices(app);

    effect(move || {
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
        // Choosing the same file again has to be a change, too.
        input.set_value("");
        opening::open_files(app, files, None);
    };
    view! {
        <section aria-label="File to open" class="off-screen">
            <input type="file" id=INPUT_ID multiple aria-label="Open telemetry file" tabindex="-1" on:change=on_event(chosen) />
        </section>
        <Head />
        <Notices />
        <Growth />
        <Screens />
        {when(move || over.get(), move || view! {
            <div class="drop-veil" aria-hidden="true"><p>"Drop the telemetry file to open it"</p></div>
        })}
        <Help />
        <Commands />
        <ShareDialog />
        <p class="off-screen" role="status" aria-live="polite" aria-label="Done">{dynamic(move || app.announce.get())}</p>
    }
}

/// Sends the prices to the worker when it has another file or the reader changed them, and requests what is shown again.
fn tell_prices(app: App) {
    let is_open = memo(move || app.file.with(|file| matches!(file, FileState::Open(_))));
    effect_with(move |before: Option<bool>| {
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

/// Checks the worker and the file while the page is visible, and when the reader returns to it.
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

/// Links of the page change the view at once; the browser's event comes later.
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

/// Opens a file that is dropped or pasted anywhere. The signal is set while one is dragged over the page.
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
            // Moving between elements is not leaving the page.
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
