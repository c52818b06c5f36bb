//! Runs a target on many inputs, and saves those that fail.
//!
//! `QUIPU_FUZZ_FACTOR=100` tries a hundred times as many, `QUIPU_FUZZ_SEED=7` uses other inputs, `QUIPU_FUZZ_INPUT=FILE` only this one. If
//! the whole process is killed (stack overflow, out of memory), `QUIPU_FUZZ_KEEP=1` saves each input before trying it.

use super::Target;
use crate::fixtures::target as target_folder;
use crate::random::Random;
use anyhow::{Context, Result, bail};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Checks as many inputs as the target or the environment specifies.
///
/// # Errors
/// If an input fails: how to reproduce it.
pub fn run(target: Target) -> Result<()> {
    if let Some(path) = std::env::var_os("QUIPU_FUZZ_INPUT") {
        let input = std::fs::read(&path).with_context(|| format!("{} cannot be read.", path.to_string_lossy()))?;
        (target.check)(&input);
        return Ok(());
    }
    let factor: usize = number("QUIPU_FUZZ_FACTOR", 1)?;
    let base: u64 = number("QUIPU_FUZZ_SEED", 1)?;
    let folder = target_folder().join("fuzz");
    std::fs::create_dir_all(&folder)?;
    let current = std::env::var_os("QUIPU_FUZZ_KEEP").map(|_| folder.join(format!("{}-current.bin", target.name)));
    let mut failures = Vec::new();
    for round in 0..(target.rounds * factor) as u64 {
        let seed = base.wrapping_mul(0x1_0000_0000).wrapping_add(round);
        let input = (target.make)(&mut Random::new(seed));
        if let Some(current) = &current {
            std::fs::write(current, &input)?;
        }
        if catch_unwind(AssertUnwindSafe(|| (target.check)(&input))).is_err() {
            let kept = folder.join(format!("{}-{seed}.bin", target.name));
            std::fs::write(&kept, &input)?;
            failures.push((seed, kept));
            if failures.len() >= 10 {
                break;
            }
        }
    }
    let Some((seed, kept)) = failures.first() else { return Ok(()) };
    bail!(
        "{} inputs of the target {} fail, the first of seed {seed}; the panic's words are above. To see it again:\n  \
         QUIPU_FUZZ_INPUT={} cargo test --package quipu-tests --test fuzz {}",
        failures.len(),
        target.name,
        kept.display(),
        target.name
    )
}

fn number<T: std::str::FromStr>(name: &str, otherwise: T) -> Result<T> {
    match std::env::var(name) {
        Ok(text) => text.parse().ok().with_context(|| format!("{name} is {text}, which is no whole number.")),
        Err(_) => Ok(otherwise),
    }
}
