//! Indexes spans on a second thread while the next ones are read. Without threads (wasm), each span is indexed as it is read.
//!
//! Rows are copied into batches and sent over a channel in the order they were read. A single thread indexes them, so the result is the
//! same either way. Not here: SQL, and the indexing itself (`pass`).

use quipu_store::ScanSpan;

/// Calls `read` with a function that accepts spans. `take` has received each of them, in order, when this returns.
#[cfg(target_family = "wasm")]
pub(super) fn pipeline<R>(mut take: impl FnMut(ScanSpan<'_>), read: impl FnOnce(&mut dyn FnMut(ScanSpan<'_>)) -> R) -> R {
    read(&mut take)
}

#[cfg(not(target_family = "wasm"))]
pub(super) use native::pipeline;

#[cfg(not(target_family = "wasm"))]
mod native {
    use super::ScanSpan;
    use quipu_store::Stored;
    use std::borrow::Cow;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::sync::{Mutex, PoisonError};
    use std::thread;

    /// Size at which a batch is sent, in bytes.
    const BATCH_BYTES: usize = 128 << 10;
    /// Maximum number of batches in existence, including the one being filled and the one being indexed.
    const BATCHES: usize = 4;
    /// A row longer than this is copied only when no other batch is in flight, so that a file of very long rows is not in memory several
    /// times.
    const LONG_ROW: usize = 4 << 20;

    /// Copied rows.
    #[derive(Default)]
    struct Batch {
        text: Vec<u8>,
        rows: Vec<Row>,
    }

    /// A row. Its texts lie in the batch one after another, in the order of the fields.
    struct Row {
        rowid: i64,
        span_id: Place,
        trace_id: Place,
        parent_span_id: Place,
        name: Option<usize>,
        start: Place,
        end: Place,
        /// Length in the batch, as of all texts.
        attributes: usize,
        status: Option<usize>,
        is_server: bool,
        source: Option<i64>,
    }

    /// A [`Stored`], whose bytes are in the batch if they are not an OTLP id.
    enum Place {
        Null,
        Text(usize),
        Bytes(usize),
        SpanId([u8; 8]),
        TraceId([u8; 16]),
        Nanos(i64),
    }

    impl Place {
        fn stored<'b>(&'b self, mut cut: impl FnMut(usize) -> &'b [u8]) -> Stored<'b> {
            match self {
                Place::Null => Stored::Null,
                Place::Text(length) => Stored::Text(Cow::Borrowed(cut(*length))),
                Place::Bytes(length) => Stored::Bytes(cut(*length)),
                Place::SpanId(id) => Stored::Bytes(id),
                Place::TraceId(id) => Stored::Bytes(id),
                Place::Nanos(nanos) => Stored::Nanos(*nanos),
            }
        }
    }

    impl Batch {
        fn copy(&mut self, text: &[u8]) -> usize {
            self.text.extend_from_slice(text);
            text.len()
        }

        fn place(&mut self, stored: &Stored<'_>) -> Place {
            match stored {
                Stored::Null => Place::Null,
                Stored::Text(text) => Place::Text(self.copy(text)),
                Stored::Nanos(nanos) => Place::Nanos(*nanos),
                Stored::Bytes(bytes) => match (<[u8; 8]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
                    (Ok(id), _) => Place::SpanId(id),
                    (_, Ok(id)) => Place::TraceId(id),
                    _ => Place::Bytes(self.copy(bytes)),
                },
            }
        }

        fn push(&mut self, span: &ScanSpan<'_>) {
            let row = Row {
                rowid: span.rowid,
                span_id: self.place(&span.span_id),
                trace_id: self.place(&span.trace_id),
                parent_span_id: self.place(&span.parent_span_id),
                name: span.name.as_deref().map(|name| self.copy(name)),
                start: self.place(&span.start),
                end: self.place(&span.end),
                attributes: self.copy(span.attributes),
                status: span.status.as_deref().map(|status| self.copy(status)),
                is_server: span.is_server,
                source: span.source,
            };
            self.rows.push(row);
        }

        fn take(&self, take: &mut impl FnMut(ScanSpan<'_>)) {
            let mut rest = self.text.as_slice();
            let mut cut = |length: usize| {
                let (text, after) = rest.split_at_checked(length).unwrap_or_default();
                rest = after;
                text
            };
            for row in &self.rows {
                take(ScanSpan {
                    rowid: row.rowid,
                    span_id: row.span_id.stored(&mut cut),
                    trace_id: row.trace_id.stored(&mut cut),
                    parent_span_id: row.parent_span_id.stored(&mut cut),
                    name: row.name.map(|length| Cow::Borrowed(cut(length))),
                    start: row.start.stored(&mut cut),
                    end: row.end.stored(&mut cut),
                    attributes: cut(row.attributes),
                    status: row.status.map(|length| Cow::Borrowed(cut(length))),
                    is_server: row.is_server,
                    source: row.source,
                });
            }
        }

        /// Clears the batch for reuse, and frees the memory that a long row needed.
        fn cleared(mut self) -> Batch {
            self.rows.clear();
            self.text.clear();
            self.text.shrink_to(BATCH_BYTES * 2);
            self
        }
    }

    /// The reading side of the pipeline.
    struct Reader {
        current: Batch,
        full: SyncSender<Batch>,
        empty: Receiver<Batch>,
        /// Batches sent and not returned yet.
        away: usize,
    }

    impl Reader {
        fn hand_over(&mut self) {
            let next = if self.away + 1 < BATCHES { self.empty.try_recv().ok() } else { self.empty.recv().ok() };
            self.away -= usize::from(next.is_some());
            let batch = std::mem::replace(&mut self.current, next.unwrap_or_default());
            // Fails only if the other thread panicked, which joining it reports.
            self.away += usize::from(self.full.send(batch).is_ok());
        }

        fn wait_for_all(&mut self) {
            while self.away > 0 && self.empty.recv().is_ok() {
                self.away -= 1;
            }
        }
    }

    /// Calls `read` with a function that accepts spans. `take` has received each of them, in order, when this returns.
    pub(in super::super) fn pipeline<R>(take: impl FnMut(ScanSpan<'_>) + Send, read: impl FnOnce(&mut dyn FnMut(ScanSpan<'_>)) -> R) -> R {
        // Only one thread uses it. The lock lets the reading side use it if no thread could be spawned.
        let take = Mutex::new(take);
        let take_in = |batch: &Batch| batch.take(&mut *take.lock().unwrap_or_else(PoisonError::into_inner));
        thread::scope(|scope| {
            let (full, to_take) = sync_channel::<Batch>(BATCHES);
            let (back, empty) = sync_channel(BATCHES);
            let mut reader = Reader { current: Batch::default(), full, empty, away: 0 };
            let mut begin = Some(move || {
                for batch in to_take {
                    take_in(&batch);
                    // Fails once the reader is done.
                    let _ = back.send(batch.cleared());
                }
            });
            let mut has_thread = false;
            let outcome = read(&mut |span| {
                let is_long = span.attributes.len() > LONG_ROW;
                if is_long {
                    reader.wait_for_all();
                }
                reader.current.push(&span);
                if !is_long && reader.current.text.len() < BATCH_BYTES {
                    return;
                }
                // A thread is not worthwhile for less than a full batch.
                if let Some(begin) = begin.take() {
                    has_thread = thread::Builder::new().spawn_scoped(scope, begin).is_ok();
                }
                if has_thread {
                    reader.hand_over();
                } else {
                    take_in(&reader.current);
                    reader.current = std::mem::take(&mut reader.current).cleared();
                }
            });
            if has_thread {
                reader.hand_over();
            } else {
                take_in(&reader.current);
            }
            outcome
        })
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use quipu_store::Stored;
    use std::borrow::Cow;

    fn span(rowid: i64, attributes: &[u8]) -> ScanSpan<'_> {
        let text = |text: &'static str| Cow::Borrowed(text.as_bytes());
        ScanSpan {
            rowid,
            span_id: Stored::Text(text("id")),
            trace_id: Stored::Null,
            parent_span_id: Stored::Bytes(b""),
            name: Some(Cow::Owned(format!("name {rowid}").into_bytes())),
            start: Stored::Nanos(rowid),
            end: Stored::Text(text("end")),
            attributes,
            status: Some(text("status")),
            is_server: rowid % 3 == 0,
            source: (rowid % 5 == 0).then_some(rowid),
        }
    }

    #[test]
    fn every_row_comes_whole_and_in_order() {
        for (rows, bytes) in [(0, 0), (3, 10), (20_000, 100), (300, 10_000), (5, 5 << 20)] {
            let text: Vec<u8> = (0..bytes + rows).map(|at| at as u8).collect();
            let mut taken = 0_i64;
            let read = pipeline(
                |row| {
                    let expected = span(taken, &text[taken as usize..taken as usize + bytes]);
                    assert_eq!((row.rowid, row.attributes), (taken, expected.attributes));
                    assert_eq!((row.is_server, row.source), (expected.is_server, expected.source));
                    let stored = |row: &ScanSpan<'_>| {
                        [&row.span_id, &row.trace_id, &row.parent_span_id, &row.start, &row.end].map(|stored| format!("{stored:?}"))
                    };
                    assert_eq!(stored(&row), stored(&expected));
                    let texts = |row: &ScanSpan<'_>| [&row.name, &row.status].map(|text| text.as_deref().map(<[u8]>::to_vec));
                    assert_eq!(texts(&row), texts(&expected));
                    taken += 1;
                },
                |give| {
                    (0..rows).for_each(|row| give(span(row as i64, &text[row..row + bytes])));
                    rows
                },
            );
            assert_eq!((read, taken), (rows, rows as i64), "{bytes} bytes");
        }
    }
}
