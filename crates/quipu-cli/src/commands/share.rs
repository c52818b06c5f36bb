//! `quipu export --markdown` and `--link`: a redacted trace for sharing.
//!
//! Redaction and packing are in `quipu::share`.

use crate::arguments::Export;
use crate::open::{new_file, open_indexed};
use crate::output::{Output, WrongCommandLine};
use anyhow::{Context, Result, bail};
use quipu::address::{ViewState, carrying_fragment};
use quipu::format::{bytes, count, counted};
use quipu::protocol::{KindSet, PrivateKind, RedactOptions, RedactReport};
use quipu::protocol::{MakeShare, ShareForm, ShareOptions, ShareWhat, Shared};
use quipu::share::payload::{Form, deflated, next_limit, seal, taken_by};
use quipu::{Selection, Session};
use std::io::Write;

pub(crate) fn run(export: &Export, output: &mut Output) -> Result<()> {
    let redact = redact_options(export)?.unwrap_or_default();
    let redact = RedactOptions { shift_times: export.relative_times, ..redact };
    let mut session = open_indexed(&export.file)?;
    let ids = export.traces.iter().map(|id| session.complete_trace_id(id)).collect::<Result<Vec<_>, _>>()?;
    let what = ShareWhat::Traces(ids);
    let (text, shared) = if export.markdown {
        let options = ShareOptions { redact, leave_out_over: None };
        let form = ShareForm::Markdown { tokens: export.tokens };
        let shared = session.ask(MakeShare { what, options, form, span_id: None })?;
        (String::from_utf8_lossy(&shared.bytes).into_owned(), shared)
    } else {
        let (link, shared) = link(&mut session, &what, redact, export)?;
        (link + "\n", shared)
    };
    match &export.output {
        None => output.text(&text)?,
        Some(path) => new_file(path)?.write_all(text.as_bytes()).with_context(|| format!("{} can't be written", path.display()))?,
    }
    // The report goes to standard error, so that it does not end up in the output.
    output.flush()?;
    print_report(&shared, export.link.then_some(text.trim_end().len()));
    Ok(())
}

/// The redaction options; `None` if none were given.
pub(super) fn redact_options(export: &Export) -> Result<Option<RedactOptions>> {
    match read_kinds(export.redact.as_deref())? {
        None => Ok(export
            .relative_times
            .then_some(RedactOptions { take_out: KindSet::NONE, shift_times: true })
            .filter(|_| export.db.is_some())),
        Some(options) => Ok(Some(RedactOptions { shift_times: export.relative_times, ..options })),
    }
}

/// The kinds given with `--redact`; `None` if it was not given.
pub(super) fn read_kinds(kinds: Option<&str>) -> Result<Option<RedactOptions>> {
    let Some(kinds) = kinds else { return Ok(None) };
    match KindSet::parse(kinds) {
        Ok(take_out) => Ok(Some(RedactOptions { take_out, shift_times: false })),
        Err(word) => {
            let names: Vec<&str> = PrivateKind::ALL.into_iter().map(PrivateKind::name).collect();
            bail!(WrongCommandLine(format!("--redact: unknown kind {word:?}; use {}, structure, or none.", names.join(", "))))
        }
    }
}

/// Warns if a selection that leaves as it is holds what looks like keys.
pub(super) fn warn_of_keys(session: &mut Session, selection: Selection<'_>, redact: Option<RedactOptions>) -> Result<()> {
    if redact.is_none() {
        let found = session.count_keys(selection)?;
        warn_of(found.values, found.is_complete);
    }
    Ok(())
}

/// Warns if `values` look like keys.
pub(super) fn warn_of(values: u32, is_complete: bool) {
    if values > 0 {
        let least = if is_complete { "" } else { "At least " };
        let verbs = if values == 1 { ["looks like a key or password", "it"] } else { ["look like keys or passwords", "them"] };
        eprintln!("{least}{} {}; --redact secrets removes {}.", counted(Some(values.into()), "value", "values"), verbs[0], verbs[1]);
    }
}

/// Makes the link, omitting large values until it fits `--limit`.
fn link(session: &mut Session, what: &ShareWhat, redact: RedactOptions, export: &Export) -> Result<(String, Shared)> {
    let base = export.base.as_deref().unwrap_or_default();
    let base = base.split_once('#').map_or(base, |(base, _)| base);
    let mut leave_out_over = None;
    loop {
        let options = ShareOptions { redact, leave_out_over };
        let shared = session.ask(MakeShare { what: what.clone(), options, form: ShareForm::Columns, span_id: None })?;
        let letters = seal(&deflated(&shared.bytes), Form::Deflated);
        let fragment = carrying_fragment(&ViewState::default(), shared.trace_id.as_deref().unwrap_or_default(), None, &letters, None);
        let link = format!("{base}{fragment}");
        let Some(limit) = export.limit.filter(|limit| link.len() > *limit) else { return Ok((link, shared)) };
        leave_out_over = match next_limit(leave_out_over) {
            Some(next) => Some(next),
            None => bail!(
                "The shortest link has {} characters, which is more than {}, even without long values. Remove more with --redact, or export a \
                 file with --db.",
                count(link.len() as u64),
                count(limit as u64)
            ),
        };
    }
}

/// Says what was taken out.
pub(super) fn print_removed(report: &RedactReport) {
    for kind in report.kinds.iter().filter(|kind| kind.taken_out) {
        eprintln!("{}: removed from {}", kind.kind.title(), counted(Some(kind.places.into()), "place", "places"));
    }
}

pub(super) fn print_report(shared: &Shared, letters: Option<usize>) {
    print_removed(&shared.report);
    if shared.left_out.values > 0 {
        let values = counted(Some(shared.left_out.values.into()), "value", "values");
        eprintln!("Omitted to fit: {values}, {} in total", bytes(shared.left_out.bytes));
    }
    if let Some(letters) = letters {
        let takers: Vec<&str> = taken_by(letters).filter(|(_, takes)| *takes).map(|(limit, _)| limit.name).collect();
        let takers = if takers.is_empty() { "no known program".to_owned() } else { takers.join(", ") };
        eprintln!("{} characters; a link of this length works in {takers}.", count(letters as u64));
    }
}
