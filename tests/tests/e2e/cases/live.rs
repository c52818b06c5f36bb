//! The page that `quipu serve` serves, over a file that another program goes on writing.

use super::metrics;
use crate::expected;
use crate::harness::{Case, Stage, cases};
use crate::site::Site;
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT, EVENTS, Fixture, METRICS};
use rusqlite::Connection;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) const CASES: &[Case] = cases![
    a_served_file_is_shown_without_a_worker,
    what_is_written_meanwhile_appears_in_the_list_and_waits_while_a_trace_is_read,
    another_file_can_be_opened_and_left_again,
    metrics_of_a_served_file_lead_to_its_spans,
    a_served_file_is_asked_in_sql_as_it_grows,
    eight_tabs_of_a_served_file_list_their_traces,
    pages_elsewhere_cause_nothing_at_a_served_file_and_a_collector,
];

/// A running `quipu serve`; it goes with its owner.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(file: &Path) -> Result<Server> {
        Server::run(Command::new(command()?).arg("serve").arg(file))
    }

    fn run(command: &mut Command) -> Result<Server> {
        let mut process = command.args(["--listen", "127.0.0.1:0"]).env_remove("QUIPU_TOKEN").stderr(Stdio::piped()).spawn()?;
        let mut errors = BufReader::new(process.stderr.take().context("A pipe.")?);
        let mut said = String::new();
        errors.read_line(&mut said)?;
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        let at = said.find("http://").with_context(|| format!("The command does not print where it listens: {said}"))?;
        let url = said[at..].split_whitespace().next().unwrap_or_default();
        Ok(Server { process, url: format!("{}/", url.trim_end_matches('/')) })
    }
}

/// The command that `cargo xtask e2e` builds.
fn command() -> Result<OsString> {
    std::env::var_os("QUIPU_E2E_COMMAND").context("QUIPU_E2E_COMMAND names no command; `cargo xtask e2e` builds it.")
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves a copy of the sample, and opens it in the browser.
async fn serve(stage: &Stage) -> Result<(Server, Connection)> {
    let served = serve_at(stage, &AGENT, "").await?;
    stage.page.wait_list().await?;
    Ok(served)
}

/// Serves a copy of the fixture, and opens this address of it in the browser. The connection is another program's.
async fn serve_at(stage: &Stage, fixture: &Fixture, fragment: &str) -> Result<(Server, Connection)> {
    let file = fixture.copy(&stage.scratch, false)?;
    let server = Server::start(&file)?;
    stage.page.load_from(&format!("{}{fragment}", server.url)).await?;
    let connection = Connection::open(&file)?;
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    Ok((server, connection))
}

/// Writes a trace of two spans, later than all others.
fn write_trace(connection: &Connection, letter: &str) -> Result<String> {
    let (trace_id, root, child) = (letter.repeat(32), letter.repeat(16), format!("{}0", letter.repeat(15)));
    connection.execute_batch(&format!(
        "BEGIN;
         INSERT INTO traces (trace_id, service_name, root_span_id, start_time, end_time)
             VALUES ('{trace_id}', 's', '{root}', '2027-01-05T10:00:00+00:00', '2027-01-05T10:00:02+00:00');
         INSERT INTO spans (span_id, trace_id, parent_span_id, name, start_time, end_time, attributes, status, kind) VALUES
             ('{root}', '{trace_id}', NULL, 'a late request', '2027-01-05T10:00:00+00:00', '2027-01-05T10:00:02+00:00', '{{}}', 'OK', 'INTERNAL'),
             ('{child}', '{trace_id}', '{root}', 'a late step', '2027-01-05T10:00:01+00:00', '2027-01-05T10:00:02+00:00', '{{}}', 'OK', 'INTERNAL');
         COMMIT;"
    ))?;
    Ok(trace_id)
}

async fn a_served_file_is_shown_without_a_worker(stage: &Stage) -> Result<()> {
    let (server, connection) = serve(stage).await?;
    let page = &stage.page;
    page.wait_idle().await?;
    ensure!(page.trace_set().await? == fixtures::trace_ids(&connection)?.into_iter().collect(), "All traces are listed, and no others.");
    let (trace_id, spans) =
        expected::timelines(&connection)?.into_iter().max_by_key(|(_, spans)| spans.len()).context("The sample has traces.")?;
    page.open_trace(&trace_id).await?;
    ensure!(page.timeline().await? == spans, "Its timeline has its spans.");
    let (span_id, ..) = spans.iter().next().context("A span.")?;
    page.select_span(span_id).await?;
    ensure!(page.panel_text().await?.contains(span_id), "The panel shows the span.");
    let workers =
        page.evaluate("return performance.getEntriesByType('resource').filter((e) => e.name.includes('quipu-worker')).length").await?;
    ensure!(workers == 0, "No worker was loaded: {workers}");
    page.screenshot("served_trace").await?;
    // The address leads to the same place in a fresh page.
    let address = page.url().await?;
    ensure!(address.starts_with(&server.url), "{address}");
    page.load_from(&format!("{}?again{}", server.url, &address[address.find('#').context("A fragment.")?..])).await?;
    page.wait_timeline().await?;
    ensure!(page.timeline().await? == spans, "The address opens the same view.");
    page.go_to_list().await?;
    page.filter("\"boston\"").await?;
    page.wait_searched().await?;
    let holding = "SELECT DISTINCT trace_id FROM spans WHERE lower(name || coalesce(attributes, '')) LIKE '%boston%'
        OR span_id IN (SELECT span_id FROM span_events WHERE lower(name || coalesce(attributes, '')) LIKE '%boston%')";
    ensure!(page.trace_set().await? == fixtures::texts(&connection, holding)?.into_iter().collect(), "Texts can be searched.");
    page.leave().await
}

async fn what_is_written_meanwhile_appears_in_the_list_and_waits_while_a_trace_is_read(stage: &Stage) -> Result<()> {
    let (_server, connection) = serve(stage).await?;
    let page = &stage.page;
    page.wait_idle().await?;
    let first = write_trace(&connection, "a")?;
    page.wait_trace(&first).await?;
    ensure!(page.trace_set().await? == fixtures::trace_ids(&connection)?.into_iter().collect(), "The list equals the file.");
    page.open_trace(&first).await?;
    let shown = page.timeline().await?;
    ensure!(shown.len() == 2, "The new trace has its spans: {shown:?}");
    let second = write_trace(&connection, "b")?;
    let notice = page.wait_growth().await?;
    ensure!(notice.contains("has grown: 2 more spans."), "{notice}");
    page.screenshot("served_growth").await?;
    ensure!(page.timeline().await? == shown, "The open trace stays as it was.");
    page.show_growth().await?;
    page.wait_timeline().await?;
    page.go_to_list().await?;
    page.wait_trace(&second).await?;
    ensure!(page.trace_set().await? == fixtures::trace_ids(&connection)?.into_iter().collect(), "The list equals the file.");
    // Whoever has scrolled down reads on until they choose.
    let third = write_trace(&connection, "c")?;
    page.wait_growth().await?;
    page.show_growth().await?;
    ensure!(page.trace_set().await?.contains(&third), "The third trace is listed.");
    page.leave().await
}

async fn another_file_can_be_opened_and_left_again(stage: &Stage) -> Result<()> {
    let (_server, connection) = serve(stage).await?;
    let page = &stage.page;
    page.wait_idle().await?;
    page.open_traces(&[EVENTS.path()]).await?;
    let (_scratch, other) = EVENTS.open()?;
    ensure!(page.trace_set().await? == fixtures::trace_ids(&other)?.into_iter().collect(), "The dropped file's traces are listed.");
    page.back().await?;
    let some = fixtures::trace_ids(&connection)?.pop().context("A trace.")?;
    page.wait_title(AGENT.file_name()).await?;
    page.wait_idle().await?;
    ensure!(page.trace_set().await?.contains(&some), "The served file's traces are listed again.");
    page.leave().await
}

async fn metrics_of_a_served_file_lead_to_its_spans(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let (server, _connection) = serve_at(stage, &METRICS, "#v1/metrics").await?;
    page.metrics().wait().await?;
    page.screenshot("served_metrics").await?;
    metrics::check_tables(stage).await?;
    page.load_from(&format!("{}?again#v1/metrics", server.url)).await?;
    page.metrics().wait().await?;
    metrics::check_promql(stage).await?;
    page.leave().await
}

async fn a_served_file_is_asked_in_sql_as_it_grows(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let (_server, connection) = serve_at(stage, &AGENT, "#v1/sql").await?;
    page.sql().wait_editor().await?;
    const QUERY: &str = "SELECT route, count(*) FROM requests GROUP BY route ORDER BY 2 DESC, 1 LIMIT 3";
    const PLAIN: &str = "SELECT name || ' ' || count(*) FROM spans WHERE json_extract(attributes, '$.__root__') GROUP BY name
        ORDER BY count(*) DESC, name LIMIT 3";
    page.sql().run(QUERY).await?;
    let cells = page.sql().cells().await?;
    let shown: Vec<String> = cells.chunks(2).map(|row| row.join(" ")).collect();
    ensure!(shown == fixtures::texts(&connection, PLAIN)?, "Requests by name: {shown:?}");
    page.sql().run("SELECT * FROM nowhere").await?;
    ensure!(page.text().await?.contains("no such table: nowhere"), "The page says what is wrong.");
    const COUNT: &str = "SELECT count(*) FROM spans";
    let before = fixtures::number(&connection, COUNT)?;
    write_trace(&connection, "d")?;
    page.sql().run(COUNT).await?;
    let after = page.sql().cells().await?;
    ensure!(after == [(before + 2).to_string()], "The file has {before} spans and two more, and the answer is {after:?}.");
    page.screenshot("served_sql").await?;
    page.leave().await
}

async fn eight_tabs_of_a_served_file_list_their_traces(stage: &Stage) -> Result<()> {
    let (server, connection) = serve(stage).await?;
    let traces = fixtures::number(&connection, "SELECT count(DISTINCT trace_id) FROM spans")? as usize;
    for tab in 2..=8 {
        stage.page.open_window().await?;
        stage.page.load_from(&server.url).await?;
        stage.page.wait_list().await.with_context(|| format!("Tab {tab} lists nothing."))?;
    }
    ensure!(traces > 0 && !stage.page.trace_set().await?.is_empty(), "The last tab lists traces.");
    // They would miss the server when it ends.
    stage.page.close_other_windows().await?;
    stage.page.leave().await
}

async fn pages_elsewhere_cause_nothing_at_a_served_file_and_a_collector(stage: &Stage) -> Result<()> {
    let (server, _connection) = serve(stage).await?;
    let file = stage.scratch.path().join("collected.db");
    let collector = Server::run(Command::new(command()?).arg("collect").arg("--db").arg(&file))?;
    let elsewhere = Site::canary()?;
    stage.page.visit(&elsewhere.url()).await?;
    stage.page.try_servers(&server.url, &collector.url).await?;
    let refused = stage.page.console_errors().await?;
    ensure!(refused.iter().all(|error| error.contains("403") || error.contains("CORS") || error.contains("ERR_FAILED")), "{refused:?}");
    // A server that had begun the queries would refuse this one.
    let port = |server: &Server| server.url.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok()).context("A port.");
    let labels = quipu_tests::http::get(port(&server)?, "/api/v1/labels")?;
    ensure!(labels.contains("success"), "{labels}");
    quipu_tests::http::get(port(&collector)?, "/metrics")?;
    let collected = Connection::open(&file)?;
    ensure!(fixtures::number(&collected, "SELECT count(*) FROM spans")? == 0, "A page elsewhere wrote a span.");
    Ok(())
}
