//! Tests that the page's colours are readable: WCAG 2.2 contrast of all combinations in the style sheets.
//!
//! Reads `light-dark(oklch(…), oklch(…))` from `web/style/tokens.css`.

use std::collections::BTreeMap;

/// Converts `oklch(L C H)` to linear sRGB, by Ottosson's definition of OKLab.
fn linear_rgb(lightness: f64, chroma: f64, hue: f64) -> [f64; 3] {
    let (a, b) = (chroma * hue.to_radians().cos(), chroma * hue.to_radians().sin());
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ]
    .map(|part| part.clamp(0.0, 1.0))
}

fn luminance([red, green, blue]: [f64; 3]) -> f64 {
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: f64, other: f64) -> f64 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Relative luminance of each token in light and dark mode.
fn tokens() -> BTreeMap<String, [f64; 2]> {
    let css = include_str!("../../../../web/style/tokens.css");
    let mut found = BTreeMap::new();
    for line in css.lines() {
        let Some((name, rest)) = line.trim().strip_prefix("--").and_then(|line| line.split_once(": light-dark(")) else { continue };
        let colours: Vec<f64> = rest
            .split("oklch(")
            .skip(1)
            .map(|colour| {
                let numbers: Vec<f64> = colour
                    .split(')')
                    .next()
                    .unwrap_or_default()
                    .split_whitespace()
                    .map(|number| number.parse().expect("a token is three plain numbers"))
                    .collect();
                luminance(linear_rgb(numbers[0], numbers[1], numbers[2]))
            })
            .collect();
        found.insert(name.to_owned(), [colours[0], colours[1]]);
    }
    found
}

#[test]
fn the_conversion_agrees_with_known_colours() {
    assert!((luminance(linear_rgb(1.0, 0.0, 0.0)) - 1.0).abs() < 1e-4);
    // CSS Color 4: `red` is oklch(0.628 0.2577 29.23), of luminance 0.2126.
    assert!((luminance(linear_rgb(0.627_96, 0.257_68, 29.234)) - 0.2126).abs() < 1e-3);
}

#[test]
fn text_and_marks_are_readable_on_what_they_stand_on() {
    let tokens = tokens();
    let grounds = ["wool", "panel", "wash", "select"];
    let mut pairs: Vec<(String, &str, f64)> = Vec::new();
    for ground in grounds {
        for text in ["ink", "ink-soft", "accent", "fail", "warn", "good"] {
            pairs.push((text.into(), ground, 4.5));
        }
    }
    for kind in quipu_model::SpanKind::ALL {
        for ground in ["wool", "panel", "select"] {
            // Bars and marks are graphics: 3 to 1. The kind's name in the span panel is text.
            pairs.push((format!("kind-{}", kind.label()), ground, if ground == "panel" { 4.5 } else { 3.0 }));
        }
    }
    pairs.push(("fail".into(), "fail-wash", 4.5));
    pairs.push(("ink".into(), "fail-wash", 4.5));
    pairs.push(("warn".into(), "warn-wash", 4.5));
    pairs.push(("ink".into(), "warn-wash", 4.5));
    pairs.push(("ink".into(), "mark", 4.5));
    pairs.push(("on-accent".into(), "accent", 4.5));
    pairs.push(("focus".into(), "wool", 3.0));
    pairs.push(("focus".into(), "panel", 3.0));
    pairs.push(("control".into(), "panel", 3.0));
    let mut poor = Vec::new();
    for (text, ground, least) in pairs {
        for (mode, name) in ["light", "dark"].into_iter().enumerate() {
            let found = contrast(tokens[&text][mode], tokens[ground][mode]);
            if found < least {
                poor.push(format!("{text} on {ground}, {name}: {found:.2}, at least {least}"));
            }
        }
    }
    assert!(poor.is_empty(), "{}", poor.join("\n"));
}
