//! Maps a scroll position to rows, for lists far taller than an element may be.
//!
//! Browsers limit an element's height (Chromium about 33, Firefox about 18 million pixels). Up to [`ScrollMap::MAX_HEIGHT_PX`] the mapping
//! is exact; for longer lists, the scroll position is scaled to the whole list.

use quipu_model::number::truncated;
use std::ops::Range;

/// A list of rows of equal height in a viewport.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScrollMap {
    rows: u64,
    row_px: f64,
    viewport_px: f64,
}

/// The rows to draw at a scroll position.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScrollWindow {
    /// Index of the first row to draw.
    pub first: u64,
    /// Number of rows to draw.
    pub count: u64,
    /// Position of the first row's top in the scrolled element, in pixels.
    pub top_px: f64,
}

impl ScrollWindow {
    /// The rows to draw, as lists number them: in 32 bits.
    pub fn rows(&self) -> Range<u32> {
        let place = |row: u64| u32::try_from(row).unwrap_or(u32::MAX);
        place(self.first)..place(self.first.saturating_add(self.count))
    }
}

impl ScrollMap {
    /// Maximum height of the scrolled element in pixels.
    pub const MAX_HEIGHT_PX: f64 = 8_000_000.0;
    /// Rows drawn beyond each edge, so that fast scrolling shows no gaps.
    const OVERSCAN: u64 = 6;

    /// A list of `rows` rows of `row_px` pixels in a viewport of `viewport_px` pixels.
    pub fn new(rows: u64, row_px: f64, viewport_px: f64) -> ScrollMap {
        ScrollMap { rows, row_px: row_px.max(1.0), viewport_px: viewport_px.max(0.0) }
    }

    /// Height of the scrolled element in pixels.
    pub fn height_px(&self) -> f64 {
        self.list_px().min(Self::MAX_HEIGHT_PX)
    }

    /// Number of whole rows in the viewport, at least one, for PageUp and PageDown.
    pub fn page_rows(&self) -> u64 {
        truncated::<u64>(self.viewport_px / self.row_px).max(1)
    }

    /// The rows to draw when the element is scrolled to `scroll_top`.
    pub fn window(&self, scroll_top: f64) -> ScrollWindow {
        if self.rows == 0 {
            return ScrollWindow::default();
        }
        let scroll_top = scroll_top.clamp(0.0, self.scroll_range());
        let list_top = self.list_top(scroll_top);
        let first_seen = truncated::<u64>(list_top / self.row_px);
        let first = first_seen.saturating_sub(Self::OVERSCAN);
        let seen = truncated::<u64>((self.viewport_px / self.row_px).ceil()) + 1;
        let end = first_seen.saturating_add(seen + Self::OVERSCAN).min(self.rows);
        // Relative to the top of the list, so that rounding errors of large floats stay below a pixel.
        let top_px = scroll_top + (first as f64 * self.row_px - list_top);
        ScrollWindow { first, count: end.saturating_sub(first), top_px }
    }

    /// The scroll position that makes `row` visible with the least movement; `None` if it is visible.
    pub fn reveal(&self, row: u64, scroll_top: f64) -> Option<f64> {
        let list_top = self.list_top(scroll_top.clamp(0.0, self.scroll_range()));
        let row_top = row.min(self.rows.saturating_sub(1)) as f64 * self.row_px;
        let wanted = if row_top < list_top {
            row_top
        } else if row_top + self.row_px > list_top + self.viewport_px {
            row_top + self.row_px - self.viewport_px
        } else {
            return None;
        };
        Some(self.scroll_top(wanted))
    }

    fn list_px(&self) -> f64 {
        self.rows as f64 * self.row_px
    }

    fn scroll_range(&self) -> f64 {
        (self.height_px() - self.viewport_px).max(0.0)
    }

    /// Pixels of the list above the viewport.
    fn list_top(&self, scroll_top: f64) -> f64 {
        let range = self.scroll_range();
        if self.list_px() <= Self::MAX_HEIGHT_PX || range == 0.0 {
            return scroll_top;
        }
        scroll_top / range * (self.list_px() - self.viewport_px)
    }

    fn scroll_top(&self, list_top: f64) -> f64 {
        let list_range = self.list_px() - self.viewport_px;
        if self.list_px() <= Self::MAX_HEIGHT_PX || list_range <= 0.0 {
            return list_top.clamp(0.0, self.scroll_range());
        }
        (list_top / list_range * self.scroll_range()).clamp(0.0, self.scroll_range())
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_list_is_drawn_whole_at_its_place() {
        let map = ScrollMap::new(5, 28.0, 600.0);
        assert_eq!(map.height_px(), 140.0);
        assert_eq!(map.window(0.0), ScrollWindow { first: 0, count: 5, top_px: 0.0 });
        assert_eq!(map.reveal(4, 0.0), None);
    }

    #[test]
    fn below_the_cap_every_pixel_is_a_pixel() {
        let map = ScrollMap::new(100_000, 28.0, 600.0);
        assert_eq!(map.height_px(), 2_800_000.0);
        let window = map.window(28_014.0);
        assert_eq!(window, ScrollWindow { first: 994, count: 35, top_px: 994.0 * 28.0 });
    }

    #[test]
    fn an_empty_list_draws_nothing() {
        assert_eq!(ScrollMap::new(0, 28.0, 600.0).window(100.0), ScrollWindow::default());
    }

    proptest! {
        #[test]
        fn both_ends_of_any_list_can_be_reached(rows in 1_u64..50_000_000, viewport in 30.0_f64..3_000.0) {
            let map = ScrollMap::new(rows, 28.0, viewport);
            prop_assert_eq!(map.window(0.0).first, 0);
            let end = map.window(f64::INFINITY);
            prop_assert_eq!(end.first + end.count, rows);
            prop_assert!(end.count <= (viewport / 28.0) as u64 + 2 + 2 * ScrollMap::OVERSCAN);
        }

        #[test]
        fn a_revealed_row_is_drawn_inside_the_viewport(rows in 1_u64..50_000_000, part in 0.0_f64..1.0, from in 0.0_f64..1.0) {
            let map = ScrollMap::new(rows, 28.0, 560.0);
            let row = ((rows - 1) as f64 * part) as u64;
            let start = from * map.height_px();
            let scroll_top = map.reveal(row, start).unwrap_or(start.min(map.scroll_range()));
            let window = map.window(scroll_top);
            prop_assert!(window.first <= row && row < window.first + window.count);
            let top = window.top_px + (row - window.first) as f64 * 28.0 - scroll_top;
            prop_assert!((-0.5..=560.0 - 28.0 + 0.5).contains(&top), "row top at {}", top);
        }
    }
}
