//! The dependency graph: violations of the floors, cycles, and floors that would fit.

use super::data::Section;
use std::collections::{BTreeMap, BTreeSet};

/// A dependency of `from` on `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) from: String,
    pub(super) to: String,
    /// Its location as `file:line`.
    pub(super) at: String,
}

/// Names and their dependencies, without those on themselves.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) names: BTreeSet<String>,
    pub(super) arrows: Vec<Arrow>,
}

impl Graph {
    pub(super) fn add(&mut self, from: &str, to: &str, at: String) {
        if from != to {
            self.arrows.push(Arrow { from: from.to_owned(), to: to.to_owned(), at });
        }
    }

    /// The distinct dependencies by name.
    pub(super) fn pairs(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut pairs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for arrow in &self.arrows {
            pairs.entry(&arrow.from).or_default().insert(&arrow.to);
        }
        pairs
    }

    /// The violations of the floors of `section`, as sentences.
    pub(super) fn faults(&self, section: &Section) -> Vec<String> {
        let floors = section.numbers();
        let name = &section.name;
        let mut faults = Vec::new();
        faults.extend(
            self.names
                .iter()
                .filter(|known| !floors.contains_key(known.as_str()))
                .map(|missing| format!("floors.txt: [{name}] does not list {missing}.")),
        );
        faults.extend(
            floors
                .keys()
                .filter(|listed| !self.names.contains(**listed))
                .map(|gone| format!("floors.txt: [{name}] lists {gone}, which is not there.")),
        );
        for Arrow { from, to, at } in &self.arrows {
            let (Some(high), Some(low)) = (floors.get(from.as_str()), floors.get(to.as_str())) else { continue };
            if low > high {
                faults.push(format!("{at}: {from} (floor {high}) uses {to} (floor {low}), which is above it in [{name}]."));
            } else if low == high {
                faults.push(format!("{at}: {from} uses {to}, and both are on floor {high} of [{name}]."));
            }
        }
        faults
    }

    /// Groups of two or more names that all depend on each other.
    pub(super) fn cycles(&self) -> Vec<BTreeSet<&str>> {
        let pairs = self.pairs();
        let reached: BTreeMap<&str, BTreeSet<&str>> = self.names.iter().map(|name| (name.as_str(), reach(name, &pairs))).collect();
        let mut cycles: Vec<BTreeSet<&str>> = Vec::new();
        for (name, there) in &reached {
            let cycle: BTreeSet<&str> =
                there.iter().copied().filter(|other| reached.get(other).is_some_and(|back| back.contains(name))).collect();
            if cycle.len() > 1 && !cycles.contains(&cycle) {
                cycles.push(cycle);
            }
        }
        cycles
    }

    /// Floors that fit, from the highest; the members of a cycle share a floor.
    pub(super) fn floors(&self) -> Vec<BTreeSet<&str>> {
        let (pairs, cycles) = (self.pairs(), self.cycles());
        let of_cycle = |name: &str| cycles.iter().find(|cycle| cycle.contains(name));
        let mut heights: BTreeMap<&str, usize> = self.names.iter().map(|name| (name.as_str(), 1)).collect();
        // Heights grow by at least one per round and are bounded by the number of names.
        for _ in 0..self.names.len() {
            for (from, to) in &pairs {
                let cycle = of_cycle(from);
                let above = to.iter().filter(|to| cycle.is_none_or(|cycle| !cycle.contains(*to)));
                let height = above.filter_map(|to| heights.get(to)).max().map_or(1, |height| height + 1);
                let members: Vec<&str> = cycle.map_or(vec![*from], |cycle| cycle.iter().copied().collect());
                for member in members {
                    heights.entry(member).and_modify(|known| *known = height.max(*known));
                }
            }
        }
        let top = heights.values().copied().max().unwrap_or_default();
        (1..=top).rev().map(|floor| heights.iter().filter(|(_, height)| **height == floor).map(|(name, _)| *name).collect()).collect()
    }
}

/// All names reachable from `from`, including itself if it is in a cycle.
fn reach<'g>(from: &'g str, pairs: &BTreeMap<&'g str, BTreeSet<&'g str>>) -> BTreeSet<&'g str> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(name) = open.pop() {
        for next in pairs.get(name).into_iter().flatten() {
            if reached.insert(*next) {
                open.push(next);
            }
        }
    }
    reached
}
