//! Builds elements from data, once: rows, cards, trees, lists. `view!` generates code for every element, and this only calls, which is a
//! tenth of the size. So `view!` is for parts that follow signals; what is drawn from an answer is built here and put into a container with
//! [`fill`], and redrawn when it changes.
//!
//! Elements have no listeners: the container has one, which finds the pressed element with [`nearest`], by a `data-` attribute, or by the
//! handlers that [`PressHandlers`] keeps. Texts become text nodes, never markup.

use crate::browser::document;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event};

const SVG: &str = "http://www.w3.org/2000/svg";

/// An element under construction.
pub(crate) struct El(Element);

/// A new element: `el("div")`.
pub(crate) fn el(tag: &str) -> El {
    El(document().create_element(tag).expect("the tags of this page are valid"))
}

/// A new SVG element: `svg("path")`.
pub(crate) fn svg(tag: &str) -> El {
    El(document().create_element_ns(Some(SVG), tag).expect("the tags of this page are valid"))
}

impl El {
    /// Sets the classes.
    pub(crate) fn class(self, classes: &str) -> El {
        self.attr("class", classes)
    }

    /// Sets an attribute.
    pub(crate) fn attr(self, name: &str, value: &str) -> El {
        // Only invalid names are refused, and names are constants here.
        let _ = self.0.set_attribute(name, value);
        self
    }

    /// Adds a text.
    pub(crate) fn text(self, text: &str) -> El {
        let _ = self.0.append_with_str_1(text);
        self
    }

    /// Adds an element.
    pub(crate) fn child(self, child: El) -> El {
        let _ = self.0.append_child(&child.0);
        self
    }

    /// Adds an element, if there is one.
    pub(crate) fn maybe(self, child: Option<El>) -> El {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    /// Adds elements.
    pub(crate) fn children(self, children: Vec<El>) -> El {
        append(&self.0, children);
        self
    }

    /// Calls `handler` with this element when it is pressed.
    pub(crate) fn on_press(self, handlers: &PressHandlers, handler: impl Fn(&Element) + 'static) -> El {
        let number = handlers.keep(Rc::new(handler));
        self.attr("data-handler", &number.to_string())
    }

    /// The element itself.
    pub(crate) fn done(self) -> Element {
        self.0
    }
}

impl From<Element> for El {
    fn from(element: Element) -> El {
        El(element)
    }
}

/// Appends `children` to `parent`.
pub(crate) fn append(parent: &Element, children: Vec<El>) {
    for child in children {
        let _ = parent.append_child(&child.0);
    }
}

/// Replaces the content of `parent` with `children`.
pub(crate) fn fill(parent: &Element, children: Vec<El>) {
    parent.set_text_content(None);
    append(parent, children);
}

/// The innermost element around the target of an event that matches `selector`.
pub(crate) fn nearest(event: &Event, selector: &str) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok()?
}

type Handler = Rc<dyn Fn(&Element)>;

/// The handlers of buttons in built markup. One listener on their container calls [`PressHandlers::run`].
#[derive(Clone, Default)]
pub(crate) struct PressHandlers(Rc<RefCell<Vec<Handler>>>);

impl PressHandlers {
    fn keep(&self, handler: Handler) -> usize {
        let mut handlers = self.0.borrow_mut();
        handlers.push(handler);
        handlers.len() - 1
    }

    /// Drops all handlers, because their buttons are gone.
    pub(crate) fn clear(&self) {
        self.0.borrow_mut().clear();
    }

    /// Calls the handler of the pressed button.
    pub(crate) fn run(&self, event: &Event) {
        let Some(pressed) = nearest(event, "[data-handler]") else { return };
        let number = pressed.get_attribute("data-handler").and_then(|number| number.parse::<usize>().ok());
        // A handler may add further ones.
        let handler = number.and_then(|number| self.0.borrow().get(number).cloned());
        if let Some(handler) = handler {
            handler(&pressed);
        }
    }
}
