//! The command line of `quipu collect`.

use super::retention::{parse_age, parse_size};
use crate::file_layout::FileLayout;
use crate::http::Admission;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

const COLLECT_HELP: &str = "\
Receives traces, metrics and logs over OTLP/HTTP (protobuf or JSON, plain or gzipped) on http://127.0.0.1:4318, for example from Llama
Stack 0.3.0 and later, which no longer writes a telemetry file. A request is acknowledged once it is committed. Llama Stack's queries run
on the file; an existing one is appended to, and others can read it at any time. Prometheus can scrape /metrics.

By default only requests from this machine are answered, and none from web pages. To accept others, use --listen, --allow-remote and a
token. SIGINT and SIGTERM shut down after pending requests are written. See docs/collecting.md.

Examples:
  quipu collect --db telemetry.db
  quipu collect --db telemetry.db --console --forward http://127.0.0.1:14318
  quipu collect --config run.yaml
  quipu collect --db telemetry.db --max-size 2GB --max-age 7d
  QUIPU_TOKEN=$(openssl rand -hex 32) quipu collect --db telemetry.db --listen 0.0.0.0:4318 --allow-remote
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 llama stack run run.yaml";

#[derive(Args)]
#[command(after_help = COLLECT_HELP)]
pub(crate) struct Collect {
    /// The telemetry file to create or append to
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,
    /// The tables of a new file; one that exists keeps its own
    #[arg(long, value_name = "LAYOUT", default_value = "quipu")]
    pub(crate) layout: FileLayout,
    /// Address and port to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4318")]
    pub(crate) listen: String,
    #[command(flatten)]
    pub(crate) admission: Admission,
    /// Forward accepted requests to another OTLP/HTTP receiver (a base URL, without /v1/traces)
    #[arg(long, value_name = "URL")]
    pub(crate) forward: Option<String>,
    /// The greatest size of the file, like 500MB or 2GB: the oldest traces are removed, with the log records and metric points of their time
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_size: Option<u64>,
    /// The greatest age of what is kept, like 12h or 7d
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    pub(crate) max_age: Option<Duration>,
    /// Print what is received, one line per entry
    #[arg(long)]
    pub(crate) console: bool,
    /// Read the file, console and forwarding settings from the telemetry provider of a Llama Stack configuration (run.yaml)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
