//! `quipu pin`: keeps traces when a collector removes the oldest.

use crate::arguments::Pin;
use crate::output::{Output, clean_line};
use anyhow::{Result, bail};
use quipu::format;
use quipu::store::{Layout, Writer};

pub(crate) fn run(pin: &Pin, output: &mut Output) -> Result<()> {
    let name = pin.file.display();
    if !pin.file.exists() {
        bail!("{name} does not exist.");
    }
    let mut writer = Writer::append_with(&pin.file, Layout::Quipu)?;
    writer.begin()?;
    let mut missing = Vec::new();
    for trace in &pin.traces {
        if !writer.set_pinned(trace, !pin.undo)? {
            missing.push(trace.as_str());
        }
    }
    if !missing.is_empty() {
        bail!("{name} has no trace {}.", clean_line(&missing.join(", ")));
    }
    writer.commit()?;
    writer.finish()?;
    let count = format::counted(Some(pin.traces.len() as u64), "trace", "traces");
    output.line(&if pin.undo { format!("{count} can be removed again.") } else { format!("{count} will stay when old ones are removed.") })
}
