//! Rows and geometry: pure functions, so that what is drawn can be tested without a browser.
//!
//! Elements, colours and events are up to the page; data comes from the core.

mod axis;
mod bar_marks;
mod chart;
mod commands;
mod compare;
mod density;
mod failures;
mod filter_bar;
mod find;
mod flame;
mod jump;
mod keys;
mod list_cells;
mod logs;
mod markdown;
mod marking;
#[cfg(test)]
mod palette;
mod progress;
mod rows;
mod scatter;
mod scroll;
mod statistics;
mod times;
mod value_tree;
mod waterfall;
mod zoom;

pub use axis::{Tick, axis_time, tick_distance, ticks};
pub use bar_marks::{Dot, PathRows, dots};
pub use chart::{NOT_NAMED, series_name};
pub use chart::{PROMQL_EXAMPLES, answer_chart, moved_window, requests_chart, tokens_chart};
pub use commands::{CommandAction, OPEN_BUTTON, PLAN_BUTTON, RUN_BUTTON, SHARE_BUTTON, SQL_LINK, THEME_BUTTON, ViewCommand, commands};
pub use compare::{Change, Comparison, compare};
pub use density::{Minimap, MinimapRun, STRIP_HEIGHT, STRIP_WIDTH, StripPath, blocks, minimap, minimap_paths, minimap_runs, strip};
pub use failures::{FailureChain, chain_text, failure_chains, failure_origins, outline_text};
pub use filter_bar::{REMEMBERED, add_terms, bare_word, byte_of_unit, put_in, quoted, remember, unit_of_byte};
pub use find::Matches;
pub use flame::{FlameBox, FlameGraph, FlameOrder, FlameSpans, FlameWindow, SMALL, box_part, flame_graph, least_of};
pub use jump::{Jump, own_nanos};
pub use keys::{MoveKey, TreeMove, move_in_list, move_in_tree};
pub use list_cells::{cell_text, group_text};
pub use logs::{LogPage, LogQuery, LogRow};
pub use markdown::{Block, Inline, markdown};
pub use marking::{found_text, path_to_match, pieces, place_text};
pub use progress::{import_text, index_text, search_text, totals_text};
pub use scatter::{
    Brush, BrushSide, MarkSize, ScatterPaths, duration_ticks, mark_at, mark_text, scatter, scatter_paths, scatter_text, time_ticks,
};
pub use scroll::{ScrollMap, ScrollWindow};
pub use statistics::nearest_rank;
pub use statistics::{NameStatistics, Spans, Usage, name_statistics, sort_statistics};
pub use times::{Times, critical_path, self_times};
pub use value_tree::{ValueKind, child, child_count, child_label, clip, value_kind, value_preview};
pub use waterfall::{Bar, BarLabel, WaterfallRow, WaterfallTree, bar, span_time, subtree_ids, waterfall_rows};
pub use zoom::{BarPlace, Grip, Side, TimeWindow, ZoomKey, drag, grip, place_bar};
