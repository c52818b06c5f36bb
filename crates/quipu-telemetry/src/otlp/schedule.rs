//! Export intervals and resource attributes, from OpenTelemetry's environment variables.
//!
//! Endpoints are in `settings`.

use super::settings::percent_decoded;
use crate::setting::{ConfigError, Lookup, error};
use quipu_model::{Attributes, Primitive};
use quipu_otlp::OtlpSource;
use std::time::Duration;

/// Instrumentation scope of Llama Stack's spans and metrics, which dashboards filter by.
const SCOPE: &str = "llama_stack.providers.inline.telemetry.meta_reference.telemetry";

/// When batches are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Maximum delay of a span: `OTEL_BSP_SCHEDULE_DELAY`, in milliseconds. Default: 5 s.
    pub delay: Duration,
    /// Maximum number of spans per request: `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`. Default: 512.
    pub batch: usize,
    /// Interval between exports of metrics: `OTEL_METRIC_EXPORT_INTERVAL`, in milliseconds. Default: 60 s.
    pub interval: Duration,
}

impl Default for Schedule {
    fn default() -> Schedule {
        Schedule { delay: Duration::from_secs(5), batch: 512, interval: Duration::from_secs(60) }
    }
}

impl Schedule {
    /// Reads the environment variables.
    ///
    /// # Errors
    /// [`ConfigError`] for the first value that is not a whole number above 0.
    pub fn from_env(lookup: Lookup<'_>) -> Result<Schedule, ConfigError> {
        let number = |name: &str| match lookup(name).filter(|value| !value.trim().is_empty()) {
            None => Ok(None),
            Some(value) => {
                let number = value.trim().parse::<u32>().ok().filter(|number| *number > 0);
                number.map(Some).ok_or_else(|| error(name, format!("is “{value}”; it must be a whole number above 0")))
            }
        };
        let millis = |name: &str, default: Duration| {
            number(name).map(|millis| millis.map_or(default, |millis| Duration::from_millis(millis.into())))
        };
        let default = Schedule::default();
        Ok(Schedule {
            delay: millis("OTEL_BSP_SCHEDULE_DELAY", default.delay)?,
            batch: number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE")?.map_or(default.batch, |spans| spans as usize),
            interval: millis("OTEL_METRIC_EXPORT_INTERVAL", default.interval)?,
        })
    }
}

/// The resource and scope: SDK attributes, `OTEL_RESOURCE_ATTRIBUTES` (`key=value,key=value`, percent-encoded; invalid entries are
/// ignored), and the service name.
pub fn source(service_name: &str, lookup: Lookup<'_>) -> OtlpSource {
    let mut resource = Attributes::default();
    let mut set = |key: &str, value: &str| resource.set(key.to_owned(), Primitive::Text(value.to_owned()));
    set("telemetry.sdk.language", "rust");
    set("telemetry.sdk.name", "quipu");
    set("telemetry.sdk.version", env!("CARGO_PKG_VERSION"));
    for entry in lookup("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default().split(',') {
        let Some((key, value)) = entry.split_once('=') else { continue };
        if let (false, Some(value)) = (key.trim().is_empty(), percent_decoded(value.trim())) {
            set(key.trim(), &value);
        }
    }
    set("service.name", service_name);
    OtlpSource { resource, scope: SCOPE.to_owned() }
}
