//! The console sink: a line for each start and end of a span, each log message and each metric.
//!
//! The format is that of Llama Stack 0.2.15: times of day in UTC, log lines after the end of their span, no traced methods. Metrics, which
//! Llama Stack does not print, are printed as they arrive. The caller passes in the environment.

use crate::sink::{EndedSpan, Sink, SinkError, SpanEvent, StartedSpan};
use crate::text;
use quipu_model::{Attributes, MetricEvent, MetricValue, Primitive, SpanStatus, Timestamp};
use quipu_otlp::python_float;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

/// Prints events to a writer.
pub struct ConsoleSink<W: Write> {
    out: W,
    colours: bool,
    failure: Option<std::io::Error>,
}

impl ConsoleSink<std::io::Stdout> {
    /// Prints to standard output, in colour if it is a terminal and `lookup` finds no variable `NO_COLOR`.
    pub fn stdout(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let out = std::io::stdout();
        let colours = colours_wanted(out.is_terminal(), lookup);
        ConsoleSink::new(out, colours)
    }
}

/// Whether to use colours: on a terminal, unless `NO_COLOR` is set to any value.
pub fn colours_wanted(is_terminal: bool, lookup: impl Fn(&str) -> Option<String>) -> bool {
    is_terminal && lookup("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl<W: Write> ConsoleSink<W> {
    /// Prints to `out`.
    pub fn new(out: W, colours: bool) -> ConsoleSink<W> {
        ConsoleSink { out, colours, failure: None }
    }

    fn print(&mut self, lines: &str) {
        if let Err(error) = self.out.write_all(lines.as_bytes()) {
            self.failure.get_or_insert(error);
        }
    }

    /// Returns `code` if colours are enabled, otherwise nothing.
    fn code(&self, code: &'static str) -> &'static str {
        if self.colours { code } else { "" }
    }

    fn head(&self, at: Timestamp, word: &str, name: &str) -> String {
        let (dim, magenta, reset) = (self.code(DIM), self.code(MAGENTA), self.code(RESET));
        format!("{dim}{}{reset} {magenta}[{word}]{reset} {dim}{}{reset}", time_of_day(at), text::line(name))
    }

    fn event(&self, event: &SpanEvent, out: &mut String) {
        // Metrics have already been printed.
        let (Some(Primitive::Text(severity)), Some(message)) = (event.attributes.get("severity"), event.attributes.get("message")) else {
            return;
        };
        let colour = match severity.as_str() {
            "error" => self.code("\x1b[1m\x1b[31m"),
            "warn" => self.code("\x1b[1m\x1b[33m"),
            "debug" => self.code(DIM),
            _ => self.code(WHITE),
        };
        let severity = text::line(&severity.to_uppercase());
        // Writing to a String can't fail.
        let _ = writeln!(out, " {} {colour}[{severity}] {}{}", time_of_day(event.at), shown(message), self.code(RESET));
        self.attributes(&event.attributes, out);
    }

    fn attributes(&self, attributes: &Attributes, out: &mut String) {
        for (key, value) in &attributes.0 {
            if !key.starts_with("__") && key != "message" && key != "severity" {
                let _ = writeln!(out, "   {}{}: {}{}", self.code(DIM), text::line(key), shown(value), self.code(RESET));
            }
        }
    }
}

const DIM: &str = "\x1b[2m";
const MAGENTA: &str = "\x1b[35m";
const RED: &str = "\x1b[31m";
const WHITE: &str = "\x1b[37m";
const RESET: &str = "\x1b[0m";

impl<W: Write> Sink for ConsoleSink<W> {
    fn name(&self) -> &'static str {
        "console"
    }

    fn start(&mut self, span: &StartedSpan) {
        if !span.is_autotraced() {
            let line = self.head(span.start, "START", &span.name) + "\n";
            self.print(&line);
        }
    }

    fn end(&mut self, ended: &EndedSpan) {
        if ended.span.is_autotraced() {
            return;
        }
        let (red, reset) = (self.code(RED), self.code(RESET));
        let mut lines = self.head(ended.end, "END", &ended.span.name);
        match ended.status {
            SpanStatus::Ok => lines += &format!("{reset} [StatusCode.OK]{reset}"),
            SpanStatus::Error => lines += &format!("{reset} {red}[ERROR]{reset}{reset}"),
        }
        let millis = (ended.end.0.saturating_sub(ended.span.start.0)) as f64 / 1e6;
        let _ = writeln!(lines, " ({millis:.2}ms)");
        for event in &ended.events {
            self.event(event, &mut lines);
        }
        self.print(&lines);
    }

    fn metric(&mut self, metric: &MetricEvent) {
        let value = match metric.value {
            MetricValue::Integer(number) => number.to_string(),
            MetricValue::Float(number) => python_float(number),
        };
        let (white, reset) = (self.code(WHITE), self.code(RESET));
        let (at, name, unit) = (time_of_day(metric.timestamp.at), text::line(&metric.metric), text::line(&metric.unit));
        let mut lines = format!(" {at} {white}[METRIC] {name}: {value} {unit}");
        lines.truncate(lines.trim_end().len());
        let _ = writeln!(lines, "{reset}");
        self.attributes(&metric.attributes, &mut lines);
        self.print(&lines);
    }

    fn commit(&mut self) -> Result<(), SinkError> {
        let flushed = self.out.flush();
        match self.failure.take().map_or(flushed, Err) {
            Ok(()) => Ok(()),
            Err(error) => Err(SinkError { why: format!("Lines can't be printed ({error})."), lost: 0 }),
        }
    }
}

/// The UTC time of day, truncated to milliseconds as in Llama Stack: `18:43:48.793`.
fn time_of_day(at: Timestamp) -> String {
    let millis = at.0.div_euclid(1_000_000).rem_euclid(86_400_000);
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Formats a value like Python.
fn shown(value: &Primitive) -> String {
    match value {
        Primitive::Null => "None".into(),
        Primitive::Bool(true) => "True".into(),
        Primitive::Bool(false) => "False".into(),
        Primitive::Integer(number) => number.to_string(),
        Primitive::Float(number) => python_float(*number),
        Primitive::Text(words) => text::lines(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_model::EventTime;

    #[test]
    fn colours_are_for_terminals_without_no_color() {
        let variable = |value: &'static str| move |name: &str| (name == "NO_COLOR").then(|| value.to_owned());
        assert!(colours_wanted(true, |_| None));
        assert!(colours_wanted(true, variable("")), "an empty one counts as none");
        assert!(!colours_wanted(true, variable("0")));
        assert!(!colours_wanted(false, |_| None));
    }

    #[test]
    fn metrics_are_printed_with_their_labels() {
        let metric = MetricEvent {
            trace_id: "t".into(),
            span_id: "s".into(),
            timestamp: EventTime::utc(Timestamp(86_399_999_999_999)),
            attributes: Attributes(vec![("model_id".into(), Primitive::Text("m\x1b[2J".into())), ("__x__".into(), Primitive::Bool(true))]),
            metric: "prompt_tokens".into(),
            value: MetricValue::Integer(3),
            unit: "tokens".into(),
        };
        let print = |colours| {
            let mut sink = ConsoleSink::new(Vec::new(), colours);
            sink.metric(&metric);
            String::from_utf8(sink.out).expect("text")
        };
        assert_eq!(print(false), " 23:59:59.999 [METRIC] prompt_tokens: 3 tokens\n   model_id: m\\x1b[2J\n");
        let coloured = " 23:59:59.999 \x1b[37m[METRIC] prompt_tokens: 3 tokens\x1b[0m\n   \x1b[2mmodel_id: m\\x1b[2J\x1b[0m\n";
        assert_eq!(print(true), coloured);
    }

    #[test]
    fn no_text_breaks_or_forges_a_line() {
        let forged = "x\n18:43:48.793 [END] other\r\x1b[2K\u{202e}";
        let at = Timestamp(0);
        let attributes =
            |entries: &[&str]| Attributes(entries.iter().map(|key| ((*key).to_owned(), Primitive::Text(forged.into()))).collect());
        let span = StartedSpan {
            trace_id: "t".into(),
            span_id: "s".into(),
            parent_span_id: None,
            has_remote_parent: false,
            trace_state: None,
            name: forged.into(),
            start: at,
            attributes: Attributes::default(),
        };
        let event = SpanEvent { name: "unstructured_log".into(), at, attributes: attributes(&["message", "severity", forged]) };
        let mut sink = ConsoleSink::new(Vec::new(), false);
        sink.start(&span);
        sink.end(&EndedSpan { span, end: at, status: SpanStatus::Ok, events: vec![event] });
        let printed = String::from_utf8(sink.out).expect("text");
        assert!(!printed.contains(['\r', '\x1b', '\u{202e}']), "{printed:?}");
        // The start, the end, the log and its attribute, each at its place; what goes on below is indented further.
        let outermost: Vec<&str> = printed.lines().filter(|line| !line.starts_with("        ")).collect();
        assert_eq!(outermost.len(), 4, "{printed}");
        assert!(printed.starts_with("00:00:00.000 [START] x\\n18:43:48.793 [END] other\\x0d\\x1b[2K\\u{202e}\n"), "{printed}");
    }
}
