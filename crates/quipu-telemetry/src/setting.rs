//! What every setting needs: variables of the environment, and the error that names the field at fault.
//!
//! What is not here: the settings themselves (`config`, `otlp`).

/// Answers for the environment: the value of a variable, `None` where it is not set.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A configuration that says something wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {wrong}.")]
pub struct ConfigError {
    /// Where: `telemetry[0].config.sinks`, or a variable's name.
    pub field: String,
    /// What is wrong with it, and what is allowed: the sentence without its subject.
    pub wrong: String,
}

pub(crate) fn error(field: &str, wrong: impl Into<String>) -> ConfigError {
    ConfigError { field: field.to_owned(), wrong: wrong.into() }
}
