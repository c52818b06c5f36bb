//! The metrics worker: started when metrics are looked at, and given the file's input once the index is complete.
//!
//! Not here: the queries (`pages::metrics`).

use crate::browser::{blob_as_file, error_text};
use crate::client::{Link, LinkNotice, MetricsLink, OnReply, PATIENCE, Program, WorkerExit, reading};
use crate::state::{App, MetricsState};
use leptos::prelude::*;
use quipu_protocol::{LoadMetricsInput, MetricsQuestions, MetricsRequest, Question};
use std::cell::Cell;
use std::rc::Rc;
use web_sys::Blob;

/// Asks the metrics worker. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct MetricsClient {
    app: App,
    worker: MetricsLink,
}

impl App {
    /// The metrics worker; [`MetricsClient::load`] starts it.
    pub(crate) fn metrics_client(&self) -> MetricsClient {
        let worker = self.metrics_link.get_value().unwrap_or_else(|| {
            let worker = metrics_link(*self);
            self.metrics_link.set_value(Some(worker.clone()));
            worker
        });
        MetricsClient { app: *self, worker }
    }
}

fn metrics_link(app: App) -> MetricsLink {
    let state = app.metrics_state;
    let holds: Rc<Cell<Option<u32>>> = Rc::default();
    let held = holds.clone();
    let on_notice = move |notice: LinkNotice<()>| {
        if let LinkNotice::Exited(exit) = notice {
            held.set(None);
            let reason = match exit {
                WorkerExit::NotStarted(reason) => format!("could not be started{reason}"),
                WorkerExit::Stopped(reason) => format!("has stopped{reason}"),
                WorkerExit::OutOfMemory => "ran out of memory".into(),
                WorkerExit::Unserved(reason) => reason,
            };
            state.set(MetricsState::Failed(format!("The metrics worker {reason}. Leave this screen and return to start it again.")));
        }
    };
    MetricsLink { link: Link::new(Program("quipu-metrics"), PATIENCE, app.idle(), on_notice), holds }
}

impl MetricsClient {
    /// Gives the worker its input from the open file, unless it has it already or the index is incomplete.
    pub(crate) fn load(&self) {
        let now = self.app.epoch.get_untracked();
        let is_indexed = untrack(|| self.app.summary()).is_some_and(|summary| summary.indexed);
        if !is_indexed || self.worker.holds.get() == Some(now) {
            return;
        }
        self.worker.holds.set(Some(now));
        self.app.metrics_state.set(MetricsState::Waiting);
        let client = self.clone();
        self.app.client().ask_metrics_input(move |input| match input {
            Ok(input) => client.give(&input, now),
            Err(failure) => {
                client.worker.holds.set(None);
                client.fail(failure.message);
            }
        });
    }

    fn give(&self, input: &Blob, now: u32) {
        let file = match blob_as_file(input, "metrics-input") {
            Ok(file) => file,
            Err(error) => return self.fail(format!("The input could not be passed to the metrics worker: {}.", error_text(&error))),
        };
        let client = self.clone();
        let take = reading::<LoadMetricsInput>(move |answer| {
            if client.worker.holds.get() == Some(now) {
                match answer {
                    Ok(()) => client.app.metrics_state.set(MetricsState::Ready),
                    Err(failure) => client.fail(failure.message),
                }
            }
        });
        let busy = Some(self.app.idle().begin());
        self.worker.link.send(&LoadMetricsInput.into(), &[file], busy, Box::new(|reply, _| take(reply)));
    }

    fn fail(&self, sentence: String) {
        self.app.metrics_state.set(MetricsState::Failed(sentence));
    }

    /// Asks a question. The answer is dropped when another file was opened meanwhile, and a failure replaces the metrics on screen.
    pub(crate) fn ask<Q: Question<List = MetricsQuestions>>(&self, question: Q, callback: impl FnOnce(Q::Answer) + 'static) {
        let client = self.clone();
        let take = reading::<Q>(move |answer| match answer {
            Ok(answer) => callback(answer),
            Err(failure) => client.fail(failure.message),
        });
        self.send(&question.into(), take);
    }

    // Not generic in the question, because every question would duplicate this code.
    fn send(&self, request: &MetricsRequest, take: OnReply<MetricsQuestions>) {
        let app = self.app;
        let epoch = app.epoch.get_untracked();
        let take = move |reply, _| {
            if app.epoch.try_get_untracked() == Some(epoch) {
                take(reply);
            }
        };
        self.worker.link.send(request, &[], Some(app.idle().begin()), Box::new(take));
    }

    /// Cancels a query by ending the worker, which is started again at once.
    pub(crate) fn cancel(&self) {
        self.worker.link.stop();
        self.worker.holds.set(None);
        self.load();
    }
}
