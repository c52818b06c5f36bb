//! `quipu serve`: converts the arguments; the server is `crate::serve`.

use crate::arguments::Serve;
use crate::output::WrongCommandLine;
use crate::serve::{Options, run as serve};
use anyhow::Result;
use quipu::metrics::MetricOptions;
use quipu::promql::read_duration;

pub(crate) fn run(asked: Serve) -> Result<()> {
    let Serve { file, listen, admission, accept_events, scrape, merge_labels } = asked;
    let scrape_millis = read_duration(&scrape).map_err(|words| WrongCommandLine(format!("--scrape: {words}")))?;
    let metrics = MetricOptions { scrape_millis, merge_labels, exact: false };
    serve(&Options { file, listen, flag: "--listen", admission, accept_events, metrics })
}
