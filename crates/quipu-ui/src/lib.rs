//! What the views show, computed without a browser: rows, geometry and messages ([`view`]), tabs and tables as trees of elements
//! ([`render`]), and SQL editing ([`sql`]). Pure: no files, clock or DOM.

pub mod render;
pub mod sql;
pub mod view;
