//! `quipu push`: sends a file to an OpenTelemetry collector in requests of bounded size. An interrupted push can be resumed.
//!
//! `quipu` encodes the requests, `quipu-telemetry` sends them.

mod resume;
mod unattached;

use super::share::{print_removed, read_kinds, warn_of_keys};
use crate::arguments::{Push, PushSignal};
use crate::open::{Shown, open_indexed};
use crate::output::{Output, WrongCommandLine, clean_line};
use anyhow::{Result, bail};
use quipu::format::counted;
use quipu::protocol::{PrivateKind, RedactOptions};
use quipu::transfer::ExportAnswer;
use quipu::{Outgoing, PieceSize, PushCursor, Selection, Session, UnattachedSignal};
use quipu_telemetry::config::ConfigError;
use quipu_telemetry::otlp::{Client, SendError, Settings, Signal};
use resume::{Delivered, ResumeFile};
use serde_json::json;
use std::time::{Duration, Instant};

/// Approximate bytes per request; collectors reject requests of some tens of megabytes.
const PIECE_BYTES: usize = 4 << 20;
/// Number of retries before a push fails. With the backoff this is more than half a minute once the collector has accepted a request, and
/// about two seconds before.
const PAUSES: usize = 7;
const PAUSES_AT_FIRST: usize = 2;

/// Warning if the stored progress does not fit the file.
const OTHER_FILE: &str = "Stored progress belongs to a different file; everything is sent again.";

/// Totals of what was sent.
#[derive(Default)]
struct Sent {
    entries: u64,
    requests: u64,
    refused: u64,
    why: Option<String>,
}

/// Runs the command. Returns whether the collector accepted everything.
pub(crate) fn run(push: &Push, as_json: bool, output: &mut Output) -> Result<bool> {
    let wants = |signal| push.signals.contains(&signal);
    if !push.traces.is_empty() && push.signals.iter().any(|signal| *signal != PushSignal::Traces) {
        bail!(WrongCommandLine("--trace only applies to --signal traces: metrics and loose log records belong to no trace.".into()));
    }
    let redact = read_kinds(push.redact.as_deref())?;
    if push.resume.is_some() && removes_ids(redact) {
        bail!(WrongCommandLine(
            "--resume can't be combined with a --redact that removes ids: pseudonyms are numbered anew in each run.".into()
        ));
    }
    let mut outgoing = Outgoing::new(redact);
    let client = |signal| Client::new(settings(push, signal)?).map_err(wrong);
    let traces_to = wants(PushSignal::Traces).then(|| client(Signal::Traces)).transpose()?;
    let metrics_to = wants(PushSignal::Metrics).then(|| client(Signal::Metrics)).transpose()?;
    let logs_to = wants(PushSignal::Logs).then(|| client(Signal::Logs)).transpose()?;
    let mut session = open_indexed(&push.file)?;
    let mut everything_taken = true;
    let mut answers = serde_json::Map::new();
    if let Some(client) = traces_to {
        let (sent, before, left_out) = traces(push, &mut session, &client, redact, &mut outgoing)?;
        everything_taken &= sent.refused == 0 && left_out == 0;
        let counts = json!({ "url": client.url(), "spans": sent.entries, "spans_before": before, "requests": sent.requests,
            "refused": sent.refused, "left_out": left_out });
        answers.insert("traces".into(), counts);
        if !as_json {
            print_summary(output, &client, &sent, ["span", "spans"], before)?;
            if left_out > 0 {
                let spans = counted(Some(left_out), "span", "spans");
                output.line(&format!("{spans} not sent: OTLP requires hexadecimal trace ids of 16 bytes and span ids of 8 bytes."))?;
            }
        }
    }
    let mut unattached_of = Vec::new();
    if let Some(client) = metrics_to {
        let sent = metrics(push, &mut session, &client, &mut outgoing)?;
        unattached_of.push((client, UnattachedSignal::Points, sent));
    }
    unattached_of.extend(logs_to.map(|client| (client, UnattachedSignal::Logs, Sent::default())));
    for (client, which, mut sent) in unattached_of {
        let before = unattached::push(push, &session, &client, which, &mut outgoing, &mut sent)?;
        everything_taken &= sent.refused == 0;
        let entries = unattached::key(which);
        let counts = json!({ "url": client.url(), entries: sent.entries, format!("{entries}_before"): before, "requests": sent.requests,
            "refused": sent.refused });
        answers.insert(unattached::signal(which).label().into(), counts);
        if !as_json {
            print_summary(output, &client, &sent, unattached::words(which), before)?;
        }
    }
    if as_json {
        output.line(&format!("{:#}", serde_json::Value::Object(answers)))?;
    } else if push.traces.is_empty() {
        for (signal, which) in [(PushSignal::Metrics, UnattachedSignal::Points), (PushSignal::Logs, UnattachedSignal::Logs)] {
            if let (false, Some((count, _))) = (wants(signal), session.remaining_after(which, 0)?) {
                let ([one, many], name) = (unattached::words(which), unattached::signal(which).label());
                output.line(&format!("The file also contains {}; use --signal {name} to send them.", counted(Some(count), one, many)))?;
            }
        }
    }
    output.flush()?;
    print_removed(&outgoing.report());
    Ok(everything_taken)
}

/// Whether ids become pseudonyms, which differ from run to run.
fn removes_ids(redact: Option<RedactOptions>) -> bool {
    redact.is_some_and(|redact| redact.take_out.has(PrivateKind::Ids))
}

/// Reports a configuration error as a wrong command line.
fn wrong(error: ConfigError) -> anyhow::Error {
    WrongCommandLine(error.to_string()).into()
}

fn settings(push: &Push, signal: Signal) -> Result<Settings> {
    let lookup = |name: &str| std::env::var(name).ok();
    let settings = match &push.endpoint {
        Some(endpoint) => Settings::to_endpoint(signal, "--endpoint", endpoint, &lookup),
        None => Settings::from_env(signal, None, &lookup),
    };
    let mut settings = settings.map_err(wrong)?;
    for header in &push.headers {
        settings.add_header("--header", header).map_err(wrong)?;
    }
    settings.gzip |= push.gzip;
    Ok(settings)
}

/// Sends the spans. Also returns how many were sent by earlier runs, and how many could not be sent.
fn traces(
    push: &Push,
    session: &mut Session,
    client: &Client,
    redact: Option<RedactOptions>,
    outgoing: &mut Outgoing,
) -> Result<(Sent, u64, u64)> {
    let ids = push.traces.iter().map(|id| session.complete_trace_id(id)).collect::<Result<Vec<_>, _>>()?;
    let selection = if ids.is_empty() { Selection::All } else { Selection::Traces(&ids) };
    warn_of_keys(session, selection, redact)?;
    let file = ResumeFile::choose(push.resume.as_deref(), Signal::Traces, &push.file, client.url(), &ids).filter(|_| !removes_ids(redact));
    let mut delivered = resume::delivered(file.as_ref(), push.restart)?;
    let mut place = delivered.as_ref().map(|found| PushCursor { rowid: found.rowid, span_id: found.fingerprint.clone() });
    let mut rest = session.spans_after(selection, place.as_ref())?;
    if rest.is_none() {
        eprintln!("{OTHER_FILE}");
        (delivered, place) = (None, None);
        rest = session.spans_after(selection, None)?;
    }
    let before = delivered.map_or(0, |delivered| delivered.entries);
    let whole = before + rest.unwrap_or(0);
    let size = PieceSize { entries: push.batch as usize, bytes: PIECE_BYTES };
    let (mut sent, mut left_out, mut sender) = (Sent::default(), 0, Sender::new(client));
    let outcome = session.each_redacted_traces_piece::<anyhow::Error>(selection, place.as_ref(), size, outgoing, &mut |piece| {
        if piece.spans > 0 {
            let so_far = before + sent.entries;
            sent.take(piece.spans, sender.send(&piece.request, &|rate| progress(so_far, whole, "spans", rate))?);
            sender.delivered += piece.spans;
        }
        left_out += piece.left_out;
        match &file {
            Some(file) => {
                let PushCursor { rowid, span_id } = piece.last;
                file.write(&Delivered { rowid, fingerprint: span_id, entries: before + sent.entries + left_out })
            }
            None => Ok(()),
        }
    });
    drop(sender);
    if let Err(error) = outcome {
        let so_far = before + sent.entries;
        let again = if file.is_some() && so_far > 0 { " Run the same command again to continue." } else { "" };
        bail!("{error:#} {so_far} of {} were sent.{again}", counted(Some(whole), "span", "spans"));
    }
    if let Some(file) = &file {
        file.done();
    }
    Ok((sent, before, left_out))
}

fn metrics(push: &Push, session: &mut Session, client: &Client, outgoing: &mut Outgoing) -> Result<Sent> {
    let (mut sent, mut sender) = (Sent::default(), Sender::new(client));
    let size = PieceSize { entries: push.batch as usize, bytes: PIECE_BYTES };
    session.each_redacted_metrics_piece::<anyhow::Error>(size, outgoing, &mut |piece| {
        let so_far = sent.entries;
        sent.take(
            piece.points,
            sender.send(&piece.request, &|_| format!("Pushing: {} sent", counted(Some(so_far), "metric point", "metric points")))?,
        );
        sender.delivered += piece.points;
        Ok(())
    })?;
    Ok(sent)
}

fn progress(so_far: u64, whole: u64, what: &str, rate: f64) -> String {
    let rate = if rate > 0.0 { format!(", {rate:.0}/s") } else { String::new() };
    format!("Pushing: {so_far} of {whole} {what}{rate}")
}

impl Sent {
    fn take(&mut self, entries: u64, answer: ExportAnswer) {
        self.entries += entries;
        self.requests += 1;
        self.refused += answer.rejected;
        self.why = self.why.take().or(answer.message);
    }
}

/// Sends requests one after the other and shows progress.
struct Sender<'c> {
    client: &'c Client,
    shown: Shown,
    start: Instant,
    delivered: u64,
}

impl<'c> Sender<'c> {
    fn new(client: &'c Client) -> Sender<'c> {
        Sender { client, shown: Shown::new(), start: Instant::now(), delivered: 0 }
    }

    /// Sends a request with retries. `progress` formats the progress line, given the rate in entries per second.
    fn send(&mut self, request: &[u8], progress: &dyn Fn(f64) -> String) -> Result<ExportAnswer> {
        let seconds = self.start.elapsed().as_secs_f64();
        self.shown.show(|| progress(if seconds > 0.0 { self.delivered as f64 / seconds } else { 0.0 }));
        let mut pauses = if self.delivered == 0 { PAUSES_AT_FIRST } else { PAUSES };
        let shown = &mut self.shown;
        let mut wait = |pause: Duration, error: &SendError| {
            if pauses == 0 {
                return false;
            }
            pauses -= 1;
            shown.now(|| format!("{} Trying again in {:.0} s.", error.why, pause.as_secs_f64().ceil()));
            std::thread::sleep(pause);
            true
        };
        Ok(self.client.send(request, &mut wait)?)
    }
}

/// Prints the summary at the end.
fn print_summary(output: &mut Output, client: &Client, sent: &Sent, [one, many]: [&str; 2], before: u64) -> Result<()> {
    let what = counted(Some(sent.entries), one, many);
    let requests = counted(Some(sent.requests), "request", "requests");
    let url = clean_line(client.url());
    let before = if before > 0 {
        format!("; {} {} sent before", counted(Some(before), one, many), if before == 1 { "was" } else { "were" })
    } else {
        String::new()
    };
    output.line(&format!("{what} sent to {url} in {requests}{before}."))?;
    if sent.refused > 0 {
        let why = sent.why.as_deref().map_or_else(|| "no reason given.".into(), clean_line);
        output.line(&format!("{} rejected by the collector: {why}", counted(Some(sent.refused), one, many)))?;
    } else if let Some(words) = &sent.why {
        output.line(&format!("Message from the collector: {}", clean_line(words)))?;
    }
    Ok(())
}
