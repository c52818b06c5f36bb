//! Every shape of value that real servers recorded, as a tree and as the chat messages in it.

use super::support::{recorded_files, tree};
use quipu::llm::{Message, messages};
use quipu::recorded::{attributes, decode};
use std::fmt::Write;

fn chat(messages: &[Message]) -> String {
    let mut out = String::new();
    for message in messages {
        write!(out, "{}", message.role).unwrap();
        for (name, value) in [
            ("call", &message.call_id),
            ("tool", &message.tool_name),
            ("stop", &message.stop_reason),
            ("context", &message.context),
        ] {
            if let Some(value) = value {
                write!(out, " [{name} {value}]").unwrap();
            }
        }
        writeln!(out, ": {:?}", message.text).unwrap();
        for call in &message.tool_calls {
            writeln!(out, "  calls {} {} {}", call.call_id.as_deref().unwrap_or("–"), call.tool_name, call.arguments).unwrap();
        }
    }
    out
}

#[test]
fn values_of_every_shape_are_decoded() {
    for (name, text) in recorded_files("") {
        let decoded = decode(&text);
        let chat = chat(&messages(&decoded.value));
        let chat = if chat.is_empty() { "no chat".to_owned() } else { chat };
        insta::with_settings!({ snapshot_suffix => name, omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("value", format!("{}\n{chat}", tree(&decoded)));
        });
    }
}

#[test]
fn attributes_of_every_release_keep_order_and_types() {
    let mut out = String::new();
    for (name, text) in recorded_files("attributes") {
        writeln!(out, "== {name}").unwrap();
        for attribute in attributes(text.as_bytes()).unwrap() {
            let kind = if attribute.is_string { "string" } else { "literal" };
            let first_line = tree(&attribute.decoded()).lines().next().unwrap().to_owned();
            writeln!(out, "{} ({kind}, {} bytes) {first_line}", attribute.key, attribute.text.len()).unwrap();
        }
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("attributes", out);
    });
}
