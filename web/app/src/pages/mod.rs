//! The screens.

mod failures;
mod file_head;
mod filter_bar;
mod find;
mod hits;
mod list_grid;
mod logs;
mod metrics;
mod minimap;
mod open;
mod open_trace;
mod overlay;
mod overlay_actions;
mod scatter;
mod screens;
mod share;
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

use logs::LogsPage;
use open::OpenPage;
pub(crate) use screens::Screens;
pub(crate) use share::ShareDialog;
use sql::SqlPage;
use trace::TracePage;
use traces::TracesPage;
