//! Prepares traces for sharing: redaction ([`redact`](mod@redact)), the payload of a link ([`payload`]), Markdown, a self-contained HTML page,
//! and commands that find the same data again.
//!
//! Not here: the state of the view in a link (`quipu_protocol::address`), encryption, which is the caller's, and reading the rows
//! that are shared (`quipu`).

mod copy;
mod html;
mod markdown;
pub mod payload;
pub mod redact;

pub use copy::{query_command, shared_name, shell_quoted, spans_sql};
pub use html::{CarriedFile, HtmlError, carrying_page};
pub use markdown::{MAX_MARKDOWN_FAILURES, MarkdownSource, trace_markdown};
pub use redact::{Redactor, redact};

/// Runs the example of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
