//! The input and output messages of a model, as a chat.

use crate::dom::{El, el, fill};
use crate::widgets::{Build, more, text_block};
use quipu_model::format::{counted, role_class};
use quipu_model::llm::{Message, ToolCall};
use quipu_protocol::SpanDetail;
use std::sync::Arc;

/// Messages shown at first. Earlier ones are behind a button, because the latest ones matter most.
const LATEST: usize = 6;

/// The input and output messages.
pub(super) fn chats(build: &Build, detail: &Arc<SpanDetail>) -> Vec<El> {
    let input = chat(build, "Input", detail, |detail| &detail.input_messages);
    input.into_iter().chain(chat(build, "Output", detail, |detail| &detail.output_messages)).collect()
}

/// The messages under a title. `None` when there are none.
fn chat(build: &Build, title: &str, detail: &Arc<SpanDetail>, of: fn(&SpanDetail) -> &[Message]) -> Option<El> {
    let messages = of(detail);
    if messages.is_empty() {
        return None;
    }
    let id = format!("chat-{title}");
    let early = messages.len().saturating_sub(LATEST);
    let is_found = build.needle().is_some_and(|needle| messages.iter().take(early).any(|message| needle.is_in(&message.text)));
    let skipped = if is_found { 0 } else { early };
    let mut list = el("div");
    if skipped > 0 {
        let (for_press, detail) = (build.clone(), detail.clone());
        let button = more(&format!("Show {}", counted(Some(early as u64), "earlier message", "earlier messages")));
        list = list.child(button.on_press(&build.handlers, move |button| {
            if let Some(list) = button.parent_element() {
                fill(&list, of(&detail).iter().map(|found| message(&for_press, found)).collect());
            }
        }));
    }
    list = list.children(messages.iter().skip(skipped).map(|found| message(build, found)).collect());
    Some(el("section").class("chat").attr("aria-labelledby", &id).child(el("h3").attr("id", &id).text(title)).child(list))
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
        .maybe(message.reasoning.as_ref().map(|text| {
            el("details").child(el("summary").class("soft").text("Reasoning")).child(text_block(build, Arc::from(text.as_str()), 800))
        }))
        .maybe(text)
        .children(message.images.iter().filter_map(|image| picture(image)).collect())
        .children(message.tool_calls.iter().map(|call| tool_call(build, call)).collect())
}

/// An image of a message, given as a data URL.
fn picture(image: &str) -> Option<El> {
    let shown = el("img").class("message-image").attr("alt", "An image in the message");
    image.starts_with("data:image/").then(|| shown.attr("src", image))
}

fn tool_call(build: &Build, call: &ToolCall) -> El {
    let id = call.call_id.as_ref().map(|id| el("span").class("soft mono").text(&format!(" {id}")));
    let head = el("p").child(el("span").class("soft").text("calls ")).child(el("strong").text(&call.tool_name)).maybe(id);
    el("div").class("tool-call").child(head).child(text_block(build, Arc::from(call.arguments.as_str()), 600).class("text-block mono"))
}
