//! What is odd in a file, counted during the pass, and said in sentences.

use super::Index;
use super::ids::SpanKey;
use quipu_model::SpanFlags;
use quipu_model::format::count;
use quipu_protocol::{Warning, WarningKind};

/// Counts of what is odd, and of what is only told by counting.
#[derive(Clone, Default)]
pub(super) struct Oddities {
    pub(super) failed_spans: u64,
    pub(super) requests: u64,
    pub(super) null_roots: u64,
    pub(super) orphans: u64,
    pub(super) merged_traces: u64,
    /// Traces of nothing but spans of a web framework's own.
    pub(super) framework_traces: u64,
    pub(super) cycles: u64,
    pub(super) hidden_failures: u64,
    pub(super) local_traces: u64,
    /// The offset most local traces have.
    pub(super) zone: Option<i16>,
    /// Different offsets.
    pub(super) zones: usize,
    pub(super) odd_times: u64,
    pub(super) early_events: u64,
    pub(super) lost_events: u64,
    pub(super) lost_metrics: u64,
    pub(super) odd_attributes: u64,
    pub(super) traces_without_spans: u64,
    pub(super) spans_without_trace: u64,
    pub(super) secrets: u64,
    pub(super) damaged_spans: u64,
    pub(super) damaged_events: u64,
    pub(super) damaged_traces: u64,
    /// The file ends in the middle of a trace.
    pub(super) unfinished: bool,
}

impl Index {
    /// A file copied while the server wrote it ends with a traced method whose caller has not ended, in a trace without a root.
    pub(super) fn note_unfinished_end(&mut self) {
        let Some(last) = self.spans.len().checked_sub(1) else { return };
        let last = last as u32;
        let trace = self.traces.at(*self.spans.trace.at(last));
        self.oddities.unfinished = trace.recorded_root == SpanKey::NONE
            && trace.rowid.is_some()
            && self.spans.flags.at(last).has(SpanFlags::ORPHAN)
            && self.spans.flags.at(last).has(SpanFlags::AUTOTRACED);
    }

    pub(super) fn warn(&self, name: &str, warnings: &mut Vec<Warning>) {
        let odd = &self.oddities;
        let has_journal_note = warnings.iter().any(|warning| warning.kind == WarningKind::Journal);
        let mut warn = |kind, text: String, meaning: &str| warnings.push(Warning { kind, text, meaning: meaning.into() });
        if odd.secrets > 0 {
            warn(
                WarningKind::Secrets,
                "This file seems to hold API keys.".into(),
                "Servers record headers, provider data and arguments as they come. Look before you hand the file on; nothing leaves this machine by opening it.",
            );
        }
        let damaged = odd.damaged_spans + odd.damaged_events + odd.damaged_traces;
        if damaged > 0 {
            let mut parts = Vec::new();
            for (count, what) in [(odd.damaged_spans, "spans"), (odd.damaged_events, "span_events"), (odd.damaged_traces, "traces")] {
                if count > 0 {
                    parts.push(what);
                }
            }
            warn(
                WarningKind::Corrupt,
                format!("Part of the file is damaged, or holds values too large to read: rows of {} are missing.", parts.join(" and ")),
                "What can be read is shown; counts are of that. `sqlite3 FILE .recover` may save more.",
            );
        }
        if odd.unfinished && !has_journal_note {
            warn(
                WarningKind::Journal,
                "The file ends in the middle of a trace: it may have been copied while the server was writing.".into(),
                &format!("If there is a {name}-journal beside it, drop both together: the unfinished transaction is then rolled back."),
            );
        }
        if odd.hidden_failures > 0 {
            warn(
                WarningKind::HiddenFailures,
                format!("{} failed although their status does not say so.", spans(odd.hidden_failures)),
                "Servers end every span with status OK. Failures are derived from the error attribute and from error events.",
            );
        }
        if odd.merged_traces > 0 {
            warn(
                WarningKind::MergedRequests,
                format!(
                    "{} more than one request.",
                    if odd.merged_traces == 1 { "One trace holds".into() } else { format!("{} traces hold", count(odd.merged_traces)) }
                ),
                "The server mixed concurrent requests, or one that followed a stream, into one trace; requests are marked in it.",
            );
        }
        if odd.framework_traces > 0 && odd.framework_traces < self.traces.len() as u64 && self.is_unset_of_framework() {
            warn(
                WarningKind::FrameworkTraces,
                format!(
                    "{} of {} traces were written by the web framework, not by Llama Stack.",
                    count(odd.framework_traces),
                    count(self.traces.len() as u64)
                ),
                "They time the same requests once more, as POST /v1/agents and the like, with status UNSET. Type -status:unset into the filter \
                 to leave them out.",
            );
        }
        if odd.null_roots > 0 {
            warn(
                WarningKind::NullRoots,
                format!("{} of {} traces have no root recorded.", count(odd.null_roots), count(self.traces.len() as u64)),
                "Releases 0.1.9 and 0.2.8 to 0.2.12 never record it, others only for requests. Roots are derived from the spans' parents.",
            );
        }
        if odd.orphans > 0 {
            warn(
                WarningKind::Orphans,
                format!(
                    "{} a parent that is not in the file.",
                    if odd.orphans == 1 { "One span has".into() } else { format!("{} spans have", count(odd.orphans)) }
                ),
                "The parent belongs to another program, was dropped, or had not ended yet. Such spans are shown as roots.",
            );
        }
        if odd.cycles > 0 {
            warn(
                WarningKind::Cycles,
                format!("{} of parents.", if odd.cycles == 1 { "One cycle".into() } else { format!("{} cycles", count(odd.cycles)) }),
                "Each is cut at the span that started first, which is shown as a root.",
            );
        }
        if odd.local_traces > 0 {
            let zone = odd.zone.map(|minutes| quipu_model::offset_label(i32::from(minutes)));
            let text = match (&zone, odd.zones) {
                (Some(zone), 1) => format!("Times are the server's local clock ({zone})."),
                (Some(zone), zones) => {
                    format!("Times are the server's local clock, which changed its offset from UTC ({zones} offsets, mostly {zone}).")
                }
                (None, _) => "Times are the server's local clock; its zone is unknown.".into(),
            };
            warn(
                WarningKind::LocalTimes,
                text,
                "Releases up to 0.1.6 write times without a zone. The offset is derived from created_at, which is UTC; without it, times are shown as if UTC.",
            );
        }
        if odd.odd_times > 0 {
            warn(
                WarningKind::OddTimes,
                format!(
                    "{} a start or end that can't be read, or end before they start.",
                    if odd.odd_times == 1 { "One span has".into() } else { format!("{} spans have", count(odd.odd_times)) }
                ),
                "Their durations are shown as unknown.",
            );
        }
        if odd.early_events > 0 {
            warn(
                WarningKind::EarlyEvents,
                format!("{} of {} events lie before their span's start.", count(odd.early_events), count(self.events.count)),
                "Servers note a span's start when a queue reaches it, so spans start late and the times of events are the true ones.",
            );
        }
        if odd.lost_events > 0 {
            warn(
                WarningKind::LostEvents,
                format!("{} events belong to spans that are not in the file.", count(odd.lost_events)),
                "Their spans never ended or were dropped.",
            );
        }
        if odd.lost_metrics > 0 {
            warn(
                WarningKind::LostEvents,
                format!("{} token metrics belong to no inference request in their trace.", count(odd.lost_metrics)),
                "They are shown as events of their span and are not in the sums.",
            );
        }
        if odd.odd_attributes > 0 || !self.odd.is_empty() {
            let mut parts = Vec::new();
            if odd.odd_attributes > 0 {
                parts.push(format!("attributes of {} are no JSON object", spans(odd.odd_attributes)));
            }
            if !self.odd.is_empty() {
                parts.push("some ids are not 16 or 32 lower-case hex digits".to_owned());
            }
            warn(WarningKind::OddValues, format!("Odd values: {}.", parts.join("; ")), "They are shown as they were recorded.");
        }
        if odd.traces_without_spans > 0 || odd.spans_without_trace > 0 {
            warn(
                WarningKind::Unmatched,
                format!(
                    "{} traces have no span, and {} traces are known only from their spans.",
                    odd.traces_without_spans, odd.spans_without_trace
                ),
                "Spans that never ended are not written, and rows may have been deleted.",
            );
        }
    }
}

impl Index {
    /// Whether the status UNSET tells a web framework's spans from all others. Llama Stack sets every status; other programs set few.
    fn is_unset_of_framework(&self) -> bool {
        let odd = &self.facets.odd_status;
        let is_unset = |value| odd.values.text(value).eq_ignore_ascii_case("unset");
        let of_framework = |row| self.names.facts(*self.spans.name.at(row)).of_framework;
        odd.rows().all(|(row, value)| of_framework(row) || !is_unset(value))
    }
}

fn spans(count: u64) -> String {
    if count == 1 { "one span".into() } else { format!("{} spans", quipu_model::format::count(count)) }
}
