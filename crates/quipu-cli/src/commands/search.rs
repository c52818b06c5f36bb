//! `quipu search`: prints spans that contain a text as they are found, newest first.

use crate::arguments::Search;
use crate::json;
use crate::open::open_indexed;
use crate::output::{Ink, Output, clean_line};
use crate::table::cut;
use anyhow::{Result, bail};
use quipu::Session;
use quipu::fold::Needle;
use quipu::format;
use quipu::protocol::{
    GetFile, GetLog, HitPage, HitQuery, ListHits, LogDetail, LogListQuery, MatchPlace, SearchHit, SearchProgress, SearchState,
};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Hits requested at once.
const PAGE: u32 = 100;
/// Duration of a search step, after which new hits are printed.
const STEP: Duration = Duration::from_millis(100);

/// Runs the search. Returns whether anything was found.
pub(crate) fn run(search: &Search, as_json: bool, output: &mut Output) -> Result<bool> {
    if search.text.is_empty() {
        bail!("The text to search for is empty.");
    }
    let text = format!("\"{}\"", search.text.replace('\\', "\\\\").replace('"', "\\\""));
    let filter = match &search.filter {
        Some(filter) => {
            super::check_filter(filter)?;
            format!("({filter}) {text}")
        }
        None => text,
    };
    let mut session = open_indexed(&search.file)?;
    let trace_id = search.trace.as_deref().map(|start| session.complete_trace_id(start)).transpose()?;
    let mut query = HitQuery { filter, trace_id, offset: 0, limit: 0 };
    list(&mut session, &query)?;
    if search.filter.is_some() {
        // Which traces match the rest of the filter may only be known at the end.
        session.run_search()?;
    }
    let most = search.limit.unwrap_or(u32::MAX);
    let mut note = Note { started: Instant::now(), shown: false };
    while query.offset < most {
        query.limit = PAGE.min(most - query.offset);
        let page = list(&mut session, &query)?;
        if !page.hits.is_empty() {
            note.clear();
        }
        for hit in &page.hits {
            if as_json {
                output.line(&json::hit(hit).to_string())?;
            } else {
                print(hit, output)?;
            }
        }
        query.offset = query.offset.saturating_add(u32::try_from(page.hits.len()).unwrap_or(u32::MAX));
        output.flush()?;
        if !page.hits.is_empty() {
            continue;
        }
        if page.total.is_some() || !session.has_search() {
            break;
        }
        let until = Instant::now() + STEP;
        if let Some(progress) = session.search_step(&mut || Instant::now() >= until) {
            if let SearchState::Failed(failure) = progress.state {
                note.clear();
                return Err(failure.into());
            }
            note.show(&progress);
        }
    }
    note.clear();
    let records = if search.trace.is_none() {
        records(&mut session, &query, &search.text, most.saturating_sub(query.offset), as_json, output)?
    } else {
        0
    };
    if query.offset == 0 && records == 0 {
        eprintln!("No span and no log record contains {}.", clean_line(&search.text));
    }
    Ok(query.offset > 0 || records > 0)
}

/// Prints the log records that contain the text and belong to no span, which the search through spans does not reach.
fn records(session: &mut Session, query: &HitQuery, text: &str, most: u32, as_json: bool, output: &mut Output) -> Result<u32> {
    if most == 0 || session.ask(GetFile)?.log_records.is_none_or(|records| records == 0) {
        return Ok(0);
    }
    let mut found = 0;
    let mut logs = LogListQuery { filter: query.filter.clone(), limit: PAGE, ..LogListQuery::default() };
    loop {
        let page = session.list_all_logs(&logs)?;
        for item in page.items.iter().filter(|item| item.span_name.is_none()).take((most - found) as usize) {
            let log = session.ask(GetLog(item.id))?;
            if as_json {
                output.line(&json::log(&log).to_string())?;
            } else {
                super::logs::print(item, output)?;
                print_match(&log, text, output)?;
            }
            found += 1;
        }
        logs.offset = logs.offset.saturating_add(PAGE);
        if page.items.is_empty() || found >= most {
            return Ok(found);
        }
    }
}

/// Prints the first value of a log record that contains the text, from a little before it on.
fn print_match(log: &LogDetail, text: &str, output: &mut Output) -> Result<()> {
    let Some(needle) = Needle::new(text) else { return Ok(()) };
    let values = log.attributes.iter().map(|attribute| (attribute.key.as_str(), attribute.text.raw.as_str()));
    let message = log.message.iter().map(|message| ("message", message.raw.as_str()));
    let found = message.chain(values).find_map(|(key, value)| Some((key, value, needle.find_all(value).next()?)));
    let Some((key, value, place)) = found else { return Ok(()) };
    let (before, rest) = value.split_at_checked(place.start).unwrap_or((value, ""));
    let (matched, after) = rest.split_at_checked(place.end - place.start).unwrap_or((rest, ""));
    let before = cut_front(clean_line(before).trim_start(), 40);
    let after = cut(&clean_line(after), output.width().saturating_sub(60));
    let key = output.ink(&format!("{}:", clean_line(key)), Ink::Faint);
    output.line(&format!("    {key} {before}{}{after}", output.ink(&clean_line(matched), Ink::Match)))
}

fn list(session: &mut Session, query: &HitQuery) -> Result<HitPage> {
    Ok(session.ask(ListHits(query.clone()))?)
}

/// Prints a hit on two lines: the span, and the match in its context.
fn print(hit: &SearchHit, output: &mut Output) -> Result<()> {
    let is_wide = output.width() >= 130;
    let start = hit.start.map_or_else(|| format::DASH.to_owned(), |at| at.civil(0));
    let trace: String = clean_line(&hit.trace_id).chars().take(if is_wide { usize::MAX } else { 12 }).collect();
    let start = format::cut_to_millis(&start).to_owned();
    let head = format!("{start}  {trace}  {}  ", clean_line(&hit.span_id));
    let place =
        place(&hit.first.place) + &if hit.more == 0 { String::new() } else { format!(" (and {} more)", format::count(hit.more.into())) };
    let left = output.width().saturating_sub(head.chars().count() + place.chars().count() + 2).max(12);
    let name = cut(&clean_line(&hit.name), left);
    let line = format!("{}{}  {}", output.ink(&head, Ink::Faint), output.ink(&name, Ink::Strong), output.ink(&place, Ink::Bar));
    output.line(&line)?;
    let width = output.width().saturating_sub(4);
    let matched = cut(&clean_line(&hit.first.matched), width);
    let room = width.saturating_sub(matched.chars().count());
    let (before, after) = (clean_line(&hit.first.before), clean_line(&hit.first.after));
    let before = cut_front(before.trim_start(), (room / 2).max(room.saturating_sub(after.chars().count())));
    let after = cut(after.trim_end(), room.saturating_sub(before.chars().count()));
    output.line(&format!("    {before}{}{after}", output.ink(&matched, Ink::Match)))
}

/// The last `width` characters of a string, with an ellipsis if it was cut.
fn cut_front(text: &str, width: usize) -> String {
    let surplus = text.chars().count().saturating_sub(width);
    if surplus == 0 { text.to_owned() } else { "…".chars().chain(text.chars().skip(surplus + 1)).take(width).collect() }
}

fn place(place: &MatchPlace) -> String {
    match place {
        MatchPlace::Name => "name".into(),
        MatchPlace::Attribute(key) if key.is_empty() => "attributes".into(),
        MatchPlace::Attribute(key) => clean_line(key),
        MatchPlace::Event { id, key: None } => format!("event {id}"),
        MatchPlace::Event { id, key: Some(key) } => format!("event {id} {}", clean_line(key)),
    }
}

/// Progress line, shown on a terminal if the search takes more than a second.
struct Note {
    started: Instant,
    shown: bool,
}

impl Note {
    fn show(&mut self, progress: &SearchProgress) {
        if self.started.elapsed() > Duration::from_secs(1) && std::io::stderr().is_terminal() {
            self.shown = true;
            let (done, all) = (format::count(progress.spans), format::count(progress.spans_expected));
            eprint!("\r\u{1b}[KSearched: {done} of {all} spans, {} of text", format::bytes(progress.bytes));
            let _ = std::io::stderr().flush();
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprint!("\r\u{1b}[K");
        }
    }
}
