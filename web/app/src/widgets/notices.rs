//! Notices above the screen: what is wrong, with a button that helps; parts of the address that could not be read.

use crate::actions::opening::reopen;
use crate::reactive::{dynamic, on_mouse};
use crate::state::{Alert, App, Remedy};
use crate::widgets::{Icon, IconName};
use leptos::prelude::*;

/// The notices.
#[component]
pub(crate) fn Notices() -> impl IntoView {
    let app = App::get();
    let act = move |remedy: Remedy| match remedy {
        Remedy::Dismiss => app.alert.set(None),
        Remedy::Restart => app.restart(),
        Remedy::Reload => drop(window().location().reload()),
    };
    // Stays until the file is opened again, whatever else happens.
    let stale = dynamic(move || {
        app.stale.get().map(|text| {
            view! {
                <div class="notice notice-failed">
                    <Icon name=IconName::Failed />
                    <p role="alert">{text}</p>
                    <button type="button" on:click=on_mouse(move |_| reopen(app))>"Open it again"</button>
                </div>
            }
        })
    });
    let alert = dynamic(move || {
        app.alert.get().map(|Alert { text, remedy }| {
            let button = match remedy {
                Remedy::Dismiss => "Close",
                Remedy::Restart => "Restart",
                Remedy::Reload => "Reload",
            };
            view! {
                <div class="notice notice-failed">
                    <Icon name=IconName::Failed />
                    <p role="alert">{text}</p>
                    <button type="button" on:click=on_mouse(move |_| act(remedy))>{button}</button>
                </div>
            }
        })
    });
    let notes = dynamic(move || {
        let notes = app.notes.get();
        (!notes.is_empty()).then(|| {
            view! {
                <div class="notice" role="status" aria-label="Address">
                    <Icon name=IconName::Odd />
                    <div>{notes.into_iter().map(|note| view! { <p>{note}</p> }).collect_view()}</div>
                    <button type="button" on:click=on_mouse(move |_| app.notes.update(Vec::clear))>"Close"</button>
                </div>
            }
        })
    });
    view! { {stale} {alert} {notes} }
}
