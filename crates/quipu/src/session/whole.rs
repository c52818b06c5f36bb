//! Part of a file in Quipu's own layout with everything that is recorded about it, to be redacted and written again.
//!
//! Not here: redaction (`share`), and rows of the reference's three tables (`recording`).

use super::full::{LogEvents, Sources, text_bytes};
use super::recording::too_much;
use super::{Selection, Session};
use crate::transfer::more;
use quipu_model::recorded::{json_text, parse_json};
use quipu_model::{LogRecord, MetricPoint, RecordedTime, Value, WholeRows, reference_time};
use quipu_otlp::FullSpan;
use quipu_protocol::Failure;
use quipu_store::{
    Added, Copied, LogsOf, OwnEvent, OwnSpan, OwnTrace, RowsAfter, Writer, log_record, logs_after, logs_of_span, logs_of_trace,
    points_after, trace_record,
};
use std::collections::HashMap;

/// Log records and metric points are read in pieces, so that the deadline holds for each.
const PIECE: RowsAfter = RowsAfter { id: 0, rows: 1_000, bytes: 4 << 20 };

impl Session {
    /// A part of the file. Log records come with their span, those without one with their trace; metric points belong to no trace, and come
    /// with the whole file.
    ///
    /// # Errors
    /// When a trace or span does not exist, when the texts exceed `max_bytes` in total, and when the file can't be read.
    pub(super) fn whole_rows(&mut self, selection: Selection<'_>, max_bytes: usize) -> Result<WholeRows, Failure> {
        self.complete_index()?;
        let (traces, span_rows) = self.selected(selection)?;
        let (database, index) = (&self.database, &self.index);
        let (connection, schema) = (database.connection(), database.schema());
        let mut rows = WholeRows::default();
        let mut reading = Reading { sources: Sources::new(), places: HashMap::new(), bytes: 0, max_bytes };
        for rowid in traces.iter().filter_map(|trace| index.trace_rowid(*trace)) {
            rows.recording.traces.extend(database.bounded(|| trace_record(connection, schema, rowid))?);
        }
        for row in span_rows {
            let Some(full) = self.full_span(row, LogEvents::LeftOut, &mut reading.sources)? else { continue };
            reading.hold(text_bytes(&full))?;
            let FullSpan { span, events, mut extra, .. } = full;
            extra.source = self.place(extra.source, &mut reading, &mut rows)?;
            rows.event_counts.push(u32::try_from(events.len()).unwrap_or(u32::MAX));
            rows.recording.spans.push(span);
            rows.recording.events.extend(events);
            rows.extras.push(extra);
            if selection != Selection::All {
                let logs = database.bounded(|| logs_of_span(connection, index.rowid_of(row)))?;
                logs.into_iter().try_for_each(|log| self.add_log(log, &mut reading, &mut rows))?;
            }
        }
        match selection {
            Selection::All => {
                let mut after = PIECE;
                loop {
                    let logs = database.bounded(|| logs_after(connection, schema, LogsOf::All, after))?;
                    let Some((last, _)) = logs.last() else { break };
                    after.id = *last;
                    logs.into_iter().try_for_each(|(_, log)| self.add_log(log, &mut reading, &mut rows))?;
                }
                let mut after = PIECE;
                loop {
                    let points = database.bounded(|| points_after(connection, schema, after))?;
                    let Some((last, _)) = points.last() else { break };
                    after.id = *last;
                    for (_, mut point) in points {
                        reading.hold(point.attributes.len() + point.detail.as_ref().map_or(0, String::len))?;
                        point.source = self.place(point.source, &mut reading, &mut rows)?;
                        rows.points.push(point);
                    }
                }
            }
            Selection::Traces(ids) => {
                for trace_id in ids {
                    let found = database.bounded(|| logs_of_trace(connection, schema, trace_id, usize::MAX >> 1))?;
                    for id in found.unwrap_or_default() {
                        if let Some(log) = database.bounded(|| log_record(connection, schema, id))? {
                            self.add_log(log, &mut reading, &mut rows)?;
                        }
                    }
                }
            }
            Selection::Spans { .. } => {}
        }
        Ok(rows)
    }

    fn add_log(&self, mut log: LogRecord, reading: &mut Reading, rows: &mut WholeRows) -> Result<(), Failure> {
        reading.hold(log.attributes.as_ref().map_or(0, String::len))?;
        log.source = self.place(log.source, reading, rows)?;
        rows.logs.push(log);
        Ok(())
    }

    /// The place among the resources and scopes of the part.
    fn place(&self, number: Option<i64>, reading: &mut Reading, rows: &mut WholeRows) -> Result<Option<i64>, Failure> {
        let Some(number) = number else { return Ok(None) };
        if let Some(place) = reading.places.get(&number) {
            return Ok(Some(*place));
        }
        let Some(source) = self.source(Some(number), &mut reading.sources)? else { return Ok(None) };
        reading.hold(source.0.len() + source.1.len())?;
        let place = i64::try_from(rows.sources.len()).unwrap_or(i64::MAX);
        rows.sources.push(source);
        reading.places.insert(number, place);
        Ok(Some(place))
    }
}

/// What is read once, and how much so far.
struct Reading {
    sources: Sources,
    /// Place among the sources of the part, by number in the file.
    places: HashMap<i64, i64>,
    bytes: usize,
    max_bytes: usize,
}

impl Reading {
    fn hold(&mut self, bytes: usize) -> Result<(), Failure> {
        self.bytes += bytes;
        if self.bytes > self.max_bytes { Err(too_much(self.max_bytes)) } else { Ok(()) }
    }
}

/// Writes the rows in Quipu's own layout, in one transaction. Rows that are there, or that the file does not take, are counted as left out.
///
/// # Errors
/// When the rows can't be written.
pub(super) fn write(rows: &WholeRows, writer: &mut Writer) -> Result<Copied, Failure> {
    let mut copied = Copied::default();
    writer.begin()?;
    let numbers = rows.sources.iter().map(|(resource, scope)| writer.add_source(resource, scope)).collect::<Result<Vec<_>, _>>()?;
    let number = |place: Option<i64>| place.and_then(|place| numbers.get(usize::try_from(place).ok()?).copied());
    let mut extents: HashMap<&str, OwnTrace<'_>> = HashMap::new();
    let mut events = rows.recording.events.iter();
    for ((span, extra), count) in rows.recording.spans.iter().zip(&rows.extras).zip(&rows.event_counts) {
        let times = Items::of(extra.event_nanos.as_deref());
        let mores = Items::of(extra.event_more.as_deref());
        let mores: Vec<Option<String>> = (0..*count as usize).map(|at| mores.object(at)).collect();
        let own = events.by_ref().take(*count as usize).enumerate();
        let own: Vec<OwnEvent<'_>> = own
            .map(|(at, event)| OwnEvent {
                name: event.name.as_deref(),
                time: times.nanos(at).or_else(|| nanos(&event.timestamp)),
                attributes: event.attributes.as_deref().unwrap_or("{}"),
                more: mores.get(at).and_then(Option::as_deref),
            })
            .collect();
        let more = more(extra.more.as_deref(), extra);
        let trace_id = span.trace_id.as_deref().unwrap_or_default();
        let (start, end) = (extra.start_nanos.or_else(|| nanos(&span.start_time)), extra.end_nanos.or_else(|| nanos(&span.end_time)));
        let own_span = OwnSpan {
            trace_id,
            span_id: &span.span_id,
            parent_span_id: span.parent_span_id.as_deref(),
            name: span.name.as_deref(),
            start,
            end,
            status: span.status.as_deref(),
            kind: span.kind.as_deref(),
            source: number(extra.source),
            attributes: span.attributes.as_deref().unwrap_or("{}"),
            more: more.as_deref(),
        };
        let Added::Row(row) = writer.add_own_span(&own_span, &own)? else {
            copied.left_out += 1;
            continue;
        };
        copied.spans += 1;
        copied.events += own.len() as u64;
        let of_span = OwnTrace { start, end, span_rows: Some((row, row)), ..OwnTrace::default() };
        extents.entry(trace_id).and_modify(|extent| extent.and(&of_span)).or_insert(of_span);
    }
    for trace in &rows.recording.traces {
        let extent = extents.get(trace.trace_id.as_str()).copied().unwrap_or_default();
        writer.set_own_trace(&OwnTrace {
            trace_id: &trace.trace_id,
            service_name: trace.service_name.as_deref(),
            root_span_id: trace.root_span_id.as_deref(),
            start: exact(&trace.start_time, extent.start),
            end: exact(&trace.end_time, extent.end),
            created: nanos(&trace.created_at).unwrap_or(0) / 1_000_000_000,
            span_rows: extent.span_rows,
        })?;
        copied.traces += 1;
    }
    for log in &rows.logs {
        writer.add_log(&LogRecord { source: number(log.source), ..log.clone() })?;
    }
    for point in &rows.points {
        writer.add_point(&MetricPoint { source: number(point.source), ..point.clone() })?;
    }
    writer.commit()?;
    Ok(copied)
}

/// Nanoseconds of a recorded time.
fn nanos(text: &Option<String>) -> Option<u64> {
    RecordedTime::parse(text.as_deref()?).ok().and_then(|time| u64::try_from(time.at.0).ok())
}

/// Nanoseconds of a trace's time, which is that of a span unless some of its spans are not in the part.
fn exact(text: &Option<String>, of_spans: Option<u64>) -> Option<u64> {
    of_spans.filter(|nanos| Some(reference_time(*nanos)).as_ref() == text.as_ref()).or_else(|| nanos(text))
}

/// A JSON list with an item for each event.
struct Items(Vec<Value>);

impl Items {
    fn of(list: Option<&str>) -> Items {
        match list.and_then(parse_json) {
            Some(Value::List(items)) => Items(items),
            _ => Items(Vec::new()),
        }
    }

    fn nanos(&self, at: usize) -> Option<u64> {
        match self.0.get(at) {
            Some(Value::Number(number)) => number.0.parse().ok(),
            _ => None,
        }
    }

    fn object(&self, at: usize) -> Option<String> {
        self.0.get(at).filter(|item| matches!(item, Value::Map(_))).map(json_text)
    }
}
