//! SQL editing: tokens, completion, history, examples.
//!
//! Running queries is up to the core. Only the tokens are used by the page itself, for colours.

mod complete;
mod examples;
mod history;
mod token;

pub use complete::complete;
pub use examples::examples;
pub use history::{remember, remembered};
pub use token::{SqlToken, TokenKind, is_keyword, quoted_name, tokens};
