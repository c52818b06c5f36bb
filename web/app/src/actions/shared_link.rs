//! Opens a trace that the address carries.

use crate::browser::error_text;
use crate::packing::{Secret, decrypt, inflate, wants_passphrase};
use crate::state::{App, FileState};
use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use quipu_protocol::address::Source;
use quipu_share::payload::{Form, LinkError, decode_key, unseal};
use std::sync::Arc;
use web_sys::File;

/// The name under which it is shown.
const NAME: &str = "shared trace";

/// Why it is not open.
enum Trouble {
    /// It is encrypted and needs a passphrase; with a message about the one that was tried.
    Locked(Option<&'static str>),
    /// A sentence.
    Broken(String),
}

/// Opens the data of a link, with the passphrase that the reader gave, if any.
pub(crate) fn open_link(app: App, letters: Arc<str>, key: Option<String>, passphrase: Option<String>) {
    let busy = app.idle().begin();
    app.settle_alert();
    let epoch = app.forget_loaded();
    app.locked.set(None);
    app.file.set(FileState::Opening { name: NAME.into(), fetched: false });
    wasm_bindgen_futures::spawn_local(async move {
        let columns = columns(&letters, key.as_deref(), passphrase).await;
        // The reader may have opened a file meanwhile.
        if app.epoch.get_untracked() == epoch {
            match columns.and_then(|columns| file(&columns)) {
                Ok(file) => app.open(Source::Link { letters, key }, vec![file]),
                Err(Trouble::Locked(text)) => {
                    app.file.set(FileState::None);
                    app.locked.set(Some(text));
                }
                Err(Trouble::Broken(text)) => app.cannot_open(text),
            }
        }
        drop(busy);
    });
}

async fn columns(letters: &str, key: Option<&str>, passphrase: Option<String>) -> Result<Vec<u8>, Trouble> {
    let broken = |error: LinkError| Trouble::Broken(error.to_string());
    let (form, mut body) = unseal(letters).map_err(broken)?;
    if form == Form::Encrypted {
        let secret = match (key.and_then(decode_key), passphrase) {
            _ if !crate::packing::can_encrypt() => {
                let text = "The link is encrypted, and browsers decrypt only on pages from HTTPS or from this computer. Open it there.";
                return Err(Trouble::Broken(text.into()));
            }
            (_, Some(words)) => Secret::Passphrase(words),
            (Some(key), None) => Secret::Key(key),
            (None, None) if wants_passphrase(&body) => return Err(Trouble::Locked(None)),
            (None, None) => {
                return Err(Trouble::Broken(
                    "The link is encrypted, and its key is missing: it was cut off, or was sent separately.".into(),
                ));
            }
        };
        body = match decrypt(&body, &secret).await {
            Some(body) => body,
            None if matches!(secret, Secret::Passphrase(_)) => {
                return Err(Trouble::Locked(Some("Wrong passphrase.")));
            }
            None => {
                return Err(Trouble::Broken(
                    "The key of the link does not match its data: one of them was altered. Ask for the link again.".into(),
                ));
            }
        };
    }
    inflate(&body).await.map_err(broken)
}

fn file(columns: &[u8]) -> Result<File, Trouble> {
    let made = File::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(columns)), NAME);
    made.map_err(|error| Trouble::Broken(format!("The data of the link could not be stored: {}.", error_text(&error))))
}
