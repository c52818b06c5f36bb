//! The keys of an address as data: each part of the view state lists its own, with how their values are written and read.
//!
//! A new key is one entry in the list of its view. What is not here: which lists an address is composed of (`url`).

use super::percent::decode;
use std::fmt::Display;
use std::str::FromStr;

/// A key of the address, for a part `V` of the view state.
pub(super) struct Key<V> {
    name: &'static str,
    write: Write<V>,
    read: fn(&mut V, &str) -> bool,
    /// Whether `read` takes the value as it stands in the address, percent-encoded.
    is_raw: bool,
}

enum Write<V> {
    One(fn(&V) -> Option<String>),
    Many(fn(&V) -> Vec<String>),
}

impl<V> Key<V> {
    /// `write` returns the value as the address has it, percent-encoded; `None` for the default. `read` takes the decoded value and returns
    /// `false` where it means nothing, after which nothing has changed.
    pub(super) const fn new(name: &'static str, write: fn(&V) -> Option<String>, read: fn(&mut V, &str) -> bool) -> Key<V> {
        Key { name, write: Write::One(write), read, is_raw: false }
    }

    /// A key that can stand several times.
    pub(super) const fn repeated(name: &'static str, write: fn(&V) -> Vec<String>, read: fn(&mut V, &str) -> bool) -> Key<V> {
        Key { name, write: Write::Many(write), read, is_raw: false }
    }

    /// A key whose value `read` decodes itself.
    pub(super) const fn raw(name: &'static str, write: fn(&V) -> Option<String>, read: fn(&mut V, &str) -> bool) -> Key<V> {
        Key { name, write: Write::One(write), read, is_raw: true }
    }
}

/// Adds what `view` writes under its keys, in their order.
pub(super) fn write<V>(keys: &[Key<V>], view: &V, parts: &mut Vec<(&'static str, String)>) {
    for key in keys {
        match key.write {
            Write::One(write) => parts.extend(write(view).map(|value| (key.name, value))),
            Write::Many(write) => parts.extend(write(view).into_iter().map(|value| (key.name, value))),
        }
    }
}

/// Reads one `key=value`, the value percent-encoded. `None` where the key is not among `keys`; `Some(false)` where the value means nothing.
pub(super) fn read<V>(keys: &[Key<V>], view: &mut V, key: &str, value: &str) -> Option<bool> {
    let known = keys.iter().find(|known| known.name == key)?;
    if known.is_raw {
        return Some((known.read)(view, value));
    }
    Some(decode(value).is_some_and(|value| (known.read)(view, &value)))
}

/// Sets what was understood; `false` where nothing was.
pub(super) fn set<T>(slot: &mut T, found: Option<T>) -> bool {
    let is_understood = found.is_some();
    if let Some(found) = found {
        *slot = found;
    }
    is_understood
}

/// A range as every view writes it: `FROM~TO`. A hyphen would be ambiguous, since numbers can be negative.
pub fn range<T: Display>((from, to): (T, T)) -> String {
    format!("{from}~{to}")
}

/// The ends of a range, in whatever order.
pub(super) fn read_range<T: FromStr>(text: &str) -> Option<(T, T)> {
    let (from, to) = text.split_once('~')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

/// The names of keys, for a test that none of a screen stands twice.
#[cfg(test)]
pub(super) fn names<V>(keys: &[Key<V>]) -> impl Iterator<Item = &'static str> {
    keys.iter().map(|key| key.name)
}
