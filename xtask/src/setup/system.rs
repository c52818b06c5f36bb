//! System programs: clang, brotli, Chromium, Firefox, npm. Installed with apt-get as root; otherwise a message names the command to run.

use super::For;
use crate::shell::{Run, is_on_path};
use crate::{browser, shell};
use anyhow::{Result, bail};

/// A program from a system package.
struct Need {
    /// Debian and Ubuntu packages.
    packages: &'static str,
    /// Homebrew packages.
    brew: &'static str,
    /// Why it is needed.
    purpose: &'static str,
    is_here: fn() -> bool,
    /// Whether only testing needs it.
    only_tests: bool,
}

const NEEDS: [Need; 5] = [
    Need {
        packages: "clang llvm",
        brew: "llvm",
        purpose: "clang compiles SQLite to WebAssembly",
        is_here: clang_makes_wasm,
        only_tests: false,
    },
    Need {
        packages: "brotli",
        brew: "brotli",
        purpose: "brotli measures the page against its size budget",
        is_here: || is_on_path("brotli"),
        only_tests: true,
    },
    Need {
        packages: "chromium chromium-driver",
        brew: "--cask chromium chromedriver",
        purpose: "the tests run in Chromium, driven by chromedriver",
        is_here: browser::is_here,
        only_tests: true,
    },
    Need {
        packages: "firefox-esr",
        brew: "--cask firefox",
        purpose: "Firefox is the second browser of the tests",
        is_here: || browser::firefox().is_some(),
        only_tests: true,
    },
    Need {
        packages: "npm",
        brew: "node",
        purpose: "npm installs wasm-opt, which makes the page small, uPlot, which draws its charts, and for tests axe-core, which checks accessibility",
        is_here: || is_on_path("npm"),
        only_tests: false,
    },
];

/// Whether there is a clang for wasm32, with its archiver. Apple's clang does not support it.
fn clang_makes_wasm() -> bool {
    if std::env::var_os("CC_wasm32_unknown_unknown").is_some() {
        return true;
    }
    let knows = Run::new("clang --print-targets").read().is_some_and(|targets| targets.contains("wasm32"));
    let archiver = || Run::new("clang --print-prog-name=llvm-ar").read().is_some_and(|path| path.contains('/'));
    knows && (is_on_path("llvm-ar") || archiver())
}

/// Installs what is missing for `purpose`, or reports how.
pub(super) fn install_missing(purpose: For) -> Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| (purpose == For::Tests || !need.only_tests) && !(need.is_here)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let reasons = missing.iter().map(|need| need.purpose).collect::<Vec<_>>().join("; ");
    let packages = missing.iter().map(|need| need.packages).collect::<Vec<_>>().join(" ");
    let Some(apt_get) = apt_get() else {
        let brew = missing.iter().map(|need| need.brew).collect::<Vec<_>>().join(" ");
        let brew_note =
            if brew.contains("llvm") { " (and put its bin folder on the PATH: Apple's clang cannot make WebAssembly)" } else { "" };
        bail!(
            "Some programs are missing ({reasons}). Install them and try again:\n  \
             Debian, Ubuntu:  sudo apt-get install {packages}\n  macOS:           brew install {brew}{brew_note}"
        );
    };
    println!("Set-up: installing {packages} with apt-get ({reasons}); a minute or two, once.");
    let quiet = |line: String| Run::new(&line).env("DEBIAN_FRONTEND", "noninteractive").show();
    quiet(format!("{apt_get} update -q"))?;
    quiet(format!("{apt_get} install -y -q --no-install-recommends {packages}"))?;
    match missing.iter().find(|need| !(need.is_here)()) {
        None => Ok(()),
        Some(need) => bail!("The packages {} are installed, but not usable: {}.", need.packages, need.purpose),
    }
}

/// How to run apt-get without a password: as root, or with sudo in CI.
fn apt_get() -> Option<&'static str> {
    if !shell::is_on_path("apt-get") {
        return None;
    }
    if Run::new("id -u").read().as_deref() == Some("0") {
        return Some("apt-get");
    }
    let on_ci = std::env::var_os("CI").is_some() && Run::new("sudo -n true").read().is_some();
    on_ci.then_some("sudo -n DEBIAN_FRONTEND=noninteractive apt-get")
}
