//! The most memory the browser's pages have held, as the system counts it.

use std::collections::HashMap;
use std::fs;

/// The peak of the largest renderer among the processes below this one, in bytes; `None` where the system has no `/proc`.
pub(crate) fn renderer_peak() -> Option<f64> {
    let mut parents = HashMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if let Some(parent) = value_of(process, "PPid:").and_then(|parent| u32::try_from(parent).ok()) {
            parents.insert(process, parent);
        }
    }
    let ours = |process: u32| {
        let mut at = process;
        // A process whose parent ended meanwhile belongs to nobody.
        for _ in 0..64 {
            match parents.get(&at) {
                Some(parent) if *parent == std::process::id() => return true,
                Some(parent) => at = *parent,
                None => return false,
            }
        }
        false
    };
    let peaks = parents.keys().copied().filter(|process| is_renderer(*process) && ours(*process));
    peaks.filter_map(|process| value_of(process, "VmHWM:")).max().map(|kib| kib as f64 * 1024.0)
}

/// Chromium writes its children's words anew, with blanks between them.
fn is_renderer(process: u32) -> bool {
    fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains("--type=renderer"))
}

fn value_of(process: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}
