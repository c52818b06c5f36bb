//! What the command line and a Llama Stack configuration say together; the command line comes first.

use crate::arguments::Collect;
use crate::http::Door;
use crate::output::WrongCommandLine;
use anyhow::{Context, Result};
use quipu_telemetry::TelemetryConfig;
use quipu_telemetry::config::SinkKind;
use std::path::PathBuf;

pub(crate) struct Settings {
    pub(crate) door: Door,
    pub(crate) db: PathBuf,
    pub(crate) console: bool,
}

impl Settings {
    pub(crate) fn read(collect: &Collect) -> Result<Settings> {
        let config = collect.config.as_deref().map(read_config).transpose()?;
        let has = |sink| config.as_ref().is_some_and(|config: &TelemetryConfig| config.sinks.contains(&sink));
        let from_config = config.as_ref().filter(|_| has(SinkKind::Sqlite)).map(|config| config.sqlite_db_path.clone());
        let db = collect.db.clone().or(from_config).ok_or_else(|| {
            let words = match &collect.config {
                Some(path) => format!("{} has no sink sqlite; give the file to write with --db FILE.", path.display()),
                None => "Give the file to write with --db FILE, or a configuration that names it with --config FILE.".to_owned(),
            };
            WrongCommandLine(words)
        })?;
        Ok(Settings { door: collect.admission.door(&collect.listen)?, db, console: collect.console || has(SinkKind::Console) })
    }
}

fn read_config(path: &std::path::Path) -> Result<TelemetryConfig> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("{name} can't be read"))?;
    let lookup = |variable: &str| std::env::var(variable).ok();
    TelemetryConfig::from_yaml(&text, &lookup).map_err(|error| WrongCommandLine(format!("{name}: {error}")).into())
}
