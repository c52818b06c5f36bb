//! The formats in the dialog: what each is, its size, who can read it, and its button.

use super::dialog::{Sharing, State};
use super::making::{Lock, Made, export, page_address};
use crate::browser::{error_text, save_bytes, window};
use crate::dom::{El, el};
use crate::packing::can_encrypt;
use crate::widgets::copy;
use crate::{BUILD, carried};
use js_sys::Promise;
use leptos::prelude::*;
use quipu_model::format::{bytes, count, counted};
use quipu_protocol::address::print_fragment;
use quipu_protocol::address::{Screen, Source, ViewState};
use quipu_protocol::{Contents, FileFormat, ShareWhat, Shared};
use quipu_share::payload::{LINK_LIMITS, length_text};
use quipu_share::{CarriedFile, carrying_page, query_command, spans_sql};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

/// The list of forms.
pub(super) fn forms(sharing: &Sharing, state: &State) -> El {
    let mut list = vec![view_link(sharing)];
    // Nothing is made of data that can't be inspected.
    if !matches!(state.ready.report, Some(Err(_))) {
        list.extend(made_forms(sharing, state));
    }
    let title = el("h3").attr("id", "share-forms").text("As");
    el("section").attr("aria-labelledby", "share-forms").child(title).child(el("ul").class("share-forms").children(list))
}

fn made_forms(sharing: &Sharing, state: &State) -> Vec<El> {
    const DATABASE: &str = "A new telemetry file with the same schema. It opens with Quipu or any SQLite tool.";
    let ready = &state.ready;
    let files = [page(sharing, state), made(sharing, "Trimmed database", DATABASE, &ready.database, false)];
    if state.wanted.what == ShareWhat::All {
        return files.into_iter().chain([other_formats(sharing, state)]).collect();
    }
    let texts = [
        made(sharing, "Markdown", "To paste into an issue, a chat, or a model.", &ready.markdown, true),
        made(sharing, "JSON", "As returned by Llama Stack’s get_trace and get_span_tree.", &ready.json, true),
        other_formats(sharing, state),
        commands(sharing, state),
    ];
    std::iter::once(data_link(sharing, state)).chain(files).chain(texts).collect()
}

fn form(title: &str, about: &str, size: &str, rest: Vec<El>) -> El {
    let head = el("div").child(el("strong").text(title)).child(el("span").class("soft number").text(size));
    el("li").attr("aria-label", title).child(head).child(el("p").class("soft").text(about)).children(rest)
}

fn button(sharing: &Sharing, id: &str, label: &str, press: impl Fn() + 'static) -> El {
    el("button").attr("type", "button").attr("id", id).text(label).on_press(&sharing.build.handlers, move |_| press())
}

/// The address as it is.
fn view_link(sharing: &Sharing) -> El {
    let app = sharing.app;
    let about = "The address of this view. It contains no data: it works for anyone who has the same file.";
    let press = move || copy(app, "The link to this view", window().location().href().unwrap_or_default());
    form("Link to this view", about, "", vec![button(sharing, "share-view", "Copy link to this view", press)])
}

/// A link with the data in it.
fn data_link(sharing: &Sharing, state: &State) -> El {
    let wanted = &state.wanted;
    let limits = std::iter::once((String::new(), "as long as it is".to_owned()))
        .chain(LINK_LIMITS.iter().map(|limit| (limit.letters.to_string(), format!("{}: {}", limit.name, count(limit.letters as u64)))));
    let chosen = wanted.limit.map(|limit| limit.to_string()).unwrap_or_default();
    let mut rest = vec![select("limit", "Fit it to", limits.collect(), &chosen)];
    if can_encrypt() {
        let locks = [("open", "not"), ("passphrase", "with a passphrase"), ("key", "with a key in the link")];
        let chosen = match wanted.lock {
            Lock::Open => "open",
            Lock::Passphrase => "passphrase",
            Lock::Key => "key",
        };
        rest.push(select("lock", "Encrypt it", locks.map(|(value, label)| (value.to_owned(), label.to_owned())).into(), chosen));
        if wanted.lock == Lock::Passphrase {
            let input = el("input").attr("type", "password").attr("id", "share-passphrase").attr("data-share", "passphrase");
            let input = input.attr("value", &wanted.passphrase).attr("autocomplete", "new-password");
            rest.push(el("p").class("share-field").child(el("label").attr("for", "share-passphrase").text("Passphrase")).child(input));
        }
    } else {
        rest.push(el("p").class("soft small-text").text("Browsers encrypt only on pages from HTTPS or from this computer."));
    }
    let mut about =
        "The trace is in the address itself, after #, which browsers send to no server. Anyone with the link can read it.".to_owned();
    if wanted.lock != Lock::Open {
        about = "The trace is in the address itself, encrypted with AES-GCM. ".to_owned()
            + if wanted.lock == Lock::Key {
                "Anyone with the whole link can read it."
            } else {
                "Only those who know the passphrase can read it."
            };
    }
    let address = page_address();
    if address.starts_with("file:") || address.contains("//127.0.0.1") || address.contains("//localhost") {
        about += " It begins with an address of this computer: elsewhere, put what begins with # behind the address of any Quipu.";
    }
    let size = match &state.ready.link {
        None => {
            rest.push(waiting());
            String::new()
        }
        Some(Err(text)) => {
            rest.push(el("p").class("failed").attr("role", "alert").text(text));
            String::new()
        }
        Some(Ok(link)) => {
            if link.left_out.values > 0 {
                let values = counted(Some(link.left_out.values.into()), "value was", "values were");
                rest.push(el("p").text(&format!("{values} left out, {} in all; each says so in its place.", bytes(link.left_out.bytes))));
            }
            rest.push(el("p").attr("role", "status").attr("aria-label", "Length of the link").text(&length_text(link.url.len())));
            let (app, for_press) = (sharing.app, link.clone());
            let press = move || copy(app, "The link with the trace", for_press.url.clone());
            rest.push(button(sharing, "share-link", "Copy link with the trace", press).class("primary"));
            format!("{} letters", count(link.url.len() as u64))
        }
    };
    form("Link that carries the trace", &about, &size, rest)
}

fn select(name: &str, label: &str, options: Vec<(String, String)>, chosen: &str) -> El {
    let id = format!("share-{name}");
    let options = options.into_iter().map(|(value, label)| {
        let option = el("option").attr("value", &value).text(&label);
        if value == chosen { option.attr("selected", "") } else { option }
    });
    let field = el("select").attr("id", &id).attr("data-share", name).children(options.collect());
    el("p").class("share-field").child(el("label").attr("for", &id).text(label)).child(field)
}

fn waiting() -> El {
    el("p").class("soft").attr("role", "status").text("Being made…")
}

/// Something the worker made.
fn made(sharing: &Sharing, title: &'static str, about: &str, made: &Made<Shared>, is_text: bool) -> El {
    let id = |what: &str| format!("share-{what}-{}", title.split(' ').next().unwrap_or_default().to_ascii_lowercase());
    match made {
        None => form(title, about, "", vec![waiting()]),
        Some(Err(text)) => form(title, about, "", vec![el("p").class("failed").attr("role", "alert").text(text)]),
        Some(Ok(shared)) => {
            let (app, for_copy, for_save) = (sharing.app, shared.clone(), shared.clone());
            let mut buttons = Vec::new();
            if is_text {
                let press = move || copy(app, title, String::from_utf8_lossy(&for_copy.bytes).into_owned());
                buttons.push(button(sharing, &id("copy"), &format!("Copy {title}"), press));
            }
            buttons.push(button(
                sharing,
                &id("save"),
                &if is_text { format!("Save {title}") } else { "Save the database".to_owned() },
                move || {
                    let done = save_bytes(&for_save.file_name, &for_save.bytes);
                    say(app, done, &for_save.file_name);
                },
            ));
            form(title, about, &bytes(shared.bytes.len() as u64), buttons)
        }
    }
}

/// Formats of other programs, made on request.
fn other_formats(sharing: &Sharing, state: &State) -> El {
    let about = "For other programs: collectors and backends, Jaeger, Perfetto and speedscope, scripts, spreadsheets.";
    let options = FileFormat::of(Contents::Traces).enumerate().map(|(place, format)| (place.to_string(), format.title().to_owned()));
    let mut rest = vec![select("format", "Format", options.collect(), &state.format.to_string())];
    if let Some(text) = &state.ready.refused {
        rest.push(el("p").class("failed").attr("role", "alert").text(text));
    }
    let for_press = sharing.clone();
    rest.push(button(sharing, "share-export", "Save in this format", move || {
        let (sharing, busy) = (for_press.clone(), for_press.app.idle().begin());
        let (wanted, format) = {
            let state = sharing.state.borrow();
            (state.wanted.clone(), FileFormat::of(Contents::Traces).nth(state.format))
        };
        let Some(format) = format else { return };
        wasm_bindgen_futures::spawn_local(async move {
            let made = export(sharing.app, wanted, format).await;
            if let Ok(shared) = &made {
                say(sharing.app, save_bytes(&shared.file_name, &shared.bytes), &shared.file_name);
            }
            sharing.state.borrow_mut().ready.refused = made.err();
            sharing.draw();
            drop(busy);
        });
    }));
    form("Other formats", about, "", rest)
}

fn say(app: crate::state::App, done: bool, name: &str) {
    app.announce.set(if done { format!("{name} was saved.") } else { "The browser did not allow the page to save a file.".to_owned() });
}

/// One file with the page in it.
fn page(sharing: &Sharing, state: &State) -> El {
    const TITLE: &str = "One HTML file";
    let about = "Quipu and the data in one file. It opens from a disk or an attachment, in any browser, offline.";
    let (Some(Ok(packed)), Some(Ok(database))) = (&state.ready.packed, &state.ready.database) else {
        let failed = [
            state.ready.packed.as_ref().map(|made| made.as_ref().err()),
            state.ready.database.as_ref().map(|made| made.as_ref().err()),
        ];
        let text = failed.into_iter().flatten().flatten().next();
        let part = text.map_or_else(waiting, |text| el("p").class("failed").attr("role", "alert").text(text));
        return form(TITLE, about, "", vec![part]);
    };
    let (app, packed_for_press, database) = (sharing.app, packed.clone(), database.clone());
    let view = sharing.app.view.get_untracked();
    let press = move || {
        let (packed, database, view) = (packed_for_press.clone(), database.clone(), view.clone());
        let busy = app.idle().begin();
        wasm_bindgen_futures::spawn_local(async move {
            match whole_page(&packed, &database, view).await {
                Ok((name, page)) => say(app, save_bytes(&name, page.as_bytes()), &name),
                Err(text) => app.announce.set(text),
            }
            drop(busy);
        });
    };
    let size = format!("2 MB and {} of data", bytes(packed.len() as u64 * 4 / 3));
    form(TITLE, about, &size, vec![button(sharing, "share-page", "Save the HTML file", press)])
}

/// The viewer with the data in it.
async fn whole_page(packed: &Rc<Vec<u8>>, database: &Rc<Shared>, view: ViewState) -> Result<(String, String), String> {
    let viewer = match carried::template() {
        Some(viewer) => viewer,
        None => fetch_viewer().await.map_err(|error| {
            let error = error_text(&error);
            format!("The page’s viewer.html could not be fetched from its server: {error}. Check that it is next to index.html.")
        })?,
    };
    let name = database.file_name.clone();
    let screen = match (&database.trace_id, view.screen) {
        (Some(trace_id), Screen::Trace(mut shown)) => {
            (shown.trace_id, shown.span_id, shown.find) = (trace_id.clone(), database.span_id.clone(), String::new());
            shown.timeline = Default::default();
            Screen::Trace(shown)
        }
        _ => Screen::Traces,
    };
    let source = Some(Source::File { name: name.clone(), size_bytes: Some(database.bytes.len() as u64) });
    let fragment = print_fragment(&ViewState { screen, source, ..ViewState::default() });
    let page = carrying_page(&viewer, CarriedFile { name: &name, gzip: packed }, &fragment).map_err(|error| error.to_string())?;
    Ok((format!("{}.html", name.trim_end_matches(".db")), page))
}

async fn fetch_viewer() -> Result<String, JsValue> {
    let answer: Response = JsFuture::from(window().fetch_with_str(&format!("./viewer.html?v={BUILD}"))).await?.dyn_into()?;
    if !answer.ok() {
        return Err(format!("it answered {} {}", answer.status(), answer.status_text()).into());
    }
    let text: Promise = answer.text()?;
    JsFuture::from(text).await?.as_string().ok_or_else(|| "no text came".into())
}

/// A command for a terminal; it names the file and the trace without redaction.
fn commands(sharing: &Sharing, state: &State) -> El {
    let app = sharing.app;
    let (trace_id, span_ids) = match &state.wanted.what {
        ShareWhat::Traces(ids) => (ids.first().cloned().unwrap_or_default(), Vec::new()),
        ShareWhat::Spans { trace_id, span_ids } => (trace_id.clone(), span_ids.clone()),
        ShareWhat::All => Default::default(),
    };
    let name = app.file.with_untracked(|file| match file {
        crate::state::FileState::Open(summary) => summary.name.clone(),
        _ => String::new(),
    });
    let span_id = state.wanted.span_id.clone().filter(|_| !span_ids.is_empty());
    let (for_query, for_sql) = (query_command(&name, &trace_id, span_id.as_deref()), spans_sql(&trace_id, &span_ids));
    form(
        "Commands",
        "For those who have the same file: ids are as recorded.",
        "",
        vec![
            button(sharing, "share-query", "Copy quipu query", move || copy(app, "The command", for_query.clone())),
            button(sharing, "share-sql", "Copy SQL", move || copy(app, "The SQL", for_sql.clone())),
        ],
    )
}
