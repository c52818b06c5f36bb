//! Runs the commands of README.md on a real file.

use std::path::Path;
use std::process::Command;

#[test]
fn the_commands_of_the_readme_succeed() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(here.join("README.md")).expect("README.md");
    let folder = quipu_tests::Scratch::new().expect("a folder");
    std::fs::copy(here.join("../../samples/metrics_0.2.23.db"), folder.path().join("telemetry.db")).expect("a copy");
    let lines: Vec<&str> = readme.lines().filter(|line| line.starts_with("quipu ")).collect();
    assert!(lines.len() >= 8, "{lines:?}");
    for line in lines {
        // A shell splits the arguments, as for users.
        let script = line.replacen("quipu", "exec \"$QUIPU\"", 1);
        let output = Command::new("sh").args(["-c", &script]).env("QUIPU", env!("CARGO_BIN_EXE_quipu")).current_dir(folder.path()).output();
        let output = output.expect("a shell");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{line}: {out}{err}");
    }
}
