//! Pushes data that belongs to no trace: log records without a span, and imported metric points.

use super::resume::{self, Delivered, ResumeFile};
use super::{OTHER_FILE, PIECE_BYTES, Sender, Sent, progress};
use crate::arguments::Push;
use anyhow::{Result, bail};
use quipu::format::counted;
use quipu::{Outgoing, PieceSize, Session, UnattachedSignal};
use quipu_telemetry::otlp::{Client, Signal};

/// Singular and plural of an entry.
pub(super) fn words(which: UnattachedSignal) -> [&'static str; 2] {
    match which {
        UnattachedSignal::Logs => ["log record without a span", "log records without a span"],
        UnattachedSignal::Points => ["metric point", "metric points"],
    }
}

/// Key of the number of entries in the JSON output.
pub(super) fn key(which: UnattachedSignal) -> &'static str {
    match which {
        UnattachedSignal::Logs => "records",
        UnattachedSignal::Points => "points",
    }
}

/// The OTLP signal to send it as.
pub(super) fn signal(which: UnattachedSignal) -> Signal {
    match which {
        UnattachedSignal::Logs => Signal::Logs,
        UnattachedSignal::Points => Signal::Metrics,
    }
}

/// Sends the entries after those of earlier runs. Returns the number of entries sent by earlier runs.
pub(super) fn push(
    push: &Push,
    session: &Session,
    client: &Client,
    which: UnattachedSignal,
    outgoing: &mut Outgoing,
    sent: &mut Sent,
) -> Result<u64> {
    let file = ResumeFile::choose(push.resume.as_deref(), signal(which), &push.file, client.url(), &[]);
    let mut delivered = resume::delivered(file.as_ref(), push.restart)?;
    if let Some(found) = &delivered
        && !session.cursor_is_valid(which, found.rowid, &found.fingerprint)?
    {
        eprintln!("{OTHER_FILE}");
        delivered = None;
    }
    let (after, before) = delivered.map_or((0, 0), |delivered| (delivered.rowid, delivered.entries));
    let whole = before + session.remaining_after(which, after)?.map_or(0, |(rest, _)| rest);
    let size = PieceSize { entries: push.batch as usize, bytes: PIECE_BYTES };
    let (mut here, mut sender) = (0, Sender::new(client));
    let outcome = session.each_redacted_unattached_piece::<anyhow::Error>(which, after, size, outgoing, &mut |piece| {
        let so_far = before + here;
        if piece.entries > 0 {
            sent.take(piece.entries, sender.send(&piece.request, &|rate| progress(so_far, whole, words(which)[1], rate))?);
            sender.delivered += piece.entries;
        }
        here += piece.entries;
        match &file {
            Some(file) => file.write(&Delivered { rowid: piece.last, fingerprint: piece.fingerprint, entries: before + here }),
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
