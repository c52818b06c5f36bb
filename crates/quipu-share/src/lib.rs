//! Handing a trace on: without what is private ([`redact`](mod@redact)), as the bytes of a link ([`payload`]), as Markdown, as a self-contained page, as
//! commands.
//!
//! What is not here: the view that goes with it (`quipu_protocol::address`), compression and encryption, which are the browser's, and
//! reading the rows that are shared (`quipu`).

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
