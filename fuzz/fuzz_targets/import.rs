//! libFuzzer's side of `quipu_tests::fuzz::IMPORT`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (quipu_tests::fuzz::IMPORT.check)(data));
