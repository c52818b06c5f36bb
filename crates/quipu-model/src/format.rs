//! Formats numbers and times for display. An unknown number is [`DASH`], never 0.
//!
//! Not here: the local time zone, which only the browser knows. Callers pass its offset at the instant.

use crate::number::truncated;
use crate::{CallParts, Cost, Timestamp, TokenTotals, UNKNOWN_NANOS, ZoneFact, is_companion};

/// Shown for an unknown value.
pub const DASH: &str = "–";

/// How instants are displayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimeStyle {
    /// In UTC.
    #[default]
    Utc,
    /// In the user's time zone.
    Local,
    /// Relative to the start of the trace, or of the file in a list.
    Relative,
}

/// A duration in nanoseconds, in a suitable unit with three significant digits: `850 ns`, `12.3 ms`, `1.23 s`, `2 m 05 s`, `3 h 07 m`,
/// `2 d 04 h`.
pub fn duration(nanos: u64) -> String {
    const UNITS: [(f64, &str); 4] = [(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")];
    if nanos < 1_000 {
        return format!("{nanos} ns");
    }
    for (size, unit) in UNITS.into_iter().skip(1) {
        let amount = nanos as f64 / size;
        let limit = if unit == "s" { 59.95 } else { 999.5 };
        if amount < limit {
            return format!("{} {unit}", three_digits(amount));
        }
    }
    let seconds: u64 = truncated((nanos as f64 / 1e9).round());
    match seconds {
        0..3_600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {:02} m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// [`duration`], or [`DASH`] if unknown.
pub fn duration_text(nanos: Option<u64>) -> String {
    nanos.filter(|nanos| *nanos != UNKNOWN_NANOS).map_or_else(|| DASH.into(), duration)
}

/// `amount` (below 1000) with three significant digits.
fn three_digits(amount: f64) -> String {
    if amount < 9.995 {
        format!("{amount:.2}")
    } else if amount < 99.95 {
        format!("{amount:.1}")
    } else {
        format!("{amount:.0}")
    }
}

/// An integer with grouped thousands: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of any size: integers with grouped thousands, others with five significant digits.
pub fn number_text(number: f64) -> String {
    if !number.is_finite() {
        return if number.is_nan() { "NaN".into() } else { format!("{}Inf", if number > 0.0 { "+" } else { "-" }) };
    }
    let size = number.abs();
    let sign = if number < 0.0 { "-" } else { "" };
    if size < 9e15 && size.fract() == 0.0 {
        return format!("{sign}{}", count(truncated(size)));
    }
    if !(1e-4..1e15).contains(&size) {
        return format!("{number:.4e}");
    }
    // Digits before the point, if any. Leading zeros after the point don't count.
    let digits = truncated::<i32>(size.log10().floor()) + i32::from(size >= 1.0);
    let places = if size < 1.0 { 4 - digits } else { 5 - digits };
    let text = format!("{size:.*}", places.clamp(0, 9) as usize);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    match text.split_once('.') {
        Some((whole, part)) => format!("{sign}{}.{part}", whole.parse().map_or_else(|_| whole.to_owned(), count)),
        None => format!("{sign}{}", text.parse().map_or_else(|_| text.to_owned(), count)),
    }
}

/// A cost: `$1.25`; `≥ $0.0031` for a lower bound; [`DASH`] if unknown.
pub fn cost_text(cost: Option<Cost>) -> String {
    let Some(Cost { nanos, is_least, unit }) = cost else { return DASH.to_owned() };
    let amount = nanos as f64 / 1e9;
    let amount = if amount >= 1.0 || nanos == 0 { format!("{amount:.2}") } else { number_text((amount * 1e6).ceil() / 1e6) };
    format!("{}{}{amount}", if is_least { "≥ " } else { "" }, unit.as_str())
}

/// A count and its noun: `1 span`, `2,048 spans`, `– spans`.
pub fn counted(number: Option<u64>, singular: &str, plural: &str) -> String {
    match number {
        None => format!("{DASH} {plural}"),
        Some(1) => format!("1 {singular}"),
        Some(number) => format!("{} {plural}", count(number)),
    }
}

/// How much a served file has grown since it was opened. `before` and `now` are span counts.
pub fn growth_text(name: &str, before: Option<u64>, now: u64) -> String {
    match before.and_then(|before| now.checked_sub(before)).filter(|more| *more > 0) {
        Some(more) => format!("{name} has grown: {}.", counted(Some(more), "more span", "more spans")),
        None => format!("{name} has changed: it holds {} now.", counted(Some(now), "span", "spans")),
    }
}

/// The ratio in percent: `12 %`, `<1 %`; [`DASH`] if `whole` is 0.
pub fn share_text(part: u64, whole: u64) -> String {
    match (part as f64 / whole as f64 * 100.0).round() {
        _ if whole == 0 => DASH.to_owned(),
        _ if part == 0 => "0 %".to_owned(),
        percent if percent < 1.0 => "<1 %".to_owned(),
        // Never round up to 100 %.
        percent if percent >= 100.0 && part < whole => ">99 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

/// CSS class of a message role. Only roles with a style of their own have one, because a recorded role may be any string.
pub fn role_class(role: &str) -> &'static str {
    match role {
        "system" => "system",
        "user" => "user",
        "assistant" => "assistant",
        "tool" => "tool",
        _ => "other",
    }
}

/// `no failures`, `1 failure`, `12 failures`, `– failures`.
pub fn failures_text(failed: Option<u64>) -> String {
    if failed == Some(0) { "no failures".into() } else { counted(failed, "failure", "failures") }
}

/// A size in decimal units: `812 bytes`, `737 KB`, `1.46 GB`.
pub fn bytes(size: u64) -> String {
    if size < 1_000 {
        return counted(Some(size), "byte", "bytes");
    }
    for (scale, unit) in [(1e3, "KB"), (1e6, "MB"), (1e9, "GB")] {
        let amount = size as f64 / scale;
        if amount < 999.5 {
            return format!("{} {unit}", three_digits(amount));
        }
    }
    format!("{:.2} TB", size as f64 / 1e12)
}

/// An instant in the given style. `offset_minutes` is the user's offset from UTC at that instant (used by [`TimeStyle::Local`] only).
/// `zero` is the origin of [`TimeStyle::Relative`], which falls back to UTC without one.
pub fn time(at: Timestamp, style: TimeStyle, offset_minutes: i32, zero: Option<Timestamp>) -> String {
    match (style, zero) {
        (TimeStyle::Relative, Some(zero)) => offset_text(at.nanos_since(zero)),
        (TimeStyle::Local, _) => at.civil(offset_minutes),
        _ => at.civil(0),
    }
}

/// Truncates a local time to milliseconds, so that times line up in a column: `2026-11-22 18:39:36.509`.
pub fn cut_to_millis(civil: &str) -> &str {
    let fraction = civil.rfind('.').map_or(civil.len(), |dot| dot + 1);
    let digits = civil.get(fraction..).unwrap_or_default();
    // Other texts end in a unit.
    if digits.len() > 3 && digits.bytes().all(|digit| digit.is_ascii_digit()) { civil.get(..fraction + 3).unwrap_or(civil) } else { civil }
}

/// A signed duration in nanoseconds: `+12.3 ms`, `−850 ns`, `0 ns`.
pub fn offset_text(nanos: i64) -> String {
    match nanos {
        0 => "0 ns".into(),
        1.. => format!("+{}", duration(nanos.unsigned_abs())),
        _ => format!("−{}", duration(nanos.unsigned_abs())),
    }
}

/// What is known about the parts of a call's tokens, and its speed: titles and numbers.
pub fn call_facts(parts: &CallParts) -> Vec<(&'static str, String)> {
    let tokens = [
        ("Cached prompt tokens", parts.cached),
        ("Prompt tokens put into the cache", parts.cache_written),
        ("Reasoning tokens", parts.reasoning),
    ];
    let first = parts.first_part_nanos.map(|nanos| ("First part after", duration_text(Some(nanos))));
    tokens.into_iter().filter_map(|(title, tokens)| Some((title, count(tokens?)))).chain(first).collect()
}

/// One sentence on what is known about the time zone of a file's times.
pub fn zone_sentence(zone: Option<ZoneFact>) -> &'static str {
    match zone {
        None => "The zone of the times is known once the index is complete.",
        Some(ZoneFact::Zoned) => "All times in the file have a time zone.",
        Some(ZoneFact::Recovered { .. }) => "The file has the server’s local times; their offset from UTC was derived from created_at.",
        Some(ZoneFact::Unknown) => "The file has local times without a zone, and their offset is unknown: times are shown as recorded.",
    }
}

/// Token totals and the number of requests they cover:
/// `prompt 1,234 · completion 567 · total 1,801 · counted for 8 of 57 inference requests`. `None` if there are no inference requests, and no
/// metric counted tokens.
pub fn token_sentence(totals: &TokenTotals) -> Option<String> {
    let part = |word: &str, sum: Option<u64>| format!("{word} {}", sum.map_or_else(|| DASH.into(), count));
    let sums = || [part("prompt", totals.prompt), part("completion", totals.completion), part("total", totals.total)].join(" · ");
    if totals.requests == 0 {
        let is_known = [totals.prompt, totals.completion, totals.total].iter().any(Option::is_some);
        return is_known.then(|| format!("{} · counted by a metric; no inference request was recorded", sums()));
    }
    let requests = counted(Some(totals.requests.into()), "inference request", "inference requests");
    if totals.counted == 0 {
        return Some(format!("not recorded for {requests}"));
    }
    let mut sentence = sums();
    sentence += &if totals.counted < totals.requests {
        format!(" · counted for {} of {requests}", count(totals.counted.into()))
    } else {
        format!(" · {requests}")
    };
    if totals.cost.is_some() {
        sentence += &format!(" · cost {}", cost_text(totals.cost));
    }
    Some(sentence)
}

/// Display name of files opened together: `traces.jsonl and 2 more`. Companion files of a database are not counted.
pub fn files_name<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut names = names.into_iter().filter(|name| !is_companion(name));
    let first = names.next().unwrap_or_default();
    match names.count() {
        0 => first.to_owned(),
        more => format!("{first} and {} more", count(more as u64)),
    }
}

/// Splits a route into a part that may be truncated and its last segment, which distinguishes it from other routes. Other names are
/// entirely in the first part.
pub fn name_parts(name: &str) -> (&str, &str) {
    const LONGEST_END: usize = 32;
    let cut = name.rfind('/').filter(|at| *at > 0 && name.starts_with('/') && name.len() - at <= LONGEST_END);
    name.split_at(cut.unwrap_or(name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CostUnit;

    #[test]
    fn numbers_have_five_significant_digits() {
        let texts = [0.0, 3.0, -1_234_567.0, 0.5, 1_234.567_89, 0.000_123_456, 12.345_678, f64::NAN, f64::NEG_INFINITY].map(number_text);
        assert_eq!(texts, ["0", "3", "-1,234,567", "0.5", "1,234.6", "0.00012346", "12.346", "NaN", "-Inf"]);
        assert_eq!(number_text(1.5e-7), "1.5000e-7");
        let cost = |nanos, is_least, unit| Some(Cost { nanos, is_least, unit: CostUnit::new(unit) });
        let costs = [cost(1_500_000_000, true, "$"), cost(3_140_000, false, ""), cost(0, false, "EUR "), None];
        assert_eq!(costs.map(cost_text), ["≥ $1.50", "0.00314", "EUR 0.00", DASH]);
    }

    #[test]
    fn nearly_all_is_not_all_and_nearly_nothing_not_nothing() {
        let share = |part, whole| share_text(part, whole);
        assert_eq!([share(2_830, 2_840), share(2_840, 2_840), share(1, 2_840), share(0, 2_840)], [">99 %", "100 %", "<1 %", "0 %"]);
        assert_eq!([share(1, 2), share(99, 100), share(0, 0)], ["50 %", "99 %", DASH]);
    }

    #[test]
    fn files_are_named_after_the_first_and_the_number_of_others() {
        assert_eq!(files_name(["traces.json"]), "traces.json");
        assert_eq!(files_name(["traces.json", "logs.json", "metrics.json"]), "traces.json and 2 more");
        assert_eq!(files_name(["telemetry.db-wal", "telemetry.db"]), "telemetry.db");
        assert_eq!(files_name([]), "");
    }

    #[test]
    fn the_last_segment_of_a_route_stays_visible() {
        assert_eq!(name_parts("/v1/agents/{agent_id}/session/{session_id}/turn"), ("/v1/agents/{agent_id}/session/{session_id}", "/turn"));
        assert_eq!(name_parts("/health"), ("/health", ""));
        assert_eq!(name_parts("InferenceRouter.chat_completion"), ("InferenceRouter.chat_completion", ""));
        assert_eq!(name_parts("a/b"), ("a/b", ""));
        assert_eq!(name_parts(&format!("/v1/{}", "x".repeat(40))).1, "");
    }

    #[test]
    fn durations_are_shown_in_a_suitable_unit() {
        let shown: Vec<String> = [
            0,
            999,
            1_000,
            9_994,
            9_996,
            999_499,
            999_600,
            12_345_678,
            999_600_000,
            1_234_000_000,
            59_940_000_000,
            59_960_000_000,
            125_000_000_000,
            3_599_600_000_000,
            11_220_000_000_000,
            187_200_000_000_000,
        ]
        .map(duration)
        .into();
        insta::assert_snapshot!(shown.join("\n"), @r"
        0 ns
        999 ns
        1.00 µs
        9.99 µs
        10.0 µs
        999 µs
        1.00 ms
        12.3 ms
        1.00 s
        1.23 s
        59.9 s
        1 m 00 s
        2 m 05 s
        1 h 00 m
        3 h 07 m
        2 d 04 h
        ");
        assert_eq!(duration_text(None), "–");
        assert_eq!(duration_text(Some(UNKNOWN_NANOS)), "–");
    }

    #[test]
    fn numbers_are_grouped_and_sizes_are_decimal() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([1, 812, 737_280, 999_600, 1_460_000_000].map(bytes), ["1 byte", "812 bytes", "737 KB", "1.00 MB", "1.46 GB"]);
        assert_eq!(counted(None, "span", "spans"), "– spans");
        assert_eq!(failures_text(Some(0)), "no failures");
        assert_eq!(failures_text(None), "– failures");
    }

    #[test]
    fn a_time_is_shown_by_the_chosen_clock() {
        let at = Timestamp(1_795_372_762_344_556_000);
        assert_eq!(time(at, TimeStyle::Utc, 60, None), "2026-11-22 18:39:22.344556");
        assert_eq!(time(at, TimeStyle::Local, 60, None), "2026-11-22 19:39:22.344556");
        assert_eq!(time(at, TimeStyle::Relative, 60, Some(Timestamp(at.0 - 1_500_000))), "+1.50 ms");
        assert_eq!(time(at, TimeStyle::Relative, 60, Some(Timestamp(at.0 + 1_500_000))), "−1.50 ms");
        assert_eq!(time(at, TimeStyle::Relative, 60, None), "2026-11-22 18:39:22.344556");
        assert_eq!(cut_to_millis("2026-11-22 18:39:22.344556"), "2026-11-22 18:39:22.344");
        assert_eq!(cut_to_millis("+1.50 ms"), "+1.50 ms");
    }

    #[test]
    fn token_sums_say_how_many_requests_they_rest_on() {
        let totals =
            TokenTotals { prompt: Some(1_234), completion: Some(567), total: None, counted: 8, requests: 57, ..TokenTotals::default() };
        assert_eq!(
            token_sentence(&totals).as_deref(),
            Some("prompt 1,234 · completion 567 · total – · counted for 8 of 57 inference requests")
        );
        let all = TokenTotals { prompt: Some(1), completion: Some(2), total: Some(3), counted: 1, requests: 1, ..TokenTotals::default() };
        assert_eq!(token_sentence(&all).as_deref(), Some("prompt 1 · completion 2 · total 3 · 1 inference request"));
        assert_eq!(
            token_sentence(&TokenTotals { requests: 4, ..TokenTotals::default() }).as_deref(),
            Some("not recorded for 4 inference requests")
        );
        assert_eq!(token_sentence(&TokenTotals::default()), None);
    }
}
