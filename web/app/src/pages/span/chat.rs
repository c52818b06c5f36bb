//! Messages that went into a model or came out, as a chat.

use crate::dom::{El, el, fill};
use crate::widgets::{Build, Built, more, text_block};
use leptos::prelude::*;
use quipu::llm::{Message, ToolCall};
use quipu::view::counted;
use std::rc::Rc;
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
    let messages = Arc::new(messages);
    let content = move |build: &Build| {
        let id = format!("chat-{title}");
        let early = messages.len().saturating_sub(LATEST);
        let title = el("h3").attr("id", &id).text(title);
        let is_found = build.needle().is_some_and(|needle| messages.iter().take(early).any(|message| needle.is_in(&message.text)));
        let list = if early == 0 || is_found {
            el("div").children(messages.iter().map(|found| message(build, found)).collect())
        } else {
            let (for_press, of_press) = (build.clone(), messages.clone());
            let button = more(&format!("Show {}", counted(Some(early as u64), "earlier message", "earlier messages")));
            let button = button.on_press(&build.deeds, move |button| {
                if let Some(list) = button.parent_element() {
                    fill(&list, of_press.iter().map(|found| message(&for_press, found)).collect());
                }
            });
            el("div").child(button).children(messages.iter().skip(early).map(|found| message(build, found)).collect())
        };
        vec![el("section").class("chat").attr("aria-labelledby", &id).child(title).child(list)]
    };
    view! { <Built content=Rc::new(content) /> }.into_any()
}

fn message(build: &Build, message: &Message) -> El {
    let about = [message.call_id.as_ref().map(|id| format!("answers call {id}")), message.stop_reason.clone()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ");
    let about = (!about.is_empty()).then(|| el("span").class("soft").text(&format!(" {about}")));
    let text = match (message.text.is_empty(), message.tool_calls.is_empty()) {
        (true, true) => Some(el("p").class("soft").text("(no text)")),
        (true, false) => None,
        (false, _) => Some(text_block(build, Arc::from(message.text.as_str()), 800)),
    };
    el("article")
        .class(&format!("message role-{}", role_class(&message.role)))
        .child(el("p").class("message-role").text(&message.role).maybe(about))
        .maybe(text)
        .children(message.tool_calls.iter().map(|call| tool_call(build, call)).collect())
}

fn tool_call(build: &Build, call: &ToolCall) -> El {
    let id = call.call_id.as_ref().map(|id| el("span").class("soft mono").text(&format!(" {id}")));
    let head = el("p").child(el("span").class("soft").text("calls ")).child(el("strong").text(&call.tool_name)).maybe(id);
    el("div").class("tool-call").child(head).child(text_block(build, Arc::from(call.arguments.as_str()), 600).class("text-block mono"))
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
