//! See `src/bounce.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postdesk_fuzz::bounce::hold(input));
