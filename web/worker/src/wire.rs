//! The worker's message format: receives `{id, body, files}`, sends `{body}`.

use crate::driver::{answer, copy_part, metrics_input, open, open_for_sql, open_shared};
use crate::messages::{build, bytes, get, id, listen, post, post_with_blob};
use js_sys::Array;
use quipu_protocol::{Command, Failure, FailureKind, FileSummary, GetFile, Notification, Question};
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::File;

/// Starts listening, and reports readiness.
pub(crate) fn start() {
    crate::memory::keep_limit();
    listen(receive, &Notification::Ready { build: build() });
}

thread_local! {
    /// Messages received while a file is being opened, which takes several turns; they are about that file. `None` if none is being opened.
    static WAITING: RefCell<Option<Vec<JsValue>>> = const { RefCell::new(None) };
}

fn receive(data: &JsValue) {
    let waits = WAITING.with_borrow_mut(|waiting| waiting.as_mut().map(|waiting| waiting.push(data.clone())).is_some());
    if waits {
        return;
    }
    let id = id(data);
    let result = match postcard::from_bytes::<Command>(&bytes(data, "body")) {
        Ok(Command::GetMetricsInput) => return reply_with_blob(id, metrics_input()),
        Ok(Command::CopyPart { what }) => return reply_with_blob(id, copy_part(&what)),
        Ok(Command::Ask(request)) => answer(request),
        Ok(command @ (Command::Open { .. } | Command::OpenShared | Command::OpenForSql { .. })) => {
            let files = get(data, "files").dyn_into::<Array>().map(|files| files.iter().filter_map(|file| file.dyn_into().ok()).collect());
            WAITING.set(Some(Vec::new()));
            wasm_bindgen_futures::spawn_local(receive_files(id, command, files.unwrap_or_default()));
            return;
        }
        Err(error) => Err(Failure {
            kind: FailureKind::Internal,
            message: format!("The message from the page can’t be decoded ({error}). Reload the page."),
        }),
    };
    post(&Notification::Reply { id, result });
}

/// Replies with the file's summary and a blob of these bytes.
fn reply_with_blob(id: u32, result: Result<(FileSummary, Vec<u8>), Failure>) {
    match result {
        Ok((summary, bytes)) => post_with_blob(&Notification::Reply { id, result: Ok(GetFile::into_response(summary)) }, &bytes),
        Err(failure) => post(&Notification::Reply { id, result: Err(failure) }),
    }
}

async fn receive_files(id: u32, command: Command, mut files: Vec<File>) {
    let result = match (command, files.pop()) {
        (Command::OpenShared, Some(columns)) => open_shared(columns).await,
        (Command::Open { names }, last) => {
            files.extend(last);
            match open(names, files).await {
                Ok(Some(summary)) => Ok(summary),
                // The waiting messages stay unanswered, too: the page sends all of them to the other program.
                Ok(None) => return post(&Notification::NeedsImport),
                Err(failure) => Err(failure),
            }
        }
        (Command::OpenForSql { names }, last) => {
            files.extend(last);
            open_for_sql(&names, files)
        }
        _ => Err(Failure { kind: FailureKind::Internal, message: "The link contained no data. Reload the page.".into() }),
    };
    post(&Notification::Reply { id, result: result.map(GetFile::into_response) });
    for data in WAITING.take().unwrap_or_default() {
        receive(&data);
    }
}
