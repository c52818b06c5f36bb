//! A few choices of which one holds, as buttons side by side.

use leptos::prelude::*;

/// One choice.
#[derive(Clone)]
pub(crate) struct Choice<T> {
    /// What it stands for.
    pub(crate) value: T,
    /// What it says.
    pub(crate) label: &'static str,
    /// More about it, shown on hover.
    pub(crate) title: &'static str,
}

/// The choices.
#[component]
pub(crate) fn Segmented<T>(
    /// What is chosen, for screen readers.
    label: &'static str,
    /// The choices, in order.
    choices: Vec<Choice<T>>,
    /// Which one holds.
    #[prop(into)]
    current: Signal<T>,
    /// Called with the one that was pressed.
    #[prop(into)]
    choose: Callback<T>,
) -> impl IntoView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let buttons = choices
        .into_iter()
        .map(|Choice { value, label, title }| {
            view! {
                <button
                    type="button"
                    title=title
                    aria-pressed=move || if current.get() == value { "true" } else { "false" }
                    on:click=move |_| choose.run(value)
                >
                    {label}
                </button>
            }
        })
        .collect_view();
    view! { <div class="segmented" role="group" aria-label=label>{buttons}</div> }
}
