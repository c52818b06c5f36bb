//! The schema: tables and views with their columns. A pressed name is inserted into the query.

use crate::dom::{El, el};
use crate::state::App;
use quipu_protocol::SqlTable;

/// The id of the list.
pub(super) const SCHEMA: &str = "sql-schema";

/// The list.
pub(super) fn schema(app: App) -> Vec<El> {
    let list = el("section").attr("id", SCHEMA).attr("aria-label", "Schema");
    let Some(schema) = app.sql.schema() else {
        return vec![list.child(el("p").class("soft").attr("role", "status").text("Reading the schema…"))];
    };
    let parts = [(true, "Views"), (false, "Tables of the file")].into_iter().flat_map(|(temporary, title)| {
        let tables = schema.tables.iter().filter(|table| table.is_temporary == temporary).map(one).collect();
        [el("h2").text(title), el("ul").children(tables)]
    });
    vec![list.children(parts.collect())]
}

fn one(table: &SqlTable) -> El {
    let name = |written: &str, name: &str| {
        let title = format!("Insert {written} into the query");
        el("button")
            .attr("type", "button")
            .class("quiet mono")
            .attr("title", &title)
            .attr("data-do", "put")
            .attr("data-put", written)
            .text(name)
    };
    let about = |tag: &str, text: &str| el(tag).class("soft small-text").text(text);
    let column =
        |column: &quipu_protocol::SqlField| el("li").child(name(&column.written, &column.name)).child(about("span", &column.about));
    let mut inside: Vec<El> = table.columns.iter().map(column).collect();
    inside.extend(table.indexes.iter().map(|index| about("li", &format!("Index on {index}"))));
    let fold = el("details")
        .child(el("summary").attr("aria-label", &format!("Columns of {}", table.name)).text("columns"))
        .child(el("ul").children(inside));
    el("li").child(name(&table.written, &table.name)).child(about("p", &table.about)).child(fold)
}
