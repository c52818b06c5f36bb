//! Converts URLs of earlier versions to the next one.

use super::keys::range;
use super::percent::decode;

/// Version 1 had `from=1&to=2` for a trace's window, each optional, a hyphen in other ranges (`zoom=1-2`), and `plumbing` for `framework`.
/// Parts that are invalid in version 1 are not changed, so that they are reported as written.
pub(super) fn from_1(rest: &str) -> String {
    let Some((path, query)) = rest.split_once('?') else { return rest.to_owned() };
    let mut steps = path.split('/');
    let is_trace = steps.next() == Some("trace") && steps.next().is_some_and(|id| !id.is_empty() && decode(id).is_some());
    if !is_trace {
        return rest.to_owned();
    }
    let mut window = None;
    // Position of the window: that of its first end.
    let mut place = 0;
    let mut parts: Vec<String> = Vec::new();
    for part in query.split('&') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = decode(value).unwrap_or_default();
        let ends = || value.split_once('-').and_then(|(from, to)| Some((from.parse::<u64>().ok()?, to.parse::<u64>().ok()?)));
        let range_of = |is_read: fn(&(u64, u64)) -> bool| ends().filter(is_read).map(|ends| format!("{key}={}", range(ends)));
        match (key, value.parse::<u64>()) {
            ("from" | "to", Ok(end)) => {
                if window.is_none() {
                    place = parts.len();
                }
                let (from, to) = window.unwrap_or((0, u64::MAX));
                window = Some(if key == "from" { (end, to) } else { (from, end) });
                continue;
            }
            ("measure", _) => parts.push(range_of(|(from, to)| from <= to).unwrap_or_else(|| part.to_owned())),
            ("zoom", _) => parts.push(range_of(|(from, to)| from < to).unwrap_or_else(|| part.to_owned())),
            ("plumbing", _) => parts.push(part.replacen("plumbing", "framework", 1)),
            _ => parts.push(part.to_owned()),
        }
    }
    if let Some(window) = window {
        parts.insert(place, format!("window={}", range(window)));
    }
    format!("{path}?{}", parts.join("&"))
}
