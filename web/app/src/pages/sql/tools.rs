//! The buttons below the editor, and their menus: examples, the last queries, export formats. The action of a button is in its `data-do`.

use super::editor::{EDITOR, insert};
use super::schema::SCHEMA;
use crate::browser::{copy_text, error_text, focus, on_next_frame, save_blob, window};
use crate::dom::{El, el, fill};
use crate::state::App;
use crate::state::Sql;
use js_sys::{Array, Promise};
use leptos::prelude::*;
use quipu_model::format::bytes;
use quipu_model::number::truncated;
use quipu_protocol::{Contents, ExportSql, FileFormat, SqlText};
use quipu_ui::view::{PLAN_BUTTON, RUN_BUTTON, clip};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Element};

/// Bytes copied at most; saving has no limit.
const MOST_COPIED: f64 = 32e6;
/// Characters shown of a query in the list of the last ones.
const HEAD: usize = 90;
/// Narrower windows begin without the schema.
const WIDE_PX: f64 = 900.0;

const CANCEL: &str = "sql-cancel";
const EXAMPLES: &str = "sql-examples";
const HISTORY: &str = "sql-history";
const EXPORT: &str = "sql-export";

/// Creates the buttons at the `first` call, and shows those that apply now.
pub(super) fn draw(app: App, bar: &Element, first: bool) {
    let sql = app.sql;
    let schema = sql.schema();
    if first {
        let wide = window().inner_width().ok().and_then(|width| width.as_f64()).is_none_or(|width| width >= WIDE_PX);
        let button = |id: &str, label: &str, what: &str, title: &str| {
            el("button").attr("type", "button").attr("id", id).attr("data-do", what).attr("title", title).text(label)
        };
        let mut tools = vec![
            button(RUN_BUTTON, "Run", "run", "Run the query (Ctrl Enter)").class("primary"),
            button(CANCEL, "Cancel", "cancel", "Cancel (Esc)"),
            button(PLAN_BUTTON, "Plan", "plan", "Show SQLite’s query plan"),
            button("sql-side", "Schema", "schema", "Tables, views and their columns")
                .attr("aria-expanded", "true")
                .attr("aria-controls", SCHEMA),
        ];
        for (id, label) in [(EXAMPLES, "Examples ▾"), (HISTORY, "History ▾"), (EXPORT, "Copy, save ▾")] {
            tools.push(el("button").attr("type", "button").attr("popovertarget", id).attr("data-do", "menu").text(label));
            tools.push(
                el("ul").class("menu sql-menu").attr("id", id).attr("popover", "auto").attr("aria-label", label.trim_end_matches(" ▾")),
            );
        }
        fill(bar, tools);
        if !wide {
            show_schema(false);
        }
        let forms = [false, true].into_iter().flat_map(|save| {
            FileFormat::of(Contents::SqlResult).enumerate().map(move |(at, format)| {
                let (what, label) = if save { ("save", "Save") } else { ("copy", "Copy") };
                item(EXPORT, what, at, &format!("{label} as {}", format.title()))
            })
        });
        list(EXPORT, forms.collect());
    }
    let examples = schema.iter().flat_map(|schema| &schema.examples).enumerate();
    list(EXAMPLES, examples.map(|(at, example)| item(EXAMPLES, "example", at, &example.title).attr("title", &example.query)).collect());
    let known = Sql::history();
    let line = |query: &String| {
        let head = clip(query, HEAD).map_or_else(|| query.clone(), |head| format!("{head}…"));
        head.replace('\n', " ")
    };
    let mut queries: Vec<El> =
        known.iter().enumerate().map(|(at, query)| item(HISTORY, "again", at, &line(query)).class("mono").attr("title", query)).collect();
    queries.push(item(HISTORY, "forget", 0, "Forget these queries"));
    list(HISTORY, queries);
    show(&format!("#{CANCEL}"), sql.is_running());
    show(&format!("[popovertarget={HISTORY}]"), !known.is_empty());
    show(&format!("[popovertarget={EXPORT}]"), sql.table().is_some());
}

/// An item of a menu, which closes the menu.
fn item(menu: &str, what: &str, at: usize, label: &str) -> El {
    let button = el("button").attr("type", "button").attr("data-do", what).attr("data-at", &at.to_string());
    button.attr("popovertarget", menu).attr("popovertargetaction", "hide").text(label)
}

fn list(id: &str, items: Vec<El>) {
    if let Some(list) = document().get_element_by_id(id) {
        fill(&list, items.into_iter().map(|item| el("li").child(item)).collect());
    }
}

fn show(selector: &str, shown: bool) {
    if let Ok(Some(element)) = document().query_selector(selector) {
        let _ = element.toggle_attribute_with_force("hidden", !shown);
    }
}

fn show_schema(shown: bool) {
    show(".sql-side", shown);
    if let Some(button) = document().get_element_by_id("sql-side") {
        let _ = button.set_attribute("aria-expanded", if shown { "true" } else { "false" });
    }
}

/// Runs the action of a button.
pub(super) fn press(app: App, pressed: &Element) {
    let sql = app.sql;
    let text = |name: &str| pressed.get_attribute(name).unwrap_or_default();
    let at: usize = text("data-at").parse().unwrap_or(0);
    let ask = |query: Option<String>| {
        if let Some(query) = query {
            sql.write(query);
            sql.run(app);
            // The button of the menu is recreated.
            on_next_frame(|| focus(EDITOR));
        }
    };
    match text("data-do").as_str() {
        "run" => sql.run(app),
        "cancel" => sql.cancel(app),
        "plan" => sql.plan(app),
        "put" => insert(app, &text("data-put")),
        "schema" => show_schema(text("aria-expanded") == "false"),
        "menu" => place_menu(pressed),
        "example" => ask(sql.with(|kept| Some(kept.schema.as_ref()?.examples.get(at)?.query.clone()))),
        "again" => ask(Sql::history().into_iter().nth(at)),
        "forget" => {
            Sql::forget_history();
            sql.tell();
        }
        what => {
            if let Some(format) = FileFormat::of(Contents::SqlResult).nth(at) {
                export(app, format, what == "save", Array::new(), 0);
            }
        }
    }
}

/// Opens the menu below its button.
fn place_menu(button: &Element) {
    let menu = button.get_attribute("popovertarget").and_then(|id| document().get_element_by_id(&id));
    if let Some(menu) = menu {
        let place = button.get_bounding_client_rect();
        let (top, left) = (place.bottom() + 2.0, place.left());
        let style = format!("top:{top}px;left:max(4px, min({left}px, calc(100vw - 330px)));max-height:calc(100vh - {top}px - 8px)");
        let _ = menu.set_attribute("style", &style);
    }
}

/// Copies or saves the full result in a format, one piece at a time.
fn export(app: App, format: FileFormat, save: bool, pieces: Array, from: u32) {
    app.sql.ask(app, ExportSql { format, from }, move |answer| match answer {
        Ok(SqlText { text, next }) => {
            // The browser stores blobs, on disk if they are large.
            if let Ok(blob) = Blob::new_with_str_sequence(&Array::of1(&text.into())) {
                pieces.push(&blob);
            }
            match next {
                Some(next) => export(app, format, save, pieces, next),
                None => hand_out(app, format, save, &pieces),
            }
        }
        Err(failure) => app.announce.set(failure.message),
    });
}

fn hand_out(app: App, format: FileFormat, save: bool, pieces: &Array) {
    let (title, ending) = (format.title(), format.extension());
    let Ok(whole) = Blob::new_with_blob_sequence(pieces) else { return };
    if save {
        let name = format!("result.{ending}");
        return app.announce.set(match save_blob(&name, &whole) {
            true => format!("{name} was saved."),
            false => "The browser did not allow the page to save a file.".into(),
        });
    }
    if whole.size() > MOST_COPIED {
        return app
            .announce
            .set(format!("The result is {} as {title}, too large to copy. Save it instead.", bytes(truncated(whole.size()))));
    }
    wasm_bindgen_futures::spawn_local(async move {
        let text = JsFuture::from(whole.text().unchecked_into::<Promise>()).await;
        app.announce.set(match text {
            Ok(text) if copy_text(text.as_string().unwrap_or_default()).await => format!("The result was copied as {title}."),
            Ok(_) => "The result could not be copied: the browser did not allow it. Save it instead.".into(),
            Err(error) => format!("The result could not be copied: {}.", error_text(&error)),
        });
    });
}
