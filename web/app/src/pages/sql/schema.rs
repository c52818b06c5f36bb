//! What can be asked of: tables and views with their columns. A name that is pressed goes into the query.

use super::editor::insert;
use crate::dom::{El, el};
use crate::state::App;
use crate::widgets::{Build, Built};
use leptos::prelude::*;
use quipu::protocol::SqlTable;
use std::rc::Rc;

/// The id of the list.
pub(super) const SCHEMA: &str = "sql-schema";

/// The list.
pub(super) fn schema(app: App) -> impl IntoView {
    let content = move |build: &Build| match app.sql.schema.get() {
        None => vec![el("p").class("soft").attr("role", "status").text("Reading the schema…")],
        Some(schema) => [(true, "Views for questions"), (false, "Tables of the file")]
            .into_iter()
            .flat_map(|(temporary, title)| {
                let tables = schema.tables.iter().filter(move |table| table.is_temporary == temporary);
                let list = el("ul").children(tables.map(|table| one(build, table)).collect());
                [el("h2").text(title), list]
            })
            .collect(),
    };
    view! { <Built content=Rc::new(content) /> }
}

fn one(build: &Build, table: &SqlTable) -> El {
    let app = build.app;
    let name = |written: &str, name: &str, title: &str| {
        let put = written.to_owned();
        el("button")
            .attr("type", "button")
            .class("quiet mono")
            .attr("title", title)
            .text(name)
            .on_press(&build.deeds, move |_| insert(app, &put))
    };
    let column = |column: &quipu::protocol::SqlField| {
        let title = format!("Put {} into the query", column.written);
        el("li").child(name(&column.written, &column.name, &title)).child(el("span").class("soft small-text").text(&column.about))
    };
    let mut inside: Vec<El> = table.columns.iter().map(column).collect();
    inside.extend(table.indexes.iter().map(|index| el("li").class("soft small-text").text(&format!("Index on {index}"))));
    let fold = el("details")
        .child(el("summary").attr("aria-label", &format!("Columns of {}", table.name)).text("columns"))
        .child(el("ul").children(inside));
    el("li")
        .child(name(&table.written, &table.name, &format!("Put {} into the query", table.written)))
        .child(el("p").class("soft small-text").text(&table.about))
        .child(fold)
}
