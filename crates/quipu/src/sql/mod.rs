//! Presents the results of a user's SQL as cells, values and text.
//!
//! Not here: running SQL (`quipu-store`), and the text of a query in the editor (`quipu_ui::sql`).

mod shown;

pub use quipu_store::sql_text;
pub use quipu_ui::sql::{SqlToken, TokenKind, complete, examples, is_keyword, quoted_name, remember, remembered, tokens};
pub(crate) use shown::{cell, described, plan, ran, whole_value};
