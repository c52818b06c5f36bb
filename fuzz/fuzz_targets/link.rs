//! libFuzzer entry point of `quipu_tests::fuzz::LINK`, which defines the properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (quipu_tests::fuzz::LINK.check)(data));
