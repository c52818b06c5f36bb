//! Taking out what is private before a trace is handed on: prompts, ids, keys and the like, each by its switch.
//!
//! [`redact`] makes another [`Recording`] of one and reports, kind by kind, what it found and what it took out; the report is the
//! preview of what leaves. `vocabulary` knows the words that may always stay, `classify` tells by its key what a value is, `detect` finds
//! keys, addresses, paths and ids inside texts, `pseudonyms` names what must stay tellable apart, `sweep` finds again elsewhere what was
//! taken out once, `walk` goes through the rows.
//!
//! What is not here: reading rows (`session`), packing what is left (`share::payload`). A text that hides what it says (ciphers, images,
//! a private word in a kept sentence) is not seen through: what is private by its meaning goes by the switch of its kind.

mod classify;
mod detect;
mod pseudonyms;
mod sweep;
#[cfg(test)]
pub(crate) mod tests;
mod vocabulary;
mod walk;

use crate::model::Recording;
use serde::{Deserialize, Serialize};

/// What a piece of a trace is, for the choice whether it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum PrivateKind {
    /// What users and systems said to a model, in whatever attribute.
    Prompts,
    /// What models answered, and what shields found.
    Outputs,
    /// What tools were given and what they answered; retrieved and inserted documents.
    Tools,
    /// Messages of log events.
    Logs,
    /// Texts of errors.
    Errors,
    /// Ids of traces, spans, sessions, turns, agents, calls: pseudonyms stand in their places.
    Ids,
    /// `service_name`.
    Services,
    /// Paths of files, addresses of hosts and pages.
    Paths,
    /// Addresses of people.
    Emails,
    /// Keys, tokens, passwords, provider data.
    Secrets,
    /// Names of spans and events, and keys of attributes, that are no words of Llama Stack or OpenTelemetry.
    Names,
    /// Every other value: models, providers, parameters, whatever was set.
    Others,
}

impl PrivateKind {
    /// Every kind, in the order of the switches.
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

    /// Its name on the command line and in the page's settings.
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

    /// What its switch says.
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

    /// What stands where one was taken out.
    fn marker(self) -> &'static str {
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

/// Some of the kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KindSet(u16);

impl KindSet {
    /// None of them.
    pub const NONE: KindSet = KindSet(0);
    /// All of them: structure and timing are what is left.
    pub const ALL: KindSet = KindSet((1 << PrivateKind::ALL.len()) - 1);

    /// Whether `kind` is one of them.
    pub fn has(self, kind: PrivateKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// The same with `kind`, or without.
    #[must_use]
    pub fn with(self, kind: PrivateKind, is_in: bool) -> KindSet {
        let bit = 1 << kind as u8;
        KindSet(if is_in { self.0 | bit } else { self.0 & !bit })
    }

    /// Reads names with commas between; `structure` is all of them, `none` none.
    ///
    /// # Errors
    /// The word that is no kind's name.
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

/// What is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RedactOptions {
    /// The kinds that are taken out.
    pub take_out: KindSet,
    /// Times count from the earliest one, which becomes 1970-01-01T00:00:00.
    pub shift_times: bool,
}

impl Default for RedactOptions {
    /// Keys and passwords are taken out; all else stays.
    fn default() -> RedactOptions {
        RedactOptions { take_out: KindSet::NONE.with(PrivateKind::Secrets, true), shift_times: false }
    }
}

impl RedactOptions {
    /// Structure and timing only.
    pub const STRUCTURE: RedactOptions = RedactOptions { take_out: KindSet::ALL, shift_times: false };
}

/// What was found, kind by kind, and what became of it: the preview of what leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactReport {
    /// One for each kind that was found, in the order of [`PrivateKind::ALL`].
    pub kinds: Vec<KindReport>,
    /// Spans that leave.
    pub spans: u32,
    /// Events that leave.
    pub events: u32,
}

impl RedactReport {
    /// Places of a kind; 0 where it was not found.
    pub fn places(&self, kind: PrivateKind) -> u32 {
        self.kinds.iter().find(|report| report.kind == kind).map_or(0, |report| report.places)
    }
}

/// What was found of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindReport {
    /// The kind.
    pub kind: PrivateKind,
    /// Whether it was taken out; else it leaves.
    pub taken_out: bool,
    /// Places it was found in.
    pub places: u32,
    /// Bytes it had there.
    pub bytes: u64,
    /// Some of them, as they leave.
    pub examples: Vec<RedactExample>,
}

/// One place, as it leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactExample {
    /// Where it stands: `span 77d3615b3d4bfbc0, __args__`.
    pub place: String,
    /// What leaves of it, shortened.
    pub text: String,
}

/// A recording without what was to be taken out, and the report. Takes time and memory by the size of the recording; never fails: what
/// can't be read is a text like any other.
pub fn redact(recording: &Recording, options: RedactOptions) -> (Recording, RedactReport) {
    walk::redact(recording, options)
}
