#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sprinters_policy_fuzz::fixes(data));
