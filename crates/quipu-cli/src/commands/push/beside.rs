//! Pushes what belongs to no trace: log records without a span, and imported metric points.

use super::resume::{self, Delivered, ResumeFile};
use super::{OTHER_FILE, PIECE_BYTES, Sender, Sent, progress};
use crate::arguments::Push;
use anyhow::{Result, bail};
use quipu::format::counted;
use quipu::{BesideTraces, PieceSize, Session};
use quipu_telemetry::otlp::{Client, Signal};

/// The signal's entries in messages: singular and plural.
pub(super) fn words(which: BesideTraces) -> [&'static str; 2] {
    match which {
        BesideTraces::Logs => ["log record without a span", "log records without a span"],
        BesideTraces::Points => ["metric point", "metric points"],
    }
}

/// The key of the counts in JSON output.
pub(super) fn key(which: BesideTraces) -> &'static str {
    match which {
        BesideTraces::Logs => "records",
        BesideTraces::Points => "points",
    }
}

/// The OTLP signal they are sent as.
pub(super) fn signal(which: BesideTraces) -> Signal {
    match which {
        BesideTraces::Logs => Signal::Logs,
        BesideTraces::Points => Signal::Metrics,
    }
}

/// Sends the entries that earlier runs have not sent. Returns how many those had sent.
pub(super) fn push(push: &Push, session: &Session, client: &Client, which: BesideTraces, sent: &mut Sent) -> Result<u64> {
    let file = ResumeFile::choose(push.resume.as_deref(), signal(which), &push.file, client.url(), &[]);
    let mut delivered = resume::delivered(file.as_ref(), push.restart)?;
    if let Some(found) = &delivered
        && !session.goes_on_behind(which, found.rowid, &found.mark)?
    {
        eprintln!("{OTHER_FILE}");
        delivered = None;
    }
    let (behind, before) = delivered.map_or((0, 0), |delivered| (delivered.rowid, delivered.entries));
    let whole = before + session.beside_rest(which, behind)?.map_or(0, |(rest, _)| rest);
    let size = PieceSize { entries: push.batch as usize, bytes: PIECE_BYTES };
    let (mut here, mut sender) = (0, Sender::new(client));
    let outcome = session.each_beside_piece::<anyhow::Error>(which, behind, size, &mut |piece| {
        let so_far = before + here;
        if piece.entries > 0 {
            sent.take(piece.entries, sender.send(&piece.request, &|rate| progress(so_far, whole, words(which)[1], rate))?);
            sender.delivered += piece.entries;
        }
        here += piece.entries;
        match &file {
            Some(file) => file.write(&Delivered { rowid: piece.last, mark: piece.mark, entries: before + here }),
            None => Ok(()),
        }
    });
    drop(sender);
    if let Err(error) = outcome {
        let again = if file.is_some() && before + here > 0 { " Run the same command again to continue." } else { "" };
        let [one, many] = words(which);
        bail!("{error:#} {} of {} were sent.{again}", before + here, counted(Some(whole), one, many));
    }
    if let Some(file) = &file {
        file.done();
    }
    Ok(before)
}
