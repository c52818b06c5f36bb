//! Keyboard navigation in lists and in the timeline tree.

use super::waterfall::{WaterfallTree, ancestors, subtree};
use quipu_protocol::TraceColumns;

/// A navigation key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveKey {
    /// To the previous row.
    Up,
    /// To the next row.
    Down,
    /// Collapses, or moves to the parent.
    Left,
    /// Expands, or moves to the first child.
    Right,
    /// To the first row.
    Home,
    /// To the last row.
    End,
    /// Up by one page.
    PageUp,
    /// Down by one page.
    PageDown,
}

impl MoveKey {
    /// Parses the DOM's `KeyboardEvent.key`; `h j k l` move as in vi.
    pub fn from_name(name: &str) -> Option<MoveKey> {
        Some(match name {
            "ArrowUp" | "k" => MoveKey::Up,
            "ArrowDown" | "j" => MoveKey::Down,
            "ArrowLeft" | "h" => MoveKey::Left,
            "ArrowRight" | "l" => MoveKey::Right,
            "Home" => MoveKey::Home,
            "End" => MoveKey::End,
            "PageUp" => MoveKey::PageUp,
            "PageDown" => MoveKey::PageDown,
            _ => return None,
        })
    }
}

/// What a key does in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeMove {
    /// Nothing.
    Stay,
    /// Selects the span in this row.
    Select(u32),
    /// Collapses this row.
    Collapse(u32),
    /// Expands this row.
    Expand(u32),
}

/// The index `key` moves to in a list of `len` entries from `current` (`None`: the key enters the list). `page` is the number of rows in
/// the viewport. `None` if there is nowhere to move.
pub fn move_in_list(len: u64, current: Option<u64>, key: MoveKey, page: u64) -> Option<u64> {
    let last = len.checked_sub(1)?;
    let Some(current) = current else {
        return match key {
            MoveKey::Left | MoveKey::Right => None,
            MoveKey::Up | MoveKey::End => Some(last),
            _ => Some(0),
        };
    };
    let target = match key {
        MoveKey::Up => current.saturating_sub(1),
        MoveKey::Down => current.saturating_add(1),
        MoveKey::Home => 0,
        MoveKey::End => last,
        MoveKey::PageUp => current.saturating_sub(page),
        MoveKey::PageDown => current.saturating_add(page),
        MoveKey::Left | MoveKey::Right => return None,
    };
    Some(target.min(last))
}

/// The effect of `key` in the tree with `selected`.
pub fn move_in_tree(columns: &TraceColumns, tree: &WaterfallTree, selected: Option<u32>, key: MoveKey, page: u64) -> TreeMove {
    let place = selected.and_then(|row| tree.place_of(row));
    if let (Some(row), MoveKey::Left | MoveKey::Right) = (selected, key) {
        let has_children = subtree(columns, row) > 1;
        let open = has_children && !tree.is_collapsed(row);
        return match key {
            MoveKey::Left if open => TreeMove::Collapse(row),
            MoveKey::Left => ancestors(columns, row).next().map_or(TreeMove::Stay, TreeMove::Select),
            _ if open => TreeMove::Select(row + 1),
            _ if has_children => TreeMove::Expand(row),
            _ => TreeMove::Stay,
        };
    }
    move_in_list(tree.visible().into(), place.map(u64::from), key, page)
        .and_then(|place| u32::try_from(place).ok())
        .and_then(|place| tree.row_at(place))
        .map_or(TreeMove::Stay, TreeMove::Select)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::waterfall::tests::turn;

    #[test]
    fn arrows_walk_and_fold_the_tree() {
        let columns = turn();
        let mut tree = WaterfallTree::new(&columns);
        let go = |tree: &WaterfallTree, row, key| move_in_tree(&columns, tree, row, key, 3);
        assert_eq!(go(&tree, None, MoveKey::Down), TreeMove::Select(0));
        assert_eq!(go(&tree, None, MoveKey::Up), TreeMove::Select(6));
        assert_eq!(go(&tree, Some(0), MoveKey::Right), TreeMove::Select(1));
        assert_eq!(go(&tree, Some(1), MoveKey::Left), TreeMove::Collapse(1));
        assert_eq!(go(&tree, Some(3), MoveKey::Left), TreeMove::Select(2));
        assert_eq!(go(&tree, Some(3), MoveKey::Right), TreeMove::Stay);
        assert_eq!(go(&tree, Some(0), MoveKey::PageDown), TreeMove::Select(3));
        tree.set_collapsed(&columns, 1, true);
        assert_eq!(go(&tree, Some(1), MoveKey::Right), TreeMove::Expand(1));
        assert_eq!(go(&tree, Some(1), MoveKey::Down), TreeMove::Select(4));
        assert_eq!(go(&tree, Some(1), MoveKey::Left), TreeMove::Select(0));
        assert_eq!(go(&tree, Some(0), MoveKey::End), TreeMove::Select(6));
    }

    #[test]
    fn a_list_stops_at_its_ends() {
        assert_eq!(move_in_list(0, None, MoveKey::Down, 10), None);
        assert_eq!(move_in_list(5, Some(4), MoveKey::Down, 10), Some(4));
        assert_eq!(move_in_list(5, Some(1), MoveKey::PageUp, 10), Some(0));
        assert_eq!(move_in_list(5, Some(1), MoveKey::Right, 10), None);
        assert_eq!(MoveKey::from_name("j"), Some(MoveKey::Down));
        assert_eq!(MoveKey::from_name("x"), None);
    }
}
