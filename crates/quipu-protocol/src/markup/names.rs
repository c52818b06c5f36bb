//! The tags, attributes and signs a sheet may have: closed lists.

use serde::{Deserialize, Serialize};

macro_rules! names {
    ($(#[$about:meta])* $list:ident { $($(#[$doc:meta])* $one:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $list { $($(#[$doc])* $one,)* }

        impl $list {
            /// As it is written in a document.
            pub fn name(self) -> &'static str {
                match self { $($list::$one => $name,)* }
            }
        }
    };
}

names! {
    /// What an element is. None of these loads or runs anything but [`Tag::Img`], whose source is data.
    #[expect(missing_docs, reason = "HTML's own words")]
    Tag {
        A = "a", Article = "article", Blockquote = "blockquote", Br = "br", Button = "button", Code = "code", Dd = "dd", Div = "div",
        Dl = "dl", Dt = "dt", Em = "em", H2 = "h2", Header = "header", Hr = "hr", I = "i", Img = "img", Input = "input", Label = "label",
        Li = "li", Nav = "nav", Ol = "ol", Option = "option", P = "p", Pre = "pre", S = "s", Section = "section", Select = "select",
        Span = "span", Strong = "strong", Table = "table", Tbody = "tbody", Td = "td", Th = "th", Thead = "thead", Tr = "tr", Ul = "ul",
    }
}

names! {
    /// What an element has.
    #[expect(missing_docs, reason = "HTML's own words, but for those that are told of")]
    Attr {
        Class = "class", Id = "id", Title = "title", Role = "role", Style = "style", TabIndex = "tabindex", Scope = "scope",
        Start = "start", Value = "value", Type = "type", Selected = "selected", Disabled = "disabled", Alt = "alt",
        Label = "aria-label", Pressed = "aria-pressed", Sort = "aria-sort", Hidden = "aria-hidden",
        /// An address that was checked: http or https.
        Href = "href",
        /// An image as a `data:` address that was checked.
        Src = "src",
        /// The id of the span it selects.
        Span = "data-span",
        /// The changes of the view it makes, as the URL says them.
        Set = "data-set",
        /// The same when it is pressed twice, or with the key z.
        Zoom = "data-zoom",
        /// The part of the URL that its value goes to.
        Field = "data-field",
        /// What it stands for, for tests: a span's name.
        Name = "data-name",
        /// `span_events.id`.
        Event = "data-event-id",
        /// The ids of the elements the arrow keys lead to.
        Up = "data-up", Down = "data-down", Left = "data-left", Right = "data-right",
        /// Something the page does itself: `export`.
        Do = "data-do",
    }
}

names! {
    /// A sign that is drawn.
    #[expect(missing_docs, reason = "their names say it")]
    Icon { Failed = "failed", Odd = "odd", }
}
