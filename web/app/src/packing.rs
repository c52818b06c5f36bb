//! Compression and encryption for sharing, with the browser's streams and cryptography, so that the page needs no code for them.
//!
//! Not here: the packed data (the worker), and its encoding in a link (`quipu_share::payload`).
//!
//! The body of an encrypted link is a byte for the key (0: 32 random bytes, in the link or sent by another way; 1: derived from a
//! passphrase by PBKDF2, SHA-256, [`ROUNDS`] rounds), for 1 a salt of 16 bytes, a nonce of 12 bytes, and the deflated columns encrypted
//! with AES-GCM.

use crate::browser::window;
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use quipu_model::number::narrow;
use quipu_share::payload::{LinkError, MAX_UNPACKED_BYTES, TOO_LARGE};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Response};

const ROUNDS: f64 = 600_000.0;
const SALT: usize = 16;
const NONCE: usize = 12;
const KEY: usize = 32;
const BY_KEY: u8 = 0;
const BY_PASSPHRASE: u8 = 1;

/// The secret of an encrypted link.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Secret {
    /// 32 random bytes.
    Key(Vec<u8>),
    /// A passphrase.
    Passphrase(String),
}

/// Bytes packed as `deflate-raw` or `gzip`.
pub(crate) async fn pack(bytes: &[u8], format: &str) -> Result<Vec<u8>, JsValue> {
    let stream = through(bytes, "CompressionStream", format)?;
    let response = construct("Response", &[stream])?.unchecked_into::<Response>();
    let buffer = JsFuture::from(response.array_buffer()?).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// The columns in a link's body.
pub(crate) async fn inflate(body: &[u8]) -> Result<Vec<u8>, LinkError> {
    let mut columns = Vec::new();
    // Piece by piece, because a short input can inflate to any size.
    let read = async {
        let stream = through(body, "DecompressionStream", "deflate-raw")?;
        let reader = call(&stream, "getReader", &[])?;
        loop {
            let piece = promised(call(&reader, "read", &[])?).await?;
            if Reflect::get(&piece, &"done".into())?.is_truthy() {
                return Ok::<bool, JsValue>(true);
            }
            let piece = Uint8Array::new(&Reflect::get(&piece, &"value".into())?);
            if columns.len() + piece.length() as usize > MAX_UNPACKED_BYTES {
                let _ = call(&reader, "cancel", &[]);
                return Ok(false);
            }
            columns.extend_from_slice(&piece.to_vec());
        }
    };
    match read.await {
        Ok(true) => Ok(columns),
        Ok(false) => Err(TOO_LARGE),
        Err(_) => Err(LinkError::Altered),
    }
}

/// Whether the browser can encrypt: pages from plain HTTP beyond localhost can't.
pub(crate) fn can_encrypt() -> bool {
    subtle().is_ok()
}

/// A random key.
pub(crate) fn new_key() -> Result<Vec<u8>, JsValue> {
    by_chance(KEY)
}

/// Encrypts a body.
pub(crate) async fn encrypt(body: &[u8], secret: &Secret) -> Result<Vec<u8>, JsValue> {
    let (kind, salt) = match secret {
        Secret::Key(_) => (BY_KEY, Vec::new()),
        Secret::Passphrase(_) => (BY_PASSPHRASE, by_chance(SALT)?),
    };
    let nonce = by_chance(NONCE)?;
    let sealed = cipher("encrypt", secret, &salt, &nonce, body).await?;
    Ok([&[kind], salt.as_slice(), &nonce, &sealed].concat())
}

/// Whether an encrypted body needs a passphrase.
pub(crate) fn wants_passphrase(body: &[u8]) -> bool {
    body.first() == Some(&BY_PASSPHRASE)
}

/// Decrypts a body; `None` when the secret is wrong or the body was altered.
pub(crate) async fn decrypt(body: &[u8], secret: &Secret) -> Option<Vec<u8>> {
    let (kind, rest) = body.split_first()?;
    let salt = match secret {
        Secret::Passphrase(_) => SALT,
        Secret::Key(_) => 0,
    };
    if (*kind == BY_PASSPHRASE) != (salt > 0) {
        return None;
    }
    let (salt, rest) = rest.split_at_checked(salt)?;
    let (nonce, sealed) = rest.split_at_checked(NONCE)?;
    cipher("decrypt", secret, salt, nonce, sealed).await.ok()
}

async fn cipher(what: &str, secret: &Secret, salt: &[u8], nonce: &[u8], data: &[u8]) -> Result<Vec<u8>, JsValue> {
    let subtle = subtle()?;
    let uses = Array::of1(&what.into());
    let import = |bytes: &[u8], algorithm: &str, uses: &Array| {
        let arguments = ["raw".into(), Uint8Array::from(bytes).into(), algorithm.into(), false.into(), uses.clone().into()];
        call(&subtle, "importKey", &arguments)
    };
    let key = match secret {
        Secret::Key(key) => promised(import(key, "AES-GCM", &uses)?).await?,
        Secret::Passphrase(words) => {
            let words = promised(import(words.as_bytes(), "PBKDF2", &Array::of1(&"deriveKey".into()))?).await?;
            let from = object(&[
                ("name", "PBKDF2".into()),
                ("hash", "SHA-256".into()),
                ("salt", Uint8Array::from(salt).into()),
                ("iterations", ROUNDS.into()),
            ])?;
            let to = object(&[("name", "AES-GCM".into()), ("length", 256.into())])?;
            promised(call(&subtle, "deriveKey", &[from, words, to, false.into(), uses.into()])?).await?
        }
    };
    let algorithm = object(&[("name", "AES-GCM".into()), ("iv", Uint8Array::from(nonce).into())])?;
    let done = promised(call(&subtle, what, &[algorithm, key, Uint8Array::from(data).into()])?).await?;
    Ok(Uint8Array::new(&done).to_vec())
}

/// The output of a browser stream of this kind for `bytes`.
fn through(bytes: &[u8], kind: &str, format: &str) -> Result<JsValue, JsValue> {
    let blob = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes)))?;
    call(&call(&blob, "stream", &[])?, "pipeThrough", &[construct(kind, &[format.into()])?])
}

fn subtle() -> Result<JsValue, JsValue> {
    let subtle = Reflect::get(&crypto()?, &"subtle".into())?;
    if subtle.is_object() { Ok(subtle) } else { Err("the browser does not encrypt here".into()) }
}

fn crypto() -> Result<JsValue, JsValue> {
    Reflect::get(&window(), &"crypto".into())
}

fn by_chance(count: usize) -> Result<Vec<u8>, JsValue> {
    let bytes = Uint8Array::new_with_length(narrow(count));
    call(&crypto()?, "getRandomValues", &[bytes.clone().into()])?;
    Ok(bytes.to_vec())
}

fn object(parts: &[(&str, JsValue)]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (name, value) in parts {
        Reflect::set(&object, &(*name).into(), value)?;
    }
    Ok(object.into())
}

fn construct(name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let class: Function = Reflect::get(&window(), &name.into())?.dyn_into()?;
    Reflect::construct(&class, &arguments.iter().collect())
}

fn call(object: &JsValue, name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let method: Function = Reflect::get(object, &name.into())?.dyn_into()?;
    method.apply(object, &arguments.iter().collect())
}

async fn promised(promise: JsValue) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::resolve(&promise)).await
}
