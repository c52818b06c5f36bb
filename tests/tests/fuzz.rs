//! The fuzz targets with seeded inputs, about a minute in all. `QUIPU_FUZZ_FACTOR=100` tries a hundred times as many.

use anyhow::Result;
use quipu_tests::fuzz;

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
