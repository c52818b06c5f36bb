//! Runs the scripts in `cases/`, and optionally those of another folder.

use super::script::run;
use std::path::Path;

fn check(folder: &Path, skips: &dyn Fn(&str) -> bool) -> (usize, usize, Vec<String>) {
    let (mut passed, mut skipped, mut failures) = (0, 0, Vec::new());
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "test")) {
        let report = run(&std::fs::read_to_string(file).expect("a text"), skips);
        println!("{}: {} passed, {} failed, {} skipped", file.display(), report.passed, report.failures.len(), report.skipped);
        passed += report.passed;
        skipped += report.skipped;
        failures.extend(report.failures.iter().map(|failure| format!("{}: {failure}", file.display())));
    }
    (passed, skipped, failures)
}

#[test]
fn scripts_give_their_expected_results() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/promql/cases");
    let (passed, skipped, failures) = check(&folder, &|_| false);
    assert_eq!(failures, Vec::<String>::new());
    assert!(passed >= 150 && skipped == 0, "{passed} evaluations, {skipped} skipped");
}

/// `QUIPU_PROMQL_SCRIPTS=FOLDER cargo test -p quipu --test suite promql -- --ignored --nocapture` runs Prometheus's own scripts.
#[test]
#[ignore = "needs a folder of scripts in QUIPU_PROMQL_SCRIPTS"]
fn scripts_of_another_folder_give_their_expected_results() {
    let folder = std::env::var("QUIPU_PROMQL_SCRIPTS").expect("QUIPU_PROMQL_SCRIPTS names a folder");
    let (passed, skipped, failures) = check(Path::new(&folder), &|_| false);
    assert!(failures.is_empty(), "{passed} passed, {skipped} skipped, {} failed:\n{}", failures.len(), failures.join("\n"));
}
