//! Runs the scripts in `cases/`, whose results are known by reasoning, and optionally those of another folder.

mod histograms;
mod notation;
mod script;

use script::{Report, run};
use std::path::Path;

/// Files of Prometheus whose queries need one of its feature flags.
const FLAGGED: [&str; 5] = [
    "duration_expression.test",
    "info.test",
    "name_label_dropping.test",
    "start_timestamps.test",
    "type_and_unit.test",
];

fn check(folder: &Path) -> (Report, Vec<String>) {
    let mut all = Report::default();
    let mut failures = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "test")) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if FLAGGED.contains(&name.as_ref()) {
            println!("{name}: left out, because it is about a feature flag");
            continue;
        }
        let report = run(&std::fs::read_to_string(file).expect("a text"));
        let skipped: usize = report.skipped.values().sum();
        println!("{name}: {} passed, {} failed, {skipped} skipped {:?}", report.passed, report.failures.len(), report.skipped);
        all.passed += report.passed;
        report.skipped.into_iter().for_each(|(reason, count)| *all.skipped.entry(reason).or_default() += count);
        failures.extend(report.failures.iter().map(|failure| format!("{name} {failure}")));
    }
    (all, failures)
}

#[test]
fn scripts_give_their_expected_results() {
    let (all, failures) = check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/cases"));
    assert_eq!(failures, Vec::<String>::new());
    assert!(all.passed >= 200 && all.skipped.is_empty(), "{} evaluations, skipped: {:?}", all.passed, all.skipped);
}

/// `QUIPU_PROMQL_TESTS=FOLDER cargo test -p quipu-promql --test suite -- --ignored --nocapture` runs Prometheus's own scripts, which are in
/// `promql/promqltest/testdata` of its repository.
#[test]
#[ignore = "needs a folder of scripts in QUIPU_PROMQL_TESTS"]
fn scripts_of_another_folder_give_their_expected_results() {
    let folder = std::env::var("QUIPU_PROMQL_TESTS").expect("QUIPU_PROMQL_TESTS names a folder");
    let (all, failures) = check(Path::new(&folder));
    println!("{} passed, {} failed, skipped: {:?}", all.passed, failures.len(), all.skipped);
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_script_that_is_wrong_is_reported() {
    let outcome = |script: &str| {
        let report = run(script);
        (report.passed, report.failures.len(), report.skipped.values().sum::<usize>())
    };
    assert_eq!(outcome("load 1m\n  a 1 2\neval instant at 1m a\n  a 2\n"), (1, 0, 0));
    assert_eq!(outcome("load 1m\n  a 1 2\neval instant at 1m a\n  a 3\n"), (0, 1, 0));
    assert_eq!(outcome("load 1m\n  a {{count:1}}\neval instant at 1m a\n  a {{count:2}}\n"), (0, 1, 0));
    assert_eq!(outcome("eval instant at 1m vector(1)\n  expect warn\n  {} 1\n"), (0, 1, 0));
    assert_eq!(outcome("eval instant at 1m info(a)\n"), (0, 0, 1));
    assert_eq!(outcome("nonsense\n"), (0, 1, 0));
}
