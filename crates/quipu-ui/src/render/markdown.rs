//! Renders Markdown as elements. Text only; links open in a new window without a referrer.

use crate::view::{Block, Inline, markdown};
use quipu_protocol::markup::{Attr, El, Node, Tag, el};

/// Longer texts are shown as they are, because parsing takes too long.
const MAX_BYTES: usize = 200_000;

/// Renders Markdown; `None` if the text is too long or contains no markup.
pub(super) fn drawn(text: &str) -> Option<El> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let blocks = markdown(text);
    let is_plain = blocks.iter().all(|block| matches!(block, Block::Paragraph(pieces) if pieces.iter().all(is_plain)));
    (!is_plain).then(|| el(Tag::Div).class("markdown").all(blocks.iter().map(block)))
}

fn is_plain(piece: &Inline) -> bool {
    matches!(piece, Inline::Text(_) | Inline::Break)
}

fn block(block: &Block) -> El {
    match block {
        // Headings of a message are not headings of the page.
        Block::Heading(level, text) => el(Tag::P).class(&format!("md-heading md-h{level}")).all(text.iter().map(piece)),
        Block::Paragraph(text) => el(Tag::P).all(text.iter().map(piece)),
        Block::Code { text, .. } => el(Tag::Pre).attr(Attr::TabIndex, "0").with(el(Tag::Code).text(text.as_str())),
        Block::Rule => el(Tag::Hr),
        Block::Quote(inner) => el(Tag::Blockquote).all(inner.iter().map(self::block)),
        Block::List(start, items) => {
            let list = match start {
                Some(start) => el(Tag::Ol).attr(Attr::Start, start.to_string()),
                None => el(Tag::Ul),
            };
            list.all(items.iter().map(|item| el(Tag::Li).all(item.iter().map(self::block))))
        }
        Block::Table(head, rows) => {
            let row = |tag: Tag, cells: &[Vec<Inline>]| el(Tag::Tr).all(cells.iter().map(|cell| el(tag).all(cell.iter().map(piece))));
            el(Tag::Table)
                .with(el(Tag::Thead).with(row(Tag::Th, head)))
                .with(el(Tag::Tbody).all(rows.iter().map(|cells| row(Tag::Td, cells))))
        }
    }
}

fn piece(found: &Inline) -> Node {
    let (tag, inside) = match found {
        Inline::Text(text) => return Node::Text(text.clone()),
        Inline::Code(text) => return el(Tag::Code).text(text.as_str()).into(),
        Inline::Break => return el(Tag::Br).into(),
        Inline::Link { url, text } => {
            return el(Tag::A).attr(Attr::Href, url.as_str()).attr(Attr::Title, url.as_str()).all(text.iter().map(piece)).into();
        }
        Inline::Emphasis(inside) => (Tag::Em, inside),
        Inline::Strong(inside) => (Tag::Strong, inside),
        Inline::Struck(inside) => (Tag::S, inside),
    };
    el(tag).all(inside.iter().map(piece)).into()
}
