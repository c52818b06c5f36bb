//! A query as a text: its tokens, how it may go on, examples; and results as texts and cells.
//!
//! What is not here: asking SQLite (`store`). Only the tokens are for the page, which knows no more of SQL than their colours.

mod complete;
mod examples;
mod history;
mod token;

pub use complete::complete;
pub use examples::examples;
pub use history::{remember, remembered};
pub use token::{SqlToken, TokenKind, is_keyword, quoted_name, tokens};
