//! Sharing on real files: redaction, links, Markdown.

mod forms;
mod links;
mod redaction;
