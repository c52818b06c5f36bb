//! Rows and geometry ready to draw: pure, so that what would be drawn can be tested without a browser.
//!
//! What is not here: elements, colours and events, which are the page's; reading of data, which is `index` and `store`.

mod axis;
mod format;
mod keys;
#[cfg(test)]
mod palette;
mod scroll;
mod value_tree;
mod waterfall;

pub use axis::{Tick, ticks};
pub use format::{
    DASH, TimeStyle, bytes, count, counted, cut_to_millis, duration, duration_text, failures_text, index_text, offset_text, time,
    token_sentence, zone_sentence,
};
pub use keys::{MoveKey, TreeMove, move_in_list, move_in_tree};
pub use scroll::{ScrollMap, ScrollWindow};
pub use value_tree::{ValueKind, child, child_count, child_label, clip, value_kind, value_preview};
pub use waterfall::{BarLabel, WaterfallRow, WaterfallTree, waterfall_rows};
