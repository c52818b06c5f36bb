//! `quipu query`: prints the JSON of Llama Stack's telemetry API unchanged.

use crate::arguments::Query;
use crate::open::open;
use crate::output::Output;
use anyhow::{Context, Result};
use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) fn run(query: &Query, output: &mut Output) -> Result<()> {
    let mut params = query.params.clone();
    if params == "-" {
        params.clear();
        std::io::stdin().read_to_string(&mut params).context("The parameters can't be read from standard input")?;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok());
    let answer = open(&query.file)?.query(&query.method, &params, now)?;
    output.line(&answer)
}
