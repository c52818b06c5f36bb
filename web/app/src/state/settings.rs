//! Settings that the browser keeps between visits.

use crate::browser::{keep_setting, load_setting, window};
use quipu_model::PriceTable;
use quipu_model::format::TimeStyle;
use quipu_protocol::ColumnSet;

const CHART: &str = "chart";
const COLUMNS: &str = "columns";
const PRICES: &str = "prices";
const TIMES: &str = "times";

/// The style of times.
pub(crate) fn times() -> TimeStyle {
    match load_setting(TIMES).as_deref() {
        Some("local") => TimeStyle::Local,
        Some("relative") => TimeStyle::Relative,
        _ => TimeStyle::Utc,
    }
}

/// Keeps the style of times.
pub(crate) fn keep_times(times: TimeStyle) {
    keep_setting(
        TIMES,
        match times {
            TimeStyle::Utc => "utc",
            TimeStyle::Local => "local",
            TimeStyle::Relative => "relative",
        },
    );
}

/// The columns of the list of traces.
pub(crate) fn columns() -> ColumnSet {
    load_setting(COLUMNS).and_then(|text| ColumnSet::from_text(&text)).unwrap_or_default()
}

/// Keeps the columns of the list of traces.
pub(crate) fn keep_columns(columns: &ColumnSet) {
    keep_setting(COLUMNS, &columns.text());
}

/// Whether the chart above the list is shown. Unless the reader chose, a low window hides it.
pub(crate) fn chart() -> bool {
    const LOW_PX: f64 = 560.0;
    match load_setting(CHART) {
        Some(setting) => setting != "off",
        None => window().inner_height().ok().and_then(|height| height.as_f64()).is_none_or(|height| height >= LOW_PX),
    }
}

/// Keeps whether the chart above the list is shown.
pub(crate) fn keep_chart(shown: bool) {
    keep_setting(CHART, if shown { "on" } else { "off" });
}

/// The reader's table of prices.
pub(crate) fn prices() -> PriceTable {
    PriceTable::from_text(&load_setting(PRICES).unwrap_or_default())
}

/// Keeps the reader's table of prices.
pub(crate) fn keep_prices(table: &PriceTable) {
    keep_setting(PRICES, &if *table == PriceTable::default() { String::new() } else { table.to_text() });
}
