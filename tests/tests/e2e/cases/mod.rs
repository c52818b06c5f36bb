//! The cases, by what they are about.

mod faults;
mod filter;
mod hostile;
mod import;
mod journal;
mod keyboard;
mod lists;
mod live;
mod location;
mod logs;
mod look;
mod metrics;
mod opening;
mod privacy;
mod reading;
mod search;
mod serving;
mod share;
mod span_panel;
mod sql;
mod timeline;
mod traces;
mod views;

use crate::harness::Case;

/// Every case, the slow ones first, so that they do not stand alone at the end.
pub(crate) fn all() -> Vec<&'static Case> {
    let groups = [
        hostile::CASES,
        import::CASES,
        traces::CASES,
        share::CASES,
        sql::CASES,
        timeline::CASES,
        reading::CASES,
        journal::CASES,
        span_panel::CASES,
        location::CASES,
        opening::CASES,
        faults::CASES,
        filter::CASES,
        lists::CASES,
        live::CASES,
        search::CASES,
        logs::CASES,
        keyboard::CASES,
        privacy::CASES,
        serving::CASES,
        metrics::CASES,
        look::CASES,
        views::CASES,
    ];
    groups.into_iter().flatten().collect()
}
