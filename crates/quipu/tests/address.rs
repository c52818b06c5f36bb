//! Old addresses keep working: each is listed with the address that the newest version prints for the same view.

use quipu::address::{MetricsView, Screen, TraceView, parse_fragment, print_fragment};

/// Addresses of version 1, at least one per screen, and the same views in version 2.
const VERSION_1: [(&str, &str); 24] = [
    ("#v1/open", "#v2/open"),
    ("#v1/open?sample=metrics", "#v2/open?sample=metrics"),
    (
        "#v1/traces?filter=error%3Atrue&list=hits&show=failed&sort=-duration&times=local&file=telemetry.db&size=737280",
        "#v2/traces?filter=error:true&list=hits&show=failed&sort=-duration&times=local&file=telemetry.db&size=737280",
    ),
    ("#v1/traces?sort=slowest", "#v2/traces?sort=-duration"),
    (
        "#v1/traces?group=session&open=a%2Cb,,c&columns=name,agent&chart=off&times=relative",
        "#v2/traces?group=session&open=a%2Cb,,c&columns=name,agent&chart=off&times=relative",
    ),
    // Ranges inside a filter are unchanged.
    ("#v1/traces?filter=duration%3A1ms..5ms%20zoom%3D1-2", "#v2/traces?filter=duration:1ms..5ms%20zoom%3D1-2"),
    (
        "#v1/trace/abc?span=00ff&find=timeout&from=1500&to=90000&sample=agent",
        "#v2/trace/abc?span=00ff&find=timeout&window=1500~90000&sample=agent",
    ),
    ("#v1/trace/abc?to=90000&from=1500", "#v2/trace/abc?window=1500~90000"),
    ("#v1/trace/abc?from=1500", "#v2/trace/abc?window=1500~18446744073709551615"),
    ("#v1/trace/abc?to=90000", "#v2/trace/abc?window=0~90000"),
    ("#v1/trace/abc?from=1&from=%32&to=9", "#v2/trace/abc?window=2~9"),
    ("#v1/trace/a%2Fb%3Fc?from=1&to=9", "#v2/trace/a%2Fb%3Fc?window=1~9"),
    (
        "#v1/trace/abc?plumbing=folded&request=00aa&path=critical&measure=5-5",
        "#v2/trace/abc?framework=folded&request=00aa&path=critical&measure=5~5",
    ),
    ("#v1/trace/abc?tab=flame&flame=heavy&weight=tokens&zoom=5-9", "#v2/trace/abc?tab=flame&flame=heavy&weight=tokens&zoom=5~9"),
    (
        "#v1/trace/abc?tab=flame&from=10&to=20&flame=sandwich&around=1-2&zoom=5%2D9",
        "#v2/trace/abc?tab=flame&window=10~20&flame=sandwich&around=1-2&zoom=5~9",
    ),
    ("#v1/trace/abc?tab=conversation&told=session&page=2", "#v2/trace/abc?tab=conversation&told=session&page=2"),
    ("#v1/trace/abc?tab=logs&severity=error&page=2", "#v2/trace/abc?tab=logs&severity=error&page=2"),
    ("#v1/trace/abc?tab=statistics&by=p95&order=up", "#v2/trace/abc?tab=statistics&by=p95&order=up"),
    ("#v1/trace/abc?from=1&to=9&key=c2VjcmV0&data=AQAB-_", "#v2/trace/abc?window=1~9&key=c2VjcmV0&data=AQAB-_"),
    ("#v1/metrics?window=-5~7", "#v2/metrics?window=-5~7"),
    (
        "#v1/metrics?window=1000~2000&tokens=prompt&split=provider&scrape=1000&models=merged&rates=exact&look=end&query=a&query=b-c",
        "#v2/metrics?window=1000~2000&tokens=prompt&split=provider&scrape=1000&models=merged&rates=exact&look=end&query=a&query=b-c",
    ),
    ("#v1/sql", "#v2/sql"),
    ("#v1/sql?query=SELECT%201-2&file=t.db", "#v2/sql?query=SELECT%201-2&file=t.db"),
    ("#v1/", "#v2/open"),
];

#[test]
fn addresses_of_version_1_open_the_same_view() {
    for (old, new) in VERSION_1 {
        let (view, notes) = parse_fragment(old);
        assert_eq!((print_fragment(&view).as_str(), notes), (new, Vec::new()), "{old}");
        assert_eq!(parse_fragment(new), (view, Vec::new()), "{new}");
    }
}

#[test]
fn ranges_are_what_their_numbers_say() {
    let trace = |fragment: &str| match parse_fragment(fragment).0.screen {
        Screen::Trace(TraceView { window, timeline, sheet, .. }) => (window, timeline.measured, sheet.zoom),
        other => panic!("{other:?}"),
    };
    let expected = (Some((1_500, 90_000)), Some((3, 4)), Some((5, 9)));
    assert_eq!(trace("#v1/trace/abc?from=1500&to=90000&measure=3-4&zoom=5-9"), expected);
    assert_eq!(trace("#v2/trace/abc?window=1500~90000&measure=3~4&zoom=5~9"), expected);
    for version in ["v1", "v2"] {
        let (view, _) = parse_fragment(&format!("#{version}/metrics?window=-5~7"));
        assert!(matches!(view.screen, Screen::Metrics(view) if *view == MetricsView { window: Some((-5, 7)), ..MetricsView::default() }));
    }
}

#[test]
fn what_version_1_could_not_read_is_reported_as_it_was_written() {
    let left_out = |part: &str| format!("The part {part:?} of the URL is not valid and was ignored.");
    for part in [
        "from=x",
        "to=",
        "from=-3",
        "measure=9-5",
        "measure=1-",
        "zoom=5-5",
        "zoom=1-2-3",
        "zoom=",
        "nonsense=1-2",
    ] {
        let (view, notes) = parse_fragment(&format!("#v1/trace/abc?{part}&span=00ff"));
        assert_eq!(notes, [left_out(part)]);
        assert_eq!(print_fragment(&view), "#v2/trace/abc?span=00ff");
    }
    // Only a trace has a time window.
    assert_eq!(parse_fragment("#v1/traces?from=1&to=2").1, [left_out("from=1"), left_out("to=2")]);
    for reversed in ["#v1/trace/abc?from=9&to=5", "#v2/trace/abc?window=9~5"] {
        let (view, notes) = parse_fragment(reversed);
        assert_eq!(notes, ["The time range in the URL ends before it starts; the whole trace is shown."]);
        assert_eq!(print_fragment(&view), "#v2/trace/abc");
    }
    // Version 2 has a single spelling.
    for part in ["from=1", "to=2", "window=1-2", "measure=1-2", "zoom=1-2"] {
        assert_eq!(parse_fragment(&format!("#v2/trace/abc?{part}")).1, [left_out(part)]);
    }
}
