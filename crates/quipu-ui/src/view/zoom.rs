//! The visible part of a trace's time: zooming, panning, fitting, and the position of bars.
//!
//! Pointer events and the URL are up to the page.

use quipu_model::number::truncated;

/// No shorter part is shown: recorded times are microseconds.
const LEAST_NANOS: u64 = 1_000;
/// Zoom factor of a key press or button.
const STEP: f64 = 0.5;
/// Distance of a key press for panning, relative to the window.
const PAN_STEP: f64 = 0.2;
/// Margin on both sides of a fitted span, relative to its length.
const MARGIN: f64 = 0.08;

/// A key that moves the window over the time axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoomKey {
    /// Shows less, larger.
    In,
    /// Shows more.
    Out,
    /// Moves to earlier times.
    Earlier,
    /// Moves to later times.
    Later,
    /// Shows the selected span; where it is shown so already, or none is selected, the whole trace.
    Fit,
    /// Shows the whole trace.
    Reset,
}

impl ZoomKey {
    /// From the DOM's `KeyboardEvent.key`: `w a s d` as in games, `f` and `0`.
    pub fn from_name(name: &str) -> Option<ZoomKey> {
        Some(match name {
            "w" | "+" => ZoomKey::In,
            "s" | "-" => ZoomKey::Out,
            "a" => ZoomKey::Earlier,
            "d" => ZoomKey::Later,
            "f" => ZoomKey::Fit,
            "0" => ZoomKey::Reset,
            _ => return None,
        })
    }
}

/// A part of a trace's time, in nanoseconds after the trace's start. Never empty, never beyond the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    from: u64,
    to: u64,
    whole: u64,
}

impl TimeWindow {
    /// The whole of a trace with this duration. A trace without duration is treated as one nanosecond long.
    pub fn whole(duration_nanos: u64) -> TimeWindow {
        let whole = duration_nanos.max(1);
        TimeWindow { from: 0, to: whole, whole }
    }

    /// The part given in a URL, clipped to the trace; `None` for the whole trace.
    pub fn new(window: Option<(u64, u64)>, duration_nanos: u64) -> TimeWindow {
        let whole = TimeWindow::whole(duration_nanos);
        match window {
            Some((from, to)) if from < to && from < whole.whole => {
                let length = (to - from).clamp(LEAST_NANOS.min(whole.whole), whole.whole);
                let from = from.min(whole.whole - length);
                TimeWindow { from, to: from + length, whole: whole.whole }
            }
            _ => whole,
        }
    }

    /// The value for a URL: `None` for the whole trace.
    pub fn named(&self) -> Option<(u64, u64)> {
        (!self.is_whole()).then_some((self.from, self.to))
    }

    /// Whether the window is the whole trace.
    pub fn is_whole(&self) -> bool {
        self.from == 0 && self.to == self.whole
    }

    /// Start in nanoseconds.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// End in nanoseconds.
    pub fn to(&self) -> u64 {
        self.to
    }

    /// Length in nanoseconds.
    pub fn length(&self) -> u64 {
        self.to - self.from
    }

    /// Duration of the trace in nanoseconds.
    pub fn duration(&self) -> u64 {
        self.whole
    }

    /// `(start, length)` relative to the trace.
    pub fn parts(&self) -> (f64, f64) {
        (self.from as f64 / self.whole as f64, self.length() as f64 / self.whole as f64)
    }

    /// The time at a position in the window: 0 is its start, 1 its end.
    pub fn at(&self, part: f64) -> u64 {
        self.from.saturating_add(truncated::<u64>((part.clamp(0.0, 1.0) * self.length() as f64).round())).min(self.to)
    }

    /// The position of a time in the window: 0 at its start, 1 at its end; beyond if it is not visible.
    pub fn part(&self, nanos: u64) -> f64 {
        (nanos as f64 - self.from as f64) / self.length() as f64
    }

    fn placed(&self, from: f64, length: f64) -> TimeWindow {
        let length = truncated::<u64>(length.round().max(0.0)).clamp(LEAST_NANOS.min(self.whole), self.whole);
        let from = truncated::<u64>(from.round().max(0.0)).min(self.whole - length);
        TimeWindow { from, to: from + length, whole: self.whole }
    }

    /// Scaled by `factor` (below 1 to zoom in). The time at position `part` stays in place, as far as the ends of the trace permit.
    pub fn zoomed(&self, factor: f64, part: f64) -> TimeWindow {
        let part = part.clamp(0.0, 1.0);
        let length = (self.length() as f64 * factor).clamp(LEAST_NANOS.min(self.whole) as f64, self.whole as f64);
        self.placed(self.from as f64 + part * (self.length() as f64 - length), length)
    }

    /// Moved by `part` of its length; positive is later.
    pub fn panned(&self, part: f64) -> TimeWindow {
        self.placed(self.from as f64 + part * self.length() as f64, self.length() as f64)
    }

    /// Fitted to a span with some margin. An instant is centered in a window of the current length.
    pub fn fit(&self, start: u64, duration: Option<u64>) -> TimeWindow {
        match duration.filter(|duration| *duration > 0) {
            Some(duration) => {
                let margin = duration as f64 * MARGIN;
                self.placed(start as f64 - margin, duration as f64 + 2.0 * margin)
            }
            None => self.placed(start as f64 - self.length() as f64 / 2.0, self.length() as f64),
        }
    }

    /// Moved as little as possible to show some of a span. If nothing of it is visible, its start is placed at a tenth.
    pub fn showing(&self, start: u64, duration: Option<u64>) -> TimeWindow {
        if place_bar(self, start, duration).off.is_none() {
            return *self;
        }
        self.placed(start as f64 - self.length() as f64 * 0.1, self.length() as f64)
    }

    /// The window after a key press. `part` is the pointer's position, `span` the start and duration of the selected span.
    pub fn pressed(&self, key: ZoomKey, part: Option<f64>, span: Option<(u64, Option<u64>)>) -> TimeWindow {
        let part = part.unwrap_or(0.5);
        match key {
            ZoomKey::In => self.zoomed(STEP, part),
            ZoomKey::Out => self.zoomed(1.0 / STEP, part),
            ZoomKey::Earlier => self.panned(-PAN_STEP),
            ZoomKey::Later => self.panned(PAN_STEP),
            ZoomKey::Fit => match span.map(|(start, duration)| self.fit(start, duration)) {
                Some(fitted) if fitted != *self => fitted,
                _ => TimeWindow::whole(self.whole),
            },
            ZoomKey::Reset => TimeWindow::whole(self.whole),
        }
    }

    /// The window after a wheel event of `pixels`; negative values zoom in.
    pub fn wheeled(&self, pixels: f64, part: f64) -> TimeWindow {
        self.zoomed((pixels.clamp(-400.0, 400.0) * 0.002).exp(), part)
    }
}

/// A side of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Before it.
    Before,
    /// After it.
    After,
}

/// Position of a bar in a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BarPlace {
    /// Start relative to the window, 0 to 1.
    pub start: f64,
    /// Length relative to the window.
    pub length: f64,
    /// The side it is on if it is outside of the window; its position is then that edge.
    pub off: Option<Side>,
    /// Whether it starts before the window.
    pub cut_start: bool,
    /// Whether it ends after the window.
    pub cut_end: bool,
}

/// The position of a span's bar in `window`. A span of unknown duration is an instant.
pub fn place_bar(window: &TimeWindow, start: u64, duration: Option<u64>) -> BarPlace {
    let end = start.saturating_add(duration.unwrap_or(0));
    let off = if end < window.from || (end == window.from && start < end) {
        Some(Side::Before)
    } else if start > window.to || (start == window.to && !window.is_whole()) {
        Some(Side::After)
    } else {
        None
    };
    let from = window.part(start).clamp(0.0, 1.0);
    let to = window.part(end).clamp(0.0, 1.0);
    BarPlace {
        start: from,
        length: to - from,
        off,
        cut_start: off.is_none() && start < window.from,
        cut_end: off.is_none() && end > window.to,
    }
}

/// What a pointer drags on the minimap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Grip {
    /// The start of the window.
    Start,
    /// The end of the window.
    End,
    /// The whole window, held at this relative position.
    Whole(f64),
    /// A new window that starts at this position in the trace.
    New(f64),
}

/// What a pointer at position `part` of the trace drags: an end of the window within `reach`, the window itself inside, otherwise a new
/// window.
pub fn grip(window: &TimeWindow, part: f64, reach: f64) -> Grip {
    let (from, length) = window.parts();
    let (to_start, to_end) = ((part - from).abs(), (part - from - length).abs());
    let close = to_start.min(to_end) <= reach;
    if close && to_start < to_end {
        Grip::Start
    } else if close {
        Grip::End
    } else if !window.is_whole() && part > from && part < from + length {
        Grip::Whole((part - from) / length)
    } else {
        Grip::New(part)
    }
}

/// The window after dragging to position `part` of the trace. `least` is the minimum length of a window relative to the trace.
pub fn drag(window: &TimeWindow, grip: Grip, part: f64, least: f64) -> TimeWindow {
    let part = part.clamp(0.0, 1.0);
    let whole = window.whole as f64;
    let (from, length) = window.parts();
    let least = least.min(length);
    let between = |from: f64, to: f64| window.placed(from * whole, (to - from) * whole);
    match grip {
        Grip::Start => between(part.min(from + length - least), from + length),
        Grip::End => between(from, part.max(from + least)),
        Grip::Whole(held) => window.placed((part - held * length) * whole, length * whole),
        // A click does not create a window: the pointer must move some distance.
        Grip::New(anchor) if (part - anchor).abs() < least => *window,
        Grip::New(anchor) => between(part.min(anchor), part.max(anchor)),
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    /// The window drawn over a line of 40 characters for the trace.
    fn drawn(window: &TimeWindow) -> String {
        let (from, length) = window.parts();
        let at = |part: f64| (part * 40.0).round() as usize;
        let (from, to) = (at(from), at(from + length));
        format!("|{}{}{}| {}..{} ms", ".".repeat(from), "#".repeat(to - from), ".".repeat(40 - to), window.from / MS, window.to / MS)
    }

    #[test]
    fn keys_and_wheel_move_the_window() {
        let mut window = TimeWindow::whole(1_000 * MS);
        let mut told = vec![format!("{:22}{}", "all", drawn(&window))];
        let span = Some((600 * MS, Some(100 * MS)));
        for (what, key, part) in [
            ("in, pointer at 80 %", ZoomKey::In, Some(0.8)),
            ("in, no pointer", ZoomKey::In, None),
            ("earlier", ZoomKey::Earlier, None),
            ("later", ZoomKey::Later, None),
            ("fit the span", ZoomKey::Fit, None),
            ("fit it again", ZoomKey::Fit, None),
            ("fit the span", ZoomKey::Fit, None),
            ("out", ZoomKey::Out, Some(0.0)),
            ("reset", ZoomKey::Reset, None),
            ("out of all", ZoomKey::Out, Some(0.3)),
        ] {
            window = window.pressed(key, part, span);
            told.push(format!("{what:22}{}", drawn(&window)));
        }
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn a_pointer_moves_what_it_holds_on_the_minimap() {
        let window = TimeWindow::new(Some((250 * MS, 500 * MS)), 1_000 * MS);
        let mut told = vec![format!("{:34}{}", "before", drawn(&window))];
        for (from, to) in [(0.25, 0.1), (0.25, 0.9), (0.5, 0.75), (0.4, 0.6), (0.4, 0.99), (0.8, 0.7), (0.8, 0.801), (0.1, 0.2)] {
            let held = grip(&window, from, 0.01);
            told.push(format!("{:34}{}", format!("{held:.2?} to {to}"), drawn(&drag(&window, held, to, 0.01))));
        }
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn bars_are_cut_at_the_window_or_told_to_lie_beside_it() {
        let window = TimeWindow::new(Some((100 * MS, 200 * MS)), 1_000 * MS);
        let place = |start: u64, duration: Option<u64>| place_bar(&window, start * MS, duration.map(|ms| ms * MS));
        let inside = BarPlace { start: 0.25, length: 0.5, off: None, cut_start: false, cut_end: false };
        assert_eq!(place(125, Some(50)), inside);
        assert_eq!(place(0, Some(1_000)), BarPlace { start: 0.0, length: 1.0, cut_start: true, cut_end: true, ..inside });
        assert_eq!(place(150, Some(500)), BarPlace { start: 0.5, length: 0.5, cut_end: true, ..inside });
        assert_eq!(place(20, Some(80)).off, Some(Side::Before));
        assert_eq!(place(200, Some(80)).off, Some(Side::After));
        assert_eq!(place(150, None), BarPlace { start: 0.5, length: 0.0, ..inside });
        // An instant at the end of the trace is inside the whole window.
        assert_eq!(place_bar(&TimeWindow::whole(7), 7, None).off, None);
    }

    #[test]
    fn a_span_out_of_sight_is_brought_in_and_one_in_sight_left() {
        let window = TimeWindow::new(Some((100 * MS, 200 * MS)), 1_000 * MS);
        assert_eq!(window.showing(150 * MS, Some(MS)), window);
        assert_eq!(window.showing(600 * MS, Some(MS)).named(), Some((590 * MS, 690 * MS)));
        assert_eq!(window.showing(0, Some(MS)).named(), Some((0, 100 * MS)));
    }

    fn any_window() -> impl Strategy<Value = TimeWindow> {
        (prop::option::of((any::<u64>(), any::<u64>())), any::<u64>()).prop_map(|(window, whole)| TimeWindow::new(window, whole))
    }

    proptest! {
        #[test]
        fn no_window_is_empty_or_leaves_the_trace(
            window in any_window(), factor in 0.0001_f64..10_000.0, part in -2.0_f64..3.0, start: u64, duration: Option<u64>,
        ) {
            for next in [
                window, window.zoomed(factor, part), window.panned(part), window.fit(start, duration), window.showing(start, duration),
                window.wheeled(factor, part), drag(&window, grip(&window, part, 0.01), part + 0.2, 0.01),
            ] {
                prop_assert!(next.from < next.to && next.to <= next.whole && next.whole == window.whole, "{:?}", next);
                prop_assert_eq!(TimeWindow::new(next.named(), next.whole), next);
            }
            let bar = place_bar(&window, start, duration);
            prop_assert!((0.0..=1.0).contains(&bar.start) && bar.length >= 0.0 && bar.start + bar.length <= 1.0 + 1e-9);
        }

        #[test]
        fn the_time_under_the_pointer_stays_there(whole in 1_000_000_u64..1_000_000_000_000, part in 0.0_f64..=1.0, factor in 0.1_f64..0.99) {
            let window = TimeWindow::whole(whole);
            let zoomed = window.zoomed(factor, part);
            prop_assert!(zoomed.at(part).abs_diff(window.at(part)) <= 3);
        }
    }
}
