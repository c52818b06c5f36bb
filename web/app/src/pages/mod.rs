//! The screens.

mod failures;
mod file_head;
mod filter_bar;
mod find;
mod hits;
mod list_grid;
mod minimap;
mod open;
mod open_trace;
mod overlay;
mod paged_list;
mod scatter;
mod sheet;
mod span;
mod sql;
mod tabs;
mod timeline;
mod timeline_row;
mod timeline_tools;
mod trace;
mod trace_grid;
mod traces;

pub(crate) use open::OpenPage;
pub(crate) use paged_list::{Listed, PagedList};
pub(crate) use scatter::CHART;
pub(crate) use sql::{Sql, SqlPage};
pub(crate) use trace::TracePage;
pub(crate) use trace_grid::{COLUMNS, kept_columns};
pub(crate) use traces::TracesPage;
