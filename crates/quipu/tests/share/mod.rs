//! Sharing on real files: redaction, links, Markdown.

mod forms;
mod links;
mod own_layout;
mod redaction;
