//! The tags, attributes and icons of a view: closed enums.

use serde::{Deserialize, Serialize};

macro_rules! names {
    ($(#[$about:meta])* $list:ident { $($(#[$doc:meta])* $one:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $list { $($(#[$doc])* $one,)* }

        impl $list {
            /// The name in an HTML document.
            pub fn name(self) -> &'static str {
                match self { $($list::$one => $name,)* }
            }
        }
    };
}

names! {
    /// An element's tag. None of these load or run anything, except [`Tag::Img`], whose source is a `data:` URL.
    #[expect(missing_docs, reason = "HTML tags")]
    Tag {
        A = "a", Article = "article", Blockquote = "blockquote", Br = "br", Button = "button", Code = "code", Dd = "dd", Div = "div",
        Dl = "dl", Dt = "dt", Em = "em", H2 = "h2", Header = "header", Hr = "hr", I = "i", Img = "img", Input = "input", Label = "label",
        Li = "li", Nav = "nav", Ol = "ol", Option = "option", P = "p", Pre = "pre", S = "s", Section = "section", Select = "select",
        Span = "span", Strong = "strong", Table = "table", Tbody = "tbody", Td = "td", Th = "th", Thead = "thead", Tr = "tr", Ul = "ul",
    }
}

names! {
    /// An element's attribute.
    #[expect(missing_docs, reason = "the others are HTML attributes")]
    Attr {
        Class = "class", Id = "id", Title = "title", Role = "role", Style = "style", TabIndex = "tabindex", Scope = "scope",
        Start = "start", Value = "value", Type = "type", Selected = "selected", Disabled = "disabled", Alt = "alt",
        Label = "aria-label", Pressed = "aria-pressed", Sort = "aria-sort", Hidden = "aria-hidden",
        /// A checked `http:` or `https:` URL.
        Href = "href",
        /// A checked `data:` URL of an image.
        Src = "src",
        /// Id of the span that a click selects.
        Span = "data-span",
        /// Change of the view on click, as URL parameters.
        Set = "data-set",
        /// Change of the view on double click or the key z, as URL parameters.
        Zoom = "data-zoom",
        /// The URL parameter that the control's value sets.
        Field = "data-field",
        /// Name for tests, such as the span name.
        Name = "data-name",
        /// `span_events.id`.
        Event = "data-event-id",
        /// Ids of the elements that the arrow keys move to.
        Up = "data-up", Down = "data-down", Left = "data-left", Right = "data-right",
        /// An action of the page: `export`.
        Do = "data-do",
        /// Ids of the trace and the span that a link leads to, with `/` between them.
        Trace = "data-trace",
    }
}

names! {
    /// An icon.
    #[expect(missing_docs, reason = "self-explanatory")]
    Icon { Failed = "failed", Odd = "odd", }
}
