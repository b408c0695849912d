#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pulseboard_fuzz::run("log_entries", bytes));
