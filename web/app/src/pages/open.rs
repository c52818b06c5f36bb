//! The screen without a file: how to open one, and that it stays on the reader's computer.

use crate::actions::opening::{self, ask_for_file};
use crate::reactive::{dynamic, on_mouse, on_submit};
use crate::state::App;
use crate::widgets::{Icon, IconName};
use leptos::prelude::*;
use quipu_protocol::address::{Sample, Screen, Source};

/// The screen.
#[component]
pub(crate) fn OpenPage() -> impl IntoView {
    let app = App::get();
    // The address may name a file that the browser can't open without asking.
    let awaited = move || {
        app.view.with(|view| match (&view.source, &view.screen) {
            (Some(Source::File { name, .. }), screen) if *screen != Screen::Open => {
                let place = match screen {
                    Screen::Trace(view) => format!("trace {}", view.trace_id),
                    Screen::Sql(_) => "a question in SQL".into(),
                    Screen::Logs(_) => "the logs".into(),
                    _ => "its traces".into(),
                };
                Some((name.clone(), place))
            }
            _ => None,
        })
    };
    // A click reopens the file that was open before another one failed to open.
    let earlier = move || {
        app.view.with(|view| view.source.as_ref().and_then(|source| app.known_files(source))).map(|(source, files)| {
            let name = match &source {
                Source::File { name, .. } => name.clone(),
                _ => files.first().map(web_sys::File::name).unwrap_or_default(),
            };
            view! {
                <h1>{format!("{name} was closed")}</h1>
                <p>"You can reopen it where you were, or open another file."</p>
                <button type="button" class="primary" on:click=on_mouse(move |_| app.open(source.clone(), files.clone()))>
                    {format!("Go back to {name}")}
                </button>
                " "
                <button type="button" on:click=on_mouse(move |_| ask_for_file())>
                    <Icon name=IconName::Open />
                    "Choose a file"
                </button>
            }
            .into_any()
        })
    };
    // The trace in the address may be encrypted.
    let locked = move || {
        let wrong = app.locked.get()?;
        let Some(Source::Link { letters, key }) = app.view.with(|view| view.source.clone()) else { return None };
        let input = NodeRef::<leptos::html::Input>::new();
        let unlock = move |event: leptos::ev::SubmitEvent| {
            event.prevent_default();
            let words = input.get_untracked().map(|input| input.value()).unwrap_or_default();
            crate::actions::open_link(app, letters.clone(), key.clone(), Some(words));
        };
        Some(
            view! {
                <h1>"The link’s trace is encrypted"</h1>
                <p>"Ask the sender of the link for the passphrase. It never leaves this computer."</p>
                <form class="share-field" on:submit=on_submit(unlock)>
                    <label for="passphrase">"Passphrase"</label>
                    <input type="password" id="passphrase" node_ref=input autocomplete="off" />
                    <button type="submit" class="primary">"Open"</button>
                </form>
                {wrong.map(|text| view! { <p role="alert" class="failed">{text}</p> })}
            }
            .into_any(),
        )
    };
    let invitation = dynamic(move || {
        if let Some(locked) = locked() {
            return locked;
        }
        if let Some(earlier) = earlier() {
            return earlier;
        }
        match awaited() {
        Some((name, place)) => view! {
            <h1>{format!("Open {name} again to return to {place}")}</h1>
            <p>{format!("This link points into a file on your computer. Choose {name} again and you will be back where you were.")}</p>
            <button type="button" class="primary" on:click=on_mouse(move |_| ask_for_file())>
                <Icon name=IconName::Open />
                {format!("Open {name}")}
            </button>
        }
        .into_any(),
        None => view! {
            <h1>"Read the telemetry of a Llama Stack server"</h1>
            <p>
                "Drop a "<code>"telemetry.db"</code>" or "<code>"trace_store.db"</code>" anywhere on this page, paste it, or choose it. "
                "If a "<code>"-journal"</code>" or "<code>"-wal"</code>" file lies next to it, choose both at once."
            </p>
            <p>
                "Also opens OTLP (protobuf, JSON, JSONL), and JSON of Jaeger, Zipkin, Langfuse, Phoenix, Chrome and console exporters, "
                "compressed or not. Open the traces, logs and metrics of one run together."
            </p>
            <button type="button" class="primary" on:click=on_mouse(move |_| ask_for_file())>
                <Icon name=IconName::Open />
                "Choose a file"
            </button>
        }
        .into_any(),
    }
    });
    // A self-contained file has no server to fetch samples from.
    let is_carried = crate::carried::is_here();
    let samples = Sample::ALL
        .map(|sample| view! { <button type="button" on:click=on_mouse(move |_| opening::open_sample(app, sample))>{sample.title()}</button> })
        .collect_view();
    view! {
        <main class="screen open-screen">
            <section class="drop-zone" aria-label="Open">{invitation}</section>
            {(!is_carried).then(|| view! {
                <section aria-labelledby="samples-title">
                    <h2 id="samples-title">"Or look at a sample"</h2>
                    <div class="buttons">{samples}</div>
                </section>
            })}
            <p class="promise">
                "The file never leaves this computer: it is read in place by this tab, and the page’s Content-Security-Policy lets it connect to "
                {if is_carried { "nothing at all." } else { "nothing but the server it came from." }}
            </p>
        </main>
    }
}
