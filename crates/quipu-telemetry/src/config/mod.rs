//! The sinks and their targets, from Llama Stack's run configuration or the environment.
//!
//! ```yaml
//! telemetry:
//! - provider_id: meta-reference
//!   provider_type: inline::meta-reference
//!   config:
//!     service_name: "${env.OTEL_SERVICE_NAME:=my-agent}"
//!     sinks: ${env.TELEMETRY_SINKS:=console,sqlite}
//!     sqlite_db_path: ${env.SQLITE_STORE_DIR:=~/.llama/runtime}/trace_store.db
//! ```
//!
//! A complete run configuration is accepted too (`providers: telemetry: …`), as is a single entry. Missing or empty settings get Llama
//! Stack's defaults; unknown fields are ignored.
//!
//! The caller reads the file, and passes the environment as a function.

mod variables;

use crate::console::ConsoleSink;
use crate::otlp::{Client, OtlpMetricSink, OtlpTraceSink, Schedule, Settings, Signal, source};
use crate::setting::error;
pub use crate::setting::{ConfigError, Lookup};
#[cfg(feature = "sqlite")]
use crate::sqlite::SqliteSink;
use crate::telemetry::{Telemetry, TelemetryBuilder};
use quipu_otlp::OtlpSource;
use saphyr::{LoadableYamlNode, Yaml};
use std::path::PathBuf;
use variables::substitute;

/// The default service name: a zero-width space, as in Llama Stack. It stands for no name.
pub const NO_SERVICE_NAME: &str = "\u{200b}";

/// The only supported provider type.
pub const PROVIDER_TYPE: &str = "inline::meta-reference";

/// The kinds of sinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SinkKind {
    /// Prints to standard output.
    Console,
    /// Writes a SQLite file.
    Sqlite,
    /// Sends traces to an OpenTelemetry collector.
    OtelTrace,
    /// Sends metrics to an OpenTelemetry collector.
    OtelMetric,
}

impl SinkKind {
    /// All kinds, in the order of the enum.
    pub const ALL: [SinkKind; 4] = [SinkKind::Console, SinkKind::Sqlite, SinkKind::OtelTrace, SinkKind::OtelMetric];

    /// The name in a configuration: `console`, `sqlite`, `otel_trace`, `otel_metric`.
    pub fn label(self) -> &'static str {
        match self {
            SinkKind::Console => "console",
            SinkKind::Sqlite => "sqlite",
            SinkKind::OtelTrace => "otel_trace",
            SinkKind::OtelMetric => "otel_metric",
        }
    }
}

/// A telemetry configuration with all variables substituted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelemetryConfig {
    /// Written to `traces.service_name`.
    pub service_name: String,
    /// The sinks, without duplicates.
    pub sinks: Vec<SinkKind>,
    /// Base URL of the collector, such as `http://localhost:4318`. Required for `otel_` sinks.
    pub otel_exporter_otlp_endpoint: Option<String>,
    /// Path of the telemetry file.
    pub sqlite_db_path: PathBuf,
}

impl TelemetryConfig {
    /// Parses YAML.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid field.
    pub fn from_yaml(text: &str, lookup: Lookup<'_>) -> Result<TelemetryConfig, ConfigError> {
        let documents = Yaml::load_from_str(text).map_err(|problem| error("The configuration", format!("is not valid YAML: {problem}")))?;
        let document = documents.first().ok_or_else(|| error("The configuration", "is empty; it needs a telemetry provider"))?;
        let (at, entry) = find_provider(document, lookup)?;
        let at = format!("{at}config.");
        let none = Yaml::Mapping(Default::default());
        let config = entry.as_mapping_get("config").unwrap_or(&none);
        if !config.is_mapping() && !config.is_null() {
            return Err(error(
                at.trim_end_matches('.'),
                "must be a mapping of the fields service_name, sinks, otel_exporter_otlp_endpoint and sqlite_db_path",
            ));
        }
        let field = |name: &str| (format!("{at}{name}"), config.as_mapping_get(name));
        let text = |name: &str| {
            let (field, value) = field(name);
            value.map_or(Ok(None), |value| read_text(&field, value, lookup)).map(|text| (field, text))
        };
        let sinks = match field("sinks") {
            (_, None) => None,
            (field, Some(value)) => read_sinks(&field, value, lookup)?,
        };
        TelemetryConfig::checked(text("service_name")?, sinks, text("otel_exporter_otlp_endpoint")?, text("sqlite_db_path")?, lookup)
    }

    /// Reads the environment: `OTEL_SERVICE_NAME` (default: none), `TELEMETRY_SINKS` (`console,sqlite`), `OTEL_EXPORTER_OTLP_ENDPOINT`
    /// (`http://localhost:4318`), and `SQLITE_STORE_DIR` (`~/.llama/runtime`), the folder of `trace_store.db`.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid variable.
    pub fn from_env(lookup: Lookup<'_>) -> Result<TelemetryConfig, ConfigError> {
        let text = |name: &str| (name.to_owned(), lookup(name).filter(|value| !value.is_empty()));
        let (field, sinks) = text("TELEMETRY_SINKS");
        let sinks = sinks.map(|listed| split_sinks(&field, &listed)).transpose()?;
        let (endpoint_field, endpoint) = text("OTEL_EXPORTER_OTLP_ENDPOINT");
        let endpoint = endpoint.unwrap_or_else(|| "http://localhost:4318".into());
        let (path_field, folder) = text("SQLITE_STORE_DIR");
        let path = folder.map(|folder| format!("{}/trace_store.db", folder.trim_end_matches('/')));
        TelemetryConfig::checked(text("OTEL_SERVICE_NAME"), sinks, (endpoint_field, Some(endpoint)), (path_field, path), lookup)
    }

    fn checked(
        (_, service_name): (String, Option<String>),
        sinks: Option<Vec<SinkKind>>,
        (endpoint_field, endpoint): (String, Option<String>),
        (path_field, path): (String, Option<String>),
        lookup: Lookup<'_>,
    ) -> Result<TelemetryConfig, ConfigError> {
        let sinks = sinks.unwrap_or_else(|| vec![SinkKind::Console, SinkKind::Sqlite]);
        let sends = sinks.iter().any(|sink| matches!(sink, SinkKind::OtelTrace | SinkKind::OtelMetric));
        match &endpoint {
            Some(url) if !url.starts_with("http://") && !url.starts_with("https://") => {
                return Err(error(&endpoint_field, format!("is “{url}”; it must be a URL that starts with http:// or https://")));
            }
            None if sends => {
                return Err(error(&endpoint_field, "is missing; the sinks otel_trace and otel_metric need it, as http://localhost:4318"));
            }
            _ => {}
        }
        // The folder is only needed if the path is not given.
        let path = path.unwrap_or_else(|| "~/.llama/runtime/trace_store.db".into());
        let path = if sinks.contains(&SinkKind::Sqlite) { expand_home(&path_field, path, lookup)? } else { path };
        Ok(TelemetryConfig {
            service_name: service_name.unwrap_or_else(|| NO_SERVICE_NAME.into()),
            sinks,
            otel_exporter_otlp_endpoint: endpoint,
            sqlite_db_path: path.into(),
        })
    }

    /// A builder for a [`Telemetry`] with these sinks. `lookup` is called for `NO_COLOR` and, for OTLP sinks, the variables of
    /// [`otlp`](crate::otlp). A per-signal endpoint overrides `otel_exporter_otlp_endpoint`.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid variable.
    pub fn builder(&self, lookup: impl Fn(&str) -> Option<String> + Send + 'static) -> Result<TelemetryBuilder, ConfigError> {
        let mut builder = Telemetry::builder();
        for sink in &self.sinks {
            builder = match sink {
                SinkKind::Console => {
                    let no_color = lookup("NO_COLOR");
                    builder.sink(move || Ok(ConsoleSink::stdout(|_| no_color.clone())))
                }
                #[cfg(not(feature = "sqlite"))]
                SinkKind::Sqlite => {
                    return Err(error("sinks", "names sqlite, but this program was built without the feature `sqlite` of quipu-telemetry"));
                }
                #[cfg(feature = "sqlite")]
                SinkKind::Sqlite => {
                    let (path, service_name) = (self.sqlite_db_path.clone(), self.service_name.clone());
                    builder.sink(move || SqliteSink::open(&path, &service_name))
                }
                SinkKind::OtelTrace => {
                    let (client, source, schedule) = self.otlp(Signal::Traces, &lookup)?;
                    builder.sink(move || OtlpTraceSink::start(client, source, schedule))
                }
                SinkKind::OtelMetric => {
                    let (client, source, schedule) = self.otlp(Signal::Metrics, &lookup)?;
                    builder.sink(move || OtlpMetricSink::start(client, source, schedule))
                }
            };
        }
        Ok(builder)
    }

    fn otlp(&self, signal: Signal, lookup: Lookup<'_>) -> Result<(Client, OtlpSource, Schedule), ConfigError> {
        let settings = Settings::from_env(signal, self.otel_exporter_otlp_endpoint.as_deref(), lookup)?;
        Ok((Client::new(settings)?, source(&self.service_name, lookup), Schedule::from_env(lookup)?))
    }
}

/// Finds the provider's entry. Returns the prefix of its field names for errors, and its `config`.
fn find_provider<'y>(document: &'y Yaml<'y>, lookup: Lookup<'_>) -> Result<(String, &'y Yaml<'y>), ConfigError> {
    let inside = document.as_mapping_get("providers");
    let (at, listed) = match (inside, document.as_mapping_get("telemetry")) {
        (Some(providers), _) => match providers.as_mapping_get("telemetry") {
            Some(listed) => ("providers.telemetry", listed),
            None => {
                return Err(error(
                    "providers.telemetry",
                    format!("is missing; it must be a list with one provider of type {PROVIDER_TYPE}"),
                ));
            }
        },
        (None, Some(listed)) => ("telemetry", listed),
        (None, None) => ("", document),
    };
    let Some(entries) = listed.as_sequence() else {
        check_type(at, listed, lookup)?;
        return Ok((if at.is_empty() { String::new() } else { format!("{at}.") }, listed));
    };
    let mut first = None;
    for (number, entry) in entries.iter().enumerate() {
        let at = format!("{at}[{number}]");
        match check_type(&at, entry, lookup) {
            Ok(()) => return Ok((format!("{at}."), entry)),
            Err(problem) => first = first.or(Some(problem)),
        }
    }
    let name = if at.is_empty() { "The list of providers" } else { at };
    Err(first.unwrap_or_else(|| error(name, format!("is empty; it needs a provider of type {PROVIDER_TYPE}"))))
}

fn check_type(at: &str, entry: &Yaml<'_>, lookup: Lookup<'_>) -> Result<(), ConfigError> {
    let field = if at.is_empty() { "provider_type".to_owned() } else { format!("{at}.provider_type") };
    let given = entry.as_mapping_get("provider_type").map_or(Ok(None), |value| read_text(&field, value, lookup))?;
    match given {
        Some(given) if given == PROVIDER_TYPE => Ok(()),
        Some(given) => Err(error(&field, format!("is “{given}”; only {PROVIDER_TYPE} is supported"))),
        None => Err(error(&field, format!("is missing; it must be {PROVIDER_TYPE}"))),
    }
}

/// Reads a string and substitutes variables; null and empty values become `None`.
fn read_text(field: &str, value: &Yaml<'_>, lookup: Lookup<'_>) -> Result<Option<String>, ConfigError> {
    if value.is_null() {
        return Ok(None);
    }
    let text = value.as_str().ok_or_else(|| error(field, "must be a text; put it in quotes"))?;
    let text = substitute(text, lookup).map_err(|wrong| error(field, wrong))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn read_sinks(field: &str, value: &Yaml<'_>, lookup: Lookup<'_>) -> Result<Option<Vec<SinkKind>>, ConfigError> {
    let Some(items) = value.as_sequence() else {
        if value.as_str() == Some("") {
            return split_sinks(field, "").map(Some);
        }
        let wrong = format!("must be a list or a text with commas, of {}", allowed());
        let listed = if value.is_null() || value.is_string() { read_text(field, value, lookup)? } else { return Err(error(field, wrong)) };
        return listed.map(|listed| split_sinks(field, &listed)).transpose();
    };
    let mut sinks = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let field = format!("{field}[{number}]");
        let name = read_text(&field, item, lookup)?.unwrap_or_default();
        add_sink(&field, &name, &mut sinks)?;
    }
    Ok(Some(sinks))
}

fn split_sinks(field: &str, listed: &str) -> Result<Vec<SinkKind>, ConfigError> {
    let mut sinks = Vec::new();
    listed.split(',').try_for_each(|name| add_sink(field, name.trim(), &mut sinks))?;
    Ok(sinks)
}

/// Adds a sink by name. Duplicates are ignored, because they would write everything twice.
fn add_sink(field: &str, name: &str, sinks: &mut Vec<SinkKind>) -> Result<(), ConfigError> {
    let found = SinkKind::ALL.into_iter().find(|sink| sink.label() == name);
    let sink = found.ok_or_else(|| error(field, format!("has “{name}”, which is not a sink; allowed are {}", allowed())))?;
    if !sinks.contains(&sink) {
        sinks.push(sink);
    }
    Ok(())
}

fn allowed() -> String {
    SinkKind::ALL.map(SinkKind::label).join(", ")
}

/// Replaces a leading `~` with the home folder.
fn expand_home(field: &str, path: String, lookup: Lookup<'_>) -> Result<String, ConfigError> {
    let Some(rest) = path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/')) else { return Ok(path) };
    let home = lookup("HOME").filter(|home| !home.is_empty());
    let home = home.ok_or_else(|| error(field, format!("is “{path}”, but the variable HOME is not set; give the whole path")))?;
    Ok(home.trim_end_matches('/').to_owned() + rest)
}
