//! The keys of the URL as data: each part of the view state lists its keys, with functions that write and read their values.
//!
//! A new key is one entry in the list of its view. `url` combines the lists.

use super::percent::decode;
use std::fmt::Display;
use std::str::FromStr;

/// A URL parameter for a part `V` of the view state.
pub(super) struct Key<V> {
    name: &'static str,
    write: Write<V>,
    read: fn(&mut V, &str) -> bool,
    /// Whether `read` gets the percent-encoded value.
    is_raw: bool,
}

enum Write<V> {
    One(fn(&V) -> Option<String>),
    Many(fn(&V) -> Vec<String>),
}

impl<V> Key<V> {
    /// `write` returns the percent-encoded value; `None` for the default. `read` gets the decoded value and returns `false` if it is
    /// invalid, without changing the view.
    pub(super) const fn new(name: &'static str, write: fn(&V) -> Option<String>, read: fn(&mut V, &str) -> bool) -> Key<V> {
        Key { name, write: Write::One(write), read, is_raw: false }
    }

    /// A key that can be repeated.
    pub(super) const fn repeated(name: &'static str, write: fn(&V) -> Vec<String>, read: fn(&mut V, &str) -> bool) -> Key<V> {
        Key { name, write: Write::Many(write), read, is_raw: false }
    }

    /// A key whose `read` does the percent-decoding.
    pub(super) const fn raw(name: &'static str, write: fn(&V) -> Option<String>, read: fn(&mut V, &str) -> bool) -> Key<V> {
        Key { name, write: Write::One(write), read, is_raw: true }
    }
}

/// Appends the parameters of `view`, in the order of `keys`.
pub(super) fn write<V>(keys: &[Key<V>], view: &V, parts: &mut Vec<(&'static str, String)>) {
    for key in keys {
        match key.write {
            Write::One(write) => parts.extend(write(view).map(|value| (key.name, value))),
            Write::Many(write) => parts.extend(write(view).into_iter().map(|value| (key.name, value))),
        }
    }
}

/// Reads one `key=value` with a percent-encoded value. `None` for an unknown key, `Some(false)` for an invalid value.
pub(super) fn read<V>(keys: &[Key<V>], view: &mut V, key: &str, value: &str) -> Option<bool> {
    let known = keys.iter().find(|known| known.name == key)?;
    if known.is_raw {
        return Some((known.read)(view, value));
    }
    Some(decode(value).is_some_and(|value| (known.read)(view, &value)))
}

/// Sets the value if it was parsed; returns whether it was.
pub(super) fn set<T>(slot: &mut T, found: Option<T>) -> bool {
    let is_understood = found.is_some();
    if let Some(found) = found {
        *slot = found;
    }
    is_understood
}

/// A range in the format of all views: `FROM~TO`. A hyphen would be ambiguous with negative numbers.
pub fn range<T: Display>((from, to): (T, T)) -> String {
    format!("{from}~{to}")
}

/// Parses a range; the ends can be in either order.
pub(super) fn read_range<T: FromStr>(text: &str) -> Option<(T, T)> {
    let (from, to) = text.split_once('~')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

/// The key names, for the test that no screen uses a name twice.
#[cfg(test)]
pub(super) fn names<V>(keys: &[Key<V>]) -> impl Iterator<Item = &'static str> {
    keys.iter().map(|key| key.name)
}
