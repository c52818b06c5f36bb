//! The file that a view belongs to, and its URL parameters.
//!
//! Opening it is up to the page.

use super::keys::{Key, set};
use super::percent::encode;
use std::sync::Arc;

/// Identifies the file of a view, so that the page notices another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A sample included with the page.
    Sample(Sample),
    /// A local file. Its content stays on the user's machine.
    File {
        /// File name without the folder.
        name: String,
        /// Size in bytes; `None` if the URL does not contain it.
        size_bytes: Option<u64>,
    },
    /// Data in the URL itself.
    Link {
        /// The letters of `quipu_share::payload`.
        letters: Arc<str>,
        /// The encryption key, if the link contains it.
        key: Option<String>,
    },
}

/// The URL parameters. Only those of one kind of source are written. The data is last, because it is long.
pub(super) const KEYS: &[Key<Option<Source>>] = &[
    Key::new(
        "sample",
        |source| match source {
            Some(Source::Sample(sample)) => Some(sample.name().into()),
            _ => None,
        },
        |source, name| {
            let sample = Sample::ALL.into_iter().find(|sample| sample.name() == name);
            set(source, sample.map(|sample| Some(Source::Sample(sample))))
        },
    ),
    Key::new(
        "file",
        |source| match source {
            Some(Source::File { name, .. }) => Some(encode(name)),
            _ => None,
        },
        |source, found| match source {
            _ if found.is_empty() => false,
            Some(Source::File { name, .. }) => set(name, Some(found.into())),
            _ => set(source, Some(Some(Source::File { name: found.into(), size_bytes: None }))),
        },
    ),
    Key::new(
        "size",
        |source| match source {
            Some(Source::File { size_bytes, .. }) => size_bytes.map(|size| size.to_string()),
            _ => None,
        },
        |source, digits| {
            let Ok(size) = digits.parse() else { return false };
            match source {
                Some(Source::File { size_bytes, .. }) => set(size_bytes, Some(Some(size))),
                // The size can precede the name.
                None => set(source, Some(Some(Source::File { name: String::new(), size_bytes: Some(size) }))),
                Some(_) => false,
            }
        },
    ),
    Key::new(
        "key",
        |source| match source {
            Some(Source::Link { key, .. }) => key.clone(),
            _ => None,
        },
        |source, found| match source {
            _ if !is_key(found) => false,
            Some(Source::Link { key, .. }) => set(key, Some(Some(found.into()))),
            // The key precedes the data.
            None => set(source, Some(Some(Source::Link { letters: "".into(), key: Some(found.into()) }))),
            Some(_) => false,
        },
    ),
    Key::raw(
        "data",
        |source| match source {
            Some(Source::Link { letters, .. }) => Some(letters.to_string()),
            _ => None,
        },
        |source, letters| {
            let key = match source {
                Some(Source::Link { key, .. }) => key.take(),
                _ => None,
            };
            set(source, Some(Some(Source::Link { letters: letters.into(), key })))
        },
    ),
];

/// Whether the text can be a key: base64url.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Fixes inconsistent combinations. Returns a note for the user.
pub(super) fn check(source: &mut Option<Source>) -> Option<String> {
    let sentence = match source {
        Some(Source::File { name, .. }) if name.is_empty() => "The URL has the size of a file but no name; it was ignored.",
        Some(Source::Link { letters, .. }) if letters.is_empty() => {
            "The URL is incomplete: its data is missing. Ask for the link again, or for a file."
        }
        _ => return None,
    };
    *source = None;
    Some(sentence.into())
}

/// A sample included with the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// An agent with tools and shields.
    Agent,
    /// Chat completions with token metrics.
    Metrics,
}

impl Sample {
    /// All samples in display order.
    pub const ALL: [Sample; 2] = [Sample::Agent, Sample::Metrics];

    /// The name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Sample::Agent => "agent",
            Sample::Metrics => "metrics",
        }
    }

    /// The label shown to the user.
    pub fn title(self) -> &'static str {
        match self {
            Sample::Agent => "Agent run (Llama Stack 0.2.15)",
            Sample::Metrics => "Run with token metrics (0.2.23)",
        }
    }

    /// The file name in the folder `samples` of the page.
    pub fn file_name(self) -> &'static str {
        match self {
            Sample::Agent => "agent_0.2.15.db",
            Sample::Metrics => "metrics_0.2.23.db",
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::address) fn any_source() -> impl Strategy<Value = Option<Source>> {
        prop_oneof![
            Just(None),
            prop::sample::select(&Sample::ALL[..]).prop_map(|sample| Some(Source::Sample(sample))),
            (".+", prop::option::of(any::<u64>())).prop_map(|(name, size_bytes)| Some(Source::File { name, size_bytes })),
            ("[A-Za-z0-9_-]{1,80}", prop::option::of("[A-Za-z0-9_-]{1,40}"))
                .prop_map(|(letters, key)| Some(Source::Link { letters: letters.into(), key })),
        ]
    }
}
