//! Questions in SQL: the editor, what can be asked of, and the result.
//!
//! What is not here: SQL, which a second worker knows; the tokens that are coloured are the core's.

mod editor;
mod menus;
mod result;
mod schema;
mod state;

use crate::browser::focus;
use crate::dom::{El, el};
use crate::state::App;
use crate::widgets::{Build, Built, Nodes};
use editor::{EDITOR, Editor};
use leptos::prelude::*;
use menus::menus;
use quipu::share::Place;
use quipu::sheet::Node;
use quipu::view::{PLAN_BUTTON, RUN_BUTTON};
use result::{GRID, result};
use schema::{SCHEMA, schema};
pub(crate) use state::{Shown, Sql};
use std::rc::Rc;

/// Narrower windows begin without the schema.
const WIDE_PX: f64 = 900.0;

/// The screen.
#[component]
pub(crate) fn SqlPage() -> impl IntoView {
    let app = App::get();
    let sql = app.sql;
    let query = Memo::new(move |_| {
        app.view.with(|view| match &view.place {
            Place::Sql(query) => query.clone(),
            _ => String::new(),
        })
    });
    Effect::new(move |_| {
        let query = query.get();
        untrack(|| {
            sql.open(app);
            sql.follow(app, &query);
        });
    });
    let running = Memo::new(move |_| sql.shown.with(|shown| matches!(shown, Shown::Running)));
    let wide = web_sys::window().and_then(|window| window.inner_width().ok()?.as_f64()).is_none_or(|width| width >= WIDE_PX);
    let with_schema = RwSignal::new(wide);
    app.handle_keys(move |event, key| match key {
        "/" => {
            focus(EDITOR);
            true
        }
        "Escape" if running.get_untracked() => {
            sql.cancel(app);
            true
        }
        _ => result::press(app, event, key),
    });
    let status = move |_: &Build| {
        // The clock is read, and not told of ten times a second.
        vec![match sql.shown.get() {
            Shown::Running => el("span").class("number").text(&format!("Running… {:.1} s", sql.elapsed.get())),
            Shown::Table(ran) => el("span").class(if ran.is_cut { "warned" } else { "number" }).text(&ran.summary),
            Shown::Plan(_) => el("span").text("Plan: how SQLite goes about it"),
            _ => el("span"),
        }]
    };
    let told = move || match sql.shown.get() {
        Shown::Running => "Running".to_owned(),
        Shown::Table(ran) => ran.summary.clone(),
        _ => String::new(),
    };
    let below = move |build: &Build| below(build, &sql.shown.get());
    let has_table = Memo::new(move |_| sql.shown.with(|shown| matches!(shown, Shown::Table(_))));
    view! {
        <main class="screen sql-screen">
            <h1 class="off-screen">"SQL"</h1>
            <section class="sql-side" class:put-away=move || !with_schema.get() id=SCHEMA aria-label="Schema">{schema(app)}</section>
            <div class="sql-main">
                <Editor />
                <div class="toolbar sql-tools" role="group" aria-label="Query">
                    <button
                        type="button"
                        class="primary"
                        id=RUN_BUTTON
                        title="Run the query (Ctrl Enter)"
                        on:click=move |_| sql.run(app)
                    >
                        "Run"
                    </button>
                    <Show when=move || running.get()>
                        <button type="button" title="Cancel (Esc)" on:click=move |_| sql.cancel(app)>"Cancel"</button>
                    </Show>
                    <button type="button" id=PLAN_BUTTON title="How SQLite would go about it" on:click=move |_| sql.plan(app)>"Plan"</button>
                    <button
                        type="button"
                        aria-expanded=move || if with_schema.get() { "true" } else { "false" }
                        aria-controls=SCHEMA
                        on:click=move |_| with_schema.update(|shown| *shown = !*shown)
                    >
                        "Schema"
                    </button>
                    {menus(app, has_table)}
                    <Built class="sql-status" content=Rc::new(status) />
                    <span class="off-screen" role="status" aria-label="Result">{told}</span>
                </div>
                <Built content=Rc::new(below) />
                <Show when=move || has_table.get()>{result(app)}</Show>
            </div>
        </main>
    }
}

/// What stands below the tools where that is no table.
fn below(build: &Build, shown: &Shown) -> Vec<El> {
    let failed = |text: &str| vec![el("p").class("state failed").attr("role", "alert").text(text)];
    match shown {
        Shown::Nothing => vec![el("p").class("state").text(
            "Ask anything of the file in SQL. It is only read: the examples show what can be asked, and a name of the schema goes into the \
             query when it is pressed. A question may take a minute, a million rows and 256 MB of values.",
        )],
        Shown::Failed(text) => failed(text),
        // The editor says what is wrong, and where.
        Shown::Wrong(_) | Shown::Running | Shown::Table(_) => Vec::new(),
        Shown::Plan(nodes) => vec![plan(build, nodes.clone())],
    }
}

fn plan(build: &Build, nodes: Vec<Node>) -> El {
    Nodes(build.clone()).all(el("div").class("sql-plan").attr("role", "region").attr("aria-label", "Plan").attr("tabindex", "0"), nodes)
}

/// Gives the keyboard to the result, once there is one.
fn to_result() {
    focus(GRID);
}
