//! Runs the queries of `tests/fixtures/promql` on a real Prometheus and records its answers, which a test compares with Quipu's.
//!
//! Needs `prometheus` and `promtool` on the PATH (Debian's package `prometheus`). Ranges of Prometheus 2 include both ends; samples are at
//! odd milliseconds and queries at whole seconds, so that the answers are those of Prometheus 3.

#![expect(clippy::indexing_slicing, reason = "a part that an answer lacks is null")]

use anyhow::{Context, Result, bail, ensure};
use quipu_tests::http::get;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/promql");
    let queries = std::fs::read_to_string(folder.join("queries.txt")).context("The queries are missing.")?;
    let server = Server::start(&folder.join("series.txt"))?;
    let mut lines = String::new();
    for line in queries.lines() {
        let (time, query) = line.split_once(" | ").with_context(|| format!("No time and query: {line}"))?;
        let answer = server.ask(time, query).with_context(|| format!("Prometheus did not answer {query}"))?;
        writeln!(lines, "{}", compact(time, &answer)?)?;
    }
    let path = folder.join("answers.jsonl");
    std::fs::write(&path, lines)?;
    println!("{} answers are in {}.", queries.lines().count(), path.display());
    Ok(())
}

/// A Prometheus over the series, killed on drop.
struct Server {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl Server {
    fn start(series: &Path) -> Result<Server> {
        let folder = std::env::temp_dir().join(format!("quipu-prometheus-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let blocks = folder.join("data");
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([series, &blocks])
            .stdout(Stdio::null())
            .status()
            .context("promtool does not start: apt-get install prometheus")?;
        ensure!(made.success(), "promtool did not read {}.", series.display());
        let settings = folder.join("prometheus.yml");
        std::fs::write(&settings, "global: {}\n")?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", settings.display()))
            .arg(format!("--storage.tsdb.path={}", blocks.display()))
            .arg("--storage.tsdb.retention.time=100y")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("prometheus does not start: apt-get install prometheus")?;
        let server = Server { process, port, folder };
        let patience = Instant::now() + Duration::from_secs(60);
        while get(server.port, "/-/ready").is_err() {
            ensure!(Instant::now() < patience, "prometheus does not answer on port {port}.");
            std::thread::yield_now();
        }
        Ok(server)
    }

    fn ask(&self, time: &str, query: &str) -> Result<Value> {
        let path = match time.split(' ').collect::<Vec<_>>().as_slice() {
            ["instant", at] => format!("/api/v1/query?time={at}&query={}", escape(query)),
            ["range", start, end, step] => format!("/api/v1/query_range?start={start}&end={end}&step={step}&query={}", escape(query)),
            _ => bail!("{time} is no time."),
        };
        Ok(serde_json::from_str(&get(self.port, &path)?)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

fn escape(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// A compact form of an answer: for ranges, the values of all steps, or null.
fn compact(time: &str, answer: &Value) -> Result<Value> {
    if answer["status"] != "success" {
        return Ok(json!({ "error": answer["error"] }));
    }
    let (kind, result) = (&answer["data"]["resultType"], &answer["data"]["result"]);
    let numbers: Vec<i64> = time.split(' ').skip(1).filter_map(|number| number.parse().ok()).collect();
    let [start, end, step] = numbers.as_slice() else { return Ok(json!({ "type": kind, "result": result })) };
    let mut list = Vec::new();
    for series in result.as_array().context("No series.")? {
        let values = series["values"].as_array().context("No values.")?;
        let at = |time: i64| values.iter().find(|pair| pair[0].as_f64() == Some(time as f64)).map(|pair| pair[1].clone());
        let steps: Vec<Option<Value>> = (0..=(end - start) / step).map(|number| at(start + number * step)).collect();
        list.push(json!({ "metric": series["metric"], "steps": steps }));
    }
    Ok(json!({ "type": kind, "result": list }))
}
