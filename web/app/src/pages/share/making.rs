//! Makes the shared formats, one after the other, and again whenever an option changes.

use crate::browser::{error_text, window};
use crate::packing::{self, Secret};
use crate::state::App;
use js_sys::{Function, Promise};
use quipu_protocol::LeftOut;
use quipu_protocol::address::{ViewState, carrying_fragment};
use quipu_protocol::{
    CopyDatabase, Failure, FileFormat, FileQuestions, MakeShare, PreviewShare, Question, ShareForm, ShareOptions, ShareWhat, Shared,
};
use quipu_protocol::{RedactOptions, RedactReport};
use quipu_share::payload::{Form, encode_key, next_limit, seal};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// Tokens of Markdown.
const MARKDOWN_TOKENS: u32 = 16_000;

/// How a link is locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lock {
    /// Not at all.
    #[default]
    Open,
    /// With a key that is part of the link.
    Key,
    /// With a passphrase that is sent by another way.
    Passphrase,
}

/// The options.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) what: ShareWhat,
    pub(super) span_id: Option<String>,
    pub(super) redact: RedactOptions,
    /// The maximum length of the link; `None`: no limit.
    pub(super) limit: Option<usize>,
    pub(super) lock: Lock,
    pub(super) passphrase: String,
}

/// A link that carries the data.
pub(super) struct Link {
    /// Appended to the page's address.
    pub(super) url: String,
    pub(super) left_out: LeftOut,
}

/// The result, or a message why there is none.
pub(super) type Made<T> = Option<Result<Rc<T>, String>>;

/// The results.
#[derive(Default)]
pub(super) struct Ready {
    pub(super) report: Made<RedactReport>,
    pub(super) link: Made<Link>,
    pub(super) database: Made<Shared>,
    /// The database as gzip.
    pub(super) packed: Made<Vec<u8>>,
    pub(super) markdown: Made<Shared>,
    pub(super) json: Made<Shared>,
    /// Why the last requested format could not be made.
    pub(super) refused: Option<String>,
}

/// Makes everything. `put` takes each piece when it is ready, and returns whether the rest is still wanted.
pub(super) async fn make(app: App, wanted: Wanted, view: ViewState, put: impl Fn(&dyn Fn(&mut Ready)) -> bool) {
    let options = |leave_out_over| ShareOptions { redact: wanted.redact, leave_out_over };
    let preview = options(None);
    let report = ask(app, wanted.what.clone(), move |what| PreviewShare { what, options: preview }).await.map(Rc::new);
    if !put(&|ready| ready.report = Some(report.clone())) || report.is_err() {
        return;
    }
    let of = |form, leave_out_over| {
        let (what, span_id) = (wanted.what.clone(), wanted.span_id.clone());
        let options = options(leave_out_over);
        async move { make_one(app, what, options, form, span_id).await.map(Rc::new) }
    };
    if wanted.what != ShareWhat::All {
        let mut leave_out_over = None;
        let link = loop {
            let shared: Result<Rc<Shared>, String> = of(ShareForm::Columns, leave_out_over).await;
            let made = match shared {
                Ok(shared) => link(&wanted, &view, &shared).await,
                Err(text) => Err(text),
            };
            match (made, next_limit(leave_out_over)) {
                (Ok(link), Some(next)) if wanted.limit.is_some_and(|limit| link.url.len() > limit) => leave_out_over = Some(next),
                (Ok(link), None) if wanted.limit.is_some_and(|limit| link.url.len() > limit) => {
                    let letters = quipu_model::format::count(link.url.len() as u64);
                    break Err(format!(
                        "Even without larger values, the link has {letters} characters. Redact more, share fewer spans, or share a file."
                    ));
                }
                (made, _) => break made,
            }
        };
        let link = link.map(Rc::new);
        if !put(&|ready| ready.link = Some(link.clone())) {
            return;
        }
        let markdown = of(ShareForm::Markdown { tokens: MARKDOWN_TOKENS }, None).await;
        if !put(&|ready| ready.markdown = Some(markdown.clone())) {
            return;
        }
        let json = of(ShareForm::File(FileFormat::Json), None).await;
        if !put(&|ready| ready.json = Some(json.clone())) {
            return;
        }
    }
    let database = of(ShareForm::File(FileFormat::Database), None).await;
    if !put(&|ready| ready.database = Some(database.clone())) {
        return;
    }
    let packed = match &database {
        Ok(database) => packing::pack(&database.bytes, "gzip").await.map(Rc::new).map_err(|error| cannot_pack(&error)),
        Err(text) => Err(text.clone()),
    };
    put(&|ready| ready.packed = Some(packed.clone()));
}

/// Makes one format of other programs, on request.
pub(super) async fn export(app: App, wanted: Wanted, format: FileFormat) -> Result<Box<Shared>, String> {
    let options = ShareOptions { redact: wanted.redact, leave_out_over: None };
    let Wanted { what, span_id, .. } = wanted;
    make_one(app, what, options, ShareForm::File(format), span_id).await.map(Box::new)
}

async fn make_one(app: App, what: ShareWhat, options: ShareOptions, form: ShareForm, span_id: Option<String>) -> Result<Shared, String> {
    if form == ShareForm::File(FileFormat::Database) && options.keeps_all() {
        // Of any size: the worker that reads copies it row by row.
        return wait(move |done| app.ask(CopyDatabase { what, span_id }, done)).await;
    }
    ask(app, what, move |what| MakeShare { what, options, form, span_id }).await
}

async fn link(wanted: &Wanted, view: &ViewState, shared: &Shared) -> Result<Link, String> {
    let deflated = packing::pack(&shared.bytes, "deflate-raw").await.map_err(|error| cannot_pack(&error))?;
    let secret = match wanted.lock {
        Lock::Open => None,
        Lock::Passphrase if wanted.passphrase.is_empty() => {
            return Err("Type the passphrase first. Send it separately from the link.".into());
        }
        Lock::Passphrase => Some(Secret::Passphrase(wanted.passphrase.clone())),
        Lock::Key => Some(Secret::Key(packing::new_key().map_err(|error| cannot_pack(&error))?)),
    };
    let letters = match &secret {
        None => seal(&deflated, Form::Deflated),
        Some(secret) => seal(&packing::encrypt(&deflated, secret).await.map_err(|error| cannot_pack(&error))?, Form::Encrypted),
    };
    let key = match &secret {
        Some(Secret::Key(key)) => Some(encode_key(key)),
        _ => None,
    };
    let fragment = carrying_fragment(view, shared.trace_id.as_deref().unwrap_or_default(), shared.span_id.as_deref(), &letters, key);
    Ok(Link { url: format!("{}{fragment}", page_address()), left_out: shared.left_out })
}

/// The page's address without a fragment.
pub(super) fn page_address() -> String {
    let href = window().location().href().unwrap_or_default();
    href.split('#').next().unwrap_or_default().to_owned()
}

/// Asks about sharing `what`, and waits.
async fn ask<Q: Question<List = FileQuestions>>(
    app: App,
    what: ShareWhat,
    question: impl FnOnce(ShareWhat) -> Q + 'static,
) -> Result<Q::Answer, String>
where
    Q::Answer: 'static,
{
    wait(move |done| app.ask_about_share(what, question, done)).await
}

/// Takes an answer.
type Done<A> = Box<dyn FnOnce(Result<A, Failure>)>;

/// Asks, and waits for the answer. Never ends where another file is opened meanwhile.
async fn wait<A: 'static>(ask: impl FnOnce(Done<A>)) -> Result<A, String> {
    let slot = Rc::new(RefCell::new(None));
    let (filled, ask) = (slot.clone(), RefCell::new(Some(ask)));
    let promise = Promise::new(&mut |resolve: Function, _| {
        let filled = filled.clone();
        if let Some(ask) = ask.borrow_mut().take() {
            ask(Box::new(move |answer| {
                *filled.borrow_mut() = Some(answer);
                let _ = resolve.call0(&JsValue::NULL);
            }));
        }
    });
    let _ = JsFuture::from(promise).await;
    let answer = slot.borrow_mut().take();
    answer.unwrap_or_else(|| Err(Failure::not_indexed_yet())).map_err(|failure| match failure.is_not_indexed_yet() {
        true => "Sharing is possible when the index is complete.".into(),
        false => failure.message,
    })
}

fn cannot_pack(error: &JsValue) -> String {
    format!("The browser could not compress it: {}.", error_text(error))
}
