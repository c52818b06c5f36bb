//! Pushes the samples to a real Arize Phoenix and checks that it stored every span as in the file.
//!
//! Phoenix is installed from PyPI into `target/phoenix` (Python 3 with venv; a gigabyte), unless the variable `PHOENIX` names its program.

#![expect(clippy::indexing_slicing, reason = "a part that an answer lacks is null")]

use anyhow::{Context, Result, ensure};
use quipu_tests::Scratch;
use quipu_tests::fixtures::{open_as_it_lies, repository, target};
use quipu_tests::http::get;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const FILES: [&str; 2] = ["samples/agent_0.2.15.db", "samples/metrics_0.2.23.db"];

fn main() -> Result<()> {
    let phoenix = Phoenix::start(installed()?)?;
    let mut expected = BTreeMap::new();
    for file in FILES.map(|file| repository().join(file)) {
        let endpoint = format!("http://127.0.0.1:{}", phoenix.port);
        let mut push = Command::new("cargo");
        push.args(["run", "--quiet", "--package", "quipu-cli", "--", "push"]).arg(&file).args(["--endpoint", &endpoint, "--restart"]);
        ensure!(push.status().context("cargo does not start.")?.success(), "{} was not pushed.", file.display());
        expected.append(&mut rows(&open_as_it_lies(&file)?)?);
    }
    let found = phoenix.spans(expected.len())?;
    for (id, row) in &expected {
        let span = found.get(id).with_context(|| format!("Phoenix has no span {id}."))?;
        ensure!(span == row, "Span {id} is another one in Phoenix.\nthere: {span}\nin the file: {row}");
    }
    ensure!(found.len() == expected.len(), "Phoenix has {} spans, and was sent {}.", found.len(), expected.len());
    println!("{} spans are in Phoenix as they are in {}.", found.len(), FILES.join(" and "));
    Ok(())
}

/// The spans of a file by id, with their events.
fn rows(file: &Connection) -> Result<BTreeMap<String, Value>> {
    let json = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_default();
    let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut statement = file.prepare("SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY id")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let event = json!({ "name": row.get::<_, String>(1)?, "timestamp": row.get::<_, String>(2)?, "attributes": json(row.get(3)?) });
        events.entry(row.get(0)?).or_default().push(event);
    }
    let sql = "SELECT span_id, trace_id, parent_span_id, name, start_time, end_time, status, attributes FROM spans";
    let mut statement = file.prepare(sql)?;
    let spans = statement.query_map([], |row| {
        let id: String = row.get(0)?;
        let span = json!({
            "trace_id": row.get::<_, String>(1)?, "parent_id": row.get::<_, Option<String>>(2)?, "name": row.get::<_, String>(3)?,
            "start_time": row.get::<_, String>(4)?, "end_time": row.get::<_, String>(5)?, "status_code": row.get::<_, String>(6)?,
            "attributes": json(row.get(7)?), "events": events.remove(&id).unwrap_or_default(),
        });
        Ok((id, span))
    })?;
    Ok(spans.collect::<Result<_, _>>()?)
}

/// The path of Phoenix' program.
fn installed() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("PHOENIX") {
        return Ok(program.into());
    }
    let folder = target().join("phoenix");
    let program = folder.join("bin/phoenix");
    if !program.exists() {
        println!("Installing Arize Phoenix into {}; this takes some minutes.", folder.display());
        let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).status().context("python3 does not start.")?;
        ensure!(made.success(), "python3 -m venv failed; Debian's package is python3-venv.");
        let installed = Command::new(folder.join("bin/pip")).args(["install", "--quiet", "arize-phoenix"]).status()?;
        ensure!(installed.success(), "pip did not install arize-phoenix.");
    }
    Ok(program)
}

/// An empty Phoenix, killed on drop.
struct Phoenix {
    process: Child,
    port: u16,
    _folder: Scratch,
}

impl Phoenix {
    fn start(program: PathBuf) -> Result<Phoenix> {
        let folder = Scratch::new()?;
        let free = || anyhow::Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port());
        let (port, grpc) = (free()?, free()?);
        let mut command = Command::new(&program);
        command.arg("serve").env("PHOENIX_WORKING_DIR", folder.path()).env("PHOENIX_HOST", "127.0.0.1");
        command.env("PHOENIX_PORT", port.to_string()).env("PHOENIX_GRPC_PORT", grpc.to_string()).env("PHOENIX_TELEMETRY_ENABLED", "false");
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.with_context(|| format!("{} does not start.", program.display()))?;
        let phoenix = Phoenix { process, port, _folder: folder };
        let patience = Instant::now() + Duration::from_secs(120);
        while get(phoenix.port, "/healthz").is_err() {
            ensure!(Instant::now() < patience, "Phoenix does not answer on port {port}.");
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(phoenix)
    }

    /// Its spans by id, once there are `count`: it processes them after answering.
    fn spans(&self, count: usize) -> Result<BTreeMap<String, Value>> {
        let patience = Instant::now() + Duration::from_secs(120);
        loop {
            let (mut spans, mut cursor) = (BTreeMap::new(), String::new());
            loop {
                let page: Value = serde_json::from_str(&get(self.port, &format!("/v1/projects/default/spans?limit=500{cursor}"))?)?;
                // There is no project before the first span.
                for span in page["data"].as_array().into_iter().flatten() {
                    let keys = ["parent_id", "name", "start_time", "end_time", "status_code", "attributes", "events"];
                    let mut kept: serde_json::Map<String, Value> =
                        keys.map(|key| (key.to_owned(), span[key].clone())).into_iter().collect();
                    kept.insert("trace_id".into(), span["context"]["trace_id"].clone());
                    spans.insert(span["context"]["span_id"].as_str().unwrap_or_default().to_owned(), Value::Object(kept));
                }
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            if spans.len() >= count {
                return Ok(spans);
            }
            ensure!(Instant::now() < patience, "Phoenix has {} of {count} spans.", spans.len());
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

impl Drop for Phoenix {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
