//! Anomalies of a file: counted during the pass, and reported as warnings.

use super::Index;
use super::ids::SpanKey;
use quipu_model::SpanFlags;
use quipu_model::format::count;
use quipu_model::number::narrow;
use quipu_protocol::{Warning, WarningKind};

/// Counts of anomalies, and of other facts that become known only by counting.
#[derive(Clone, Default)]
pub(super) struct Anomalies {
    pub(super) failed_spans: u64,
    pub(super) requests: u64,
    pub(super) null_roots: u64,
    pub(super) orphans: u64,
    pub(super) merged_traces: u64,
    /// Traces that consist of a web framework's own spans only.
    pub(super) framework_traces: u64,
    /// Traces that consist of calls of a database only.
    pub(super) database_traces: u64,
    pub(super) cycles: u64,
    pub(super) hidden_failures: u64,
    pub(super) local_traces: u64,
    /// The most common offset from UTC among traces with a local clock, in minutes.
    pub(super) zone: Option<i16>,
    /// Number of distinct offsets.
    pub(super) zones: usize,
    pub(super) invalid_times: u64,
    pub(super) early_events: u64,
    pub(super) skewed_spans: u64,
    pub(super) lost_events: u64,
    pub(super) lost_metrics: u64,
    pub(super) malformed_attributes: u64,
    pub(super) traces_without_spans: u64,
    pub(super) spans_without_trace: u64,
    pub(super) secrets: u64,
    pub(super) damaged_spans: u64,
    pub(super) damaged_events: u64,
    pub(super) damaged_traces: u64,
    /// The last trace of the file is incomplete.
    pub(super) unfinished: bool,
}

impl Index {
    /// Detects a file that was copied while the server was writing: it ends with a traced method whose caller has not ended, in a trace
    /// without a root.
    pub(super) fn detect_unfinished_end(&mut self) {
        let Some(last) = self.spans.len().checked_sub(1) else { return };
        let last = narrow(last);
        let trace = self.traces.at(*self.spans.trace.at(last));
        self.anomalies.unfinished = trace.recorded_root == SpanKey::NONE
            && trace.rowid.is_some()
            && self.spans.flags.at(last).has(SpanFlags::ORPHAN)
            && self.spans.flags.at(last).has(SpanFlags::AUTOTRACED);
    }

    pub(super) fn warn(&self, name: &str, warnings: &mut Vec<Warning>) {
        let found = &self.anomalies;
        let has_journal_note = warnings.iter().any(|warning| warning.kind == WarningKind::Journal);
        let mut warn = |kind, text: String, meaning: &str| warnings.push(Warning { kind, text, meaning: meaning.into() });
        if found.secrets > 0 {
            warn(
                WarningKind::Secrets,
                "This file seems to hold API keys.".into(),
                "Servers record headers, provider data and arguments unchanged. Check the file before you share it; opening it here sends nothing anywhere.",
            );
        }
        let damaged = found.damaged_spans + found.damaged_events + found.damaged_traces;
        if damaged > 0 {
            let mut parts = Vec::new();
            for (count, what) in [
                (found.damaged_spans, "spans"),
                (found.damaged_events, "span_events"),
                (found.damaged_traces, "traces"),
            ] {
                if count > 0 {
                    parts.push(what);
                }
            }
            warn(
                WarningKind::Corrupt,
                format!("Part of the file is damaged, or holds values too large to read: rows of {} are missing.", parts.join(" and ")),
                "Everything readable is shown and counted. `sqlite3 FILE .recover` may recover more.",
            );
        }
        if found.unfinished && !has_journal_note {
            warn(
                WarningKind::Journal,
                "The file ends in the middle of a trace: it may have been copied while the server was writing.".into(),
                &format!("If there is a {name}-journal beside it, drop both together: the unfinished transaction is then rolled back."),
            );
        }
        if found.hidden_failures > 0 {
            warn(
                WarningKind::HiddenFailures,
                format!("{} failed although their status does not say so.", spans(found.hidden_failures)),
                "Servers end every span with status OK. Failures are derived from the error attribute and from error events.",
            );
        }
        if found.merged_traces > 0 {
            warn(
                WarningKind::MergedRequests,
                format!(
                    "{} more than one request.",
                    if found.merged_traces == 1 { "One trace holds".into() } else { format!("{} traces hold", count(found.merged_traces)) }
                ),
                "The server mixed concurrent requests, or one that followed a stream, into one trace; requests are marked in it.",
            );
        }
        if found.framework_traces > 0 && found.framework_traces < self.traces.len() as u64 && self.unset_marks_framework_spans() {
            warn(
                WarningKind::FrameworkTraces,
                format!(
                    "{} of {} traces were written by the web framework, not by Llama Stack.",
                    count(found.framework_traces),
                    count(self.traces.len() as u64)
                ),
                "They time the same requests once more, as POST /v1/agents and the like, with status UNSET. Type -status:unset into the filter \
                 to leave them out.",
            );
        }
        if found.database_traces > 0 && found.database_traces < self.traces.len() as u64 {
            warn(
                WarningKind::DatabaseTraces,
                format!(
                    "{} of {} traces are calls of a database outside of any request.",
                    count(found.database_traces),
                    count(self.traces.len() as u64)
                ),
                "An idle server polls its stores, and its instrumentation records that. Type -(kind:storage requests:0) into the filter to leave \
                 them out.",
            );
        }
        if found.null_roots > 0 {
            warn(
                WarningKind::NullRoots,
                format!("{} of {} traces have no root recorded.", count(found.null_roots), count(self.traces.len() as u64)),
                "Releases 0.1.9 and 0.2.8 to 0.2.12 never record it, others only for requests. Roots are derived from the spans' parents.",
            );
        }
        if found.orphans > 0 {
            warn(
                WarningKind::Orphans,
                format!(
                    "{} a parent that is not in the file.",
                    if found.orphans == 1 { "One span has".into() } else { format!("{} spans have", count(found.orphans)) }
                ),
                "The parent belongs to another program, was dropped, or had not ended yet. Such spans are shown as roots.",
            );
        }
        if found.cycles > 0 {
            warn(
                WarningKind::Cycles,
                format!("{} of parents.", if found.cycles == 1 { "One cycle".into() } else { format!("{} cycles", count(found.cycles)) }),
                "Each is cut at the span that started first, which is shown as a root.",
            );
        }
        if found.local_traces > 0 {
            let zone = found.zone.map(|minutes| quipu_model::offset_label(i32::from(minutes)));
            let text = match (&zone, found.zones) {
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
        if found.invalid_times > 0 {
            warn(
                WarningKind::OddTimes,
                format!(
                    "{} a start or end that can't be read, or end before they start.",
                    if found.invalid_times == 1 { "One span has".into() } else { format!("{} spans have", count(found.invalid_times)) }
                ),
                "Their durations are shown as unknown.",
            );
        }
        if found.skewed_spans > 0 {
            warn(
                WarningKind::OddTimes,
                format!(
                    "{} before its parent begins: the clocks of the programs differ.",
                    if found.skewed_spans == 1 { "One span ends".into() } else { format!("{} spans end", count(found.skewed_spans)) }
                ),
                "Times are shown as recorded, so bars of one program can lie beside those of the other.",
            );
        }
        if found.early_events > 0 {
            warn(
                WarningKind::EarlyEvents,
                format!("{} of {} events lie before their span's start.", count(found.early_events), count(self.events.count)),
                "Servers record a span's start when it leaves a queue, so starts are late, and the times of events are the accurate ones.",
            );
        }
        if found.lost_events > 0 {
            warn(
                WarningKind::LostEvents,
                format!("{} events belong to spans that are not in the file.", count(found.lost_events)),
                "Their spans never ended or were dropped.",
            );
        }
        if found.lost_metrics > 0 {
            warn(
                WarningKind::LostEvents,
                format!("{} token metrics belong to no inference request in their trace.", count(found.lost_metrics)),
                "They are shown as events of their span and are not in the sums.",
            );
        }
        if found.malformed_attributes > 0 || !self.non_hex_ids.is_empty() {
            let mut parts = Vec::new();
            if found.malformed_attributes > 0 {
                parts.push(format!("attributes of {} are not a JSON object", spans(found.malformed_attributes)));
            }
            if !self.non_hex_ids.is_empty() {
                parts.push("some ids are not 16 or 32 lower-case hex digits".to_owned());
            }
            warn(WarningKind::OddValues, format!("Odd values: {}.", parts.join("; ")), "They are shown as they were recorded.");
        }
        if found.traces_without_spans > 0 || found.spans_without_trace > 0 {
            warn(
                WarningKind::Unmatched,
                format!(
                    "{} traces have no span, and {} traces are known only from their spans.",
                    found.traces_without_spans, found.spans_without_trace
                ),
                "Spans that never ended are not written, and rows may have been deleted.",
            );
        }
    }
}

impl Index {
    /// Whether the status UNSET occurs on spans of a web framework only, so that a filter can exclude them by it. Llama Stack sets a status
    /// on every span, other programs on few.
    fn unset_marks_framework_spans(&self) -> bool {
        let unusual = &self.facets.unusual_status;
        let is_unset = |value| unusual.values.text(value).eq_ignore_ascii_case("unset");
        let of_framework = |row| self.names.facts(*self.spans.name.at(row)).of_framework;
        unusual.rows().all(|(row, value)| of_framework(row) || !is_unset(value))
    }
}

fn spans(count: u64) -> String {
    if count == 1 { "one span".into() } else { format!("{} spans", quipu_model::format::count(count)) }
}
