//! Settings from the command line and a Llama Stack configuration; the command line takes precedence.

use super::Collect;
use super::forward::Clients;
use super::retention::Retention;
use crate::http::Door;
use crate::output::WrongCommandLine;
use anyhow::{Context, Result};
use quipu::store::Layout;
use quipu_telemetry::TelemetryConfig;
use quipu_telemetry::config::SinkKind;
use std::path::PathBuf;

pub(crate) struct Settings {
    pub(crate) door: Door,
    pub(crate) db: PathBuf,
    /// Of a new file.
    pub(crate) layout: Layout,
    pub(crate) retention: Retention,
    pub(crate) console: bool,
    /// Clients for forwarding committed data.
    pub(crate) forward: Option<Clients>,
}

impl Settings {
    pub(crate) fn read(collect: &Collect) -> Result<Settings> {
        let config = collect.config.as_deref().map(read_config).transpose()?;
        let has = |sink| config.as_ref().is_some_and(|config: &TelemetryConfig| config.sinks.contains(&sink));
        let from_config = config.as_ref().filter(|_| has(SinkKind::Sqlite)).map(|config| config.sqlite_db_path.clone());
        let db = collect.db.clone().or(from_config).ok_or_else(|| {
            let words = match &collect.config {
                Some(path) => format!("{} does not configure the sink sqlite; give the file to write with --db FILE.", path.display()),
                None => "Give the file to write with --db FILE, or a configuration with --config FILE.".to_owned(),
            };
            WrongCommandLine(words)
        })?;
        let configured = config.as_ref().filter(|_| has(SinkKind::OtelTrace) || has(SinkKind::OtelMetric));
        let endpoint = match (&collect.forward, configured.and_then(|config| config.otel_exporter_otlp_endpoint.as_deref())) {
            (Some(url), _) => Some(("--forward", url.as_str())),
            (None, Some(url)) => Some(("otel_exporter_otlp_endpoint", url)),
            (None, None) => None,
        };
        let door = collect.admission.door(&collect.listen)?;
        if let Some((field, url)) = endpoint.filter(|(_, url)| is_itself(url, &door)) {
            let words = format!("{field} {url} is where this collector listens itself, so it would forward to itself.");
            return Err(WrongCommandLine(words).into());
        }
        let forward = endpoint.map(|(field, url)| Clients::new(field, url, &variable)).transpose();
        let forward = forward.map_err(|error| WrongCommandLine(error.to_string()))?;
        let retention = Retention { max_size: collect.max_size, max_age: collect.max_age };
        Ok(Settings { door, db, layout: collect.layout.into(), retention, console: collect.console || has(SinkKind::Console), forward })
    }
}

fn read_config(path: &std::path::Path) -> Result<TelemetryConfig> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("{name} can't be read"))?;
    TelemetryConfig::from_yaml(&text, &variable).map_err(|error| WrongCommandLine(format!("{name}: {error}")).into())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether a URL is the collector's own address, judging by its text.
fn is_itself(url: &str, door: &Door) -> bool {
    let authority = url.strip_prefix("http://").unwrap_or_default().split('/').next().unwrap_or_default();
    let own = [
        door.address.to_string(),
        format!("localhost:{}", door.address.port()),
        format!("127.0.0.1:{}", door.address.port()),
    ];
    own.iter().any(|own| own.eq_ignore_ascii_case(authority))
}
