//! Lists below buttons: examples, the last queries, and the ways a result leaves.

use super::state::{Shown, Sql};
use crate::browser::{copy_text, error_text, save_blob};
use crate::dom::{El, el, nearest};
use crate::state::App;
use crate::widgets::{Build, Built};
use js_sys::{Array, Promise};
use leptos::prelude::*;
use quipu::protocol::{SqlFormat, SqlRequest, SqlResponse};
use quipu::view::{bytes, clip};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// Bytes that are copied at most; a file takes any number.
const MOST_COPIED: f64 = 32e6;
/// Letters of a query in the list of the last ones.
const HEAD: usize = 90;

/// The buttons and their lists.
pub(super) fn menus(app: App, has_table: Memo<bool>) -> impl IntoView {
    let sql = app.sql;
    let content = move |build: &Build| {
        let mut found = Vec::new();
        let run = move |query: String| {
            move |_: &web_sys::Element| {
                sql.write(query.clone());
                sql.run(app);
            }
        };
        if let Some(schema) = sql.schema.get() {
            let items = schema.examples.iter().map(|example| (example.title.clone(), example.query.clone()));
            let items = items.map(|(title, query)| el("button").attr("title", &query).text(&title).on_press(&build.deeds, run(query)));
            found.extend(menu("sql-examples", "Examples", items.collect()));
        }
        // A query that was run is in the list from then on.
        sql.shown.track();
        let known = Sql::history();
        if !known.is_empty() {
            let line =
                |query: &String| clip(query, HEAD).map_or_else(|| query.replace('\n', " "), |head| format!("{}…", head.replace('\n', " ")));
            let mut items: Vec<El> = known
                .iter()
                .map(|query| el("button").class("mono").attr("title", query).text(&line(query)).on_press(&build.deeds, run(query.clone())))
                .collect();
            items.push(el("button").text("Forget these queries").on_press(&build.deeds, move |_| {
                Sql::forget_history();
                sql.shown.update(|_| {});
            }));
            found.extend(menu("sql-history", "History", items));
        }
        if has_table.get() {
            let mut items = Vec::new();
            for save in [false, true] {
                for format in SqlFormat::ALL {
                    let label = format!("{} as {}", if save { "Save" } else { "Copy" }, format.names().0);
                    items.push(el("button").text(&label).on_press(&build.deeds, move |_| export(app, format, save)));
                }
            }
            found.extend(menu("sql-export", "Copy, save", items));
        }
        found
    };
    let press = move |event: leptos::ev::MouseEvent| {
        if let (Some(button), Some(id)) = (
            nearest(&event, "[popovertarget]"),
            nearest(&event, "[popovertarget]").and_then(|button| button.get_attribute("popovertarget")),
        ) && let Some(menu) = document().get_element_by_id(&id)
        {
            let place = button.get_bounding_client_rect();
            let _ =
                menu.set_attribute("style", &format!("top:{}px;left:min({}px, calc(100vw - 340px))", place.bottom() + 2.0, place.left()));
        }
    };
    view! { <div class="sql-menus" on:click=press><Built content=Rc::new(content) /></div> }
}

/// A button and the list below it; an item that is pressed closes it.
fn menu(id: &str, label: &str, items: Vec<El>) -> Vec<El> {
    let item = |button: El| el("li").child(button.attr("type", "button").attr("popovertarget", id).attr("popovertargetaction", "hide"));
    vec![
        el("button").attr("type", "button").attr("popovertarget", id).text(label).text(" ▾"),
        el("ul")
            .class("menu sql-menu")
            .attr("id", id)
            .attr("popover", "auto")
            .attr("aria-label", label)
            .children(items.into_iter().map(item).collect()),
    ]
}

/// The whole result in a format, to the clipboard or into a file.
fn export(app: App, format: SqlFormat, save: bool) {
    app.said.set(format!("Writing the result as {}…", format.names().0));
    next_piece(app, format, save, Array::new(), 0);
}

fn next_piece(app: App, format: SqlFormat, save: bool, pieces: Array, from: u32) {
    app.sql.ask(app, SqlRequest::Export { format, from }, move |answer| match answer {
        Ok(SqlResponse::Text { text, next }) => {
            // The browser keeps what is in a blob, on its disk where it is much.
            if let Ok(blob) = Blob::new_with_str_sequence(&Array::of1(&text.into())) {
                pieces.push(&blob);
            }
            match next {
                Some(next) => next_piece(app, format, save, pieces, next),
                None => hand_out(app, format, save, &pieces),
            }
        }
        Ok(_) => app.said.set("The worker answered something else than was asked; reload the page.".into()),
        Err(failure) => app.said.set(failure.message),
    });
}

fn hand_out(app: App, format: SqlFormat, save: bool, pieces: &Array) {
    let (title, ending) = format.names();
    let Ok(whole) = Blob::new_with_blob_sequence(pieces) else { return };
    if !matches!(app.sql.shown.get_untracked(), Shown::Table(_)) {
        return;
    }
    if save {
        let name = format!("result.{ending}");
        return app.said.set(match save_blob(&name, &whole) {
            true => format!("{name} was saved."),
            false => "The browser did not allow the page to save a file.".into(),
        });
    }
    if whole.size() > MOST_COPIED {
        return app
            .said
            .set(format!("The result is {} as {title}, which is too much to copy; save it instead.", bytes(whole.size() as u64)));
    }
    wasm_bindgen_futures::spawn_local(async move {
        let text = JsFuture::from(read_text(&whole)).await;
        app.said.set(match text {
            Ok(text) if copy_text(text.as_string().unwrap_or_default()).await => format!("The result was copied as {title}."),
            Ok(_) => "The result could not be copied: the browser did not allow it. Save it instead.".into(),
            Err(error) => format!("The result could not be copied: {}.", error_text(&error)),
        });
    });
}

fn read_text(blob: &Blob) -> Promise {
    blob.text().unchecked_into()
}
