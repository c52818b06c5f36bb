//! Warnings about a file or a trace, each with its meaning.

use crate::reactive::{dynamic, on_mouse, when};
use crate::widgets::{Icon, IconName};
use leptos::prelude::*;
use quipu_model::format::counted;
use quipu_protocol::Warning;

/// Warnings shown at first; the others behind a button.
const FIRST: usize = 2;

/// The warnings. Empty when there are none.
#[component]
pub(crate) fn Warnings(
    /// The name of the list, for screen readers and tests.
    label: &'static str,
    /// The warnings, in order.
    #[prop(into)]
    warnings: Signal<Vec<Warning>>,
    /// Whether each stays on one line until the reader asks for more.
    #[prop(optional)]
    compact: bool,
) -> impl IntoView {
    let all = RwSignal::new(false);
    let first = if compact { 1 } else { FIRST };
    let items = dynamic(move || {
        let warnings = warnings.get();
        let shown = if all.get() { warnings.len() } else { first };
        warnings
            .into_iter()
            .take(shown)
            .map(|warning| view! { <li><Icon name=IconName::Odd /><div><strong>{warning.text}</strong>" "<span>{warning.meaning}</span></div></li> })
            .collect_view()
    });
    let hidden = move || warnings.with(Vec::len).saturating_sub(first);
    let toggle = dynamic(move || {
        (hidden() > 0 || compact).then(|| {
            let label = move || if all.get() { "Fold".into() } else if hidden() == 0 { "Unfold".into() } else { format!("Show {}", counted(Some(hidden() as u64), "more warning", "more warnings")) };
            view! {
                <button type="button" class="more" aria-expanded=move || if all.get() { "true" } else { "false" } on:click=on_mouse(move |_| all.update(|all| *all = !*all))>
                    {label}
                </button>
            }
        })
    });
    view! {
        {when(move || warnings.with(|warnings| !warnings.is_empty()), move || view! {
            <div class="warnings" class:one-line=move || compact && !all.get() role="status" aria-label=label>
                <ul>{items.clone()}</ul>
                {toggle.clone()}
            </div>
        })}
    }
}
