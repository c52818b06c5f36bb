//! Sorting for all that is sorted now and then, by one compiled sort for each width of number: a sort of its own for every type and key
//! weighs five kilobytes each in the worker.
//!
//! What is not here: the sorts of the index, which are hot.

use std::cmp::Ordering;

/// What stands beside a number in pairs that ascend by it.
pub fn find_sorted<T>(pairs: &[(u32, T)], number: u32) -> Option<&T> {
    let at = pairs.binary_search_by_key(&number, |(found, _)| *found).ok()?;
    pairs.get(at).map(|(_, value)| value)
}

/// Sorts places; equal ones stay in the order they have.
#[inline(never)]
pub fn sort_places(places: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_by(|one, other| compare(*one, *other));
}

/// Sorts rows; equal ones stay in the order they have.
#[inline(never)]
pub fn sort_rows(rows: &mut [u32], compare: &dyn Fn(u32, u32) -> Ordering) {
    rows.sort_by(|one, other| compare(*one, *other));
}

/// The places of `len` things in the order that `compare` tells of two places; equal ones in the order they have.
pub fn ordered(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..len).collect();
    sort_places(&mut places, compare);
    places
}

/// Sorts anything by a key; equal ones stay in the order they have.
pub fn sort_by_key<T, K: Ord>(things: &mut Vec<T>, key: impl Fn(&T) -> K) {
    sort_by(things, |one, other| key(one).cmp(&key(other)));
}

/// Sorts anything; equal ones stay in the order they have.
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
