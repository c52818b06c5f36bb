//! libFuzzer entry point of `quipu_tests::fuzz::PROMQL`, which defines the properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (quipu_tests::fuzz::PROMQL.check)(data));
