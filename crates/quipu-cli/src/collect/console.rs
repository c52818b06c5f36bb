//! Prints received data to standard output in Llama Stack's console format. A slow terminal does not delay the collector: what it can't
//! keep up with is skipped and counted.

use anyhow::{Context, Result};
use quipu::model::{Attributes, EventTime, MetricEvent, MetricPoint, MetricValue, Primitive, SpanStatus, Timestamp};
use quipu::recorded::attributes;
use quipu::transfer::{NewSpan, Rows};
use quipu_telemetry::{ConsoleSink, EndedSpan, Sink, SpanEvent, StartedSpan};
use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::time::Duration;

/// Maximum number of commits waiting to be printed.
const WAITING: usize = 64;
/// How long shutdown waits for pending output.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Console {
    rows: SyncSender<Vec<Rows>>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
}

impl Console {
    pub(crate) fn start() -> Result<Console> {
        let (rows, waiting) = sync_channel(WAITING);
        let (end, ended) = channel::<()>();
        let lookup = |name: &str| std::env::var(name).ok();
        let run = move || {
            // Dropped when the thread ends, which disconnects the channel.
            let _end = end;
            print_all(&waiting, &mut ConsoleSink::stdout(lookup));
        };
        std::thread::Builder::new().name("quipu-console".into()).spawn(run).context("The thread that prints can't be started")?;
        Ok(Console { rows, ended })
    }

    /// Prints pending output, within a time limit.
    pub(crate) fn finish(self) {
        drop(self.rows);
        // Either the thread has ended, or the time is up.
        let _ = self.ended.recv_timeout(PATIENCE);
    }

    /// Queues committed rows for printing. Returns the number of requests that were skipped.
    pub(crate) fn print(&self, rows: Vec<Rows>) -> u64 {
        let count = rows.len() as u64;
        if self.rows.try_send(rows).is_ok() { 0 } else { count }
    }
}

fn print_all<W: Write>(waiting: &Receiver<Vec<Rows>>, sink: &mut ConsoleSink<W>) {
    while let Ok(batch) = waiting.recv() {
        for rows in &batch {
            print(rows, sink);
        }
        if let Err(error) = sink.commit() {
            eprintln!("{error}");
            return;
        }
    }
}

fn print<W: Write>(rows: &Rows, sink: &mut ConsoleSink<W>) {
    for span in rows.spans().iter().filter(|span| !span.is_repeated) {
        if let Some(ended) = ended(span) {
            sink.start(&ended.span);
            sink.end(&ended);
        }
    }
    for (point, _) in rows.points() {
        if let Some(event) = measured(point) {
            sink.metric(&event);
        }
    }
}

fn ended(new: &NewSpan) -> Option<EndedSpan> {
    let row = &new.span;
    let at = |nanos: u64| i64::try_from(nanos).ok().map(Timestamp);
    let events = new.events.iter().zip(&new.exact.events).filter_map(|(event, nanos)| {
        let at = at(*nanos).filter(|at| at.0 > 0)?;
        Some(SpanEvent { name: event.name.clone()?, at, attributes: primitives(event.attributes.as_deref()) })
    });
    Some(EndedSpan {
        span: StartedSpan {
            trace_id: row.trace_id.clone().unwrap_or_default(),
            span_id: row.span_id.clone(),
            parent_span_id: row.parent_span_id.clone(),
            has_remote_parent: false,
            // The console prints neither.
            trace_state: None,
            name: row.name.clone().unwrap_or_default(),
            start: at(new.exact.start?)?,
            attributes: primitives(row.attributes.as_deref()),
        },
        end: at(new.exact.end?)?,
        status: if row.status.as_deref() == Some("ERROR") { SpanStatus::Error } else { SpanStatus::Ok },
        events: events.collect(),
    })
}

fn measured(point: &MetricPoint) -> Option<MetricEvent> {
    let value = point.value?;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 2^53")]
    let value = if value.fract() == 0.0 && value.abs() < 9e15 { MetricValue::Integer(value as i64) } else { MetricValue::Float(value) };
    Some(MetricEvent {
        trace_id: String::new(),
        span_id: String::new(),
        timestamp: EventTime::utc(Timestamp(i64::try_from(point.time_nanos?).ok()?)),
        attributes: primitives(Some(&point.attributes)),
        metric: point.metric.clone(),
        value,
        unit: point.unit.clone().unwrap_or_default(),
    })
}

/// Converts recorded attributes for the console; lists and objects become JSON.
fn primitives(text: Option<&str>) -> Attributes {
    let entries = attributes(text.unwrap_or("{}").as_bytes()).unwrap_or_default();
    let primitive = |text: String, is_string: bool| match text.as_str() {
        _ if is_string => Primitive::Text(text),
        "true" => Primitive::Bool(true),
        "false" => Primitive::Bool(false),
        "null" => Primitive::Null,
        other => match (other.parse(), other.parse()) {
            (Ok(number), _) => Primitive::Integer(number),
            (_, Ok(number)) => Primitive::Float(number),
            _ => Primitive::Text(text),
        },
    };
    Attributes(entries.into_iter().map(|entry| (entry.key, primitive(entry.text, entry.is_string))).collect())
}
