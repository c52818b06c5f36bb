//! Effects, memos and parts that follow signals, from boxed closures: Leptos compiles its machinery anew for every closure, here once for
//! every type of value.

use leptos::prelude::*;
use leptos::tachys::reactive_graph::SharedReactiveFunction;
use std::sync::{Arc, Mutex};
use web_sys::{Event, FocusEvent, KeyboardEvent, MouseEvent, PointerEvent, SubmitEvent, WheelEvent};

/// Runs `run` now, and whenever a signal it read has changed.
pub(crate) fn effect(run: impl FnMut() + 'static) {
    fn start(mut run: Box<dyn FnMut()>) {
        Effect::new(move |_| run());
    }
    start(Box::new(run));
}

/// Like [`effect`]; `run` gets what it returned before.
pub(crate) fn effect_with<T: 'static>(run: impl FnMut(Option<T>) -> T + 'static) {
    fn start<T: 'static>(run: Box<dyn FnMut(Option<T>) -> T>) {
        Effect::new(run);
    }
    start(Box::new(run));
}

/// A value computed from signals; its readers are notified only when it changes.
pub(crate) fn memo<T: PartialEq + Send + Sync + 'static>(compute: impl Fn() -> T + Send + Sync + 'static) -> Memo<T> {
    fn start<T: PartialEq + Send + Sync + 'static>(compute: Box<dyn Fn() -> T + Send + Sync>) -> Memo<T> {
        Memo::new(move |_| compute())
    }
    start(Box::new(compute))
}

/// A part of a view that is built again when a signal it read has changed.
pub(crate) fn dynamic<V: IntoAny>(mut build: impl FnMut() -> V + Send + 'static) -> SharedReactiveFunction<AnyView> {
    Arc::new(Mutex::new(move || build().into_any()))
}

/// A part of a view that is there while `condition` holds.
pub(crate) fn when<V: IntoAny>(
    condition: impl Fn() -> bool + Send + Sync + 'static,
    build: impl Fn() -> V + Send + 'static,
) -> SharedReactiveFunction<AnyView> {
    let holds = memo(condition);
    dynamic(move || if holds.get() { build().into_any() } else { ().into_any() })
}

/// Declares functions that box a handler of one type of event, so that listeners are compiled once for each type.
macro_rules! handlers {
    ($($name:ident: $event:ty,)+) => {
        $(
            #[doc = concat!("Boxes a handler of [`", stringify!($event), "`].")]
            pub(crate) fn $name(handle: impl FnMut($event) + 'static) -> Box<dyn FnMut($event)> {
                Box::new(handle)
            }
        )+
    };
}

handlers! {
    on_event: Event,
    on_focus: FocusEvent,
    on_key: KeyboardEvent,
    on_mouse: MouseEvent,
    on_pointer: PointerEvent,
    on_submit: SubmitEvent,
    on_wheel: WheelEvent,
}
