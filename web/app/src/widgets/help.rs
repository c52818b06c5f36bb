//! The list of keys.

use super::modal;
use crate::reactive::on_event;
use crate::state::App;
use leptos::html::Dialog;
use leptos::prelude::*;

const KEYS: [(&[&str], &str); 23] = [
    (&["/"], "Filter the traces; in the filter, Enter applies and Esc leaves"),
    (&["j", "↓"], "Next trace or span"),
    (&["k", "↑"], "Previous trace or span"),
    (&["Home", "End", "Page Up", "Page Down"], "Move far"),
    (&["Enter"], "Open the trace; move into the span’s panel"),
    (&["→", "l"], "Expand a span or group, or go to its first child"),
    (&["←", "h"], "Collapse a span or group, or go to its parent"),
    (&["w", "s"], "Zoom the timeline in and out, at the pointer"),
    (&["a", "d"], "Show earlier or later times"),
    (&["f", "0"], "Fit the selected span; show the whole trace"),
    (&["t"], "Go to the span with the longest own time"),
    (&["e"], "Go to the next span where a failure began"),
    (&["i"], "Go to the next inference request"),
    (&["p", "x"], "Hide framework spans; show the critical path"),
    (&["m"], "Measure: press for the start, again for the end, and a third time to stop"),
    (&["z"], "Zoom to the focused box of the flame graph; arrows move between boxes"),
    (&["/", "n", "N"], "Find in the trace; next match, previous match"),
    (&["Esc"], "Back: from the panel to the trace, from the trace to the list"),
    (&["c"], "Copy the selected id, or the value of a cell"),
    (&["Ctrl Enter", "Ctrl Space"], "Run the SQL query; complete it"),
    (&["Tab"], "Next control"),
    (&["Ctrl K"], "All commands, by name"),
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
        <dialog node_ref=dialog class="help" aria-labelledby="help-title" on:close=on_event(move |_| app.help.set(false))>
            <h2 id="help-title">"Keys"</h2>
            <dl>{rows}</dl>
            <form method="dialog"><button class="primary">"Close"</button></form>
        </dialog>
    }
}
