//! Sends OTLP to a collector at the maximum rate and prints how much was acknowledged. With a file, checks that all of it is there.
//!
//! `otlp_load 127.0.0.1:4318 [--protocol http|grpc] [--connections 16] [--spans 512] [--seconds 60] [--file telemetry.db]`

use anyhow::{Context, Result, bail};
use quipu_tests::load::{Load, Protocol};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let to = words.next().context("Give where to send: 127.0.0.1:4318")?;
    let mut load = Load {
        to: to.parse().context("The address is none")?,
        protocol: Protocol::Http,
        connections: 16,
        spans: 512,
        requests: None,
        time: Duration::from_secs(60),
        rest: Duration::ZERO,
    };
    let mut file: Option<PathBuf> = None;
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--protocol" => {
                load.protocol = match value.as_str() {
                    "http" => Protocol::Http,
                    "grpc" => Protocol::Grpc,
                    other => bail!("There is no protocol {other}: http or grpc."),
                }
            }
            "--connections" => load.connections = value.parse()?,
            "--spans" => load.spans = value.parse()?,
            "--seconds" => load.time = Duration::from_secs_f64(value.parse()?),
            "--file" => file = Some(value.into()),
            other => bail!("There is no option {other}."),
        }
    }
    let outcome = load.send(&AtomicBool::new(false))?;
    let spans = outcome.acknowledged.len() * load.spans;
    let seconds = outcome.elapsed.as_secs_f64();
    println!(
        "{spans} spans were acknowledged in {seconds:.1} s, {:.0} a second; {} requests were sent again.",
        spans as f64 / seconds,
        outcome.retries
    );
    if let Some(file) = file {
        load.check(&file, &outcome)?;
        println!("All of them are in {}, once, and the file is whole.", file.display());
    }
    Ok(())
}
