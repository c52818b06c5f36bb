//! `quipu export --html`: traces and the page in one HTML file. Requires the feature `page`, which embeds the page.
//!
//! Redaction and embedding are in `quipu::share`.

use crate::arguments::Export;
use crate::output::Output;
use anyhow::Result;
use std::path::Path;

#[cfg(not(feature = "page"))]
pub(crate) fn run(_: &Export, _: &Path, _: &mut Output) -> Result<()> {
    anyhow::bail!(
        "This quipu was built without the page, which --html needs. `cargo xtask build` builds one with it: target/release/quipu. You can also \
         create such files on the page: Share, One HTML file."
    )
}

#[cfg(feature = "page")]
pub(crate) fn run(export: &Export, path: &Path, output: &mut Output) -> Result<()> {
    use super::share::{print_report, redact_options};
    use crate::open::new_file;
    use crate::open::open_indexed;
    use anyhow::Context;
    use flate2::{Compression, write::GzEncoder};
    use quipu::address::{Screen, Source, ViewState, print_fragment};
    use quipu::protocol::RedactOptions;
    use quipu::protocol::{FileFormat, MakeShare, ShareForm, ShareOptions, ShareWhat};
    use quipu::share::{CarriedFile, carrying_page};
    use std::io::Write;

    let redact = RedactOptions { shift_times: export.relative_times, ..redact_options(export)?.unwrap_or_default() };
    let mut session = open_indexed(&export.file)?;
    let ids = export.traces.iter().map(|id| session.complete_trace_id(id)).collect::<Result<Vec<_>, _>>()?;
    let what = if ids.is_empty() { ShareWhat::All } else { ShareWhat::Traces(ids) };
    let options = ShareOptions { redact, leave_out_over: None };
    let form = ShareForm::File(FileFormat::Database);
    let shared = session.ask(MakeShare { what: what.clone(), options, form, span_id: None })?;
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(&shared.bytes)?;
    let gzip = packer.finish()?;
    let screen = match (&what, &shared.trace_id) {
        (ShareWhat::Traces(ids), Some(trace_id)) if ids.len() == 1 => Screen::trace(trace_id.clone()),
        _ => Screen::Traces,
    };
    let source = Some(Source::File { name: shared.file_name.clone(), size_bytes: Some(shared.bytes.len() as u64) });
    let fragment = print_fragment(&ViewState { screen, source, ..ViewState::default() });
    // The page without data, built by `cargo xtask build`.
    let viewer =
        crate::serve::page_file("viewer.html").context("The page in this quipu is incomplete; build it again with `cargo xtask build`.")?;
    let page = carrying_page(&String::from_utf8_lossy(&viewer), CarriedFile { name: &shared.file_name, gzip: &gzip }, &fragment)?;
    new_file(path)?.write_all(page.as_bytes()).with_context(|| format!("{} can't be written", path.display()))?;
    output.flush()?;
    print_report(&shared, None);
    Ok(())
}
