//! libFuzzer's side of `quipu_tests::fuzz::ADDRESS`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (quipu_tests::fuzz::ADDRESS.check)(data));
