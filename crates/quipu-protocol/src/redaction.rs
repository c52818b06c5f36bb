//! Redaction options, and the report of a redaction.
//!
//! The redaction itself is in `quipu_share`.

use serde::{Deserialize, Serialize};

/// The kind of a private value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum PrivateKind {
    /// Messages of users and systems to a model, in any attribute.
    Prompts,
    /// Responses of models, and results of shields.
    Outputs,
    /// Arguments and results of tools; retrieved and inserted documents.
    Tools,
    /// Messages of log events.
    Logs,
    /// Error messages.
    Errors,
    /// Ids of traces, spans, sessions, turns, agents and calls. They become pseudonyms.
    Ids,
    /// `service_name`.
    Services,
    /// File paths, host names and URLs.
    Paths,
    /// E-mail addresses.
    Emails,
    /// Keys, tokens, passwords and provider data.
    Secrets,
    /// Names of spans, events and attributes that are not defined by Llama Stack or OpenTelemetry.
    Names,
    /// All other values: models, providers, parameters and so on.
    Others,
}

impl PrivateKind {
    /// All kinds in display order.
    pub const ALL: [PrivateKind; 12] = [
        PrivateKind::Prompts,
        PrivateKind::Outputs,
        PrivateKind::Tools,
        PrivateKind::Logs,
        PrivateKind::Errors,
        PrivateKind::Ids,
        PrivateKind::Services,
        PrivateKind::Paths,
        PrivateKind::Emails,
        PrivateKind::Secrets,
        PrivateKind::Names,
        PrivateKind::Others,
    ];

    /// The name on the command line and in the page's settings.
    pub fn name(self) -> &'static str {
        match self {
            PrivateKind::Prompts => "prompts",
            PrivateKind::Outputs => "outputs",
            PrivateKind::Tools => "tools",
            PrivateKind::Logs => "logs",
            PrivateKind::Errors => "errors",
            PrivateKind::Ids => "ids",
            PrivateKind::Services => "services",
            PrivateKind::Paths => "paths",
            PrivateKind::Emails => "emails",
            PrivateKind::Secrets => "secrets",
            PrivateKind::Names => "names",
            PrivateKind::Others => "others",
        }
    }

    /// The label shown to the user.
    pub fn title(self) -> &'static str {
        match self {
            PrivateKind::Prompts => "Prompts",
            PrivateKind::Outputs => "Outputs of models",
            PrivateKind::Tools => "Tool arguments and results",
            PrivateKind::Logs => "Log messages",
            PrivateKind::Errors => "Texts of errors",
            PrivateKind::Ids => "Ids",
            PrivateKind::Services => "Names of services",
            PrivateKind::Paths => "Paths and hosts",
            PrivateKind::Emails => "E-mail addresses",
            PrivateKind::Secrets => "Keys and passwords",
            PrivateKind::Names => "Unknown names and keys",
            PrivateKind::Others => "Other values",
        }
    }

    /// The marker that replaces a redacted value.
    pub fn marker(self) -> &'static str {
        match self {
            PrivateKind::Prompts => "[prompt taken out]",
            PrivateKind::Outputs => "[output taken out]",
            PrivateKind::Tools => "[tool data taken out]",
            PrivateKind::Logs => "[log message taken out]",
            PrivateKind::Errors => "[error text taken out]",
            PrivateKind::Ids => "[id taken out]",
            PrivateKind::Services => "[service taken out]",
            PrivateKind::Paths => "[path taken out]",
            PrivateKind::Emails => "[e-mail taken out]",
            PrivateKind::Secrets => "[key taken out]",
            PrivateKind::Names => "[name taken out]",
            PrivateKind::Others => "[value taken out]",
        }
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KindSet(u16);

impl KindSet {
    /// The empty set.
    pub const NONE: KindSet = KindSet(0);
    /// All kinds, which leaves only structure and timing.
    pub const ALL: KindSet = KindSet((1 << PrivateKind::ALL.len()) - 1);

    /// Whether the set contains `kind`.
    pub fn has(self, kind: PrivateKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// The set with `kind` added or removed.
    #[must_use]
    pub fn with(self, kind: PrivateKind, is_in: bool) -> KindSet {
        let bit = 1 << kind as u8;
        KindSet(if is_in { self.0 | bit } else { self.0 & !bit })
    }

    /// Parses names separated by commas; `structure` means all kinds, `none` the empty set.
    ///
    /// # Errors
    /// The first unknown name.
    pub fn parse(text: &str) -> Result<KindSet, String> {
        let mut set = KindSet::NONE;
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match (word, PrivateKind::ALL.into_iter().find(|kind| kind.name() == word)) {
                (_, Some(kind)) => set = set.with(kind, true),
                ("structure", None) => set = KindSet::ALL,
                ("none", None) => {}
                _ => return Err(word.to_owned()),
            }
        }
        Ok(set)
    }
}

/// Redaction options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RedactOptions {
    /// The kinds to remove.
    pub take_out: KindSet,
    /// Whether to shift times so that the earliest becomes 1970-01-01T00:00:00.
    pub shift_times: bool,
}

impl Default for RedactOptions {
    /// Removes keys and passwords.
    fn default() -> RedactOptions {
        RedactOptions { take_out: KindSet::NONE.with(PrivateKind::Secrets, true), shift_times: false }
    }
}

impl RedactOptions {
    /// Removes everything except structure and timing.
    pub const STRUCTURE: RedactOptions = RedactOptions { take_out: KindSet::ALL, shift_times: false };
    /// Removes nothing.
    pub const NOTHING: RedactOptions = RedactOptions { take_out: KindSet::NONE, shift_times: false };
}

/// What a redaction found and removed: a preview of the result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactReport {
    /// One entry for each kind found, in the order of [`PrivateKind::ALL`].
    pub kinds: Vec<KindReport>,
    /// Number of spans in the result.
    pub spans: u32,
    /// Number of events in the result.
    pub events: u32,
}

impl RedactReport {
    /// Number of places of a kind; 0 if it was not found.
    pub fn places(&self, kind: PrivateKind) -> u32 {
        self.kinds.iter().find(|report| report.kind == kind).map_or(0, |report| report.places)
    }
}

/// What was found of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindReport {
    /// The kind.
    pub kind: PrivateKind,
    /// Whether it was removed.
    pub taken_out: bool,
    /// Number of places it was found in.
    pub places: u32,
    /// Size of the values found, in bytes.
    pub bytes: u64,
    /// Some of the places, as they appear in the result.
    pub examples: Vec<RedactExample>,
}

/// A place, as it appears in the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactExample {
    /// Where it is, such as `span 77d3615b3d4bfbc0, __args__`.
    pub place: String,
    /// The resulting text, shortened.
    pub text: String,
}

/// Values omitted to limit the size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Number of strings omitted.
    pub values: u32,
    /// Size of these strings in bytes.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_is_known_as_one() {
        assert!(PrivateKind::ALL.into_iter().all(|kind| quipu_model::is_marker(kind.marker())));
        assert!(!quipu_model::is_marker("[the key was taken out] of the drawer"));
    }
}
