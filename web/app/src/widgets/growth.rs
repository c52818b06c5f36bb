//! The notice that the served file has grown, where the reader decides when to look.

use super::icon::{Icon, IconName};
use crate::actions::served_file;
use crate::reactive::{dynamic, on_mouse};
use crate::state::App;
use leptos::prelude::*;
use quipu_model::format;

/// Says that the file has grown, where the reader decides when to look.
#[component]
pub(crate) fn Growth() -> impl IntoView {
    let app = App::get();
    let notice = dynamic(move || {
        let grown = app.grown.get()?;
        let summary = app.summary()?;
        let text = format::growth_text(&summary.name, summary.spans, grown.spans);
        Some(view! {
            <div class="notice" role="status" aria-label="Growth">
                <Icon name=IconName::Odd />
                <p>{text}</p>
                <button type="button" on:click=on_mouse(move |_| served_file::follow(app))>"Show them"</button>
            </div>
        })
    });
    view! { {notice} }
}
