//! Sharing traces: redaction ([`redact`]), the data of a link ([`payload`]), Markdown, self-contained HTML, commands to copy.
//!
//! The view state is in `quipu_protocol::address`, compression and encryption are done by the browser, and `quipu` reads the rows.

mod copy;
mod html;
mod markdown;
pub mod payload;
mod prepare;
pub mod redact;

pub use copy::{query_command, shell_quoted, spans_sql};
pub use html::{CarriedFile, HtmlError, carrying_page};
pub use markdown::{MAX_MARKDOWN_FAILURES, MarkdownSource, trace_markdown};
pub use prepare::{Leaving, leaving, leaving_columns, shared_name};
pub use redact::redact;
