//! Fuzzes imports of OTLP and Jaeger JSON.

use quipu::protocol::Failure;
use quipu::protocol::FileFormat;
use quipu::store::{NamedSource, OpenOptions, Writer};
use quipu::transfer::{ImportError, Importer, Recorder, Signal, read_request, zipkin_request};
use quipu::{Selection, Session};

/// Anything sent to a collector is stored or rejected, and what was stored can be opened.
pub(super) fn is_received(data: &[u8]) {
    // What comes as Zipkin's spans is received as OTLP.
    if let Ok(request) = zipkin_request(data) {
        read_request(Signal::Traces, false, &request).expect("a request that we made ourselves");
    }
    for (signal, is_json) in Signal::ALL.into_iter().flat_map(|signal| [(signal, true), (signal, false)]) {
        let Ok(mut rows) = read_request(signal, is_json, data) else { continue };
        let mut recorder = Recorder::new(Writer::in_memory().expect("memory is writable"));
        recorder.begin().expect("memory is writable");
        let recorded = recorder.write(&mut rows).expect("any rows can be written");
        assert_eq!(recorded.spans + recorded.repeated_spans, rows.spans().len() as u64);
        recorder.commit().expect("memory is writable");
        let file = NamedSource { name: "input".into(), source: Box::new(recorder.into_writer().into_source().expect("it is in memory")) };
        Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("what was written opens");
    }
}

/// What is imported can be opened and exported as OTLP with all spans; anything else is rejected with a sentence.
pub(super) fn check(data: &[u8]) {
    let Some(mut session) = imported(data) else { return };
    let spans = ids(&mut session);
    let mut out = Vec::new();
    let exported = session.export::<Failure>(Selection::All, FileFormat::OtlpJson, &mut |bytes| {
        out.extend_from_slice(bytes);
        Ok(())
    });
    assert_eq!(exported, Ok(spans.len() as u64));
    let again = if out.is_empty() { Vec::new() } else { imported(&out).map(|mut session| ids(&mut session)).unwrap_or_default() };
    assert_eq!(again, spans, "an export is read as what it was made of");
}

fn imported(data: &[u8]) -> Option<Session> {
    let mut importer = Importer::new(Writer::in_memory().expect("memory is writable")).expect("memory is writable");
    importer.begin("input");
    let outcome = data.chunks(61).try_for_each(|chunk| importer.push(chunk)).and_then(|()| importer.end());
    match outcome {
        Err(ImportError::NotUnderstood(words)) => {
            assert!(words.starts_with("input is") && words.ends_with('.'), "{words}");
            return None;
        }
        outcome => outcome.expect("only the input can be wrong"),
    }
    let (writer, report) = importer.finish().expect("memory is writable");
    assert!(report.problems.iter().all(|problem| problem.to_string().ends_with('.')), "{report:?}");
    let file = NamedSource { name: "input".into(), source: Box::new(writer.into_source().expect("it is in memory")) };
    let mut session = Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("what was written opens");
    session.complete_index().expect("what was written is read");
    Some(session)
}

fn ids(session: &mut Session) -> Vec<String> {
    let recording = session.recording(Selection::All, usize::MAX).expect("what was written is read");
    let mut ids: Vec<String> = recording.spans.into_iter().map(|span| span.span_id).collect();
    ids.sort();
    ids
}
