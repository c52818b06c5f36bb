//! Access to environment variables, and the error for an invalid setting.
//!
//! The settings themselves are in `config` and `otlp`.

/// Looks up an environment variable; `None` if it is not set.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// An invalid setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {wrong}.")]
pub struct ConfigError {
    /// The field, such as `telemetry[0].config.sinks`, or the name of a variable.
    pub field: String,
    /// The problem and the allowed values, to follow the field name in a sentence.
    pub wrong: String,
}

pub(crate) fn error(field: &str, wrong: impl Into<String>) -> ConfigError {
    ConfigError { field: field.to_owned(), wrong: wrong.into() }
}
