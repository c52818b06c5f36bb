//! A query as a text: its tokens, how it may go on, examples; and results as texts and cells.
//!
//! What is not here: asking SQLite (`store`). Only the tokens are for the page, which knows no more of SQL than their colours.

mod complete;
mod examples;
#[cfg(feature = "store")]
mod format;
mod history;
#[cfg(feature = "store")]
mod shown;
mod token;

pub use complete::complete;
pub use examples::examples;
#[cfg(feature = "store")]
pub use format::sql_text;
pub use history::{remember, remembered};
#[cfg(feature = "store")]
pub(crate) use shown::{cell, described, plan, ran, value};
pub use token::{SqlToken, TokenKind, is_keyword, quoted_name, tokens};
