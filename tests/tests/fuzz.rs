//! The fuzz targets with seeded inputs, about a minute in all. `QUIPU_FUZZ_FACTOR=100` tries a hundred times as many.

use anyhow::Result;
use cap::Cap;
use quipu_tests::fuzz;
use std::alloc::System;

/// What all targets together may take. An input that takes more ends the process: `QUIPU_FUZZ_KEEP=1` keeps it.
const MEMORY_BYTES: usize = 1 << 30;

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, MEMORY_BYTES);

#[test]
fn recorded() -> Result<()> {
    fuzz::run(fuzz::RECORDED)
}

#[test]
fn file() -> Result<()> {
    fuzz::run(fuzz::FILE)
}

#[test]
fn filter() -> Result<()> {
    fuzz::run(fuzz::FILTER)
}

#[test]
fn address() -> Result<()> {
    fuzz::run(fuzz::ADDRESS)
}

#[test]
fn message() -> Result<()> {
    fuzz::run(fuzz::MESSAGE)
}

#[test]
fn link() -> Result<()> {
    fuzz::run(fuzz::LINK)
}

#[test]
fn import() -> Result<()> {
    fuzz::run(fuzz::IMPORT)
}

#[test]
fn otlp() -> Result<()> {
    fuzz::run(fuzz::OTLP)
}

#[test]
fn promql() -> Result<()> {
    fuzz::run(fuzz::PROMQL)
}

#[test]
fn redaction() -> Result<()> {
    fuzz::run(fuzz::REDACTION)
}
