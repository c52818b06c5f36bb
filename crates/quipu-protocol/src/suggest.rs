//! Completions for a filter that is being typed.

use serde::{Deserialize, Serialize};

/// Asks for completions of a filter that is being typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggest {
    /// The filter's text so far.
    pub filter: String,
    /// The cursor's offset in the text, in bytes.
    pub cursor: u32,
}

/// How a filter may go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestions {
    /// The bytes of the filter that a suggestion takes the place of.
    pub start: u32,
    /// Their end.
    pub end: u32,
    /// Best first; few enough to be shown.
    pub items: Vec<Suggestion>,
}

/// One way a filter may go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// What is put in.
    pub text: String,
    /// What it means, in a few words.
    pub meaning: String,
    /// How many spans of the file it is about, where known.
    pub spans: Option<u64>,
}
