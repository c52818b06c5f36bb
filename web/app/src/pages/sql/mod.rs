//! The SQL screen: the editor, the schema, and the result.
//!
//! Not here: SQL (the second worker), and tokens (`quipu_ui::sql`).

mod editor;
mod result;
mod schema;
mod tools;

use crate::browser::focus;
use crate::dom::{El, el, nearest};
use crate::reactive::{effect, effect_with, memo, on_mouse};
use crate::state::{App, Shown};
use crate::widgets::{Build, Built, Nodes};
use editor::{EDITOR, Editor};
use leptos::html::Div;
use leptos::prelude::*;
use quipu_protocol::address::Screen;
use quipu_protocol::markup::Node;
use result::{GRID, result};
use schema::schema;
use std::rc::Rc;

/// The screen.
#[component]
pub(crate) fn SqlPage() -> impl IntoView {
    let app = App::get();
    let sql = app.sql;
    let query = memo(move || {
        app.view.with(|view| match &view.screen {
            Screen::Sql(query) => query.clone(),
            _ => String::new(),
        })
    });
    effect(move || {
        let query = query.get();
        untrack(|| {
            sql.open(app);
            sql.follow(app, &query);
        });
    });
    app.handle_keys(move |_, key| match key {
        "/" => {
            focus(EDITOR);
            true
        }
        "Escape" if sql.is_running() => {
            sql.cancel(app);
            true
        }
        _ => result::press(app, key),
    });
    let bar = NodeRef::<Div>::new();
    effect_with(move |before: Option<()>| {
        if let Some(bar) = bar.get() {
            tools::draw(app, &bar, before.is_none());
        }
    });
    let status = move |_: &Build| {
        vec![match sql.shown() {
            Shown::Running => el("span").text(&format!("Running… {:.1} s", sql.elapsed.get())),
            Shown::Table(ran) => el("span").class(if ran.is_cut { "warned" } else { "" }).text(&ran.summary),
            _ => el("span"),
        }]
    };
    // The clock is shown, but not announced ten times a second.
    let told = move |_: &Build| {
        let told = match sql.shown() {
            Shown::Running => "Running".to_owned(),
            Shown::Table(ran) => ran.summary.clone(),
            _ => String::new(),
        };
        let told = el("span").class("off-screen").attr("role", "status").attr("aria-label", "Answer").text(&told);
        vec![el("h1").class("off-screen").text("SQL"), told]
    };
    let press = move |event: leptos::ev::MouseEvent| {
        if let Some(pressed) = nearest(&event, "[data-do]") {
            tools::press(app, &pressed);
        }
    };
    view! {
        <main class="screen sql-screen" on:click=on_mouse(press)>
            <Built class="sql-side" content=Rc::new(move |_: &Build| schema(app)) />
            <div class="sql-main">
                <Editor />
                <div class="toolbar sql-tools" node_ref=bar></div>
                <Built class="sql-status" content=Rc::new(status) />
                <Built content=Rc::new(told) />
                <Built content=Rc::new(move |build: &Build| below(build, &sql.shown())) />
                {result(app)}
            </div>
        </main>
    }
}

/// The content below the tools, unless it is a table.
fn below(build: &Build, shown: &Shown) -> Vec<El> {
    let state = |text: &str| vec![el("p").class("state").text(text)];
    match shown {
        Shown::Nothing => state(
            "Query the file with SQL. The file is only read. See the examples, and click a name in the schema to insert it. A query may run for a minute \
             and return a million rows.",
        ),
        Shown::Failed(text) => vec![el("p").class("state failed").attr("role", "alert").text(text)],
        Shown::Table(ran) if ran.rows == 0 => state("The query returned no rows."),
        // The editor shows the error.
        Shown::Wrong(..) | Shown::Running | Shown::Table(_) => Vec::new(),
        Shown::Plan(nodes) => vec![plan(build, nodes.clone())],
    }
}

fn plan(build: &Build, nodes: Vec<Node>) -> El {
    let plan = el("div").class("sql-plan").attr("role", "region").attr("aria-label", "Plan").attr("tabindex", "0");
    Nodes(build.clone()).all(plan, nodes)
}

/// Moves the focus to the result.
fn to_result() {
    focus(GRID);
}
