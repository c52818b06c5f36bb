//! How the bytes of an input are read: what their first ones say, through the layers around them.
//!
//! Not here: reading them (`import`).

use super::content::{Content, content, refusal};
use super::split::Splitter;
use super::unpack::{Kind, Layer, layer};
use quipu_otlp::wire::{Messages, Prefix};

/// Maximum bytes of a piece: one OTLP resource with its spans, or one Jaeger trace. The parsed tree takes several times as much.
pub(super) const MAX_PIECE: usize = if cfg!(target_family = "wasm") { 64 << 20 } else { 512 << 20 };

pub(super) enum Input {
    /// The first bytes of an input whose format is not known yet, and what is around them.
    Unknown(Vec<u8>, Around),
    Json(Splitter),
    Protobuf(Messages),
    Layer(Box<dyn Layer>, Around, Box<Input>),
    /// The rest of the input can't be parsed, or there is none yet.
    Given(()),
}

/// The layers around bytes. Each kind may be there once, since a file may be crafted to unpack to itself.
#[derive(Clone, Copy, Default)]
pub(super) struct Around {
    pub(super) last: Option<Kind>,
    pub(super) in_archive: bool,
}

/// How bytes that start like this are read; or what they are, as the end of a sentence.
pub(super) fn recognize(head: &[u8], around: Around) -> Result<Input, String> {
    let content = content(head);
    if let Some((kind, layer)) = layer(content) {
        let kind = if kind == Kind::Compression && around.in_archive { Kind::InnerCompression } else { kind };
        if around.last >= Some(kind) {
            return Err("packed more than once; unpack it first".into());
        }
        let around = Around { last: Some(kind), in_archive: around.in_archive || kind == Kind::Archive };
        let inner = if kind == Kind::Archive { Input::Given(()) } else { Input::Unknown(Vec::new(), around) };
        return Ok(Input::Layer(layer, around, Box::new(inner)));
    }
    Ok(match content {
        Content::Json => Input::Json(Splitter::new(MAX_PIECE)),
        Content::Protobuf => Input::Protobuf(Messages::new(Prefix::None)),
        Content::PrefixedProtobuf => Input::Protobuf(Messages::new(Prefix::Fixed)),
        Content::DelimitedProtobuf => Input::Protobuf(Messages::new(Prefix::Varint)),
        Content::Database => {
            return Err("a SQLite database, which is opened and not imported; where it is compressed, unpack it first".into());
        }
        _ => return Err(refusal(head)),
    })
}
