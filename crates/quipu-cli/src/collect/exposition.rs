//! The text of `/metrics`: Prometheus' text format, or OpenMetrics if the request prefers it.

use super::counters::Shared;
use super::series::{Family, Kind, Sample, Series};
use crate::http::Unusable;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use quipu::transfer::{Signal, python_float};
use std::fmt::Write;

/// The Content-Type and the body of the response.
pub(super) fn answer(headers: &HeaderMap, shared: &Shared) -> (&'static str, String) {
    let wants_open_metrics = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(prefers_open_metrics);
    let mut page = Page { open_metrics: wants_open_metrics, out: String::new() };
    {
        let series = shared.series();
        series.families.iter().for_each(|(name, family)| page.family(name, family));
        page.own(shared, &series);
    }
    if wants_open_metrics {
        page.out.push_str("# EOF\n");
        return ("application/openmetrics-text; version=1.0.0; charset=utf-8", page.out);
    }
    ("text/plain; version=0.0.4; charset=utf-8", page.out)
}

/// Whether an Accept header contains OpenMetrics with at least the weight of plain text.
fn prefers_open_metrics(accept: &str) -> bool {
    let weight = |wanted: &str| {
        let weights = accept.split(',').filter_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            parts.next().filter(|name| name.eq_ignore_ascii_case(wanted))?;
            Some(parts.find_map(|part| part.strip_prefix("q=")?.parse::<f64>().ok()).unwrap_or(1.0))
        });
        weights.reduce(f64::max)
    };
    weight("application/openmetrics-text").is_some_and(|open| open > 0.0 && open >= weight("text/plain").unwrap_or(0.0))
}

struct Page {
    open_metrics: bool,
    out: String,
}

impl Page {
    /// Writing to a String can't fail, so results are ignored.
    fn head(&mut self, name: &str, kind: Kind, help: &str) {
        let word = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        };
        // In Prometheus' text format, a counter family has the name of its samples.
        let total = if kind == Kind::Counter && !self.open_metrics { "_total" } else { "" };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(self.out, "# HELP {name}{total} {help}\n# TYPE {name}{total} {word}");
    }

    fn line(&mut self, name: &str, ending: &str, labels: &str, more: &str, value: f64) {
        let comma = if labels.is_empty() || more.is_empty() { "" } else { "," };
        let braces = if labels.is_empty() && more.is_empty() { ["", ""] } else { ["{", "}"] };
        let [open, close] = braces;
        let _ = writeln!(self.out, "{name}{ending}{open}{labels}{comma}{more}{close} {}", number(value));
    }

    fn family(&mut self, name: &str, family: &Family) {
        self.head(name, family.kind, &format!("{}, as received.", family.metric));
        for (labels, sample) in &family.samples {
            match family.kind {
                Kind::Counter => self.line(name, "_total", labels, "", sample.value()),
                Kind::Gauge => self.line(name, "", labels, "", sample.value()),
                Kind::Histogram => self.buckets(name, labels, sample),
                Kind::Summary => {
                    for (quantile, value) in &sample.parts {
                        self.line(name, "", labels, &format!("quantile=\"{}\"", python_float(*quantile)), *value);
                    }
                    self.sum_and_count(name, labels, sample);
                }
            }
        }
    }

    fn buckets(&mut self, name: &str, labels: &str, sample: &Sample) {
        let mut below = 0.0;
        for (bound, count) in &sample.parts {
            below += count;
            self.line(name, "_bucket", labels, &format!("le=\"{}\"", python_float(*bound)), below);
        }
        self.line(name, "_bucket", labels, "le=\"+Inf\"", sample.count as f64);
        self.sum_and_count(name, labels, sample);
    }

    fn sum_and_count(&mut self, name: &str, labels: &str, sample: &Sample) {
        self.line(name, "_sum", labels, "", sample.value());
        self.line(name, "_count", labels, "", sample.count as f64);
    }

    fn counter(&mut self, name: &str, help: &str, values: &[(String, u64)]) {
        self.head(name, Kind::Counter, help);
        for (labels, value) in values {
            self.line(name, "_total", labels, "", *value as f64);
        }
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, Kind::Gauge, help);
        self.line(name, "", "", "", value as f64);
    }

    /// The collector's own metrics.
    fn own(&mut self, shared: &Shared, series: &Series) {
        let signals = Signal::ALL.map(|signal| (signal, signal.label()));
        let classes = ["2xx", "4xx", "5xx"];
        let answered = signals.iter().flat_map(|(signal, word)| {
            let counters = shared.of(*signal).answered.iter().zip(classes);
            counters.map(move |(counter, class)| (format!("signal=\"{word}\",status=\"{class}\""), counter.get()))
        });
        self.counter("quipu_collect_requests", "Requests by status class.", &answered.collect::<Vec<_>>());
        let of = |read: fn(&super::counters::OfSignal) -> u64| -> Vec<(String, u64)> {
            signals.iter().map(|(signal, word)| (format!("signal=\"{word}\""), read(shared.of(*signal)))).collect()
        };
        self.counter("quipu_collect_received_bytes", "Bytes of decompressed bodies.", &of(|it| it.bytes.get()));
        self.counter("quipu_collect_refused", "Rejected entries of accepted requests.", &of(|it| it.refused.get()));
        let unusable = Unusable::ALL.map(|why| (format!("reason=\"{}\"", why.label()), shared.unusable.get(why)));
        self.counter("quipu_collect_unusable_connections", "Connections that could not be used, by the reason.", &unusable);
        for (name, help, counter) in [
            ("quipu_collect_spans", "Spans that were written.", &shared.spans),
            ("quipu_collect_repeated_spans", "Duplicate spans, skipped.", &shared.repeated_spans),
            ("quipu_collect_events", "Events of spans that were written.", &shared.events),
            ("quipu_collect_log_records", "Log records that were written.", &shared.log_records),
            ("quipu_collect_metric_points", "Points of metrics that were written.", &shared.metric_points),
            ("quipu_collect_repeated_requests", "Duplicate log and metric requests, skipped.", &shared.repeated_requests),
            ("quipu_collect_refused_parts", "Rows of kept entries, such as events, that the file did not take.", &shared.refused_parts),
            ("quipu_collect_commits", "Transactions that were committed.", &shared.commits),
            ("quipu_collect_failed_commits", "Failed transactions; their requests were asked to retry.", &shared.failed_commits),
            ("quipu_collect_forwarded", "Requests that were forwarded.", &shared.forwarded),
            ("quipu_collect_forward_dropped", "Requests that could not be forwarded.", &shared.forward_dropped),
            ("quipu_collect_console_dropped", "Requests not printed because the console was too slow.", &shared.console_dropped),
            ("quipu_collect_removed_traces", "Traces removed to keep the file within its bounds.", &shared.removed_traces),
            ("quipu_collect_removed_spans", "Spans removed to keep the file within its bounds.", &shared.removed_spans),
            ("quipu_collect_removed_log_records", "Log records removed to keep the file within its bounds.", &shared.removed_log_records),
            (
                "quipu_collect_removed_metric_points",
                "Metric points removed to keep the file within its bounds.",
                &shared.removed_metric_points,
            ),
        ] {
            self.counter(name, help, &[(String::new(), counter.get())]);
        }
        self.counter(
            "quipu_collect_series_left_out",
            "Points dropped because there were too many series.",
            &[(String::new(), series.left_out)],
        );
        self.gauge("quipu_collect_series", "Series exposed on this page.", series.count as u64);
        self.gauge("quipu_collect_queue_requests", "Requests waiting to be committed.", shared.waiting_requests.get());
        self.gauge("quipu_collect_queue_bytes", "Bytes of the bodies of waiting requests.", shared.waiting_bytes.get());
    }
}

fn number(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".into(),
        f64::INFINITY => "+Inf".into(),
        f64::NEG_INFINITY => "-Inf".into(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_answered_to_whoever_prefers_it() {
        // Accept headers of Prometheus 2.42 and 3, a browser and curl.
        for (accept, is_open) in [
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                true,
            ),
            ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.3,*/*;q=0.1", false),
            ("text/html,application/xhtml+xml,*/*;q=0.8", false),
            ("*/*", false),
        ] {
            assert_eq!(prefers_open_metrics(accept), is_open, "{accept}");
        }
    }
}
