//! Icons, in the colour of the text around them. Every meaning they have is also given in words.

use crate::dom::{El, svg};
use leptos::prelude::*;

/// An icon.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IconName {
    /// Something failed.
    Failed,
    /// A warning.
    Odd,
    /// Two sheets.
    Copy,
    /// Done.
    Check,
    /// A cross.
    Close,
    /// Points right; turned by the style sheet where something is open.
    Caret,
    /// A folder with an arrow.
    Open,
    /// A lens.
    Search,
    /// An arrow out of a box.
    Share,
    /// Half a disc.
    Theme,
}

/// The icon, 14 pixels wide.
#[component]
pub(crate) fn Icon(
    /// Which one.
    name: IconName,
) -> impl IntoView {
    let (path, class) = drawing(name);
    view! {
        <svg class=class viewBox=BOX aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}

/// The same as an element.
pub(crate) fn icon(name: IconName) -> El {
    let (path, class) = drawing(name);
    svg("svg").class(class).attr("viewBox", BOX).attr("aria-hidden", "true").child(svg("path").attr("d", path))
}

/// The element that all icons are drawn in.
const BOX: &str = "0 0 16 16";

/// Path and class.
fn drawing(name: IconName) -> (&'static str, &'static str) {
    match name {
        IconName::Failed => ("M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2zM8 4.6v4M8 11.2v.4", "icon icon-failed"),
        IconName::Odd => ("M8 2 14.6 13.8H1.4zM8 6.4v3.4M8 11.7v.4", "icon icon-odd"),
        IconName::Copy => ("M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3", "icon"),
        IconName::Check => ("M2.8 8.4 6.4 12 13.2 4.4", "icon"),
        IconName::Close => ("M3.5 3.5l9 9M12.5 3.5l-9 9", "icon"),
        IconName::Caret => ("M6 4l4.5 4L6 12", "icon caret"),
        IconName::Open => ("M1.8 13V3.2h4.4l1.5 1.8h6.5V13zM8 11.4V7M6.2 8.6 8 6.8l1.8 1.8", "icon"),
        IconName::Share => ("M5.5 6H3v8h10V6h-2.5M8 10V2M5 4.8 8 1.8l3 3", "icon"),
        IconName::Search => ("M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3 14 14", "icon"),
        IconName::Theme => ("M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 2v12M8 4.5h4.8M8 8h6M8 11.5h4.8", "icon"),
    }
}
