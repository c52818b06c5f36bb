//! The worker that counts: started when metrics are looked at, given the file's readings once they are there.
//!
//! What is not here: what is asked (`page`, `query`).

use crate::browser::error_text;
use crate::client::{Death, Link, LinkNotice, Program, Protocol, Said};
use crate::state::App;
use leptos::prelude::*;
use quipu_protocol::{MetricsEvent, MetricsRequest, MetricsResponse};
use std::cell::Cell;
use std::rc::Rc;
use web_sys::{Blob, File};

struct Counting;

impl Protocol for Counting {
    type Command = MetricsRequest;
    type Answer = Option<MetricsResponse>;
    type Event = ();

    fn read(message: &[u8]) -> Option<Said<Option<MetricsResponse>, ()>> {
        Some(match postcard::from_bytes(message).ok()? {
            MetricsEvent::Ready { build } => Said::Ready(build),
            MetricsEvent::Reply { id, response } => Said::Reply(id, Some(response)),
        })
    }

    fn write(request: &MetricsRequest) -> Result<Vec<u8>, Option<MetricsResponse>> {
        postcard::to_allocvec(request).map_err(|_| None)
    }
}

/// How far the worker is.
#[derive(Clone, PartialEq)]
pub(crate) enum Counts {
    /// The index is not complete, or the readings are under way.
    Waiting,
    /// Questions are answered.
    Ready,
    /// It can't be: a sentence.
    Failed(String),
}

/// Asks the worker that counts. Cheap to copy; all copies are one.
#[derive(Clone)]
pub(crate) struct Counter {
    app: App,
    link: Link<Counting>,
    /// The epoch whose readings it has, or is being given: an index is complete once in an epoch, and prices change nothing of what counts.
    holds: Rc<Cell<Option<u32>>>,
}

impl Counter {
    /// Without a worker; [`Counter::load`] starts one.
    pub(crate) fn new(app: App) -> Counter {
        let counts = app.counts;
        let holds: Rc<Cell<Option<u32>>> = Rc::default();
        let held = holds.clone();
        let hear = move |notice: LinkNotice<()>| {
            if let LinkNotice::Died(death) = notice {
                held.set(None);
                let reason = match death {
                    Death::NotStarted(reason) => format!("could not be started{reason}"),
                    Death::Stopped(reason) => format!("has stopped{reason}"),
                    Death::OutOfMemory => "found no memory".into(),
                    Death::Unserved(reason) => reason,
                };
                counts.set(Counts::Failed(format!("The worker that counts {reason}. Leave this page and come back to start it again.")));
            }
        };
        Counter { app, link: Link::new(Program("quipu-metrics"), app.idle(), hear), holds }
    }

    /// Gives the worker the readings of the open file, where it does not have them and the index is complete.
    pub(crate) fn load(&self) {
        let now = self.app.epoch.get_untracked();
        let is_indexed = untrack(|| self.app.summary()).is_some_and(|summary| summary.indexed);
        if !is_indexed || self.holds.get() == Some(now) {
            return;
        }
        self.holds.set(Some(now));
        self.app.counts.set(Counts::Waiting);
        let counter = self.clone();
        self.app.client().ask_readings(move |readings| match readings {
            Ok(readings) => counter.give(&readings, now),
            Err(failure) => {
                counter.holds.set(None);
                counter.app.counts.set(Counts::Failed(failure.message));
            }
        });
    }

    fn give(&self, readings: &Blob, now: u32) {
        let parts = js_sys::Array::of1(readings);
        let file = match File::new_with_blob_sequence(&parts, "readings") {
            Ok(file) => file,
            Err(error) => {
                return self
                    .app
                    .counts
                    .set(Counts::Failed(format!("What is to be counted could not be handed over: {}.", error_text(&error))));
            }
        };
        let counter = self.clone();
        self.link.send(
            &MetricsRequest::Load,
            &[file],
            Some(self.app.idle().begin()),
            Box::new(move |_, _| {
                if counter.holds.get() == Some(now) {
                    counter.app.counts.set(Counts::Ready);
                }
            }),
        );
    }

    /// Asks for one answer.
    pub(crate) fn ask(&self, request: &MetricsRequest, callback: impl FnOnce(MetricsResponse) + 'static) {
        let epoch = self.app.epoch.get_untracked();
        let app = self.app;
        let take = move |response: Option<MetricsResponse>, _| {
            if let Some(response) = response.filter(|_| app.epoch.try_get_untracked() == Some(epoch)) {
                callback(response);
            }
        };
        self.link.send(request, &[], Some(self.app.idle().begin()), Box::new(take));
    }

    /// Ends what the worker is at, by ending it; it is started again at once.
    pub(crate) fn cancel(&self) {
        self.link.stop();
        self.holds.set(None);
        self.load();
    }
}
