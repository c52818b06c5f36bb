//! The table of functions: name, arguments and implementation.

use super::dates::Part;
use super::rate::{self, Change};
use super::{Window, math, over_time};
use crate::native::Histogram;
use crate::value_type::ValueType;

/// Which samples of a monotonic counter a window function needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// All.
    All,
    /// The first and last sample, and the number of samples.
    Ends,
    /// The last two.
    LastTwo,
}

/// How a function is evaluated.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// Maps each value, given the scalars at the step. Drops the metric name.
    Each(fn(f64, &[f64]) -> Option<f64>),
    /// Maps each window. The flag says whether the metric name is kept.
    Over(Needs, bool, fn(&Window<'_>, &[f64]) -> Option<f64>),
    /// A part of a date; defaults to the time of the step.
    Date(Part),
    /// Needs more than values.
    Special(Special),
    /// Maps each native histogram. Drops the metric name.
    OfHistogram(fn(&Histogram) -> f64),
    /// Known to the parser, but not supported.
    Unsupported,
}

/// Functions implemented in `eval::call`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    Absent,
    AbsentOverTime,
    HistogramQuantile,
    HistogramFraction,
    HistogramQuantiles,
    LabelReplace,
    LabelJoin,
    Scalar,
    Vector,
    Sort,
    SortDescending,
    SortByLabel,
    SortByLabelDescending,
    Timestamp,
    Time,
    Pi,
    Start,
    End,
    Step,
    Range,
    MinOf,
    MaxOf,
}

pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// Types of the arguments. The last one is optional or repeated, depending on `optional`.
    pub(crate) arguments: &'static [ValueType],
    /// Number of optional arguments: 0 for none; negative if the last argument may be repeated.
    pub(crate) optional: i8,
    pub(crate) answers: ValueType,
    pub(crate) form: Form,
    help: &'static str,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name)
    }
}

/// A function, for completion.
#[derive(Clone, Copy, Debug)]
pub struct FunctionHelp {
    /// Function name.
    pub name: &'static str,
    /// Short description.
    pub help: &'static str,
}

/// All supported functions, in order of the tables.
pub fn functions() -> impl Iterator<Item = FunctionHelp> {
    all()
        .filter(|function| !matches!(function.form, Form::Unsupported))
        .map(|function| FunctionHelp { name: function.name, help: function.help })
}

/// Looks up a function by name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

fn all() -> impl Iterator<Item = &'static Function> {
    EACH.iter().chain(OVER).chain(DATES).chain(SPECIAL).chain(HISTOGRAMS).chain(OTHERS)
}

const S: ValueType = ValueType::Scalar;
const V: ValueType = ValueType::Vector;
const M: ValueType = ValueType::Matrix;
const T: ValueType = ValueType::Text;

const fn each(name: &'static str, help: &'static str, apply: fn(f64, &[f64]) -> Option<f64>) -> Function {
    Function { name, arguments: &[V], optional: 0, answers: V, form: Form::Each(apply), help }
}

const fn over(name: &'static str, needs: Needs, help: &'static str, apply: fn(&Window<'_>, &[f64]) -> Option<f64>) -> Function {
    Function { name, arguments: &[M], optional: 0, answers: V, form: Form::Over(needs, false, apply), help }
}

const fn date(name: &'static str, part: Part, help: &'static str) -> Function {
    Function { name, arguments: &[V], optional: 1, answers: V, form: Form::Date(part), help }
}

const fn special(
    name: &'static str,
    arguments: &'static [ValueType],
    answers: ValueType,
    special: Special,
    help: &'static str,
) -> Function {
    Function { name, arguments, optional: 0, answers, form: Form::Special(special), help }
}

const fn of_histogram(name: &'static str, help: &'static str, apply: fn(&Histogram) -> f64) -> Function {
    Function { name, arguments: &[V], optional: 0, answers: V, form: Form::OfHistogram(apply), help }
}

const fn other(name: &'static str, arguments: &'static [ValueType], optional: i8, form: Form) -> Function {
    Function { name, arguments, optional, answers: V, form, help: "" }
}

impl Function {
    const fn taking(mut self, arguments: &'static [ValueType], optional: i8) -> Function {
        self.arguments = arguments;
        self.optional = optional;
        self
    }

    const fn keeping_name(mut self) -> Function {
        if let Form::Over(needs, _, apply) = self.form {
            self.form = Form::Over(needs, true, apply);
        }
        self
    }
}

fn scalar(scalars: &[f64], index: usize) -> f64 {
    scalars.get(index).copied().unwrap_or(f64::NAN)
}

static EACH: &[Function] = &[
    each("abs", "absolute value", |value, _| Some(value.abs())),
    each("ceil", "rounded up", |value, _| Some(value.ceil())),
    each("floor", "rounded down", |value, _| Some(value.floor())),
    each("round", "rounded to the nearest multiple of a scalar (default 1)", |value, scalars| {
        Some(math::round(value, scalars.first().copied().unwrap_or(1.0)))
    })
    .taking(&[V, S], 1),
    each("clamp", "limited to a range", |value, scalars| {
        let (least, most) = (scalar(scalars, 0), scalar(scalars, 1));
        (least.is_nan() || most.is_nan() || least <= most).then(|| math::at_least(math::at_most(value, most), least))
    })
    .taking(&[V, S, S], 0),
    each("clamp_min", "limited to a minimum", |value, scalars| Some(math::at_least(value, scalar(scalars, 0)))).taking(&[V, S], 0),
    each("clamp_max", "limited to a maximum", |value, scalars| Some(math::at_most(value, scalar(scalars, 0)))).taking(&[V, S], 0),
    each("exp", "exponential function", |value, _| Some(value.exp())),
    each("ln", "natural logarithm", |value, _| Some(value.ln())),
    each("log2", "logarithm to base 2", |value, _| Some(value.log2())),
    each("log10", "logarithm to base 10", |value, _| Some(value.log10())),
    each("sqrt", "square root", |value, _| Some(value.sqrt())),
    each("sgn", "sign: -1, 0 or 1", |value, _| Some(math::sgn(value))),
    each("sin", "sine of radians", |value, _| Some(value.sin())),
    each("cos", "cosine of radians", |value, _| Some(value.cos())),
    each("tan", "tangent of radians", |value, _| Some(value.tan())),
    each("asin", "arcsine", |value, _| Some(value.asin())),
    each("acos", "arccosine", |value, _| Some(value.acos())),
    each("atan", "arctangent", |value, _| Some(value.atan())),
    each("sinh", "hyperbolic sine", |value, _| Some(value.sinh())),
    each("cosh", "hyperbolic cosine", |value, _| Some(value.cosh())),
    each("tanh", "hyperbolic tangent", |value, _| Some(value.tanh())),
    each("asinh", "inverse hyperbolic sine", |value, _| Some(value.asinh())),
    each("acosh", "inverse hyperbolic cosine", |value, _| Some(value.acosh())),
    each("atanh", "inverse hyperbolic tangent", |value, _| Some(value.atanh())),
    each("deg", "radians to degrees", |value, _| Some(value * 180.0 / std::f64::consts::PI)),
    each("rad", "degrees to radians", |value, _| Some(value * std::f64::consts::PI / 180.0)),
];

static OVER: &[Function] = &[
    over("rate", Needs::Ends, "a counter's increase per second", |window, _| rate::change(window, Change::Rate)),
    over("increase", Needs::Ends, "a counter's increase", |window, _| rate::change(window, Change::Increase)),
    over("delta", Needs::Ends, "a gauge's difference", |window, _| rate::change(window, Change::Delta)),
    over("irate", Needs::LastTwo, "a counter's increase per second between its last two samples", |window, _| {
        rate::last_change(window, true)
    }),
    over("idelta", Needs::LastTwo, "difference of the last two samples", |window, _| rate::last_change(window, false)),
    over("deriv", Needs::All, "slope per second by linear regression", |window, _| rate::deriv(window)),
    over("predict_linear", Needs::All, "value predicted by linear regression", |window, scalars| rate::predict(window, scalar(scalars, 0)))
        .taking(&[M, S], 0),
    over("double_exponential_smoothing", Needs::All, "smoothed with a level and a trend factor", smooth).taking(&[M, S, S], 0),
    over("holt_winters", Needs::All, "old name of double_exponential_smoothing", smooth).taking(&[M, S, S], 0),
    over("changes", Needs::All, "number of changes", |window, _| Some(over_time::changes(window))),
    over("resets", Needs::Ends, "number of counter resets", |window, _| Some(over_time::resets(window))),
    over("avg_over_time", Needs::All, "mean", |window, _| Some(over_time::avg(window))),
    over("sum_over_time", Needs::All, "sum of the samples", |window, _| Some(over_time::total(window))),
    over("min_over_time", Needs::Ends, "smallest value", |window, _| Some(over_time::min(window))),
    over("max_over_time", Needs::Ends, "largest value", |window, _| Some(over_time::max(window))),
    over("count_over_time", Needs::Ends, "number of samples", |window, _| Some(window.count as f64)),
    over("stddev_over_time", Needs::All, "standard deviation", |window, _| Some(over_time::stddev(window))),
    over("stdvar_over_time", Needs::All, "variance", |window, _| Some(over_time::stdvar(window))),
    over("mad_over_time", Needs::All, "median absolute deviation", |window, _| Some(over_time::mad(window))),
    over("quantile_over_time", Needs::All, "quantile of the samples", |window, scalars| {
        Some(over_time::quantile_of(window, scalar(scalars, 0)))
    })
    .taking(&[S, M], 0),
    over("last_over_time", Needs::LastTwo, "last sample", |window, _| Some(window.last()?.1)).keeping_name(),
    over("first_over_time", Needs::Ends, "first sample", |window, _| Some(window.first()?.1)).keeping_name(),
    over("present_over_time", Needs::Ends, "1 if there are samples", |_, _| Some(1.0)),
    over("ts_of_first_over_time", Needs::Ends, "time of the first sample", |window, _| Some(window.first()?.0 as f64 / 1_000.0)),
    over("ts_of_last_over_time", Needs::LastTwo, "time of the last sample", |window, _| Some(window.last()?.0 as f64 / 1_000.0)),
    over("ts_of_max_over_time", Needs::All, "time of the largest value", |window, _| {
        over_time::time_of(window, |value, best| value >= best)
    }),
    over("ts_of_min_over_time", Needs::All, "time of the smallest value", |window, _| {
        over_time::time_of(window, |value, best| value <= best)
    }),
];

fn smooth(window: &Window<'_>, scalars: &[f64]) -> Option<f64> {
    rate::smooth(window, scalar(scalars, 0), scalar(scalars, 1))
}

static DATES: &[Function] = &[
    date("minute", Part::Minute, "minute of the hour, UTC"),
    date("hour", Part::Hour, "hour of the day, UTC"),
    date("day_of_week", Part::DayOfWeek, "day of the week; 0 is Sunday"),
    date("day_of_month", Part::DayOfMonth, "day of the month"),
    date("day_of_year", Part::DayOfYear, "day of the year"),
    date("days_in_month", Part::DaysInMonth, "number of days in the month"),
    date("month", Part::Month, "month of the year"),
    date("year", Part::Year, "year"),
];

static SPECIAL: &[Function] = &[
    special("absent", &[V], V, Special::Absent, "1 if there are no series"),
    special("absent_over_time", &[M], V, Special::AbsentOverTime, "1 if there are no samples"),
    special("histogram_quantile", &[S, V], V, Special::HistogramQuantile, "quantile of a histogram"),
    special("histogram_fraction", &[S, S, V], V, Special::HistogramFraction, "fraction of a histogram between two bounds"),
    special("histogram_quantiles", &[V, T, S], V, Special::HistogramQuantiles, "several quantiles of a histogram, each with a label")
        .taking(&[V, T, S], -1),
    special("label_replace", &[V, T, T, T, T], V, Special::LabelReplace, "sets a label by matching another label"),
    special("label_join", &[V, T, T, T], V, Special::LabelJoin, "joins labels into one").taking(&[V, T, T, T], -1),
    special("scalar", &[V], S, Special::Scalar, "value of a single series as a scalar"),
    special("vector", &[S], V, Special::Vector, "a scalar as a series without labels"),
    special("sort", &[V], V, Special::Sort, "sorted by value"),
    special("sort_desc", &[V], V, Special::SortDescending, "sorted by value, descending"),
    special("sort_by_label", &[V, T], V, Special::SortByLabel, "sorted by labels").taking(&[V, T], -1),
    special("sort_by_label_desc", &[V, T], V, Special::SortByLabelDescending, "sorted by labels, descending").taking(&[V, T], -1),
    special("timestamp", &[V], V, Special::Timestamp, "time of the sample"),
    special("time", &[], S, Special::Time, "time of the step"),
    special("pi", &[], S, Special::Pi, "3.14…"),
    special("start", &[], S, Special::Start, "time of the first step"),
    special("end", &[], S, Special::End, "time of the last step"),
    special("step", &[], S, Special::Step, "seconds between steps"),
    special("range", &[], S, Special::Range, "seconds from first to last step"),
    special("min_of", &[S, S], S, Special::MinOf, "the smaller scalar"),
    special("max_of", &[S, S], S, Special::MaxOf, "the larger scalar"),
];

static HISTOGRAMS: &[Function] = &[
    of_histogram("histogram_avg", "mean of a native histogram", |histogram| histogram.sum / histogram.count),
    of_histogram("histogram_count", "count of a native histogram", |histogram| histogram.count),
    of_histogram("histogram_sum", "sum of a native histogram", |histogram| histogram.sum),
    of_histogram("histogram_stddev", "standard deviation of a native histogram", |histogram| histogram.variance().sqrt()),
    of_histogram("histogram_stdvar", "variance of a native histogram", Histogram::variance),
];

static OTHERS: &[Function] = &[
    other("info", &[V, V], 1, Form::Unsupported),
    other("integral", &[M], 0, Form::Unsupported),
    other("start_timestamp", &[V], 0, Form::Unsupported),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_listed_once_and_has_help() {
        let mut names: Vec<&str> = all().map(|function| function.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(functions().all(|function| !function.help.is_empty()));
    }
}
