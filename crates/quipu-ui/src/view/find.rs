//! The rows of a trace that match a search: names are matched immediately, contents when the worker finds them.

use super::rows::RowSet;
use quipu_model::fold::Needle;
use quipu_model::format::count;
use quipu_protocol::TraceColumns;

/// With more distinct names, the worker also matches names.
const MOST_NAMES: usize = 20_000;

/// The set of matching rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches {
    rows: RowSet,
}

impl Matches {
    /// The rows whose name contains `text`, ignoring case; none for an empty text.
    pub fn by_name(columns: &TraceColumns, text: &str) -> Matches {
        let needle = Needle::new(text).filter(|_| columns.names.len() <= MOST_NAMES);
        let named: Vec<bool> = needle.map_or_else(Vec::new, |needle| columns.names.iter().map(|name| needle.is_in(name)).collect());
        Matches { rows: RowSet::of(&columns.name, |name| named.get(*name as usize).is_some_and(|named| *named)) }
    }

    /// Adds rows whose contents match.
    pub fn add(&mut self, rows: impl IntoIterator<Item = u32>) {
        for row in rows {
            self.rows.set(row..row.saturating_add(1), true);
        }
        self.rows.count();
    }

    /// The number of matching rows.
    pub fn len(&self) -> u32 {
        self.rows.total()
    }

    /// Whether no row matches.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `row` matches.
    pub fn has(&self, row: u32) -> bool {
        self.rows.has(row)
    }

    /// The next match after `row` in the given direction; wraps around.
    pub fn step(&self, row: Option<u32>, forward: bool) -> Option<u32> {
        let last = self.len().checked_sub(1)?;
        let number = match (row, forward) {
            (None, true) => 0,
            (None, false) => last,
            (Some(row), true) => self.rows.rank(row.saturating_add(1)),
            (Some(row), false) => self.rows.rank(row).checked_sub(1).unwrap_or(last),
        };
        self.rows.nth(if number > last { 0 } else { number })
    }

    /// The position of `row` among the matches: `3 of 120`, `120` if it is not a match, `none` without matches.
    pub fn sentence(&self, row: Option<u32>) -> String {
        let all = count(self.len().into());
        match row.filter(|row| self.has(*row)) {
            Some(row) => format!("{} of {all}", count(u64::from(self.rows.rank(row)) + 1)),
            None if self.is_empty() => "none".into(),
            None => all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::waterfall::tests::turn;

    #[test]
    fn names_match_whatever_their_case_and_are_stepped_through_in_a_circle() {
        let columns = turn();
        let mut matches = Matches::by_name(&columns, "SHIELD");
        assert_eq!((0..7).filter(|row| matches.has(*row)).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(matches.step(None, true), Some(1));
        assert_eq!(matches.step(Some(1), true), Some(2));
        assert_eq!(matches.step(Some(5), true), Some(1));
        assert_eq!(matches.step(Some(1), false), Some(3));
        assert_eq!(matches.step(Some(0), false), Some(3));
        assert_eq!((matches.sentence(Some(2)), matches.sentence(Some(6))), ("2 of 3".into(), "3".into()));
        matches.add([5, 2, 900]);
        assert_eq!((matches.len(), matches.sentence(Some(5))), (4, "4 of 4".into()));
    }

    #[test]
    fn names_match_as_contents_do() {
        let columns = crate::view::waterfall::tests::trace(&[(0, "Straße", 0, 9, false), (1, "ΟΔΟΣ", 0, 9, false)]);
        let rows = |text: &str| (0..2).filter(|row| Matches::by_name(&columns, text).has(*row)).collect::<Vec<_>>();
        assert_eq!((rows("STRASSE"), rows("οδοσ"), rows("x")), (vec![0], vec![1], vec![]));
    }

    #[test]
    fn nothing_matches_an_empty_text_or_an_unknown_one() {
        for text in ["", "no such name"] {
            let matches = Matches::by_name(&turn(), text);
            assert!(matches.is_empty());
            assert_eq!((matches.step(Some(3), true), matches.sentence(None)), (None, "none".into()));
        }
    }
}
