//! Dialogs that are shown while a signal is set.

use crate::reactive::effect;
use leptos::html::Dialog;
use leptos::prelude::*;

/// Opens and closes the dialog as `shown` says; `opening` is called before it opens.
pub(crate) fn follow(dialog: NodeRef<Dialog>, shown: RwSignal<bool>, opening: impl Fn() + 'static) {
    effect(move || {
        let Some(dialog) = dialog.get() else { return };
        match (shown.get(), dialog.open()) {
            (true, false) => {
                opening();
                let _ = dialog.show_modal();
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    });
}
