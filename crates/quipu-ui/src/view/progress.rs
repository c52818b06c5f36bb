//! Messages about list totals and about progress of indexing, importing and searching.

use quipu_model::format::{bytes, count, counted, duration, token_sentence};
use quipu_model::number::truncated;
use quipu_protocol::{Importing, IndexProgress, ListTotals, SearchProgress, SearchState};

/// Totals of a list: `434 spans · 3 failed · median 12.3 ms · 95 % within 1.23 s · 48.1 s in all · prompt 1,234 · …`.
pub fn totals_text(totals: &ListTotals) -> String {
    let mut text = counted(Some(totals.spans), "span", "spans");
    if totals.failed > 0 {
        text += &format!(" · {} failed in {}", count(totals.failed), counted(Some(totals.failed_traces.into()), "trace", "traces"));
    }
    if let (Some(median), Some(p95), Some(sum)) = (totals.median_nanos, totals.p95_nanos, totals.duration_nanos) {
        text += &format!(" · median {} · 95 % within {} · {} in all", duration(median), duration(p95), duration(sum));
    }
    if totals.without_duration > 0 {
        text += &format!(" ({} without times)", counted(Some(totals.without_duration.into()), "trace", "traces"));
    }
    if let Some(tokens) = token_sentence(&totals.tokens) {
        text += &format!(" · tokens: {tokens}");
    }
    text
}

/// Progress of indexing, with a rate if known: `12,000 of about 48,000 spans · 24,000 spans/s · 310 MB/s`.
pub fn index_text(progress: &IndexProgress) -> String {
    let mut text = format!("{} of about {} spans", count(progress.spans), count(progress.spans_expected.max(progress.spans)));
    if progress.elapsed_ms >= 200.0 {
        let a_second = |amount: u64| truncated::<u64>(amount as f64 * 1_000.0 / progress.elapsed_ms);
        text += &format!(" · {} spans/s", count(a_second(progress.spans)));
        if progress.bytes > 0 {
            text += &format!(" · {}/s", bytes(a_second(progress.bytes)));
        }
    }
    text
}

/// Progress of an import, with a rate if known: `120 MB of 480 MB · 48,000 spans · 31 MB/s`.
pub fn import_text(progress: &Importing) -> String {
    let spans = counted(Some(progress.spans), "span", "spans");
    let mut text = format!("{} of {} · {spans}", bytes(progress.bytes), bytes(progress.bytes_expected));
    if progress.elapsed_ms >= 200.0 {
        text += &format!(" · {}/s", bytes(truncated(progress.bytes as f64 * 1_000.0 / progress.elapsed_ms)));
    }
    text
}

/// Progress of a search: `1,024 of 2,048 spans · 12.0 MB · 210 MB/s · 34 hits`.
pub fn search_text(progress: &SearchProgress) -> String {
    let mut text =
        format!("{} of {} spans · {}", count(progress.spans), count(progress.spans_expected.max(progress.spans)), bytes(progress.bytes));
    if progress.elapsed_ms >= 200.0 && progress.state == SearchState::Running {
        text += &format!(" · {}/s", bytes(truncated(progress.bytes as f64 * 1_000.0 / progress.elapsed_ms)));
    }
    text + " · " + &counted(Some(progress.hits), "hit", "hits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_model::TokenTotals;

    #[test]
    fn index_progress_has_a_rate_only_after_a_while() {
        let mut progress = IndexProgress { spans: 500, spans_expected: 2_000, bytes: 4_000_000, ..IndexProgress::default() };
        assert_eq!(index_text(&progress), "500 of about 2,000 spans");
        progress.elapsed_ms = 500.0;
        assert_eq!(index_text(&progress), "500 of about 2,000 spans · 1,000 spans/s · 8.00 MB/s");
    }

    #[test]
    fn a_search_tells_its_rate_only_while_it_runs() {
        let mut progress = SearchProgress {
            filter: String::new(),
            texts: vec!["refund".into()],
            trace_id: None,
            spans: 1_024,
            spans_expected: 2_048,
            bytes: 12_000_000,
            hits: 1,
            elapsed_ms: 100.0,
            state: SearchState::Running,
        };
        assert_eq!(search_text(&progress), "1,024 of 2,048 spans · 12.0 MB · 1 hit", "too early for a rate");
        progress.elapsed_ms = 2_000.0;
        assert_eq!(search_text(&progress), "1,024 of 2,048 spans · 12.0 MB · 6.00 MB/s · 1 hit");
        progress.state = SearchState::Stopped;
        assert_eq!(search_text(&progress), "1,024 of 2,048 spans · 12.0 MB · 1 hit");
    }

    #[test]
    fn an_import_tells_bytes_spans_and_once_it_is_known_the_rate() {
        let mut progress = Importing { bytes: 1_500_000, bytes_expected: 3_000_000, spans: 1_200, elapsed_ms: 100.0 };
        assert_eq!(import_text(&progress), "1.50 MB of 3.00 MB · 1,200 spans");
        progress.elapsed_ms = 500.0;
        assert_eq!(import_text(&progress), "1.50 MB of 3.00 MB · 1,200 spans · 3.00 MB/s");
    }

    #[test]
    fn totals_say_what_is_unknown() {
        let tokens =
            TokenTotals { prompt: None, completion: Some(567), total: Some(1_801), counted: 8, requests: 57, ..TokenTotals::default() };
        let some = ListTotals {
            traces: 56,
            failed_traces: 2,
            spans: 1_434,
            failed: 3,
            tokens,
            duration_nanos: Some(48_100_000_000),
            median_nanos: Some(12_300_000),
            p95_nanos: Some(1_230_000_000),
            without_duration: 1,
        };
        let one = ListTotals { traces: 1, spans: 1, ..ListTotals::default() };
        insta::assert_snapshot!([totals_text(&some), totals_text(&one)].join("\n"), @"
        1,434 spans · 3 failed in 2 traces · median 12.3 ms · 95 % within 1.23 s · 48.1 s in all (1 trace without times) · tokens: prompt – · completion 567 · total 1,801 · counted for 8 of 57 inference requests
        1 span
        ");
    }
}
