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

/// OpenTelemetry's ports for HTTP and for gRPC. Programs send either to either.
const LISTEN: [&str; 2] = ["127.0.0.1:4318", "127.0.0.1:4317"];

pub(crate) struct Settings {
    /// Where it listens.
    pub(crate) doors: Vec<Door>,
    /// What is to be said about the certificate of TLS.
    pub(crate) tls_note: Option<String>,
    /// Whether these addresses are the default ones: then one may be taken.
    pub(crate) by_default: bool,
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
        let by_default = collect.listen.is_empty();
        let listen = if by_default { LISTEN.map(str::to_owned).to_vec() } else { collect.listen.clone() };
        let tls = collect.tls.read()?;
        let tls_note = tls.as_ref().and_then(|tls| tls.note().map(str::to_owned));
        let doors =
            listen.iter().map(|listen| collect.admission.door_over("--listen", listen, tls.clone())?.open_to(&collect.allow_origin));
        let doors: Vec<Door> = doors.collect::<Result<_>>()?;
        if let Some((field, url)) = endpoint.filter(|(_, url)| doors.iter().any(|door| is_itself(url, door))) {
            let words = format!("{field} {url} is where this collector listens itself, so it would forward to itself.");
            return Err(WrongCommandLine(words).into());
        }
        let forward = endpoint.map(|(field, url)| Clients::new(field, url, &variable)).transpose();
        let forward = forward.map_err(|error| WrongCommandLine(error.to_string()))?;
        let console = collect.console || has(SinkKind::Console);
        Ok(Settings { doors, tls_note, by_default, db, layout: collect.layout.into(), retention: collect.retention, console, forward })
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
    let scheme = if door.tls.is_some() { "https://" } else { "http://" };
    let authority = url.strip_prefix(scheme).unwrap_or_default().split('/').next().unwrap_or_default();
    let own = [
        door.address.to_string(),
        format!("localhost:{}", door.address.port()),
        format!("127.0.0.1:{}", door.address.port()),
    ];
    own.iter().any(|own| own.eq_ignore_ascii_case(authority))
}
