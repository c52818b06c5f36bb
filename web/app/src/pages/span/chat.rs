//! Messages that went into a model or came out, as a chat.

use crate::widgets::{Marking, TextBlock};
use leptos::prelude::*;
use quipu::llm::Message;
use quipu::view::counted;
use std::sync::Arc;

/// Messages shown at first; earlier ones behind a button, because the latest tell what happened.
const LATEST: usize = 6;

/// The messages under a title; nothing where there are none.
#[component]
pub(super) fn Chat(
    /// `Input` or `Output`.
    title: &'static str,
    /// In order.
    messages: Vec<Message>,
) -> impl IntoView {
    if messages.is_empty() {
        return ().into_any();
    }
    let id = format!("chat-{title}");
    let early = messages.len().saturating_sub(LATEST);
    let holds = |needle: quipu::fold::Needle| messages.iter().take(early).any(|message| needle.is_in(&message.text));
    let all = RwSignal::new(Marking::needle().is_some_and(holds));
    let messages = Arc::new(messages);
    let shown = {
        let messages = messages.clone();
        move || {
            let skipped = if all.get() { 0 } else { early };
            messages.iter().skip(skipped).map(message).collect_view()
        }
    };
    let earlier = move || {
        (early > 0 && !all.get()).then(|| {
            let label = format!("Show {}", counted(Some(early as u64), "earlier message", "earlier messages"));
            view! { <button type="button" class="more" on:click=move |_| all.set(true)>{label}</button> }
        })
    };
    view! {
        <section class="chat" aria-labelledby=id.clone()>
            <h3 id=id.clone()>{title}</h3>
            {earlier}
            {shown}
        </section>
    }
    .into_any()
}

fn message(message: &Message) -> impl IntoView + use<> {
    let calls = message
        .tool_calls
        .iter()
        .map(|call| {
            view! {
                <div class="tool-call">
                    <p><span class="soft">"calls "</span><strong>{call.tool_name.clone()}</strong>{call.call_id.clone().map(|id| view! { <span class="soft mono">{format!(" {id}")}</span> })}</p>
                    <TextBlock text=Arc::from(call.arguments.as_str()) head=600 mono=true />
                </div>
            }
        })
        .collect_view();
    let about = [message.call_id.as_ref().map(|id| format!("answers call {id}")), message.stop_reason.clone()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ");
    let text = (!message.text.is_empty()).then(|| view! { <TextBlock text=Arc::from(message.text.as_str()) head=800 /> });
    let nothing = (message.text.is_empty() && message.tool_calls.is_empty()).then(|| view! { <p class="soft">"(no text)"</p> });
    view! {
        <article class=format!("message role-{}", role_class(&message.role))>
            <p class="message-role">{message.role.clone()}<span class="soft">{(!about.is_empty()).then(|| format!(" {about}"))}</span></p>
            {text}
            {nothing}
            {calls}
        </article>
    }
}

/// Roles that have a look of their own; a recorded role may be any text.
fn role_class(role: &str) -> &'static str {
    match role {
        "system" => "system",
        "user" => "user",
        "assistant" => "assistant",
        "tool" => "tool",
        _ => "other",
    }
}
