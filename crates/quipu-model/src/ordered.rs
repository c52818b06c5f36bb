//! Stable sorting and binary search for code that is not hot. Each integer width has one compiled sort; a generic sort would add five
//! kilobytes to the worker for every type and key.
//!
//! Not here: the index's own sorts, which are hot.

use std::cmp::Ordering;

/// Binary search in `(key, value)` pairs sorted by key.
pub fn find_sorted<T>(pairs: &[(u32, T)], number: u32) -> Option<&T> {
    let at = pairs.binary_search_by_key(&number, |(found, _)| *found).ok()?;
    pairs.get(at).map(|(_, value)| value)
}

/// Sorts indices. Stable.
#[inline(never)]
pub fn sort_places(places: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_by(|one, other| compare(*one, *other));
}

/// Sorts row numbers. Stable.
#[inline(never)]
pub fn sort_rows(rows: &mut [u32], compare: &dyn Fn(u32, u32) -> Ordering) {
    rows.sort_by(|one, other| compare(*one, *other));
}

/// Sorts row numbers, ascending.
pub fn sort_numbers(rows: &mut [u32]) {
    sort_rows(rows, &|one, other| one.cmp(&other));
}

/// The indices `0..len`, sorted by a comparison of two indices. Stable.
pub fn ordered(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..len).collect();
    sort_places(&mut places, compare);
    places
}

/// Sorts by a key. Stable.
pub fn sort_by_key<T, K: Ord>(things: &mut Vec<T>, key: impl Fn(&T) -> K) {
    sort_by(things, |one, other| key(one).cmp(&key(other)));
}

/// Sorts by a comparison. Stable.
pub fn sort_by<T>(things: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let order = {
        let things = things.as_slice();
        ordered(things.len(), &|one, other| match (things.get(one), things.get(other)) {
            (Some(one), Some(other)) => compare(one, other),
            _ => Ordering::Equal,
        })
    };
    let mut taken: Vec<Option<T>> = things.drain(..).map(Some).collect();
    things.extend(order.into_iter().filter_map(|at| taken.get_mut(at).and_then(Option::take)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_as_the_standard_library_does(things in prop::collection::vec((0_u8..9, any::<u16>()), 0..60)) {
            let (mut ours, mut theirs) = (things.clone(), things);
            sort_by_key(&mut ours, |thing| thing.0);
            theirs.sort_by_key(|thing| thing.0);
            prop_assert_eq!(ours, theirs);
        }
    }
}
