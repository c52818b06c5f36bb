//! A group of buttons of which one is selected.

use crate::dom::{el, fill, nearest};
use crate::reactive::{effect_with, on_mouse};
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// One choice.
#[derive(Clone)]
pub(crate) struct Choice<T> {
    /// Its value.
    pub(crate) value: T,
    /// Its label.
    pub(crate) label: &'static str,
    /// A description, shown on hover.
    pub(crate) title: &'static str,
}

/// The choices.
#[component]
pub(crate) fn Segmented<T>(
    /// The label of the group, for screen readers.
    label: &'static str,
    /// The choices, in order.
    choices: Vec<Choice<T>>,
    /// The selected value.
    #[prop(into)]
    current: Signal<T>,
    /// Called with the pressed one.
    #[prop(into)]
    choose: Callback<T>,
) -> impl IntoView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let words = choices.iter().map(|choice| (choice.label, choice.title)).collect();
    let values: Vec<T> = choices.iter().map(|choice| choice.value).collect();
    let places = values.clone();
    let place = Box::new(move || {
        let current = current.get();
        places.iter().position(|value| *value == current)
    });
    let press = Box::new(move |place: usize| {
        if let Some(value) = values.get(place) {
            choose.run(*value);
        }
    });
    buttons(label, words, place, press)
}

/// The buttons, without the type of their values, so that the code is generated once.
fn buttons(
    label: &'static str,
    words: Vec<(&'static str, &'static str)>,
    place: Box<dyn Fn() -> Option<usize>>,
    press: Box<dyn Fn(usize)>,
) -> AnyView {
    let node = NodeRef::<Div>::new();
    effect_with(move |drawn: Option<bool>| {
        let Some(root) = node.get() else { return false };
        if drawn != Some(true) {
            let button = |(number, (label, title)): (usize, &(&str, &str))| {
                el("button").attr("type", "button").attr("title", title).attr("data-choice", &number.to_string()).text(label)
            };
            fill(&root, words.iter().enumerate().map(button).collect());
        }
        let place = place();
        let buttons = root.children();
        for number in 0..buttons.length() {
            if let Some(button) = buttons.item(number) {
                let _ = button.set_attribute("aria-pressed", if place == Some(number as usize) { "true" } else { "false" });
            }
        }
        true
    });
    let pressed = move |event: leptos::ev::MouseEvent| {
        let number = nearest(event.unchecked_ref(), "[data-choice]").and_then(|button| button.get_attribute("data-choice")?.parse().ok());
        if let Some(number) = number {
            press(number);
        }
    };
    view! { <div class="segmented" role="group" aria-label=label node_ref=node on:click=on_mouse(pressed)></div> }.into_any()
}
