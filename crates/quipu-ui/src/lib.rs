//! What the views show, ready to draw and without a browser: rows, geometry and sentences ([`view`]), tabs and tables as trees of elements
//! ([`render`]), and what the SQL editor needs ([`sql`]). Pure: no file, clock or DOM.

pub mod render;
pub mod sql;
pub mod view;
