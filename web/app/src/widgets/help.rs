//! The list of keys.

use super::modal;
use crate::state::App;
use leptos::html::Dialog;
use leptos::prelude::*;

const KEYS: [(&[&str], &str); 23] = [
    (&["/"], "Filter the traces; in the filter Enter applies, Esc leaves"),
    (&["j", "↓"], "Next trace or span"),
    (&["k", "↑"], "Previous trace or span"),
    (&["Home", "End", "Page Up", "Page Down"], "Move far"),
    (&["Enter"], "Open the trace; go into the span’s panel"),
    (&["→", "l"], "Expand a span or group, or go to its first child"),
    (&["←", "h"], "Collapse a span or group, or go to its parent"),
    (&["w", "s"], "Zoom the timeline in and out, at the pointer"),
    (&["a", "d"], "Show earlier or later times"),
    (&["f", "0"], "Fit the selected span; show the whole trace"),
    (&["t"], "Go to the span that itself took longest"),
    (&["e"], "Go to the next span in which a failure began"),
    (&["i"], "Go to the next inference request"),
    (&["p", "x"], "Hide framework spans; mark the critical path"),
    (&["m"], "Measure: from the pointer or the selected span, to the next such place; a third time ends it"),
    (&["z"], "Zoom to the focused box of the flame graph; arrows go from box to box"),
    (&["/", "n", "N"], "Find in the trace; next match, previous match"),
    (&["Esc"], "Back: from the panel to the trace, from the trace to the list"),
    (&["c"], "Copy the selected id, or the value of a cell"),
    (&["Ctrl Enter", "Ctrl Space"], "Run the query in SQL; complete it"),
    (&["Tab"], "Next control"),
    (&["Ctrl K"], "Everything that can be done here, by name"),
    (&["?"], "This list"),
];

/// A dialog that is shown while `app.help` is set.
#[component]
pub(crate) fn Help() -> impl IntoView {
    let app = App::get();
    let dialog = NodeRef::<Dialog>::new();
    modal::follow(dialog, app.help, || {});
    let rows = KEYS
        .map(|(keys, meaning)| {
            let keys = keys.iter().map(|key| view! { <kbd>{*key}</kbd>" " }).collect_view();
            view! { <dt>{keys}</dt><dd>{meaning}</dd> }
        })
        .collect_view();
    view! {
        <dialog node_ref=dialog class="help" aria-labelledby="help-title" on:close=move |_| app.help.set(false)>
            <h2 id="help-title">"Keys"</h2>
            <dl>{rows}</dl>
            <form method="dialog"><button class="primary">"Close"</button></form>
        </dialog>
    }
}
